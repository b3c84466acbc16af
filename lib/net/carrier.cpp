#include "net/carrier.hpp"

#include "net/tls.hpp"

#include <utility>

#include <arpa/inet.h>
#include <unistd.h>

namespace mw::net {

Carrier::Carrier() = default;

Carrier::Carrier(Carrier&& o) noexcept
    : fd(std::exchange(o.fd, -1)), tls(std::move(o.tls)), early(std::move(o.early)) {}

Carrier& Carrier::operator=(Carrier&& o) noexcept {
  std::swap(fd, o.fd);
  std::swap(tls, o.tls);
  early = std::move(o.early);
  return *this;
}

Carrier::~Carrier() {
  if (fd >= 0) ::close(fd);
}

std::string Address::text() const {
  char z[INET6_ADDRSTRLEN] = "";
  if (family == Family::ipv4) ::inet_ntop(AF_INET, ip + 12, z, sizeof z);
  if (family == Family::ipv6) ::inet_ntop(AF_INET6, ip, z, sizeof z);
  return z;
}

}  // namespace mw::net
