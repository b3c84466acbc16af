#include "net/cluster_port.hpp"

#include "net/address.hpp"
#include "wire/cluster_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mw::net {

namespace {

constexpr int kBacklog = 511;
constexpr auto kPause = std::chrono::milliseconds(100);  // without descriptors
constexpr auto kFirst = std::chrono::seconds(10);        // for the first packet

// Never destroyed: who closes a context at the very end still finds it.
struct Ports {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<ClusterPort>> all;
};
Ports& ports() {
  static Ports& p = *new Ports;
  return p;
}

base::Result<int> bind_port(const sockaddr_storage& at, const std::string& where) {
  const socklen_t len = at.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const int fd = ::socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  if (fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
      ::bind(fd, reinterpret_cast<const sockaddr*>(&at), len) == 0 && ::listen(fd, kBacklog) == 0)
    return fd;
  const int os = errno;
  if (fd >= 0) ::close(fd);
  const mw_status code = os == EADDRINUSE ? MW_EADDRINUSE : os == EACCES || os == EPERM ? MW_EDENIED : MW_EIO;
  return base::Error{code, os, "cannot listen on " + where + ": " + std::strerror(os)};
}

}  // namespace

ClusterPort::~ClusterPort() { ::close(fd_); }

base::Result<std::shared_ptr<ClusterPort>> ClusterPort::join(const std::string& where, const sockaddr_storage& at,
                                                             std::shared_ptr<ClusterMember> m) {
  Ports& p = ports();
  std::lock_guard lock(p.mutex);
  auto found = p.all.find(where);
  if (found == p.all.end()) {
    auto fd = bind_port(at, where);
    if (!fd) return fd.error();
    std::shared_ptr<ClusterPort> made;
    try {
      made = std::make_shared<ClusterPort>(where, *fd);
    } catch (...) {
      ::close(*fd);
      throw;
    }
    made->members_.push_back(m);
    p.all.emplace(where, made);
    m->watch(made);
    return made;
  }
  auto& members = found->second->members_;
  for (auto& other : members)
    if (other->cluster_name() == m->cluster_name())
      return base::Error{MW_EADDRINUSE, EADDRINUSE, "another share of this process leads this name on " + where};
  members.push_back(std::move(m));
  members.front()->look();
  return found->second;
}

void ClusterPort::leave(const std::shared_ptr<ClusterPort>& port, const ClusterMember& m) {
  Ports& p = ports();
  std::lock_guard lock(p.mutex);
  auto& all = port->members_;
  const bool watched = !all.empty() && all.front().get() == &m;
  std::erase_if(all, [&](auto& other) { return other.get() == &m; });
  if (all.empty())
    p.all.erase(port->where_);
  else if (watched)
    all.front()->watch(port);
}

bool ClusterPort::give(ClusterPort& port, const std::string& name, int fd, const Address& from, base::Buffer& early) {
  std::lock_guard lock(ports().mutex);
  for (auto& m : port.members_) {
    if (m->cluster_name() != name) continue;
    m->take(fd, from, std::move(early));
    return true;
  }
  return false;
}

// ---- watching

struct Watch::Guest {
  Guest(asio::io_context& io, int s, const Address& a) : late(io), fd(io, s), from(a) {}
  asio::steady_timer late;
  asio::posix::stream_descriptor fd;
  Address from;
  base::Buffer in;
  std::string name;  // that it asked for
};

Watch::Watch(asio::io_context& io, std::shared_ptr<ClusterPort> port, size_t max_message)
    : io_(io), port_(std::move(port)), door_(io, port_->fd()), pause_(io), max_message_(max_message) {}

void Watch::begin() { wait(); }

void Watch::end() {
  if (std::exchange(over_, true)) return;
  boost::system::error_code ec;
  door_.cancel(ec);
  door_.release();  // the port's
  pause_.cancel();
  for (auto& g : std::exchange(guests_, {})) drop(g);
}

void Watch::wait() {
  if (over_) return;
  door_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code ec) {
    if (ec || self->over_) return;
    try {
      self->accept();
    } catch (const std::bad_alloc&) {  // later, perhaps
      self->pause_.expires_after(kPause);
      self->pause_.async_wait([self](boost::system::error_code) { self->wait(); });
    }
  });
}

void Watch::accept() {
  for (;;) {
    if (guests_.size() >= kMaxGuests) drop(guests_.front());
    sockaddr_storage sa{};
    socklen_t len = sizeof sa;
    const int fd = ::accept4(port_->fd(), reinterpret_cast<sockaddr*>(&sa), &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
      pause_.expires_after(kPause);
      return pause_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
        if (!ec) self->wait();
      });
    }
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    std::shared_ptr<Guest> g;
    try {
      g = std::make_shared<Guest>(io_, fd, address_of(sa));
    } catch (...) {
      ::close(fd);
      throw;
    }
    guests_.push_back(g);
    g->late.expires_after(kFirst);
    g->late.async_wait([self = shared_from_this(), g](boost::system::error_code ec) {
      if (!ec && g->name.empty()) self->drop(g);
    });
    listen_to(g);
  }
}

void Watch::listen_to(const std::shared_ptr<Guest>& g) {
  g->fd.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this(), g](boost::system::error_code ec) {
    if (ec || self->over_ || !g->fd.is_open()) return;
    try {
      self->heard(g);
    } catch (const std::bad_alloc&) {
      self->drop(g);
    }
  });
}

void Watch::heard(const std::shared_ptr<Guest>& g) {
  constexpr size_t kMost = 2 * (wire::kClusterHead + wire::kMaxConnObject);
  uint8_t bytes[4096];
  const ssize_t n = ::recv(g->fd.native_handle(), bytes, sizeof bytes, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return drop(g);
  if (n > 0) g->in.append(bytes, static_cast<size_t>(n));
  if (g->in.size() > kMost) return drop(g);  // it says much before it was let in
  if (g->name.empty()) {
    wire::ClusterHead h;
    const char* why = nullptr;
    const auto read = wire::read_cluster_head(g->in.data(), g->in.size(), max_message_, h, why);
    if (read == wire::HeadRead::bad) return drop(g);
    if (read == wire::HeadRead::ok && g->in.size() >= h.size()) {
      wire::ConnObject c;
      const char* no = wire::parse_conn({reinterpret_cast<const char*>(g->in.data()) + wire::kClusterHead, h.conn}, c);
      if (no != nullptr || h.response || c.type != wire::ClusterType::register_channel) return drop(g);
      g->name = c.name;
    }
  }
  if (!g->name.empty()) place(g);
  if (g->fd.is_open()) listen_to(g);
}

// To the one it asked for; it waits where there is none.
void Watch::place(const std::shared_ptr<Guest>& g) {
  if (!ClusterPort::give(*port_, g->name, g->fd.native_handle(), g->from, g->in)) return;
  g->fd.release();
  drop(g);
}

void Watch::look() {
  auto now = guests_;
  for (auto& g : now)
    if (!g->name.empty()) place(g);
}

void Watch::drop(const std::shared_ptr<Guest>& g) {
  boost::system::error_code ec;
  g->late.cancel();
  g->fd.close(ec);
  guests_.remove(g);
}

}  // namespace mw::net
