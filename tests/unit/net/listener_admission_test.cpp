// Who may come in: parameters, questions, seats, drain.
#include "unit/net/site.hpp"
#include "base/json.hpp"
#include "kit/process.hpp"

#include <thread>

using namespace site;

namespace {

TEST(Admission, parametersMustBeThere) {
  Site s({{"auth.parameters", R"({"key":"sesame","n":7,"on":true})"}});
  for (auto q : {"", "?key=sesame", "?key=sesame&n=8&on=true", "?key=Sesame&n=7&on=true", "?key=&n=7&on=true",
                 "?key=sesame&n=7"}) {
    std::string answer = s.ask(upgrade(std::string("/connect") + q));
    EXPECT_EQ(status(answer), 403) << q;
    EXPECT_EQ(body(answer), "Unauthorized");
    EXPECT_FALSE(has(answer, "Retry-After"));
  }
  EXPECT_EQ(s.listener->counters.rejected_auth, 6u);
  Client c(s.port);
  c.send(upgrade("/connect?n=7&key=sesame&on=true&more=1"));
  EXPECT_EQ(status(c.head()), 101);
  // What proves who he is does not travel further.
  auto p = s.sink.peer();
  EXPECT_TRUE(has(p.facts, R"("parameters":{"n":"***","key":"***","on":"***","more":"1"})")) << p.facts;
}

TEST(Admission, parametersInTheHeader) {
  Site s({{"auth.parameters", R"({"key":"a b"})"}});
  Client c(s.port);
  c.send(upgrade("/connect?x=1", "Meshwork-Parameters: key=a%20b\r\n"));
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_TRUE(has(s.sink.peer().facts, R"({"key":"***","x":"1"})"));
}

TEST(Admission, parametersOnlyFromWhereTheyMayBe) {
  Site s({{"auth.parameters", R"({"key":"k"})"}, {"parameters.from", "header"}});
  EXPECT_EQ(status(s.ask(upgrade("/connect?key=k"))), 403);
  Client c(s.port);
  c.send(upgrade("/connect?key=other", "Meshwork-Parameters: key=k\r\n"));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Admission, noAsTheOptionsSayIt) {
  Site s({{"auth.parameters", R"({"key":"k"})"}, {"auth.reject_status", "401"}, {"auth.reject_body", "go away"}});
  std::string answer = s.ask(upgrade());
  EXPECT_EQ(status(answer), 401);
  EXPECT_EQ(body(answer), "go away");
  EXPECT_TRUE(has(answer, "WWW-Authenticate: "));
}

TEST(Admission, newParametersCountAtOnce) {
  Site s({{"auth.parameters", R"({"key":"old"})"}});
  s.update({{"auth.parameters", R"({"key":"new"})"}});
  EXPECT_EQ(status(s.ask(upgrade("/connect?key=old"))), 403);
  Client c(s.port);
  c.send(upgrade("/connect?key=new"));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Admission, asksWithTheWholeRequest) {
  Site s({{"auth.ask", "true"}});
  Client c(s.port);
  c.send(upgrade("/connect?key=sesame", "Origin: http://localhost\r\nX-Many: a\r\nX-Many: b\r\nSec-WebSocket-Protocol: p, q\r\n"));
  auto q = s.sink.question();
  auto json = base::Json::parse(q.json);
  ASSERT_TRUE(json) << q.json;
  auto o = json->root();
  EXPECT_EQ(o.find("method").text(), "GET");
  EXPECT_EQ(o.find("path").text(), "/connect");
  EXPECT_EQ(o.find("query").text(), "key=sesame");
  EXPECT_EQ(o.find("parameters").find("key").text(), "sesame");
  EXPECT_EQ(o.find("headers").find("x-many").text(), "a, b");
  EXPECT_EQ(o.find("ip").text(), "127.0.0.1");
  EXPECT_GT(o.find("port").number(), 0);
  EXPECT_EQ(o.find("origin").text(), "http://localhost");
  EXPECT_EQ(o.find("subprotocols").size(), 2u);
  EXPECT_EQ(o.find("tls_subject").text(), "");
  EXPECT_TRUE(s.listener->answer(q.ticket, {true, 0, "", R"({"user":7})"}));
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_TRUE(has(s.sink.peer().facts, R"("data":{"user":7})"));
  EXPECT_TRUE(s.sink.over.empty());
}

TEST(Admission, aNoOfTheHost) {
  Site s({{"auth.ask", "true"}});
  Client a(s.port), b(s.port);
  a.send(upgrade());
  EXPECT_TRUE(s.listener->answer(s.sink.question().ticket, {}));
  std::string answer = a.all();
  EXPECT_EQ(status(answer), 403);
  EXPECT_EQ(body(answer), "Unauthorized");
  b.send(upgrade());
  EXPECT_TRUE(s.listener->answer(s.sink.question().ticket, {false, 402, "pay", ""}));
  answer = b.all();
  EXPECT_EQ(status(answer), 402);
  EXPECT_EQ(body(answer), "pay");
  EXPECT_EQ(s.listener->counters.rejected_auth, 2u);
}

TEST(Admission, parametersComeBeforeTheQuestion) {
  Site s({{"auth.ask", "true"}, {"auth.parameters", R"({"key":"k"})"}});
  EXPECT_EQ(status(s.ask(upgrade("/connect?key=x"))), 403);
  Client c(s.port);
  c.send(upgrade("/connect?key=k"));
  auto q = s.sink.question();
  EXPECT_TRUE(s.sink.asks.empty());
  EXPECT_TRUE(s.listener->answer(q.ticket, {true, 0, "", ""}));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Admission, deadlineMeansNotNow) {
  Site s({{"auth.ask", "true"}, {"auth.timeout", "50ms"}});
  Client c(s.port);
  c.send(upgrade());
  auto q = s.sink.question();
  std::string answer = c.all();
  EXPECT_EQ(status(answer), 503);
  EXPECT_TRUE(has(answer, "Retry-After: 1\r\n"));
  EXPECT_EQ(s.sink.over, std::vector<uint64_t>{q.ticket});
  EXPECT_FALSE(s.listener->answer(q.ticket, {true, 0, "", ""}));  // late
  EXPECT_EQ(s.listener->counters.rejected_limit, 1u);
}

// The handshake's clock stands still while the host thinks.
TEST(Admission, thinkingIsNotHandshakeTime) {
  Site s({{"auth.ask", "true"}, {"handshake_timeout", "60ms"}});
  Client c(s.port);
  c.send(upgrade());
  auto q = s.sink.question();
  Client other(s.port);  // whose clock runs out meanwhile
  EXPECT_EQ(status(other.all()), 408);
  EXPECT_TRUE(s.listener->answer(q.ticket, {true, 0, "", ""}));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Admission, exactlyOneAnswerCounts) {
  Site s({{"auth.ask", "true"}});
  for (int round = 0; round < 50; ++round) {
    Client c(s.port);
    c.send(upgrade());
    auto q = s.sink.question();
    std::atomic<int> won{0};
    std::thread a([&] { won += s.listener->answer(q.ticket, {true, 0, "", ""}); });
    std::thread b([&] { won += s.listener->answer(q.ticket, {true, 0, "", ""}); });
    a.join(), b.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(status(c.head()), 101);
    s.sink.peer();
    EXPECT_FALSE(s.listener->answer(q.ticket, {}));
  }
  EXPECT_FALSE(s.listener->answer(0, {}));
  EXPECT_FALSE(s.listener->answer(123456789, {}));
}

TEST(Admission, answerRacesTheDeadline) {
  Site s({{"auth.ask", "true"}, {"auth.timeout", "2ms"}});
  for (int round = 0; round < 100; ++round) {
    Client c(s.port);
    c.send(upgrade());
    auto q = s.sink.question();
    bool won = s.listener->answer(q.ticket, {true, 0, "", ""});
    EXPECT_EQ(status(c.head()), won ? 101 : 503);
    if (won) s.sink.peer();
  }
}

TEST(Admission, hangingUpVoidsTheQuestion) {
  Site s({{"auth.ask", "true"}});
  for (bool reset : {false, true}) {
    Client c(s.port);
    c.send(upgrade());
    auto q = s.sink.question();
    reset ? c.reset() : c.close();
    EXPECT_TRUE(s.sink.wait([&] { return s.sink.over.size() == (reset ? 2u : 1u); }));
    EXPECT_FALSE(s.listener->answer(q.ticket, {true, 0, "", ""}));
  }
  // With frames already sent, a reset is still seen.
  Client c(s.port);
  c.send(upgrade() + "early");
  s.sink.question();
  c.reset();
  EXPECT_TRUE(s.sink.wait([&] { return s.sink.over.size() == 3; }));
}

TEST(Admission, earlyFramesSurviveTheQuestion) {
  Site s({{"auth.ask", "true"}});
  Client c(s.port);
  c.send(upgrade());
  auto q = s.sink.question();
  c.send("late");
  EXPECT_TRUE(s.listener->answer(q.ticket, {true, 0, "", ""}));
  EXPECT_EQ(status(c.head()), 101);
  auto p = s.sink.peer();
  char got[4];
  EXPECT_EQ(::recv(p.carrier.fd, got, 4, MSG_WAITALL), 4);
}

TEST(Admission, stopVoidsTheQuestion) {
  Site s({{"auth.ask", "true"}});
  Client c(s.port);
  c.send(upgrade());
  auto q = s.sink.question();
  s.listener->stop();
  std::string answer = c.all();
  EXPECT_EQ(status(answer), 503);
  EXPECT_TRUE(has(answer, "Retry-After"));
  EXPECT_TRUE(s.sink.wait([&] { return s.sink.ended; }));
  EXPECT_EQ(s.sink.over, std::vector<uint64_t>{q.ticket});
  EXPECT_FALSE(s.listener->answer(q.ticket, {true, 0, "", ""}));
}

TEST(Admission, answerRacesStop) {
  for (int round = 0; round < 100; ++round) {
    Site s({{"auth.ask", "true"}});
    Client c(s.port);
    c.send(upgrade());
    auto q = s.sink.question();
    std::thread host([&] { s.listener->answer(q.ticket, {true, 0, "", ""}); });
    s.listener->stop();
    host.join();
    EXPECT_TRUE(s.sink.wait([&] { return s.sink.ended; }));
    int got = status(c.head());
    EXPECT_TRUE(got == 101 || got == 503 || got == 0) << got;
    std::lock_guard l(s.sink.m);
    EXPECT_LE(s.sink.over.size() + s.sink.peers.size(), 1u);
  }
}

TEST(Admission, seatsAreCountedAndGivenBack) {
  Site s({{"max_peers", "2"}});
  Client a(s.port), b(s.port);
  a.send(upgrade()), b.send(upgrade());
  auto p = s.sink.peer();
  s.sink.peer();
  std::string answer = s.ask(upgrade());
  EXPECT_EQ(status(answer), 503);
  EXPECT_TRUE(has(answer, "Retry-After: 1\r\n"));
  EXPECT_EQ(s.listener->counters.rejected_limit, 1u);
  s.listener->gone(p.remote);
  Client c(s.port);
  c.send(upgrade());
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
  EXPECT_EQ(status(s.ask(upgrade())), 503);
  s.update({{"max_peers", "3"}});
  Client d(s.port);
  d.send(upgrade());
  EXPECT_EQ(status(d.head()), 101);
  s.sink.peer();
}

TEST(Admission, aRefusedQuestionGivesItsSeatBack) {
  Site s({{"max_peers", "1"}, {"auth.ask", "true"}});
  for (int round = 0; round < 3; ++round) {
    Client c(s.port);
    c.send(upgrade());
    auto q = s.sink.question();
    EXPECT_EQ(status(s.ask(upgrade())), 503);  // the seat is kept while the host thinks
    s.listener->answer(q.ticket, {});
    EXPECT_EQ(status(c.all()), 403);
  }
}

TEST(Admission, seatsOfOneAddress) {
  Site s({{"max_peers_per_address", "1"}});
  Client a(s.port, "127.0.0.1", "127.0.0.2"), b(s.port, "127.0.0.1", "127.0.0.3");
  a.send(upgrade()), b.send(upgrade());
  EXPECT_EQ(status(a.head()), 101);
  EXPECT_EQ(status(b.head()), 101);
  s.sink.peer(), s.sink.peer();
  Client c(s.port, "127.0.0.1", "127.0.0.2");
  c.send(upgrade());
  std::string answer = c.all();
  EXPECT_EQ(status(answer), 503);
  EXPECT_TRUE(has(body(answer), "address"));
}

TEST(Admission, drainSaysComeBackLater) {
  Site s({{"drain.stagger", "7s"}});
  s.listener->drain();
  std::string answer = s.ask(upgrade());
  EXPECT_EQ(status(answer), 503);
  EXPECT_TRUE(has(answer, "Retry-After: 7\r\n"));
}

TEST(Admission, drainDuringTheQuestion) {
  Site s({{"auth.ask", "true"}});
  Client c(s.port);
  c.send(upgrade());
  auto q = s.sink.question();
  s.listener->drain();
  EXPECT_TRUE(s.listener->answer(q.ticket, {true, 0, "", ""}));
  EXPECT_EQ(status(c.all()), 503);
}

}  // namespace
