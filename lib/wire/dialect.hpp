// What two ends speak: over a WebSocket told by the upgrade, or without one.
// Used by net (negotiates) and link (speaks). Pure values.
#pragma once
#include "base/choices.hpp"

#include <cstdint>

namespace mw::wire {

enum class Role : uint8_t { server, client };

// netcluster: JSON and NUL on a bare stream, no WebSocket.
enum class Dialect : uint8_t { raw, network_cluster, meshwork, netcluster };
inline constexpr bool over_websocket(Dialect d) noexcept { return d < Dialect::netcluster; }

using base::Compress;

// permessage-deflate as negotiated (RFC 7692). Bits are 8..15;
// no_takeover: the context is reset after each message.
struct Deflate {
  bool on = false;
  uint8_t server_bits = 15;
  uint8_t client_bits = 15;
  bool server_no_takeover = false;
  bool client_no_takeover = false;
};

// A violation: the close code to send and a named reason ("reserved bits").
struct Violation {
  uint16_t code = 0;
  const char* reason = "";
};

}  // namespace mw::wire
