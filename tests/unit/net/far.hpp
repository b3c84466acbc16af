// The other side of a dialer, under the test's control: a scripted server with
// or without TLS, a sink that remembers, and a dialer with its control thread.
// For the tests of net's connecting side.
#pragma once
#include "net/dialer.hpp"
#include "net/tls.hpp"
#include "wire/upgrade.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace far {

using namespace mw;
using namespace std::chrono_literals;
using Keys = std::initializer_list<std::pair<const char*, std::string>>;

inline constexpr auto kPatience = 20s;

inline std::shared_ptr<const base::Conf> conf(Keys keys) {
  base::Conf c(MW_CONF_CONSUMER);
  for (auto& [key, value] : keys) {
    auto r = c.set(key, value);
    EXPECT_TRUE(r) << key << ": " << (r ? "" : r.error().text);
  }
  return c.freeze();
}

// One accepted connection, blocking with a limit.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    timeval t{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Peer(const Peer&) = delete;
  ~Peer() {
    ::SSL_free(ssl_);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    linger l{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close();
  }
  int fd() const { return fd_; }
  SSL* ssl() const { return ssl_; }

  // Server side of TLS; false where the handshake fails.
  bool accept_tls(SSL_CTX* ctx) {
    ssl_ = ::SSL_new(ctx);
    ::SSL_set_bio(ssl_, ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
    ::SSL_set_accept_state(ssl_);
    for (;;) {
      int r = ::SSL_do_handshake(ssl_);
      int why = ::SSL_get_error(ssl_, r);
      flush();
      if (r == 1) return true;
      if (why != SSL_ERROR_WANT_READ || !feed()) return false;
    }
  }

  // Reads until the text ends with what is given, or the connection ends.
  std::string until(std::string_view end) {
    std::string s;
    char c;
    while (!s.ends_with(end) && one(&c)) s += c;
    return s;
  }
  std::string head() { return until("\r\n\r\n"); }
  // The rest of the connection.
  std::string all() {
    std::string s;
    char c;
    while (one(&c)) s += c;
    return s;
  }

  void say(std::string_view s) {
    stage(s);
    flush();
  }
  // Encrypts as one record without sending it yet.
  void stage(std::string_view s) {
    if (ssl_ == nullptr) {
      staged_ += s;
    } else {
      EXPECT_EQ(::SSL_write(ssl_, s.data(), static_cast<int>(s.size())), static_cast<int>(s.size()));
    }
  }
  // One send() for all that was staged.
  void flush() {
    if (ssl_ != nullptr) {
      char buf[4096];
      int n;
      while ((n = ::BIO_read(::SSL_get_wbio(ssl_), buf, sizeof buf)) > 0) staged_.append(buf, static_cast<size_t>(n));
    }
    if (!staged_.empty()) (void)::send(fd_, staged_.data(), staged_.size(), MSG_NOSIGNAL);
    staged_.clear();
  }

 private:
  bool feed() {
    char buf[4096];
    ssize_t n = ::recv(fd_, buf, sizeof buf, 0);
    if (n <= 0) return false;
    return ::BIO_write(::SSL_get_rbio(ssl_), buf, static_cast<int>(n)) == n;
  }
  bool one(char* c) {
    if (ssl_ == nullptr) return ::recv(fd_, c, 1, 0) == 1;
    int r;
    while ((r = ::SSL_read(ssl_, c, 1)) != 1) {
      if (::SSL_get_error(ssl_, r) != SSL_ERROR_WANT_READ || !feed()) return false;
    }
    return true;
  }
  int fd_;
  SSL* ssl_ = nullptr;
  std::string staged_;
};

// Listens on loopback and plays one script for each connection, one after the other.
class Server {
 public:
  using Script = std::function<void(Peer&)>;

  explicit Server(Script script, const char* ip = "127.0.0.1", uint16_t wanted = 0) : script_(std::move(script)) {
    sockaddr_storage sa{};
    socklen_t n;
    if (std::strchr(ip, '/') != nullptr) {
      auto& un = reinterpret_cast<sockaddr_un&>(sa);
      un.sun_family = AF_UNIX;
      std::strncpy(un.sun_path, ip, sizeof un.sun_path - 1);
      n = sizeof un;
    } else if (std::strchr(ip, ':') != nullptr) {
      auto& in = reinterpret_cast<sockaddr_in6&>(sa);
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(wanted);
      inet_pton(AF_INET6, ip, &in.sin6_addr);
      n = sizeof in;
    } else {
      auto& in = reinterpret_cast<sockaddr_in&>(sa);
      in.sin_family = AF_INET;
      in.sin_port = htons(wanted);
      inet_pton(AF_INET, ip, &in.sin_addr);
      n = sizeof in;
    }
    fd_ = ::socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&sa), n), 0) << std::strerror(errno);
    EXPECT_EQ(::listen(fd_, 16), 0);
    n = sizeof sa;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&sa), &n);
    port = ntohs(reinterpret_cast<sockaddr_in&>(sa).sin_port);  // the same place in both families
    over_ = ::eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    finish();
    ::close(over_);
    ::close(fd_);
  }
  // Waits for the script under way; then what it wrote may be read.
  void finish() {
    uint64_t one = 1;
    (void)!::write(over_, &one, sizeof one);
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port = 0;
  std::string ws(const std::string& rest = "/connect") const { return "ws://127.0.0.1:" + std::to_string(port) + rest; }
  std::string wss(const std::string& host = "localhost") const {
    return "wss://" + host + ":" + std::to_string(port) + "/connect";
  }

 private:
  void run() {
    for (;;) {
      pollfd p[2] = {{fd_, POLLIN, 0}, {over_, POLLIN, 0}};
      ::poll(p, 2, -1);
      if (p[1].revents != 0) return;
      int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      Peer peer(fd);
      script_(peer);
    }
  }
  Script script_;
  int fd_, over_;
  std::thread thread_;
};

