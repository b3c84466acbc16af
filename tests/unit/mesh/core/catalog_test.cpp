#include "mesh/core/catalog.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

Service service(const std::string& name, const std::string& version = "1.0.0", std::vector<std::string> methods = {}) {
  Service s;
  s.name = name;
  s.version = *Semver::parse(version);
  s.methods = std::move(methods);
  return s;
}

struct Shop {
  Catalog catalog;
  std::vector<Catalog::Change> changes;
  void set(Slot member, uint64_t incarnation, uint64_t revision, std::vector<Service> services) {
    changes.clear();
    catalog.set(member, 1000 - member, incarnation, revision, std::move(services), changes);
  }
  void remove(Slot member) {
    changes.clear();
    catalog.remove(member, changes);
  }
  // "1 2" for the members found, or why none.
  std::string find(std::string_view target, std::string_view range = "*") {
    std::vector<Catalog::Provider> out;
    const Range r = *Range::parse(range);
    const Found found = catalog.find(target, range == "*" ? nullptr : &r, out);
    EXPECT_EQ(out.empty(), found != Found::yes);
    std::string text;
    for (const auto& p : out) text += (text.empty() ? "" : " ") + std::to_string(p.member);
    static const char* kWhy[] = {"", "no service", "nobody", "no method", "no version"};
    return text + kWhy[static_cast<int>(found)];
  }
  // "+C 1.0.0 (2)" a change
  std::string told() {
    std::string text;
    for (const auto& c : changes)
      text += std::string(text.empty() ? "" : ", ") + (c.up ? "+" : "-") + c.service.name + " " + c.service.version.text() +
              " (" + std::to_string(c.left) + ")";
    return text;
  }
};

TEST(Announcement, RoundTrip) {
  Announcement a{"worker", {service("C", "1.2.3-rc.1", {"m", "n"}), service("D.x")}, {}};
  a.services[1].mode = Mode::broadcast;
  a.services[1].responds = false;
  a.services[1].queued = true;
  const std::string meta = put_announcement(a);
  Announcement b;
  ASSERT_TRUE(parse_announcement(meta, b));
  EXPECT_EQ(b.role, "worker");
  EXPECT_EQ(b.services, a.services);
  EXPECT_TRUE(parse_announcement(meta + "of a later version", b));
  for (size_t n = 0; n < meta.size(); n++) EXPECT_FALSE(parse_announcement(meta.substr(0, n), b)) << n;
}

TEST(Announcement, Interests) {
  Announcement a{"r", {service("C", "1.0.0")}, {{1, "a/#"}, {2, "**"}}}, b;
  const std::string meta = put_announcement(a);
  ASSERT_FALSE(meta.empty());
  ASSERT_TRUE(parse_announcement(meta, b));
  EXPECT_EQ(b.interests, a.interests);
  EXPECT_TRUE(parse_announcement(meta + "later", b));
  for (size_t n = 0; n < meta.size(); n++) EXPECT_FALSE(parse_announcement(meta.substr(0, n), b)) << n;
  a.interests.assign(kMaxInterests + 1, {0, "x"});
  EXPECT_EQ(put_announcement(a), "");
  a.interests = {{0, ""}};
  EXPECT_EQ(put_announcement(a), "");
  a.interests = {{0, std::string(kMaxPattern + 1, 'x')}};
  EXPECT_EQ(put_announcement(a), "");
}

TEST(Announcement, TheSchemaItHolds) {
  Announcement a{"r", {service("C", "1.0.0")}, {}}, b;
  const std::string without = put_announcement(a);
  a.schema = 0x0102030405060708;
  a.schema_revision = 300;
  const std::string meta = put_announcement(a);
  EXPECT_EQ(meta, without + std::string("\xAC\x02\x08\x07\x06\x05\x04\x03\x02\x01", 10));
  ASSERT_TRUE(parse_announcement(meta + "later", b));
  EXPECT_EQ(b.schema, a.schema);
  EXPECT_EQ(b.schema_revision, 300u);
  ASSERT_TRUE(parse_announcement(without, b));
  EXPECT_EQ(b.schema, 0u);
  a.schema = 0;  // one was taken away: when is told
  ASSERT_TRUE(parse_announcement(put_announcement(a), b));
  EXPECT_EQ(b.schema, 0u);
  EXPECT_EQ(b.schema_revision, 300u);
}

TEST(Announcement, ASchemaDoesNotSilenceWhatJustFits) {
  Announcement a{"r", {}, {}}, b;
  const size_t each = 1000;
  while (!put_announcement(a).empty()) a.interests.push_back({0, std::string(each, 'x')});
  a.interests.pop_back();
  a.interests.push_back({0, std::string(kMaxMeta - put_announcement(a).size() - 3, 'y')});
  const std::string full = put_announcement(a);
  ASSERT_EQ(full.size(), kMaxMeta);
  a.schema = 5;
  a.schema_revision = 300;
  EXPECT_EQ(put_announcement(a), full);
}

