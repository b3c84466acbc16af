// The descriptor and the waker: never silent while something is to do, under
// level- and edge-triggered pollers, at both doors that hand out records.
#include "stress/rig.hpp"

#include <cstring>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace rig;

namespace {

struct Way {
  const char* what;
  bool host_turned;   // threads=0, else queued
  uint32_t trigger;   // EPOLLET or 0
  size_t cap, slab;   // of one take
  bool until_dry;     // takes while MW_MORE; else goes back to the poller at once
};

const Way kWays[] = {
    {"turn_level", true, 0, 64, 64 << 10, true},
    {"turn_level_one_at_a_time", true, 0, 1, 64, false},
    {"turn_edge", true, EPOLLET, 64, 64 << 10, true},
    {"turn_edge_one_at_a_time", true, EPOLLET, 1, 64, false},
    {"turn_edge_small_slab", true, EPOLLET, 16, 200, false},
    {"turn_edge_no_slab", true, EPOLLET, 3, 0, false},
    {"queue_level", false, 0, 64, 64 << 10, true},
    {"queue_level_one_at_a_time", false, 0, 1, 64, false},
    {"queue_edge", false, EPOLLET, 64, 64 << 10, true},
    {"queue_edge_one_at_a_time", false, EPOLLET, 1, 64, false},
    {"queue_edge_small_slab", false, EPOLLET, 16, 200, false},
    {"queue_edge_no_slab", false, EPOLLET, 3, 0, false},
};

}  // namespace

class Descriptor : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, Descriptor, testing::ValuesIn(kWays), [](auto& i) { return std::string(i.param.what); });

TEST_P(Descriptor, NeverSilentWhileSomethingIsToDo) {
  const Way& way = GetParam();
  constexpr uint64_t kMessages = 2000;
  // The other side: sends at its own pace, counts what comes back.
  std::atomic<uint64_t> echoed{0};
  std::atomic<mw_handle> there{0};
  Host other(Door::inline_, {}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_PEER_UP) there = ev.peer;
    if (ev.kind == MW_EVENT_MESSAGE) echoed++;
  });
  mw_handle p = other.provider();
  std::string url = other.listen(p);

  mw_handle ctx = 0, c = 0;
  ASSERT_EQ(mw_ctx_open(Conf(MW_CONF_CTX, {{"threads", way.host_turned ? "0" : "1"}}), &ctx, nullptr), MW_OK);
  ASSERT_EQ(mw_consumer_open(ctx, Conf(MW_CONF_CONSUMER, {{"url", url}, {"wire", "raw"}}), 5, &c, nullptr), MW_OK);
  int fd = -1;
  ASSERT_EQ(mw_ctx_fd(ctx, &fd), MW_OK);
  int ep = epoll_create1(EPOLL_CLOEXEC);
  epoll_event want{way.trigger | EPOLLIN, {}};
  ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &want), 0);
  ASSERT_EQ(mw_start(c, 7, nullptr), MW_OK);

  std::thread sender([&] {
    if (!kit::eventually([&] { return there != 0; }, 30s)) return ADD_FAILURE() << "no peer";
    Dice dice(3);
    for (uint64_t i = 0; i < kMessages;) {
      char body[64];
      auto n = static_cast<size_t>(snprintf(body, sizeof body, "number %lu", static_cast<unsigned long>(i)));
      if (mw_send_bytes(there, body, n, 0) >= 0) i++;
      if (dice(64) == 0) std::this_thread::yield();
    }
  });

  std::vector<mw_event> events(way.cap);
  std::vector<uint8_t> slab(way.slab + 1);
  uint64_t taken = 0;
  bool closing = false, closed = false;
  while (!closed) {
    epoll_event got{};
    ASSERT_EQ(epoll_wait(ep, &got, 1, 20000), 1) << "silent after " << taken << " messages, " << echoed << " echoed";
    mw_status s;
    do {
      size_t n = 0;
      s = mw_ctx_take(ctx, events.data(), sizeof(mw_event), way.cap, way.slab ? slab.data() : nullptr, way.slab, &n);
      ASSERT_TRUE(s >= 0) << mw_status_name(s);
      for (size_t i = 0; i < n; i++) {
        const mw_event& ev = events[i];
        std::string_view body(reinterpret_cast<const char*>(slab.data()) + ev.offset, ev.body_len);
        auto* m = reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(ev.msg));
        if (ev.flags & MW_F_REF) {
          size_t len = 0;
          auto* text = static_cast<const char*>(mw_msg_body(m, &len));
          body = {text, len};
        }
        if (ev.kind == MW_EVENT_MESSAGE) {
          ASSERT_EQ(body, "number " + std::to_string(taken));
          taken++;
          // Output made between turns: only the descriptor gets it flushed.
          EXPECT_GE(mw_send_bytes(c, body.data(), body.size(), 0), 0);
        }
        if (ev.kind == MW_EVENT_CLOSED && ev.token == 0) closed = true;
        mw_msg_unref(m);
      }
    } while (way.until_dry && s == MW_MORE);
    if (taken == kMessages && !closing) {
      // The echoes leave before the close frame.
      closing = true;
      mw_close(ctx, 0, nullptr, 0, 0);
    }
  }
  sender.join();
  EXPECT_TRUE(other.wait([&] { return echoed == kMessages; })) << echoed;
  ::close(ep);
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
}

