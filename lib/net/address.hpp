// Internet addresses as values: from sockaddr, from text, networks (CIDR), and
// the key by which peers of one address are counted.
// For net's own files. Pure; any thread.
#pragma once
#include "base/result.hpp"
#include "net/carrier.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

namespace mw::net {

Address address_of(const sockaddr_storage& sa) noexcept;
// "192.0.2.1", "2001:db8::1", with a port as "192.0.2.1:80" or "[2001:db8::1]:80".
std::optional<Address> address_from(std::string_view text) noexcept;

// Peers that share it share max_peers_per_address: the address, or of IPv6 its
// /64, because one customer commonly holds that many.
using SeatKey = std::array<uint8_t, 16>;
SeatKey seat_key(const Address& a) noexcept;

// A set of networks: "10.0.0.0/8", "::1", "unix:" for every local socket.
class Networks {
 public:
  static base::Result<Networks> parse(const std::vector<std::string>& list);
  bool contain(const Address& a) const noexcept;

 private:
  struct Net {
    uint8_t ip[16];
    uint8_t bits;  // of 128; IPv4 is mapped
  };
  std::vector<Net> nets_;
  bool local_ = false;
};

}  // namespace mw::net
