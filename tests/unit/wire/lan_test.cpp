#include "wire/lan.hpp"

#include "wire/lan_inbound.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace mw::wire {
namespace {

constexpr uint64_t kWall = 1'700'000'000'000, kNow = 5'000;

LanSender sender(uint8_t n) {
  LanSender s{};
  s[0] = n;
  return s;
}

// What one sender says, datagram by datagram.
struct Talker {
  LanSender id;
  uint64_t counter = 0, message = 0;
  struct Datagram {
    LanHead head;
    std::vector<uint8_t> text;
  };
  std::vector<Datagram> say(const std::string& body, uint64_t wall = kWall) {
    std::vector<Datagram> out;
    ++message;
    auto count = static_cast<uint32_t>(lan_pieces(body.size()));
    for (uint32_t i = 0; i < count; ++i) {
      size_t at = size_t{i} * kLanPiece, n = std::min(kLanPiece, body.size() - at);
      std::vector<uint8_t> text(kLanFragmentHead + n);
      text.resize(put_lan_fragment(text.data(), {message, i, count, reinterpret_cast<const uint8_t*>(body.data()) + at, n}));
      out.push_back({{false, id, ++counter, wall}, std::move(text)});
    }
    return out;
  }
};

struct Ear {
  LanInbound in{sender(99), {}, kWall};
  LanInbound::Verdict verdict = LanInbound::Verdict::fresh;
  LanInbound::Outcome outcome = LanInbound::Outcome::part;
  // The message that the datagram completed, or "-".
  std::string hear(const Talker::Datagram& d, uint64_t wall = kWall, uint64_t now = kNow) {
    verdict = in.judge(d.head, wall);
    if (verdict != LanInbound::Verdict::fresh) return "-";
    const uint8_t* body = nullptr;
    size_t n = 0;
    outcome = in.accept(d.head, d.text.data(), d.text.size(), now, &body, &n);
    return outcome == LanInbound::Outcome::whole ? std::string(reinterpret_cast<const char*>(body), n) : "-";
  }
};

std::string pattern(size_t n) {
  std::string s(n, ' ');
  for (size_t i = 0; i < n; ++i) s[i] = static_cast<char>('a' + i % 26);
  return s;
}

TEST(Lan, HeadComesBack) {
  LanHead h{true, sender(7), 0x0102030405060708, kWall}, back;
  uint8_t bytes[kLanHead];
  put_lan_head(bytes, h);
  ASSERT_TRUE(parse_lan_head(bytes, sizeof bytes, back));
  EXPECT_TRUE(back.sealed);
  EXPECT_EQ(back.sender, h.sender);
  EXPECT_EQ(back.counter, h.counter);
  EXPECT_EQ(back.time_ms, h.time_ms);
  EXPECT_FALSE(parse_lan_head(bytes, sizeof bytes - 1, back));
  for (size_t at : {0u, 3u, 4u, 5u, 7u}) {  // magic, version, unknown flag, reserved
    uint8_t bad[kLanHead];
    std::copy(bytes, bytes + kLanHead, bad);
    bad[at] ^= 0x40;
    EXPECT_FALSE(parse_lan_head(bad, sizeof bad, back)) << at;
  }
}

TEST(Lan, FragmentsHoldOnePieceEach) {
  std::string piece = pattern(kLanPiece);
  auto* p = reinterpret_cast<const uint8_t*>(piece.data());
  uint8_t out[kLanFragmentHead + kLanPiece + 1];
  LanFragment back;
  size_t n = put_lan_fragment(out, {UINT64_MAX, kMaxLanPieces - 1, kMaxLanPieces, p, kLanPiece});
  EXPECT_LE(n, kLanFragmentHead + kLanPiece);
  ASSERT_TRUE(parse_lan_fragment(out, n, back));
  EXPECT_EQ(back.message, UINT64_MAX);
  EXPECT_EQ(back.size, kLanPiece);
  EXPECT_FALSE(parse_lan_fragment(out, put_lan_fragment(out, {1, 0, 2, p, kLanPiece - 1}), back));  // a short middle
  EXPECT_FALSE(parse_lan_fragment(out, put_lan_fragment(out, {1, 1, 2, p, 0}), back));              // an empty end
  EXPECT_FALSE(parse_lan_fragment(out, put_lan_fragment(out, {1, 2, 2, p, 1}), back));              // beyond the end
  EXPECT_FALSE(parse_lan_fragment(out, put_lan_fragment(out, {0, 0, 1, p, 1}), back));              // no number
  EXPECT_FALSE(parse_lan_fragment(out, put_lan_fragment(out, {1, 0, 0, p, 1}), back));              // of none
  EXPECT_FALSE(parse_lan_fragment(out, put_lan_fragment(out, {1, 0, kMaxLanPieces + 1, p, kLanPiece}), back));
  ASSERT_TRUE(parse_lan_fragment(out, put_lan_fragment(out, {1, 0, 1, p, 0}), back));
  EXPECT_EQ(back.size, 0u);
}

TEST(LanInbound, MessagesOfEverySizeArrive) {
  Talker a{sender(1)};
  Ear ear;
  for (size_t size : {size_t{0}, size_t{1}, kLanPiece - 1, kLanPiece, kLanPiece + 1, 3 * kLanPiece, size_t{70'000}}) {
    std::string body = pattern(size), got = "-";
    for (auto& d : a.say(body)) got = ear.hear(d);
    EXPECT_EQ(got, body) << size;
  }
  EXPECT_EQ(ear.in.partial_bytes(), 0u);
  EXPECT_EQ(ear.in.lost(), 0u);
}

TEST(LanInbound, FragmentsMayOvertakeEachOther) {
  Talker a{sender(1)};
  Ear ear;
  std::mt19937 random(4);
  for (int round = 0; round < 50; ++round) {
    std::string body = pattern(20 * kLanPiece + round);
    auto said = a.say(body);
    std::shuffle(said.begin(), said.end(), random);
    std::string got;
    for (auto& d : said)
      if (std::string m = ear.hear(d); m != "-") got = m;
    EXPECT_EQ(got, body);
  }
  EXPECT_EQ(ear.in.lost(), 0u);
}

TEST(LanInbound, RepeatsAreRefused) {
  Talker a{sender(1)};
  Ear ear;
  std::vector<Talker::Datagram> all;
  for (int i = 0; i < 200; ++i) {
    auto said = a.say("x");
    EXPECT_EQ(ear.hear(said[0]), "x");
    all.push_back(said[0]);
  }
  for (auto& d : all) {
    EXPECT_EQ(ear.hear(d), "-");
    EXPECT_EQ(ear.verdict, LanInbound::Verdict::repeated);
  }
}

TEST(LanInbound, OldAndOwnDatagramsAreRefused) {
  Talker a{sender(1)}, self{sender(99)};
  Ear ear;
  EXPECT_EQ(ear.hear(self.say("x")[0]), "-");
  EXPECT_EQ(ear.verdict, LanInbound::Verdict::own);
  auto before = a.say("recorded", kWall - 1)[0];  // before we listened
  EXPECT_EQ(ear.hear(before), "-");
  EXPECT_EQ(ear.verdict, LanInbound::Verdict::stale);
  auto d = a.say("x")[0];
  EXPECT_EQ(ear.hear(d, kWall + 30'001), "-");
  EXPECT_EQ(ear.verdict, LanInbound::Verdict::stale);
  d.head.time_ms = kWall + 30'001;
  EXPECT_EQ(ear.hear(d), "-");
  EXPECT_EQ(ear.verdict, LanInbound::Verdict::stale);
  EXPECT_EQ(ear.in.senders().size(), 0u);
}

TEST(LanInbound, WhatDoesNotComeIsCounted) {
  Talker a{sender(1)};
  Ear ear;
  ear.hear(a.say("first")[0]);
  a.say("lost");
  a.say("lost");
  for (int i = 0; i < 61; ++i) ear.hear(a.say("x")[0]);
  EXPECT_EQ(ear.in.lost(), 0u);  // they may still come
  for (int i = 0; i < 3; ++i) ear.hear(a.say("x")[0]);
  EXPECT_EQ(ear.in.lost(), 2u);

  Ear far;  // a hole wider than the window
  Talker b{sender(2)};
  far.hear(b.say("x")[0]);
  for (int i = 0; i < 1000; ++i) b.say("lost");
  far.hear(b.say("x")[0]);
  for (int i = 0; i < 64; ++i) far.hear(b.say("x")[0]);
  EXPECT_EQ(far.in.lost(), 1000u);
}

TEST(LanInbound, WhatIsMissingForSomeTimeIsLost) {
  Talker a{sender(1)};
  Ear ear;
  ear.hear(a.say("x")[0]);
  auto late = a.say("late")[0];
  ear.hear(a.say("x")[0]);
  auto big = a.say(pattern(5 * kLanPiece));
  ear.hear(big[0]);
  EXPECT_GT(ear.in.partial_bytes(), 0u);
  uint64_t told = 0;
  auto settle = [&](uint64_t now) {
    ear.in.settle(now, [&](const LanInbound::Facts& f, uint64_t n) {
      EXPECT_EQ(f.id, a.id);
      told += n;
      EXPECT_EQ(f.lost, told);
    });
  };
  settle(kNow + 999);
  settle(kNow + 1000);  // whoever came since the last look has a second more
  EXPECT_EQ(told, 0u);
  settle(kNow + 2000);
  EXPECT_EQ(told, 1u);
  EXPECT_EQ(ear.hear(late), "-");  // told as lost: not delivered after all
  EXPECT_EQ(ear.in.partial_bytes(), 0u);
  settle(kNow + 9000);
  EXPECT_EQ(told, 1u);
}

TEST(LanInbound, ABeatTellsOfALostEnd) {
  Talker a{sender(1)};
  Ear ear;
  ear.hear(a.say("x")[0]);
  a.say("lost");
  a.say("lost");
  Talker::Datagram beat{{false, a.id, ++a.counter, kWall}, {}};
  EXPECT_EQ(ear.hear(beat), "-");
  EXPECT_EQ(ear.outcome, LanInbound::Outcome::beat);
  auto none = [](const LanInbound::Facts&, uint64_t) { FAIL(); };
  ear.in.settle(kNow + 1000, none);
  uint64_t told = 0;
  ear.in.settle(kNow + 2000, [&](const LanInbound::Facts&, uint64_t n) { told += n; });
  EXPECT_EQ(told, 2u);
  EXPECT_EQ(ear.in.lost(), 2u);
  EXPECT_EQ(ear.in.senders().at(0).came, 2u);
  ear.in.settle(kNow + 3000, none);
}

TEST(Lan, AChannelLeadsItsPackets) {
  base::Buffer out;
  put_lan_channel(out, "A");
  out.append("rest", 4);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(out.data()), out.size()), "\1Arest");
  Bytes in{out.data(), out.data() + out.size()};
  std::string_view channel;
  ASSERT_TRUE(parse_lan_channel(in, channel));
  EXPECT_EQ(channel, "A");
  EXPECT_EQ(in.left(), 4u);
  for (const char* bad : {"", "\0x", "\2x", "\x41 too long for a channel's name, which has sixty-four bytes and no more"}) {
    Bytes b{reinterpret_cast<const uint8_t*>(bad), reinterpret_cast<const uint8_t*>(bad) + (*bad == 0 ? 0 : std::strlen(bad))};
    EXPECT_FALSE(parse_lan_channel(b, channel)) << bad;
  }
}

TEST(LanInbound, EverythingIsBounded) {
  LanInbound::Limits limits;
  limits.senders = 4;
  limits.max_message = 10 * kLanPiece;
  limits.partial_bytes = 30 * kLanPiece;
  Ear ear{LanInbound(sender(99), limits, kWall)};
  Talker huge{sender(50)};
  ear.hear(huge.say(pattern(11 * kLanPiece))[0]);
  EXPECT_EQ(ear.outcome, LanInbound::Outcome::too_big);
  EXPECT_EQ(ear.in.partial_bytes(), 0u);
  for (int m = 0; m < 100; ++m) ear.hear(huge.say(pattern(2 * kLanPiece))[0]);
  EXPECT_LE(ear.in.partial_bytes(), limits.partial_bytes);
  // Senders that come and go: a forgotten one cannot be played back.
  Talker old{sender(1)};
  auto recorded = old.say("once", kWall + 5)[0];
  EXPECT_EQ(ear.hear(recorded), "once");
  for (uint8_t i = 2; i < 40; ++i) {
    Talker t{sender(i)};
    EXPECT_EQ(ear.hear(t.say("x", kWall + 5 + i)[0], kWall, kNow + i), "x");
    EXPECT_LE(ear.in.senders().size(), limits.senders);
  }
  EXPECT_EQ(ear.hear(recorded), "-");
  EXPECT_EQ(ear.verdict, LanInbound::Verdict::stale);
  EXPECT_LE(ear.in.partial_bytes(), limits.partial_bytes);
}

TEST(LanInbound, ContradictionsCostOnlyThemselves) {
  Talker a{sender(1)};
  Ear ear;
  auto said = a.say(pattern(3 * kLanPiece));
  ear.hear(said[0]);
  auto again = said[0];
  again.head.counter = 40;  // a new datagram with a piece that is here
  ear.hear(again);
  EXPECT_EQ(ear.outcome, LanInbound::Outcome::malformed);
  again.head.counter = 41;
  again.text.assign(3, 0);
  ear.hear(again);
  EXPECT_EQ(ear.outcome, LanInbound::Outcome::malformed);
  ear.hear(said[1]);
  EXPECT_EQ(ear.hear(said[2]), pattern(3 * kLanPiece));
}

}  // namespace
}  // namespace mw::wire
