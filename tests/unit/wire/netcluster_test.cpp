#include "wire/netcluster.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace mw::wire {
namespace {

using Is = NetclusterCut::Is;

NetclusterCut cut(const std::string& s, size_t looked, size_t max) {
  return cut_netcluster(reinterpret_cast<const uint8_t*>(s.data()), s.size(), looked, max);
}

TEST(Netcluster, FramesMayBeCutAnywhere) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> said, heard;
    std::string stream, kept;
    for (int i = 0; i < 8; ++i) {
      said.emplace_back(random() % 40, static_cast<char>('a' + i));
      stream += said.back() + '\0';
    }
    size_t looked = 0;
    for (size_t at = 0; at < stream.size();) {
      size_t n = std::min<size_t>(1 + random() % 30, stream.size() - at);
      kept.append(stream, at, n);
      at += n;
      for (;;) {
        const NetclusterCut c = cut(kept, looked, 64);
        ASSERT_NE(c.is, Is::too_long);
        looked = c.is == Is::part ? kept.size() : 0;
        if (c.is == Is::part) break;
        heard.push_back(kept.substr(0, c.size));
        kept.erase(0, c.size + 1);
      }
    }
    EXPECT_EQ(heard, said);
  }
}

TEST(Netcluster, FramesAreBounded) {
  const NetclusterCut whole = cut(std::string("0123456789\0x", 12), 0, 10);
  EXPECT_EQ(whole.is, Is::frame);
  EXPECT_EQ(whole.size, 10u);
  EXPECT_EQ(cut("0123456789", 0, 10).is, Is::part);
  EXPECT_EQ(cut("0123456789a", 10, 10).is, Is::too_long);
  EXPECT_EQ(cut(std::string("0123456789a\0", 12), 0, 10).is, Is::too_long);  // also where the end is there
  EXPECT_EQ(cut("", 0, 10).is, Is::part);
}

TEST(Netcluster, EventsComeBack) {
  std::string out;
  const std::string data = R"({ "n":[1,2.5,"é",1152921504606846976,1e999],"n":"\u0000\ud800" })";
  put_netcluster(out, {"u-1", "A", "log \"x\"", data, true});
  ASSERT_EQ(out.back(), '\0');
  out.pop_back();
  auto e = parse_netcluster(out);
  ASSERT_TRUE(e) << e.error().text;
  EXPECT_EQ(e->emitter, "u-1");
  EXPECT_EQ(e->channel, "A");
  EXPECT_EQ(e->event, "log \"x\"");
  EXPECT_EQ(e->data, data);  // as it was written: no number changed
  EXPECT_TRUE(e->broadcast);
  // Data left out; other members and another order are all the same.
  const std::string other = R"( {"x":{"channel":"no"},"event":"e\u00e9","emmiteruuid":null,"channel":"c"} )";
  e = parse_netcluster(other);
  ASSERT_TRUE(e) << e.error().text;
  EXPECT_EQ(e->data, "null");
  EXPECT_EQ(e->emitter, "");
  EXPECT_EQ(e->event, "e\xC3\xA9");
  EXPECT_EQ(e->channel, "c");
  EXPECT_FALSE(e->broadcast);
}

TEST(Netcluster, WhatIsNoEventIsRefused) {
  const std::string long_event = R"({"channel":"c","event":")" + std::string(1025, 'e') + "\"}";
  for (const char* bad : {"", "null", "[]", "{}", R"({"channel":"c"})", R"({"channel":"c","event":7})", R"({"channel":"c","event":""})",
                          R"({"channel":"c","event":"e")", "{'channel':'c'}", R"({"channel":"c","event":"a\u0000b"})",
                          R"({"channel":"c","event":"e","emmiteruuid":7})", R"({"channel":"c","event":"e"} x)",
                          "{\"channel\":\"c\",\"event\":\"\xff\"}", long_event.c_str()}) {
    auto e = parse_netcluster(bad);
    ASSERT_FALSE(e) << bad;
    EXPECT_EQ(e.error().code, MW_EPROTO);
    EXPECT_TRUE(e.error().text.starts_with("not a netcluster packet: ")) << e.error().text;
  }
  EXPECT_FALSE(parse_netcluster(R"({"channel":"c","event":"e","data":)" + std::string(600, '[') + std::string(600, ']') + "}"));
}

}  // namespace
}  // namespace mw::wire
