// The id table: opened, closed and looked up from many threads; a stale id
// stays stale, a slot comes back only after 4,096 others.
#include "stress/rig.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

using namespace rig;

TEST(Table, StaleIdsAnswerClosedAndSlotsRest) {
  Host host(Door::inline_);
  std::vector<mw_handle> all;
  std::unordered_map<uint32_t, size_t> last;  // slot -> when it was given back
  size_t soonest = SIZE_MAX;
  for (size_t i = 0; i < 9000; i++) {
    mw_handle h = host.consumer("ws://127.0.0.1:1/connect", {}, 100 + i);
    ASSERT_NE(h, 0u);
    ASSERT_LT(h, 1ull << 53);
    uint32_t slot = h & 0xffffff;
    if (auto it = last.find(slot); it != last.end()) soonest = std::min(soonest, i - it->second);
    last[slot] = i;
    ASSERT_EQ(mw_close(h, 0, nullptr, 0, 0), MW_OK);
    all.push_back(h);
  }
  ASSERT_TRUE(host.wait_kind(MW_EVENT_CLOSED, 9000));
  EXPECT_GE(soonest, 4096u);
  std::set<mw_handle> distinct(all.begin(), all.end());
  EXPECT_EQ(distinct.size(), all.size());
  for (mw_handle h : all) {
    ASSERT_EQ(mw_state(h), MW_ECLOSED);
    ASSERT_EQ(mw_send_bytes(h, "x", 1, 0), MW_ECLOSED);
    ASSERT_EQ(mw_close(h, 0, nullptr, 0, 0), MW_ECLOSED);
    ASSERT_EQ(mw_start(h, 0, nullptr), MW_ECLOSED);
  }
}

TEST(Table, NumbersNobodyGaveAreRefused) {
  Host host(Door::inline_);
  Dice dice(7);
  for (int i = 0; i < 200000; i++) {
    mw_handle h = (static_cast<uint64_t>(dice(1u << 31)) << 31 | dice(1u << 31)) & ((1ull << 53) - 1);
    if (h == host.ctx) continue;
    mw_status s = mw_state(h);
    ASSERT_LT(s, 0) << h;
  }
  EXPECT_EQ(mw_state(0), MW_ECLOSED);
  EXPECT_LT(mw_state(~0ull), 0);
}

// Some open and close, others use whatever number they see.
TEST(Table, RacesOfOpenCloseAndUse) {
  Host host(Door::inline_, {{"threads", "2"}});
  std::atomic<mw_handle> board[64] = {};
  std::atomic<bool> over{false};
  std::atomic<uint64_t> opened{0};
  Crowd crowd;
  for (uint64_t t = 0; t < 3; t++)
    crowd.add([&, t] {
      Dice dice(t + 1);
      for (int i = 0; i < 1500; i++) {
        mw_handle h = host.consumer("ws://127.0.0.1:1/connect", {}, 1000 + t);
        opened++;
        mw_handle old = board[dice(64)].exchange(h);
        if (old) mw_close(old, 0, nullptr, 0, dice(2) ? MW_CLOSE_ABORT : 0);
      }
      over = true;
    });
  for (uint64_t t = 0; t < 3; t++)
    crowd.add([&, t] {
      Dice dice(t + 50);
      mw_msg* m = mw_msg_new("x", 1, 0);
      while (!over) {
        mw_handle h = board[dice(64)].load();
        if (h == 0) continue;
        int64_t value = 0;
        switch (dice(7)) {
          case 0: mw_state(h); break;
          case 1: mw_stat(h, MW_STAT_BUFFERED, &value); break;
          case 2: EXPECT_LT(mw_send_bytes(h, "x", 1, 0), 0); break;
          case 3: mw_token(h, dice(1000) + 1); break;
          case 4: mw_pause(h, static_cast<int>(dice(2))); break;
          case 5: {
            mw_msg* now = nullptr;
            mw_info(h, "config", MW_NTS, &now, 0, nullptr);
            mw_msg_unref(now);
            break;
          }
          case 6: EXPECT_LT(mw_publish(h, "t", 1, m, 0, 0, 0), 0); break;
        }
      }
      mw_msg_unref(m);
    });
  crowd.go();
  crowd.join();
  for (auto& h : board)
    if (h) mw_close(h, 0, nullptr, 0, 0);
  EXPECT_TRUE(host.wait_kind(MW_EVENT_CLOSED, opened));
}
