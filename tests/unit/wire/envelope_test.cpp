#include "wire/envelope.hpp"

#include "base/message.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mw::wire {
namespace {

using Raw = std::vector<uint8_t>;

// What a packet is, read from memory of its exact size.
struct Message {
  bool ok;
  uint32_t flags = 0;
  std::string topic, meta, body;
  Violation v;
};
Message parse(const Raw& packet, NameReader& names, size_t max = 1 << 20) {
  Message m{};
  auto exact = std::make_unique<uint8_t[]>(packet.size());
  std::copy(packet.begin(), packet.end(), exact.get());
  Bytes in{exact.get(), exact.get() + packet.size()};
  PacketView p;
  MessageView view;
  if (next_packet(in, p, m.v) != PacketRead::ok) return m;
  EXPECT_EQ(in.left(), 0u);
  EXPECT_EQ(p.type, static_cast<uint8_t>(Packet::message));
  m.ok = parse_message(p, names, max, view, m.v);
  if (!m.ok) return m;
  m.flags = view.flags;
  m.topic = view.topic;
  m.meta = view.meta;
  m.body.assign(reinterpret_cast<const char*>(view.body), view.size);
  return m;
}
Raw encode(uint32_t flags, const TopicCode& topic, std::string_view meta, std::string_view body) {
  Raw out(message_head_room(topic, meta));
  size_t n = put_message_head(out.data(), flags, topic, meta, body.size());
  EXPECT_LE(n, out.size());
  out.resize(n);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}
Raw message(Raw body) {
  Raw out = {2, 0, 0};
  size_t n = put_varint(out.data() + 1, body.size());
  out.resize(1 + n);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}
void expect_bad(const Raw& body, uint16_t code, const char* reason, size_t max = 100) {
  NameReader names(4);
  auto m = parse(message(body), names, max);
  EXPECT_FALSE(m.ok) << reason;
  EXPECT_EQ(m.v.code, code);
  EXPECT_STREQ(m.v.reason, reason);
}

TEST(Packets, Framing) {
  Raw b = {2, 1, 0, 200, 3, 9, 9, 9, 4, 0};
  Bytes in{b.data(), b.data() + b.size()};
  PacketView p;
  Violation v;
  ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
  EXPECT_EQ(p.type, 2);
  EXPECT_EQ(p.size, 1u);
  ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);  // unknown: the caller skips it
  EXPECT_EQ(p.type, 200);
  EXPECT_EQ(p.size, 3u);
  ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
  EXPECT_EQ(p.size, 0u);
  EXPECT_EQ(next_packet(in, p, v), PacketRead::end);
  for (Raw bad : {Raw{0, 0}, Raw{2}, Raw{2, 1}, Raw{2, 0x80}, Raw{2, 0x80, 0}, Raw{2, 3, 1, 2},
                  Raw{2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1}}) {
    Bytes i{bad.data(), bad.data() + bad.size()};
    EXPECT_EQ(next_packet(i, p, v), PacketRead::bad);
    EXPECT_EQ(v.code, 1002);
    EXPECT_STREQ(v.reason, bad[0] == 0 ? "packet type 0" : "bad packet length");
  }
}

TEST(Envelope, RoundTrip) {
  std::mt19937 random(11);
  mw_msg* headers = base::message_copy("", 0, 0);
  base::message_set(headers, "traceparent", "00-abc");
  base::message_set(headers, "key", std::string(300, 'k'));
  const std::string meta = *headers->meta;
  base::unref(headers);
  for (size_t limit : {0, 3, 1024}) {
    NameWriter w(limit);
    NameReader r(limit);
    for (int i = 0; i < 3000; i++) {
      std::string topic = random() % 3 ? "t/" + std::to_string(random() % 9) : "";
      if (random() % 50 == 0) topic.assign(random() % 2000, 'x');
      std::string body(random() % 300, 'b');
      std::string_view m = random() % 2 ? std::string_view(meta) : std::string_view();
      uint32_t flags = (random() % 2 ? kTextBody : 0u) | (random() % 2 ? kWantsAck : 0u) | (random() % 4 ? 0u : kMore) |
                       (random() % 2 ? kListBody : 0u);
      auto got = parse(encode(flags, w.code(topic), m, body), r);
      ASSERT_TRUE(got.ok) << got.v.reason;
      ASSERT_EQ(got.topic, topic);
      ASSERT_EQ(got.meta, m);
      ASSERT_EQ(got.body, body);
      ASSERT_EQ(got.flags & ~uint32_t{kTopicMask | kHeaders}, flags);
    }
  }
}

