#include "wire/frame.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace mw::wire {
namespace {

using Raw = std::vector<uint8_t>;

struct Seen {
  HeadStatus status;
  Head head{};
  Violation v;
};

Seen read(const Raw& b, bool expect_masked, bool rsv1 = false) {
  Seen s{};
  // Exactly sized memory, so that a sanitizer sees a read past the end.
  auto exact = std::make_unique<uint8_t[]>(b.size());
  if (!b.empty()) std::memcpy(exact.get(), b.data(), b.size());
  s.status = read_head(exact.get(), b.size(), expect_masked, rsv1, s.head, s.v);
  return s;
}

Raw head(uint8_t opcode, bool fin, bool rsv1, uint64_t len, bool masked, uint32_t key) {
  Raw out(kMaxHead);
  size_t n = masked ? put_head_masked(out.data(), opcode, fin, rsv1, len, key)
                    : put_head(out.data(), opcode, fin, rsv1, len);
  out.resize(n);
  return out;
}

void expect_bad(const Raw& b, bool expect_masked, const char* reason, bool rsv1 = false) {
  auto s = read(b, expect_masked, rsv1);
  EXPECT_EQ(s.status, HeadStatus::bad);
  EXPECT_EQ(s.v.code, 1002);
  EXPECT_STREQ(s.v.reason, reason);
}

TEST(Frame, RfcExamples) {
  // RFC 6455 5.7.
  auto s = read({0x81, 0x05, 'H', 'e', 'l', 'l', 'o'}, false);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_EQ(s.head.opcode, kText);
  EXPECT_TRUE(s.head.fin);
  EXPECT_EQ(s.head.length, 5u);
  EXPECT_EQ(s.head.size, 2);

  Raw masked = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
  s = read(masked, true);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_EQ(s.head.size, 6);
  mask(masked.data() + 6, 5, s.head.key);
  EXPECT_EQ(std::string(masked.begin() + 6, masked.end()), "Hello");

  s = read({0x01, 0x03, 'H', 'e', 'l'}, false);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_FALSE(s.head.fin);
  s = read({0x80, 0x02, 'l', 'o'}, false);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_EQ(s.head.opcode, kCont);
  s = read({0x89, 0x05, 'H', 'e', 'l', 'l', 'o'}, false);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_EQ(s.head.opcode, kPing);
  s = read({0x82, 0x7E, 0x01, 0x00}, false);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_EQ(s.head.length, 256u);
  s = read({0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}, false);
  ASSERT_EQ(s.status, HeadStatus::ok);
  EXPECT_EQ(s.head.length, 65536u);
  EXPECT_EQ(s.head.size, 10);
}

TEST(Frame, EveryHeaderComesBack) {
  for (uint64_t len : {uint64_t{0}, uint64_t{1}, uint64_t{125}, uint64_t{126}, uint64_t{127}, uint64_t{128},
                       uint64_t{65535}, uint64_t{65536}, uint64_t{1} << 32, (uint64_t{1} << 63) - 1})
    for (uint8_t op : {kCont, kText, kBinary, kClose, kPing, kPong})
      for (int bits = 0; bits < 8; bits++) {
        bool fin = bits & 1, rsv1 = bits & 2, masked = bits & 4;
        auto b = head(op, fin, rsv1, len, masked, 0xDEADBEEF);
        EXPECT_EQ(b.size(), head_size(len, masked));
        bool legal = is_control(op) ? fin && !rsv1 && len <= 125 : !rsv1 || op != kCont;
        auto s = read(b, masked, true);
        ASSERT_EQ(s.status, legal ? HeadStatus::ok : HeadStatus::bad) << int(op) << " " << len << " " << bits;
        if (!legal) continue;
        EXPECT_EQ(s.head.length, len);
        EXPECT_EQ(s.head.opcode, op);
        EXPECT_EQ(s.head.fin, fin);
        EXPECT_EQ(s.head.rsv1, rsv1);
        EXPECT_EQ(s.head.masked, masked);
        EXPECT_EQ(s.head.key, masked ? 0xDEADBEEFu : 0u);
        EXPECT_EQ(s.head.size, b.size());
      }
}

TEST(Frame, CutHeadersWantMore) {
  for (uint64_t len : {uint64_t{3}, uint64_t{300}, uint64_t{70000}})
    for (bool masked : {false, true}) {
      auto whole = head(kBinary, true, false, len, masked, 7);
      for (size_t n = 0; n < whole.size(); n++)
        EXPECT_EQ(read(Raw(whole.begin(), whole.begin() + static_cast<long>(n)), masked).status, HeadStatus::more)
            << n;
    }
}

TEST(Frame, ReservedBits) {
  for (uint8_t bit : {0x40, 0x20, 0x10})
    for (uint8_t op : {kCont, kText, kBinary, kClose, kPing, kPong}) {
      expect_bad({static_cast<uint8_t>(0x80 | bit | op), 0x00}, false, "reserved bits");
      // Told from the first byte alone, and with a whole frame there.
      expect_bad({static_cast<uint8_t>(0x80 | bit | op)}, false, "reserved bits");
      expect_bad({static_cast<uint8_t>(0x80 | bit | op), 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9}, true, "reserved bits");
    }
  // With permessage-deflate, the first bit marks the first data frame and nothing else.
  EXPECT_EQ(read({0xC1, 0x00}, false, true).status, HeadStatus::ok);
  EXPECT_EQ(read({0x42, 0x00}, false, true).status, HeadStatus::ok);
  expect_bad({0xC0, 0x00}, false, "reserved bits", true);
  expect_bad({0xC9, 0x00}, false, "reserved bits", true);
  expect_bad({0xE1, 0x00}, false, "reserved bits", true);
}

TEST(Frame, ReservedOpcodes) {
  for (uint8_t op : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    expect_bad({static_cast<uint8_t>(0x80 | op), 0x00}, false, "reserved opcode");
    expect_bad({static_cast<uint8_t>(0x80 | op), 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9}, true, "reserved opcode");
  }
}

TEST(Frame, Masking) {
  expect_bad({0x82, 0x05, 1, 2, 3, 4, 5, 6, 7}, true, "frame not masked");
  expect_bad({0x82, 0x85, 1, 2, 3, 4, 5, 6, 7}, false, "masked frame");
  expect_bad({0x89, 0x00}, true, "frame not masked");
  expect_bad({0x89, 0x80}, false, "masked frame");
}

TEST(Frame, ControlFrames) {
  for (uint8_t op : {kClose, kPing, kPong}) {
    expect_bad({op, 0x00}, false, "fragmented control frame");
    EXPECT_EQ(read({static_cast<uint8_t>(0x80 | op), 125}, false).status, HeadStatus::ok);
    expect_bad({static_cast<uint8_t>(0x80 | op), 126}, false, "control frame too long");
    expect_bad({static_cast<uint8_t>(0x80 | op), 126, 0, 126}, false, "control frame too long");
    expect_bad({static_cast<uint8_t>(0x80 | op), 127, 0, 0, 0, 0, 0, 1, 0, 0}, false, "control frame too long");
  }
}

TEST(Frame, LengthsAreMinimal) {
  expect_bad({0x82, 126, 0, 125}, false, "length not minimal");
  expect_bad({0x82, 126, 0, 125, 9, 9, 9, 9, 9, 9}, false, "length not minimal");
  expect_bad({0x82, 0xFE, 0, 125, 9, 9, 9, 9, 9, 9}, true, "length not minimal");
  EXPECT_EQ(read({0x82, 126, 0, 126}, false).status, HeadStatus::ok);
  expect_bad({0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, false, "length not minimal");
  expect_bad({0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, false, "length over 63 bits");
}

TEST(Frame, Order) {
  Violation v;
  EXPECT_TRUE(in_order(false, kText, v));
  EXPECT_TRUE(in_order(false, kBinary, v));
  EXPECT_TRUE(in_order(true, kCont, v));
  for (bool inside : {false, true})
    for (uint8_t op : {kClose, kPing, kPong}) EXPECT_TRUE(in_order(inside, op, v));
  EXPECT_FALSE(in_order(false, kCont, v));
  EXPECT_STREQ(v.reason, "continuation of nothing");
  EXPECT_FALSE(in_order(true, kText, v));
  EXPECT_STREQ(v.reason, "new message inside a fragmented one");
  EXPECT_EQ(v.code, 1002);
}

// The fast path and the plain one must agree on every two first bytes.
TEST(Frame, BothPathsAgree) {
  for (int b0 = 0; b0 < 256; b0++)
    for (int b1 = 0; b1 < 256; b1++)
      for (int kind = 0; kind < 4; kind++) {
        bool masked = kind & 1, rsv1 = kind & 2;
        for (uint8_t third : {0x00, 0x01}) {
          Raw b = {static_cast<uint8_t>(b0), static_cast<uint8_t>(b1), third, 0x7D, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
          for (size_t n : {size_t{4}, size_t{6}, size_t{8}, size_t{14}}) {
            Head a{}, c{};
            Violation va, vc;
            auto fast = read_head(b.data(), n, masked, rsv1, a, va);
            auto slow = detail::read_head_slow(b.data(), n, masked, rsv1, c, vc);
            ASSERT_EQ(fast, slow) << b0 << " " << b1 << " " << n;
            ASSERT_STREQ(va.reason, vc.reason);
            if (fast != HeadStatus::ok) continue;
            ASSERT_EQ(a.length, c.length);
            ASSERT_EQ(a.key, c.key);
            ASSERT_EQ(a.size, c.size);
            ASSERT_EQ(a.opcode, c.opcode);
            ASSERT_EQ(a.fin, c.fin);
            ASSERT_EQ(a.rsv1, c.rsv1);
            ASSERT_EQ(a.masked, c.masked);
          }
        }
      }
}

TEST(Mask, EqualsTheDefinition) {
  std::mt19937 random(1);
  for (size_t n = 0; n < 300; n++)
    for (size_t shift = 0; shift < 4; shift++) {
      Raw in(n + shift);
      for (auto& b : in) b = static_cast<uint8_t>(random());
      uint8_t key[4];
      for (auto& b : key) b = static_cast<uint8_t>(random());
      uint32_t word;
      std::memcpy(&word, key, 4);
      Raw want(in.begin() + static_cast<long>(shift), in.end());
      for (size_t i = 0; i < n; i++) want[i] ^= key[i % 4];
      Raw copied(n);
      mask_copy(copied.data(), in.data() + shift, n, word);
      EXPECT_EQ(copied, want);
      mask(in.data() + shift, n, word);
      EXPECT_EQ(Raw(in.begin() + static_cast<long>(shift), in.end()), want);
    }
}

TEST(Mask, PiecesEqualTheWhole) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; round++) {
    Raw in(random() % 500);
    for (auto& b : in) b = static_cast<uint8_t>(random());
    auto key = static_cast<uint32_t>(random());
    Raw whole = in;
    mask(whole.data(), whole.size(), key);
    for (size_t at = 0; at < in.size();) {
      size_t n = std::min<size_t>(1 + random() % 40, in.size() - at);
      mask(in.data() + at, n, key, at);
      at += n;
    }
    EXPECT_EQ(in, whole);
  }
}

// A stream of random frames, read with random cuts, comes out as it went in.
TEST(Frame, StreamWithRandomCuts) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; round++) {
    bool masked = random() & 1;
    std::vector<std::pair<uint8_t, Raw>> sent;
    Raw stream;
    for (int i = 0; i < 20; i++) {
      uint8_t op = std::vector<uint8_t>{kText, kBinary, kPing, kPong}[random() % 4];
      size_t limit = is_control(op) ? 126 : std::vector<size_t>{20, 126, 1000, 70000}[random() % 4];
      Raw body(random() % limit);
      for (auto& b : body) b = static_cast<uint8_t>(random());
      auto key = static_cast<uint32_t>(random());
      auto h = head(op, true, false, body.size(), masked, key);
      stream.insert(stream.end(), h.begin(), h.end());
      size_t at = stream.size();
      stream.insert(stream.end(), body.begin(), body.end());
      if (masked) mask(stream.data() + at, body.size(), key);
      sent.emplace_back(op, std::move(body));
    }
    std::vector<std::pair<uint8_t, Raw>> got;
    Raw held;
    for (size_t at = 0; at < stream.size();) {
      size_t n = std::min<size_t>(1 + random() % 5000, stream.size() - at);
      held.insert(held.end(), stream.begin() + static_cast<long>(at), stream.begin() + static_cast<long>(at + n));
      at += n;
      for (;;) {
        Head h{};
        Violation v;
        auto status = read_head(held.data(), held.size(), masked, false, h, v);
        ASSERT_NE(status, HeadStatus::bad) << v.reason;
        if (status == HeadStatus::more || held.size() < h.size + h.length) break;
        Raw body(held.begin() + h.size, held.begin() + static_cast<long>(h.size + h.length));
        mask(body.data(), body.size(), h.key);
        got.emplace_back(h.opcode, std::move(body));
        held.erase(held.begin(), held.begin() + static_cast<long>(h.size + h.length));
      }
    }
    EXPECT_EQ(got, sent);
  }
}

}  // namespace
}  // namespace mw::wire
