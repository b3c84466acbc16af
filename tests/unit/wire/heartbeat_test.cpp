#include "wire/heartbeat.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mw::wire {
namespace {

TEST(Beat, Reads) {
  int64_t ms = 0;
  EXPECT_EQ(read_beat("PING", &ms), Beat::ping);
  EXPECT_EQ(read_beat("PONG", &ms), Beat::pong);
  EXPECT_EQ(read_beat("PROVIDER_HEARTBEAT|10000", &ms), Beat::hello);
  EXPECT_EQ(ms, 10000);
  EXPECT_EQ(read_beat("PROVIDER_HEARTBEAT|86400000", &ms), Beat::hello);
  EXPECT_EQ(ms, 86'400'000);
}

TEST(Beat, EverythingElseIsTheApplications) {
  int64_t ms = 7;
  for (const char* text :
       {"", "ping", "PING ", " PING", "PINGPONG", "PROVIDER_HEARTBEAT", "PROVIDER_HEARTBEAT|",
        "PROVIDER_HEARTBEAT|0", "PROVIDER_HEARTBEAT|-5", "PROVIDER_HEARTBEAT|+5", "PROVIDER_HEARTBEAT|5x",
        "PROVIDER_HEARTBEAT| 5", "PROVIDER_HEARTBEAT|86400001", "PROVIDER_HEARTBEAT|99999999999999999999",
        "PROVIDER_HEARTBEAT|999999999999999999999", "provider_heartbeat|5"})
    EXPECT_EQ(read_beat(text, &ms), Beat::none) << text;
  EXPECT_EQ(ms, 7);
}

TEST(Beat, ComesBack) {
  for (int64_t n : {int64_t{1}, int64_t{30000}, int64_t{86'400'000}}) {
    char out[kMaxBeat];
    size_t size = put_beat_hello(out, n);
    int64_t ms = 0;
    EXPECT_EQ(read_beat({out, size}, &ms), Beat::hello);
    EXPECT_EQ(ms, n);
  }
  char out[kMaxBeat];
  EXPECT_EQ(put_beat_hello(out, INT64_MAX), kBeatHello.size() + 19);
}

}  // namespace
}  // namespace mw::wire
