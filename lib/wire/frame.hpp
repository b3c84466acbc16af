// WebSocket frame headers and masking (RFC 6455 section 5), nothing kept between calls.
// Used by link on the message path, by tests and the bench. Pure; any thread.
// read_head tells every fault one header shows; in_order the one that needs the frame before.
#pragma once
#include "wire/dialect.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mw::wire {

enum Opcode : uint8_t { kCont = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

inline constexpr size_t kMaxHead = 14;     // 2 + 8 (length) + 4 (key)
inline constexpr size_t kMaxControl = 125;  // payload of a control frame, 5.5

struct Head {
  uint64_t length;  // of the payload
  uint32_t key;     // as its four bytes lie in memory; 0 where not masked
  uint8_t opcode;
  uint8_t size;     // of the header
  bool fin, rsv1, masked;
};

enum class HeadStatus : uint8_t { ok, more, bad };

constexpr bool is_control(uint8_t opcode) noexcept { return (opcode & 8) != 0; }

namespace detail {
// All checks, one after the other: faults show as early as their byte arrives.
[[gnu::noinline, gnu::cold]] inline HeadStatus read_head_slow(const uint8_t* p, size_t n,
                                                             bool expect_masked, bool rsv1_allowed,
                                                             Head& h, Violation& v) noexcept {
  auto bad = [&v](const char* reason) {
    v = {1002, reason};
    return HeadStatus::bad;
  };
  if (n == 0) return HeadStatus::more;
  h.fin = (p[0] & 0x80) != 0;
  h.rsv1 = (p[0] & 0x40) != 0;
  h.opcode = p[0] & 15;
  if (p[0] & 0x30) return bad("reserved bits");
  if (h.opcode > kPong || (h.opcode > kBinary && h.opcode < kClose)) return bad("reserved opcode");
  if (is_control(h.opcode) && !h.fin) return bad("fragmented control frame");
  // RFC 7692 6.1: the bit is on the first frame of a data message only.
  if (h.rsv1 && (!rsv1_allowed || h.opcode == kCont || is_control(h.opcode))) return bad("reserved bits");
  if (n == 1) return HeadStatus::more;
  h.masked = (p[1] & 0x80) != 0;
  if (h.masked != expect_masked) return bad(expect_masked ? "frame not masked" : "masked frame");
  size_t size = 2;
  uint64_t len = p[1] & 127;
  if (is_control(h.opcode) && len > kMaxControl) return bad("control frame too long");
  if (len == 126) {
    if (n < 4) return HeadStatus::more;
    len = static_cast<uint64_t>(p[2]) << 8 | p[3];
    if (len < 126) return bad("length not minimal");
    size = 4;
  } else if (len == 127) {
    if (n < 10) return HeadStatus::more;
    len = 0;
    for (int i = 2; i < 10; i++) len = len << 8 | p[i];
    if (len >> 63) return bad("length over 63 bits");
    if (len < 0x10000) return bad("length not minimal");
    size = 10;
  }
  h.key = 0;
  if (h.masked) {
    if (n < size + 4) return HeadStatus::more;
    std::memcpy(&h.key, p + size, 4);
    size += 4;
  }
  h.length = len;
  h.size = static_cast<uint8_t>(size);
  return HeadStatus::ok;
}
}  // namespace detail

// Reads one header from the n bytes at p. more: come again with more bytes;
// bad: v tells why. h is whole only with ok.
inline HeadStatus read_head(const uint8_t* p, size_t n, bool expect_masked, bool rsv1_allowed, Head& h,
                            Violation& v) noexcept {
  // Short or 16-bit data frame without reserved bits, whole header there: one
  // table-free test each.
  size_t key = expect_masked ? 4 : 0;
  if (n >= 4 + key) [[likely]] {
    uint8_t b0 = p[0], b1 = p[1];
    uint64_t len = b1 & 127u;
    size_t size = 2;
    if (len == 126) {
      len = static_cast<uint64_t>(p[2]) << 8 | p[3];
      size = len < 126 ? 0 : 4;  // 0: not minimal, told below
    } else if (len == 127) {
      size = 0;
    }
    if ((b0 & 0x78) == 0 && (b0 & 7) <= kBinary && (b1 >> 7) == expect_masked && size != 0) [[likely]] {
      h.length = len;
      h.opcode = b0 & 15;
      h.fin = (b0 & 0x80) != 0;
      h.rsv1 = false;
      h.masked = expect_masked;
      h.key = 0;
      if (expect_masked) {
        if (n < size + 4) return HeadStatus::more;
        std::memcpy(&h.key, p + size, 4);
      }
      h.size = static_cast<uint8_t>(size + key);
      return HeadStatus::ok;
    }
  }
  return detail::read_head_slow(p, n, expect_masked, rsv1_allowed, h, v);
}

// 5.4: a continuation needs a message under way, a new data frame none.
// Control frames go in between.
inline bool in_order(bool in_message, uint8_t opcode, Violation& v) noexcept {
  if (is_control(opcode) || in_message == (opcode == kCont)) [[likely]]
    return true;
  v = {1002, in_message ? "new message inside a fragmented one" : "continuation of nothing"};
  return false;
}

// Size of the header put_head writes.
constexpr size_t head_size(uint64_t len, bool masked) noexcept {
  return (len < 126 ? 2u : len < 0x10000 ? 4u : 10u) + (masked ? 4u : 0u);
}

// Writes an unmasked header to out (room for kMaxHead); its size.
inline size_t put_head(uint8_t* out, uint8_t opcode, bool fin, bool rsv1, uint64_t len) noexcept {
  out[0] = static_cast<uint8_t>((fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode);
  if (len < 126) [[likely]] {
    out[1] = static_cast<uint8_t>(len);
    return 2;
  }
  if (len < 0x10000) {
    out[1] = 126;
    out[2] = static_cast<uint8_t>(len >> 8);
    out[3] = static_cast<uint8_t>(len);
    return 4;
  }
  out[1] = 127;
  for (int i = 0; i < 8; i++) out[2 + i] = static_cast<uint8_t>(len >> (56 - 8 * i));
  return 10;
}

inline size_t put_head_masked(uint8_t* out, uint8_t opcode, bool fin, bool rsv1, uint64_t len,
                              uint32_t key) noexcept {
  size_t n = put_head(out, opcode, fin, rsv1, len);
  out[1] |= 0x80;
  std::memcpy(out + n, &key, 4);
  return n + 4;
}

// The key as it applies from payload byte `offset` on.
constexpr uint32_t rotate_key(uint32_t key, size_t offset) noexcept {
  int bits = static_cast<int>(offset & 3) * 8;
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

namespace detail {
// 16 bytes: one register where the machine has such, whatever the alignment.
typedef uint32_t Wide __attribute__((vector_size(16)));
inline Wide load(const uint8_t* p) noexcept {
  Wide w;
  std::memcpy(&w, p, sizeof w);
  return w;
}
inline void store(uint8_t* p, const Wide& w) noexcept { std::memcpy(p, &w, sizeof w); }
}  // namespace detail

// dst = src masked (5.3); both may be the same memory, else must not overlap.
// Masking twice with one key gives the bytes back.
inline void mask_copy(uint8_t* dst, const uint8_t* src, size_t n, uint32_t key) noexcept {
  using detail::load, detail::store;
  const detail::Wide k{key, key, key, key};
  for (; n >= 64; n -= 64, dst += 64, src += 64) {
    const auto a = load(src) ^ k, b = load(src + 16) ^ k, c = load(src + 32) ^ k, d = load(src + 48) ^ k;
    store(dst, a), store(dst + 16, b), store(dst + 32, c), store(dst + 48, d);
  }
  for (; n >= 16; n -= 16, dst += 16, src += 16) store(dst, load(src) ^ k);
  for (; n >= 4; n -= 4, dst += 4, src += 4) {
    uint32_t w;
    std::memcpy(&w, src, 4);
    w ^= key;
    std::memcpy(dst, &w, 4);
  }
  uint8_t bytes[4];
  std::memcpy(bytes, &key, 4);
  for (size_t i = 0; i < n; i++) dst[i] = src[i] ^ bytes[i];
}

// In place; offset: of p[0] within the payload, for a payload that comes in pieces.
inline void mask(uint8_t* p, size_t n, uint32_t key, size_t offset = 0) noexcept {
  mask_copy(p, p, n, rotate_key(key, offset));
}

}  // namespace mw::wire
