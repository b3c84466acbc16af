// Ends: closing while others take, join and use; thousands of lives without a
// trace; closing in every state.
#include "stress/rig.hpp"

#include <cstdio>
#include <fstream>
#include <unistd.h>

using namespace rig;

namespace {

long resident_kib() {
  std::ifstream f("/proc/self/statm");
  long size = 0, resident = 0;
  f >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

}  // namespace

class Ending : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Doors, Ending, testing::ValuesIn(kDoors), [](auto& i) { return std::string(name(i.param)); });

TEST_P(Ending, ContextClosedWhileItsEventsAreTaken) {
  for (int round = 0; round < 20; round++) {
    Host server(GetParam(), {}, [](const mw_event& ev, std::string_view) {
      if (ev.kind == MW_EVENT_MESSAGE) mw_send_bytes(ev.peer, "x", 1, 0);
    });
    std::string url = server.listen(server.provider());
    std::atomic<mw_handle> target{0};
    Host client(GetParam(), {}, [&](const mw_event& ev, std::string_view) {
      if (ev.kind == MW_EVENT_MESSAGE || ev.kind == MW_EVENT_UP) mw_send_bytes(target, "x", 1, 0);
    });
    target = client.consumer(url);
    ASSERT_EQ(mw_start(target, 0, nullptr), MW_OK);
    ASSERT_TRUE(client.wait_kind(MW_EVENT_MESSAGE, 5 + static_cast<uint64_t>(round)));
    Crowd crowd;
    crowd.add([&] { mw_close(client.ctx, 0, nullptr, 0, round % 2 ? MW_CLOSE_ABORT : 0); });
    crowd.add([&] { mw_close(server.ctx, 0, nullptr, 0, 0); });
    crowd.add([&] { for (int i = 0; i < 200; i++) mw_send_bytes(target, "y", 1, 0); });
    crowd.go();
    crowd.join();
  }
}

TEST_P(Ending, LeavesNothingBehind) {
  auto live = [&](int lives) {
    for (int i = 0; i < lives; i++) {
      mw_handle p, c;
      Host host(GetParam());
      p = host.provider();
      std::string url = host.listen(p);
      c = host.consumer(url);
      ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
      ASSERT_TRUE(host.wait_kind(MW_EVENT_PEER_UP, 1) && host.wait_kind(MW_EVENT_UP, 2));
      ASSERT_GE(mw_send_bytes(c, "x", 1, 0), 0);
      ASSERT_TRUE(host.wait_kind(MW_EVENT_MESSAGE, 1));
    }
  };
  live(20);  // what a process makes once: arenas, the first chunk of the table
  auto fds = kit::open_descriptors().size();
  long before = resident_kib();
  live(100);
  EXPECT_EQ(kit::open_descriptors().size(), fds);
  long grown = resident_kib() - before;
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  // 100 lives: less than 40 KiB each, most of it slots that are resting (DESIGN 5, Ids).
  EXPECT_LT(grown, 4096) << "KiB";
#else
  (void)grown;
#endif
}

TEST_P(Ending, ContextsThatNeverDidAnything) {
  for (int i = 0; i < 300; i++) Host host(GetParam());
}

// A handle that is just dying when its context closes.
TEST_P(Ending, HandleAndContextClosedAtOnce) {
  for (int i = 0; i < 300; i++) {
    Host host(GetParam());
    mw_handle c = host.consumer("ws://127.0.0.1:1/connect"), p = host.provider();
    EXPECT_EQ(mw_close(c, 0, nullptr, 0, 0), MW_OK);
    if (i % 3 == 0) {
      ASSERT_TRUE(host.wait_kind(MW_EVENT_CLOSED, 1));
    }
    if (i % 2) mw_close(p, 0, nullptr, 0, MW_CLOSE_ABORT);
  }
}

TEST_P(Ending, ClosedBeforeReadyAtEveryMoment) {
  Host server(Door::inline_);
  std::string url = server.listen(server.provider());
  for (int i = 0; i < 60; i++) {
    Host client(GetParam());
    mw_handle c = client.consumer(url);
    ASSERT_EQ(mw_start(c, 1, nullptr), MW_OK);
    // A little later each time: before the dial, in the handshake, after UP.
    for (int spin = 0; spin < i * 20; spin++) mw_state(c);
    mw_close(c, 0, nullptr, 0, i % 3 == 0 ? MW_CLOSE_ABORT : 0);
    ASSERT_TRUE(client.wait_kind(MW_EVENT_CLOSED, 1));
    ASSERT_EQ(client.count(MW_EVENT_DONE), 1u);
  }
  EXPECT_TRUE(server.wait([&] { return true; }));
}

TEST(Join, FromManyThreadsAtOnce) {
  for (int i = 0; i < 100; i++) {
    mw_handle ctx = 0;
    ASSERT_EQ(mw_ctx_open(nullptr, &ctx, nullptr), MW_OK);
    std::atomic<int> ended{0};
    Crowd crowd;
    for (int t = 0; t < 3; t++)
      crowd.add([&] {
        mw_status s = mw_ctx_join(ctx, 10000);
        // The first one waits; who comes later finds it gone, or being joined, or not closed yet.
        EXPECT_TRUE(s == MW_OK || s == MW_ECLOSED || s == MW_EBUSY || s == MW_ESTATE) << mw_status_name(s);
        if (s == MW_OK) ended++;
      });
    crowd.add([&] { mw_close(ctx, 0, nullptr, 0, 0); });
    crowd.go();
    crowd.join();
    if (ended == 0) {
      EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
    }
    EXPECT_EQ(mw_state(ctx), MW_ECLOSED);
  }
}

TEST(Join, TimesOutWhileACallbackDoesNotReturn) {
  std::atomic<bool> in{false}, out{false};
  mw_handle ctx = 0;
  {
    Host server(Door::inline_, {}, [&](const mw_event& ev, std::string_view) {
      if (ev.kind != MW_EVENT_UP) return;
      in = true;
      kit::eventually([&] { return out.load(); });
    });
    ctx = server.ctx;
    mw_handle p = server.provider();
    ASSERT_EQ(mw_start(p, 0, nullptr), MW_OK);
    ASSERT_TRUE(kit::eventually([&] { return in.load(); }));
    mw_close(ctx, 0, nullptr, 0, 0);
    EXPECT_EQ(mw_ctx_join(ctx, 20), MW_ETIMEDOUT);
    out = true;
  }
}
