#include "wire/packets.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mw::wire {
namespace {

using Raw = std::vector<uint8_t>;

// The one packet in b.
PacketView only(const base::Buffer& b, Packet type) {
  Bytes in{b.data(), b.data() + b.size()};
  PacketView p;
  Violation v;
  EXPECT_EQ(next_packet(in, p, v), PacketRead::ok);
  EXPECT_EQ(in.left(), 0u);
  EXPECT_EQ(p.type, static_cast<uint8_t>(type));
  return p;
}
PacketView view(Packet type, const Raw& body) { return {static_cast<uint8_t>(type), body.data(), body.size()}; }

TEST(Subscribe, RoundTrip) {
  for (uint64_t number : {uint64_t{1}, uint64_t{200}, UINT64_MAX}) {
    base::Buffer b;
    put_subscribe(b, {number, 2, "a/**"});
    Subscribe s;
    Violation v;
    ASSERT_TRUE(parse_subscribe(only(b, Packet::subscribe), s, v));
    EXPECT_EQ(s.number, number);
    EXPECT_EQ(s.syntax, 2);
    EXPECT_EQ(s.pattern, "a/**");
    base::Buffer u;
    put_unsubscribe(u, {number});
    Unsubscribe back;
    ASSERT_TRUE(parse_unsubscribe(only(u, Packet::unsubscribe), back, v));
    EXPECT_EQ(back.number, number);
  }
}

TEST(Subscribe, Refusals) {
  Subscribe s;
  Violation v;
  auto bad = [&](Raw body, uint16_t code, const char* reason) {
    EXPECT_FALSE(parse_subscribe(view(Packet::subscribe, body), s, v));
    EXPECT_EQ(v.code, code);
    EXPECT_STREQ(v.reason, reason);
  };
  bad({}, 1002, "bad subscribe");
  bad({0, 1, 1, 'a'}, 1002, "bad subscribe");
  bad({1}, 1002, "bad subscribe");
  bad({1, 1}, 1002, "bad subscribe");
  bad({1, 0x80, 0x02, 1, 'a'}, 1002, "bad subscribe");
  bad({1, 1, 2, 'a'}, 1002, "bad subscribe");
  bad({1, 1, 1, 0xFF}, 1007, "bad subscribe");
  bad({1, 1, 0x81, 0x08}, 1009, "pattern too long");
  base::Buffer b;
  put_subscribe(b, {1, 1, std::string(kMaxPattern, 'p')});
  EXPECT_TRUE(parse_subscribe(only(b, Packet::subscribe), s, v));
  Raw later = {1, 1, 1, 'a', 9, 9};
  EXPECT_TRUE(parse_subscribe(view(Packet::subscribe, later), s, v));
  EXPECT_EQ(s.pattern, "a");
  Unsubscribe u;
  Raw zero = {0}, none;
  EXPECT_FALSE(parse_unsubscribe(view(Packet::unsubscribe, zero), u, v));
  EXPECT_FALSE(parse_unsubscribe(view(Packet::unsubscribe, none), u, v));
  EXPECT_STREQ(v.reason, "bad unsubscribe");
}

TEST(Result, RoundTrip) {
  for (int32_t status : {0, 1, -1, -14, INT32_MAX, INT32_MIN}) {
    base::Buffer b;
    put_result(b, {Packet::unsubscribe, 7, status, "why"});
    Answered r;
    Violation v;
    ASSERT_TRUE(parse_result(only(b, Packet::result), r, v));
    EXPECT_EQ(r.what, Packet::unsubscribe);
    EXPECT_EQ(r.number, 7u);
    EXPECT_EQ(r.status, status);
    EXPECT_EQ(r.text, "why");
  }
  // A longer text is cut between characters.
  std::string wide;
  while (wide.size() < 2000) wide += "\xE2\x82\xAC";
  base::Buffer b;
  put_result(b, {Packet::subscribe, 1, -1, wide});
  Answered r;
  Violation v;
  ASSERT_TRUE(parse_result(only(b, Packet::result), r, v)) << v.reason;
  EXPECT_EQ(r.text.size(), 1023u);
}

TEST(Result, Refusals) {
  Answered r;
  Violation v;
  auto bad = [&](Raw body, uint16_t code, const char* reason) {
    EXPECT_FALSE(parse_result(view(Packet::result, body), r, v));
    EXPECT_EQ(v.code, code);
    EXPECT_STREQ(v.reason, reason);
  };
  bad({}, 1002, "bad result");
  bad({4, 0, 0, 0}, 1002, "bad result");
  bad({0x80, 0x02, 1, 0, 0}, 1002, "bad result");
  bad({4, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0}, 1002, "bad result");
  bad({4, 1, 0}, 1002, "bad result");
  bad({4, 1, 0, 1, 0xC0}, 1007, "bad result");
  bad({4, 1, 0, 0x81, 0x08}, 1009, "result text too long");
}

TEST(Drain, RoundTripAndLimits) {
  Drain d;
  Violation v;
  base::Buffer b;
  put_drain(b, {250, 5000, "{\"url\":\"ws://other\"}"});
  ASSERT_TRUE(parse_drain(only(b, Packet::drain), d, v));
  EXPECT_EQ(d.slot_ms, 250u);
  EXPECT_EQ(d.deadline_ms, 5000u);
  EXPECT_EQ(d.where, "{\"url\":\"ws://other\"}");
  base::Buffer far;
  put_drain(far, {UINT64_MAX, UINT64_MAX, ""});  // written as the most there is
  ASSERT_TRUE(parse_drain(only(far, Packet::drain), d, v));
  EXPECT_EQ(d.deadline_ms, kMaxDrainMs);
  auto bad = [&](Raw body, uint16_t code, const char* reason) {
    EXPECT_FALSE(parse_drain(view(Packet::drain, body), d, v));
    EXPECT_EQ(v.code, code);
    EXPECT_STREQ(v.reason, reason);
  };
  bad({}, 1002, "bad drain");
  bad({1}, 1002, "bad drain");
  bad({1, 2}, 1002, "bad drain");
  bad({0x81, 0xB8, 0x99, 0x29, 1, 0}, 1002, "bad drain");  // 86,400,001
  bad({1, 2, 3, 'x'}, 1002, "bad drain");
  bad({1, 2, 1, 0x80}, 1007, "bad drain");
  bad({1, 2, 0x81, 0x20}, 1009, "drain text too long");
}

}  // namespace
}  // namespace mw::wire
