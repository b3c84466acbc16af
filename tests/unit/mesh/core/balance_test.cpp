#include "mesh/core/balance.hpp"

#include <gtest/gtest.h>

#include <map>

namespace mw::mesh::core {
namespace {

std::vector<Candidate> members(std::initializer_list<const char*> names) {
  std::vector<Candidate> out;
  for (const char* name : names) {
    Candidate c;
    c.name = name;
    c.key = hash_text(name);
    c.member = static_cast<Slot>(out.size());
    out.push_back(c);
  }
  std::sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) { return a.key < b.key; });
  return out;
}
Preference by(Strategy s) {
  Preference p;
  p.strategy = s;
  return p;
}

TEST(Balance, RoundRobinTakesTurns) {
  Balancer b(1);
  auto all = members({"a", "b", "c"});
  std::map<std::string_view, int> hits;
  std::vector<size_t> order;
  for (int i = 0; i < 9; i++) {
    order.push_back(b.pick("C.m", all, by(Strategy::round_robin)));
    hits[all[order.back()].name]++;
  }
  for (const auto& [name, n] : hits) EXPECT_EQ(n, 3) << name;
  for (size_t i = 1; i < order.size(); i++) EXPECT_EQ(order[i], (order[i - 1] + 1) % 3);
}

TEST(Balance, TurnsOutliveComingAndGoing) {
  Balancer b(1);
  auto all = members({"a", "b", "c", "d"});
  const size_t first = b.pick("C", all, by(Strategy::round_robin));
  const std::string_view after = all[(first + 1) % 4].name;
  auto fewer = all;
  fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(first));
  EXPECT_EQ(fewer[b.pick("C", fewer, by(Strategy::round_robin))].name, after);
}

TEST(Balance, CallersBeginAnywhere) {
  auto all = members({"a", "b", "c", "d"});
  std::map<size_t, int> firsts;
  for (uint64_t seed = 0; seed < 200; seed++) {
    Balancer b(seed);
    firsts[b.pick("C", all, by(Strategy::round_robin))]++;
  }
  EXPECT_EQ(firsts.size(), 4u);
}

TEST(Balance, TargetsHaveTurnsOfTheirOwn) {
  Balancer b(1);
  auto all = members({"a", "b"});
  const size_t x = b.pick("X", all, by(Strategy::round_robin));
  for (int i = 0; i < 5; i++) b.pick("Y", all, by(Strategy::round_robin));
  EXPECT_NE(b.pick("X", all, by(Strategy::round_robin)), x);
}

TEST(Balance, FewestInFlight) {
  Balancer b(1);
  auto all = members({"a", "b", "c", "d"});
  for (size_t i = 0; i < 4; i++) all[i].in_flight = i == 2 ? 1 : 50;
  for (int i = 0; i < 20; i++) EXPECT_EQ(b.pick("C", all, by(Strategy::least_busy)), 2u);
  // Of two: the busiest of all is never the less busy one.
  for (size_t i = 0; i < 4; i++) all[i].in_flight = static_cast<uint32_t>(i);
  std::map<size_t, int> hits;
  for (int i = 0; i < 600; i++) hits[b.pick("C", all, by(Strategy::two_choices))]++;
  EXPECT_EQ(hits.count(3), 0u);
  EXPECT_GT(hits[0], hits[1]);
  EXPECT_GT(hits[1], hits[2]);
  // And with all alike it spreads.
  for (auto& c : all) c.in_flight = 7;
  for (const Strategy s : {Strategy::two_choices, Strategy::least_busy, Strategy::random}) {
    hits.clear();
    for (int i = 0; i < 400; i++) hits[b.pick("C", all, by(s))]++;
    for (size_t i = 0; i < 4; i++) EXPECT_GT(hits[i], 50);
  }
}

