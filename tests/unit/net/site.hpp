// A listener with a sink that remembers, and raw clients that say exactly what
// a test wants them to say. For the tests of net's listening side.
#pragma once
#include "net/listener.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace site {

using namespace mw;
using namespace std::chrono_literals;
using Keys = std::initializer_list<std::pair<const char*, std::string>>;

inline constexpr auto kPatience = 20s;

inline std::shared_ptr<const base::Conf> conf(Keys keys) {
  base::Conf c(MW_CONF_PROVIDER);
  for (auto& [key, value] : keys) {
    auto r = c.set(key, value);
    EXPECT_TRUE(r) << key << ": " << (r ? "" : r.error().text);
  }
  return c.freeze();
}

class Sink : public net::ListenerSink {
 public:
  struct Ask {
    uint64_t ticket;
    std::string json;
  };

  void listening(base::Result<std::vector<std::string>> urls) override {
    std::lock_guard l(m);
    opened.emplace(std::move(urls));
    cv.notify_all();
  }
  void ask(uint64_t ticket, std::string json) override {
    std::lock_guard l(m);
    asks.push_back({ticket, std::move(json)});
    cv.notify_all();
  }
  void ask_over(uint64_t ticket) override {
    std::lock_guard l(m);
    over.push_back(ticket);
    cv.notify_all();
  }
  void ready(net::Accepted&& a) override {
    std::lock_guard l(m);
    peers.push_back(std::move(a));
    cv.notify_all();
  }
  void trouble(base::Error e) override {
    std::lock_guard l(m);
    troubles.push_back(std::move(e));
    cv.notify_all();
  }
  void log(int level, std::string line) override {
    std::lock_guard l(m);
    EXPECT_EQ(level, 4);
    lines.push_back(std::move(line));
  }
  std::string metrics() override { return "mw_peers 7\n"; }
  bool alive() override { return live; }
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
  net::Accepted peer() {
    EXPECT_TRUE(wait([&] { return !peers.empty(); })) << "no peer came";
    std::lock_guard l(m);
    if (peers.empty()) return {};
    net::Accepted a = std::move(peers.front());
    peers.pop_front();
    return a;
  }
  Ask question() {
    EXPECT_TRUE(wait([&] { return !asks.empty(); })) << "nothing was asked";
    std::lock_guard l(m);
    if (asks.empty()) return {};
    Ask a = std::move(asks.front());
    asks.pop_front();
    return a;
  }
  bool logged(const std::string& line) {
    std::lock_guard l(m);
    for (auto& s : lines) if (s == line) return true;
    return false;
  }

  std::mutex m;
  std::condition_variable cv;
  std::optional<base::Result<std::vector<std::string>>> opened;
  std::deque<Ask> asks;
  std::vector<uint64_t> over;
  std::deque<net::Accepted> peers;
  std::vector<base::Error> troubles;
  std::vector<std::string> lines;
  std::atomic<bool> live{true};
  bool ended = false;
};

