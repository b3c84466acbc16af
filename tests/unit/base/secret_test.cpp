#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mw::base {
namespace {

TEST(Secret, Equality) {
  EXPECT_TRUE(secret_equal("", ""));
  EXPECT_TRUE(secret_equal("abc", "abc"));
  EXPECT_FALSE(secret_equal("abc", "abd"));
  EXPECT_FALSE(secret_equal("abc", "ab"));
  EXPECT_FALSE(secret_equal("abc", std::string_view("abc\0", 4)));
  EXPECT_FALSE(secret_equal("", std::string(1000, 'x')));
}

TEST(Secret, WipeReachesTheWholeAllocation) {
  for (size_t n : {size_t{3}, size_t{15}, size_t{200}}) {
    std::string s(n, 'S');
    s.resize(n / 2);  // the tail is beyond size() now
    const char* p = s.data();
    const size_t capacity = s.capacity();
    wipe(s);
    EXPECT_TRUE(s.empty());
    ASSERT_EQ(s.data(), p);
    // The allocation is still the string's: its bytes may be looked at.
    EXPECT_TRUE(std::all_of(p, p + capacity, [](char c) { return c == 0; }));
  }
  char bytes[8] = {'s', 'e', 'c', 'r', 'e', 't', '!', '!'};
  wipe(bytes, sizeof bytes);
  EXPECT_TRUE(std::all_of(bytes, bytes + 8, [](char c) { return c == 0; }));
}

}  // namespace
}  // namespace mw::base
