// Takes connections off listening sockets: in batches, only while there is
// room, pausing when the process has no descriptor left.
// For net's listener. Control thread only.
#pragma once
#include "net/address.hpp"
#include "net/door.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace mw::net {

namespace asio = boost::asio;

class AcceptorOwner {
 public:
  virtual bool room() const noexcept = 0;  // for one more connection
  // A connected descriptor, now the owner's, also when this throws (no
  // memory). tight: it is the last descriptor of the process; say no and close it.
  virtual void accepted(int fd, const Address& from, bool tight) = 0;
  virtual void exhausted(int os) = 0;  // once, when a shortage begins
  virtual void broken(base::Error e) = 0;  // a door that can accept no more
  virtual std::shared_ptr<void> keep() = 0;  // keeps owner and acceptor alive

 protected:
  ~AcceptorOwner() = default;
};

class Acceptor {
 public:
  Acceptor(asio::io_context& io, AcceptorOwner& owner);
  ~Acceptor();
  base::Result<void> add(Door door);
  void pump();   // accept what there is; call when there is room again
  void retry();  // a descriptor may have come back
  void close();
  std::vector<std::string> urls(bool tls, const std::string& path) const;

 private:
  struct Entry {
    Entry(asio::io_context& io, Door d) : door(std::move(d)), wait(io) {}
    Door door;
    asio::posix::stream_descriptor wait;  // the same descriptor, for readiness only
    bool ready = false;                   // connections may be waiting
    bool armed = false;
  };
  enum class Took { one, none, pause };
  Took take(Entry& e);
  Took give(int fd, const Address& from, bool tight);
  void arm(Entry& e);
  void shortage(Entry& e, int os);
  void pause();

  asio::io_context& io_;
  AcceptorOwner& owner_;
  std::vector<std::unique_ptr<Entry>> entries_;
  size_t next_ = 0;            // entry whose turn it is
  bool queued_ = false;        // a pump is posted
  asio::steady_timer pause_;
  bool paused_ = false;        // the timer runs
  bool closed_ = false;
  std::chrono::steady_clock::time_point last_short_{};  // last lack of descriptors
  int reserve_ = -1;           // a descriptor kept to be able to say no
};

}  // namespace mw::net
