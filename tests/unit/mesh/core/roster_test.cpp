#include "mesh/core/view.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

RecordView alive(uint64_t incarnation) {
  RecordView r;
  r.version = {incarnation, false, 1, 1};
  r.address = "here";
  return r;
}

TEST(Version, Order) {
  const Version rising[] = {{1, false, 1, 1}, {1, false, 1, 2}, {1, false, 2, 1}, {1, true, 1, 1}, {2, false, 1, 1}, {2, true, 0, 0}};
  for (size_t i = 0; i < std::size(rising); i++)
    for (size_t j = 0; j < std::size(rising); j++) EXPECT_EQ(rising[i] <=> rising[j], i <=> j);
}

TEST(Roster, OneFactForAll) {
  Roster r;
  const Slot a = r.slot("a");
  EXPECT_EQ(r.slot("a"), a);
  EXPECT_EQ(r.find(hash_text("a")), a);
  const FactId one = r.intern(a, alive(1)), same = r.intern(a, alive(1)), other = r.intern(a, alive(2));
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
  EXPECT_EQ(r.facts(), 2u);
  EXPECT_NE(r[one].hash, r[other].hash);
  r.unref(one);
  EXPECT_EQ(r.facts(), 2u);
  r.unref(one);
  r.unref(other);
  EXPECT_EQ(r.facts(), 0u);
  EXPECT_EQ(r.find(hash_text("a")), kNoSlot);  // nobody speaks of it any more
  EXPECT_EQ(r.slot("b"), a);                   // its number is used again
}

TEST(Roster, APinnedSlotKeepsItsName) {
  Roster r;
  const Slot a = r.slot("a");
  r.pin(a);
  r.unref(r.intern(a, alive(1)));
  EXPECT_EQ(r.name(a), "a");
  EXPECT_NE(r.slot("b"), a);
  r.unpin(a);
  EXPECT_EQ(r.find(hash_text("a")), kNoSlot);
}

TEST(Roster, RingsDoNotDependOnOrder) {
  Roster up, down;
  for (int i = 0; i < 50; i++) up.slot("m" + std::to_string(i));
  for (int i = 50; i-- > 0;) down.slot("m" + std::to_string(i));
  auto around = [](const Roster& r, size_t ring, bool forwards) {
    std::vector<std::string> names;
    r.walk(ring, r.find(hash_text("m7")), forwards, [&](Slot s) {
      names.push_back(r.name(s));
      return true;
    });
    return names;
  };
  for (size_t ring = 0; ring < kRings; ring++) {
    const auto there = around(up, ring, true);
    EXPECT_EQ(there.size(), 49u);
    EXPECT_EQ(there, around(down, ring, true));
    EXPECT_EQ(std::vector<std::string>(there.rbegin(), there.rend()), around(up, ring, false));
    if (ring > 0) EXPECT_NE(there, around(up, 0, true));
  }
}

TEST(View, DigestOfTheAlive) {
  Roster r;
  View a(r), b(r);
  const Slot x = r.slot("x"), y = r.slot("y");
  a.set(x, r.intern(x, alive(1)));
  a.set(y, r.intern(y, alive(1)));
  b.set(y, r.intern(y, alive(1)));
  EXPECT_NE(a.root(), b.root());
  b.set(x, r.intern(x, alive(1)));
  EXPECT_EQ(a.root(), b.root());
  EXPECT_EQ(a.bucket(r.bucket(x)), b.bucket(r.bucket(x)));
  b.set(x, r.intern(x, alive(2)));
  EXPECT_NE(a.root(), b.root());
  RecordView dead = alive(2);
  dead.life = Life::dead;
  dead.version.gone = true;
  b.set(x, r.intern(x, dead));
  EXPECT_FALSE(b.alive(x));
  EXPECT_EQ(b.alive_count(), 1u);
  EXPECT_EQ(b.known(), 2u);
  a.forget(x);
  EXPECT_EQ(a.root(), b.root());
}

TEST(View, TheDeadAreForgotten) {
  Roster r;
  View v(r);
  Random random(1);
  const Slot x = r.slot("x"), y = r.slot("y");
  RecordView dead = alive(1);
  dead.life = Life::dead;
  dead.version.gone = true;
  EXPECT_EQ(v.some_dead(random), kNoSlot);
  for (const Slot s : {x, y}) {
    v.set(s, r.intern(s, dead));
    v.bury(s, 100, s == x ? 5000 : 9000);
  }
  EXPECT_EQ(v.died(x), 100);
  v.expire(4999);
  EXPECT_NE(v.at(x), 0u);
  v.expire(5000);
  EXPECT_EQ(v.at(x), 0u);
  EXPECT_EQ(v.some_dead(random), y);
  v.set(y, r.intern(y, alive(2)));  // it came back
  EXPECT_EQ(v.died(y), INT64_MIN);
  v.expire(20'000);
  EXPECT_TRUE(v.alive(y));
  EXPECT_EQ(v.some_dead(random), kNoSlot);
  EXPECT_EQ(v.some_alive(random), y);
}

}  // namespace
}  // namespace mw::mesh::core
