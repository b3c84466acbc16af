// Which of several addresses wins, and what is told when none does.
#include "net/race.hpp"

#include "net/resolver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace mw;
using namespace std::chrono_literals;
using net::SocketAddress;
using Clock = std::chrono::steady_clock;

// A listening socket that never accepts; full: its backlog is used up, so that
// a further connect is neither answered nor refused.
class Door {
 public:
  explicit Door(const char* ip, bool full = false) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    in_.sin_family = AF_INET;
    inet_pton(AF_INET, ip, &in_.sin_addr);
    socklen_t n = sizeof in_;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&in_), n), 0);
    EXPECT_EQ(::listen(fd_, full ? 0 : 8), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&in_), &n);
    for (int i = 0; full && i < 4; ++i) {
      int c = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)::connect(c, reinterpret_cast<sockaddr*>(&in_), sizeof in_);
      guests_.push_back(c);
    }
  }
  ~Door() {
    close();
    for (int c : guests_) ::close(c);
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  SocketAddress address() const { return {&in_, sizeof in_}; }

 private:
  int fd_;
  sockaddr_in in_{};
  std::vector<int> guests_;
};

struct Outcome {
  base::Result<std::string> winner{base::Error{}};
  Clock::duration took{};
};

Outcome run(std::vector<SocketAddress> addresses, std::chrono::milliseconds stagger) {
  net::asio::io_context io;
  Outcome o;
  auto began = Clock::now();
  auto all = [&]() -> net::Task<void> {
    auto w = co_await net::race(std::move(addresses), stagger, "far.example");
    o.took = Clock::now() - began;
    if (w) {
      o.winner = net::text_of(w->remote);
      EXPECT_GE(w->stream.fd(), 0);
    } else {
      o.winner = w.error();
    }
  };
  net::asio::co_spawn(io, all(), [](std::exception_ptr e) { EXPECT_EQ(e, nullptr); });
  io.run();
  return o;
}

// Whether this kernel leaves a connect to a full backlog waiting.
bool silent(const Door& d) {
  int c = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  auto a = d.address();
  int r = ::connect(c, a.data(), static_cast<socklen_t>(a.size()));
  bool waits = r != 0 && errno == EINPROGRESS;
  ::close(c);
  return waits;
}

TEST(Race, FirstAddressWinsWithItsHeadStart) {
  Door a("127.0.0.1"), b("127.0.0.2");
  Outcome o = run({a.address(), b.address()}, 5s);
  ASSERT_TRUE(o.winner);
  EXPECT_EQ(*o.winner, net::text_of(a.address()));
  EXPECT_LT(o.took, 5s);
}

TEST(Race, RefusalStartsTheNextAtOnce) {
  Door dead("127.0.0.1"), b("127.0.0.2");
  dead.close();
  Outcome o = run({dead.address(), b.address()}, 5s);
  ASSERT_TRUE(o.winner) << o.winner.error().text;
  EXPECT_EQ(*o.winner, net::text_of(b.address()));
  EXPECT_LT(o.took, 5s) << "the stagger was not waited for";
}

TEST(Race, SilentAddressCostsOneStagger) {
  Door full("127.0.0.1", true), b("127.0.0.2");
  if (!silent(full)) GTEST_SKIP() << "this kernel answers a connect to a full backlog";
  Outcome o = run({full.address(), b.address()}, 60ms);
  ASSERT_TRUE(o.winner) << o.winner.error().text;
  EXPECT_EQ(*o.winner, net::text_of(b.address()));
  EXPECT_GE(o.took, 60ms);
}

TEST(Race, AllRefusedNamesEveryAddress) {
  Door a("127.0.0.1"), b("127.0.0.2");
  a.close();
  b.close();
  Outcome o = run({a.address(), b.address()}, 5s);
  ASSERT_FALSE(o.winner);
  EXPECT_EQ(o.winner.error().code, MW_EREFUSED);
  EXPECT_EQ(o.winner.error().os, ECONNREFUSED);
  for (auto& d : {a.address(), b.address()}) {
    EXPECT_NE(o.winner.error().text.find(net::text_of(d)), std::string::npos) << o.winner.error().text;
  }
}

TEST(Race, RefusalTellsMoreThanUnreachable) {
  Door a("127.0.0.1");
  a.close();
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(9);
  in.sin_addr.s_addr = htonl(INADDR_BROADCAST);
  SocketAddress nowhere(&in, sizeof in);
  Outcome o = run({nowhere, a.address(), nowhere}, 5s);
  ASSERT_FALSE(o.winner);
  EXPECT_EQ(o.winner.error().code, MW_EREFUSED) << o.winner.error().text;
}

}  // namespace
