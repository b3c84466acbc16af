// The own wire's packets beside the message path: subscribe, unsubscribe,
// their result, and drain. Layouts: PROTOCOL.md.
// Used by link. Pure; any thread. Views point into the packet.
#pragma once
#include "base/buffer.hpp"
#include "wire/envelope.hpp"

#include <cstdint>
#include <string_view>

namespace mw::wire {

inline constexpr size_t kMaxPattern = 1024;       // bytes
inline constexpr size_t kMaxResultText = 1024;    // bytes
inline constexpr size_t kMaxDrainWhere = 4096;    // bytes
inline constexpr uint64_t kMaxDrainMs = 86'400'000;  // a day

struct Subscribe {
  uint64_t number = 0;  // the subscriber's, not 0; names the subscription until its unsubscribe is answered
  uint8_t syntax = 0;   // 0 exact, 1 mqtt, 2 path
  std::string_view pattern;
};
struct Unsubscribe {
  uint64_t number = 0;
};
// Answers a subscribe or unsubscribe, in the order they came.
struct Answered {
  Packet what = Packet::subscribe;
  uint64_t number = 0;
  int32_t status = 0;     // mw_status
  std::string_view text;  // why, "" with 0
};
struct Drain {
  uint64_t slot_ms = 0;      // when the receiver should leave, from now
  uint64_t deadline_ms = 0;  // when it will be closed, from now
  std::string_view where;    // JSON: where to go; "" = back here
};

void put_subscribe(base::Buffer& out, const Subscribe& s);
void put_unsubscribe(base::Buffer& out, const Unsubscribe& u);
void put_result(base::Buffer& out, const Answered& r);  // a longer text is cut
void put_drain(base::Buffer& out, const Drain& d);
void put_member(base::Buffer& out, std::string_view message);  // of mesh/core; read by it

bool parse_subscribe(const PacketView& packet, Subscribe& out, Violation& v) noexcept;
bool parse_unsubscribe(const PacketView& packet, Unsubscribe& out, Violation& v) noexcept;
bool parse_result(const PacketView& packet, Answered& out, Violation& v) noexcept;
bool parse_drain(const PacketView& packet, Drain& out, Violation& v) noexcept;

}  // namespace mw::wire
