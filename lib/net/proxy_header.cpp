#include "net/proxy_header.hpp"

#include <cstring>

#include <netinet/in.h>

namespace mw::net {

namespace {

constexpr uint8_t kSignature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr size_t kIpv4 = 12, kIpv6 = 36;  // two addresses, two ports

Address from_block(int family, const uint8_t* ip, size_t ip_len, const uint8_t* port) noexcept {
  sockaddr_storage sa{};
  sa.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    auto& in = reinterpret_cast<sockaddr_in&>(sa);
    std::memcpy(&in.sin_addr, ip, ip_len);
    std::memcpy(&in.sin_port, port, 2);
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(sa);
    std::memcpy(&in.sin6_addr, ip, ip_len);
    std::memcpy(&in.sin6_port, port, 2);
  }
  return address_of(sa);
}

}  // namespace

std::optional<size_t> ProxyHeader::rest(std::span<const uint8_t, kFixed> head) noexcept {
  if (std::memcmp(head.data(), kSignature, sizeof kSignature) != 0) return {};
  size_t n = static_cast<size_t>(head[14]) << 8 | head[15];
  if (head[12] >> 4 != 2 || n > kMaxRest) return {};
  return n;
}

std::optional<Address> ProxyHeader::client(std::span<const uint8_t> whole) noexcept {
  if (whole.size() < kFixed) return {};
  auto n = rest(whole.first<kFixed>());
  if (!n || whole.size() != kFixed + *n) return {};
  const uint8_t command = whole[12] & 0x0f, family = whole[13];
  const uint8_t* block = whole.data() + kFixed;
  if (command == 0) return Address{};  // LOCAL
  if (command != 1) return {};         // "receivers must drop connections"
  switch (family) {
    case 0x11:  // TCP over IPv4: source, destination, source port, destination port
      if (*n < kIpv4) return {};
      return from_block(AF_INET, block, 4, block + 8);
    case 0x21:  // TCP over IPv6
      if (*n < kIpv6) return {};
      return from_block(AF_INET6, block, 16, block + 32);
    default:  // unspecified, datagrams, unix: the address is to be ignored
      return Address{};
  }
}

Address forwarded_for(std::string_view list, const Address& near, const Networks& trusted) noexcept {
  Address last = near;
  while (!list.empty() && trusted.contain(last)) {
    size_t comma = list.rfind(',');
    std::string_view item = comma == list.npos ? list : list.substr(comma + 1);
    list = comma == list.npos ? std::string_view{} : list.substr(0, comma);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    auto a = address_from(item);
    if (!a) break;  // "unknown", an obfuscated name, or nonsense: what is left of it proves nothing
    last = *a;
  }
  return last;
}

}  // namespace mw::net
