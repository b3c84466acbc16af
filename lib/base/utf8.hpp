// UTF-8 (RFC 3629) checked piece by piece, failing at the first byte that no
// valid text can have there; tells ASCII apart on the way. Used by wire for
// fragmented text, by abi for MW_F_TEXT and MW_F_ASCII. One thread a checker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mw::base {

class Utf8 {
 public:
  // False: the text is bad whatever follows; the checker stays bad until reset.
  bool feed(const uint8_t* p, size_t n) noexcept {
    const uint8_t* const end = p + n;
    if (need_ == 0) p = skip_ascii(p, end);
    while (p != end) {
      const uint8_t b = *p++;
      if (need_ != 0) {
        if (b < lo_ || b > hi_) return fail();
        lo_ = 0x80, hi_ = 0xBF;
        if (--need_ == 0) p = skip_ascii(p, end);
      } else if (b >= 0x80) {
        ascii_ = false;
        if (!begin(b)) return fail();
      }
    }
    return true;
  }
  // The text may end here.
  bool complete() const noexcept { return need_ == 0; }
  // Nothing but ASCII so far.
  bool ascii() const noexcept { return ascii_; }
  void reset() noexcept { *this = Utf8(); }

 private:
  // Eight bytes at a time; stops at the first word that is not all ASCII. A
  // short rest is looked at together with bytes before it that are known.
  static const uint8_t* skip_ascii(const uint8_t* const begin, const uint8_t* const end) noexcept {
    const uint8_t* p = begin;
    for (; end - p >= 8; p += 8)
      if (!ascii_word(p)) return p;
    return p != end && end - begin >= 8 && ascii_word(end - 8) ? end : p;
  }
  static bool ascii_word(const uint8_t* p) noexcept {
    uint64_t w;
    std::memcpy(&w, p, 8);
    return (w & 0x8080808080808080u) == 0;
  }
  bool begin(uint8_t b) noexcept {
    lo_ = 0x80, hi_ = 0xBF;
    if (b >= 0xC2 && b <= 0xDF) {  // C0 and C1 would be overlong
      need_ = 1;
    } else if (b >= 0xE0 && b <= 0xEF) {
      need_ = 2;
      if (b == 0xE0) lo_ = 0xA0;  // overlong below
      if (b == 0xED) hi_ = 0x9F;  // surrogates above
    } else if (b >= 0xF0 && b <= 0xF4) {
      need_ = 3;
      if (b == 0xF0) lo_ = 0x90;  // overlong below
      if (b == 0xF4) hi_ = 0x8F;  // beyond U+10FFFF above
    } else {
      return false;
    }
    return true;
  }
  bool fail() noexcept {
    need_ = 1, lo_ = 1, hi_ = 0;  // no byte fits this range
    return false;
  }

  bool ascii_ = true;
  uint8_t need_ = 0;               // bytes left of the character
  uint8_t lo_ = 0x80, hi_ = 0xBF;  // range of the next one
};

struct Utf8Fact {
  bool valid, ascii;
};

inline Utf8Fact utf8_check(const void* p, size_t n) noexcept {
  Utf8 u;
  const bool valid = u.feed(static_cast<const uint8_t*>(p), n) && u.complete();
  return {valid, u.ascii()};
}
inline bool utf8_valid(std::string_view s) noexcept { return utf8_check(s.data(), s.size()).valid; }

}  // namespace mw::base
