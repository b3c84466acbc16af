#include "base/status.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace mw::base {
namespace {

std::map<std::string, int> table() {
  return {
#define MW_STATUS(name, value, flags, text) {"MW_" #name, value},
#include "base/errors.def"
#undef MW_STATUS
  };
}

// The enumerators as a host reads them: from the public header's own text.
std::map<std::string, int> header() {
  const auto file = std::filesystem::path(MW_SOURCE) / "include/meshwork/base.h";
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  std::string all = text.str();
  const size_t begin = all.find("MW_OK = 0");
  all = all.substr(begin, all.find("};", begin) - begin);
  std::map<std::string, int> out;
  // "MW_NAME = -12": the names are capitals only, so nothing in the comments looks like it.
  for (size_t at = 0; (at = all.find("MW_", at)) != all.npos;) {
    const size_t end = all.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", at + 3);
    if (all.compare(end, 3, " = ") == 0) out[all.substr(at, end - at)] = std::stoi(all.substr(end + 3));
    at = end;
  }
  return out;
}

TEST(Status, TableAndHeaderAreTheSame) {
  ASSERT_GT(header().size(), 30u);
  EXPECT_EQ(table(), header());
}

TEST(Status, EveryCodeHasNameSentenceAndConsistentFlags) {
  for (const auto& [name, value] : table()) {
    EXPECT_EQ(status_name(value), name);
    const std::string text = status_text(value);
    EXPECT_EQ(text.back(), '.') << name;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(text[0]))) << name;
    const uint32_t f = status_flags(value);
    EXPECT_NE(f & (MW_SF_RETRY | MW_SF_FATAL), uint32_t{MW_SF_RETRY | MW_SF_FATAL}) << name;
    EXPECT_TRUE(value < 0 || f == 0) << name;
  }
}

TEST(Status, RetryWhereTheApiPromisesIt) {
  for (mw_status s : {MW_EAGAIN, MW_ENOTCONN, MW_EPEERGONE, MW_EDRAINING}) EXPECT_TRUE(status_flags(s) & MW_SF_RETRY);
  for (mw_status s : {MW_EINVAL, MW_EAUTH, MW_EDENIED, MW_ETOOBIG}) EXPECT_TRUE(status_flags(s) & MW_SF_FATAL);
}

TEST(Status, UnknownCodes) {
  EXPECT_STREQ(status_name(-9999), "MW_EUNKNOWN");
  EXPECT_STREQ(status_name(77), "MW_EUNKNOWN");
  EXPECT_EQ(status_flags(-9999), 0u);
}

}  // namespace
}  // namespace mw::base
