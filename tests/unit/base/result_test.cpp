#include "base/result.hpp"

#include "base/status.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace mw::base {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  Result<std::unique_ptr<int>> good(std::make_unique<int>(7));
  ASSERT_TRUE(good);
  EXPECT_EQ(**good, 7);
  Result<std::unique_ptr<int>> bad(Error{MW_EIO, ENOSPC, "x"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, MW_EIO);
  Result<void> fine, failed(Error{MW_EBUSY, 0, ""});
  EXPECT_TRUE(fine);
  EXPECT_FALSE(failed);
}

TEST(Fill, WritesEveryField) {
  mw_error e;
  std::memset(&e, 0xFF, sizeof e);
  EXPECT_EQ(fill(&e, {MW_EADDRINUSE, EADDRINUSE, "Port 80 is taken."}), MW_EADDRINUSE);
  EXPECT_EQ(e.code, MW_EADDRINUSE);
  EXPECT_EQ(e.os, EADDRINUSE);
  EXPECT_EQ(e.flags, uint32_t{MW_SF_RETRY | MW_SF_SYSTEM});
  EXPECT_STREQ(e.text, "Port 80 is taken.");
  EXPECT_EQ(e.text_len, std::strlen(e.text));
}

TEST(Fill, SystemFlagOnlyWithAnErrno) {
  mw_error e;
  fill(&e, {MW_EREFUSED, 0, ""});
  EXPECT_EQ(e.flags & MW_SF_SYSTEM, 0u);
  fill(&e, {MW_ETLS, ECONNRESET, ""});
  EXPECT_NE(e.flags & MW_SF_SYSTEM, 0u);
}

TEST(Fill, NoTextMeansTheStatusText) {
  mw_error e;
  fill(&e, {MW_EDRAINING, 0, ""});
  EXPECT_STREQ(e.text, status_text(MW_EDRAINING));
}

TEST(Fill, NullIsAllowed) { EXPECT_EQ(fill(nullptr, {MW_EKIND, 0, "x"}), MW_EKIND); }

TEST(Fill, LongTextIsCutBetweenCharacters) {
  for (int lead = 0; lead < 4; ++lead) {
    std::string text(static_cast<size_t>(lead), 'a');
    while (text.size() < 300) text += "\xF0\x9F\x98\x80";
    mw_error e;
    fill(&e, {MW_EINVAL, 0, text});
    EXPECT_LT(e.text_len, sizeof e.text);
    EXPECT_GE(e.text_len, sizeof e.text - 4);
    EXPECT_EQ((e.text_len - static_cast<uint32_t>(lead)) % 4, 0u);
    EXPECT_EQ(e.text[e.text_len], '\0');
  }
  mw_error e;
  fill(&e, {MW_EINVAL, 0, std::string(239, 'x')});
  EXPECT_EQ(e.text_len, 239u);
}

}  // namespace
}  // namespace mw::base
