#include "net/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace mw::net {

namespace {

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void set_ipv4(Address& a, const void* four) noexcept {
  std::memcpy(a.ip, kMapped, 12);
  std::memcpy(a.ip + 12, four, 4);
  a.family = Address::Family::ipv4;
}

// An IPv4 peer of a dual-stack socket comes as ::ffff:a.b.c.d; it is IPv4.
void set_ipv6(Address& a, const void* sixteen) noexcept {
  std::memcpy(a.ip, sixteen, 16);
  a.family = std::memcmp(a.ip, kMapped, 12) == 0 ? Address::Family::ipv4 : Address::Family::ipv6;
}

template <class Int>
bool number(std::string_view text, Int& value) noexcept {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc() && end == text.data() + text.size();
}

}  // namespace

Address address_of(const sockaddr_storage& sa) noexcept {
  Address a;
  if (sa.ss_family == AF_INET) {
    auto& in = reinterpret_cast<const sockaddr_in&>(sa);
    set_ipv4(a, &in.sin_addr);
    a.port = ntohs(in.sin_port);
  } else if (sa.ss_family == AF_INET6) {
    auto& in = reinterpret_cast<const sockaddr_in6&>(sa);
    set_ipv6(a, &in.sin6_addr);
    a.port = ntohs(in.sin6_port);
  } else if (sa.ss_family == AF_UNIX) {
    a.family = Address::Family::local;
  }
  return a;
}

std::optional<Address> address_from(std::string_view text) noexcept {
  std::string_view host = text, port;
  if (!text.empty() && text[0] == '[') {
    size_t end = text.find(']');
    if (end == text.npos) return {};
    host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return {};
    if (!rest.empty()) port = rest.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size() + 1);
  }
  char z[INET6_ADDRSTRLEN + 1];
  if (host.empty() || host.size() > INET6_ADDRSTRLEN) return {};
  std::memcpy(z, host.data(), host.size());
  z[host.size()] = 0;

  Address a;
  uint8_t bytes[16];
  if (::inet_pton(AF_INET, z, bytes) == 1) {
    set_ipv4(a, bytes);
  } else if (::inet_pton(AF_INET6, z, bytes) == 1) {
    set_ipv6(a, bytes);
  } else {
    return {};
  }
  if (port.data() != nullptr && !number(port, a.port)) return {};
  return a;
}

SeatKey seat_key(const Address& a) noexcept {
  SeatKey key{};
  std::memcpy(key.data(), a.ip, a.family == Address::Family::ipv6 ? 8 : 16);
  return key;
}

base::Result<Networks> Networks::parse(const std::vector<std::string>& list) {
  Networks all;
  for (const std::string& text : list) {
    if (text == "unix:") {
      all.local_ = true;
      continue;
    }
    std::string_view host(text), width;
    if (size_t slash = host.find('/'); slash != host.npos) {
      width = host.substr(slash + 1);
      host = host.substr(0, slash);
    }
    auto a = address_from(host);
    bool v4 = a && a->family == Address::Family::ipv4 && host.find(':') == host.npos;
    int bits = v4 ? 32 : 128;
    if (!a || a->port != 0 || (width.data() != nullptr && (!number(width, bits) || bits < 0 || bits > (v4 ? 32 : 128)))) {
      return base::Error{MW_EOPTION, 0, "\"" + text + "\" is not a network; write 10.0.0.0/8, 2001:db8::/32, an address, or unix:"};
    }
    Net n;
    std::memcpy(n.ip, a->ip, 16);
    n.bits = static_cast<uint8_t>(v4 ? bits + 96 : bits);
    all.nets_.push_back(n);
  }
  return all;
}

bool Networks::contain(const Address& a) const noexcept {
  if (a.family == Address::Family::local) return local_;
  if (a.family == Address::Family::none) return false;
  return std::any_of(nets_.begin(), nets_.end(), [&](const Net& n) {
    size_t whole = n.bits / 8;
    if (std::memcmp(n.ip, a.ip, whole) != 0) return false;
    auto mask = static_cast<uint8_t>(0xff00 >> (n.bits % 8));
    return n.bits % 8 == 0 || ((n.ip[whole] ^ a.ip[whole]) & mask) == 0;
  });
}

}  // namespace mw::net