TEST(Balance, StickyKeysStayUnlessTheirMemberGoes) {
  Balancer b(1), other(99);
  auto all = members({"a", "b", "c", "d", "e"});
  Preference p = by(Strategy::sticky);
  std::map<std::string, std::string_view> home;
  std::map<std::string_view, int> load;
  for (int i = 0; i < 500; i++) {
    const std::string key = "key" + std::to_string(i);
    p.sticky = key;
    home[key] = all[b.pick("C", all, p)].name;
    load[home[key]]++;
    EXPECT_EQ(all[other.pick("C", all, p)].name, home[key]);  // every caller says the same
  }
  for (const auto& [name, n] : load) EXPECT_GT(n, 50) << name;
  auto fewer = all;
  const std::string_view gone = fewer[1].name;
  fewer.erase(fewer.begin() + 1);
  for (const auto& [key, name] : home) {
    p.sticky = key;
    const auto now = fewer[b.pick("C", fewer, p)].name;
    if (name != gone) EXPECT_EQ(now, name);
  }
}

TEST(Balance, OnlyAndExclude) {
  const std::vector<std::string> only{"a", "c", "z"}, exclude{"c"};
  auto all = members({"a", "b", "c", "d"});
  Preference p;
  p.only = only;
  auto left = all;
  filter(left, p);
  EXPECT_EQ(left.size(), 2u);
  p.exclude = exclude;
  filter(left, p);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "a");
  p.only = {};
  left = all;
  filter(left, p);
  EXPECT_EQ(left.size(), 3u);
}

TEST(Balance, LocalFirstAndSuspectedLast) {
  Balancer b(1);
  auto all = members({"a", "b", "c"});
  all[1].local = true;
  for (int i = 0; i < 6; i++) EXPECT_EQ(b.pick("C", all, by(Strategy::round_robin)), 1u);
  Preference p = by(Strategy::round_robin);
  p.local_first = false;
  std::map<size_t, int> hits;
  for (int i = 0; i < 6; i++) hits[b.pick("C", all, p)]++;
  EXPECT_EQ(hits.size(), 3u);
  all[0].suspected = all[1].suspected = true;
  for (int i = 0; i < 6; i++) EXPECT_EQ(b.pick("C", all, p), 2u);
  all[2].suspected = true;
  EXPECT_NE(b.pick("C", all, p), SIZE_MAX);  // better than nobody
  EXPECT_EQ(b.pick("C", {}, p), SIZE_MAX);
}

TEST(Balance, TheNewestVersionOfThoseThatAreLeft) {
  Balancer b(1);
  auto all = members({"a", "b", "c", "d"});
  all[2].age = 1;
  all[3].age = 2;
  std::map<size_t, int> hits;
  for (int i = 0; i < 4; i++) hits[b.pick("C", all, by(Strategy::round_robin))]++;
  EXPECT_EQ(hits, (std::map<size_t, int>{{0, 2}, {1, 2}}));
  // An older one that answers is better than a newer one that may not.
  all[0].suspected = all[1].suspected = true;
  for (const Strategy s : {Strategy::round_robin, Strategy::random, Strategy::least_busy, Strategy::two_choices})
    EXPECT_EQ(b.pick("C", all, by(s)), 2u);
  all[2].suspected = all[3].suspected = true;
  EXPECT_LT(b.pick("C", all, by(Strategy::round_robin)), 2u);
  // Where the call does not want the newest, the next one is.
  for (Candidate& c : all) c.suspected = false;
  const std::vector<std::string> exclude{std::string(all[0].name), std::string(all[1].name)};
  Preference p = by(Strategy::round_robin);
  p.exclude = exclude;
  filter(all, p);
  ASSERT_EQ(all.size(), 2u);
  for (int i = 0; i < 3; i++) EXPECT_EQ(b.pick("C", all, p), 0u);
}

TEST(Balance, TurnsAreBounded) {
  Balancer b(1);
  auto all = members({"a", "b"});
  for (int i = 0; i < 10'000; i++) EXPECT_LT(b.pick("t" + std::to_string(i), all, by(Strategy::round_robin)), 2u);
}

}  // namespace
}  // namespace mw::mesh::core
