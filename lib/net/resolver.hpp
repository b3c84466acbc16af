// Host names to addresses: numbers and localhost at once, /etc/hosts and DNS
// through c-ares, without a thread and cancellable (getaddrinfo is neither).
// For net's listener and dialer (it shows Boost). Control thread.
#pragma once
#include "base/result.hpp"
#include "net/task.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace mw::net {

using SocketAddress = asio::generic::stream_protocol::endpoint;

// Every address of the host, families interleaved (RFC 8305 section 4), or
// MW_ERESOLVE. name_servers: "127.0.0.1:5353" in place of the system's.
Task<base::Result<std::vector<SocketAddress>>> resolve(std::string host, uint16_t port, std::string name_servers = "");

// "127.0.0.1:80", "[::1]:80", "unix:/path".
std::string text_of(const SocketAddress& e);

// The order in which addresses are tried: as sorted (RFC 6724), but the
// families take turns, so that one broken family costs one step only.
std::vector<SocketAddress> interleave(std::vector<SocketAddress> sorted);

}  // namespace mw::net
