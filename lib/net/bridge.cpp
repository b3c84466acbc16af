#include "net/bridge.hpp"

#include "base/uuid.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace mw::net {

namespace {

constexpr auto kLinger = std::chrono::seconds(1);  // for what is still to be said to the other process

}  // namespace

base::Result<std::shared_ptr<Bridge>> Bridge::make(asio::io_context& io, int cluster_fd, wire::ClusterBridge::End end,
                                                   const wire::ClusterRules& rules, int* own_fd) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
    const int os = errno;
    ::close(cluster_fd);
    return base::Error{MW_EIO, os, std::string("no pair of sockets for a connection: ") + std::strerror(os)};
  }
  uint8_t uuid[16];
  base::uuid_make(uuid);
  try {
    auto b = std::make_shared<Bridge>(io, cluster_fd, pair[0], end, rules, uuid);
    *own_fd = pair[1];
    return b;
  } catch (const std::exception& e) {  // no memory, or no room in the poller; what was taken over is closed
    for (int fd : {cluster_fd, pair[0], pair[1]}) ::close(fd);
    return base::Error{MW_EIO, 0, std::string("a connection cannot be watched: ") + e.what()};
  }
}

Bridge::Bridge(asio::io_context& io, int cluster_fd, int own_fd, wire::ClusterBridge::End end,
               const wire::ClusterRules& rules, const uint8_t uuid[16])
    : wire_(end, rules, uuid),
      cluster_(io, wire_.to_cluster, "the other process"),
      own_(io, wire_.to_own, "the share"),
      linger_(io),
      most_(2 * rules.max_message + 4 * kHigh) {
  cluster_.fd.assign(cluster_fd);
  try {
    own_.fd.assign(own_fd);
  } catch (...) {
    cluster_.fd.release();
    throw;
  }
}

// What a handler throws ends the connection, not the thread.
template <class F>
void Bridge::guarded(F f) noexcept {
  try {
    f();
  } catch (...) {
    end({MW_ENOMEM, 0, {}});
  }
}

void Bridge::begin(const void* early, size_t n) {
  guarded([&] {
    if (n != 0 && !feed(cluster_, static_cast<const uint8_t*>(early), n)) return;
    pump();
  });
}

void Bridge::ask_in() {
  guarded([&] {
    wire_.ask_in();
    pump();
  });
}

void Bridge::end(base::Error why) {
  if (std::exchange(over_, true)) return;
  boost::system::error_code ec;
  linger_.cancel();
  cluster_.fd.close(ec);
  own_.fd.close(ec);
  Listens l = std::exchange(listens, {});
  if (l.over) l.over(std::move(why));
}

void Bridge::pump() {
  if (over_) return;
  look();
  flush(cluster_);
  flush(own_);
  if (over_) return;
  if (cluster_.out.size() > most_ || own_.out.size() > most_) return end({MW_EOVERFLOW, 0, "who asks so much must read the answers"});
  if (leaving_) {
    if (cluster_.out.empty() && own_.out.empty()) end(why_);
    return;
  }
  want(cluster_, own_);
  want(own_, cluster_);
}

// What the wire has to tell besides bytes.
void Bridge::look() {
  for (std::string& line : std::exchange(wire_.notes, {}))
    if (listens.log) listens.log(std::move(line));
  if (wire_.let_in() && !std::exchange(told_in_, true) && listens.let_in) std::exchange(listens.let_in, nullptr)();
}

void Bridge::flush(Side& s) {
  while (!over_ && !s.out.empty()) {
    const ssize_t n = ::send(s.fd.native_handle(), s.out.data(), s.out.size(), MSG_NOSIGNAL);
    if (n > 0) {
      s.out.consume(static_cast<size_t>(n));
      if (s.out.empty() && s.out.capacity() > kHigh) s.out.release();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      const int os = errno;
      s.out.clear();
      return leave({MW_ERESET, os, std::string(s.name) + " is gone"});
    }
    if (std::exchange(s.writing, true)) return;
    return s.fd.async_wait(asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this(), &s](boost::system::error_code ec) {
                             s.writing = false;
                             if (!ec) self->guarded([&] { self->pump(); });
                           });
  }
}

void Bridge::want(Side& s, const Side& other) {
  if (s.reading || other.out.size() >= kHigh) return;
  s.reading = true;
  s.fd.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this(), &s](boost::system::error_code ec) {
    s.reading = false;
    if (ec || self->over_ || self->leaving_) return;
    self->guarded([&] { self->read(s); });
  });
}

void Bridge::read(Side& s) {
  uint8_t bytes[kRead];
  const ssize_t n = ::recv(s.fd.native_handle(), bytes, sizeof bytes, 0);
  if (n > 0) {
    if (!feed(s, bytes, static_cast<size_t>(n))) return;
  } else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
    const int os = n == 0 ? 0 : errno;
    s.out.clear();
    leave({MW_ERESET, os, std::string(s.name) + " is gone"});
  }
  pump();
}

bool Bridge::feed(const Side& s, const uint8_t* p, size_t n) {
  if (&s == &cluster_ ? wire_.from_cluster(p, n) : wire_.from_own(p, n)) return true;
  const std::string& why = wire_.why();
  if (!why.empty() && listens.log) listens.log("connection of cluster-client ended: " + why);
  leave({why.empty() ? MW_ECLOSED : MW_EPROTO, 0, why});
  pump();
  return false;
}

// What is there still goes to both sides: to our own until it has it, to the
// other process for a while.
void Bridge::leave(base::Error why) {
  if (std::exchange(leaving_, true)) return;
  why_ = std::move(why);
  if (cluster_.out.empty()) return;
  linger_.expires_after(kLinger);
  linger_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->end(self->why_);
  });
}

}  // namespace mw::net