// A blocking socket that gives up after a while.
class Client {
 public:
  explicit Client(uint16_t port, const char* ip = "127.0.0.1", const char* from = nullptr) {
    if (std::strchr(ip, ':') != nullptr) {
      sockaddr_in6 a{};
      a.sin6_family = AF_INET6;
      a.sin6_port = htons(port);
      inet_pton(AF_INET6, ip, &a.sin6_addr);
      open(AF_INET6, &a, sizeof a);
    } else {
      sockaddr_in a{}, b{};
      a.sin_family = b.sin_family = AF_INET;
      a.sin_port = htons(port);
      inet_pton(AF_INET, ip, &a.sin_addr);
      if (from != nullptr) inet_pton(AF_INET, from, &b.sin_addr);
      open(AF_INET, &a, sizeof a, from != nullptr ? &b : nullptr, sizeof b);
    }
  }
  explicit Client(const std::string& file) {
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    std::strncpy(a.sun_path, file.c_str(), sizeof a.sun_path - 1);
    open(AF_UNIX, &a, sizeof a);
  }
  // Has its descriptor already, for when there will be no other.
  static Client unconnected() {
    Client c;
    c.fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval t{20, 0};
    setsockopt(c.fd_, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    return c;
  }
  void connect(uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0) << std::strerror(errno);
  }
  Client(Client&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  ~Client() { close(); }

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {  // RST instead of FIN
    linger l{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close();
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  bool send(std::string_view s) {
    while (!s.empty()) {
      ssize_t n = ::send(fd_, s.data(), s.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      s.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // What comes until the end of a head, or all until the end of the connection.
  std::string head() { return read([](const std::string& s) { return s.find("\r\n\r\n") != s.npos; }, 1); }
  std::string all() { return read([](const std::string&) { return false; }, 65536); }
  int fd() const { return fd_; }

 private:
  Client() = default;
  void open(int family, const void* to, socklen_t n, const void* from = nullptr, socklen_t m = 0) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval t{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    int one = 1;
    if (family != AF_UNIX) setsockopt(fd_, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
    if (from != nullptr) {
      EXPECT_EQ(::bind(fd_, static_cast<const sockaddr*>(from), m), 0);
    }
    EXPECT_EQ(::connect(fd_, static_cast<const sockaddr*>(to), n), 0) << std::strerror(errno);
  }
  template <class Done>
  std::string read(Done done, size_t step) {
    std::string s;
    std::string buf(step, 0);
    while (!done(s)) {
      ssize_t n = ::recv(fd_, buf.data(), step, 0);
      if (n < 0 && errno == EAGAIN) ADD_FAILURE() << "the listener neither answered nor closed";
      if (n <= 0) break;
      s.append(buf, 0, static_cast<size_t>(n));
    }
    return s;
  }
  int fd_ = -1;
};

inline int status(const std::string& answer) {
  return answer.size() > 12 && answer.starts_with("HTTP/1.1 ") ? std::atoi(answer.c_str() + 9) : 0;
}
inline std::string body(const std::string& answer) {
  size_t at = answer.find("\r\n\r\n");
  return at == answer.npos ? "" : answer.substr(at + 4);
}
inline bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// A request of RFC 6455 section 1.2; more: further fields, each with CRLF.
inline std::string upgrade(const std::string& target = "/connect", const std::string& more = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + more + "\r\n";
}
inline std::string get(const std::string& target, const std::string& more = "", const char* method = "GET") {
  return std::string(method) + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

class Site {
 public:
  // Port 0 of 127.0.0.1 unless told otherwise.
  explicit Site(Keys keys = {}, std::optional<wire::Dialect> bare = {}) : control("site") {
    base::Conf c(MW_CONF_PROVIDER);
    set(c, {{"host", "127.0.0.1"}, {"port", "0"}, {"log.level", "debug"}});
    set(c, keys);
    listener = net::Listener::open(control, now = c.freeze(), sink, bare);
    EXPECT_TRUE(sink.wait([&] { return sink.opened.has_value(); }));
    if (sink.opened && *sink.opened && !(*sink.opened)->empty()) {
      url = (*sink.opened)->front();
      size_t colon = url.rfind(':');
      port = static_cast<uint16_t>(std::atoi(url.c_str() + colon + 1));
    }
  }
  ~Site() { stop(); }
  void stop() {
    if (std::exchange(stopped_, true)) return;
    listener->stop();
    EXPECT_TRUE(sink.wait([&] { return sink.ended; })) << "stopped() never came";
    control.stop();
    EXPECT_TRUE(control.join(kPatience));
    listener.reset();
  }
  void update(Keys keys) {
    base::Conf c(MW_CONF_PROVIDER);
    set(c, keys);
    auto next = now->updated(c);
    ASSERT_TRUE(next) << next.error().text;
    listener->update(now = *next);
  }
  base::Error refusal() { return sink.opened && !*sink.opened ? sink.opened->error() : base::Error{MW_OK, 0, ""}; }
  // One request of a new client, answered and closed.
  std::string ask(const std::string& request) {
    Client c(port);
    EXPECT_TRUE(c.send(request));
    return c.all();
  }

  net::Control control;
  Sink sink;
  std::shared_ptr<const base::Conf> now;
  std::shared_ptr<net::Listener> listener;
  std::string url;
  uint16_t port = 0;

 private:
  static void set(base::Conf& c, Keys keys) {
    for (auto& [key, value] : keys) {
      auto r = c.set(key, value);
      EXPECT_TRUE(r) << key << ": " << (r ? "" : r.error().text);
    }
  }
  bool stopped_ = false;
};

}  // namespace site
