// Calls from several threads while answers come from others, links break,
// services end and hosts cancel: each call has one DONE, each request ends
// once, nothing is answered with another's answer.
#include "stress/rig.hpp"

#include <cstring>
#include <deque>
#include <map>
#include <set>

using namespace rig;

namespace {

const Options kOwn = {{"wire", "meshwork"}};

// Answers on a thread of its own what it is given.
class Worker {
 public:
  using Work = std::function<void(mw_handle, std::string)>;
  explicit Worker(Work w) : work_(std::move(w)), thread_([this] { run(); }) {}
  ~Worker() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    there_.notify_all();
    thread_.join();
  }
  void give(mw_handle request, std::string_view body) {
    {
      std::lock_guard lock(mutex_);
      jobs_.emplace_back(request, std::string(body));
    }
    there_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      there_.wait(lock, [&] { return over_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      auto [request, body] = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      work_(request, std::move(body));
      lock.lock();
    }
  }
  Work work_;
  std::mutex mutex_;
  std::condition_variable there_;
  std::deque<std::pair<mw_handle, std::string>> jobs_;
  bool over_ = false;
  std::thread thread_;
};

struct Msg {
  explicit Msg(std::string_view s) : m(mw_msg_new(s.data(), s.size(), 0)) {}
  ~Msg() { mw_msg_unref(m); }
  Msg(const Msg&) = delete;
  operator const mw_msg*() const { return m; }
  mw_msg* m;
};

mw_status call(mw_handle h, std::string_view target, std::string_view body, int64_t ms, uint64_t op) {
  return mw_call(h, target.data(), target.size(), Msg(body), nullptr, ms, 0, 0, op, nullptr);
}

mw_handle serve(mw_handle h, std::string_view name, uint64_t token = 9) {
  mw_handle id = 0;
  mw_error err{};
  EXPECT_EQ(mw_serve(h, name.data(), name.size(), nullptr, token, &id, &err), MW_OK) << err.text;
  return id;
}

// The results of calls by op.
struct Results {
  std::mutex mutex;
  std::map<uint64_t, mw_status> done;
  uint64_t parts = 0;

  void hear(const mw_event& ev, std::string_view body) {
    if (ev.kind != MW_EVENT_DONE || ev.id < 1000) return;
    std::lock_guard lock(mutex);
    EXPECT_TRUE(done.emplace(ev.id, ev.status).second) << "a second DONE of " << ev.id;
    if (ev.status == MW_OK) {
      EXPECT_EQ(body, std::to_string(ev.id)) << "another's answer";
    }
  }
  size_t size() {
    std::lock_guard lock(mutex);
    return done.size();
  }
};

}  // namespace

class Calls : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(All, Calls, testing::ValuesIn(kDoors), [](auto& i) { return std::string(name(i.param)); });

Options lanes(Door d) {
  if (d == Door::run || d == Door::turn) return {};
  return {{"threads", "2"}};
}

