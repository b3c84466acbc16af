// The dialer over plain sockets, from the name to the 101.
#include "far.hpp"

#include "kit/folder.hpp"
#include "kit/process.hpp"

#include <fcntl.h>
#include <sys/resource.h>

namespace {

using namespace far;

TEST(Dialer, ConnectsAndReports) {
  Server s(welcome);
  Dial d({{"url", s.ws()}});
  net::Connected c = d.connect();
  EXPECT_EQ(c.dialect, wire::Dialect::meshwork);
  EXPECT_EQ(c.remote.text(), "127.0.0.1");
  EXPECT_EQ(c.remote.port, s.port);
  EXPECT_EQ(c.facts, "\"address\":\"127.0.0.1:" + std::to_string(s.port) +
                         "\",\"wire\":\"meshwork\",\"subprotocol\":\"meshwork.1\"");
  ASSERT_GE(c.carrier.fd, 0);
  EXPECT_TRUE(::fcntl(c.carrier.fd, F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(c.carrier.fd, F_GETFD) & FD_CLOEXEC);
  int nodelay = 0;
  socklen_t n = sizeof nodelay;
  ::getsockopt(c.carrier.fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &n);
  EXPECT_EQ(nodelay, 1);
  EXPECT_EQ(early(c), "");
}

TEST(Dialer, BareConnectionsAreUsedAsTheyCome) {
  Server s([](Peer& p) { p.all(); });
  Dial d({{"url", s.ws()}}, wire::Dialect::netcluster);
  net::Connected c = d.connect();  // nobody answered anything
  EXPECT_EQ(c.dialect, wire::Dialect::netcluster);
  EXPECT_EQ(c.remote.port, s.port);
  EXPECT_EQ(early(c), "");
  ASSERT_GE(c.carrier.fd, 0);
}

TEST(Dialer, RequestSaysWhatWasAsked) {
  std::string head;
  Server s([&](Peer& p) {
    head = p.head();
    p.say(switching(head, "Sec-WebSocket-Protocol: chat\r\n"));
    p.all();
  });
  Dial d({{"url", s.ws("/a?b=c")}, {"wire", "raw"}, {"subprotocols", "chat,other"},
          {"parameters", R"({"user":"Ä b","n":7})"}, {"headers", R"({"X-One":"1","Authorization":"Bearer t"})"}});
  { net::Connected c = d.connect(); EXPECT_EQ(c.dialect, wire::Dialect::raw); }
  s.finish();
  EXPECT_TRUE(head.starts_with("GET /a?b=c HTTP/1.1\r\n")) << head;
  EXPECT_EQ(field(head, "Host"), "127.0.0.1:" + std::to_string(s.port));
  EXPECT_EQ(field(head, "Sec-WebSocket-Protocol"), "chat, other");
  EXPECT_EQ(field(head, "Meshwork-Parameters"), "user=%C3%84%20b&n=7");
  EXPECT_EQ(field(head, "X-One"), "1");
  EXPECT_EQ(field(head, "Authorization"), "Bearer t");
  EXPECT_EQ(field(head, "Sec-WebSocket-Version"), "13");
}

TEST(Dialer, ParametersInTheQueryAndUserOfTheUrl) {
  std::string head;
  Server s([&](Peer& p) {
    head = p.head();
    p.say(switching(head, ""));
    p.all();
  });
  Dial d({{"preset", "network-cluster"}, {"url", "ws://me:pa%20ss@127.0.0.1:" + std::to_string(s.port)},
          {"parameters", R"({"k":"v&w"})"}});
  { net::Connected c = d.connect(); EXPECT_EQ(c.dialect, wire::Dialect::network_cluster); }
  s.finish();
  EXPECT_TRUE(head.starts_with("GET /connect?k=v%26w HTTP/1.1\r\n")) << head;
  EXPECT_EQ(field(head, "Authorization"), "Basic bWU6cGEgc3M=");
  EXPECT_EQ(field(head, "Sec-WebSocket-Protocol"), "");
}

TEST(Dialer, KeyIsFreshForEachAttempt) {
  std::vector<std::string> keys;
  Server s([&](Peer& p) {
    std::string head = p.head();
    keys.push_back(field(head, "Sec-WebSocket-Key"));
    p.say(switching(head));
    p.all();
  });
  Dial d({{"url", s.ws()}});
  d.connect();
  d.connect();
  s.finish();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_NE(keys[0], keys[1]);
}

TEST(Dialer, FirstFrameInTheSegmentOfThe101) {
  Server s([](Peer& p) {
    p.say(switching(p.head()) + "\x82\x03" "abc");
    p.all();
  });
  Dial d({{"url", s.ws()}});
  EXPECT_EQ(early(d.connect()), "\x82\x03" "abc");
}

TEST(Dialer, AnswerByteByByte) {
  Server s([](Peer& p) {
    for (char c : switching(p.head())) p.say({&c, 1});
    p.say("\x82\x01x");
    p.all();
  });
  Dial d({{"url", s.ws()}});
  net::Connected c = d.connect();
  // The frame came after the head, so it may be on either side of the hand-over.
  std::string got = early(c);
  while (got.size() < 3) {
    pollfd p{c.carrier.fd, POLLIN, 0};
    ASSERT_EQ(::poll(&p, 1, 20000), 1);
    char b[16];
    ssize_t n = ::recv(c.carrier.fd, b, sizeof b, 0);
    ASSERT_GT(n, 0);
    got.append(b, static_cast<size_t>(n));
  }
  EXPECT_EQ(got, "\x82\x01x");
}

TEST(Dialer, InterimAnswersArePassedOver) {
  Server s([](Peer& p) {
    p.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + switching(p.head()));
    p.all();
  });
  Dial d({{"url", s.ws()}});
  EXPECT_EQ(d.connect().dialect, wire::Dialect::meshwork);
}

TEST(Dialer, Refused) {
  uint16_t port;
  { port = Server([](Peer&) {}).port; }
  Dial d({{"host", "127.0.0.1"}, {"port", std::to_string(port)}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, MW_EREFUSED);
  EXPECT_EQ(r.error.os, ECONNREFUSED);
  EXPECT_TRUE(has(r.error.text, "127.0.0.1:" + std::to_string(port))) << r.error.text;
  EXPECT_EQ(r.http_status, 0);
}

TEST(Dialer, SecondAddressOfLocalhostServes) {
  Server s(welcome, "::1");  // 127.0.0.1 comes first and refuses
  Dial d({{"url", "ws://localhost:" + std::to_string(s.port) + "/connect"}});
  net::Connected c = d.connect();
  EXPECT_EQ(c.remote.text(), "::1");
  EXPECT_EQ(c.remote.family, net::Address::Family::ipv6);
}

TEST(Dialer, Unreachable) {
  Dial d({{"url", "ws://255.255.255.255:9/"}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, MW_EUNREACH) << r.error.text;
  EXPECT_NE(r.error.os, 0);
}

TEST(Dialer, TimesOutWhereNobodyAnswers) {
  // Accepted by the kernel, but nobody reads: the upgrade waits.
  Server s([&](Peer& p) { p.all(); });
  Dial d({{"url", s.ws()}, {"connect.timeout", "50ms"}});
  auto t = std::chrono::steady_clock::now();
  net::Refused r = d.fail();
  EXPECT_GE(std::chrono::steady_clock::now() - t, 50ms);
  EXPECT_EQ(r.error.code, MW_ETIMEDOUT);
  EXPECT_TRUE(has(r.error.text, "the upgrade at ws://127.0.0.1")) << r.error.text;
  EXPECT_TRUE(has(r.error.text, "50 ms (connect.timeout)")) << r.error.text;
}

TEST(Dialer, UnixSocket) {
  kit::Folder folder;
  std::string file = folder.file("s.sock");
  std::string head;
  Server s([&](Peer& p) {
    head = p.head();
    p.say(switching(head));
    p.all();
  }, file.c_str());
  Dial d({{"url", "ws+unix:" + file + ":/other?x=1"}});
  {
    net::Connected c = d.connect();
    EXPECT_EQ(c.remote.family, net::Address::Family::local);
    EXPECT_TRUE(has(c.facts, "\"address\":\"unix:" + file + "\"")) << c.facts;
  }
  s.finish();
  EXPECT_TRUE(head.starts_with("GET /other?x=1 HTTP/1.1\r\n")) << head;
  EXPECT_EQ(field(head, "Host"), "localhost");
  Dial gone({{"url", "unix:" + folder.file("none")}});
  net::Refused r = gone.fail();
  EXPECT_EQ(r.error.code, MW_EREFUSED);
  EXPECT_EQ(r.error.os, ENOENT);
}

struct Verdict {
  const char* name;
  std::string answer;  // after the request; "@" stands for the right Accept value
  mw_status code;
  int status;
  int64_t retry_ms;
  const char* text;
};

class Answers : public testing::TestWithParam<Verdict> {};

TEST_P(Answers, AreJudged) {
  const Verdict& v = GetParam();
  Server s([&](Peer& p) {
    std::string head = p.head(), answer = v.answer;
    if (size_t at = answer.find('@'); at != answer.npos) {
      answer.replace(at, 1, wire::upgrade_accept(field(head, "Sec-WebSocket-Key")));
    }
    p.say(answer);
  });
  Dial d({{"url", s.ws()}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, v.code) << r.error.text;
  EXPECT_EQ(r.http_status, v.status);
  EXPECT_EQ(r.retry_after_ms, v.retry_ms);
  EXPECT_TRUE(has(r.error.text, v.text)) << r.error.text;
}

const std::string k101 = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

INSTANTIATE_TEST_SUITE_P(
    Dialer, Answers,
    testing::Values(
        Verdict{"forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", MW_EAUTH, 403, -1, "403"},
        Verdict{"unauthorized", "HTTP/1.1 401 Unauthorized\r\n\r\n", MW_EAUTH, 401, -1, "401"},
        Verdict{"busy", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n", MW_EREFUSED, 503, 7000, "503"},
        Verdict{"busy_until", "HTTP/1.1 503 Busy\r\nretry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", MW_EREFUSED, 503, 0, "503"},
        Verdict{"missing", "HTTP/1.1 404 Not Found\r\n\r\n", MW_EPROTO, 404, -1, "nothing is served at ws://127.0.0.1"},
        Verdict{"moved", "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", MW_EPROTO, 302, -1, "302"},
        Verdict{"ok_is_not_101", "HTTP/1.1 200 OK\r\n\r\n", MW_EPROTO, 200, -1, "200"},
        Verdict{"other_wire", k101 + "Sec-WebSocket-Accept: @\r\n\r\n", MW_EVERSION, 0, -1, "meshwork.1"},
        Verdict{"wrong_accept", k101 + "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\nSec-WebSocket-Protocol: meshwork.1\r\n\r\n",
                MW_EPROTO, 0, -1, "Accept"},
        Verdict{"uninvited_protocol", k101 + "Sec-WebSocket-Accept: @\r\nSec-WebSocket-Protocol: soap\r\n\r\n", MW_EPROTO, 0, -1, "subprotocol"},
        Verdict{"uninvited_extension",
                k101 + "Sec-WebSocket-Accept: @\r\nSec-WebSocket-Protocol: meshwork.1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                MW_EPROTO, 0, -1, ""},
        Verdict{"http_1_0", "HTTP/1.0 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: @\r\nSec-WebSocket-Protocol: meshwork.1\r\n\r\n",
                MW_EPROTO, 0, -1, "HTTP/1.0"},
        Verdict{"not_http", "220 mail.example ESMTP\r\n\r\n", MW_EPROTO, 0, -1, "not HTTP"},
        Verdict{"tls_alert", "\x15\x03\x01\x02\x02\x0a", MW_EPROTO, 0, -1, "wss://"},
        Verdict{"closed", "", MW_ERESET, 0, -1, "closed"},
        Verdict{"cut", "HTTP/1.1 101 Swi", MW_ERESET, 0, -1, "closed"},
        Verdict{"huge", "HTTP/1.1 101 X\r\nA: " + std::string(20000, 'a'), MW_EPROTO, 0, -1, "16 KiB"}),
    [](const auto& which) { return which.param.name; });

TEST(Dialer, HeadOfExactlyTheLimitPasses) {
  auto pad = [](const std::string& head, size_t size) {
    std::string plain = switching(head, "Sec-WebSocket-Protocol: meshwork.1\r\nX-Pad: \r\n");
    return switching(head, "Sec-WebSocket-Protocol: meshwork.1\r\nX-Pad: " + std::string(size - plain.size(), 'p') + "\r\n");
  };
  for (size_t size : {16384, 16385}) {
    Server s([&](Peer& p) {
      p.say(pad(p.head(), size));
      p.all();
    });
    Dial d({{"url", s.ws()}});
    if (size == 16384) {
      d.connect();
    } else {
      EXPECT_TRUE(has(d.fail().error.text, "16 KiB"));
    }
  }
}

TEST(Dialer, ResetIsTold) {
  Server s([](Peer& p) {
    p.head();
    p.reset();
  });
  Dial d({{"url", s.ws()}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, MW_ERESET) << r.error.text;
  EXPECT_EQ(r.error.os, ECONNRESET);
}

TEST(Dialer, LackOfDescriptorsIsToldAndPasses) {
  Server s(welcome);
  Dial d({{"url", s.ws()}});
  { d.connect(); }  // everything lazy is open now
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  int probe = ::dup(0);
  ::close(probe);
  tight.rlim_cur = static_cast<rlim_t>(probe);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  net::Refused r = d.fail();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(r.error.code, MW_EIO) << r.error.text;
  EXPECT_EQ(r.error.os, EMFILE);
  d.connect();
}

TEST(Dialer, CompressionIsOfferedAndConfirmed) {
  std::string head;
  Server s([&](Peer& p) {
    head = p.head();
    p.say(switching(head, "Sec-WebSocket-Protocol: meshwork.1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"));
    p.all();
  });
  Dial d({{"url", s.ws()}, {"compress", "256k"}});
  EXPECT_TRUE(d.connect().deflate.on);
  s.finish();
  EXPECT_TRUE(has(field(head, "Sec-WebSocket-Extensions"), "permessage-deflate"));
}

TEST(Dialer, UpdateCountsFromTheNextAttempt) {
  std::vector<std::string> seen;
  Server s([&](Peer& p) {
    std::string head = p.head();
    seen.push_back(field(head, "Meshwork-Parameters"));
    p.say(switching(head));
    p.all();
  });
  Dial d({{"url", s.ws()}, {"parameters", R"({"t":"1"})"}});
  d.connect();
  d.dialer->update(conf({{"url", s.ws()}, {"parameters", R"({"t":"2"})"}}));
  d.connect();
  s.finish();
  EXPECT_EQ(seen, (std::vector<std::string>{"t=1", "t=2"}));
}

// ---- cancel and stop ------------------------------------------------------

TEST(Dialer, CancelledWhileItWaitsForTheAnswer) {
  std::mutex m;
  std::condition_variable cv;
  bool reached = false;
  std::string after = "?";
  {
    Server s([&](Peer& p) {
      p.head();
      {
        std::lock_guard l(m);
        reached = true;
        cv.notify_all();
      }
      after = p.all();  // the connection must end
    });
    Dial d({{"url", s.ws()}});
    d.dialer->start();
    {
      std::unique_lock l(m);
      ASSERT_TRUE(cv.wait_for(l, kPatience, [&] { return reached; }));
    }
    d.dialer->cancel();
    EXPECT_EQ(d.refusal().error.code, MW_ECANCELED);
  }
  EXPECT_EQ(after, "");
}

TEST(Dialer, CancelledAtOnce) {
  Server s(welcome);
  Dial d({{"url", s.ws()}});
  for (int i = 0; i < 50; ++i) {
    d.dialer->start();
    d.dialer->cancel();
    EXPECT_EQ(d.refusal().error.code, MW_ECANCELED);
  }
  d.connect();
}

TEST(Dialer, CancelWithoutAnAttemptIsNothing) {
  Server s(welcome);
  Dial d({{"url", s.ws()}});
  d.dialer->cancel();
  d.connect();
  d.dialer->cancel();
}

// The moment of the cancel moves through the whole attempt; each ends in
// exactly one outcome.
TEST(Dialer, CancelledAtAnyMoment) {
  Server s(welcome);
  Dial d({{"url", "ws://localhost:" + std::to_string(s.port)}});
  int cancelled = 0;
  for (int i = 0; i < 200; ++i) {
    d.dialer->start();
    auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(2 * i);
    while (std::chrono::steady_clock::now() < moment) {}
    d.dialer->cancel();
    ASSERT_TRUE(d.sink.wait([&] { return d.sink.up.size() + d.sink.no.size() == 1; }));
    std::lock_guard l(d.sink.m);
    cancelled += static_cast<int>(d.sink.no.size());
    for (auto& r : d.sink.no) EXPECT_EQ(r.error.code, MW_ECANCELED) << r.error.text;
    d.sink.no.clear();
    d.sink.up.clear();
  }
  EXPECT_GT(cancelled, 0);
}

TEST(Dialer, StopEndsTheAttemptFirst) {
  Server s([](Peer& p) { p.all(); });
  Dial d({{"url", s.ws()}});
  d.dialer->start();
  d.stop();
  EXPECT_EQ(d.refusal().error.code, MW_ECANCELED);
  EXPECT_TRUE(d.sink.ended);
}

TEST(Dialer, StopWithoutAStart) {
  Dial d({{"url", "ws://127.0.0.1:9/"}});
  d.stop();
  EXPECT_TRUE(d.sink.ended);
  EXPECT_TRUE(d.sink.no.empty());
}

// ---- proxy ------------------------------------------------------------------

// Answers CONNECT, then joins both sides.
void relay(Peer& p, uint16_t to) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(to);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(out, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  p.say("HTTP/1.0 200 Connection established\r\nProxy-Agent: test\r\n\r\n");
  for (bool open = true; open;) {
    pollfd f[2] = {{p.fd(), POLLIN, 0}, {out, POLLIN, 0}};
    ::poll(f, 2, 20000);
    for (int i : {0, 1}) {
      char buf[4096];
      if (f[i].revents == 0) continue;
      ssize_t n = ::recv(f[i].fd, buf, sizeof buf, 0);
      if (n <= 0) open = false;
      if (n > 0) (void)::send(f[1 - i].fd, buf, static_cast<size_t>(n), MSG_NOSIGNAL);
    }
  }
  ::close(out);
}

TEST(Dialer, ThroughAProxy) {
  std::string asked;
  Server s(welcome);
  Server proxy([&](Peer& p) {
    asked = p.head();
    relay(p, s.port);
  });
  Dial d({{"url", "ws://far.example:81/connect"}, {"proxy", "http://me:it%3As@127.0.0.1:" + std::to_string(proxy.port)}});
  {
    net::Connected c = d.connect();
    EXPECT_EQ(c.remote.port, proxy.port);
  }
  proxy.finish();
  EXPECT_TRUE(asked.starts_with("CONNECT far.example:81 HTTP/1.1\r\nHost: far.example:81\r\n")) << asked;
  EXPECT_EQ(field(asked, "Proxy-Authorization"), "Basic bWU6aXQ6cw==");
}

TEST(Dialer, ProxySaysNo) {
  struct { const char* answer; mw_status code; const char* text; } const cases[] = {
      {"HTTP/1.1 407 Who\r\n\r\n", MW_EAUTH, "407"},
      {"HTTP/1.1 502 Bad\r\n\r\n", MW_EREFUSED, "502"},
      {"HTTP/1.1 403 No\r\n\r\n", MW_EREFUSED, "403"},
      {"HTTP/1.1 200 OK\r\n\r\nhello", MW_EPROTO, "bytes of its own"},
      {"", MW_ERESET, "the proxy"},
  };
  for (auto& c : cases) {
    Server proxy([&](Peer& p) {
      p.head();
      p.say(c.answer);
    });
    Dial d({{"url", "ws://far.example/"}, {"proxy", "http://127.0.0.1:" + std::to_string(proxy.port)}});
    net::Refused r = d.fail();
    EXPECT_EQ(r.error.code, c.code) << r.error.text;
    EXPECT_EQ(r.http_status, 0) << "a proxy's status is not the provider's";
    EXPECT_TRUE(has(r.error.text, c.text)) << r.error.text;
  }
}

// ---- check ------------------------------------------------------------------

TEST(Dialer, CheckNamesWhatIsWrong) {
  struct { std::vector<std::pair<const char*, std::string>> keys; const char* text; } const cases[] = {
      {{{"url", "ws://"}}, "host is missing"},
      {{{"url", "ws://h:0/"}}, "port"},
      {{{"url", "ws://h:65536/"}}, "port"},
      {{{"url", "ws://h/a b"}}, "%20"},
      {{{"url", "ws://h/#f"}}, "#"},
      {{{"url", "ws://[::1/"}}, "bracket"},
      {{{"host", "a b"}}, "character"},
      {{{"proxy", "http://h:1/x"}}, "no path"},
      {{{"headers", R"({"upgrade":"h2c"})"}}, "belongs to the upgrade"},
      {{{"headers", R"({"Sec-WebSocket-Key":"x"})"}}, "belongs to the upgrade"},
      {{{"headers", R"({"meshwork-parameters":"x"})"}}, "option parameters"},
      {{{"url", "wss://h/"}, {"tls.ca_file", "/nowhere.pem"}}, "tls.ca_file \"/nowhere.pem\" cannot be read: No such file"},
  };
  for (auto& c : cases) {
    base::Conf conf(MW_CONF_CONSUMER);
    for (auto& [k, v] : c.keys) {
      auto set = conf.set(k, v);
      ASSERT_TRUE(set) << set.error().text;
    }
    auto r = net::Dialer::check(conf);
    ASSERT_FALSE(r) << c.keys.back().second;
    EXPECT_EQ(r.error().code, MW_EOPTION);
    EXPECT_TRUE(has(r.error().text, c.text)) << r.error().text;
  }
  EXPECT_TRUE(net::Dialer::check(base::Conf(MW_CONF_CONSUMER)));
}

TEST(Dialer, CheckHidesCredentials) {
  base::Conf conf(MW_CONF_CONSUMER);
  ASSERT_TRUE(conf.set("url", "ws://me:secret@h:0/"));
  auto r = net::Dialer::check(conf);
  ASSERT_FALSE(r);
  EXPECT_FALSE(has(r.error().text, "secret")) << r.error().text;
}

}  // namespace
