#include "net/acceptor.hpp"

#include "base/insist.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mw::net {

namespace {

constexpr int kBatch = 32;                        // of one door, before others have their turn
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kCalm = std::chrono::seconds(5);  // after it, a lack of descriptors is news again

int spare() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

int accept_from(const Door& door, Address& from) noexcept {
  sockaddr_storage sa{};
  socklen_t len = sizeof sa;
  int fd = ::accept4(door.fd(), reinterpret_cast<sockaddr*>(&sa), &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return fd;
  from = address_of(sa);
  if (sa.ss_family != AF_UNIX) {
    int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  } else {
    from.family = Address::Family::local;
  }
  return fd;
}

}  // namespace

Acceptor::Acceptor(asio::io_context& io, AcceptorOwner& owner)
    : io_(io), owner_(owner), pause_(io), reserve_(spare()) {}

Acceptor::~Acceptor() { close(); }

base::Result<void> Acceptor::add(Door door) {
  auto e = std::make_unique<Entry>(io_, std::move(door));
  boost::system::error_code ec;
  e->wait.assign(e->door.fd(), ec);
  if (ec) return base::Error{MW_EIO, ec.value(), "cannot watch a listening socket: " + ec.message()};
  e->ready = true;
  entries_.push_back(std::move(e));
  return {};
}

void Acceptor::close() {
  boost::system::error_code ec;
  closed_ = true;
  paused_ = false;
  pause_.cancel();
  for (auto& e : entries_) {
    e->wait.cancel(ec);
    e->wait.release();  // the door closes it
  }
  entries_.clear();
  if (reserve_ >= 0) ::close(std::exchange(reserve_, -1));
}

void Acceptor::pump() {
  if (paused_) return;
  bool more = false;
  for (size_t i = 0, n = entries_.size(); i < n; ++i) {
    Entry& e = *entries_[(next_ + i) % n];
    Took took = Took::one;
    for (int k = 0; e.ready && k < kBatch && took == Took::one && owner_.room(); ++k) took = take(e);
    if (took == Took::pause) return;
    more |= e.ready;
    if (!e.ready) arm(e);
  }
  next_ = entries_.empty() ? 0 : (next_ + 1) % entries_.size();
  // Without room, whoever leaves pumps again; the rest waits in the backlog.
  if (!more || queued_ || !owner_.room()) return;
  queued_ = true;
  base::insist([&] {
    asio::post(io_, [this, keep = owner_.keep()] {
      queued_ = false;
      pump();
    });
  });
}

Acceptor::Took Acceptor::take(Entry& e) {
  Address from;
  int fd = accept_from(e.door, from);
  if (fd >= 0) return give(fd, from, false);
  switch (errno) {
    case EAGAIN:
      e.ready = false;
      return Took::none;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      shortage(e, errno);
      return Took::pause;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EFAULT:
      // Somebody else closed or shut down our socket. It must not spin here.
      e.ready = false;
      e.armed = true;
      owner_.broken({MW_EIO, errno, std::string("a listening socket accepts no more: ") + std::strerror(errno)});
      return Took::none;
    default:
      return Took::one;  // that connection failed (reset, network down, interrupted): the next one
  }
}

void Acceptor::arm(Entry& e) {
  if (e.armed) return;
  e.armed = true;
  base::insist([&] {
    e.wait.async_wait(asio::posix::descriptor_base::wait_read,
                      [this, &e, keep = owner_.keep()](boost::system::error_code ec) {
                        if (ec || closed_) return;  // e may be gone
                        e.armed = false;
                        e.ready = true;
                        pump();
                      });
  });
}

// Connections would wait in the backlog without a word, so the descriptor kept
// for this takes them one at a time, to be told to come back later.
void Acceptor::shortage(Entry& e, int os) {
  auto now = std::chrono::steady_clock::now();
  if (now - std::exchange(last_short_, now) > kCalm) owner_.exhausted(os);
  if (reserve_ >= 0 && (os == EMFILE || os == ENFILE)) {
    ::close(std::exchange(reserve_, -1));
    Address from;
    int fd = accept_from(e.door, from);
    if (fd < 0) {
      reserve_ = spare();
    } else if (give(fd, from, true) == Took::pause) {
      return;
    }
  }
  pause();
}

Acceptor::Took Acceptor::give(int fd, const Address& from, bool tight) {
  try {
    owner_.accepted(fd, from, tight);
    return Took::one;
  } catch (const std::bad_alloc&) {
    pause();
    return Took::pause;
  }
}

void Acceptor::pause() {
  paused_ = true;
  pause_.expires_after(kPause);
  base::insist([&] {
    pause_.async_wait([this, keep = owner_.keep()](boost::system::error_code ec) {
      if (!ec) retry();
    });
  });
}

void Acceptor::retry() {
  if (!paused_) return;
  if (reserve_ < 0) reserve_ = spare();
  if (reserve_ < 0) return pause();
  paused_ = false;
  pause_.cancel();
  pump();
}

std::vector<std::string> Acceptor::urls(bool tls, const std::string& path) const {
  std::vector<std::string> all;
  for (auto& e : entries_) all.push_back(e->door.url(tls, path));
  return all;
}

}  // namespace mw::net
