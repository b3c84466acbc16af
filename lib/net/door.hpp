// Where a provider listens: the addresses of its options and the bound sockets
// made of them. Owns the descriptors and the files of unix sockets.
// For net's listener. Control thread only.
#pragma once
#include "base/conf.hpp"
#include "net/address.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace mw::net {

// One item of `listen`, or `host` and `port`.
struct Place {
  enum class Kind : uint8_t { tcp, local, adopted } kind = Kind::tcp;
  std::string host;   // tcp: numeric or a name; never empty
  uint16_t port = 0;  // 0: any
  std::string file;   // local
  int fd = -1;        // adopted
};

base::Result<std::vector<Place>> places(const base::Conf& conf);

// A listening socket: non-blocking, close-on-exec.
class Door {
 public:
  // at: one of the addresses its host was resolved to.
  static base::Result<Door> tcp(const sockaddr* at, socklen_t len, int backlog, bool reuse_port);
  // Replaces the socket file of a process that is gone; a living one is MW_EADDRINUSE.
  static base::Result<Door> local(const std::string& file, int backlog);
  // Socket activation: takes over a listening stream socket, checked. On
  // failure the descriptor stays the caller's.
  static base::Result<Door> adopt(int fd);

  Door(Door&& o) noexcept;
  Door& operator=(Door&&) = delete;
  ~Door();  // closes, and removes the socket file if it is still ours

  int fd() const noexcept { return fd_; }
  uint16_t port() const noexcept { return port_; }
  // "ws://127.0.0.1:8080/connect", "ws+unix:/run/x.sock:/connect".
  std::string url(bool tls, const std::string& path) const;

 private:
  explicit Door(int fd) noexcept : fd_(fd) {}
  base::Result<void> learn();  // address and port as bound

  int fd_;
  uint16_t port_ = 0;
  std::string host_;  // as in a URL
  std::string file_;  // of a unix socket
  bool made_ = false; // the file is ours to remove
  dev_t dev_ = 0;
  ino_t ino_ = 0;
};

}  // namespace mw::net