// "x: y" of a request's head, "" where it is absent.
inline std::string field(const std::string& head, const std::string& name) {
  size_t at = head.find("\r\n" + name + ": ");
  if (at == head.npos) return "";
  at += name.size() + 4;
  return head.substr(at, head.find("\r\n", at) - at);
}

// The answer of RFC 6455 section 1.3 to this request.
inline std::string switching(const std::string& head, const std::string& more = "Sec-WebSocket-Protocol: meshwork.1\r\n") {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         wire::upgrade_accept(field(head, "Sec-WebSocket-Key")) + "\r\n" + more + "\r\n";
}
// Upgrades and waits for the other side to close.
inline void welcome(Peer& p) {
  p.say(switching(p.head()));
  p.all();
}

class Sink : public net::DialSink {
 public:
  void connected(net::Connected&& c) override {
    std::lock_guard l(m);
    EXPECT_FALSE(ended);
    up.push_back(std::move(c));
    cv.notify_all();
  }
  void refused(net::Refused&& r) override {
    std::lock_guard l(m);
    EXPECT_FALSE(ended);
    no.push_back(std::move(r));
    cv.notify_all();
  }
  void log(int level, std::string) override { EXPECT_EQ(level, 4); }
  void stopped() override {
    std::lock_guard l(m);
    EXPECT_FALSE(ended);
    ended = true;
    cv.notify_all();
  }
  template <class F>
  bool wait(F f) {
    std::unique_lock l(m);
    return cv.wait_for(l, kPatience, f);
  }

  std::mutex m;
  std::condition_variable cv;
  std::deque<net::Connected> up;
  std::deque<net::Refused> no;
  bool ended = false;
};

class Dial {
 public:
  explicit Dial(Keys keys, std::optional<wire::Dialect> bare = {})
      : control("dial"), dialer(net::Dialer::open(control, conf(keys), sink, bare)) {}
  Dial(const Dial&) = delete;
  ~Dial() { stop(); }
  void stop() {
    if (std::exchange(stopped_, true)) return;
    dialer->stop();
    EXPECT_TRUE(sink.wait([&] { return sink.ended; })) << "stopped() never came";
    control.stop();
    EXPECT_TRUE(control.join(kPatience));
  }
  // The outcome of one attempt that is expected to succeed.
  net::Connected connect() {
    dialer->start();
    EXPECT_TRUE(sink.wait([&] { return !sink.up.empty() || !sink.no.empty(); })) << "no outcome";
    std::lock_guard l(sink.m);
    if (sink.up.empty()) {
      ADD_FAILURE() << "refused: " << (sink.no.empty() ? "" : sink.no.front().error.text);
      return {};
    }
    net::Connected c = std::move(sink.up.front());
    sink.up.pop_front();
    return c;
  }
  net::Refused refusal() {
    EXPECT_TRUE(sink.wait([&] { return !sink.up.empty() || !sink.no.empty(); })) << "no outcome";
    std::lock_guard l(sink.m);
    if (sink.no.empty()) {
      ADD_FAILURE() << "connected";
      return {};
    }
    net::Refused r = std::move(sink.no.front());
    sink.no.pop_front();
    return r;
  }
  net::Refused fail() {
    dialer->start();
    return refusal();
  }

  net::Control control;
  Sink sink;
  std::shared_ptr<net::Dialer> dialer;

 private:
  bool stopped_ = false;
};

inline std::string early(const net::Connected& c) {
  return {reinterpret_cast<const char*>(c.carrier.early.data()), c.carrier.early.size()};
}
inline bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace far
