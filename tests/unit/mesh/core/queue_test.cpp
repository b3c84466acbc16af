#include "mesh/core/queue.hpp"

#include "mesh/core/random.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

namespace mw::mesh::core {
namespace {

base::MsgRef body(std::string_view text) { return base::MsgRef(base::message_copy(text.data(), text.size(), 0)); }
std::string text(const base::MsgRef& m) { return m ? std::string(reinterpret_cast<const char*>(m->body), m->len) : "none"; }

struct Bench {
  explicit Bench(QueueConfig c = {}) : q(c, std::make_unique<MemoryStore>()) {}
  uint64_t put(std::string_view key, std::string_view what = "x", Queue::Put expected = Queue::Put::taken) {
    uint64_t id = 0;
    EXPECT_EQ(q.put(key, body(what), static_cast<int64_t>(what.size()), &id), expected);
    return id;
  }
  std::vector<uint64_t> start(int64_t now) {
    std::vector<uint64_t> out;
    q.start(now, out);
    return out;
  }
  std::vector<uint64_t> late(int64_t now) {
    std::vector<uint64_t> out;
    q.late(now, out);
    return out;
  }
  Queue q;
};
using Ids = std::vector<uint64_t>;

TEST(Queue, OneAtATimeInOrder) {
  Bench b;
  const uint64_t first = b.put("", "1"), second = b.put("", "2"), third = b.put("", "3");
  EXPECT_EQ(b.start(0), Ids{first});
  EXPECT_EQ(b.start(0), Ids{});
  EXPECT_EQ(text(b.q.job(first)), "1");
  b.q.done(first);
  EXPECT_EQ(text(b.q.job(first)), "none");
  EXPECT_EQ(b.start(0), Ids{second});
  b.q.done(second);
  EXPECT_EQ(b.start(0), Ids{third});
  b.q.done(third);
  EXPECT_EQ(b.q.size(), 0u);
  EXPECT_EQ(b.q.bytes(), 0);
  EXPECT_EQ(b.q.counters.done, 3u);
  EXPECT_EQ(b.q.next(), INT64_MAX);
}

TEST(Queue, KeysRunBesideEachOtherInTurn) {
  QueueConfig c;
  c.parallel = 2;
  Bench b(c);
  const uint64_t a1 = b.put("a"), a2 = b.put("a"), a3 = b.put("a"), b1 = b.put("b"), c1 = b.put("c");
  EXPECT_EQ(b.start(0), (Ids{a1, b1}));
  b.q.done(a1);  // the key comes after who waited longer
  EXPECT_EQ(b.start(0), Ids{c1});
  b.q.done(b1);
  EXPECT_EQ(b.start(0), Ids{a2});
  b.q.done(c1);
  EXPECT_EQ(b.start(0), Ids{});  // a3 waits for a2
  b.q.done(a2);
  EXPECT_EQ(b.start(0), Ids{a3});
}

TEST(Queue, BoundsBite) {
  QueueConfig c;
  c.max = 2;
  c.max_bytes = 10;
  Bench b(c);
  const uint64_t first = b.put("", "12345");
  b.put("", "123456", Queue::Put::full_bytes);
  b.put("", "12345");
  b.put("", "", Queue::Put::full);
  EXPECT_EQ(b.start(0), Ids{first});
  b.q.done(first);
  b.put("", "123456", Queue::Put::full_bytes);
  b.put("", "12345");
  EXPECT_EQ(b.q.counters.refused, 3u);
}

TEST(Queue, GivenBackComesFirstAgainLaterAndLater) {
  QueueConfig c;
  c.attempts = 3;
  c.backoff = 100;
  Bench b(c);
  const uint64_t first = b.put(""), second = b.put("");
  EXPECT_EQ(b.start(0), Ids{first});
  EXPECT_EQ(b.q.attempts(first), 1u);
  EXPECT_TRUE(b.q.again(first, 10));
  EXPECT_EQ(b.q.next(), 110);
  EXPECT_EQ(b.start(109), Ids{});  // second waits: order is order
  EXPECT_EQ(b.start(110), Ids{first});
  EXPECT_TRUE(b.q.again(first, 110));
  EXPECT_EQ(b.q.next(), 310);
  EXPECT_EQ(b.start(310), Ids{first});
  EXPECT_FALSE(b.q.again(first, 310));
  EXPECT_EQ(b.q.counters.dead, 1u);
  EXPECT_FALSE(b.q.has(first));
  EXPECT_EQ(b.start(310), Ids{second});
}

TEST(Queue, AKeyThatWaitsHoldsNobodyElseUp) {
  Bench b;
  const uint64_t a1 = b.put("a"), a2 = b.put("a"), b1 = b.put("b");
  EXPECT_EQ(b.start(0), Ids{a1});
  EXPECT_TRUE(b.q.again(a1, 0));
  EXPECT_EQ(b.start(0), Ids{b1});
  b.q.done(b1);
  EXPECT_EQ(b.start(999), Ids{});
  EXPECT_EQ(b.start(1000), Ids{a1});
  b.q.done(a1);
  EXPECT_EQ(b.start(1000), Ids{a2});
}

TEST(Queue, LeasesRunOut) {
  QueueConfig c;
  c.lease = 50;
  c.parallel = 2;
  Bench b(c);
  const uint64_t a = b.put("a");
  EXPECT_EQ(b.start(0), Ids{a});
  const uint64_t d = b.put("d");
  EXPECT_EQ(b.start(20), Ids{d});
  EXPECT_EQ(b.q.next(), 50);
  EXPECT_EQ(b.late(49), Ids{});
  EXPECT_EQ(b.late(50), Ids{a});
  EXPECT_EQ(b.late(70), (Ids{a, d}));
  EXPECT_TRUE(b.q.again(a, 50));
  EXPECT_EQ(b.late(70), Ids{d});
  c.lease = 0;
  Bench for_ever(c);
  for_ever.put("");
  for_ever.start(0);
  EXPECT_EQ(for_ever.q.next(), INT64_MAX);
}

TEST(Queue, DroppedWherever) {
  Bench b;
  const uint64_t first = b.put(""), second = b.put(""), third = b.put("");
  EXPECT_EQ(b.start(0), Ids{first});
  b.q.drop(second);
  b.q.drop(first);
  b.q.drop(first);
  EXPECT_EQ(b.start(0), Ids{third});
  EXPECT_TRUE(b.q.again(third, 0));
  b.q.drop(third);  // while it is delayed
  EXPECT_EQ(b.q.next(), INT64_MAX);
  EXPECT_EQ(b.q.size(), 0u);
  EXPECT_EQ(b.q.counters.dropped, 3u);
}

TEST(Queue, DeferredCountsAsNotTried) {
  Bench b;
  const uint64_t first = b.put("");
  EXPECT_EQ(b.start(0), Ids{first});
  b.q.defer(first, 20);
  EXPECT_EQ(b.q.attempts(first), 0u);
  EXPECT_EQ(b.start(19), Ids{});
  EXPECT_EQ(b.start(20), Ids{first});
  EXPECT_EQ(b.q.attempts(first), 1u);
}

TEST(Queue, AStoreThatCannotKeep) {
  struct Full final : JobStore {
    bool put(uint64_t, std::string_view, base::MsgRef) override { return false; }
    base::MsgRef get(uint64_t) const override { return {}; }
    void tried(uint64_t, uint32_t) override {}
    void remove(uint64_t) noexcept override {}
  };
  Queue q({}, std::make_unique<Full>());
  uint64_t id = 0;
  EXPECT_EQ(q.put("k", body("x"), 1, &id), Queue::Put::not_kept);
  EXPECT_EQ(q.size(), 0u);
  EXPECT_EQ(q.bytes(), 0);
  std::vector<uint64_t> out;
  q.start(0, out);
  EXPECT_TRUE(out.empty());
}

// Hosts that answer, fail, stall and vanish, callers that lose patience, on a
// virtual clock: whatever happens, each call ends once, each key keeps its order
// and has one running, and nothing is tried too often or out of its time.
void simulate(uint64_t seed) {
  Random r(seed);
  QueueConfig c;
  c.max = 1 + r.below(40);
  c.max_bytes = 1 + r.below(200);
  c.parallel = 1 + r.below(5);
  c.lease = r.below(4) == 0 ? 0 : 1 + r.below(100);
  c.attempts = 1 + r.below(4);
  c.backoff = r.below(50);
  Bench b(c);
  struct Known {
    std::string key;
    int64_t not_before = 0, lease = 0;
    uint32_t tries = 0;
    bool runs = false;
  };
  std::map<uint64_t, Known> open;
  std::map<std::string, std::deque<uint64_t>> order;
  uint64_t taken = 0, ended = 0;
  int64_t now = 0, bytes = 0;
  std::map<uint64_t, int64_t> sizes;
  auto over = [&](uint64_t id) {
    auto& line = order[open.at(id).key];
    line.erase(std::find(line.begin(), line.end(), id));
    bytes -= sizes.at(id);
    open.erase(id);
    ++ended;
  };
  auto pick = [&](bool running) -> uint64_t {
    std::vector<uint64_t> all;
    for (const auto& [id, k] : open)
      if (!running || k.runs) all.push_back(id);
    return all.empty() ? 0 : all[r.below(static_cast<uint32_t>(all.size()))];
  };
  for (int step = 0; step < 400; ++step) {
    const uint32_t what = step < 300 ? r.below(10) : 5 + r.below(5);
    if (what < 4) {
      const std::string key(1, static_cast<char>('a' + r.below(6)));
      const std::string load(r.below(20), 'x');
      const bool full = open.size() >= c.max || bytes + static_cast<int64_t>(load.size()) > c.max_bytes;
      uint64_t id = 0;
      const auto put = b.q.put(key, body(load), static_cast<int64_t>(load.size()), &id);
      ASSERT_EQ(put != Queue::Put::taken, full);
      if (!full) {
        ++taken;
        ASSERT_TRUE(open.emplace(id, Known{key}).second);
        order[key].push_back(id);
        sizes[id] = static_cast<int64_t>(load.size());
        bytes += static_cast<int64_t>(load.size());
      }
    } else if (what == 4) {
      if (const uint64_t id = pick(false)) b.q.drop(id), over(id);
    } else if (what < 7) {
      if (const uint64_t id = pick(true)) b.q.done(id), over(id);
    } else if (what == 7) {
      if (const uint64_t id = pick(true)) {
        const bool comes = b.q.again(id, now);
        ASSERT_EQ(comes, open.at(id).tries < c.attempts);
        open.at(id).runs = false;
        open.at(id).not_before = now + (c.backoff << std::min<uint32_t>(open.at(id).tries - 1, Queue::kMostDoublings));
        if (!comes) over(id);
      }
    } else {
      const int64_t next = b.q.next();
      now = next != INT64_MAX && r.below(2) == 0 ? std::max(now, next) : now + r.below(60);
    }
    for (const uint64_t id : b.late(now)) {
      ASSERT_TRUE(open.at(id).runs && open.at(id).lease <= now);
      const bool comes = b.q.again(id, now);
      open.at(id).runs = false;
      open.at(id).not_before = now + (c.backoff << std::min<uint32_t>(open.at(id).tries - 1, Queue::kMostDoublings));
      if (!comes) over(id);
    }
    for (const uint64_t id : b.start(now)) {
      Known& k = open.at(id);
      ASSERT_FALSE(k.runs);
      ASSERT_EQ(order.at(k.key).front(), id);  // so no other of its key runs
      ASSERT_GE(now, k.not_before);
      ASSERT_EQ(b.q.attempts(id), ++k.tries);
      ASSERT_LE(k.tries, c.attempts);
      k.runs = true;
      k.lease = c.lease == 0 ? INT64_MAX : now + c.lease;
    }
    size_t running = 0, idle = 0;
    for (const auto& [key, line] : order)
      if (!line.empty()) open.at(line.front()).runs ? ++running : open.at(line.front()).not_before <= now ? ++idle : idle;
    ASSERT_EQ(running, b.q.running());
    ASSERT_LE(running, c.parallel);
    ASSERT_TRUE(running == c.parallel || idle == 0);  // nobody waits beside a free place
    ASSERT_EQ(b.q.size(), open.size());
    ASSERT_EQ(b.q.bytes(), bytes);
  }
  while (!open.empty()) {  // a host that answers at once finishes all
    for (auto& [id, k] : std::map(open))
      if (k.runs) b.q.done(id), over(id);
    if (b.q.next() != INT64_MAX) now = std::max(now, b.q.next());
    for (const uint64_t id : b.start(now)) open.at(id).runs = true;
  }
  ASSERT_EQ(taken, ended);
  ASSERT_EQ(b.q.size(), 0u);
}

TEST(Queue, Simulated) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    simulate(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace mw::mesh::core
