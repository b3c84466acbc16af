#include "wire/call.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mw::wire {
namespace {

struct CallPacket : testing::Test {
  NameReader names{8};
  TalkView t;
  Violation v;

  bool read(Packet type, std::string_view body, size_t max = 100) {
    return parse_talk({static_cast<uint8_t>(type), reinterpret_cast<const uint8_t*>(body.data()), body.size()}, names,
                      max, t, v);
  }
  void refused(Packet type, std::string_view body, uint16_t code, const char* reason) {
    EXPECT_FALSE(read(type, body)) << reason;
    EXPECT_EQ(v.code, code);
    EXPECT_STREQ(v.reason, reason);
  }
};

using std::string_view_literals::operator""sv;

TEST_F(CallPacket, EachFieldIsRead) {
  ASSERT_TRUE(read(Packet::call, "\x02\x6f\xf4\x03\x80\x20\x03\x01" "A\x07\x01\x00\x00\x00\x00\x00kbody"sv)) << v.reason;
  EXPECT_EQ(t.number, 2u);
  EXPECT_EQ(t.time_left, 500u);
  EXPECT_EQ(t.window, 4096u);
  EXPECT_EQ(t.method, "A");
  EXPECT_EQ(t.meta, "\x01\x00\x00\x00\x00\x00k"sv);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(t.body), t.size), "body");
  EXPECT_EQ(t.flags & kCallText, kCallText);
  // The name is known by its number now; without a window it is the usual one.
  ASSERT_TRUE(read(Packet::call, "\x03\x01\x03"sv));
  EXPECT_EQ(t.method, "A");
  EXPECT_EQ(t.window, kDefaultWindow);
  ASSERT_TRUE(read(Packet::reply, "\x05\x01\x03x"sv));
  EXPECT_EQ(t.status, -2);
  EXPECT_EQ(t.size, 1u);
  ASSERT_TRUE(read(Packet::part, "\x05\x84"  "\x01x"sv)) << v.reason;
  EXPECT_EQ(t.flags, kCallText | kPartsBody);
  ASSERT_TRUE(read(Packet::cancel, "\x05more of a later version"sv));
  ASSERT_TRUE(read(Packet::credit, "\x05\x64later"sv));
  EXPECT_EQ(t.window, 100u);
}

TEST_F(CallPacket, WhatBreaksTheGrammarIsNamed) {
  refused(Packet::call, ""sv, 1002, "bad call");
  refused(Packet::call, "\x00\x02\x01" "A"sv, 1002, "bad call");
  refused(Packet::call, "\x01"sv, 1002, "bad call");
  refused(Packet::call, "\x01\x00" "A"sv, 1002, "bad call");
  refused(Packet::call, "\x01\x80\x02"sv, 1002, "unknown call flags");
  refused(Packet::call, "\x01\x22"sv, 1002, "bad call");
  refused(Packet::call, "\x01\x22\x80\x80\x80\x80\x10\x01" "A"sv, 1002, "bad call");
  refused(Packet::call, "\x01\x42\x80\x80\x80\x80\x10\x01" "A"sv, 1002, "bad call");
  refused(Packet::call, "\x01\x02\x00"sv, 1002, "bad topic");
  refused(Packet::call, "\x01\x02\x05" "A"sv, 1002, "bad topic");
  refused(Packet::call, "\x01\x01\x05"sv, 1002, "unknown topic number");
  refused(Packet::call, "\x01\x03\x09\x01" "A"sv, 1002, "topic number beyond the table");
  refused(Packet::call, "\x01\x02\x01\xff"sv, 1007, "topic not UTF-8");
  refused(Packet::call, "\x01\x0a\x01" "A\x00"sv, 1002, "bad headers");
  refused(Packet::call, "\x01\x0a\x01" "A\x02xx"sv, 1002, "bad headers");
  refused(Packet::reply, ""sv, 1002, "bad reply");
  refused(Packet::reply, "\x01\x02"sv, 1002, "unknown reply flags");
  refused(Packet::reply, "\x01\x01"sv, 1002, "bad reply");
  refused(Packet::reply, "\x01\x01\x00"sv, 1002, "bad reply");
  refused(Packet::reply, "\x01\x01\x02"sv, 1002, "bad reply");
  refused(Packet::part, "\x00\x00"sv, 1002, "bad part");
  refused(Packet::part, "\x01\x01"sv, 1002, "unknown part flags");
  refused(Packet::cancel, "\x00"sv, 1002, "bad cancel");
  refused(Packet::credit, "\x01"sv, 1002, "bad credit");
  refused(Packet::credit, "\x01\x00"sv, 1002, "bad credit");
  refused(Packet::credit, "\x01\x81\x80\x80\x80\x04"sv, 1002, "bad credit");
  EXPECT_FALSE(read(Packet::reply, "\x01\x00" "abc"sv, 2));
  EXPECT_EQ(v.code, 1009);
}

TEST_F(CallPacket, ComesBackAsItWasWritten) {
  for (uint64_t number : {1ull, 127ull, 128ull, 1ull << 40})
    for (int32_t status : {0, -1, -65, INT32_MIN}) {
      Talk out;
      out.type = Packet::reply;
      out.number = number;
      out.status = status;
      out.flags = kCallText;
      uint8_t head[64];
      size_t n = put_talk(head, out, {}, 0);
      EXPECT_LE(n, talk_room(0, {}));
      Bytes in{head, head + n};
      PacketView packet;
      ASSERT_EQ(next_packet(in, packet, v), PacketRead::ok);
      ASSERT_TRUE(parse_talk(packet, names, 0, t, v));
      EXPECT_EQ(t.number, number);
      EXPECT_EQ(t.status, status);
    }
}

}  // namespace
}  // namespace mw::wire
