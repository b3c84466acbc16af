// What a connection meets on its way to being a peer: head, upgrade, pages.
#include "unit/net/site.hpp"

using namespace site;

namespace {

TEST(Listener, upgradesAndHandsOver) {
  Site s;
  EXPECT_EQ(s.url, "ws://127.0.0.1:" + std::to_string(s.port) + "/connect");
  Client c(s.port);
  ASSERT_TRUE(c.send(upgrade("/connect?name=a%20b&n=1")));
  std::string answer = c.head();
  EXPECT_EQ(status(answer), 101);
  EXPECT_TRUE(has(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")) << answer;
  EXPECT_FALSE(has(answer, "Sec-WebSocket-Protocol"));
  auto p = s.sink.peer();
  EXPECT_EQ(p.remote.text(), "127.0.0.1");
  EXPECT_NE(p.remote.port, 0);
  EXPECT_EQ(p.dialect, wire::Dialect::raw);
  EXPECT_TRUE(p.carrier.early.empty());
  EXPECT_EQ(p.facts, "\"ip\":\"127.0.0.1\",\"port\":" + std::to_string(p.remote.port) +
                         ",\"path\":\"/connect\",\"parameters\":{\"name\":\"a b\",\"n\":\"1\"},"
                         "\"wire\":\"raw\",\"subprotocol\":\"\"");
  // The descriptor is ours alone now: both ends talk over it.
  ASSERT_TRUE(c.send("x"));
  pollfd readable{p.carrier.fd, POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 20000), 1);
  char got = 0;
  EXPECT_EQ(::recv(p.carrier.fd, &got, 1, 0), 1);
  EXPECT_EQ(got, 'x');
  EXPECT_EQ(s.listener->counters.upgraded, 1u);
  EXPECT_EQ(s.listener->counters.accepted, 1u);
}

TEST(Listener, givesBareConnectionsAtOnce) {
  Site s({{"max_peers", "1"}}, wire::Dialect::netcluster);
  Client c(s.port);
  auto p = s.sink.peer();  // before a byte was sent
  EXPECT_EQ(p.dialect, wire::Dialect::netcluster);
  ASSERT_TRUE(c.send("GET "));
  pollfd readable{p.carrier.fd, POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 20000), 1);
  char got[8];
  EXPECT_EQ(::recv(p.carrier.fd, got, sizeof got, 0), 4);
  Client second(s.port);
  EXPECT_EQ(second.all(), "");  // no room: its end
  EXPECT_EQ(s.listener->counters.rejected_limit, 1u);
  s.listener->gone(p.remote);
  Client third(s.port);
  s.sink.peer();
}

TEST(Listener, firstFrameInTheSegmentOfTheRequestIsEarly) {
  Site s;
  Client c(s.port);
  ASSERT_TRUE(c.send(upgrade() + "frames"));
  EXPECT_EQ(status(c.head()), 101);
  auto p = s.sink.peer();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(p.carrier.early.data()), p.carrier.early.size()), "frames");
}

TEST(Listener, takesAHeadByteByByte) {
  Site s;
  Client c(s.port);
  for (char b : upgrade()) ASSERT_TRUE(c.send(std::string_view(&b, 1)));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Listener, negotiatesSubprotocolAndCompression) {
  Site s({{"compress", "32k"}, {"subprotocols", "chat,news"}});
  Client c(s.port);
  ASSERT_TRUE(c.send(upgrade("/connect", "Sec-WebSocket-Protocol: news\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")));
  std::string answer = c.head();
  EXPECT_TRUE(has(answer, "Sec-WebSocket-Protocol: news\r\n")) << answer;
  EXPECT_TRUE(has(answer, "Sec-WebSocket-Extensions: permessage-deflate")) << answer;
  auto p = s.sink.peer();
  EXPECT_TRUE(p.deflate.on);
  EXPECT_TRUE(has(p.facts, "\"subprotocol\":\"news\""));

  Client own(s.port);
  ASSERT_TRUE(own.send(upgrade("/connect", "Sec-WebSocket-Protocol: meshwork.1\r\n")));
  EXPECT_TRUE(has(own.head(), "Sec-WebSocket-Protocol: meshwork.1\r\n"));
  EXPECT_EQ(s.sink.peer().dialect, wire::Dialect::meshwork);
}

