#include "abi/conf.hpp"

#include "abi/guard.hpp"
#include "base/message.hpp"

#include <meshwork/meshwork.h>

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>

namespace {

struct ConfC : ::testing::Test {
  mw_conf* c = mw_conf_new(MW_CONF_PROVIDER);
  mw_error err{};
  ~ConfC() override { mw_conf_unref(c); }
  std::string get(const char* key) {
    char buf[64];
    size_t need = 0;
    EXPECT_EQ(mw_conf_get(c, key, MW_NTS, buf, sizeof buf, &need), MW_OK);
    EXPECT_EQ(need, std::strlen(buf));
    return buf;
  }
};

TEST_F(ConfC, SetGetAndLengths) {
  EXPECT_EQ(mw_conf_set(c, "port", MW_NTS, "123", MW_NTS, &err), MW_OK);
  EXPECT_EQ(get("port"), "123");
  EXPECT_EQ(mw_conf_set(c, "portXX", 4, "456789", 3, &err), MW_OK);
  EXPECT_EQ(get("port"), "456");
  EXPECT_EQ(mw_conf_set(c, "http.metrics", MW_NTS, nullptr, 0, nullptr), MW_OK);
  EXPECT_EQ(get("http.metrics"), "");
}

TEST_F(ConfC, RefusalsFillTheError) {
  EXPECT_EQ(mw_conf_set(c, "prot", MW_NTS, "1", MW_NTS, &err), MW_EOPTION);
  EXPECT_EQ(err.code, MW_EOPTION);
  EXPECT_NE(std::string(err.text).find("\"port\""), std::string::npos) << err.text;
  EXPECT_EQ(err.flags, mw_status_flags(MW_EOPTION));
  EXPECT_EQ(mw_conf_set(c, "prot", MW_NTS, "1", MW_NTS, nullptr), MW_EOPTION);
  EXPECT_EQ(mw_conf_load(c, "{\"port\":}", MW_NTS, &err), MW_EINVAL);
  EXPECT_NE(std::string(err.text).find("line 1, column 9"), std::string::npos) << err.text;
  EXPECT_EQ(mw_conf_load(c, "{\"port\":7}", MW_NTS, &err), MW_OK);
  EXPECT_EQ(get("port"), "7");
}

TEST_F(ConfC, MissingArguments) {
  EXPECT_EQ(mw_conf_set(nullptr, "port", MW_NTS, "1", MW_NTS, &err), MW_EINVAL);
  EXPECT_EQ(mw_conf_set(c, nullptr, 3, "1", MW_NTS, &err), MW_EINVAL);
  EXPECT_EQ(mw_conf_set(c, nullptr, 0, "1", MW_NTS, &err), MW_EINVAL);
  EXPECT_EQ(mw_conf_set(c, "port", MW_NTS, nullptr, 1, &err), MW_EINVAL);
  EXPECT_EQ(mw_conf_set(c, "port", MW_NTS, nullptr, MW_NTS, &err), MW_EINVAL);
  EXPECT_EQ(mw_conf_load(nullptr, "{}", MW_NTS, &err), MW_EINVAL);
  EXPECT_EQ(mw_conf_load(c, nullptr, 2, &err), MW_EINVAL);
  char buf[8];
  EXPECT_EQ(mw_conf_get(nullptr, "port", MW_NTS, buf, 8, nullptr), MW_EINVAL);
  EXPECT_EQ(mw_conf_get(c, nullptr, MW_NTS, buf, 8, nullptr), MW_EINVAL);
  EXPECT_EQ(mw_conf_get(c, "port", MW_NTS, nullptr, 8, nullptr), MW_EINVAL);
  EXPECT_EQ(mw_conf_new(0), nullptr);
  EXPECT_EQ(mw_conf_new(99), nullptr);
  EXPECT_EQ(mw_conf_ref(nullptr), nullptr);
  mw_conf_unref(nullptr);
}

TEST_F(ConfC, GetTellsTheRoomItNeeds) {
  size_t need = 0;
  char buf[16] = "untouched";
  EXPECT_EQ(mw_conf_get(c, "path", MW_NTS, nullptr, 0, &need), MW_ETOOBIG);
  EXPECT_EQ(need, 8u);
  EXPECT_EQ(mw_conf_get(c, "path", MW_NTS, buf, 8, &need), MW_ETOOBIG);
  EXPECT_STREQ(buf, "untouched");
  EXPECT_EQ(mw_conf_get(c, "path", MW_NTS, buf, 9, nullptr), MW_OK);
  EXPECT_STREQ(buf, "/connect");
  EXPECT_EQ(mw_conf_get(c, "nope", MW_NTS, buf, 9, nullptr), MW_EOPTION);
}

TEST_F(ConfC, FixedOnceUsed) {
  ASSERT_EQ(mw_conf_set(c, "port", MW_NTS, "7", MW_NTS, nullptr), MW_OK);
  auto wrong = mw::abi::conf_snapshot(c, MW_CONF_CONSUMER);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, MW_EKIND);
  EXPECT_EQ(mw_conf_set(c, "port", MW_NTS, "8", MW_NTS, nullptr), MW_OK);  // a refusal uses nothing
  auto taken = mw::abi::conf_snapshot(c, MW_CONF_PROVIDER);
  ASSERT_TRUE(taken);
  EXPECT_EQ((*taken)->num(mw::base::Opt::port), 8);
  EXPECT_EQ(mw_conf_set(c, "port", MW_NTS, "9", MW_NTS, &err), MW_ESTATE);
  EXPECT_EQ(mw_conf_load(c, "{}", MW_NTS, &err), MW_ESTATE);
  EXPECT_EQ(get("port"), "8");
  EXPECT_TRUE(mw::abi::conf_snapshot(c, MW_CONF_PROVIDER));  // again, for another object
  auto defaults = mw::abi::conf_snapshot(nullptr, MW_CONF_CTX);
  ASSERT_TRUE(defaults);
  EXPECT_EQ((*defaults)->num(mw::base::Opt::threads), 1);
}

