// Datagrams between the hubs of a LAN: their head, and messages cut into
// fragments that fit one. What a receiver does with them: lan_inbound.hpp.
// Layouts: PROTOCOL.md. Used by net and link. Pure; any thread.
#pragma once
#include "base/buffer.hpp"
#include "wire/varint.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mw::wire {

inline constexpr size_t kLanHead = 40;          // bytes
inline constexpr size_t kLanTag = 16;           // bytes after a sealed datagram's text
inline constexpr size_t kLanDatagram = 1452;    // bytes at most: Ethernet's 1,500 less IPv6 and UDP heads
inline constexpr size_t kLanFragmentHead = 16;  // bytes at most
inline constexpr size_t kLanPiece = kLanDatagram - kLanHead - kLanTag - kLanFragmentHead;
inline constexpr uint32_t kMaxLanPieces = 1 << 16;  // of one message

using LanSender = std::array<uint8_t, 16>;  // random, new with every start of a hub

struct LanHead {
  bool sealed = false;    // what follows is AES-256-GCM text and tag, this head their associated data
  LanSender sender{};
  uint64_t counter = 0;   // of this sender's datagrams: 1, 2, 3 ...
  uint64_t time_ms = 0;   // the sender's wall clock
};

void put_lan_head(uint8_t* out, const LanHead& h) noexcept;           // writes kLanHead bytes
bool parse_lan_head(const uint8_t* p, size_t n, LanHead& h) noexcept; // false: not a datagram of ours

struct LanFragment {
  uint64_t message = 0;   // of this sender's messages: 1, 2, 3 ...
  uint32_t index = 0;     // 0 to count - 1
  uint32_t count = 0;     // all but the last piece have kLanPiece bytes
  const uint8_t* piece = nullptr;
  size_t size = 0;
};

// Pieces that a message of so many bytes makes; at least one.
constexpr uint64_t lan_pieces(size_t bytes) noexcept { return bytes == 0 ? 1 : (bytes + kLanPiece - 1) / kLanPiece; }

// Writes fragment head and piece, at most kLanFragmentHead + kLanPiece bytes; returns how many.
size_t put_lan_fragment(uint8_t* out, const LanFragment& f) noexcept;
bool parse_lan_fragment(const uint8_t* p, size_t n, LanFragment& f) noexcept;

// A message: the channel that its events were sent in, then their packets (event.hpp).
void put_lan_channel(base::Buffer& out, std::string_view channel);
bool parse_lan_channel(Bytes& in, std::string_view& channel) noexcept;  // the packets are left in `in`
inline constexpr size_t kMaxLanChannel = 64;  // bytes

}  // namespace mw::wire