struct Refusal {
  const char* name;
  std::string request;
  int status;
  const char* part;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, withStatusAndReason) {
  Site s;
  std::string answer = s.ask(GetParam().request);
  EXPECT_EQ(status(answer), GetParam().status) << answer;
  EXPECT_TRUE(has(answer, GetParam().part)) << answer;
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
  // The listener is none the worse.
  Client good(s.port);
  ASSERT_TRUE(good.send(upgrade()));
  EXPECT_EQ(status(good.head()), 101);
  s.sink.peer();
}

std::string without(std::string s, const std::string& line) {
  size_t at = s.find(line);
  return s.erase(at, s.find("\r\n", at) + 2 - at);
}

INSTANTIATE_TEST_SUITE_P(
    Listener, Refused,
    testing::Values(
        Refusal{"path", upgrade("/other"), 404, "unknown path"},
        Refusal{"page", get("/nothing"), 404, "unknown path"},
        Refusal{"method", get("/connect", "Content-Length: 0\r\n", "POST"), 405, "Allow: GET"},
        Refusal{"version", without(upgrade(), "Sec-WebSocket-Version: 13") /* none */, 426, "Sec-WebSocket-Version: 13"},
        Refusal{"oldVersion", without(upgrade("/connect", "Sec-WebSocket-Version: 8\r\n"), "Sec-WebSocket-Version: 13"), 426, "Sec-WebSocket-Version: 13"},
        Refusal{"noUpgrade", get("/connect"), 426, "WebSocket client"},
        Refusal{"noKey", without(upgrade(), "Sec-WebSocket-Key"), 400, "key"},
        Refusal{"noHost", without(upgrade(), "Host"), 400, "Host"},
        Refusal{"body", upgrade("/connect", "Content-Length: 5\r\n"), 400, "body"},
        Refusal{"origin", upgrade("/connect", "Origin: http://evil.example\r\n"), 403, "origin"},
        Refusal{"http10", "GET /connect HTTP/1.0" + upgrade().substr(21), 400, "HTTP version"},
        Refusal{"parameters", upgrade("/connect?a=%zz"), 400, "Bad parameters"},
        Refusal{"twice", upgrade("/connect?a=1", "Meshwork-Parameters: a=2\r\n"), 400, "Bad parameters"},
        Refusal{"garbage", "\x16\x03\x01\x02 hello there, this is no HTTP\r\n\r\n", 400, "Bad request"},
        Refusal{"badField", "GET /connect HTTP/1.1\r\nHost localhost\r\n\r\n", 400, "Bad request"},
        Refusal{"huge", upgrade("/connect", "X: " + std::string(9000, 'x') + "\r\n"), 431, "8192"},
        Refusal{"hugeLine", "GET /" + std::string(70000, 'x'), 431, "8192"}),
    [](auto& i) { return i.param.name; });

TEST(Listener, countsWhatItRefuses) {
  Site s;
  s.ask(upgrade("/other"));
  s.ask(get("/connect"));
  s.ask(upgrade("/connect", "Origin: http://evil.example\r\n"));
  s.ask("nonsense\r\n\r\n");
  s.ask(upgrade("/connect", "X: " + std::string(9000, 'x') + "\r\n"));
  auto& n = s.listener->counters;
  EXPECT_EQ(n.accepted, 5u);
  EXPECT_EQ(n.bad_request, 2u);
  EXPECT_EQ(n.rejected_version, 1u);
  EXPECT_EQ(n.rejected_origin, 1u);
  EXPECT_EQ(n.header_too_large, 1u);
  EXPECT_EQ(n.upgraded, 0u);
}