TEST_F(ConfC, References) {
  mw_conf* again = mw_conf_ref(c);
  EXPECT_EQ(again, c);
  mw_conf_unref(again);
  EXPECT_EQ(get("port"), "8080");
}

TEST(DescribeC, EveryKindEnds) {
  for (int32_t kind : {MW_CONF_CTX, MW_CONF_PROVIDER, MW_CONF_CONSUMER, MW_CONF_SUB, MW_CONF_SERVICE, MW_CONF_CALL}) {
    size_t n = 0;
    for (;; ++n) {
      mw_msg* m = nullptr;
      const mw_status s = mw_conf_describe(kind, n, &m);
      if (s == MW_EEND) {
        EXPECT_EQ(m, nullptr);
        break;
      }
      ASSERT_EQ(s, MW_OK);
      EXPECT_EQ(m->flags & MW_F_TEXT, uint32_t{MW_F_TEXT});
      EXPECT_EQ(m->body[0], '{');
      mw::base::unref(m);
    }
    EXPECT_GT(n, 0u);
  }
  mw_msg* m = nullptr;
  EXPECT_EQ(mw_conf_describe(0, 0, &m), MW_EINVAL);
  EXPECT_EQ(mw_conf_describe(MW_CONF_CTX, 0, nullptr), MW_EINVAL);
}

TEST(Guard, ExceptionsBecomeStatuses) {
  mw_error err{};
  EXPECT_EQ(mw::abi::guard(&err, [] { return MW_EBUSY; }), MW_EBUSY);
  EXPECT_EQ(err.code, 0);
  EXPECT_EQ(mw::abi::guard(&err, []() -> mw_status { throw std::bad_alloc(); }), MW_ENOMEM);
  EXPECT_EQ(err.code, MW_ENOMEM);
  EXPECT_STREQ(err.text, mw_status_text(MW_ENOMEM));
  EXPECT_EQ(mw::abi::guard(&err, []() -> mw_status { throw std::runtime_error("x"); }), MW_EINTERNAL);
  EXPECT_EQ(mw::abi::guard(nullptr, []() -> mw_status { throw 7; }), MW_EINTERNAL);
}

TEST(BaseC, VersionAndStatus) {
  EXPECT_EQ(mw_version(), uint32_t{MW_VERSION_MAJOR << 16 | MW_VERSION_MINOR << 8 | MW_VERSION_PATCH});
  EXPECT_STREQ(mw_status_name(MW_EAGAIN), "MW_EAGAIN");
  EXPECT_STREQ(mw_status_name(12345), "MW_EUNKNOWN");
  EXPECT_TRUE(mw_status_flags(MW_EAGAIN) & MW_SF_RETRY);
}

}  // namespace
