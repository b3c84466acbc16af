// Groups (share=group): threads of several members send, call and subscribe
// while those who have the connection go. All is told, and told once.
#include "kit/folder.hpp"
#include "stress/rig.hpp"

#include <map>

using namespace rig;

namespace {

class Groups : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Doors, Groups, testing::Values(Door::inline_, Door::turn, Door::queue),
                         [](auto& i) { return std::string(name(i.param)); });

// A process of the group, and what became of what it asked for.
struct Member {
  explicit Member(Door door)
      : host(door, {}, [this](const mw_event& ev, std::string_view) {
          if (ev.kind == MW_EVENT_LEADER) leads = ev.code == 1;
          if (ev.kind != MW_EVENT_DONE || ev.id == 0) return;
          std::lock_guard lock(mutex);
          ++done[ev.id];
          if (ev.status >= 0) ++good;
        }) {}
  size_t told() {
    std::lock_guard lock(mutex);
    return done.size();
  }
  std::mutex mutex;
  std::map<uint64_t, int> done;  // op -> how often
  uint64_t good = 0;
  std::atomic<bool> leads{false};
  std::atomic<uint64_t> asked{0}, refused{0};
  mw_handle consumer = 0;
  Host host;  // last: its events use the others
};

mw_handle join(Member& m, const std::string& url, const kit::Folder& dir) {
  m.consumer = m.host.consumer(url, {{"wire", "meshwork"}, {"share", "group"}, {"dir", dir.file("run")}, {"log.level", "off"}});
  mw_error err{};
  EXPECT_EQ(mw_start(m.consumer, 0, &err), MW_OK) << err.text;
  return m.consumer;
}

TEST_P(Groups, AllIsToldOnceWhoeverHasTheConnection) {
  constexpr int kMembers = 3, kThreads = 2;
  constexpr uint64_t kEach = 400;
  kit::Folder dir;
  std::atomic<uint64_t> messages{0}, requests{0};
  Host provider(Door::inline_, {}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_MESSAGE) ++messages;
    if (ev.kind == MW_EVENT_REQUEST) {
      ++requests;
      mw_reply(ev.id, nullptr, 0, 0);
    }
  });
  mw_handle p = provider.open(MW_CONF_PROVIDER, {{"port", "0"}, {"host", "127.0.0.1"}, {"wire", "meshwork"}}, 1);
  mw_handle service = 0;
  ASSERT_EQ(mw_serve(p, "echo", MW_NTS, nullptr, 3, &service, nullptr), MW_OK);
  const std::string url = provider.listen(p);

  std::vector<std::unique_ptr<Member>> members;
  for (int i = 0; i < kMembers; ++i) {
    members.push_back(std::make_unique<Member>(GetParam()));
    join(*members.back(), url, dir);
    ASSERT_TRUE(members.back()->host.wait_kind(MW_EVENT_UP, 1));
  }
  std::atomic<bool> enough{false};
  Crowd crowd;
  for (auto& each : members)
    for (int t = 0; t < kThreads; ++t)
      crowd.add([m = each.get(), t, &enough] {
        mw_msg* text = mw_msg_new("text", 4, MW_F_TEXT);
        for (uint64_t i = 1; i <= kEach || !enough; ++i) {
          const uint64_t op = static_cast<uint64_t>(t) << 32 | i;
          const mw_handle h = m->consumer;
          const mw_status s = i % 4 == 0   ? mw_call(h, "echo.x", MW_NTS, text, nullptr, 0, 0, 0, op, nullptr)
                              : i % 16 == 1 ? mw_subscribe(h, "a/#", MW_NTS, nullptr, 0, op, nullptr, nullptr)
                              : i % 16 == 9 ? mw_unsubscribe(h, "a/#", MW_NTS, op)
                                            : mw_send(h, text, 0, op);
          if (s >= 0) ++m->asked;
          if (s == MW_ECLOSED || s == MW_EDRAINING) break;
          if (s < 0) {
            ++m->refused;
            std::this_thread::sleep_for(1ms);
          }
        }
        mw_msg_unref(text);
      });
  crowd.go();
  // Whoever leads goes, one by a close and one by an abort, while the others write.
  for (int k = 0; k < kMembers - 1; ++k) {
    Member* leader = nullptr;
    for (auto until = std::chrono::steady_clock::now() + kPatience; leader == nullptr && std::chrono::steady_clock::now() < until;) {
      for (auto& m : members)
        if (m->leads && m->told() > 20 && mw_state(m->consumer) == MW_STATE_UP) leader = m.get();
      if (leader == nullptr) std::this_thread::yield();
    }
    ASSERT_NE(leader, nullptr) << "nobody leads";
    leader->leads = false;
    ASSERT_EQ(mw_close(leader->consumer, 0, nullptr, 0, k == 0 ? 0 : MW_CLOSE_ABORT), MW_OK);
    ASSERT_TRUE(leader->host.wait_kind(MW_EVENT_CLOSED, 1));
  }
  enough = true;
  crowd.join();
  for (auto& m : members) {
    ASSERT_TRUE(m->host.wait([&] { return m->told() >= m->asked; })) << m->told() << " of " << m->asked;
    m->host.end();
    EXPECT_EQ(m->told(), m->asked);
    for (auto& [op, n] : m->done) EXPECT_EQ(n, 1) << op;
  }
  EXPECT_GT(messages, 0u);
  EXPECT_GT(requests, 0u);
  provider.end();
}

TEST_P(Groups, LivesLeaveNothingBehind) {
  kit::Folder dir;
  Host provider(Door::inline_);
  const std::string url = provider.listen(provider.open(MW_CONF_PROVIDER, {{"port", "0"}, {"host", "127.0.0.1"}, {"wire", "meshwork"}}, 1));
  Member stays(GetParam());
  join(stays, url, dir);
  ASSERT_TRUE(stays.host.wait_kind(MW_EVENT_UP, 1));
  Member m(GetParam());
  for (uint64_t i = 1; i <= 100; ++i) {
    mw_handle h = join(m, url, dir);
    if (i % 3 != 0) ASSERT_TRUE(m.host.wait([&] { return mw_state(h) == MW_STATE_UP; }));
    mw_close(h, 0, nullptr, 0, i % 2 ? MW_CLOSE_ABORT : 0);
    ASSERT_TRUE(m.host.wait_kind(MW_EVENT_CLOSED, i));
  }
  EXPECT_EQ(provider.count(MW_EVENT_PEER_UP), 1u) << "one connection for all";
}

}  // namespace
