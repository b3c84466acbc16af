// UTF-8 checked piece by piece (RFC 3629), failing at the first byte that no
// valid text can have there. Used by link for text messages, by close.hpp and
// the envelope. Pure; one thread a checker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mw::wire {

class Utf8 {
 public:
  // False: the text is bad whatever follows; the checker stays bad until reset.
  bool feed(const uint8_t* p, size_t n) noexcept {
    const uint8_t* end = p + n;
    while (p != end) {
      if (need_ == 0) {
        // Eight ASCII bytes at a time.
        for (uint64_t w; end - p >= 8; p += 8) {
          std::memcpy(&w, p, 8);
          all_ |= w;
          if (w & 0x8080808080808080u) break;
        }
        if (p == end) break;
        uint8_t b = *p++;
        all_ |= b;
        if (b < 0x80) continue;
        if (!begin(b)) return fail();
      } else {
        uint8_t b = *p++;
        if (b < lo_ || b > hi_) return fail();
        lo_ = 0x80, hi_ = 0xBF;
        need_--;
      }
    }
    return true;
  }
  // The text may end here.
  bool complete() const noexcept { return need_ == 0; }
  // Nothing but ASCII so far.
  bool ascii() const noexcept { return (all_ & 0x8080808080808080u) == 0; }
  void reset() noexcept { *this = Utf8(); }

 private:
  bool begin(uint8_t b) noexcept {
    lo_ = 0x80, hi_ = 0xBF;
    if (b >= 0xC2 && b <= 0xDF) {  // C0, C1: overlong
      need_ = 1;
    } else if (b >= 0xE0 && b <= 0xEF) {
      need_ = 2;
      if (b == 0xE0) lo_ = 0xA0;   // overlong
      if (b == 0xED) hi_ = 0x9F;   // surrogates
    } else if (b >= 0xF0 && b <= 0xF4) {
      need_ = 3;
      if (b == 0xF0) lo_ = 0x90;   // overlong
      if (b == 0xF4) hi_ = 0x8F;   // above U+10FFFF
    } else {
      return false;
    }
    return true;
  }
  bool fail() noexcept {
    need_ = 1, lo_ = 1, hi_ = 0;  // no byte fits
    return false;
  }
  uint64_t all_ = 0;                        // every byte seen, or-ed
  uint8_t need_ = 0, lo_ = 0x80, hi_ = 0xBF;  // bytes left of this character; range of the next
};

inline bool utf8_valid(const void* p, size_t n) noexcept {
  Utf8 u;
  return u.feed(static_cast<const uint8_t*>(p), n) && u.complete();
}
inline bool utf8_valid(std::string_view s) noexcept { return utf8_valid(s.data(), s.size()); }

}  // namespace mw::wire
