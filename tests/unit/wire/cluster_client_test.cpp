// The bytes are those that cluster-client 3.7.0 and serialize-json write.
#include "wire/cluster_bridge.hpp"
#include "wire/cluster_client.hpp"
#include "wire/serialize_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mw::wire {
namespace {

using std::string_view_literals::operator""sv;

std::string unhex(std::string_view s) {
  std::string out;
  for (size_t i = 0; i < s.size(); i += 2) out += static_cast<char>(std::stoi(std::string(s.substr(i, 2)), nullptr, 16));
  return out;
}
std::string text(base::Buffer& b) {
  std::string out(reinterpret_cast<const char*>(b.data()), b.size());
  b.clear();
  return out;
}
const uint8_t* bytes(std::string_view s) { return reinterpret_cast<const uint8_t*>(s.data()); }

const std::string kRegister = unhex(
    "01000000000000000000000700000bb80000002d000000007b2274797065223a2272656769737465725f6368616e6e656c222c226368616e6e65"
    "6c4e616d65223a2243227d");
const std::string kRegistered = unhex(
    "01010000000000000000000700000bb80000001f000000117b2274797065223a2272656769737465725f6368616e6e656c5f726573227d737563"
    "636573735e5e5e5e24307c2d315d");
const std::string kSubscribe = unhex(
    "01000000000000000000000800000bb800000053000000007b2274797065223a22737562736372696265222c226b6579223a222424696e6e6572"
    "24245f5f7b5c226461746149645c223a5c226120625c227d222c22726567223a7b22646174614964223a22612062227d7d");

TEST(ClusterClient, PacketsOfTheOriginalAreReadAndWritten) {
  for (const std::string& one : {kRegister, kRegistered, kSubscribe}) {
    ClusterHead h;
    const char* why = nullptr;
    for (size_t n = 0; n < kClusterHead; ++n) EXPECT_EQ(read_cluster_head(bytes(one), n, 100, h, why), HeadRead::more);
    ASSERT_EQ(read_cluster_head(bytes(one), one.size(), 100, h, why), HeadRead::ok) << why;
    EXPECT_EQ(h.size(), one.size());
    EXPECT_EQ(h.timeout_ms, 3000u);
    ConnObject c;
    ASSERT_EQ(parse_conn(std::string_view(one).substr(kClusterHead, h.conn), c), nullptr);
    base::Buffer out;
    put_cluster(out, h.response, h.id, h.timeout_ms, print_conn(c), one.data() + kClusterHead + h.conn, h.app);
    EXPECT_EQ(text(out), one);
  }
}

TEST(ClusterClient, WhatIsNoPacketIsRefusedBeforeMemoryIsTaken) {
  ClusterHead h;
  const char* why = nullptr;
  std::string one = kRegister;
  auto with = [&](size_t at, char c) {
    std::string s = one;
    s[at] = c;
    return read_cluster_head(bytes(s), s.size(), 100, h, why);
  };
  EXPECT_EQ(with(0, 2), HeadRead::bad);
  EXPECT_EQ(with(1, 2), HeadRead::bad);
  EXPECT_EQ(with(4, 1), HeadRead::bad);
  EXPECT_EQ(with(16, '\x7f'), HeadRead::bad);
  EXPECT_STREQ(why, "connection object too large");
  EXPECT_EQ(with(20, '\xff'), HeadRead::bad);
  EXPECT_STREQ(why, "message too large");
  ConnObject c;
  for (std::string_view json : {"", "[]", "{", R"({"type":"register_channel"})", R"({"type":"subscribe","key":"x"})",
                                R"({"type":"invoke","argLength":1})", R"({"type":"invoke","method":"m","argLength":-1})",
                                R"({"type":"invoke","method":"m","argLength":1e9})"})
    EXPECT_NE(parse_conn(json, c), nullptr) << json;
  EXPECT_EQ(parse_conn(R"({"type":"new"})", c), nullptr);
  EXPECT_EQ(c.type, ClusterType::other);
}

TEST(ClusterClient, PartsChangeTheirByteOrder) {
  base::Buffer out;
  uint32_t n = 0;
  ASSERT_TRUE(swap_parts(bytes("\0\0\0\1a\0\0\0\0"sv), 9, true, out, &n));
  EXPECT_EQ(n, 2u);
  EXPECT_EQ(text(out), "\1\0\0\0a\0\0\0\0"sv);
  ASSERT_TRUE(swap_parts(bytes("\1\0\0\0a"sv), 5, false, out, &n));
  EXPECT_EQ(text(out), "\0\0\0\1a"sv);
  EXPECT_FALSE(swap_parts(bytes("\0\0\0\2a"sv), 5, true, out, &n));
  EXPECT_FALSE(swap_parts(bytes("\0\0"sv), 2, true, out, &n));
}

TEST(SerializeJson, AsTheOriginalWrites) {
  for (auto& [json, packed] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"success":true})", "success^^^^$0|-1]"},
           {R"({"a":1,"b":[true,false,null,"",null,-37.5,-36],"c":{"d":"x+y|z^%","e":[]},"f":{}})",
            "a|b|c|d|x%2By%7Cz%5E%25|e|f^1|-10^-37.5^^$0|7|1|@-1|-2|-3|-4|-3|9|8]|2|$3|4|5|@]]|6|$]]"},
           {R"("")", "^^^^-4"},
           {"[]", "^^^^@]"},
           {R"({"stack":"s","name":"N","message":"m m","code":"E"})", "stack|s|name|N|message|m+m|code|E^^^^$0|1|2|3|4|5|6|7]"},
           {"12345678901", "^5O6AQT1^^^0"},
           {"0.1", "^^0.1^^0"},
           {"\"\u00e9\"", "\u00e9^^^^0"}}) {
    auto v = base::Json::parse(json);
    ASSERT_TRUE(v);
    EXPECT_EQ(serialize_json(v->root()), packed);
    auto back = deserialize_json(packed);
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(*back, json);
  }
}

