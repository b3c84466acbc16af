#include "base/pattern.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace mw::base {
namespace {

Pattern compiled(std::string_view text, Syntax syntax) {
  auto r = Pattern::compile(text, syntax);
  EXPECT_TRUE(r) << text;
  return std::move(*r);
}
bool mqtt(std::string_view p, std::string_view t) { return compiled(p, Syntax::mqtt).match(t); }
bool path(std::string_view p, std::string_view t) { return compiled(p, Syntax::path).match(t); }

TEST(Pattern, Exact) {
  const Pattern p = compiled("a/+/#/**", Syntax::exact);
  EXPECT_TRUE(p.exact());
  EXPECT_TRUE(p.match("a/+/#/**"));
  EXPECT_FALSE(p.match("a/b/#/**"));
  EXPECT_FALSE(p.match(""));
  EXPECT_TRUE(compiled("a/b", Syntax::mqtt).exact());
  EXPECT_TRUE(compiled("a/b#", Syntax::path).exact());
  EXPECT_FALSE(compiled("a/+", Syntax::mqtt).exact());
}

// The examples of MQTT 5 section 4.7.
TEST(Pattern, MqttAsTheStandardSays) {
  EXPECT_TRUE(mqtt("sport/tennis/player1/#", "sport/tennis/player1"));
  EXPECT_TRUE(mqtt("sport/tennis/player1/#", "sport/tennis/player1/ranking"));
  EXPECT_TRUE(mqtt("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"));
  EXPECT_FALSE(mqtt("sport/tennis/player1/#", "sport/tennis/player10"));
  EXPECT_TRUE(mqtt("sport/#", "sport"));
  EXPECT_TRUE(mqtt("#", "anything/at/all"));
  EXPECT_TRUE(mqtt("sport/tennis/+", "sport/tennis/player1"));
  EXPECT_FALSE(mqtt("sport/tennis/+", "sport/tennis/player1/ranking"));
  EXPECT_FALSE(mqtt("sport/+", "sport"));
  EXPECT_TRUE(mqtt("sport/+", "sport/"));
  EXPECT_TRUE(mqtt("+/+", "/finance"));
  EXPECT_TRUE(mqtt("/+", "/finance"));
  EXPECT_FALSE(mqtt("+", "/finance"));
  EXPECT_TRUE(mqtt("+/tennis/#", "sport/tennis"));
  EXPECT_FALSE(mqtt("+/tennis/#", "sport/football"));
  EXPECT_FALSE(mqtt("ACCOUNTS/+", "Accounts/x"));
}

TEST(Pattern, MqttHidesDollarTopicsFromLeadingWildcards) {
  EXPECT_FALSE(mqtt("#", "$SYS/x"));
  EXPECT_FALSE(mqtt("+/monitor/Clients", "$SYS/monitor/Clients"));
  EXPECT_TRUE(mqtt("$SYS/#", "$SYS/x"));
  EXPECT_TRUE(mqtt("$SYS/monitor/+", "$SYS/monitor/Clients"));
  EXPECT_TRUE(mqtt("a/+", "a/$b"));
  EXPECT_TRUE(path("**", "$SYS/x"));
}

TEST(Pattern, Path) {
  EXPECT_TRUE(path("a/*/c", "a/b/c"));
  EXPECT_FALSE(path("a/*/c", "a/c"));
  EXPECT_FALSE(path("a/*/c", "a/b/b/c"));
  EXPECT_TRUE(path("a/**", "a"));
  EXPECT_TRUE(path("a/**", "a/b/c"));
  EXPECT_FALSE(path("a/**", "ab"));
  EXPECT_TRUE(path("**", "a/b/c"));
  EXPECT_TRUE(path("**/c", "c"));
  EXPECT_TRUE(path("**/c", "a/b/c"));
  EXPECT_FALSE(path("**/c", "a/b/c/d"));
  EXPECT_TRUE(path("a/**/c", "a/c"));
  EXPECT_TRUE(path("a/**/c", "a/c/b/c"));
  EXPECT_FALSE(path("a/**/c", "a/c/b"));
  EXPECT_TRUE(path("**/a/**/b/**", "x/a/y/b/z"));
  EXPECT_TRUE(path("**/a/*/b", "a/a/a/b"));
  EXPECT_FALSE(path("**/a/*/b", "a/b"));
  EXPECT_TRUE(path("/a/*", "/a/b"));
  EXPECT_FALSE(path("/a/*", "a/b"));
  EXPECT_TRUE(path("a/**/**/b", "a/b"));
}

TEST(Pattern, RefusedWithAReason) {
  const auto why = [](std::string_view text, Syntax s) {
    auto r = Pattern::compile(text, s);
    if (r) return std::string();
    EXPECT_EQ(r.error().code, MW_EPATTERN);
    return r.error().text;
  };
  const auto has = [](const std::string& all, const char* part) { return all.find(part) != std::string::npos; };
  EXPECT_TRUE(has(why("", Syntax::mqtt), "empty"));
  EXPECT_TRUE(has(why("a/#/b", Syntax::mqtt), "after #"));
  EXPECT_TRUE(has(why("#/", Syntax::mqtt), "after #"));
  EXPECT_TRUE(has(why("a+/b", Syntax::mqtt), "inside a level"));
  EXPECT_TRUE(has(why("a/b#", Syntax::mqtt), "inside a level"));
  EXPECT_TRUE(has(why("++", Syntax::mqtt), "inside a level"));
  EXPECT_TRUE(has(why("a*/b", Syntax::path), "inside a segment"));
  EXPECT_TRUE(has(why("a/***", Syntax::path), "inside a segment"));
  EXPECT_TRUE(has(why("a\xFF", Syntax::exact), "UTF-8"));
  EXPECT_TRUE(has(why(std::string_view("a\0b", 3), Syntax::exact), "NUL"));
}

TEST(Pattern, LimitsBite) {
  EXPECT_TRUE(Pattern::compile(std::string(Pattern::kMaxBytes, 'a'), Syntax::mqtt));
  EXPECT_FALSE(Pattern::compile(std::string(Pattern::kMaxBytes + 1, 'a'), Syntax::mqtt));
  std::string deep = "+";
  for (size_t i = 1; i < Pattern::kMaxLevels; ++i) deep += "/a";
  EXPECT_TRUE(Pattern::compile(deep, Syntax::mqtt));
  EXPECT_FALSE(Pattern::compile(deep + "/a", Syntax::mqtt));
}

// The definition, by trying everything.
bool slow(const std::vector<std::string>& p, size_t i, const std::vector<std::string>& t, size_t j, bool mqtt) {
  if (i == p.size()) return j == t.size();
  if (p[i] == (mqtt ? "#" : "**")) {
    for (size_t k = j; k <= t.size(); ++k)
      if (slow(p, i + 1, t, k, mqtt)) return true;
    return false;
  }
  return j < t.size() && (p[i] == (mqtt ? "+" : "*") || p[i] == t[j]) && slow(p, i + 1, t, j + 1, mqtt);
}

TEST(Pattern, AgreesWithTheDefinitionOnRandomOnes) {
  std::mt19937 r(11);
  const auto join = [](const std::vector<std::string>& v) {
    std::string s;
    for (size_t i = 0; i < v.size(); ++i) s += (i ? "/" : "") + v[i];
    return s;
  };
  int matched = 0;
  for (int n = 0; n < 50000; ++n) {
    const bool is_mqtt = r() % 2 == 0;
    std::vector<std::string> p, t;
    const char* names[] = {"a", "b", ""};
    for (size_t i = 1 + r() % 5; i > 0; --i) {
      const unsigned k = r() % 6;
      if (k == 4)
        p.push_back(is_mqtt ? "+" : "*");
      else if (k == 5 && (!is_mqtt || i == 1))
        p.push_back(is_mqtt ? "#" : "**");
      else
        p.push_back(names[r() % 3]);
    }
    for (size_t i = 1 + r() % 6; i > 0; --i) t.push_back(names[r() % 3]);
    if (join(p).empty()) continue;
    const bool expect = slow(p, 0, t, 0, is_mqtt);
    matched += expect;
    ASSERT_EQ(compiled(join(p), is_mqtt ? Syntax::mqtt : Syntax::path).match(join(t)), expect) << join(p) << " on " << join(t);
  }
  EXPECT_GT(matched, 1000);
}

TEST(Pattern, HostileOnesTakeBoundedTime) {
  // Exponential for a matcher that tries everything: 60 times ** and a miss at the end.
  std::string p, t;
  for (int i = 0; i < 60; ++i) p += "**/a/";
  for (int i = 0; i < 20000; ++i) t += "a/";
  EXPECT_FALSE(path(p + "b", t + "c"));
  EXPECT_TRUE(path(p + "c", t + "c"));
}

}  // namespace
}  // namespace mw::base
