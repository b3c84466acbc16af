// meshwork.hpp through the shared library: handlers and their forms, results,
// exceptions at every door, and the ends of objects.
#include <meshwork/meshwork.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <poll.h>
#include <string>
#include <thread>
#include <vector>

namespace {
thread_local size_t allocations = 0;
}
[[gnu::noinline]] void* operator new(size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace {

// Where a provider on port 0 listens: the first text of its address.
std::string url_of(const mw::Provider& p) {
  const std::string json = p.handle().info("address");
  const size_t begin = json.find("ws");
  std::string url = json.substr(begin, json.find('"', begin) - begin);
  std::erase(url, '\\');
  return url;
}

// A provider and a consumer of it on one context that this thread turns.
struct Pair {
  mw::Context ctx{{{"threads", 0}}};
  mw::Provider provider{ctx, {{"host", "127.0.0.1"}, {"port", 0}}};
  std::optional<mw::Consumer> consumer;

  template <class SetUp>
  void open(SetUp set_up) {
    bool listening = false;
    provider.start([&](mw_status s, const mw::Event&) { listening = s >= 0; });
    turn_until([&] { return listening; });
    consumer.emplace(ctx, mw::Options{{"url", url_of(provider)}});
    set_up(*consumer);
    consumer->start();
  }
  template <class Condition>
  void turn_until(Condition c) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!c()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      pollfd p{ctx.fd(), POLLIN, 0};
      if (!ctx.more()) ::poll(&p, 1, 100);
      ctx.run(0);
    }
  }
};

TEST(Wrapper, OpeningWithAWrongOptionThrows) {
  mw::Context ctx({{"threads", 0}});
  try {
    mw::Provider p(ctx, {{"prot", 80}});
    FAIL();
  } catch (const mw::Error& e) {
    EXPECT_EQ(e.code(), MW_EOPTION);
    EXPECT_STREQ(e.name(), "MW_EOPTION");
    EXPECT_FALSE(e.retryable());
    EXPECT_NE(std::string(e.what()).find("\"port\""), std::string::npos) << e.what();
  }
}

TEST(Wrapper, OptionsTakeTextsNumbersAndBools) {
  mw::Conf c(MW_CONF_PROVIDER, {{"port", 0}, {"http.health", true}, {"path", "/x"}, {"max_peers", 7u}});
  EXPECT_EQ(c.get("port"), "0");
  EXPECT_EQ(c.get("http.health"), "true");
  EXPECT_EQ(c.get("path"), "/x");
  EXPECT_EQ(c.get("max_peers"), "7");
  EXPECT_THROW(c.get("nothing"), mw::Error);
  EXPECT_THROW(mw::Conf(99), mw::Error);
}

TEST(Wrapper, MessagesAreShared) {
  mw::Message m("text");
  m.header("k", "v");
  const mw::Message copy = m;
  EXPECT_EQ(copy.text(), "text");
  EXPECT_TRUE(copy.is_text());
  EXPECT_EQ(copy.header("k"), "v");
  EXPECT_EQ(copy.header("none"), std::nullopt);
  EXPECT_THROW(mw::Message("\xff"), mw::Error);
}

// Synthetic events: what the library hands over, without a library.
struct Synthetic {
  std::string bytes;
  mw_event ev{};
  Synthetic(uint32_t kind, std::string topic, std::string meta, std::string body) : bytes("..." + topic + meta + body) {
    ev.kind = kind;
    ev.peer = 42;
    ev.flags = MW_F_TEXT;
    ev.offset = 3;
    ev.topic_len = static_cast<uint32_t>(topic.size());
    ev.meta_len = static_cast<uint32_t>(meta.size());
    ev.body_len = static_cast<uint32_t>(body.size());
  }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(bytes.data()); }
};

TEST(Wrapper, EventShowsItsParts) {
  const std::string meta("\x01\x00\x02\x00\x00\x00k12" "\x02\x00\x00\x00\x00\x00kk", 17);
  const Synthetic s(MW_EVENT_MESSAGE, "topic", meta, "body");
  const mw::Event e(&s.ev, s.data());
  EXPECT_EQ(e.topic(), "topic");
  EXPECT_EQ(e.text(), "body");
  EXPECT_EQ(e.bytes().size(), 4u);
  EXPECT_EQ(e.header("k"), "12");
  EXPECT_EQ(e.header("kk"), "");
  EXPECT_EQ(e.header("kkk"), std::nullopt);
  EXPECT_EQ(e.peer(), mw::Peer(42));
}

