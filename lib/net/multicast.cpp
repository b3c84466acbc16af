#include "net/multicast.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mw::net {

namespace {

base::Error system_error(const char* what, int err) {
  mw_status code = err == EADDRINUSE ? MW_EADDRINUSE : err == EACCES || err == EPERM ? MW_EDENIED : MW_EIO;
  return {code, err, std::string(what) + ": " + std::strerror(err)};
}

template <class T>
bool set(int fd, int level, int name, const T& value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

base::Result<void> join_ipv4(int fd, const in_addr& address, int ttl, int index) {
  ip_mreqn request{};
  request.imr_multiaddr = address;
  request.imr_ifindex = index;
  if (!set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, request)) return system_error("joining the multicast group", errno);
  if (index != 0 && !set(fd, IPPROTO_IP, IP_MULTICAST_IF, request)) return system_error("multicast.interface", errno);
  // Groups that other sockets of this host joined are not ours.
  if (!set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) || !set(fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl) ||
      !set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1))
    return system_error("multicast.ttl", errno);
  return {};
}

base::Result<void> join_ipv6(int fd, const in6_addr& address, int ttl, int index) {
  ipv6_mreq request{};
  request.ipv6mr_multiaddr = address;
  request.ipv6mr_interface = static_cast<unsigned>(index);
  if (!set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, request)) return system_error("joining the multicast group", errno);
  if (index != 0 && !set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index)) return system_error("multicast.interface", errno);
  if (!set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) || !set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl) ||
      !set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1))
    return system_error("multicast.ttl", errno);
  return {};
}

}  // namespace

base::Result<Multicast> Multicast::join(const Group& g) {
  in_addr v4{};
  in6_addr v6{};
  bool is4 = ::inet_pton(AF_INET, g.address.c_str(), &v4) == 1;
  bool is6 = !is4 && ::inet_pton(AF_INET6, g.address.c_str(), &v6) == 1;
  if (!(is4 && IN_MULTICAST(ntohl(v4.s_addr))) && !(is6 && IN6_IS_ADDR_MULTICAST(&v6)))
    return base::Error{MW_EOPTION, 0, "multicast.address " + g.address + " is no multicast address"};
  int index = 0;
  if (!g.interface.empty()) {
    index = static_cast<int>(::if_nametoindex(g.interface.c_str()));
    if (index == 0) return base::Error{MW_EOPTION, errno, "multicast.interface " + g.interface + " does not exist"};
  }
  Multicast made(::socket(is4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.fd_ < 0) return system_error("a socket for multicast", errno);
  // Several hubs of one host may listen to the same group.
  if (!set(made.fd_, SOL_SOCKET, SO_REUSEADDR, 1)) return system_error("a socket for multicast", errno);
  // A burst of a large message's fragments must fit; less where the system allows less.
  set(made.fd_, SOL_SOCKET, SO_RCVBUF, int{4 << 20});
  base::Result<void> joined = is4 ? join_ipv4(made.fd_, v4, g.ttl, index) : join_ipv6(made.fd_, v6, g.ttl, index);
  if (!joined) return joined.error();
  sockaddr_in at4{};
  at4.sin_family = AF_INET;
  at4.sin_port = htons(g.port);
  at4.sin_addr = v4;
  sockaddr_in6 at6{};
  at6.sin6_family = AF_INET6;
  at6.sin6_port = htons(g.port);
  at6.sin6_addr = v6;
  at6.sin6_scope_id = static_cast<unsigned>(index);
  if (!(is4 ? made.bind(at4) : made.bind(at6))) return system_error("multicast.port", errno);
  return made;
}

template <class Address>
bool Multicast::bind(const Address& group) noexcept {
  std::memcpy(&group_, &group, sizeof group);
  group_size_ = sizeof group;
  return ::bind(fd_, reinterpret_cast<sockaddr*>(&group_), group_size_) == 0;
}

Multicast::~Multicast() {
  if (fd_ >= 0) ::close(fd_);
}

ssize_t Multicast::receive(uint8_t* out, size_t cap) noexcept { return ::recv(fd_, out, cap, MSG_TRUNC); }

int Multicast::send(const uint8_t* datagram, size_t n) noexcept {
  return ::sendto(fd_, datagram, n, 0, reinterpret_cast<const sockaddr*>(&group_), group_size_) < 0 ? errno : 0;
}

}  // namespace mw::net
