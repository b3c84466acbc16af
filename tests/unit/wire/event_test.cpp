#include "wire/event.hpp"

#include "base/message.hpp"
#include "wire/hello.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mw::wire {
namespace {

using Raw = std::vector<uint8_t>;

PacketView view(const Raw& body) { return {static_cast<uint8_t>(Packet::event), body.data(), body.size()}; }

TEST(Event, RoundTrip) {
  const uint8_t origin[kOrigin] = {9, 8, 7};
  mw_msg* m = base::message_copy("", 0, 0);
  base::message_set(m, "traceparent", "00-12");
  for (bool from_hub : {false, true})
    for (bool headers : {false, true})
      for (size_t size : {size_t{0}, size_t{1}, size_t{200}, size_t{70000}}) {
        const std::string body(size, 'b'), name(headers ? kMaxEventName : 1, 'n');
        EventView e;
        e.flags = kEventText | (headers ? uint32_t{kEventList} : 0) | (from_hub ? uint32_t{kRelayed} : 0);
        e.sequence = size + 1;
        e.origin = from_hub ? origin : nullptr;
        e.name = name;
        if (headers) e.meta = *m->meta;
        e.body = reinterpret_cast<const uint8_t*>(body.data());
        e.size = size;
        base::Buffer b;
        put_event(b, e);
        EXPECT_LE(b.size(), event_room(e));
        Bytes in{b.data(), b.data() + b.size()};
        PacketView p;
        Violation v;
        ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
        EXPECT_EQ(in.left(), 0u);
        EventView back;
        ASSERT_TRUE(parse_event(p, size, back, v)) << v.reason;
        EXPECT_EQ(back.sequence, e.sequence);
        EXPECT_EQ(back.name, name);
        EXPECT_EQ(back.meta, e.meta);
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(back.body), back.size), body);
        EXPECT_EQ(back.origin != nullptr, from_hub);
        EXPECT_EQ((back.flags & kRelayed) != 0, from_hub);
        EXPECT_TRUE(back.flags & kEventText);
        if (size > 0) {
          EXPECT_FALSE(parse_event(p, size - 1, back, v));
          EXPECT_EQ(v.code, 1009);
        }
      }
  base::unref(m);
}

TEST(Event, Refusals) {
  EventView e;
  Violation v;
  auto bad = [&](Raw body, uint16_t code, const char* reason) {
    EXPECT_FALSE(parse_event(view(body), 100, e, v));
    EXPECT_EQ(v.code, code);
    EXPECT_STREQ(v.reason, reason);
  };
  bad({}, 1002, "unknown event flags");
  bad({0x20, 1, 1, 'n'}, 1002, "unknown event flags");
  bad({0}, 1002, "bad event");
  bad({0, 0, 1, 'n'}, 1002, "bad event");
  bad({1, 1, 1, 'n'}, 1002, "bad event");
  bad({0, 1}, 1002, "bad event");
  bad({0, 1, 0}, 1002, "bad event");
  bad({0, 1, 2, 'n'}, 1002, "bad event");
  bad({0, 1, 0x81, 0x08}, 1009, "event name too long");
  bad({0, 1, 1, 0xFF}, 1007, "event name not UTF-8");
  bad({8, 1, 1, 'n'}, 1002, "bad headers");
  bad({8, 1, 1, 'n', 0}, 1002, "bad headers");
  bad({8, 1, 1, 'n', 1, 7}, 1002, "bad headers");
  bad({8, 1, 1, 'n', 0x81, 0x80, 0x04}, 1009, "headers too long");
  uint64_t through;
  for (const Raw& body : {Raw{}, Raw{0x80}, Raw{0x80, 0}}) {
    EXPECT_FALSE(parse_taken(view(body), &through, v));
    EXPECT_STREQ(v.reason, "bad taken");
  }
}

TEST(Hello, ChannelAndEpoch) {
  Hello h, back;
  Violation v;
  h.capabilities = kCanChannel;
  h.max_message = h.heartbeat_ms = h.names = h.epoch = UINT64_MAX;
  const std::string name(kMaxChannel, 'c');
  h.channel = name;
  base::Buffer b;
  put_hello(b, h);
  Bytes in{b.data(), b.data() + b.size()};
  PacketView p;
  ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
  EXPECT_EQ(in.left(), 0u);
  ASSERT_TRUE(parse_hello(p, back, v)) << v.reason;
  EXPECT_EQ(back.channel, name);
  EXPECT_EQ(back.epoch, UINT64_MAX);
  for (size_t size : {size_t{0}, kMaxChannel + 1}) {
    Raw raw = {1, 0, 1, 16};
    raw.insert(raw.end(), 16, 0);
    raw.push_back(6);
    raw.push_back(static_cast<uint8_t>(size));
    raw.insert(raw.end(), size, 'c');
    EXPECT_FALSE(parse_hello({1, raw.data(), raw.size()}, back, v));
    EXPECT_STREQ(v.reason, "bad hello");
  }
}

}  // namespace
}  // namespace mw::wire