TEST(Wrapper, BrokenHeadersAreNotRead) {
  for (const std::string& meta : {std::string("\x05\x00\xff\xff\xff\xff" "abc", 9), std::string("\x01\x00", 2)}) {
    const Synthetic s(MW_EVENT_MESSAGE, "", meta, "");
    EXPECT_EQ(mw::Event(&s.ev, s.data()).header("a"), std::nullopt);
  }
}

TEST(Wrapper, HandlersTakeWhatTheyNeed) {
  const Synthetic s(MW_EVENT_MESSAGE, "", "", "body");
  const mw::Event e(&s.ev, s.data());
  int calls = 0;
  std::vector<mw::detail::Handler> handlers = {
      mw::detail::adapt([&](mw::Peer p, const mw::Event& ev) { calls += p.id() == 42 && ev.text() == "body"; }),
      mw::detail::adapt([&](mw::Peer p, std::string_view t) { calls += p.id() == 42 && t == "body"; }),
      mw::detail::adapt([&](mw::Peer p, mw::Bytes b) { calls += p.id() == 42 && b.size() == 4; }),
      mw::detail::adapt([&](mw::Peer p) { calls += p.id() == 42; }),
      mw::detail::adapt([&](const mw::Event& ev) { calls += ev.text() == "body"; }),
      mw::detail::adapt([&](std::string_view t) { calls += t == "body"; }),
      mw::detail::adapt([&](mw::Bytes b) { calls += b.size() == 4; }),
      mw::detail::adapt([&] { ++calls; }),
  };
  for (auto& h : handlers) h(e);
  EXPECT_EQ(calls, 8);
}

TEST(Wrapper, TheMessagePathAllocatesNothing) {
  auto shared = std::make_shared<mw::detail::Shared>();
  auto* user = new std::shared_ptr<mw::detail::State>(std::make_shared<mw::detail::State>(shared));
  size_t bytes = 0;
  std::string big(100, 'x');  // a capture too large for std::function's own space
  (*user)->on[MW_EVENT_MESSAGE] =
      mw::detail::adapt([&bytes, big](mw::Peer, std::string_view t) { bytes += t.size() + big.size() - 100; });
  const Synthetic s(MW_EVENT_MESSAGE, "", "", "body");
  for (const bool threads : {false, true}) {
    shared->library_threads = threads;
    const size_t before = allocations;
    for (int i = 0; i < 1000; ++i) mw::detail::State::deliver(&s.ev, s.data(), user);
    EXPECT_EQ(allocations, before);
  }
  EXPECT_EQ(bytes, 8000u);
  mw::detail::State::release(user);
}

TEST(Wrapper, RoundTrip) {
  Pair pair;
  std::vector<std::string> heard;
  pair.provider.on_message([](mw::Peer peer, const mw::Event& e) { peer.send("re: " + std::string(e.text())); });
  pair.open([&](mw::Consumer& c) {
    c.on_up([&] { EXPECT_GE(c.send("hello"), 0); });
    c.on_message([&](std::string_view t) { heard.emplace_back(t); });
  });
  pair.turn_until([&] { return !heard.empty(); });
  EXPECT_EQ(heard, std::vector<std::string>{"re: hello"});
}

TEST(Wrapper, PublishReachesSubscribersWithTheirHeaders) {
  Pair pair;
  std::string topic, text, header;
  pair.open([&](mw::Consumer& c) {
    c.subscribe("news/+");
    c.on_message([&](const mw::Event& e) {
      topic = e.topic();
      text = e.text();
      header = e.header("k").value_or("-");
    });
  });
  std::optional<mw::Peer> peer;
  pair.provider.on_peer_up([&](mw::Peer p) { peer = p; });
  pair.turn_until([&] { return peer && peer->subscribed("news/today"); });
  EXPECT_GE(pair.provider.publish("weather", "no"), 0);
  EXPECT_GE(pair.provider.publish("news/today", mw::Message("yes").header("k", "v")), 0);
  pair.turn_until([&] { return !text.empty(); });
  EXPECT_EQ(topic, "news/today");
  EXPECT_EQ(text, "yes");
  EXPECT_EQ(header, "v");
}

TEST(Wrapper, CompletionsAreCalledOnce) {
  Pair pair;
  int calls = 0;
  mw_status result = 1;
  pair.open([&](mw::Consumer& c) {
    c.on_up([&] {
      c.send(mw::Message("acknowledge me"), [&](mw_status s, const mw::Event&) {
        ++calls;
        result = s;
      });
    });
  });
  pair.turn_until([&] { return calls > 0; });
  pair.ctx.run(0);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(result, MW_OK);
}

