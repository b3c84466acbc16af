#include "wire/varint.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mw::wire {
namespace {

struct Got {
  bool ok;
  uint64_t value = 0;
  size_t left = 0;
};
Got get(const std::vector<uint8_t>& b) {
  Bytes in{b.data(), b.data() + b.size()};
  Got g{};
  g.ok = in.varint(g.value);
  g.left = in.left();
  return g;
}

TEST(Varint, Edges) {
  struct Case {
    uint64_t value;
    std::vector<uint8_t> bytes;
  };
  for (const auto& c : {Case{0, {0}}, Case{1, {1}}, Case{127, {0x7F}}, Case{128, {0x80, 1}}, Case{300, {0xAC, 2}},
                        Case{16383, {0xFF, 0x7F}}, Case{16384, {0x80, 0x80, 1}},
                        Case{UINT64_MAX, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1}}}) {
    uint8_t out[kMaxVarint];
    ASSERT_EQ(put_varint(out, c.value), c.bytes.size());
    EXPECT_EQ(std::vector<uint8_t>(out, out + c.bytes.size()), c.bytes);
    EXPECT_EQ(varint_size(c.value), c.bytes.size());
    auto g = get(c.bytes);
    EXPECT_TRUE(g.ok);
    EXPECT_EQ(g.value, c.value);
    EXPECT_EQ(g.left, 0u);
    for (size_t n = 0; n < c.bytes.size(); n++)
      EXPECT_FALSE(get({c.bytes.begin(), c.bytes.begin() + static_cast<long>(n)}).ok);
  }
}

TEST(Varint, Refuses) {
  EXPECT_FALSE(get({0x80, 0x00}).ok);              // not minimal
  EXPECT_FALSE(get({0xFF, 0x80, 0x00}).ok);
  EXPECT_FALSE(get({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2}).ok);     // 65 bits
  EXPECT_FALSE(get({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0}).ok);
  uint64_t v = 0;
  uint8_t five = 5;
  Bytes in{&five, &five + 1};
  EXPECT_FALSE(in.varint(v, 4));
}

TEST(Varint, RoundTrip) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 100000; i++) {
    uint64_t v = random() >> (random() % 64);
    uint8_t out[kMaxVarint];
    size_t n = put_varint(out, v);
    ASSERT_EQ(n, varint_size(v));
    Bytes in{out, out + n};
    uint64_t back = 0;
    ASSERT_TRUE(in.varint(back));
    ASSERT_EQ(back, v);
  }
}

}  // namespace
}  // namespace mw::wire
