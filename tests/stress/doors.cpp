// The five doors give the same events in the same order; and what a door
// promises about turning, waiting and waking.
#include "stress/rig.hpp"

#include <map>

using namespace rig;

namespace {

// One script, played at a door: what came out, object by object.
std::map<uint64_t, std::vector<std::string>> play(Door door, size_t cap, size_t slab) {
  std::map<uint64_t, std::vector<std::string>> log;
  std::mutex mutex;
  auto write = [&](const mw_event& ev, std::string_view body) {
    std::lock_guard lock(mutex);
    if (ev.kind == MW_EVENT_WRITABLE) return;  // merges as it may
    std::string line = std::to_string(ev.kind) + " status " + std::to_string(ev.status) + " code " +
                       std::to_string(ev.code) + " flags " + std::to_string(ev.flags & ~MW_F_REF) + " peer " +
                       (ev.kind != MW_EVENT_UP && ev.peer ? "one" : "-");
    if (ev.kind == MW_EVENT_MESSAGE || ev.kind == MW_EVENT_PEER_DOWN || ev.kind == MW_EVENT_DOWN)
      line += " body " + std::to_string(std::hash<std::string_view>()(body));
    // DONE of a send comes when the kernel took it, whatever arrives meanwhile.
    log[ev.kind == MW_EVENT_DONE ? 1000 + ev.token : ev.token].push_back(line);
  };
  Host server(door, {{"slab.ref_above", "8KiB"}}, [&](const mw_event& ev, std::string_view body) {
    write(ev, body);
    if (ev.kind == MW_EVENT_MESSAGE && body.size() > 5) mw_send_bytes(ev.peer, body.data(), body.size(), ev.flags & MW_F_TEXT);
    if (ev.kind == MW_EVENT_MESSAGE && body == "bye") mw_close(ev.peer, 4007, "go", 2, 0);
  }, cap, slab);
  mw_handle p = server.provider({{"recv.max_message", "1MiB"}}, 11);
  std::string url = server.listen(p);
  Host client(door, {{"slab.ref_above", "8KiB"}}, write, cap, slab);
  mw_handle c = client.consumer(url, {{"reconnect.interval", "60s"}}, 22);
  EXPECT_EQ(mw_start(c, 3, nullptr), MW_OK);
  EXPECT_TRUE(client.wait_kind(MW_EVENT_UP, 1));
  size_t total = 0;
  for (size_t size : {6u, 100u, 0u, 5000u, 20000u, 300000u, 7u, 1000000u, 64u}) {
    mw_msg* m = mw_msg_new(std::string(size, 'm').data(), size, size % 2 ? 0 : MW_F_TEXT);
    mw_status s = mw_send(c, m, 0, 100 + size);
    EXPECT_GE(s, 0) << size;
    mw_msg_unref(m);
    total++;
  }
  EXPECT_TRUE(client.wait_kind(MW_EVENT_MESSAGE, total - 1));
  EXPECT_GE(mw_send_bytes(c, "bye", 3, 0), 0);
  EXPECT_TRUE(client.wait_kind(MW_EVENT_DOWN, 1));
  EXPECT_TRUE(server.wait_kind(MW_EVENT_PEER_DOWN, 1));
  client.end();
  server.end();
  return log;
}

}  // namespace

TEST(Doors, SameEventsSameOrder) {
  auto want = play(Door::inline_, 64, 64 << 10);
  EXPECT_GE(want[22].size(), 10u);
  EXPECT_EQ(want[1022].size(), 10u);
  for (Door d : kDoors)
    for (size_t cap : {1u, 3u, 64u})
      for (size_t slab : {0u, 100u, 64u << 10}) {
        if (d != Door::queue && d != Door::turn && (cap != 64 || slab == 100)) continue;
        auto got = play(d, cap, slab);
        for (auto& [token, lines] : want) EXPECT_EQ(got[token], lines) << name(d) << " cap " << cap << " slab " << slab;
      }
}

