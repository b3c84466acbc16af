#include "base/pattern_set.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace mw::base {
namespace {

Pattern pattern(std::string_view text, Syntax s = Syntax::mqtt) { return std::move(*Pattern::compile(text, s)); }

class Set : public ::testing::Test {
 protected:
  void* who(int i) { return &people_[i]; }
  // Who hears a topic, told once each.
  std::set<int> heard(std::string_view topic) {
    std::set<int> out;
    size_t calls = 0;
    const size_t n = set_.each(topic, [&](void* p) {
      ++calls;
      out.insert(static_cast<int>(static_cast<char*>(p) - people_));
    });
    EXPECT_EQ(calls, n);
    EXPECT_EQ(calls, out.size());
    EXPECT_EQ(set_.any(topic), n > 0);
    return out;
  }
  PatternSet set_;
  char people_[20000] = {};
};
using People = std::set<int>;

TEST_F(Set, EmptyHearsNothing) {
  EXPECT_TRUE(set_.empty());
  EXPECT_EQ(heard("a"), People());
  EXPECT_FALSE(set_.remove(pattern("a"), who(1)));
  EXPECT_FALSE(set_.remove(pattern("a/+"), who(1)));
  EXPECT_FALSE(set_.remove(pattern("#"), who(1)));
}

TEST_F(Set, EachIsToldOnceWhateverOverlaps) {
  EXPECT_TRUE(set_.add(pattern("a/b"), who(1)));
  EXPECT_TRUE(set_.add(pattern("a/+"), who(1)));
  EXPECT_TRUE(set_.add(pattern("#"), who(1)));
  EXPECT_TRUE(set_.add(pattern("a/**", Syntax::path), who(1)));
  EXPECT_TRUE(set_.add(pattern("a/#"), who(2)));
  EXPECT_TRUE(set_.add(pattern("a/b"), who(3)));
  EXPECT_EQ(heard("a/b"), (People{1, 2, 3}));
  EXPECT_EQ(heard("a"), (People{1, 2}));
  EXPECT_EQ(heard("c"), (People{1}));
}

TEST_F(Set, EachAddIsUndoneByOneRemove) {
  EXPECT_TRUE(set_.add(pattern("a"), who(1)));
  EXPECT_FALSE(set_.add(pattern("a"), who(1)));
  EXPECT_TRUE(set_.add(pattern("+"), who(1)));
  EXPECT_TRUE(set_.add(pattern("a"), who(2)));
  EXPECT_EQ(set_.count(pattern("a")), 2u);
  EXPECT_EQ(set_.count(pattern("+")), 1u);
  EXPECT_EQ(set_.count(pattern("b")), 0u);
  EXPECT_EQ(set_.count(pattern("+/b/#")), 0u);
  EXPECT_FALSE(set_.remove(pattern("a"), who(1)));
  EXPECT_EQ(set_.count(pattern("a")), 2u);
  EXPECT_TRUE(set_.remove(pattern("a"), who(1)));
  EXPECT_FALSE(set_.remove(pattern("a"), who(1)));
  EXPECT_EQ(heard("a"), (People{1, 2}));  // still by +
  EXPECT_TRUE(set_.remove(pattern("+"), who(1)));
  EXPECT_EQ(heard("a"), (People{2}));
  EXPECT_TRUE(set_.remove(pattern("a"), who(2)));
  EXPECT_TRUE(set_.empty());
}

TEST_F(Set, PatternsThatMeanTheSameDoNotEndEachOther) {
  set_.add(pattern("a/#"), who(1));
  set_.add(pattern("a/**", Syntax::path), who(1));
  set_.remove(pattern("a/#"), who(1));
  EXPECT_EQ(heard("a/b"), (People{1}));
  set_.remove(pattern("a/**", Syntax::path), who(1));
  EXPECT_TRUE(set_.empty());
}

TEST_F(Set, DollarTopicsAreHiddenFromLeadingWildcards) {
  set_.add(pattern("#"), who(1));
  set_.add(pattern("+/x"), who(2));
  set_.add(pattern("$SYS/#"), who(3));
  set_.add(pattern("**", Syntax::path), who(4));
  EXPECT_EQ(heard("$SYS/x"), (People{3, 4}));
  EXPECT_EQ(heard("SYS/x"), (People{1, 2, 4}));
}

TEST_F(Set, AgreesWithMatchingEachPatternOverARandomLife) {
  std::mt19937 r(5);
  std::vector<Pattern> patterns;
  const char* names[] = {"a", "b", "", "$c"};
  while (patterns.size() < 300) {
    const bool path = r() % 2 == 0;
    std::string text;
    for (size_t i = 1 + r() % 5; i > 0; --i) {
      const unsigned k = r() % 7;
      if (!text.empty() || i < 3) text += text.empty() ? "" : "/";
      text += k == 5 ? (path ? "*" : "+") : k == 6 && (path || i == 1) ? (path ? "**" : "#") : names[r() % 4];
    }
    if (auto p = Pattern::compile(text, path ? Syntax::path : Syntax::mqtt)) patterns.push_back(std::move(*p));
  }
  // What a pattern means: a/# and a/** are one to the set, # and ** are not ($).
  const auto meaning = [&](size_t p) {
    if (patterns[p].exact()) return "=" + patterns[p].text();
    std::string out;
    std::string_view level;
    for (Levels l(patterns[p].text()); l.next(level);) {
      const bool any = level == "#" || level == "**";
      if (any && out.ends_with("/#")) continue;
      out += "/";
      out += any ? "#" : level == "*" ? "+" : level;
    }
    const bool hides_dollar = patterns[p].text()[0] == '+' || patterns[p].text()[0] == '#';
    return (hides_dollar ? "$" : "") + out;
  };
  std::map<std::pair<std::string, int>, int> model;
  std::map<std::pair<size_t, int>, int> on;
  size_t heard_some = 0;
  for (int n = 0; n < 6000; ++n) {
    const size_t p = r() % patterns.size();
    const int i = static_cast<int>(r() % 12);
    int& adds = model[{meaning(p), i}];
    if (r() % 5 < 2) {
      ASSERT_EQ(set_.add(patterns[p], who(i)), adds == 0) << patterns[p].text();
      ++adds;
      ++on[{p, i}];
    } else if (int& mine = on[{p, i}]; mine > 0) {
      ASSERT_EQ(set_.remove(patterns[p], who(i)), adds == 1) << patterns[p].text();
      --adds;
      --mine;
    } else if (adds == 0) {
      ASSERT_FALSE(set_.remove(patterns[p], who(i))) << patterns[p].text();
    }
    std::string topic;
    for (size_t k = 1 + r() % 5; k > 0; --k) topic += (topic.empty() ? "" : "/") + std::string(names[r() % 4]);
    People expect;
    for (const auto& [pair, count] : on)
      if (count > 0 && patterns[pair.first].match(topic)) expect.insert(pair.second);
    heard_some += !expect.empty();
    ASSERT_EQ(heard(topic), expect) << topic;
  }
  EXPECT_GT(heard_some, 1000u);
  for (const auto& [pair, count] : on)
    for (int k = 0; k < count; ++k) set_.remove(patterns[pair.first], who(pair.second));
  EXPECT_TRUE(set_.empty());
}

TEST_F(Set, TenThousandSubscribersOfOneTopic) {
  for (int i = 0; i < 10000; ++i) set_.add(pattern("news"), who((i * 7919) % 10000));
  set_.add(pattern("#"), who(3));
  set_.add(pattern("+"), who(15000));
  EXPECT_EQ(heard("news").size(), 10001u);
  for (int i = 0; i < 10000; i += 2) EXPECT_TRUE(set_.remove(pattern("news"), who(i)));
  EXPECT_EQ(set_.count(pattern("news")), 5000u);
  EXPECT_EQ(heard("news").size(), 5001u);
}

TEST_F(Set, AHostileTopicTakesBoundedTime) {
  std::string p, t;
  for (int i = 0; i < 60; ++i) p += "**/a/";
  set_.add(pattern(p + "b", Syntax::path), who(1));
  set_.add(pattern(p + "**", Syntax::path), who(2));
  for (int i = 0; i < 20000; ++i) t += "a/";
  EXPECT_EQ(heard(t + "c"), (People{2}));
}

}  // namespace
}  // namespace mw::base
