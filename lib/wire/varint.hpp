// Numbers of the own wire: unsigned LEB128, least significant seven bits
// first, always in the fewest bytes. Used by envelope, hello and packets.
// Pure; any thread.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mw::wire {

inline constexpr size_t kMaxVarint = 10;

constexpr size_t varint_size(uint64_t v) noexcept {
  return (static_cast<size_t>(std::bit_width(v | 1)) + 6) / 7;
}

inline size_t put_varint(uint8_t* out, uint64_t v) noexcept {
  size_t n = 0;
  for (; v >= 0x80; v >>= 7) out[n++] = static_cast<uint8_t>(v | 0x80);
  out[n++] = static_cast<uint8_t>(v);
  return n;
}

// A window over the bytes of a packet, eaten from the front. Each reader
// answers false where the bytes end or break the grammar, and eats nothing more.
struct Bytes {
  const uint8_t* p;
  const uint8_t* end;

  size_t left() const noexcept { return static_cast<size_t>(end - p); }

  bool varint(uint64_t& v) noexcept {
    if (p != end && *p < 0x80) [[likely]] {
      v = *p++;
      return true;
    }
    uint64_t r = 0;
    for (unsigned shift = 0; p != end && shift < 64; shift += 7) {
      uint8_t b = *p++;
      if (shift == 63 && b > 1) return false;  // above 64 bits
      r |= static_cast<uint64_t>(b & 0x7F) << shift;
      if (b < 0x80) {
        v = r;
        return b != 0;  // a last byte of 0 says nothing: not minimal
      }
    }
    return false;
  }
  // A number of at most max.
  bool varint(uint64_t& v, uint64_t max) noexcept { return varint(v) && v <= max; }

  bool take(size_t n, const uint8_t*& at) noexcept {
    if (left() < n) return false;
    at = p;
    p += n;
    return true;
  }
};

}  // namespace mw::wire