TEST(Wrapper, ARefusedVerbForgetsItsCompletion) {
  Pair pair;
  mw::Consumer idle(pair.ctx, {{"url", "ws://127.0.0.1:1/"}});
  bool called = false;
  EXPECT_EQ(idle.send(mw::Message("x"), [&](mw_status, const mw::Event&) { called = true; }), MW_ENOTCONN);
  pair.ctx.run(0);
  EXPECT_FALSE(called);
}

TEST(Wrapper, AHandlersExceptionComesOutOfRunAndTheBatchGoesOn) {
  Pair pair;
  int heard = 0;
  pair.provider.on_message([&](mw::Peer) {
    if (++heard == 1) throw std::runtime_error("first");
  });
  pair.open([&](mw::Consumer& c) {
    c.on_up([&] {
      c.send("1");
      c.send("2");
    });
  });
  EXPECT_THROW(pair.turn_until([] { return false; }), std::runtime_error);
  pair.turn_until([&] { return heard == 2; });
}

TEST(Wrapper, AHandlersExceptionEndsARunThatHasNoEnd) {
  Pair pair;
  pair.open([&](mw::Consumer& c) { c.on_up([] { throw std::runtime_error("up"); }); });
  EXPECT_THROW(pair.ctx.run(), std::runtime_error);
  EXPECT_TRUE(pair.ctx.run(0));
}

TEST(Wrapper, OnExceptionTakesThemAll) {
  Pair pair;
  std::vector<std::string> caught;
  pair.ctx.on_exception([&](std::exception_ptr e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      caught.emplace_back(x.what());
    }
  });
  pair.provider.on_message([](std::string_view t) { throw std::runtime_error(std::string(t)); });
  pair.open([&](mw::Consumer& c) {
    c.on_up([&] {
      c.send("1");
      c.send("2");
    });
  });
  pair.turn_until([&] { return caught.size() == 2; });
  EXPECT_EQ(caught, (std::vector<std::string>{"1", "2"}));
}

TEST(Wrapper, ADestroyedConsumerRunsNoHandler) {
  Pair pair;
  std::optional<mw::Peer> peer;
  bool gone = false, heard = false;
  pair.provider.on_peer_up([&](mw::Peer p) { peer = p; });
  pair.provider.on_peer_down([&](mw::Peer) { gone = true; });
  pair.open([&](mw::Consumer& c) {
    c.on_message([&] { heard = true; });
    c.on_closed([&] { heard = true; });
  });
  pair.turn_until([&] { return peer.has_value(); });
  peer->send("too late");
  pair.consumer.reset();
  pair.turn_until([&] { return gone; });
  EXPECT_FALSE(heard);
}

TEST(Wrapper, AConsumerMayBeDestroyedByItsOwnHandler) {
  Pair pair;
  bool heard = false;
  pair.provider.on_peer_up([](mw::Peer p) { p.send("go"); });
  pair.open([&](mw::Consumer& c) {
    c.on_message([&] {
      heard = true;
      pair.consumer.reset();
    });
  });
  pair.turn_until([&] { return heard; });
}

TEST(Wrapper, AQueuedContextRunsHandlersHere) {
  mw::Context ctx;  // threads=1, delivery=queued
  mw::Provider provider(ctx, {{"host", "127.0.0.1"}, {"port", 0}});
  const auto here = std::this_thread::get_id();
  bool listening = false;
  provider.start([&](mw_status s, const mw::Event&) {
    listening = s >= 0;
    EXPECT_EQ(std::this_thread::get_id(), here);
    ctx.wake();
  });
  EXPECT_TRUE(ctx.run());
  EXPECT_TRUE(listening);
}

TEST(Wrapper, InlineDestructionWaitsForTheRunningHandler) {
  mw::Context ctx({{"delivery", "inline"}});
  std::optional<mw::Provider> provider(std::in_place, ctx, mw::Options{{"host", "127.0.0.1"}, {"port", 0}});
  std::atomic<int> stage{0};
  provider->on_up([&] {
    stage = 1;
    stage.notify_all();
    stage.wait(1);
    stage = 3;
  });
  provider->start();
  stage.wait(0);
  std::thread releaser([&] {
    stage = 2;
    stage.notify_all();
  });
  provider.reset();
  EXPECT_EQ(stage, 3);
  releaser.join();
}

TEST(Wrapper, InlineExceptionsGoToOnException) {
  std::atomic<bool> caught{false};
  mw::Context ctx({{"delivery", "inline"}});
  ctx.on_exception([&](std::exception_ptr) {
    caught = true;
    caught.notify_all();
  });
  mw::Provider provider(ctx, {{"host", "127.0.0.1"}, {"port", 0}});
  provider.on_up([] { throw std::runtime_error("on a library thread"); });
  provider.start();
  caught.wait(false);
}

