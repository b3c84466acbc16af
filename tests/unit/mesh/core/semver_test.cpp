#include "mesh/core/semver.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

Semver version(std::string_view text) {
  auto v = Semver::parse(text);
  EXPECT_TRUE(v) << text;
  return v ? *v : Semver{};
}

TEST(Semver, ParsesAndPrints) {
  for (const char* text : {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y-z.--",
                           "9007199254740991.0.0"})
    EXPECT_EQ(version(text).text(), text);
  EXPECT_EQ(version("1.2.3+build.01").text(), "1.2.3");
  EXPECT_EQ(version("1.2.3-rc.1+5").text(), "1.2.3-rc.1");
}

TEST(Semver, Refuses) {
  for (const char* text : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "1.2.3-", "1.2.3-01", "1.2.3-a..b",
                           "1.2.3+", "1.2.3-a_b", "v1.2.3", " 1.2.3", "1.2.3 ", "-1.2.3", "1.2.x", "9007199254740992.0.0",
                           "99999999999999999999.0.0"}) {
    auto v = Semver::parse(text);
    ASSERT_FALSE(v) << text;
    EXPECT_EQ(v.error().code, MW_EINVAL);
  }
  EXPECT_FALSE(Semver::parse("1.2.3-" + std::string(kMaxSemver, 'a')));
}

TEST(Semver, Order) {
  // semver.org, 11: each is below the next one.
  const char* rising[] = {"0.0.1",        "0.1.0",         "1.0.0-0",     "1.0.0-2",         "1.0.0-11",  "1.0.0-alpha",
                          "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
                          "1.0.0",        "1.0.1",         "1.2.0",       "1.10.0",          "2.0.0"};
  for (size_t i = 0; i < std::size(rising); i++)
    for (size_t j = 0; j < std::size(rising); j++)
      EXPECT_EQ(version(rising[i]) <=> version(rising[j]), i <=> j) << rising[i] << " " << rising[j];
  EXPECT_EQ(version("1.0.0+a"), version("1.0.0+b"));
}

