#include "wire/names.hpp"

#include <gtest/gtest.h>

#include <random>

namespace mw::wire {
namespace {

TEST(Names, DefinedOnceThenByNumber) {
  NameWriter w(10);
  auto c = w.code("a/b");
  EXPECT_EQ(c.mode, TopicMode::define);
  EXPECT_EQ(c.number, 0);
  EXPECT_EQ(c.text, "a/b");
  c = w.code("a/b");
  EXPECT_EQ(c.mode, TopicMode::number);
  EXPECT_EQ(c.number, 0);
  EXPECT_EQ(w.code("other").number, 1);
  EXPECT_EQ(w.code("").mode, TopicMode::none);
}

TEST(Names, WhatIsNotNumbered) {
  NameWriter none(0);
  EXPECT_EQ(none.code("x").mode, TopicMode::text);
  NameWriter w(10);
  EXPECT_EQ(w.code(std::string(kMaxName, 'x')).mode, TopicMode::define);
  EXPECT_EQ(w.code(std::string(kMaxName + 1, 'x')).mode, TopicMode::text);
}

TEST(Names, AFullTableGivesTheOldestAway) {
  NameWriter w(2);
  w.code("a");
  w.code("b");
  auto c = w.code("c");
  EXPECT_EQ(c.mode, TopicMode::define);
  EXPECT_EQ(c.number, 0);
  EXPECT_EQ(w.code("b").mode, TopicMode::number);
  c = w.code("a");
  EXPECT_EQ(c.mode, TopicMode::define);
  EXPECT_EQ(c.number, 1);
  EXPECT_EQ(w.code("c").mode, TopicMode::number);
}

TEST(Names, LimitsBite) {
  NameReader r(3);
  EXPECT_TRUE(r.define(2, "x"));
  EXPECT_FALSE(r.define(3, "x"));
  EXPECT_EQ(*r.find(2), "x");
  EXPECT_EQ(r.find(0), nullptr);
  EXPECT_EQ(r.find(3), nullptr);
  EXPECT_EQ(r.find(UINT64_MAX), nullptr);
  NameReader most(1u << 20);  // whatever a caller asks for
  EXPECT_TRUE(most.define(kMaxNames - 1, "x"));
  EXPECT_FALSE(most.define(kMaxNames, "x"));
  NameWriter w(1u << 20);
  for (size_t i = 0; i < kMaxNames; i++) EXPECT_EQ(w.code(std::to_string(i)).number, i);
  EXPECT_EQ(w.code("again").number, 0);
}

TEST(Names, BothEndsAgreeWhateverComes) {
  std::mt19937 random(10);
  for (size_t limit : {0, 1, 7, 1024}) {
    NameWriter w(limit);
    NameReader r(limit);
    for (int i = 0; i < 5000; i++) {
      auto topic = "topic/" + std::to_string(random() % (limit * 2 + 3));
      auto c = w.code(topic);
      if (c.mode == TopicMode::define) {
        ASSERT_TRUE(r.define(c.number, c.text));
      }
      std::string got(c.text);
      if (c.mode == TopicMode::number) got = *r.find(c.number);
      ASSERT_EQ(got, topic);
    }
  }
}

}  // namespace
}  // namespace mw::wire