TEST(SerializeJson, WhatOnlyTheOriginalHas) {
  EXPECT_EQ(*deserialize_json("^^^RS^0"), "1000");                      // a date
  EXPECT_EQ(*deserialize_json("^1|2^^^*0|1]"), "[1,2]");                // bytes
  EXPECT_EQ(*deserialize_json("a^^^^$0|-5]"), R"({"a":null})");         // undefined
  EXPECT_EQ(*deserialize_json("message|boom|stack|st|code^3^^^#0|1|2|3|4|5]"), R"({"message":"boom","stack":"st","code":3})");
}

TEST(SerializeJson, WhatIsNone) {
  std::string deep = "^^^^" + std::string(40, '@') + std::string(40, ']');
  for (std::string_view s : {""sv, "^^^"sv, "^^^^"sv, "^^^^0"sv, "a^^^^0|0"sv, "a^^^^$0]"sv, "a^^^^$0|0"sv, "^1^^^$0|0]"sv,
                             "a^^^^-6"sv, "a^^^^@0|"sv, "a^^^^@0 0]"sv, "a^^^^ZZZZZZZZZZZZZZZZ"sv, std::string_view(deep)})
    EXPECT_FALSE(deserialize_json(s)) << s;
}

// Both ends of a bridge, and the own wire's packets in between.
struct Bridged : testing::Test {
  uint8_t uuid[16] = {};
  ClusterRules rules{"C", 1 << 20, 3000, false};
  ClusterBridge leader{ClusterBridge::End::leader, rules, uuid};
  ClusterBridge follower{ClusterBridge::End::follower, rules, uuid};

