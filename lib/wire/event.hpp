// The own wire's packets of a channel, between a member and its hub: event and
// taken. Layouts: PROTOCOL.md. Used by link. Pure; any thread. Views point into
// the packet.
#pragma once
#include "base/buffer.hpp"
#include "wire/envelope.hpp"

#include <cstdint>
#include <string_view>

namespace mw::wire {

inline constexpr size_t kMaxEventName = 1024;  // bytes
inline constexpr size_t kOrigin = 16;          // bytes

enum EventFlag : uint32_t {
  kHasOrigin = 0x01,   // from the hub: who sent it
  kRelayed = 0x02,     // from the hub: sent to another channel, so its sequence may have gaps
  kEventText = 0x04,   // as kTextBody
  kEventMeta = 0x08,   // as kHeaders
  kEventList = 0x10,   // as kListBody
  kEventFlags = 0x1F,
};

struct EventView {
  uint32_t flags = 0;
  uint64_t sequence = 0;
  const uint8_t* origin = nullptr;  // kOrigin bytes, or null
  std::string_view name;
  std::string_view meta;
  const uint8_t* body = nullptr;
  size_t size = 0;
};

// Bytes of the packet that put_event writes, at most.
inline size_t event_room(const EventView& e) noexcept {
  return 1 + 5 * kMaxVarint + kOrigin + e.name.size() + e.meta.size() + e.size;
}
// kHasOrigin and kEventMeta follow what e has.
void put_event(base::Buffer& out, const EventView& e);
// A body longer than max is 1009; one with kEventText is checked to be UTF-8.
bool parse_event(const PacketView& packet, size_t max, EventView& out, Violation& v) noexcept;

// The hub has given every event up to `through` to all who were there; its
// first one, with 0, says that the member has joined.
void put_taken(base::Buffer& out, uint64_t through);
bool parse_taken(const PacketView& packet, uint64_t* through, Violation& v) noexcept;

}  // namespace mw::wire