// Three threads call; answers come inside the request, from another thread, in
// parts, as failures, or not at all; some are cancelled. Links are cut meanwhile.
TEST_P(Calls, EachHasOneDone) {
  constexpr int kThreads = 3, kEach = 500;
  std::atomic<uint64_t> asked{0}, canceled{0};
  Worker worker([](mw_handle r, std::string body) { mw_reply(r, Msg(body), 0, 0); });
  Host server(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view body) {
    if (ev.kind == MW_EVENT_CANCEL) canceled++;
    if (ev.kind != MW_EVENT_REQUEST) return;
    asked++;
    Msg m(body);
    switch (std::strtoull(std::string(body).c_str(), nullptr, 10) % 6) {
      case 0: worker.give(ev.id, body); break;
      case 1: mw_fail(ev.id, 0, nullptr, 0, 0); break;
      case 2:
        for (int i = 0; i < 3; ++i) mw_reply(ev.id, m, MW_F_MORE, 0);
        mw_reply(ev.id, m, 0, 0);
        break;
      case 3: break;  // never: its time runs out, or it is cancelled
      default: mw_reply(ev.id, m, 0, 0); break;
    }
  });
  mw_handle p = server.provider(kOwn);
  serve(p, "Echo");
  std::string url = server.listen(p);
  Results results;
  Host client(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view body) { results.hear(ev, body); });
  std::vector<mw_handle> consumers;
  for (int i = 0; i < 2; ++i) {
    consumers.push_back(client.consumer(url, kOwn));
    mw_start(consumers.back(), 0, nullptr);
  }
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 2));
  ASSERT_TRUE(server.wait_kind(MW_EVENT_PEER_UP, 2));
  std::atomic<size_t> accepted{0};
  {
    Crowd crowd;
    for (int t = 0; t < kThreads; ++t)
      crowd.add([&, t] {
        Dice dice(static_cast<uint64_t>(t) + 1);
        for (int i = 0; i < kEach; ++i) {
          uint64_t op = 1000 + static_cast<uint64_t>(t) * 100000 + static_cast<uint64_t>(i);
          mw_handle c = consumers[dice(2)];
          uint64_t writable = client.count(MW_EVENT_WRITABLE);
          mw_status s = call(c, "Echo.it", std::to_string(op), op % 6 == 3 ? 50 : 20000, op);
          while (s == MW_ENOTCONN || s == MW_EAGAIN) {  // cut off a moment ago, or too fast
            if (s == MW_ENOTCONN) client.wait([&] { return mw_state(c) == MW_STATE_UP; });
            else client.wait_kind(MW_EVENT_WRITABLE, writable + 1);
            writable = client.count(MW_EVENT_WRITABLE);
            s = call(c, "Echo.it", std::to_string(op), op % 6 == 3 ? 50 : 20000, op);
          }
          EXPECT_GE(s, 0) << mw_status_name(s);
          accepted++;
          if (dice(5) == 0) mw_cancel(c, op);
          if (t == 0 && i % 100 == 99) mw_close(server.peer(server.count(MW_EVENT_PEER_UP) - 1), 0, nullptr, 0, MW_CLOSE_ABORT);
        }
      });
  }
  EXPECT_TRUE(client.wait([&] { return results.size() == accepted; })) << results.size() << " of " << accepted;
  EXPECT_GT(asked.load(), 100u);
  std::map<mw_status, int> kinds;
  for (auto& [op, s] : results.done) kinds[s]++;
  EXPECT_GT(kinds[MW_OK], 0);
  EXPECT_GT(kinds[MW_EREMOTE], 0);
  client.end();
  server.end();
}

// Services come and go while callers call: what is found answers, what is gone says so.
TEST_P(Calls, ServicesComeAndGo) {
  Host server(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view body) {
    if (ev.kind == MW_EVENT_REQUEST) mw_reply(ev.id, Msg(body), 0, 0);
  });
  mw_handle p = server.provider(kOwn);
  std::string url = server.listen(p);
  Results results;
  Host client(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view body) { results.hear(ev, body); });
  mw_handle c = client.consumer(url, kOwn);
  mw_start(c, 0, nullptr);
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
  std::atomic<size_t> accepted{0};
  std::atomic<uint64_t> closed{0};
  {
    Crowd crowd;
    for (int t = 0; t < 2; ++t)
      crowd.add([&, t] {
        for (int i = 0; i < 200; ++i) {
          mw_handle id = 0;
          std::string name = "S" + std::to_string(t);
          if (mw_serve(p, name.data(), name.size(), nullptr, 9, &id, nullptr) != MW_OK) continue;
          closed++;
          if (i % 3 == 0) mw_drain(id, 1000, 0, nullptr);
          else mw_close(id, 0, nullptr, 0, 0);
        }
      });
    for (int t = 0; t < 2; ++t)
      crowd.add([&, t] {
        for (int i = 0; i < 500; ++i) {
          uint64_t op = 1000 + static_cast<uint64_t>(t) * 100000 + static_cast<uint64_t>(i);
          if (call(c, i % 2 ? "S0.m" : "S1.m", std::to_string(op), 20000, op) >= 0) accepted++;
        }
      });
  }
  EXPECT_TRUE(client.wait([&] { return results.size() == accepted; })) << results.size() << " of " << accepted;
  for (auto& [op, s] : results.done)
    EXPECT_TRUE(s == MW_OK || s == MW_ENOSERVICE || s == MW_EDRAINING || s == MW_EPEERGONE) << mw_status_name(s);
  EXPECT_TRUE(server.wait_kind(MW_EVENT_CLOSED, closed));
  client.end();
  server.end();
}