TEST(Wrapper, EverythingEndsWithOpenObjects) {
  const auto end_in_the_middle = [](mw::Options options) {
    mw::Context ctx(options);
    mw::Provider provider(ctx, {{"host", "127.0.0.1"}, {"port", 0}});
    mw::Consumer consumer(ctx, {{"url", "ws://127.0.0.1:1/"}});
    provider.start();
    consumer.start();
  };
  end_in_the_middle({{"threads", 0}});
  end_in_the_middle({{"delivery", "inline"}});
  end_in_the_middle({});
}

TEST(Wrapper, AClosedHandleAnswersSo) {
  Pair pair;
  bool closed = false;
  pair.provider.on_closed([&] { closed = true; });
  pair.provider.close();
  pair.turn_until([&] { return closed; });
  EXPECT_EQ(pair.provider.publish("", "x"), MW_ECLOSED);
  EXPECT_THROW(pair.provider.start(), mw::Error);
}

}  // namespace

namespace {

// A pair on the own wire, and the answer to a call.
struct CallPair : Pair {
  std::string call(std::string_view target, std::string_view text, mw::CallOptions how = {}) {
    std::string got = "?";
    bool done = false;
    EXPECT_GE(consumer->call(target, mw::Message(text),
                             [&](mw_status s, const mw::Event& e) {
                               got = std::string(mw_status_name(s)) + " " + std::string(e.text());
                               done = true;
                             },
                             std::move(how)),
              0);
    turn_until([&] { return done; });
    return got;
  }
  void up() {
    bool there = false;
    open([&](mw::Consumer& c) { c.on_up([&] { there = true; }); });
    turn_until([&] { return there; });
  }
};

}  // namespace

TEST(Calls, EachFormOfAHandlerAnswers) {
  CallPair pair;
  mw::Service text(pair.provider, "Text"), whole(pair.provider, "Whole"), parts(pair.provider, "Parts");
  text.on_request([](mw::Request r, std::string_view t) { r.reply(std::string(t) + "!"); });
  whole.on_request([](mw::Request r, const mw::Event& e) { r.reply(e.topic()); });
  parts.on_request([](mw::Request r) {
    r.part("one");
    r.part("two");
    r.reply("end");
  });
  text.start(), whole.start(), parts.start();
  pair.up();
  EXPECT_EQ(pair.call("Text.a", "hello"), "MW_OK hello!");
  EXPECT_EQ(pair.call("Whole.method", ""), "MW_OK Whole.method");
  std::string heard;
  mw::CallOptions how;
  how.part = [&](const mw::Event& e) { heard += std::string(e.text()) + ","; };
  EXPECT_EQ(pair.call("Parts", "", std::move(how)), "MW_OK end");
  EXPECT_EQ(heard, "one,two,");
  EXPECT_THROW(mw::Service(pair.provider, "Text").start(), mw::Error);
}

TEST(Calls, AConsumerServesAndCancelIsHeard) {
  CallPair pair;
  mw::Peer peer;
  pair.provider.on_peer_up([&](mw::Peer p) { peer = p; });
  pair.up();
  mw::Service never(*pair.consumer, "Never");
  mw::Request kept;
  int canceled = 0;
  never.on_request([&](mw::Request r) { kept = r; });
  never.on_cancel([&](mw::Request r) { canceled += r == kept; });
  never.start();
  uint64_t number = 0;
  mw_status ended = MW_OK;
  mw::CallOptions how;
  how.timeout_ms = -1;
  how.number = &number;
  ASSERT_GE(pair.provider.call(peer, "Never", mw::Message(""), [&](mw_status s, const mw::Event&) { ended = s; }, how), 0);
  pair.turn_until([&] { return bool(kept); });
  EXPECT_EQ(pair.provider.cancel_call(peer, number), MW_OK);
  pair.turn_until([&] { return canceled == 1; });
  EXPECT_EQ(ended, MW_ECANCELED);
  EXPECT_EQ(kept.reply("late"), MW_ECLOSED);
}

TEST(Calls, ADestroyedServiceRunsNoHandler) {
  CallPair pair;
  auto gone = std::make_unique<mw::Service>(pair.provider, "Gone");
  int asked = 0;
  gone->on_request([&](mw::Request) { ++asked; });
  gone->start();
  pair.up();
  gone.reset();
  EXPECT_NE(pair.call("Gone", "x").substr(0, 5), "MW_OK");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(mw::Request().reply("x"), MW_ESTATE);
}
