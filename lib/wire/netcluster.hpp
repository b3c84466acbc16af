// The wire of the npm package netcluster: JSON objects ended by a NUL byte, on
// a unix socket or one to a datagram. Used by link. Pure; any thread.
#pragma once
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mw::wire {

// Where the next frame ends. n bytes, of which the first `looked` hold no NUL.
struct NetclusterCut {
  enum class Is : uint8_t { frame, part, too_long } is;
  size_t size;  // of the frame, without its NUL
};
NetclusterCut cut_netcluster(const uint8_t* p, size_t n, size_t looked, size_t max_frame) noexcept;

// One packet. Borrows data from the frame it was read from.
struct NetclusterEvent {
  std::string emitter;     // emmiteruuid, as the package spells it
  std::string channel;
  std::string event;
  std::string_view data;   // JSON as it was written; "null" where there is none
  bool broadcast = false;
};

inline constexpr size_t kMaxNetclusterName = 255;        // bytes of emitter and channel
inline constexpr size_t kMaxNetclusterHead = 16 << 10;   // of a frame, beside its data

// Whether data may stand in a packet. Empty, or what is wrong with it.
std::string check_netcluster_data(std::string_view json);

// MW_EPROTO: not a JSON object, without channel and event as texts, or with
// names longer than we take (events: kMaxEventName).
base::Result<NetclusterEvent> parse_netcluster(std::string_view frame);
// Appends the frame and its NUL. data must be JSON.
void put_netcluster(std::string& out, const NetclusterEvent& e);

}  // namespace mw::wire
