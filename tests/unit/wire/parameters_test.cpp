#include "wire/parameters.hpp"

#include <gtest/gtest.h>

#include <random>

namespace mw::wire {
namespace {

void expect_refused(const std::string& in, const char* text) {
  auto p = parse_parameters(in);
  ASSERT_FALSE(p) << in;
  EXPECT_EQ(p.error().code, MW_EPROTO);
  EXPECT_EQ(p.error().text, text);
}

TEST(Parameters, Parses) {
  auto p = parse_parameters("key=some%20value&plus=a+b&empty=&flag&utf8=%C3%A9&eq=a=b");
  ASSERT_TRUE(p);
  EXPECT_EQ(*p, (Parameters{{"key", "some value"}, {"plus", "a b"}, {"empty", ""}, {"flag", ""},
                            {"utf8", "\xC3\xA9"}, {"eq", "a=b"}}));
  EXPECT_TRUE(parse_parameters("")->empty());
  EXPECT_TRUE(parse_parameters("&&&")->empty());
  EXPECT_EQ(parse_parameters("&a=1&")->size(), 1u);
  EXPECT_EQ(parse_parameters("%41%62=%63%4a")->front(), (std::pair<std::string, std::string>{"Ab", "cJ"}));
}

TEST(Parameters, Refuses) {
  for (const char* bad : {"a=%", "a=%4", "a=%4g", "a=%g4", "%=b", "a=%%41", "a=% 1"})
    expect_refused(bad, "a parameter has a broken % escape");
  expect_refused("a=%00", "a parameter holds a NUL byte");
  expect_refused(std::string("a=\0", 3), "a parameter holds a NUL byte");
  expect_refused("a=%FF", "a parameter is not UTF-8");
  expect_refused("%C3=1", "a parameter is not UTF-8");
  expect_refused("=1", "a parameter has no name");
  expect_refused("a=1&b=2&a=3", "a parameter is given twice");
  expect_refused("a=1&%61=3", "a parameter is given twice");
}

TEST(Parameters, Limits) {
  std::string many;
  for (size_t i = 0; i < kMaxParameters; i++) many += "k" + std::to_string(i) + "=v&";
  EXPECT_EQ(parse_parameters(many)->size(), kMaxParameters);
  expect_refused(many + "one=more", "more than 64 parameters");
  EXPECT_TRUE(parse_parameters(std::string(kMaxParameterKey, 'k') + "=v"));
  expect_refused(std::string(kMaxParameterKey + 1, 'k') + "=v", "a parameter is too long");
  expect_refused(std::string(3 * kMaxParameterKey + 1, 'k') + "=v", "a parameter is too long");
  EXPECT_TRUE(parse_parameters("k=" + std::string(kMaxParameterValue, 'v')));
  expect_refused("k=" + std::string(kMaxParameterValue + 1, 'v'), "a parameter is too long");
  expect_refused("k=" + std::string(3 * kMaxParameterValue + 1, 'v'), "a parameter is too long");
}

TEST(Parameters, EncodingComesBack) {
  EXPECT_EQ(encode_parameters({{"a b", "c&d=e"}, {"x", "\xC3\xA9~-._"}}), "a%20b=c%26d%3De&x=%C3%A9~-._");
  EXPECT_EQ(encode_parameters({}), "");
  std::mt19937 random(8);
  for (int round = 0; round < 300; round++) {
    Parameters p;
    for (size_t i = random() % 5; i > 0; i--) {
      std::string key = "k" + std::to_string(i), value;
      for (size_t n = random() % 20; n > 0; n--) value.push_back(static_cast<char>(1 + random() % 127));
      p.emplace_back(key + value.substr(0, 3), value);
    }
    auto back = parse_parameters(encode_parameters(p));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, p);
  }
}

}  // namespace
}  // namespace mw::wire