TEST(Envelope, TopicsMayBeLong) {
  NameReader r(4);
  NameWriter w(4);
  std::string longest(kMaxTopic, 't');
  auto m = parse(encode(0, w.code(longest), "", "b"), r);
  ASSERT_TRUE(m.ok);
  EXPECT_EQ(m.topic, longest);
  m = parse(encode(0, w.code(longest + "t"), "", "b"), r);
  EXPECT_FALSE(m.ok);
  EXPECT_STREQ(m.v.reason, "topic too long");
  EXPECT_EQ(m.v.code, 1009);
}

TEST(Envelope, BadMessages) {
  expect_bad({}, 1002, "unknown message flags");
  expect_bad({0x80}, 1002, "unknown message flags");
  expect_bad({0x80, 0x02}, 1002, "unknown message flags");
  expect_bad({0xC0, 0x01}, 1002, "unknown message flags");  // a later part that is a list
  for (uint8_t extra : {1, 2, 3, 4, 8}) expect_bad({static_cast<uint8_t>(0x40 | extra), 0}, 1002, "unknown message flags");
  expect_bad({1}, 1002, "bad topic");
  expect_bad({1, 0}, 1002, "unknown topic number");
  expect_bad({1, 0xFF, 0xFF, 0xFF, 0x7F}, 1002, "unknown topic number");
  expect_bad({2}, 1002, "bad topic");
  expect_bad({2, 0}, 1002, "bad topic");
  expect_bad({2, 3, 'a', 'b'}, 1002, "bad topic");
  expect_bad({2, 1, 0xFF}, 1007, "topic not UTF-8");
  expect_bad({3, 0}, 1002, "bad topic");
  expect_bad({3, 4, 1, 'a'}, 1002, "topic number beyond the table");
  expect_bad({3, 0, 0x80, 0x02}, 1009, "topic too long");  // 256
  expect_bad({8}, 1002, "bad headers");
  expect_bad({8, 0}, 1002, "bad headers");
  expect_bad({8, 9, 1, 0}, 1002, "bad headers");
  expect_bad({8, 3, 1, 0, 1}, 1002, "bad headers");                          // cut inside a pair
  expect_bad({8, 8, 1, 0, 2, 0, 0, 0, 'k', 'v'}, 1002, "bad headers");       // value beyond the block
  expect_bad({8, 8, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 'k', 'v'}, 1002, "bad headers");
  expect_bad({8, 0x81, 0x80, 0x04}, 1009, "headers too long");               // 65,537
  expect_bad(Raw(102, 0), 1009, "message too large");                        // flags and 101 bytes
  NameReader names(4);
  EXPECT_TRUE(parse(message(Raw(101, 0)), names, 100).ok);
}

TEST(Envelope, LaterPartsHaveNoFlagsOfTheFirst) {
  NameReader names(4);
  // The text flag is the first part's; an ack may be wanted with the last.
  auto m = parse(encode(kTextBody | kContinued | kWantsAck | kMore, {}, "", "x"), names);
  ASSERT_TRUE(m.ok) << m.v.reason;
  EXPECT_EQ(m.flags, kContinued | kWantsAck | kMore);
  EXPECT_EQ(m.body, "x");
}

TEST(Envelope, EveryCutIsSafe) {
  mw_msg* headers = base::message_copy("", 0, 0);
  base::message_set(headers, "k", "v");
  NameWriter w(4);
  auto whole = encode(kWantsAck, w.code("some/topic"), *headers->meta, "");
  base::unref(headers);
  for (size_t n = 0; n + 2 < whole.size(); n++) {
    NameReader names(4);
    // The same fields in a packet that ends early.
    auto m = parse(message(Raw(whole.begin() + 2, whole.begin() + static_cast<long>(2 + n))), names);
    EXPECT_FALSE(m.ok) << n;
  }
}

TEST(Ack, RoundTripAndLimits) {
  for (uint64_t n : {uint64_t{1}, uint64_t{300}, UINT64_MAX}) {
    uint8_t out[kMaxAck];
    size_t size = put_ack(out, n);
    Bytes in{out, out + size};
    PacketView p;
    Violation v;
    ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
    ASSERT_EQ(p.type, static_cast<uint8_t>(Packet::ack));
    uint64_t back = 0;
    ASSERT_TRUE(parse_ack(p, &back, v));
    EXPECT_EQ(back, n);
  }
  uint64_t back = 0;
  Violation v;
  uint8_t later[] = {5, 9, 9};
  EXPECT_TRUE(parse_ack({3, later, 3}, &back, v));  // fields of a later version
  uint8_t zero[] = {0}, cut[] = {0x80};
  EXPECT_FALSE(parse_ack({3, zero, 0}, &back, v));
  EXPECT_FALSE(parse_ack({3, zero, 1}, &back, v));
  EXPECT_FALSE(parse_ack({3, cut, 1}, &back, v));
  EXPECT_STREQ(v.reason, "bad ack");
}

}  // namespace
}  // namespace mw::wire
