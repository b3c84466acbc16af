// A UDP socket in one multicast group: what all hubs of a LAN hear. Datagrams
// as they are; what they hold is wire/lan.hpp's. Used by link, whose lane polls
// the descriptor. One thread.
#pragma once
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace mw::net {

class Multicast {
 public:
  struct Group {
    std::string address;    // IPv4 224.0.0.0/4 or IPv6 ff00::/8
    uint16_t port = 0;      // not 0: all of a group share it
    std::string interface;  // name; empty: the one the routing table chooses
    int ttl = 1;            // 0 this host, 1 this network, at most 255
  };
  // MW_EOPTION: not a multicast address, or no such interface. Else what the
  // system says. Also hears what others on this host send.
  static base::Result<Multicast> join(const Group& group);
  Multicast(Multicast&& o) noexcept : fd_(std::exchange(o.fd_, -1)), group_(o.group_), group_size_(o.group_size_) {}
  Multicast& operator=(Multicast&&) = delete;
  ~Multicast();

  int fd() const noexcept { return fd_; }  // non-blocking, close-on-exec
  // One datagram. -1: none there, or a fault, as errno says. More than cap: its
  // true size, of which cap bytes are there.
  ssize_t receive(uint8_t* out, size_t cap) noexcept;
  // 0 or errno. EAGAIN: the system's buffer is full, the datagram is not sent.
  int send(const uint8_t* datagram, size_t n) noexcept;

 private:
  explicit Multicast(int fd) noexcept : fd_(fd) {}
  // Not connected to it: a connected socket hears only who has that very address.
  template <class Address>
  bool bind(const Address& group) noexcept;
  int fd_;
  sockaddr_storage group_{};
  socklen_t group_size_ = 0;
};

}  // namespace mw::net
