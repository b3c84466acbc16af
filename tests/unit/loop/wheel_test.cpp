#include "loop/wheel.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace mw::loop {
namespace {

struct Probe final : Timer {
  const uint64_t* now = nullptr;
  uint64_t fired = 0;
  void expired() noexcept override { fired = *now; }
};

// A turn between the begin of a timer's slot and its time must not lose it.
TEST(Wheel, ATurnJustBeforeItsTimeDoesNotDelayATimer) {
  uint64_t now = 0;
  Wheel w;
  w.reset(now);
  Probe p;
  p.now = &now;
  w.set(p, 100);
  w.advance(now = 70);
  EXPECT_EQ(p.fired, 0u);
  EXPECT_LE(w.next(), 100u);
  w.advance(now = 100);
  EXPECT_EQ(p.fired, 100u);
}

// Whatever the turns: each timer expires in the first turn at or after its
// time, and next() never promises more rest than there is.
TEST(Wheel, TimersExpireInTheFirstTurnAfterTheirTime) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    uint64_t now = random() % 100000, before = now;
    Wheel w;
    w.reset(now);
    std::vector<std::unique_ptr<Probe>> all;
    for (int turn = 0; turn < 300; ++turn) {
      for (uint64_t n = random() % 3; n > 0; --n) {
        all.push_back(std::make_unique<Probe>());
        all.back()->now = &now;
        const int bits = static_cast<int>(random() % 20);
        w.set(*all.back(), now + 1 + (random() & ((1ull << bits) - 1)));
      }
      before = now;
      const int step = static_cast<int>(random() % 14);
      now += random() & ((1ull << step) - 1);
      if (now == before) ++now;
      w.advance(now);
      uint64_t soonest = UINT64_MAX;
      for (const auto& p : all) {
        if (p->fired != 0) {
          EXPECT_GE(p->fired, p->at);
          continue;
        }
        ASSERT_GT(p->at, now) << "round " << round << " turn " << turn;
        soonest = std::min(soonest, p->at);
      }
      EXPECT_LE(w.next(), soonest);
    }
    for (const auto& p : all) Wheel::cancel(*p);
  }
}

}  // namespace
}  // namespace mw::loop