TEST(Doors, AHandlerThatMakesEventsDoesNotStarveItsHost) {
  // A message to itself for each message: one dispatch handles what was there.
  Host server(Door::inline_, {}, [](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_MESSAGE) mw_send_bytes(ev.peer, "again", 5, 0);
  });
  std::string url = server.listen(server.provider());
  mw_handle ctx = 0, c = 0;
  ASSERT_EQ(mw_ctx_open(nullptr, &ctx, nullptr), MW_OK);
  ASSERT_EQ(mw_consumer_open(ctx, Conf(MW_CONF_CONSUMER, {{"url", url}, {"wire", "raw"}}), 5, &c, nullptr), MW_OK);
  mw_event_fn again = [](const mw_event* ev, const uint8_t*, void* user) {
    if (ev->kind == MW_EVENT_UP || ev->kind == MW_EVENT_MESSAGE) mw_send_bytes(*static_cast<mw_handle*>(user), "again", 5, 0);
  };
  mw_on(c, again, &c, nullptr);
  ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
  size_t handled = 0;
  auto limit = std::chrono::steady_clock::now() + kPatience;
  while (handled < 500 && std::chrono::steady_clock::now() < limit) {
    mw_ctx_wait(ctx, 1000);
    size_t n = 0;
    ASSERT_GE(mw_ctx_dispatch(ctx, 0, &n), 0);  // returns although each message makes another
    EXPECT_LE(n, 64u);
    handled += n;
  }
  EXPECT_GE(handled, 500u);
  mw_close(ctx, 0, nullptr, 0, MW_CLOSE_ABORT);
  mw_status s = MW_OK;
  while (s >= 0) {
    size_t n = 0;
    mw_ctx_wait(ctx, 1000);
    s = mw_ctx_dispatch(ctx, 0, &n);
  }
  EXPECT_EQ(s, MW_EEND);
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
}

TEST(Doors, TwoTurnersAtOnceAreBusy) {
  mw_handle ctx = 0;
  ASSERT_EQ(mw_ctx_open(Conf(MW_CONF_CTX, {{"threads", "0"}}), &ctx, nullptr), MW_OK);
  std::atomic<int> busy{0}, ok{0};
  std::atomic<bool> over{false};
  Crowd crowd;
  for (int t = 0; t < 3; t++)
    crowd.add([&] {
      for (int i = 0; i < 3000 && !over; i++) {
        mw_status s = mw_ctx_run(ctx, 1, nullptr);
        if (s == MW_EBUSY) busy++;
        else if (s >= 0) ok++;
        else ADD_FAILURE() << mw_status_name(s);
        if (busy > 10 && ok > 10) over = true;
      }
    });
  crowd.go();
  crowd.join();
  EXPECT_GT(busy, 0);
  EXPECT_GT(ok, 0);
  mw_close(ctx, 0, nullptr, 0, 0);
  for (mw_status s = MW_OK; s >= 0;) s = mw_ctx_run(ctx, 100, nullptr);
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
}

TEST(Doors, WakeEndsRunAndWaitFromAnyThread) {
  for (bool host_turned : {true, false}) {
    mw_handle ctx = 0;
    ASSERT_EQ(mw_ctx_open(Conf(MW_CONF_CTX, {{"threads", host_turned ? "0" : "1"}}), &ctx, nullptr), MW_OK);
    for (int i = 0; i < 300; i++) {
      std::thread waker([&] { EXPECT_EQ(mw_ctx_wake(ctx), MW_OK); });
      mw_status s = host_turned ? mw_ctx_run(ctx, 20000, nullptr) : mw_ctx_wait(ctx, 20000);
      EXPECT_TRUE(s == MW_OK || s == MW_MORE) << mw_status_name(s);
      waker.join();
    }
    mw_close(ctx, 0, nullptr, 0, 0);
    if (host_turned) {
      for (mw_status s = MW_OK; s >= 0;) s = mw_ctx_run(ctx, 100, nullptr);
    }
    EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
  }
}
