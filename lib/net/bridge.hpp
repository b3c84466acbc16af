// A connection of the wire cluster-client and a pair of sockets that stands
// for it on our own wire: bytes go through wire::ClusterBridge, which knows
// both. The lane that has the pair's other end sees a connection like any other.
// For net's listener and dialer of that wire (it shows Asio). Control thread.
#pragma once
#include "base/result.hpp"
#include "wire/cluster_bridge.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace mw::net {

namespace asio = boost::asio;

class Bridge final : public std::enable_shared_from_this<Bridge> {
 public:
  // Whom to tell; none of them is called once it is null.
  struct Listens {
    std::function<void(std::string line)> log;
    std::function<void()> let_in;            // a follower's end
    std::function<void(base::Error)> over;   // once
  };
  // Takes over cluster_fd, connected and non-blocking, also where it fails;
  // *own_fd is the other end of the pair, the caller's.
  static base::Result<std::shared_ptr<Bridge>> make(asio::io_context& io, int cluster_fd, wire::ClusterBridge::End end,
                                                    const wire::ClusterRules& rules, int* own_fd);
  Bridge(asio::io_context& io, int cluster_fd, int own_fd, wire::ClusterBridge::End end, const wire::ClusterRules& rules,
         const uint8_t uuid[16]);

  // early: bytes of the connection that were read already.
  void begin(const void* early, size_t n);
  void ask_in();
  void end(base::Error why);

  Listens listens;

 private:
  struct Side {
    Side(asio::io_context& io, base::Buffer& o, const char* n) : fd(io), out(o), name(n) {}
    asio::posix::stream_descriptor fd;
    base::Buffer& out;
    const char* name;
    bool reading = false, writing = false;
  };
  static constexpr size_t kHigh = 256 << 10;  // bytes that wait on one side: the other is not read
  static constexpr size_t kRead = 64 << 10;
  template <class F>
  void guarded(F f) noexcept;
  void pump();
  void flush(Side& s);
  void want(Side& s, const Side& other);
  void read(Side& s);
  bool feed(const Side& s, const uint8_t* p, size_t n);
  void look();
  void leave(base::Error why);

  wire::ClusterBridge wire_;
  Side cluster_, own_;
  asio::steady_timer linger_;
  const size_t most_;
  base::Error why_;
  bool leaving_ = false, over_ = false, told_in_ = false;
};

}  // namespace mw::net
