#include "wire/hello.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace mw::wire {
namespace {

using Raw = std::vector<uint8_t>;

bool parse(const Raw& body, Hello& h, Violation& v) {
  return parse_hello({static_cast<uint8_t>(Packet::hello), body.data(), body.size()}, h, v);
}
void expect_bad(const Raw& body, const char* reason, uint16_t code = 1002) {
  Hello h;
  Violation v;
  EXPECT_FALSE(parse(body, h, v)) << reason;
  EXPECT_EQ(v.code, code);
  EXPECT_STREQ(v.reason, reason);
}
Raw uuid_field(uint8_t first = 1) {
  Raw r = {1, 16};
  r.resize(18, first);
  return r;
}
Raw with(Raw head, const Raw& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

TEST(Hello, RoundTrip) {
  Hello h;
  for (int i = 0; i < 16; i++) h.uuid[i] = static_cast<uint8_t>(i * 3);
  for (uint64_t n : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40, UINT64_MAX}) {
    h.capabilities = n;
    h.max_message = n / 2;
    h.heartbeat_ms = n / 3;
    h.names = n / 4;
    base::Buffer b;
    put_hello(b, h);
    Bytes in{b.data(), b.data() + b.size()};
    PacketView p;
    Violation v;
    ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
    EXPECT_EQ(in.left(), 0u);
    EXPECT_EQ(p.type, 1);
    Hello back;
    ASSERT_TRUE(parse_hello(p, back, v)) << v.reason;
    EXPECT_EQ(back.major, kMajor);
    EXPECT_EQ(back.minor, kMinor);
    EXPECT_EQ(std::memcmp(back.uuid, h.uuid, 16), 0);
    EXPECT_EQ(back.capabilities, h.capabilities);
    EXPECT_EQ(back.max_message, h.max_message);
    EXPECT_EQ(back.heartbeat_ms, h.heartbeat_ms);
    EXPECT_EQ(back.names, h.names);
  }
}

TEST(Hello, OfANode) {
  Hello h, back;
  const std::string mesh(kMaxMesh, 'm'), node(kMaxNode, 'n'), role(kMaxRole, 'r');
  h.capabilities = kCanMember;
  h.mesh = mesh;
  h.node = node;
  h.instance = UINT64_MAX;
  h.role = role;
  base::Buffer b;
  put_hello(b, h);
  Bytes in{b.data(), b.data() + b.size()};
  PacketView p;
  Violation v;
  ASSERT_EQ(next_packet(in, p, v), PacketRead::ok);
  ASSERT_TRUE(parse_hello(p, back, v)) << v.reason;
  EXPECT_EQ(back.mesh, mesh);
  EXPECT_EQ(back.node, node);
  EXPECT_EQ(back.instance, UINT64_MAX);
  EXPECT_EQ(back.role, role);
  expect_bad(with(with({1, 0}, uuid_field()), {8, 0}), "bad hello");  // no name at all
  expect_bad(with(with({1, 0}, uuid_field()), with({8, 130, 1}, Raw(130, 'm'))), "bad hello");
  expect_bad(with(with({1, 0}, uuid_field()), with({9, 128, 2}, Raw(256, 'n'))), "bad hello");
  expect_bad(with(with({1, 0}, uuid_field()), with({11, 128, 2}, Raw(256, 'r'))), "bad hello");
}

TEST(Hello, LaterVersionsTalk) {
  Hello h;
  Violation v;
  // Minor 9, a key of the future (200) with bytes, an unknown capability.
  Raw b = with({1, 9, 0xC8, 0x01, 2, 7, 7}, with(uuid_field(), {2, 2, 0x81, 0x01}));
  ASSERT_TRUE(parse(b, h, v)) << v.reason;
  EXPECT_EQ(h.minor, 9u);
  EXPECT_EQ(h.capabilities, 0x81u);
}

TEST(Hello, Refusals) {
  expect_bad({}, "bad hello");
  expect_bad({1}, "bad hello");
  expect_bad(with({2, 0}, uuid_field()), "other major version");
  expect_bad(with({0, 1}, uuid_field()), "other major version");  // of meshwork.0
  expect_bad({1, 0}, "hello without uuid");
  expect_bad({1, 0, 1, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "bad hello");
  expect_bad({1, 0, 1, 16, 0}, "bad hello");
  expect_bad(with(with({1, 0}, uuid_field()), uuid_field()), "hello field twice");
  expect_bad(with(with({1, 0}, uuid_field()), {3, 1, 5, 3, 1, 5}), "hello field twice");
  expect_bad(with(with({1, 0}, uuid_field()), {3, 0}), "bad hello");        // no number
  expect_bad(with(with({1, 0}, uuid_field()), {3, 2, 5, 5}), "bad hello");  // more than a number
  expect_bad(with(with({1, 0}, uuid_field()), {3, 2, 0x80, 0}), "bad hello");
  expect_bad(with(with({1, 0}, uuid_field()), {3}), "bad hello");
  expect_bad(with({0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0}, uuid_field()), "bad hello");
  expect_bad(Raw(kMaxHello + 1, 0), "hello too long", 1009);
}

TEST(Hello, EveryCutIsSafe) {
  base::Buffer b;
  Hello h;
  h.capabilities = h.max_message = h.heartbeat_ms = h.names = 300;
  put_hello(b, h);
  Raw whole(b.data() + 2, b.data() + b.size());
  for (size_t n = 0; n < whole.size(); n++) {
    Raw cut(whole.begin(), whole.begin() + static_cast<long>(n));
    Hello back;
    Violation v;
    bool ok = parse(cut, back, v);
    // Whole fields left out at the end are no fault.
    EXPECT_EQ(ok, n == 20 || n == 24 || n == 28 || n == 32) << n;
  }
}

}  // namespace
}  // namespace mw::wire
