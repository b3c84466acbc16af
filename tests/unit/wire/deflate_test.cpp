#include "wire/deflate.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>

namespace mw::wire {
namespace {

const InflateLimit kLoose{64u << 20, 0};

const uint8_t* bytes(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }
std::string text(const base::Buffer& b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

std::string deflated(Deflator& d, const std::string& s) {
  base::Buffer out;
  d.compress(bytes(s), s.size(), out);
  return text(out);
}
struct Out {
  bool ok;
  std::string body;
  Violation v;
};
Out inflated(Inflator& i, const std::string& s, InflateLimit limit = kLoose) {
  base::Buffer out;
  Out o{};
  o.ok = i.inflate(bytes(s), s.size(), true, limit, out, o.v);
  o.body = text(out);
  return o;
}
std::string noise(std::mt19937& random, size_t n, int letters) {
  std::string s(n, '\0');
  for (auto& c : s) c = static_cast<char>('a' + static_cast<int>(random()) % letters);
  return s;
}

TEST(Deflate, RfcExamples) {
  // RFC 7692 7.2.3.1: one fixed block.
  Inflator i(15, false);
  auto o = inflated(i, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "Hello");
  // 7.2.3.2: the second message refers back to the first.
  o = inflated(i, std::string("\xf2\x00\x11\x00\x00", 5));
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "Hello");
  // 7.2.3.3: a stored block.
  Inflator stored(15, false);
  o = inflated(stored, std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11));
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "Hello");
  // 7.2.3.4: BFINAL set.
  Inflator final(15, false);
  o = inflated(final, std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8));
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "Hello");
  o = inflated(final, std::string("\xf2\x00\x11\x00\x00", 5));  // the window survives it
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "Hello");
  // 7.2.3.5: two blocks in one message.
  Inflator two(15, false);
  o = inflated(two, std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13));
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "Hello");
  // 7.2.3.6: an empty message.
  o = inflated(two, std::string("\x00", 1));
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "");
}

TEST(Deflate, TakesAndForgets) {
  Deflator keeps(15, 8, false), forgets(15, 8, true);
  std::string s = "a message that comes again and again";
  size_t first = deflated(keeps, s).size();
  EXPECT_LT(deflated(keeps, s).size(), first / 2);
  first = deflated(forgets, s).size();
  EXPECT_EQ(deflated(forgets, s).size(), first);
  // What forgets can be read by a decompressor that forgets; what keeps cannot.
  Inflator fresh(15, true);
  EXPECT_TRUE(inflated(fresh, deflated(forgets, s)).ok);
  Deflator keeps2(15, 8, false);
  inflated(fresh, deflated(keeps2, s));
  EXPECT_FALSE(inflated(fresh, deflated(keeps2, s)).ok);
}

TEST(Deflate, EmptyMessages) {
  for (bool forget : {false, true}) {
    Deflator d(15, 8, forget);
    Inflator i(15, forget);
    for (const char* s : {"", "", "x", "", "yy", ""}) {
      auto c = deflated(d, s);
      if (*s == '\0') {
        EXPECT_EQ(c, std::string(1, '\0'));
      }
      auto o = inflated(i, c);
      EXPECT_TRUE(o.ok);
      EXPECT_EQ(o.body, s);
    }
  }
}

TEST(Deflate, RoundTripWithRandomCuts) {
  std::mt19937 random(4);
  for (int bits = 8; bits <= 15; bits++)
    for (bool forget : {false, true}) {
      Deflator d(bits, 1 + bits % 8, forget);
      Inflator i(bits, forget);
      for (int round = 0; round < 60; round++) {
        auto s = noise(random, random() % (round % 10 == 0 ? 200000 : 3000), 1 + static_cast<int>(random() % 26));
        // Compressed in fragments, expanded in other pieces.
        base::Buffer c;
        for (size_t at = 0;;) {
          size_t n = std::min<size_t>(random() % 50000, s.size() - at);
          bool last = at + n == s.size() && (random() & 1);
          d.compress(bytes(s) + at, n, c, last);
          at += n;
          if (last) break;
        }
        base::Buffer out;
        Violation v;
        for (size_t at = 0;;) {
          size_t n = std::min<size_t>(1 + random() % 20000, c.size() - at);
          at += n;
          ASSERT_TRUE(i.inflate(c.data() + at - n, n, at == c.size(), kLoose, out, v)) << v.reason;
          if (at == c.size()) break;
        }
        ASSERT_EQ(text(out), s) << bits;
      }
    }
}

