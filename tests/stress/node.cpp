// Nodes: lives without a trace, pairs that dial each other at once, calls while
// members come and go.
#include "kit/folder.hpp"
#include "stress/rig.hpp"

#include <map>

using namespace rig;

namespace {

class Nodes : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Doors, Nodes, testing::Values(Door::inline_, Door::turn, Door::queue),
                         [](auto& i) { return std::string(name(i.param)); });

mw_handle join(Host& host, const kit::Folder& dir, Options more = {}) {
  more.insert(more.begin(), {{"cluster.deployment", "D"}, {"dir", dir.file("run")}, {"log.level", "off"}});
  mw_handle h = host.open(MW_CONF_NODE, more, 7);
  mw_error err{};
  EXPECT_EQ(mw_start(h, 0, &err), MW_OK) << err.text;
  return h;
}

mw_handle serve(mw_handle node, const char* name, uint64_t token) {
  mw_handle id = 0;
  mw_error err{};
  EXPECT_EQ(mw_serve(node, name, MW_NTS, nullptr, token, &id, &err), MW_OK) << err.text;
  return id;
}

void answer(const mw_event& ev, std::string_view) {
  if (ev.kind == MW_EVENT_REQUEST && ev.id != 0) mw_reply(ev.id, nullptr, 0, 0);
}

TEST_P(Nodes, LivesLeaveNothingBehind) {
  kit::Folder dir;
  Host other(GetParam());
  join(other, dir);
  ASSERT_TRUE(other.wait_kind(MW_EVENT_UP, 1));
  Host host(GetParam());
  for (uint64_t i = 1; i <= 60; ++i) {
    mw_handle h = join(host, dir);
    serve(h, "words", 8);
    if (i % 3 != 0) ASSERT_TRUE(host.wait([&] { return mw_state(h) == MW_STATE_UP; }));
    mw_close(h, 0, nullptr, 0, i % 2 ? MW_CLOSE_ABORT : 0);
    ASSERT_TRUE(host.wait_kind(MW_EVENT_CLOSED, 2 * i));  // of the service, of the node
  }
}

// All dial each other at once; each pair keeps a link, and everybody meets everybody.
TEST_P(Nodes, AllAtOnce) {
  constexpr size_t kNodes = 8;
  kit::Folder dir;
  std::vector<std::unique_ptr<Host>> hosts;
  for (size_t i = 0; i < kNodes; ++i) hosts.push_back(std::make_unique<Host>(GetParam(), Options{}, answer));
  std::vector<mw_handle> nodes;
  for (auto& h : hosts) nodes.push_back(join(*h, dir));
  for (mw_handle n : nodes) serve(n, "words", 9);
  for (auto& h : hosts) ASSERT_TRUE(h->wait_kind(MW_EVENT_MEMBER_UP, kNodes - 1));
  for (auto& h : hosts) ASSERT_TRUE(h->wait_kind(MW_EVENT_SERVICE_UP, kNodes - 1));
  for (size_t i = 0; i < kNodes; ++i)
    ASSERT_EQ(mw_call(nodes[i], "words.x", MW_NTS, nullptr, nullptr, 0, 0, MW_F_ALL, 5, nullptr), MW_OK);
  for (auto& h : hosts) {
    ASSERT_TRUE(h->wait_kind(MW_EVENT_PART, kNodes));
    ASSERT_TRUE(h->wait_kind(MW_EVENT_DONE, 1));
    EXPECT_EQ(h->count(MW_EVENT_MEMBER_DOWN), 0u);
  }
}

// Every call has one DONE; those that may run twice are all answered, as long as one member serves.
TEST_P(Nodes, CallsOutliveTheirMembers) {
  kit::Folder dir;
  std::mutex mutex;
  std::map<uint64_t, std::pair<int, mw_status>> done;
  Host caller(GetParam(), {}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind != MW_EVENT_DONE) return;
    std::lock_guard lock(mutex);
    ++done[ev.id].first;
    done[ev.id].second = ev.status;
  });
  mw_handle n = join(caller, dir);
  ASSERT_TRUE(caller.wait_kind(MW_EVENT_UP, 1));
  Host stays(GetParam(), {}, answer);
  serve(join(stays, dir), "words", 8);
  ASSERT_TRUE(caller.wait_kind(MW_EVENT_SERVICE_UP, 1));
  Conf safe(MW_CONF_CALL, {{"retry.safe", "true"}});
  uint64_t op = 0, ups = 1;
  std::map<uint64_t, bool> made;
  for (int round = 0; round < 10; ++round) {
    Host goes(GetParam(), {}, answer);
    serve(join(goes, dir), "words", 8);
    ASSERT_TRUE(caller.wait_kind(MW_EVENT_SERVICE_UP, ++ups));
    for (int i = 0; i < 200; ++i) {
      const bool is_safe = i % 2 != 0;
      const mw_conf* how = is_safe ? static_cast<const mw_conf*>(safe) : nullptr;
      ASSERT_EQ(mw_call(n, "words.x", MW_NTS, nullptr, how, 20'000, 0, 0, ++op, nullptr), MW_OK);
      made[op] = is_safe;
      if (i == 100) goes.end();
    }
  }
  ASSERT_TRUE(caller.wait_kind(MW_EVENT_DONE, made.size()));
  caller.end();
  for (auto& [id, is_safe] : made) {
    EXPECT_EQ(done[id].first, 1) << id;
    if (is_safe) EXPECT_EQ(done[id].second, MW_OK) << id << ' ' << mw_status_name(done[id].second);
    if (done[id].second != MW_OK) EXPECT_NE(mw_status_flags(done[id].second) & MW_SF_RETRY, 0u) << mw_status_name(done[id].second);
  }
}

}  // namespace
