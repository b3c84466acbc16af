// Time and faults during a handshake: slow peers, resets, half closes, stop.
#include "unit/net/site.hpp"
#include "kit/process.hpp"

#include <thread>

using namespace site;

namespace {

TEST(ListenerClock, silenceIsEnded) {
  Site s({{"handshake_timeout", "60ms"}});
  Client c(s.port);
  std::string answer = c.all();
  EXPECT_EQ(status(answer), 408) << answer;
  EXPECT_EQ(s.listener->counters.handshake_timeout, 1u);
}

// The clock is of the whole head: a byte now and then does not wind it up.
TEST(ListenerClock, slowLorisLoses) {
  Site s({{"handshake_timeout", "200ms"}});
  Client c(s.port);
  auto began = std::chrono::steady_clock::now();
  std::string request = upgrade("/connect", "X: " + std::string(5000, 'x') + "\r\n");
  pollfd answered{c.fd(), POLLIN, 0};
  for (size_t i = 0; i < request.size() && ::poll(&answered, 1, 5) == 0; ++i) c.send(request.substr(i, 1));
  EXPECT_EQ(status(c.all()), 408);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_EQ(s.listener->counters.handshake_timeout, 1u);
}

// Whoever does not read the refusal does not hold his place for ever either.
TEST(ListenerClock, aRefusedPeerThatStaysIsClosed) {
  Site s({{"handshake.max", "1"}});
  Client stays(s.port);
  ASSERT_TRUE(stays.send(upgrade("/other")));
  EXPECT_EQ(status(stays.head()), 404);  // and does not close
  Client next(s.port);
  ASSERT_TRUE(next.send(upgrade()));
  EXPECT_EQ(status(next.head()), 101);
  s.sink.peer();
}

TEST(ListenerClock, resetsAndFarewellsCostNothing) {
  Site s;
  const std::string request = upgrade();
  for (size_t cut : {size_t{0}, size_t{1}, request.size() / 2, request.size() - 1}) {
    Client a(s.port), b(s.port), c(s.port);
    a.send(request.substr(0, cut)), b.send(request.substr(0, cut)), c.send(request.substr(0, cut));
    a.reset();
    b.close();
    c.half_close();
    EXPECT_EQ(status(c.all()), cut == 0 ? 0 : 400) << cut;
  }
  Client good(s.port);
  ASSERT_TRUE(good.send(request));
  EXPECT_EQ(status(good.head()), 101);
  s.sink.peer();
  EXPECT_TRUE(s.sink.troubles.empty());
}

TEST(ListenerClock, halfCloseAfterTheRequestStillGetsItsAnswer) {
  Site s;
  Client page(s.port);
  page.send(get("/alive"));
  page.half_close();
  EXPECT_EQ(status(page.all()), 200);
  Client peer(s.port);
  peer.send(upgrade());
  peer.half_close();
  EXPECT_EQ(status(peer.head()), 101);  // the lane sees the end
  s.sink.peer();
}

TEST(ListenerClock, othersWaitInTheBacklog) {
  Site s({{"handshake.max", "2"}, {"handshake_timeout", "10s"}});
  Client a(s.port), b(s.port);
  Client c(s.port);
  ASSERT_TRUE(c.send(upgrade()));
  EXPECT_TRUE(kit::eventually([&] { return s.listener->counters.accepted == 2; }));
  ASSERT_TRUE(b.send(upgrade()));
  EXPECT_EQ(status(b.head()), 101);  // its place is free now
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_EQ(s.listener->counters.accepted, 3u);
  s.sink.peer();
  s.sink.peer();
}

TEST(ListenerClock, manyAtOnceAllArrive) {
  Site s({{"handshake.max", "8"}});
  std::vector<Client> all;
  for (int i = 0; i < 200; ++i) {
    all.emplace_back(s.port);
    ASSERT_TRUE(all.back().send(upgrade()));
  }
  for (auto& c : all) EXPECT_EQ(status(c.head()), 101);
  for (int i = 0; i < 200; ++i) s.sink.peer();
  EXPECT_EQ(s.listener->counters.upgraded, 200u);
}

TEST(ListenerClock, stopEndsHandshakesAndClosesEverything) {
  Site s;
  Client silent(s.port), half(s.port), peer(s.port);
  half.send("GET /conn");
  peer.send(upgrade());
  EXPECT_EQ(status(peer.head()), 101);
  auto p = s.sink.peer();
  EXPECT_TRUE(kit::eventually([&] { return s.listener->counters.accepted == 3; }));
  s.stop();
  EXPECT_EQ(silent.all(), "");
  EXPECT_EQ(half.all(), "");
  // A peer that was handed over is not the listener's any more.
  EXPECT_TRUE(peer.send("x"));
  char got;
  EXPECT_EQ(::recv(p.carrier.fd, &got, 1, 0), 1);
}

TEST(ListenerClock, stopTwiceAndBeforeListening) {
  net::Control control("site");
  Sink sink;
  auto l = net::Listener::open(control, conf({{"port", "0"}, {"host", "127.0.0.1"}}), sink);
  l->stop();
  l->stop();
  EXPECT_TRUE(sink.wait([&] { return sink.ended; }));
  EXPECT_TRUE(sink.opened.has_value());
  control.stop();
  EXPECT_TRUE(control.join(kPatience));
}

TEST(ListenerClock, stopUnderAStorm) {
  for (int round = 0; round < 5; ++round) {
    Site s;
    std::atomic<bool> over{false};
    std::thread storm([&] {
      while (!over) {
        int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_port = htons(s.port);
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0) {
          std::string r = upgrade();
          (void)!::send(fd, r.data(), r.size(), MSG_NOSIGNAL);
        }
        ::close(fd);
      }
    });
    s.sink.peer();
    s.stop();
    over = true;
    storm.join();
  }
}

}  // namespace
