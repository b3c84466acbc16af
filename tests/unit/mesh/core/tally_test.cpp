#include "mesh/core/tally.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

TEST(Tally, SmallTimesAreExact) {
  Latency l;
  for (uint64_t us = 0; us < 8; ++us) l.add(us);
  EXPECT_EQ(l.total(), 8u);
  EXPECT_EQ(l.sum(), 28u);
  EXPECT_EQ(l.mean(), 3u);
  EXPECT_EQ(l.max(), 7u);
  EXPECT_EQ(l.at(0.5), 4u);
  EXPECT_EQ(l.at(1), 7u);
  EXPECT_EQ(l.at(0), 0u);
}

TEST(Tally, LargeTimesAreAtMostAQuarterTooHigh) {
  for (uint64_t us = 1; us < UINT32_MAX / 3; us = us * 3 + 1) {
    Latency l;
    l.add(us);
    l.add(us * 2);  // so that the largest does not bound it
    EXPECT_GE(l.at(0.25), us);
    EXPECT_LE(l.at(0.25), us + us / 4) << us;
  }
}

TEST(Tally, ShareOfAll) {
  Latency l;
  for (int i = 0; i < 98; ++i) l.add(100);
  l.add(10'000);
  l.add(1'000'000);
  EXPECT_LE(l.at(0.5), 125u);
  EXPECT_GE(l.at(0.98), 10'000u);
  EXPECT_LE(l.at(0.98), 12'500u);
  EXPECT_EQ(l.at(0.99), 1'000'000u);
}

TEST(Tally, NothingIsBeyondIt) {
  Latency l;
  l.add(UINT64_MAX);
  EXPECT_EQ(l.max(), UINT32_MAX);
  EXPECT_EQ(l.at(0.5), UINT32_MAX);
}

TEST(Tally, EachIsUpwardsAndWhole) {
  Latency l;
  for (uint64_t us : {5u, 5u, 70u, 9000u}) l.add(us);
  uint64_t last = 0, sum = 0;
  l.each([&](uint64_t most, uint64_t n) {
    EXPECT_TRUE(sum == 0 || most > last);
    last = most;
    sum += n;
  });
  EXPECT_EQ(sum, 4u);
  EXPECT_GE(last, 9000u);
}

TEST(Tally, Ends) {
  Tally t;
  t.begin();
  t.begin();
  t.begin();
  EXPECT_EQ(t.open, 3u);
  t.end(MW_OK, 10);
  t.end(MW_ETIMEDOUT, 30);
  t.end(MW_OK, -1);
  EXPECT_EQ(t.open, 0u);
  EXPECT_EQ(t.ended, 3u);
  EXPECT_EQ(t.failed, 1u);
  EXPECT_EQ(t.last_failure, MW_ETIMEDOUT);
  EXPECT_EQ(t.latency.total(), 2u);
}

}  // namespace
}  // namespace mw::mesh::core
