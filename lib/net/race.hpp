// Connecting to whichever of several addresses answers first (RFC 8305).
// For net's dialer (it shows Boost). Control thread.
#pragma once
#include "net/resolver.hpp"
#include "net/stream.hpp"

#include <chrono>

namespace mw::net {

struct Winner {
  Stream stream;
  SocketAddress remote;
};

// Tries every address, each with a head start of `stagger` over the next one;
// a failure starts the next at once. The losers are closed. host: for texts.
Task<base::Result<Winner>> race(std::vector<SocketAddress> addresses, std::chrono::milliseconds stagger, std::string host);

}  // namespace mw::net
