// Where a consumer connects to: its url (or tls, host, port, path) and its
// proxy, taken apart and checked.
// Used by net's dialer. Pure; any thread.
#pragma once
#include "base/conf.hpp"

#include <string>
#include <string_view>

namespace mw::net {

struct Target {
  bool tls = false;
  std::string host;      // without brackets; "localhost" for a unix socket
  uint16_t port = 0;
  std::string file;      // of a unix socket, else ""
  std::string resource;  // path and query as they are sent
  std::string user;      // "user:password" of the url, decoded, or ""
  std::string authority() const;  // value of Host: the scheme's own port is left out
  std::string shown() const;      // for texts: no user, no query
};

// ws://, wss://, unix:/file and ws+unix:/file[:/resource]. A url without a
// path takes the option path.
base::Result<Target> target_of(const base::Conf& conf);

struct Proxy {
  std::string host;
  uint16_t port = 0;
  std::string user;  // "user:password", decoded, or ""
};
base::Result<Proxy> proxy_of(std::string_view url);

// "host:port", an IPv6 host in brackets.
std::string host_port(const std::string& host, uint16_t port);
// Value of Authorization and Proxy-Authorization (RFC 7617).
std::string basic_credentials(std::string_view user);

}  // namespace mw::net