// Timers have no other way to speak than the descriptor: a reconnect must
// happen although nothing but the poller is asked.
TEST(Descriptor, TimersRaiseIt) {
  mw_handle ctx = 0, c = 0;
  ASSERT_EQ(mw_ctx_open(Conf(MW_CONF_CTX, {{"threads", "0"}}), &ctx, nullptr), MW_OK);
  ASSERT_EQ(mw_consumer_open(ctx, Conf(MW_CONF_CONSUMER, {{"url", "ws://127.0.0.1:1/x"}, {"reconnect.interval", "5ms"},
                                                           {"reconnect.backoff", "fixed"}, {"reconnect.max_attempts", "5"}}),
                             5, &c, nullptr), MW_OK);
  int fd = -1;
  ASSERT_EQ(mw_ctx_fd(ctx, &fd), MW_OK);
  ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
  int downs = 0;
  bool closed = false, over = false;
  while (!over) {
    pollfd p{fd, POLLIN, 0};
    ASSERT_EQ(poll(&p, 1, 20000), 1) << "silent after " << downs;
    mw_event ev[8];
    uint8_t slab[4096];
    size_t n = 0;
    ASSERT_GE(mw_ctx_take(ctx, ev, sizeof ev[0], 8, slab, sizeof slab, &n), 0);
    for (size_t i = 0; i < n; i++) {
      downs += ev[i].kind == MW_EVENT_DOWN;
      if (ev[i].kind == MW_EVENT_CLOSED) (ev[i].token ? closed : over) = true;
    }
    if (closed && !over) mw_close(ctx, 0, nullptr, 0, 0);
  }
  EXPECT_EQ(downs, 4);  // the fifth failure is the end
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
}