// Expands c with a window of 256 bytes and no other memory of what came
// before: the output leaves byte by byte. False: it refers back further.
bool fits_eight_bits(const std::string& c, std::string& out) {
  const std::string stream = c + std::string("\0\0\xff\xff", 4);
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, -8), Z_OK);
  z.next_in = const_cast<Bytef*>(bytes(stream));
  z.avail_in = static_cast<uInt>(stream.size());
  int r = Z_OK;
  while (r == Z_OK) {
    Bytef one;
    z.next_out = &one;
    z.avail_out = 1;
    r = inflate(&z, Z_SYNC_FLUSH);
    if (z.avail_out == 0) out.push_back(static_cast<char>(one));
  }
  inflateEnd(&z);
  return r == Z_BUF_ERROR;  // all eaten
}

// RFC 7692 7.1.2.1: under 8 bits nothing refers back further than 256 bytes.
TEST(Deflate, EightBitsAreEight) {
  std::mt19937 random(5);
  const std::string far = noise(random, 300, 26);
  std::string s = far + noise(random, 100, 26) + far + std::string(2000, 'x');
  Deflator eight(8, 8, true), ten(10, 8, true);
  std::string out;
  EXPECT_TRUE(fits_eight_bits(deflated(eight, s), out));
  EXPECT_EQ(out, s);
  EXPECT_FALSE(fits_eight_bits(deflated(ten, s), out));  // the check can fail
}

TEST(Deflate, MessageLimitBites) {
  Deflator d(15, 8, true);
  std::mt19937 random(6);
  auto s = noise(random, 5000, 4);
  auto c = deflated(d, s);
  Inflator exact(15, true);
  EXPECT_TRUE(inflated(exact, c, {5000, 0}).ok);
  Inflator i(15, true);
  auto o = inflated(i, c, {4999, 0});
  EXPECT_FALSE(o.ok);
  EXPECT_EQ(o.v.code, 1009);
  EXPECT_STREQ(o.v.reason, "message too large");
  EXPECT_LE(o.body.size(), 5000u);  // nothing beyond the limit was made
  // A limit over several pieces is the message's, not the piece's.
  i.reset();
  base::Buffer out;
  Violation v;
  bool ok = true;
  for (size_t at = 0; ok && at < c.size(); at++) ok = i.inflate(bytes(c) + at, 1, at + 1 == c.size(), {4999, 0}, out, v);
  EXPECT_FALSE(ok);
  EXPECT_STREQ(v.reason, "message too large");
}

TEST(Deflate, NoLimitAtAll) {
  Deflator d(15, 8, true);
  Inflator i(15, true);
  auto o = inflated(i, deflated(d, "all there is"), {SIZE_MAX, 0});
  EXPECT_TRUE(o.ok);
  EXPECT_EQ(o.body, "all there is");
}

TEST(Deflate, BombBites) {
  Deflator d(15, 8, true);
  auto bomb = deflated(d, std::string(10u << 20, '\0'));
  ASSERT_LT(bomb.size(), 20000u);
  Inflator i(15, true);
  auto o = inflated(i, bomb, {64u << 20, 200});
  EXPECT_FALSE(o.ok);
  EXPECT_EQ(o.v.code, 1009);
  EXPECT_STREQ(o.v.reason, "compression bomb");
  // Stopped at about ratio x compressed size, long before the message limit.
  EXPECT_LT(o.body.size(), 200 * bomb.size() * 2 + kRatioFloor * 2);
  // Small messages may expand as they like.
  Inflator small(15, true);
  EXPECT_TRUE(inflated(small, deflated(d, std::string(kRatioFloor, '\0')), {1u << 20, 2}).ok);
  // Without a ratio only the size counts.
  Inflator free(15, true);
  EXPECT_TRUE(inflated(free, bomb, {10u << 20, 0}).ok);
}