// The party closes while services are opened and requests run.
TEST_P(Calls, APartyEndsWithItsServices) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<uint64_t> opened{0}, closed{0}, asked{0}, canceled{0};
    std::atomic<bool> party_closed{false};
    Host server(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view) {
      if (ev.kind == MW_EVENT_REQUEST) asked++;
      if (ev.kind == MW_EVENT_CANCEL) canceled++;
      if (ev.kind == MW_EVENT_CLOSED && ev.token == 9) {
        EXPECT_FALSE(party_closed) << "after its party";
        closed++;
      }
      if (ev.kind == MW_EVENT_CLOSED && ev.token == 1) party_closed = true;
    });
    mw_handle p = server.provider(kOwn);
    serve(p, "Never", 9);
    opened++;
    std::string url = server.listen(p);
    Results results;
    Host client(Door::inline_, {}, [&](const mw_event& ev, std::string_view body) { results.hear(ev, body); });
    mw_handle c = client.consumer(url, kOwn);
    mw_start(c, 0, nullptr);
    ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
    for (uint64_t i = 0; i < 50; ++i) ASSERT_GE(call(c, "Never", "x", -1, 1000 + i), 0);
    ASSERT_TRUE(server.wait([&] { return asked == 50; }));
    {
      Crowd crowd;
      crowd.add([&] {
        for (int i = 0; i < 30; ++i) {
          mw_handle id = 0;
          std::string name = "N" + std::to_string(i);
          if (mw_serve(p, name.data(), name.size(), nullptr, 9, &id, nullptr) == MW_OK) opened++;
        }
      });
      crowd.add([&] { mw_close(p, 0, nullptr, 0, 0); });
    }
    EXPECT_TRUE(client.wait([&] { return results.size() == 50; }));
    for (auto& [op, s] : results.done) EXPECT_EQ(s, MW_EPEERGONE);
    EXPECT_TRUE(server.wait([&] { return party_closed.load(); }));
    EXPECT_EQ(closed, opened);
    EXPECT_EQ(canceled, 50u);
    client.end();
    server.end();
  }
}

// A request on one lane, calls made for it on others: its cancel reaches them all.
TEST_P(Calls, ACancelReachesTheCallsMadeForIt) {
  Host back(Door::inline_, {}, [](const mw_event&, std::string_view) {});
  mw_handle store = back.provider(kOwn);
  serve(store, "Store");
  std::string store_url = back.listen(store);
  std::vector<mw_handle> mids;
  std::atomic<uint64_t> sub{1000000};
  std::mutex lock;
  std::set<uint64_t> ended;
  std::atomic<uint64_t> made{0}, refused{0};
  Host front(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_REQUEST)
      for (mw_handle mid : mids) {
        uint64_t op = sub++;
        mw_status s = mw_call(mid, "Store", 5, Msg("x"), nullptr, -1, ev.id, 0, op, nullptr);
        if (s >= 0) made++;
        else refused++;
      }
    if (ev.kind == MW_EVENT_DONE && ev.id >= 1000000) {
      EXPECT_EQ(ev.status, MW_ECANCELED) << mw_status_name(ev.status);
      std::lock_guard hold(lock);
      EXPECT_TRUE(ended.insert(ev.id).second);
    }
  });
  mw_handle p = front.provider(kOwn);
  serve(p, "Front");
  std::string url = front.listen(p);
  for (int i = 0; i < 3; ++i) {
    mids.push_back(front.consumer(store_url, kOwn, 3));
    mw_start(mids.back(), 0, nullptr);
  }
  ASSERT_TRUE(front.wait_kind(MW_EVENT_UP, 4));
  Results results;
  Host client(Door::inline_, {}, [&](const mw_event& ev, std::string_view body) { results.hear(ev, body); });
  mw_handle c = client.consumer(url, kOwn);
  mw_start(c, 0, nullptr);
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
  for (uint64_t i = 0; i < 100; ++i) {
    ASSERT_GE(call(c, "Front", "x", -1, 1000 + i), 0);
    if (i % 3 != 0) ASSERT_TRUE(front.wait([&] { return made + refused >= 3 * (i + 1 - i / 3) / 2; }));
    mw_cancel(c, 1000 + i);
  }
  EXPECT_TRUE(client.wait([&] { return results.size() == 100; }));
  EXPECT_TRUE(front.wait([&] {
    std::lock_guard hold(lock);
    return ended.size() == made;
  })) << ended.size() << " of " << made;
  client.end();
  front.end();
  back.end();
}

