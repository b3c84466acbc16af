// Shares: leaders that race and fall, never two in one epoch; lives without a
// trace; calls that change leaders.
#include "kit/folder.hpp"
#include "stress/rig.hpp"

#include <map>
#include <set>

using namespace rig;

namespace {

// Who led when, of all contexts of a test.
struct Chronicle {
  void note(uint64_t epoch, int who) {
    std::lock_guard lock(mutex);
    leaders[epoch].insert(who);
    if (epoch >= last) {
      last = epoch;
      leader = who;
    }
    changed.notify_all();
  }
  // Waits for an epoch above `after`; who leads it, or -1.
  int next(uint64_t after) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, [&] { return last > after; }) ? leader : -1;
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::map<uint64_t, std::multiset<int>> leaders;
  uint64_t last = 0;
  int leader = -1;
};

class Shares : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Doors, Shares, testing::Values(Door::inline_, Door::turn, Door::queue),
                         [](auto& i) { return std::string(name(i.param)); });

mw_handle join(Host& host, const kit::Folder& dir, Options more = {}) {
  more.insert(more.begin(), {{"name", "s"}, {"dir", dir.file("run")}, {"log.level", "off"}});
  mw_handle h = host.open(MW_CONF_SHARE, more, 7);
  mw_error err{};
  EXPECT_EQ(mw_start(h, 0, &err), MW_OK) << err.text;
  return h;
}

TEST_P(Shares, NeverTwoLeadersInOneEpoch) {
  constexpr int kProcesses = 4, kRounds = 1000;
  kit::Folder dir;
  Chronicle chronicle;
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<mw_handle> shares;
  for (int i = 0; i < kProcesses; ++i)
    hosts.push_back(std::make_unique<Host>(GetParam(), Options{}, [&chronicle, i](const mw_event& ev, std::string_view) {
      if (ev.kind == MW_EVENT_LEADER && ev.code == 1) chronicle.note(ev.id, i);
    }));
  for (auto& h : hosts) shares.push_back(join(*h, dir));
  uint64_t epoch = 0;
  for (int round = 0; round < kRounds; ++round) {
    int who = chronicle.next(epoch);
    ASSERT_GE(who, 0) << "nobody leads after epoch " << epoch << ", round " << round;
    {
      std::lock_guard lock(chronicle.mutex);
      epoch = chronicle.last;
    }
    auto at = static_cast<size_t>(who);
    ASSERT_EQ(mw_close(shares[at], 0, nullptr, 0, round % 2 ? MW_CLOSE_ABORT : 0), MW_OK);
    if (round % 10 == 0) ASSERT_GE(chronicle.next(epoch), 0);  // else it races, too
    shares[at] = join(*hosts[at], dir);
  }
  for (auto& h : hosts) h->end();
  for (auto& [e, who] : chronicle.leaders) EXPECT_EQ(who.size(), 1u) << "epoch " << e;
  EXPECT_GE(chronicle.leaders.size(), static_cast<size_t>(kRounds));
}

TEST_P(Shares, LivesLeaveNothingBehind) {
  kit::Folder dir;
  Host leader(GetParam());
  join(leader, dir);
  ASSERT_TRUE(leader.wait_kind(MW_EVENT_UP, 1));
  Host host(GetParam());
  for (uint64_t i = 1; i <= 200; ++i) {
    mw_handle h = join(host, dir);
    if (i % 3 != 0) ASSERT_TRUE(host.wait([&] { return mw_state(h) == MW_STATE_UP; }));
    mw_close(h, 0, nullptr, 0, i % 2 ? MW_CLOSE_ABORT : 0);
    ASSERT_TRUE(host.wait_kind(MW_EVENT_CLOSED, i));
  }
}

// The leader's end is no trouble to a follower that ends with it.
TEST_P(Shares, AContextEndsWithoutTrouble) {
  kit::Folder dir;
  for (uint64_t i = 0; i < 50; ++i) {
    Host host(GetParam(), GetParam() == Door::turn ? Options{} : Options{{"threads", "2"}});
    join(host, dir);
    ASSERT_TRUE(host.wait_kind(MW_EVENT_UP, 1));
    join(host, dir);
    ASSERT_TRUE(host.wait_kind(MW_EVENT_UP, 2));
    host.end();
    ASSERT_EQ(host.count(MW_EVENT_ERROR), 0u) << i;
  }
}

// Every call has one DONE, whoever leads; the safe ones are all answered.
TEST_P(Shares, CallsOutliveTheirLeader) {
  kit::Folder dir;
  auto answer = [](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_REQUEST) mw_reply(ev.id, nullptr, 0, 0);
  };
  std::mutex mutex;
  std::map<uint64_t, std::pair<int, mw_status>> done;
  Host caller(GetParam(), {}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_REQUEST) mw_reply(ev.id, nullptr, 0, 0);
    if (ev.kind != MW_EVENT_DONE) return;
    std::lock_guard lock(mutex);
    ++done[ev.id].first;
    done[ev.id].second = ev.status;
  });
  uint64_t op = 0;
  std::map<uint64_t, bool> safe;
  {
    Host first(GetParam(), {}, answer);
    mw_handle leader = join(first, dir);
    ASSERT_TRUE(first.wait_kind(MW_EVENT_UP, 1));
    mw_handle h = join(caller, dir, {{"retry.safe", "safe"}, {"call.timeout", "20s"}});
    ASSERT_TRUE(caller.wait_kind(MW_EVENT_UP, 1));
    for (int i = 0; i < 2000; ++i) {
      bool is_safe = i % 2 != 0;
      mw_status s = mw_call(h, is_safe ? "safe" : "once", MW_NTS, nullptr, nullptr, 0, 0, 0, ++op, nullptr);
      if (s >= 0) safe[op] = is_safe;
      if (is_safe) ASSERT_GE(s, 0) << mw_status_name(s);
      if (i == 1000) mw_close(leader, 0, nullptr, 0, MW_CLOSE_ABORT);
    }
    ASSERT_TRUE(caller.wait_kind(MW_EVENT_DONE, safe.size()));
  }
  caller.end();
  for (auto& [id, is_safe] : safe) {
    EXPECT_EQ(done[id].first, 1) << id;
    if (is_safe) EXPECT_EQ(done[id].second, MW_OK) << id;
    if (!is_safe && done[id].second != MW_OK) EXPECT_NE(mw_status_flags(done[id].second) & MW_SF_RETRY, 0u) << mw_status_name(done[id].second);
  }
}

}  // namespace
