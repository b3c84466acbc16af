// One listening TCP port of this process and all who use it, each by the name
// in the first packet of a connection. The socket is watched on the control
// thread of one of them; when that one leaves another takes it over, and the
// last one closes it. Connections for a name that nobody has here wait.
// For cluster_listener.cpp only (it shows Asio). Any thread, but for Watch.
#pragma once
#include "base/buffer.hpp"
#include "base/result.hpp"
#include "net/carrier.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <memory>
#include <string>

#include <sys/socket.h>

namespace mw::net {

namespace asio = boost::asio;

class ClusterPort;

// Who has a name at a port. Its functions are called under the lock of all
// ports: they only post to their own thread.
class ClusterMember {
 public:
  virtual ~ClusterMember() = default;
  virtual void take(int fd, const Address& from, base::Buffer&& early) = 0;
  virtual void watch(std::shared_ptr<ClusterPort> port) = 0;  // make a Watch of it
  virtual void look() = 0;                                    // somebody may be waiting: Watch::look()
  const std::string& cluster_name() const noexcept { return name_; }

 protected:
  explicit ClusterMember(std::string name) : name_(std::move(name)) {}

 private:
  const std::string name_;
};

class ClusterPort {
 public:
  // Binds, or joins who has it in this process. where: the address as text.
  static base::Result<std::shared_ptr<ClusterPort>> join(const std::string& where, const sockaddr_storage& at,
                                                         std::shared_ptr<ClusterMember> m);
  static void leave(const std::shared_ptr<ClusterPort>& p, const ClusterMember& m);
  // To the member of this name; false: nobody has it.
  static bool give(ClusterPort& p, const std::string& name, int fd, const Address& from, base::Buffer& early);
  int fd() const noexcept { return fd_; }

  ClusterPort(std::string where, int fd) : where_(std::move(where)), fd_(fd) {}
  ~ClusterPort();

 private:
  const std::string where_;
  const int fd_;
  std::list<std::shared_ptr<ClusterMember>> members_;  // under the lock; the first one watches
};

// Accepts at a port and reads the first packet of each connection. The control
// thread of its member.
class Watch final : public std::enable_shared_from_this<Watch> {
 public:
  Watch(asio::io_context& io, std::shared_ptr<ClusterPort> port, size_t max_message);
  void begin();
  void look();  // a name came
  void end();   // what waits is closed and comes again

 private:
  struct Guest;
  static constexpr size_t kMaxGuests = 1024;
  void wait();
  void accept();
  void listen_to(const std::shared_ptr<Guest>& g);
  void heard(const std::shared_ptr<Guest>& g);
  void place(const std::shared_ptr<Guest>& g);
  void drop(const std::shared_ptr<Guest>& g);

  asio::io_context& io_;
  const std::shared_ptr<ClusterPort> port_;
  asio::posix::stream_descriptor door_;
  asio::steady_timer pause_;
  const size_t max_message_;
  std::list<std::shared_ptr<Guest>> guests_;
  bool over_ = false;
};

}  // namespace mw::net