TEST(Deflate, BadDataIsNamed) {
  for (std::string bad : {std::string("\xff\xff\xff", 3), std::string("\x05\x00\x00", 3),
                          std::string("\xf2\x48\xcd", 3), std::string("\x00\x05\x00\xfa\xff\x48", 6),
                          std::string("\xf2\x00\x11\x00\x00", 5)}) {
    Inflator i(15, false);
    auto o = inflated(i, bad);
    EXPECT_FALSE(o.ok);
    EXPECT_EQ(o.v.code, 1007);
    EXPECT_STREQ(o.v.reason, "bad compressed data");
    // And forgotten: the next connection of a shared one is served.
    EXPECT_EQ(inflated(i, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)).body, "Hello");
  }
}

TEST(Deflate, EveryTruncationIsNoticed) {
  Deflator d(15, 8, true);
  std::mt19937 random(7);
  auto s = noise(random, 400, 8);
  auto c = deflated(d, s);
  for (size_t n = 0; n + 1 < c.size(); n++) {
    Inflator i(15, true);
    auto o = inflated(i, c.substr(0, n));
    // Nothing at all counts as an empty message.
    EXPECT_EQ(o.ok, n == 0) << n;
  }
}

TEST(Deflate, FinalBlocksAreCounted) {
  // An empty final fixed block is two bytes; a message of them costs a window copy each.
  auto finals = [](int n) {
    std::string s;
    for (int i = 0; i < n; i++) s += std::string("\x03\x00", 2);
    return s + std::string(1, '\0');
  };
  Inflator few(15, true);
  EXPECT_TRUE(inflated(few, finals(16)).ok);
  EXPECT_TRUE(inflated(few, finals(16)).ok);  // counted anew for each message
  Inflator many(15, true);
  auto o = inflated(many, finals(17));
  EXPECT_FALSE(o.ok);
  EXPECT_STREQ(o.v.reason, "bad compressed data");
}

// The presets are named by what zlib documents a compressor to take.
TEST(Deflate, PresetsTakeTheirName) {
  auto total = [](Compress p) {
    auto m = compress_memory(p);
    return (1 << (m.bits + 2)) + (1 << (m.level + 9));
  };
  EXPECT_EQ(total(Compress::k3), 3 << 10);
  EXPECT_EQ(total(Compress::k4), 4 << 10);
  EXPECT_EQ(total(Compress::k8), 8 << 10);
  EXPECT_EQ(total(Compress::k16), 16 << 10);
  EXPECT_EQ(total(Compress::k32), 32 << 10);
  EXPECT_EQ(total(Compress::k64), 64 << 10);
  EXPECT_EQ(total(Compress::k128), 128 << 10);
  EXPECT_EQ(total(Compress::k256), 256 << 10);
  EXPECT_EQ(total(Compress::shared), 256 << 10);
  for (auto p : {Compress::k3, Compress::k4, Compress::k8, Compress::k16, Compress::k32, Compress::k64,
                 Compress::k128, Compress::k256}) {
    auto m = compress_memory(p);
    Deflator d(m.bits, m.level, false);
    Inflator i(m.bits, false);
    std::string s(20000, 'z');
    EXPECT_EQ(inflated(i, deflated(d, s)).body, s);
  }
}

TEST(Deflate, SharedServesAll) {
  SharedDeflate shared;
  for (int bits : {15, 9, 8, 15, 9}) {
    std::string s = "shared by all connections of a lane " + std::to_string(bits);
    EXPECT_EQ(inflated(shared.inflator(), deflated(shared.deflator(bits), s)).body, s);
  }
  EXPECT_EQ(&shared.deflator(12), &shared.deflator(12));
}

TEST(Deflate, Moves) {
  Deflator a(15, 8, false);
  Inflator b(15, false);
  deflated(a, "some text");
  Deflator a2(9, 1, true);
  a2 = std::move(a);
  Inflator b2(std::move(b));
  Inflator fresh(15, false);
  inflated(b2, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
  EXPECT_EQ(inflated(b2, std::string("\xf2\x00\x11\x00\x00", 5)).body, "Hello");
}

}  // namespace
}  // namespace mw::wire