struct Row {
  const char* range;
  const char* in;   // versions, space between
  const char* out;
};
// What node-semver answers for the same.
const Row kRows[] = {
  {"", "0.0.0 1.2.3", "1.0.0-a"},
  {"*", "0.0.0 99.9.9", "1.0.0-a"},
  {"1.2.3", "1.2.3 1.2.3+x", "1.2.4 1.2.2 1.2.3-a"},
  {"=1.2.3", "1.2.3", "1.2.4"},
  {"v1.2.3", "1.2.3", "1.2.4"},
  {"1.2.3-a.1", "1.2.3-a.1", "1.2.3 1.2.3-a.2"},
  {"1", "1.0.0 1.9.9", "0.9.9 2.0.0 2.0.0-a"},
  {"1.x", "1.0.0 1.9.9", "0.9.9 2.0.0"},
  {"1.2", "1.2.0 1.2.9", "1.1.9 1.3.0 1.3.0-a"},
  {"1.2.X", "1.2.0 1.2.9", "1.1.9 1.3.0"},
  {"1.*.3", "1.0.0 1.9.9", "2.0.0"},
  {">1.2.3", "1.2.4 2.0.0", "1.2.3 1.2.4-a"},
  {">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9 1.3.0-a"},
  {">1", "2.0.0", "1.0.0 1.9.9"},
  {">*", "", "0.0.0 1.0.0"},
  {">=1.2.3", "1.2.3 1.2.4", "1.2.2 1.2.3-a"},
  {">= 1.2.3", "1.2.3 1.2.4", "1.2.2"},
  {">=1.2", "1.2.0 9.0.0", "1.1.9"},
  {"<1.2.3", "1.2.2 0.0.0", "1.2.3 1.2.3-a"},
  {"<1.2", "1.1.9", "1.2.0 1.2.0-a"},
  {"<*", "", "0.0.0"},
  {"<=1.2.3", "1.2.3 1.2.2", "1.2.4"},
  {"<=1.2", "1.2.9", "1.3.0 1.3.0-a"},
  {"<=1", "1.9.9", "2.0.0"},
  {"<=*", "0.0.0 9.9.9", ""},
  {">=1 <3", "1.0.0 2.9.9", "0.9.9 3.0.0"},
  {">=1.2.3 <1.2.5", "1.2.3 1.2.4", "1.2.5"},
  {"1.2.3 - 2.3.4", "1.2.3 2.3.4 2.0.0", "1.2.2 2.3.5"},
  {"1.2 - 2.3.4", "1.2.0 2.3.4", "1.1.9 2.3.5"},
  {"1.2.3 - 2.3", "2.3.9", "2.4.0"},
  {"1.2.3 - 2", "2.9.9", "3.0.0"},
  {"1.2.3 - *", "1.2.3 9.9.9", "1.2.2"},
  {"~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0 1.3.0-a"},
  {"~>1.2.3", "1.2.9", "1.3.0"},
  {"~1.2", "1.2.0 1.2.9", "1.3.0"},
  {"~1", "1.0.0 1.9.9", "2.0.0"},
  {"~0.2.3", "0.2.3 0.2.9", "0.3.0"},
  {"~*", "0.0.0 9.9.9", ""},
  {"~1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.3 1.2.9", "1.2.3-beta.1 1.2.4-beta.2 1.3.0"},
  {"^1.2.3", "1.2.3 1.9.9", "1.2.2 2.0.0 2.0.0-a"},
  {"^0.2.3", "0.2.3 0.2.9", "0.3.0"},
  {"^0.0.3", "0.0.3", "0.0.4 0.0.2"},
  {"^1.2.x", "1.2.0 1.9.9", "2.0.0"},
  {"^0.0.x", "0.0.0 0.0.9", "0.1.0"},
  {"^0.0", "0.0.0 0.0.9", "0.1.0"},
  {"^1.x", "1.0.0 1.9.9", "2.0.0"},
  {"^0.x", "0.0.0 0.9.9", "1.0.0"},
  {"^*", "0.0.0 9.9.9", ""},
  {"^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.9.9", "1.2.3-beta.1 1.2.4-beta.2 2.0.0"},
  {"1.2.7 || >=1.2.9 <2.0.0", "1.2.7 1.2.9 1.4.6", "1.2.8 2.0.0"},
  {"<1.0.0||>=2.3.1", "0.9.9 2.3.1", "1.0.0 2.3.0"},
  {"||", "1.2.3", "1.2.3-a"},
  {"1 || 3", "1.0.0 3.9.9", "2.0.0"},
};

std::vector<std::string> words(std::string_view s) {
  std::vector<std::string> out;
  while (!s.empty()) {
    const size_t n = std::min(s.find(' '), s.size());
    if (n != 0) out.emplace_back(s.substr(0, n));
    s.remove_prefix(std::min(n + 1, s.size()));
  }
  return out;
}

TEST(Range, Table) {
  for (const Row& row : kRows) {
    auto range = Range::parse(row.range);
    ASSERT_TRUE(range) << row.range << ": " << range.error().text;
    EXPECT_EQ(range->text(), row.range);
    for (const auto& v : words(row.in)) EXPECT_TRUE(range->match(version(v))) << v << " in " << row.range;
    for (const auto& v : words(row.out)) EXPECT_FALSE(range->match(version(v))) << v << " not in " << row.range;
  }
}

TEST(Range, Refuses) {
  for (const char* text : {"a", "1.2.3.4", "1..2", "1.", ">", "<>1", "==1", "^^1", "1.2.3 - ", "1 - 2 - 3", "1 - 2 3", "~1.2.3beta",
                           "1.2-alpha", "01", "1.2.3-", "|1", "1 | 2", "1 && 2", "latest", "^1.2.3-01"}) {
    auto range = Range::parse(text);
    ASSERT_FALSE(range) << text;
    EXPECT_EQ(range.error().code, MW_EINVAL);
    EXPECT_NE(range.error().text.find("is no range"), std::string::npos) << range.error().text;
  }
  EXPECT_FALSE(Range::parse(std::string(kMaxRange + 1, ' ')));
}

}  // namespace
}  // namespace mw::mesh::core
