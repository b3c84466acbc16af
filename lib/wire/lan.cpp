#include "wire/lan.hpp"

#include <cstring>

namespace mw::wire {

namespace {

constexpr uint8_t kMagic[4] = {'M', 'W', 'L', 1};  // the last byte is the version
constexpr uint8_t kSealed = 1;

void put_u64(uint8_t* out, uint64_t v) noexcept {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(v >> (56 - 8 * i));
}

uint64_t get_u64(const uint8_t* p) noexcept {
  uint64_t v = 0;
  for (int i = 0; i < 8; ++i) v = v << 8 | p[i];
  return v;
}

}  // namespace

void put_lan_head(uint8_t* out, const LanHead& h) noexcept {
  std::memcpy(out, kMagic, 4);
  out[4] = h.sealed ? kSealed : 0;
  std::memset(out + 5, 0, 3);
  std::memcpy(out + 8, h.sender.data(), h.sender.size());
  put_u64(out + 24, h.counter);
  put_u64(out + 32, h.time_ms);
}

bool parse_lan_head(const uint8_t* p, size_t n, LanHead& h) noexcept {
  if (n < kLanHead || std::memcmp(p, kMagic, 4) != 0 || (p[4] & ~kSealed) != 0) return false;
  if (p[5] != 0 || p[6] != 0 || p[7] != 0) return false;
  h.sealed = p[4] == kSealed;
  std::memcpy(h.sender.data(), p + 8, h.sender.size());
  h.counter = get_u64(p + 24);
  h.time_ms = get_u64(p + 32);
  return h.counter != 0;
}

size_t put_lan_fragment(uint8_t* out, const LanFragment& f) noexcept {
  size_t n = put_varint(out, f.message);
  n += put_varint(out + n, f.index);
  n += put_varint(out + n, f.count);
  if (f.size != 0) std::memcpy(out + n, f.piece, f.size);
  return n + f.size;
}

bool parse_lan_fragment(const uint8_t* p, size_t n, LanFragment& f) noexcept {
  Bytes in{p, p + n};
  uint64_t index = 0, count = 0;
  if (!in.varint(f.message) || f.message == 0) return false;
  if (!in.varint(index, kMaxLanPieces - 1) || !in.varint(count, kMaxLanPieces) || index >= count) return false;
  f.index = static_cast<uint32_t>(index);
  f.count = static_cast<uint32_t>(count);
  f.piece = in.p;
  f.size = in.left();
  // Pieces are cut at one size, so where each belongs is known from its number.
  return f.index + 1 == f.count ? f.size <= kLanPiece && (f.size != 0 || f.count == 1) : f.size == kLanPiece;
}

void put_lan_channel(base::Buffer& out, std::string_view channel) {
  uint8_t size[kMaxVarint];
  out.append(size, put_varint(size, channel.size()));
  out.append(channel.data(), channel.size());
}

bool parse_lan_channel(Bytes& in, std::string_view& channel) noexcept {
  uint64_t n = 0;
  const uint8_t* at = nullptr;
  if (!in.varint(n, kMaxLanChannel) || n == 0 || !in.take(static_cast<size_t>(n), at)) return false;
  channel = {reinterpret_cast<const char*>(at), static_cast<size_t>(n)};
  return true;
}

}  // namespace mw::wire
