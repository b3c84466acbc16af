#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace mw::base {
namespace {

TEST(Clock, MonotonicAgreesWithItselfAndNeverGoesBack) {
  int64_t last = mono_ns();
  for (int i = 0; i < 100000; ++i) {
    const int64_t now = mono_ns();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_LE(std::abs(mono_us() - last / 1000), 1000000);
  EXPECT_LE(std::abs(mono_ms() - last / 1000000), 1000);
}

TEST(Clock, WallIsTimeSince1970) {
  using namespace std::chrono;
  const int64_t now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  EXPECT_LE(std::abs(wall_ms() - now), 1000);
}

}  // namespace
}  // namespace mw::base
