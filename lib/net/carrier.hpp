// The descriptor and cipher state of one connection: what the control thread
// prepares and a lane pumps. Ours from the first byte. One thread at a time.
#pragma once
#include "base/buffer.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace mw::net {

class Tls;

struct Address {
  uint8_t ip[16] = {};  // IPv6, or IPv4 mapped (::ffff:a.b.c.d)
  uint16_t port = 0;
  enum class Family : uint8_t { none, ipv4, ipv6, local } family = Family::none;
  std::string text() const;  // "127.0.0.1", "::1", "" for unix sockets
};

struct Carrier {
  int fd = -1;                // non-blocking, close-on-exec; owned
  std::unique_ptr<Tls> tls;   // null: plain
  base::Buffer early;         // plaintext read past the HTTP head; parse before reading
  Carrier();
  Carrier(Carrier&&) noexcept;
  Carrier& operator=(Carrier&&) noexcept;
  ~Carrier();                 // closes fd
};

}  // namespace mw::net