// A stream written by one thread through a small credit, in order, nothing lost.
TEST_P(Calls, AStreamKeepsItsOrder) {
  constexpr int kParts = 2000;
  std::atomic<mw_handle> request{0};
  std::atomic<uint64_t> writable{0};
  Host server(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_REQUEST) request = ev.id;
    if (ev.kind == MW_EVENT_WRITABLE && ev.id != 0 && ev.id == request) writable++;
  });
  mw_handle p = server.provider(kOwn);
  serve(p, "Stream");
  std::string url = server.listen(p);
  std::atomic<int> parts{0}, done{0};
  Host client(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view body) {
    if (ev.kind == MW_EVENT_PART) {
      EXPECT_EQ(body, std::to_string(parts));
      parts++;
    }
    if (ev.kind == MW_EVENT_DONE && ev.id == 1000) {
      EXPECT_EQ(ev.status, MW_OK);
      EXPECT_EQ(ev.code, kParts);
      done++;
    }
  });
  mw_handle c = client.consumer(url, kOwn);
  mw_start(c, 0, nullptr);
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
  Conf how(MW_CONF_CALL, {{"credit", "2KiB"}});
  ASSERT_GE(mw_call(c, "Stream", 6, nullptr, how, -1, 0, 0, 1000, nullptr), 0);
  ASSERT_TRUE(server.wait([&] { return request != 0; }));
  for (int i = 0; i < kParts; ++i) {
    uint64_t before = writable;
    mw_status s = mw_reply(request, Msg(std::to_string(i)), MW_F_MORE, 0);
    if (s == MW_EAGAIN) {
      ASSERT_TRUE(server.wait([&] { return writable > before; })) << "WRITABLE was lost at " << i;
      --i;
      continue;
    }
    ASSERT_GE(s, 0) << mw_status_name(s);
  }
  ASSERT_GE(mw_reply(request, Msg("end"), 0, 0), 0);
  EXPECT_EQ(mw_reply(request, Msg("more"), 0, 0), MW_ECLOSED);
  EXPECT_TRUE(client.wait([&] { return done == 1; }));
  EXPECT_EQ(parts, kParts);
  client.end();
  server.end();
}

// 100,000 calls wait when the link breaks: they end at once and in order.
TEST(CallsPending, AllEndInOrderWithTheLink) {
  constexpr uint64_t kCalls = 100000;
  std::atomic<uint64_t> asked{0}, canceled{0};
  Host server(Door::inline_, {{"memory.max_bytes", "512MiB"}}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_REQUEST) asked++;
    if (ev.kind == MW_EVENT_CANCEL) canceled++;
  });
  mw_handle p = server.provider(kOwn);
  serve(p, "Never");
  std::string url = server.listen(p);
  std::atomic<uint64_t> next{1000}, writable{0};
  Host client(Door::inline_, {{"memory.max_bytes", "512MiB"}}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_WRITABLE) writable++;
    if (ev.kind != MW_EVENT_DONE || ev.id < 1000) return;
    EXPECT_EQ(ev.status, MW_EPEERGONE);
    EXPECT_EQ(ev.id, next);
    next++;
  });
  mw_handle c = client.consumer(url, {{"wire", "meshwork"}, {"reconnect.interval", "10s"}});
  mw_start(c, 0, nullptr);
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
  for (uint64_t i = 0; i < kCalls; ++i) {
    uint64_t before = writable;
    mw_status s = call(c, "Never.m", "x", i % 2 ? -1 : 600000, 1000 + i);
    if (s == MW_EAGAIN) {
      ASSERT_TRUE(client.wait([&] { return writable > before; }));
      --i;
      continue;
    }
    ASSERT_GE(s, 0) << mw_status_name(s);
  }
  ASSERT_TRUE(server.wait([&] { return asked == kCalls; }));
  int64_t waiting = 0;
  EXPECT_EQ(mw_stat(c, MW_STAT_IN_FLIGHT, &waiting), MW_OK);
  EXPECT_EQ(waiting, static_cast<int64_t>(kCalls));
  auto began = std::chrono::steady_clock::now();
  mw_close(server.peer(0), 0, nullptr, 0, MW_CLOSE_ABORT);
  EXPECT_TRUE(client.wait([&] { return next == 1000 + kCalls; }));
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  RecordProperty("ms", static_cast<int>(took.count()));
  EXPECT_TRUE(server.wait([&] { return canceled == kCalls; }));
  client.end();
  server.end();
}

