#include "lab.hpp"

#include "mesh/core/catalog.hpp"

namespace mw::mesh::core {
namespace {

TEST(Membership, TwoMeet) {
  Lab lab;
  lab.add("a");
  lab.add("b");
  lab.meet("a", "b");
  lab.run(200);
  EXPECT_TRUE(lab.alive("a", "b"));
  EXPECT_TRUE(lab.alive("b", "a"));
  EXPECT_EQ(lab.count("a", News::up, "b"), 1u);
  EXPECT_EQ(lab.at("b").fact(lab.slot("a"))->address, "a:1");
  EXPECT_TRUE(lab.at("a").joined());
  EXPECT_TRUE(lab.at("b").joined());
}

TEST(Membership, ANewcomerLearnsAllAndIsKnownToAll) {
  Lab lab;
  lab.group(8);
  lab.add("z");
  lab.meet("z", "c");
  lab.run(1000);
  for (char c = 'a'; c < 'i'; c++) {
    EXPECT_TRUE(lab.alive(std::string(1, c), "z"));
    EXPECT_TRUE(lab.alive("z", std::string(1, c)));
  }
}

TEST(Membership, WatchIsBounded) {
  Lab lab;
  lab.group(20);
  std::map<Slot, size_t> watched;
  for (char c = 'a'; c < 'a' + 20; c++) {
    const auto by = lab.at("a").watchers(lab.slot(std::string(1, c)));
    EXPECT_EQ(by.size(), 3u);
    for (const Slot s : by) watched[s]++;
  }
  for (const auto& [who, n] : watched) EXPECT_EQ(n, 3u);  // and each watches three
}

TEST(Membership, ClosedLinksAreNoticedAtOnce) {
  Lab lab;
  lab.group(3);
  const Slot c = lab.slot("c");
  lab.remove("c");
  lab.step("a", input::Lost{c, false});
  lab.step("b", input::Lost{c, false});
  lab.run(5);
  EXPECT_TRUE(lab.alive("a", "c"));
  lab.step("a", input::Lost{c, true});  // a tried again, and nobody listens
  lab.run(5);
  EXPECT_FALSE(lab.alive("a", "c"));
  lab.run(150);
  EXPECT_FALSE(lab.alive("b", "c"));
  ASSERT_EQ(lab.verdicts("a").size(), 1u);
  EXPECT_EQ(lab.verdicts("a")[0].why, Why::closed);
}

TEST(Membership, OneClosedLinkIsNoDeath) {
  Lab lab;
  lab.group(3);
  lab.step("a", input::Lost{lab.slot("c"), false});
  lab.run(10'000);
  EXPECT_EQ(lab.count("a", News::suspect, "c"), 1u);
  EXPECT_EQ(lab.count("a", News::trusted, "c"), 1u);
  EXPECT_EQ(lab.count("a", News::down), 0u);
}

TEST(Membership, WhoClosesAllItsLinksIsAsked) {
  Lab lab;
  lab.group(4);
  for (const char* who : {"a", "b", "d"}) lab.step(who, input::Lost{lab.slot("c"), false});
  lab.run(10'000);
  for (const char* who : {"a", "b", "d"}) {
    EXPECT_EQ(lab.count(who, News::suspect, "c"), 1u);
    EXPECT_EQ(lab.count(who, News::trusted, "c"), 1u);
    EXPECT_EQ(lab.count(who, News::down), 0u);
  }
}

TEST(Membership, OfTwoARefusedLinkIsDeath) {
  Lab lab;
  lab.group(2);
  const Slot b = lab.slot("b");
  lab.remove("b");
  lab.step("a", input::Lost{b, false});
  EXPECT_TRUE(lab.alive("a", "b"));
  lab.step("a", input::Lost{b, true});
  EXPECT_FALSE(lab.alive("a", "b"));
}

TEST(Membership, SilenceIsSuspectedThenJudged) {
  for (const size_t n : {size_t{2}, size_t{5}}) {
    Lab lab;
    lab.group(n);
    lab.sleep("b");
    const int64_t start = lab.now;
    int64_t suspected = 0, dead = 0;
    while (lab.now - start < 20'000 && dead == 0) {
      lab.run(10);
      if (suspected == 0 && lab.count("a", News::suspect, "b") != 0) suspected = lab.now - start;
      if (lab.count("a", News::down, "b") != 0) dead = lab.now - start;
    }
    EXPECT_GT(suspected, 0) << n;
    EXPECT_LT(suspected, 2000) << n;
    EXPECT_GT(dead, 4000) << n;
    EXPECT_LT(dead, 8000) << n;
    ASSERT_EQ(lab.verdicts("a").size(), 1u);
    EXPECT_EQ(lab.verdicts("a")[0].why, Why::silent);
    EXPECT_GT(lab.verdicts("a")[0].silent_ms, 4000u);
    EXPECT_FALSE(lab.verdicts("a")[0].by.empty());
  }
}

TEST(Membership, AnAnswerRefutesASuspicion) {
  Lab lab;
  lab.group(4);
  lab.sleep("b");
  lab.run(3000);
  size_t suspicions = 0;
  for (const char* who : {"a", "c", "d"}) suspicions += lab.count(who, News::suspect, "b");
  EXPECT_EQ(suspicions, 3u);
  lab.wake("b");
  lab.run(10'000);
  for (const char* who : {"a", "c", "d"}) {
    EXPECT_EQ(lab.count(who, News::trusted, "b"), 1u);
    EXPECT_EQ(lab.count(who, News::down), 0u);
    EXPECT_FALSE(lab.at(who).suspects(lab.slot("b")));
  }
  EXPECT_EQ(lab.at("b").fact(lab.slot("b"))->version.incarnation, 1u);  // nothing went round
}

TEST(Membership, OthersVouchForWhomOneDoesNotReach) {
  Lab lab;
  lab.group(4);
  lab.passes = [](const std::string& from, const std::string& to) {
    return !(from == "a" && to == "b") && !(from == "b" && to == "a");
  };
  lab.run(60'000);
  for (const char* who : {"a", "b", "c", "d"}) EXPECT_EQ(lab.count(who, News::down), 0u) << who;
}

TEST(Membership, WhoStoodStillDoubtsItselfFirst) {
  Lab lab;
  lab.group(4);
  // The others go on; a reads nothing and does nothing for 5 s.
  lab.sleep("a");
  lab.run(3500);
  lab.wake("a");
  lab.run(100);
  EXPECT_EQ(lab.count("a", News::stalled), 1u);
  EXPECT_EQ(lab.count("a", News::suspect), 0u);
  EXPECT_EQ(lab.count("a", News::down), 0u);
}

TEST(Membership, WhoIsCutOffCondemnsNobodySoon) {
  Lab lab;
  lab.group(6);
  lab.passes = [](const std::string& from, const std::string& to) { return from != "a" && to != "a"; };
  lab.run(12'000);
  EXPECT_EQ(lab.count("a", News::alone), 1u);
  EXPECT_EQ(lab.count("a", News::down), 0u);
  for (const char* who : {"b", "c", "d", "e", "f"}) EXPECT_FALSE(lab.alive(who, "a")) << who;
  lab.run(60'000);
  EXPECT_GT(lab.count("a", News::down), 0u);
  EXPECT_EQ(lab.verdicts("a")[0].why, Why::alone);
  // And all is well again when the line is.
  lab.passes = {};
  lab.run(60'000);
  for (const char* who : {"a", "b", "c", "d", "e", "f"}) EXPECT_EQ(lab.at(who).view().alive_count(), 6u) << who;
}

TEST(Membership, WhoIsToldThatItIsDeadObjects) {
  Lab lab;
  lab.group(5);
  lab.sleep("e");
  lab.run(10'000);
  for (const char* who : {"a", "b", "c", "d"}) EXPECT_FALSE(lab.alive(who, "e"));
  lab.wake("e");
  lab.run(2000);
  EXPECT_GE(lab.count("e", News::refuted), 1u);
  for (const char* who : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(lab.alive(who, "e"));
    EXPECT_EQ(lab.at(who).fact(lab.slot("e"))->version.incarnation, lab.at("e").fact(lab.slot("e"))->version.incarnation);
  }
}

TEST(Membership, TheSameNameElsewhereIsBelievedAtOnce) {
  Lab lab;
  lab.group(5);
  lab.remove("e");
  lab.add("e", 2, "elsewhere:1");
  lab.meet("e#2", "a");
  lab.run(500);
  for (const char* who : {"a", "b", "c", "d"}) {
    EXPECT_EQ(lab.at(who).fact(lab.slot("e"))->address, "elsewhere:1") << who;
    EXPECT_EQ(lab.count(who, News::changed, "e"), 1u);
    EXPECT_EQ(lab.count(who, News::down), 0u);
  }
}

TEST(Membership, OfTwoWithOneNameTheNewerStays) {
  Lab lab;
  lab.group(4);
  lab.add("d", 2, "elsewhere:1");
  lab.meet("d#2", "a");
  lab.run(20'000);
  EXPECT_EQ(lab.count("d", News::replaced), 1u);
  EXPECT_EQ(lab.count("d#2", News::replaced), 0u);
  for (const char* who : {"a", "b", "c"}) EXPECT_EQ(lab.at(who).fact(lab.slot("d"))->address, "elsewhere:1");
  EXPECT_EQ(lab.at("d").next(), INT64_MAX);  // it has nothing to say any more
}

TEST(Membership, LeavingIsTold) {
  Lab lab;
  lab.group(5);
  lab.step("c", input::Leave{});
  EXPECT_TRUE(lab.at("c").left());
  lab.run(500);
  for (const char* who : {"a", "b", "d", "e"}) {
    EXPECT_EQ(lab.count(who, News::down, "c"), 1u) << who;
    ASSERT_EQ(lab.verdicts(who).size(), 1u);
    EXPECT_EQ(lab.verdicts(who)[0].why, Why::left);
    EXPECT_EQ(lab.count(who, News::suspect), 0u);
  }
}

TEST(Membership, AChangeReachesAll) {
  Lab lab;
  lab.group(5);
  lab.step("c", input::Change{"c:2", "serves things"});
  lab.run(500);
  for (const char* who : {"a", "b", "d", "e"}) {
    EXPECT_EQ(lab.count(who, News::changed, "c"), 1u);
    EXPECT_EQ(lab.at(who).fact(lab.slot("c"))->meta, "serves things");
  }
}

// What an old verdict about c looks like.
std::string verdict(Lab& lab, const std::string& about, uint64_t age_ms) {
  const Version v = lab.at(about).fact(lab.slot(about))->version;
  MessageWriter w(Kind::records);
  w.byte(0).byte(static_cast<uint8_t>(Life::dead)).text(about).u64(v.instance).number(v.incarnation).number(v.revision).text("x:1");
  w.number(age_ms).byte(static_cast<uint8_t>(Why::silent)).number(1).number(0).text("somebody");
  return w.take();
}

TEST(Membership, AnOldVerdictWaitsForTheCondemned) {
  Lab lab;
  lab.group(6);
  lab.give("a", lab.slot("b"), verdict(lab, "c", 60'000));
  EXPECT_TRUE(lab.alive("a", "c"));
  lab.run(10'000);
  EXPECT_GE(lab.count("c", News::refuted), 1u);
  for (const char* who : {"a", "b", "d", "e", "f"}) {
    EXPECT_TRUE(lab.alive(who, "c"));
    EXPECT_EQ(lab.count(who, News::down), 0u);
  }
}

TEST(Membership, AnOldVerdictIsBelievedWhenNobodyObjects) {
  Lab lab;
  lab.group(2);
  // A ghost: a member that a believes in and that is no more.
  MessageWriter w(Kind::gossip);
  w.byte(0).text("ghost").u64(1).number(1).number(1).text("x:1").text("");
  lab.give("a", lab.slot("b"), w.take());
  EXPECT_TRUE(lab.alive("a", "ghost"));
  MessageWriter dead(Kind::records);
  dead.byte(0).byte(static_cast<uint8_t>(Life::dead)).text("ghost").u64(1).number(1).number(1).text("x:1");
  dead.number(60'000).byte(static_cast<uint8_t>(Why::silent)).number(1).number(0).text("somebody");
  lab.give("a", lab.slot("b"), dead.take());
  EXPECT_TRUE(lab.alive("a", "ghost"));
  lab.run(5100);
  EXPECT_FALSE(lab.alive("a", "ghost"));
  EXPECT_FALSE(lab.alive("b", "ghost"));
}

TEST(Membership, WhoHoldsOldVerdictsIsToldByAnybody) {
  Lab lab;
  lab.group(6);
  // c was dead and came back while nothing reached a.
  lab.sleep("c");
  lab.run(10'000);
  ASSERT_FALSE(lab.alive("a", "c"));
  lab.passes = [](const std::string& from, const std::string& to) { return from != "a" && to != "a"; };
  lab.wake("c");
  lab.run(3000);
  ASSERT_TRUE(lab.alive("b", "c"));
  ASSERT_FALSE(lab.alive("a", "c"));
  // Only b speaks with a from now on, and it is a that is asked for its digests.
  lab.passes = [](const std::string& from, const std::string& to) {
    return (from != "a" && to != "a") || from == "b" || to == "b";
  };
  const std::string keys = [&] {
    const size_t bucket = lab.roster.bucket(lab.slot("c"));
    uint8_t bits[kBuckets / 8] = {};
    bits[bucket / 8] = static_cast<uint8_t>(1 << bucket % 8);
    MessageWriter w(Kind::keys);
    w.bytes(bits, sizeof bits).number(1).u64(lab.roster.key(lab.slot("c")));
    return w.u32(static_cast<uint32_t>(lab.at("b").fact(lab.slot("c"))->hash)).take();
  }();
  lab.give("a", lab.slot("b"), keys);
  lab.run(10);
  EXPECT_TRUE(lab.alive("a", "c"));
}

TEST(Membership, AForgedVerdictDoesNotHold) {
  Lab lab;
  lab.group(6);
  lab.give("a", lab.slot("b"), verdict(lab, "c", 0));
  lab.run(3000);
  for (const char* who : {"a", "b", "d", "e", "f"}) EXPECT_TRUE(lab.alive(who, "c")) << who;
}

TEST(Membership, ForgedFactsDoNotHold) {
  Lab lab;
  lab.group(6);
  auto forged = [&](uint64_t revision) {
    const Version v = lab.at("c").fact(lab.slot("c"))->version;
    return MessageWriter(Kind::gossip).byte(0).text("c").u64(v.instance).number(v.incarnation).number(v.revision + revision)
      .text("evil:1").text("").take();
  };
  for (const uint64_t revision : {1, 5}) {
    lab.give("a", lab.slot("b"), forged(revision));
    lab.run(3000);
    for (const char* who : {"a", "b", "d", "e", "f"})
      EXPECT_EQ(lab.at(who).fact(lab.slot("c"))->address, "c:1") << who << " " << revision;
  }
}

TEST(Membership, ServicesFollowTheirMembers) {
  Lab lab;
  auto serving = [](const std::string& name) {
    Announcement a{"worker", {Service{name, *Semver::parse("1.0.0"), Mode::balanced, true, false, {}}}, {}};
    return put_announcement(a);
  };
  for (const char* who : {"a", "b", "c"})
    lab.add(who, 1, "", [&](MembershipConfig& c) { c.meta = serving("C"); });
  lab.meet("b", "a");
  lab.meet("c", "a");
  lab.run(2000);
  // As a node does it, from what its membership knows.
  Catalog catalog;
  std::vector<Catalog::Change> changes;
  auto follow = [&] {
    for (const char* who : {"b", "c"}) {
      const Slot slot = lab.slot(who);
      const Fact* f = lab.at("a").fact(slot);
      Announcement a;
      if (f != nullptr && !f->version.gone && parse_announcement(f->meta, a))
        catalog.set(slot, lab.roster.key(slot), f->version.incarnation, f->version.revision, a.services, changes);
      else
        catalog.remove(slot, changes);
    }
  };
  follow();
  EXPECT_EQ(catalog.count("C"), 2u);
  const std::string meta = serving("D");
  lab.step("b", input::Change{"b:1", meta});
  lab.step("c", input::Leave{});
  lab.run(1000);
  follow();
  EXPECT_EQ(catalog.count("C"), 0u);
  EXPECT_EQ(catalog.count("D"), 1u);
  EXPECT_EQ(changes.size(), 5u);
}

TEST(Membership, DoubtIsLookedInto) {
  Lab lab;
  lab.group(20);
  // Somebody whom a does not watch.
  std::string far;
  for (char c = 'b'; c < 'a' + 20 && far.empty(); c++) {
    const auto by = lab.at("a").watchers(lab.slot(std::string(1, c)));
    if (std::find(by.begin(), by.end(), lab.slot("a")) == by.end()) far = std::string(1, c);
  }
  ASSERT_FALSE(far.empty());
  lab.step("a", input::Doubt{lab.slot(far)});
  lab.run(3000);
  EXPECT_EQ(lab.count("a", News::suspect), 0u);
  lab.sleep(far);
  lab.run(100);
  lab.step("a", input::Doubt{lab.slot(far)});
  lab.run(1500);
  EXPECT_EQ(lab.count("a", News::suspect, far), 1u);
  lab.wake(far);
  lab.run(1000);
  EXPECT_EQ(lab.count("a", News::trusted, far), 1u);
  EXPECT_EQ(lab.count("a", News::down), 0u);
}

TEST(Membership, LimitsBite) {
  Lab lab;
  lab.add("a", 1, "", [](MembershipConfig& c) { c.max_members = 3; });
  for (const char* name : {"b", "c", "d", "e"}) {
    MessageWriter w(Kind::gossip);
    w.byte(0).text(name).u64(1).number(1).number(1).text("x:1").text("");
    lab.give("a", lab.roster.slot("b"), w.take());
  }
  EXPECT_EQ(lab.at("a").view().alive_count(), 3u);
  EXPECT_EQ(lab.count("a", News::full), 1u);
}

TEST(Membership, WhatGossipDoesNotBringDigestsFind) {
  Lab lab;
  lab.group(3);
  // 6,000 that nobody can reach come at once: more than waits for one
  // neighbour, and all of a's neighbours are among them from now on.
  for (int i = 0; i < 6000;) {
    MessageWriter w(Kind::gossip);
    for (; i < 6000 && w.size() < kMaxMessage - 100; i++)
      w.byte(0).text("g" + std::to_string(i)).u64(1).number(1).number(1).text("x:1").text("");
    lab.give("a", lab.slot("b"), w.take());
    ASSERT_FALSE(lab.out.violation);
  }
  EXPECT_EQ(lab.at("a").view().alive_count(), 6003u);
  EXPECT_EQ(lab.at("c").view().alive_count(), 3u);
  lab.run(30'000);
  for (const char* who : {"a", "b", "c"}) {
    EXPECT_EQ(lab.at(who).view().known(), 6003u) << who;
    for (const char* whom : {"a", "b", "c"}) EXPECT_TRUE(lab.alive(who, whom)) << who << whom;
  }
}

TEST(Membership, BadBytesChangeNothing) {
  Lab lab;
  lab.group(2);
  const uint64_t root = lab.at("a").view().root();
  // A good record, then a broken one: neither counts.
  MessageWriter w(Kind::gossip);
  w.byte(0).text("x").u64(1).number(1).number(1).text("x:1").text("").byte(9);
  lab.give("a", lab.slot("b"), w.take());
  EXPECT_TRUE(lab.out.violation);
  EXPECT_EQ(lab.out.why.code, 1002);
  EXPECT_EQ(lab.at("a").view().root(), root);
  lab.give("a", lab.slot("b"), std::string(1, '\x63'));
  EXPECT_FALSE(lab.out.violation);
}

TEST(Membership, TheDeadAreForgotten) {
  Lab lab;
  lab.group(3);
  lab.step("c", input::Leave{});
  lab.run(1000);
  for (const char* who : {"a", "b"}) lab.step(who, input::Lost{lab.slot("c"), false});
  lab.remove("c");
  EXPECT_NE(lab.at("a").fact(lab.slot("c")), nullptr);
  lab.run(620'000);
  EXPECT_EQ(lab.slot("c"), kNoSlot);
}

TEST(Membership, TheClockMayJump) {
  Lab lab;
  lab.group(4);
  lab.now -= 3000;  // back: nothing happens until the old time comes again
  lab.run(10'000);
  for (const char* who : {"a", "b", "c", "d"}) EXPECT_EQ(lab.count(who, News::down), 0u);
  lab.now += 100'000;  // ahead, for all at once
  lab.run(10'000);
  for (const char* who : {"a", "b", "c", "d"}) {
    EXPECT_EQ(lab.count(who, News::down), 0u);
    EXPECT_EQ(lab.at(who).view().alive_count(), 4u);
  }
}

}  // namespace
}  // namespace mw::mesh::core
