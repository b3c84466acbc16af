// A managed mesh: who is there comes from managers alone.
#include "lab.hpp"

#include "mesh/core/catalog.hpp"

namespace mw::mesh::core {
namespace {

// A manager "m", and a, b, c ... that report to it and have links with each other.
void managed(Lab& lab, size_t n, const std::function<bool(Slot, const RecordView&)>& admits = {}) {
  lab.managers = {"m"};
  lab.add("m", 1, "", [&](MembershipConfig& c) {
    c.managed = c.manager = true;
    c.admits = admits;
  });
  std::vector<std::string> names;
  for (size_t i = 0; i < n; i++) {
    names.emplace_back(1, static_cast<char>('a' + i));
    lab.add(names.back(), 1, "", [&](MembershipConfig& c) {
      c.managed = true;
      Announcement told;
      told.role = "worker";
      c.meta = put_announcement(told);
    });
    lab.meet(names.back(), "m");
  }
  for (size_t i = 0; i < n; i++)
    for (size_t k = i + 1; k < n; k++) lab.meet(names[i], names[k]);
  lab.run(3000);
}

// What one may say of another.
std::string record_of(const std::string& name, Life life, const Fact* like) {
  Roster apart;
  RecordView r;
  r.life = life;
  r.name = name;
  r.version = like != nullptr ? like->version : Version{5, false, 5, 1};
  r.version.gone = life != Life::alive;
  r.address = "evil:1";
  r.by = "b";
  r.why = Why::silent;
  const FactId id = apart.intern(apart.slot(name), r);
  MessageWriter w(Kind::gossip);
  w.record(apart, apart[id], 0);
  return w.take();
}

TEST(Managed, AllKnowWhoReports) {
  Lab lab;
  managed(lab, 5);
  for (char c = 'a'; c < 'f'; c++) {
    EXPECT_TRUE(lab.alive("m", std::string(1, c)));
    for (char d = 'a'; d < 'f'; d++) EXPECT_TRUE(lab.alive(std::string(1, c), std::string(1, d)));
    EXPECT_TRUE(lab.at(std::string(1, c)).joined());
    EXPECT_FALSE(lab.alive(std::string(1, c), "m"));  // no member
    EXPECT_EQ(lab.count(std::string(1, c), News::forged), 0u);
  }
  EXPECT_EQ(lab.count("m", News::forged), 0u);
}

TEST(Managed, AForgedMemberIsIgnoredAndTold) {
  Lab lab;
  managed(lab, 3);
  const std::string lie = record_of("z", Life::alive, nullptr);
  lab.give("a", lab.slot("b"), lie);
  lab.give("m", lab.slot("b"), lie);
  lab.run(2000);
  for (const char* who : {"a", "m"}) {
    EXPECT_EQ(lab.count(who, News::forged, "b"), 1u);
    EXPECT_EQ(lab.at(who).view().alive_count(), 3u);
  }
  EXPECT_EQ(lab.count("c", News::up), 2u);  // nothing came of it
}

TEST(Managed, AnotherOnesAddressIsNotToBeSaid) {
  Lab lab;
  managed(lab, 3);
  Fact later = *lab.at("a").fact(lab.slot("c"));
  later.version.incarnation += 5;
  lab.give("a", lab.slot("b"), record_of("c", Life::alive, &later));
  lab.run(2000);
  EXPECT_EQ(lab.count("a", News::forged, "b"), 1u);
  EXPECT_EQ(lab.at("a").fact(lab.slot("c"))->address, "c:1");
}

TEST(Managed, AFalseVerdictIsAskedBackAndCostsNoLink) {
  Lab lab;
  managed(lab, 4);
  const uint64_t before = lab.at("c").fact(lab.slot("c"))->version.incarnation;
  const std::string lie = record_of("c", Life::dead, lab.at("a").fact(lab.slot("c")));
  for (const char* who : {"a", "d", "m"}) lab.give(who, lab.slot("b"), lie);
  lab.run(5000);
  for (const char* who : {"a", "b", "d", "m"}) {
    EXPECT_EQ(lab.count(who, News::down), 0u) << who;
    EXPECT_TRUE(lab.alive(who, "c")) << who;
  }
  EXPECT_GT(lab.at("c").fact(lab.slot("c"))->version.incarnation, before);
}

TEST(Managed, WhomTheManagerDoesNotLetInNobodyKnows) {
  Lab lab;
  managed(lab, 3, [&](Slot who, const RecordView&) { return who != lab.slot("b"); });
  EXPECT_FALSE(lab.alive("m", "b"));
  EXPECT_FALSE(lab.alive("a", "b"));  // though b told a of itself
  EXPECT_TRUE(lab.alive("a", "c"));
}

TEST(Managed, WithoutManagersTheDeadAreBuried) {
  Lab lab;
  managed(lab, 4);
  const Slot m = lab.slot("m"), c = lab.slot("c");
  lab.remove("m");
  for (const char* who : {"a", "b", "c", "d"}) lab.step(who, input::Lost{m, true});
  lab.run(1000);
  lab.remove("c");
  for (const char* who : {"a", "b", "d"}) lab.step(who, input::Lost{c, true});
  lab.run(2000);
  for (const char* who : {"a", "b", "d"}) {
    EXPECT_FALSE(lab.alive(who, "c")) << who;
    EXPECT_EQ(lab.count(who, News::forged), 0u) << who;
  }
}

TEST(Managed, ANewManagerLearnsAllAndLosesNobody) {
  Lab lab;
  managed(lab, 3);
  const Slot m = lab.slot("m");
  lab.remove("m");
  for (const char* who : {"a", "b", "c"}) lab.step(who, input::Lost{m, true});
  lab.run(5000);
  lab.add("m", 1, "", [](MembershipConfig& c) { c.managed = c.manager = true; });
  for (const char* who : {"a", "b", "c"}) lab.meet(who, "m");
  lab.run(3000);
  for (const char* who : {"a", "b", "c"}) {
    EXPECT_TRUE(lab.alive("m", who));
    EXPECT_EQ(lab.count(who, News::down), 0u);
  }
}

}  // namespace
}  // namespace mw::mesh::core