TEST(Listener, headerLimitIsTheOptions) {
  Site s({{"http.max_header", "600"}});
  EXPECT_EQ(status(s.ask(upgrade("/connect", "X: " + std::string(600, 'x') + "\r\n"))), 431);
  Client c(s.port);
  ASSERT_TRUE(c.send(upgrade("/connect", "X: " + std::string(300, 'x') + "\r\n")));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Listener, originsFromAList) {
  Site s({{"http.origins", "https://good.example"}});
  EXPECT_EQ(status(s.ask(upgrade("/connect", "Origin: http://localhost\r\n"))), 403);
  Client c(s.port);
  ASSERT_TRUE(c.send(upgrade("/connect", "Origin: https://good.example\r\n")));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Listener, pages) {
  Site s({{"http.health", "true"}, {"http.metrics", "/metrics"}});
  std::string alive = s.ask(get("/alive"));
  EXPECT_EQ(status(alive), 200);
  EXPECT_EQ(body(alive), "alive\n");
  EXPECT_TRUE(has(alive, "Date: "));
  std::string head = s.ask(get("/alive", "", "HEAD"));
  EXPECT_EQ(status(head), 200);
  EXPECT_TRUE(has(head, "Content-Length: 6\r\n"));
  EXPECT_EQ(body(head), "");
  EXPECT_EQ(status(s.ask("GET /alive HTTP/1.0\r\n\r\n")), 200);
  EXPECT_EQ(status(s.ask(get("/livez"))), 200);
  EXPECT_EQ(status(s.ask(get("/readyz"))), 200);
  std::string metrics = s.ask(get("/metrics"));
  EXPECT_TRUE(has(metrics, "Content-Type: text/plain; version=0.0.4")) << metrics;
  EXPECT_EQ(body(metrics), "mw_peers 7\n");

  s.sink.live = false;
  EXPECT_EQ(status(s.ask(get("/livez"))), 503);
  s.listener->drain();
  EXPECT_EQ(status(s.ask(get("/readyz"))), 503);
  EXPECT_EQ(status(s.ask(get("/alive"))), 200);
  EXPECT_EQ(s.listener->counters.pages, 9u);
}

TEST(Listener, pagesAreAnOption) {
  Site s({{"http.alive_path", ""}});
  for (auto path : {"/alive", "/livez", "/readyz", "/metrics"}) EXPECT_EQ(status(s.ask(get(path))), 404) << path;
  EXPECT_EQ(s.listener->counters.pages, 0u);
}

TEST(Listener, aliveOfNetworkCluster) {
  Site s({{"wire", "network-cluster"}});
  std::string text = body(s.ask(get("/alive")));
  EXPECT_TRUE(text.starts_with("Hello World @ 1")) << text;
}

TEST(Listener, metricsAskForTheirSecret) {
  Site s({{"http.metrics", "/metrics"}, {"http.auth", "user:pass"}});
  std::string no = s.ask(get("/metrics"));
  EXPECT_EQ(status(no), 401);
  EXPECT_TRUE(has(no, "WWW-Authenticate: Basic"));
  EXPECT_EQ(status(s.ask(get("/metrics", "Authorization: Basic dXNlcjpwYXN4\r\n"))), 401);
  EXPECT_EQ(status(s.ask(get("/metrics", "Authorization: Basic \r\n"))), 401);
  EXPECT_EQ(status(s.ask(get("/metrics", "Authorization: basic dXNlcjpwYXNz\r\n"))), 200);
  EXPECT_EQ(status(s.ask(get("/alive"))), 200);
}

TEST(Listener, metricsTakeABearerToken) {
  Site s({{"http.metrics", "/metrics"}, {"http.auth", "sesame"}});
  EXPECT_EQ(status(s.ask(get("/metrics", "Authorization: Bearer sesam\r\n"))), 401);
  EXPECT_EQ(status(s.ask(get("/metrics", "Authorization: Bearer sesame\r\n"))), 200);
}

TEST(Listener, logsWithoutSecrets) {
  Site s({{"auth.parameters", "{\"key\":\"sesame\"}"}});
  EXPECT_EQ(status(s.ask(upgrade("/connect?key=open&x=y"))), 403);
  EXPECT_TRUE(s.sink.logged("REJECT_CONNECTION|127.0.0.1|/connect"));
  for (auto& line : s.sink.lines) EXPECT_FALSE(has(line, "open")) << line;
}

}  // namespace