  void pass() {  // what each says to the other
    while (!leader.to_cluster.empty() || !follower.to_cluster.empty()) {
      std::string a = text(leader.to_cluster), b = text(follower.to_cluster);
      ASSERT_TRUE(follower.from_cluster(bytes(a), a.size())) << follower.why();
      ASSERT_TRUE(leader.from_cluster(bytes(b), b.size())) << leader.why();
    }
  }
  // Frames of our own, in which this packet is said to an end.
  void own(ClusterBridge& to, const base::Buffer& packet) {
    uint8_t head[kMaxHead];
    const bool masked = &to == &follower;
    size_t n = masked ? put_head_masked(head, kBinary, true, false, packet.size(), 0) : put_head(head, kBinary, true, false, packet.size());
    base::Buffer all;
    all.append(head, n);
    all.append(packet.data(), packet.size());
    for (size_t i = 0; i < all.size(); ++i) ASSERT_TRUE(to.from_own(all.data() + i, 1)) << to.why();
  }
  void hello(ClusterBridge& to) {
    base::Buffer b;
    put_hello(b, Hello{});
    own(to, b);
  }
  void message(ClusterBridge& to, std::string_view topic, std::string_view body) {
    base::Buffer b;
    const TopicCode name{TopicMode::text, 0, topic};
    b.wrote(put_message_head(b.room(200), 0, name, {}, body.size()));
    b.append(body.data(), body.size());
    own(to, b);
  }
  void let_in() {
    hello(leader);
    follower.ask_in();
    pass();
    EXPECT_FALSE(follower.let_in());
    message(leader, "!", "1");
    pass();
    EXPECT_TRUE(follower.let_in());
    hello(follower);
    leader.to_own.clear();
    follower.to_own.clear();
  }
};

TEST_F(Bridged, TheLeaderAnswersTheOriginalByteForByte) {
  hello(leader);
  message(leader, "!", "1");
  ASSERT_TRUE(leader.from_cluster(bytes(kRegister), kRegister.size()));
  EXPECT_EQ(text(leader.to_cluster), kRegistered);
}

TEST_F(Bridged, AKeyIsSubscribedAndItsValueComes) {
  let_in();
  base::Buffer b;
  put_subscribe(b, {1, 0, R"(={"a":1})"});
  own(follower, b);
  pass();
  EXPECT_NE(text(leader.to_own).find(R"(={"a":1})"), std::string::npos);
  text(follower.to_own);
  message(leader, R"(~{"a":1})", "value");
  pass();
  std::string got = text(follower.to_own);
  EXPECT_NE(got.find(R"(={"a":1})"), std::string::npos);
  EXPECT_NE(got.find("value"), std::string::npos);
  b.clear();
  put_unsubscribe(b, {1});
  own(follower, b);
  pass();
  message(leader, R"(={"a":1})", "value");
  EXPECT_TRUE(leader.to_cluster.empty());
}

TEST_F(Bridged, AKeyOfAnotherFormatTravelsBesideItsRegistration) {
  let_in();
  base::Buffer b;
  put_subscribe(b, {1, 0, "={\"a\":1}\nformatted"});
  own(follower, b);
  EXPECT_NE(std::string(reinterpret_cast<char*>(follower.to_cluster.data()), follower.to_cluster.size())
                .find(R"("key":"$$inner$$__formatted","reg":{"a":1})"),
            std::string::npos);
  pass();
  EXPECT_NE(text(leader.to_own).find("={\"a\":1}\nformatted"), std::string::npos);
}