// The waker: a consumer that does nothing but sleep until it is woken never
// sleeps for ever. It arms by taking all; MW_MORE does not arm.
TEST(Waker, NeverLosesAWakeUp) {
  constexpr uint64_t kMessages = 20000;
  Host other(Door::inline_);
  mw_handle p = other.provider();
  std::string url = other.listen(p);

  mw_handle ctx = 0, c = 0;
  ASSERT_EQ(mw_ctx_open(nullptr, &ctx, nullptr), MW_OK);
  int bell = eventfd(0, EFD_CLOEXEC);
  auto ring = [](void* user) {
    uint64_t one = 1;
    EXPECT_EQ(write(*static_cast<int*>(user), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  };
  ASSERT_EQ(mw_ctx_waker(ctx, ring, &bell), MW_OK);
  ASSERT_EQ(mw_consumer_open(ctx, Conf(MW_CONF_CONSUMER, {{"url", url}, {"wire", "raw"}}), 5, &c, nullptr), MW_OK);
  ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);

  std::thread sender([&] {
    if (!other.wait_kind(MW_EVENT_PEER_UP, 1)) return ADD_FAILURE() << "no peer";
    Dice dice(11);
    for (uint64_t i = 0; i < kMessages;) {
      if (mw_send_bytes(other.peer(0), &i, sizeof i, 0) >= 0) i++;
      if (dice(200) == 0) std::this_thread::yield();
    }
  });
  uint64_t taken = 0;
  bool closed = false;
  while (!closed) {
    pollfd b{bell, POLLIN, 0};
    ASSERT_EQ(poll(&b, 1, 20000), 1) << "not woken after " << taken;
    uint64_t rung;
    ASSERT_EQ(read(bell, &rung, sizeof rung), static_cast<ssize_t>(sizeof rung));
    mw_status s;
    do {
      mw_event ev[32];
      uint8_t slab[1024];
      size_t n = 0;
      s = mw_ctx_take(ctx, ev, sizeof ev[0], 32, slab, sizeof slab, &n);
      ASSERT_GE(s, 0);
      for (size_t i = 0; i < n; i++) {
        if (ev[i].kind == MW_EVENT_MESSAGE && ++taken == kMessages) mw_close(ctx, 0, nullptr, 0, 0);
        if (ev[i].kind == MW_EVENT_CLOSED && ev[i].token == 0) closed = true;
      }
    } while (s == MW_MORE);
  }
  sender.join();
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
  ::close(bell);
}

// Installed and removed while it runs; after the removal it never runs again.
TEST(Waker, RemovingWaitsForARunningCall) {
  Host other(Door::inline_);
  mw_handle p = other.provider();
  std::string url = other.listen(p);
  mw_handle ctx = 0, c = 0;
  ASSERT_EQ(mw_ctx_open(nullptr, &ctx, nullptr), MW_OK);
  ASSERT_EQ(mw_consumer_open(ctx, Conf(MW_CONF_CONSUMER, {{"url", url}, {"wire", "raw"}}), 5, &c, nullptr), MW_OK);
  ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
  ASSERT_TRUE(other.wait_kind(MW_EVENT_PEER_UP, 1));
  std::atomic<bool> over{false};
  std::thread sender([&] {
    while (!over) mw_send_bytes(other.peer(0), "x", 1, 0);
  });
  auto take_all = [&] {
    mw_event ev[256];
    size_t n = 0;
    uint8_t slab[4096];
    while (mw_ctx_take(ctx, ev, sizeof ev[0], 256, slab, sizeof slab, &n) == MW_MORE) {
    }
  };
  for (int i = 0; i < 2000; i++) {
    struct Bell {
      std::atomic<int> rung{0};
      std::atomic<bool> dead{false};
    } bell;
    mw_wake_fn ring = [](void* user) {
      auto* b = static_cast<Bell*>(user);
      EXPECT_FALSE(b->dead);
      b->rung++;
    };
    ASSERT_EQ(mw_ctx_waker(ctx, ring, &bell), MW_OK);
    take_all();
    ASSERT_EQ(mw_ctx_waker(ctx, nullptr, nullptr), MW_OK);
    bell.dead = true;  // whoever touched it from here on would touch a dead frame
  }
  over = true;
  sender.join();
  mw_close(ctx, 0, nullptr, 0, 0);
  for (bool closed = false; !closed;) {
    ASSERT_NE(mw_ctx_wait(ctx, 20000), MW_ETIMEDOUT);
    mw_event ev[64];
    size_t n = 0;
    uint8_t slab[4096];
    mw_ctx_take(ctx, ev, sizeof ev[0], 64, slab, sizeof slab, &n);
    for (size_t i = 0; i < n; i++) closed |= ev[i].kind == MW_EVENT_CLOSED && ev[i].token == 0;
  }
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
}

TEST(Waker, RemovedFromInsideItselfIsADeadlock) {
  mw_handle ctx = 0;
  ASSERT_EQ(mw_ctx_open(nullptr, &ctx, nullptr), MW_OK);
  struct Both {
    mw_handle ctx;
    std::atomic<int> answer{0};
  } both{ctx, {}};
  mw_wake_fn ring = [](void* user) {
    auto* b = static_cast<Both*>(user);
    b->answer = mw_ctx_waker(b->ctx, nullptr, nullptr);
  };
  ASSERT_EQ(mw_ctx_waker(ctx, ring, &both), MW_OK);
  mw_close(ctx, 0, nullptr, 0, 0);  // its CLOSED wakes
  EXPECT_TRUE(kit::eventually([&] { return both.answer != 0; }));
  EXPECT_EQ(both.answer, MW_EDEADLOCK);
  EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
}