// Who asks and does not read the answers is cut off; the bound is twice send.max_bytes.
TEST(CallsPending, WhoDoesNotReadItsRefusalsIsCutOff) {
  std::atomic<int> why{0};
  std::atomic<bool> down{false};
  Host server(Door::inline_, {}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind != MW_EVENT_PEER_DOWN) return;
    why = ev.status;
    down = true;
  });
  mw_handle p = server.provider({{"wire", "meshwork"}, {"send.max_bytes", "64KiB"}});
  std::string url = server.listen(p);
  Host client(Door::inline_, {{"memory.max_bytes", "512MiB"}});
  mw_handle c = client.consumer(url, {{"wire", "meshwork"}, {"reconnect.interval", "10s"}});
  mw_start(c, 0, nullptr);
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
  ASSERT_GE(call(c, "Nobody", "x", -1, 999), 0);  // the link is good: one answer comes
  ASSERT_TRUE(client.wait_kind(MW_EVENT_DONE, 1));
  ASSERT_EQ(mw_pause(c, 1), MW_OK);
  auto end = std::chrono::steady_clock::now() + kPatience;
  for (uint64_t op = 1000; !down && std::chrono::steady_clock::now() < end; ++op)
    if (mw_status s = call(c, "Nobody", "x", -1, op); s < 0) std::this_thread::yield();
  EXPECT_TRUE(down);
  EXPECT_EQ(why, MW_EOVERFLOW) << mw_status_name(why);
  client.end();
  server.end();
}

// Three consumers call with the same keys, two of them coming and going, while
// answers come from another thread: each key runs once, whoever asks, and all hear the same.
TEST_P(Calls, AKeyRunsOnce) {
  constexpr int kKeys = 300;
  std::map<std::string, int> runs;
  std::mutex mutex;
  Worker worker([](mw_handle r, std::string body) { mw_reply(r, Msg(body), 0, 0); });
  Host server(GetParam(), lanes(GetParam()), [&](const mw_event& ev, std::string_view body) {
    if (ev.kind != MW_EVENT_REQUEST) return;
    {
      std::lock_guard lock(mutex);
      runs[std::string(body)]++;
    }
    if (ev.id % 2 == 0)
      worker.give(ev.id, body);
    else
      mw_reply(ev.id, Msg(body), 0, 0);
  });
  mw_handle p = server.provider(kOwn), id = 0;
  mw_error err{};
  ASSERT_EQ(mw_serve(p, "E", 1, Conf(MW_CONF_SERVICE, {{"dedupe.window", "10m"}, {"dedupe.max_bytes", "16MiB"}}), 9, &id, &err),
            MW_OK) << err.text;
  const std::string url = server.listen(p);
  Results results[3];
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<mw_handle> links;
  for (auto& r : results) {
    hosts.push_back(std::make_unique<Host>(GetParam(), Options{}, [&r](const mw_event& ev, std::string_view body) { r.hear(ev, body); }));
    links.push_back(hosts.back()->consumer(url, kOwn));
    mw_start(links.back(), 0, nullptr);
    ASSERT_TRUE(hosts.back()->wait_kind(MW_EVENT_UP, 1));
  }
  auto ask = [&](int who) {
    for (int i = 0; i < kKeys; ++i) {
      const uint64_t op = 1000 + static_cast<uint64_t>(i);
      const std::string text = std::to_string(op);
      Msg m(text);
      mw_msg_set(m.m, "key", 3, text.data(), text.size());
      while (mw_call(links[who], "E", 1, m, nullptr, -1, 0, 0, op, nullptr) < 0) std::this_thread::yield();
      if (who != 0 && i == kKeys / 2) mw_close(links[who], 0, nullptr, 0, MW_CLOSE_ABORT);
      if (who != 0 && i == kKeys / 2) return;
    }
  };
  std::thread others[] = {std::thread(ask, 1), std::thread(ask, 2)};
  ask(0);
  for (auto& t : others) t.join();
  EXPECT_TRUE(hosts[0]->wait([&] { return results[0].size() == kKeys; })) << results[0].size();
  for (auto& [op, status] : results[0].done) EXPECT_EQ(status, MW_OK) << op;
  hosts.clear();
  server.end();
  EXPECT_EQ(runs.size(), size_t{kKeys});
  for (auto& [key, n] : runs) EXPECT_EQ(n, 1) << key;
}