TEST_F(Bridged, ACallAndItsAnswers) {
  let_in();
  Talk call;
  call.number = 7;
  call.flags = kPartsBody;
  base::Buffer b;
  b.wrote(put_talk(b.room(200), call, {TopicMode::text, 0, "share.get"}, 5));
  b.append("\1\0\0\0x", 5);
  own(follower, b);
  pass();
  std::string asked = text(leader.to_own);
  EXPECT_NE(asked.find("share.get"), std::string::npos);
  EXPECT_NE(asked.find("\1\0\0\0x"sv), std::string::npos);
  Talk reply;
  reply.type = Packet::reply;
  reply.number = 15;  // 2 * 7 + 1
  b.clear();
  b.wrote(put_talk(b.room(200), reply, {}, 2));
  b.append("ok", 2);
  own(leader, b);
  pass();
  EXPECT_EQ(text(follower.to_own).substr(2), "\x09\x04\x07\x00ok"sv);
  reply.status = MW_EREMOTE;
  b.clear();
  constexpr std::string_view kWhy = R"({"name":"NotFound","message":"no x"})";
  b.wrote(put_talk(b.room(200), reply, {}, kWhy.size()));
  b.append(kWhy.data(), kWhy.size());
  own(leader, b);
  pass();
  EXPECT_NE(text(follower.to_own).find(kWhy), std::string::npos);
}

TEST_F(Bridged, NumbersOfPacketsMayBeginAgain) {
  let_in();
  auto invoke = [&](uint64_t id) {
    base::Buffer b;
    put_cluster(b, false, id, 0, R"({"type":"invoke","method":"m","argLength":0})", nullptr, 0);
    ASSERT_TRUE(leader.from_cluster(b.data(), b.size()));
  };
  invoke(1'000'000'000);
  invoke(3);
  Talk reply;
  reply.type = Packet::reply;
  for (auto& [number, id] : {std::pair<uint64_t, uint64_t>{1'000'000'001, 1'000'000'000}, {1'000'000'005, 3}}) {
    reply.number = number;
    base::Buffer b;
    b.wrote(put_talk(b.room(64), reply, {}, 0));
    own(leader, b);
    ClusterHead h;
    const char* why = nullptr;
    ASSERT_EQ(read_cluster_head(leader.to_cluster.data(), leader.to_cluster.size(), 100, h, why), HeadRead::ok);
    EXPECT_EQ(h.id, id);
    leader.to_cluster.clear();
  }
}

TEST_F(Bridged, AHeartbeatGoesThroughToTheLaneAndBack) {
  let_in();
  uint8_t ping[] = {0x89, 0x82, 0, 0, 0, 0, 'h', 'i'};
  ASSERT_TRUE(follower.from_own(ping, sizeof ping));
  pass();
  std::string asked = text(leader.to_own);
  ASSERT_EQ(asked.size(), 2u + 4 + 8);  // a ping with the number in it
  std::string pong = asked.substr(6);
  pong.insert(0, "\x8a\x08");
  ASSERT_TRUE(leader.from_own(bytes(pong), pong.size()));
  pass();
  EXPECT_EQ(text(follower.to_own), "\x8a\x02hi");
}

TEST_F(Bridged, AProvidersPingWaitsForASignOfLife) {
  let_in();
  const std::string ping = "\x89\x01p";
  ASSERT_TRUE(leader.from_own(bytes(ping), ping.size()));
  EXPECT_EQ(leader.to_own.size(), 7u);  // it said something just now
  leader.to_own.clear();
  ASSERT_TRUE(leader.from_own(bytes(ping), ping.size()));
  EXPECT_TRUE(leader.to_own.empty());
  ASSERT_TRUE(leader.from_cluster(bytes(kSubscribe), 1));
  EXPECT_EQ(leader.to_own.size(), 7u);
}

TEST_F(Bridged, BadInputEndsItWithAReason) {
  EXPECT_FALSE(leader.from_cluster(bytes("\2"), 1));
  EXPECT_EQ(leader.why(), "not a packet of version 1");
  EXPECT_FALSE(leader.from_cluster(bytes("\1"), 1));
  follower.ask_in();
  base::Buffer b;
  put_cluster(b, true, 3, 0, R"({"type":"register_channel_res"})", "{}", 2);
  EXPECT_FALSE(follower.from_cluster(b.data(), b.size()));
  EXPECT_TRUE(follower.why().starts_with("the leader's transcode is another one"));
}

}  // namespace
}  // namespace mw::wire
