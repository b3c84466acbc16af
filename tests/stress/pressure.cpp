// Tiny limits: what is refused is followed by WRITABLE, nothing accepted is
// lost, whatever thread sends and however little room there is.
#include "stress/rig.hpp"

#include <cstring>
#include <map>

using namespace rig;

namespace {

struct Limits {
  const char* what;
  Options ctx, consumer;
  size_t body;
};

const Limits kLimits[] = {
    {"send_bytes", {}, {{"send.max_bytes", "2KiB"}, {"send.soft_bytes", "512"}}, 100},
    {"one_message", {}, {{"send.max_bytes", "1KiB"}, {"send.soft_bytes", "1KiB"}}, 900},
    {"empty_messages", {}, {{"send.max_bytes", "1KiB"}, {"send.soft_bytes", "1KiB"}}, 0},
    {"inbox_of_one", {{"inbox.max_events", "1"}}, {}, 10},
    {"inbox_bytes", {{"inbox.max_bytes", "4KiB"}}, {}, 3000},
    {"memory", {{"memory.max_bytes", "256KiB"}}, {{"send.max_bytes", "4MiB"}}, 3000},
};

}  // namespace

class Pressure : public testing::TestWithParam<std::tuple<Door, Limits>> {};
INSTANTIATE_TEST_SUITE_P(All, Pressure, testing::Combine(testing::ValuesIn(kDoors), testing::ValuesIn(kLimits)),
                         [](auto& i) {
                           return std::string(name(std::get<0>(i.param))) + "_" + std::get<1>(i.param).what;
                         });

// Three threads send through one consumer; each number arrives once and each
// thread's numbers in order.
TEST_P(Pressure, EverythingArrivesAndWritableIsNeverLost) {
  auto& [door, limits] = GetParam();
  constexpr uint32_t kThreads = 3, kEach = 400;
  uint32_t seen[kThreads] = {};
  std::atomic<uint64_t> received{0};
  Host server(door, limits.ctx, [&](const mw_event& ev, std::string_view body) {
    if (ev.kind != MW_EVENT_MESSAGE) return;
    if (body.size() >= 8) {
      uint32_t who, number;
      memcpy(&who, body.data(), 4);
      memcpy(&number, body.data() + 4, 4);
      ASSERT_LT(who, kThreads);
      EXPECT_EQ(number, seen[who]) << "of thread " << who;
      seen[who] = number + 1;
    }
    received++;
  });
  mw_handle p = server.provider();
  std::string url = server.listen(p);
  std::atomic<uint64_t> writable{0};
  Host client(door, limits.ctx, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_WRITABLE) writable++;
  });
  mw_handle c = client.consumer(url, limits.consumer);
  ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
  ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, 1));

  std::atomic<uint64_t> refused{0};
  Crowd crowd;
  for (uint32_t t = 0; t < kThreads; t++)
    crowd.add([&, t, body = std::string(limits.body, 'x')]() mutable {
      for (uint32_t i = 0; i < kEach; i++) {
        if (body.size() >= 8) memcpy(body.data(), &t, 4), memcpy(body.data() + 4, &i, 4);
        for (;;) {
          uint64_t before = writable;
          mw_status s = mw_send_bytes(c, body.data(), body.size(), 0);
          if (s >= 0) break;
          refused++;
          ASSERT_TRUE(s == MW_EAGAIN || s == MW_EMEMORY) << mw_status_name(s);
          ASSERT_TRUE(client.wait([&] { return writable != before; })) << "WRITABLE was lost";
        }
      }
    });
  crowd.go();
  crowd.join();
  EXPECT_TRUE(server.wait([&] { return received == kThreads * kEach; })) << received << " of " << kThreads * kEach;
  int64_t buffered = -1;
  EXPECT_TRUE(kit::eventually([&] { return mw_stat(c, MW_STAT_BUFFERED, &buffered) == MW_OK && buffered == 0; }))
      << buffered;
}

// One budget, several peers: each that was refused is told.
TEST(Budget, EveryPeerRefusedIsTold) {
  constexpr size_t kPeers = 4;
  Host client(Door::inline_);
  std::mutex mutex;
  std::map<mw_handle, uint64_t> writable;
  Host server(Door::inline_, {{"memory.max_bytes", "1MiB"}}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind != MW_EVENT_WRITABLE) return;
    std::lock_guard lock(mutex);
    writable[ev.peer]++;
  });
  mw_handle p = server.provider({{"send.max_bytes", "8MiB"}});
  std::string url = server.listen(p);
  std::vector<mw_handle> consumers;
  for (size_t i = 0; i < kPeers; i++) {
    consumers.push_back(client.consumer(url, {}, 20 + i));
    mw_start(consumers.back(), 0, nullptr);
    ASSERT_TRUE(server.wait_kind(MW_EVENT_PEER_UP, i + 1));
  }
  for (mw_handle c : consumers) ASSERT_EQ(mw_pause(c, 1), MW_OK);
  // Each fills what is left; all end refused.
  std::string body(16 << 10, 'b');
  size_t full = 0;
  uint64_t sent = 0;
  for (int i = 0; i < 100000 && full < kPeers; i++) {
    full = 0;
    for (size_t k = 0; k < kPeers; k++) {
      mw_status s = mw_send_bytes(server.peer(k), body.data(), body.size(), 0);
      if (s >= 0) sent++;
      if (s == MW_EMEMORY || s == MW_EAGAIN) full++;
    }
  }
  ASSERT_EQ(full, kPeers);
  for (mw_handle c : consumers) ASSERT_EQ(mw_pause(c, 0), MW_OK);
  EXPECT_TRUE(server.wait([&] {
    std::lock_guard lock(mutex);
    for (size_t k = 0; k < kPeers; k++)
      if (writable.empty()) return false;
    return writable.size() == kPeers;
  }));
  EXPECT_TRUE(client.wait_kind(MW_EVENT_MESSAGE, sent));
}