TEST(Announcement, Limits) {
  Announcement a{"r", {}, {}}, b;
  for (size_t i = 0; i < kMaxServices; i++) a.services.push_back(service("s" + std::to_string(i)));
  EXPECT_NE(put_announcement(a), "");
  a.services.push_back(service("more"));
  EXPECT_EQ(put_announcement(a), "");
  a.services = {service("s")};
  a.services[0].methods.assign(kMaxMethods + 1, "m");
  EXPECT_EQ(put_announcement(a), "");
  a.services = {service("s"), service("s", "2.0.0")};
  EXPECT_EQ(put_announcement(a), "");
  a.services = {service(std::string(256, 's'))};
  EXPECT_EQ(put_announcement(a), "");
  a.services.clear();
  for (char c = 'a'; c < 'a' + 26; c++)
    for (const char* tail : {"1", "2"}) a.services.push_back(service(std::string(240, c) + tail));
  EXPECT_EQ(put_announcement(a), "");  // beyond what a record may carry
  EXPECT_FALSE(parse_announcement(std::string("\x01r\x01\x01" "C\x03" "1.2\x00\x01\x00", 12), b));  // no version
  EXPECT_FALSE(parse_announcement(std::string("\x01r\x01\x01" "C\x05" "1.2.3\x02\x01\x00", 14), b));  // no mode
  EXPECT_FALSE(parse_announcement("\x01\xFF\x00", b));
}

TEST(Catalog, HighestVersionFirst) {
  Shop s;
  s.set(1, 1, 1, {service("C", "1.2.0")});
  s.set(2, 1, 1, {service("C", "1.10.0")});
  s.set(3, 1, 1, {service("C", "2.0.0-beta")});
  s.set(4, 1, 1, {service("C", "1.10.0")});
  s.set(5, 1, 1, {service("C", "2.0.0")});
  EXPECT_EQ(s.find("C"), "5 3 4 2 1");
  EXPECT_EQ(s.find("C", "^1.0.0"), "4 2 1");  // of one version in the order of keys
  EXPECT_EQ(s.find("C.m", "~1.2"), "1");
  EXPECT_EQ(s.find("C", "2.0.0-beta"), "3");
  EXPECT_EQ(s.find("C", "3"), "no version");
  EXPECT_EQ(s.catalog.count("C"), 5u);
}

TEST(Catalog, NamesAndMethods) {
  Shop s;
  s.set(1, 1, 1, {service("C", "1.0.0", {"a", "b"})});
  s.set(2, 1, 1, {service("C", "1.0.0")});
  s.set(3, 1, 1, {service("C.a"), service("x.y")});
  EXPECT_EQ(s.find("C.a"), "3");  // the longest name wins
  EXPECT_EQ(s.find("C.b"), "2 1");
  EXPECT_EQ(s.find("C.c"), "2");
  EXPECT_EQ(s.find("x.y.z"), "3");
  EXPECT_EQ(s.find("x"), "no service");
  EXPECT_EQ(s.find("D.a"), "no service");
  s.remove(2);
  EXPECT_EQ(s.find("C.c"), "no method");
  s.remove(1);
  EXPECT_EQ(s.find("C.c"), "nobody");
  s.catalog.expect("D");
  EXPECT_EQ(s.find("D.a"), "nobody");
}

TEST(Catalog, LaterNewsWin) {
  Shop s;
  s.set(1, 2, 5, {service("C")});
  EXPECT_EQ(s.told(), "+C 1.0.0 (1)");
  s.set(1, 2, 4, {service("old")});
  s.set(1, 1, 9, {service("old")});
  s.set(1, 2, 5, {service("old")});
  EXPECT_EQ(s.told(), "");
  EXPECT_EQ(s.find("old"), "no service");
  s.set(1, 3, 1, {service("C", "1.1.0"), service("D")});
  EXPECT_EQ(s.told(), "-C 1.0.0 (1), +C 1.1.0 (1), +D 1.0.0 (1)");
  s.set(1, 3, 2, {service("C", "1.1.0")});
  EXPECT_EQ(s.told(), "-D 1.0.0 (0)");
  s.set(2, 1, 1, {service("C", "1.1.0")});
  s.remove(1);
  EXPECT_EQ(s.told(), "-C 1.1.0 (1)");
  s.remove(1);
  EXPECT_EQ(s.told(), "");
  // Gone and back, it may begin anew.
  s.set(1, 1, 1, {service("C")});
  EXPECT_EQ(s.told(), "+C 1.0.0 (2)");
}

TEST(Catalog, NamesAreBounded) {
  Shop s;
  for (size_t i = 0; i < kMaxNames; i++) s.catalog.expect("n" + std::to_string(i));
  s.catalog.expect("one more");
  EXPECT_EQ(s.find("one more"), "no service");
  s.set(1, 1, 1, {service("real")});  // takes the place of those that nobody serves
  EXPECT_EQ(s.find("real"), "1");
  EXPECT_LT(s.catalog.names(), kMaxNames);
}

}  // namespace
}  // namespace mw::mesh::core
