#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace mw::base {
namespace {

// The definition, slowly: RFC 3629 section 4, by decoding each character.
bool slow_valid(const std::string& s) {
  for (size_t i = 0; i < s.size();) {
    const auto b = static_cast<uint8_t>(s[i]);
    const int n = b < 0x80 ? 1 : b >> 5 == 6 ? 2 : b >> 4 == 14 ? 3 : b >> 3 == 30 ? 4 : 0;
    if (n == 0 || i + static_cast<size_t>(n) > s.size()) return false;
    uint32_t c = n == 1 ? b : b & (0x7Fu >> n);
    for (int k = 1; k < n; ++k) {
      const auto next = static_cast<uint8_t>(s[i + static_cast<size_t>(k)]);
      if (next >> 6 != 2) return false;
      c = c << 6 | (next & 0x3F);
    }
    constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return false;
    i += static_cast<size_t>(n);
  }
  return true;
}

TEST(Utf8, EveryTwoByteTextAgreesWithTheDefinition) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const std::string s{static_cast<char>(a), static_cast<char>(b)};
      ASSERT_EQ(utf8_valid(s), slow_valid(s)) << a << " " << b;
    }
}

TEST(Utf8, EveryThreeByteTextThatBeginsACharacterAgrees) {
  for (int a = 0xE0; a < 0x100; ++a)
    for (int b = 0; b < 256; ++b)
      for (int c = 0x70; c < 0xD0; ++c) {
        std::string s{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        ASSERT_EQ(utf8_valid(s), slow_valid(s));
        s += '\x80';
        ASSERT_EQ(utf8_valid(s), slow_valid(s));
      }
}

TEST(Utf8, RandomTextsInRandomPieces) {
  std::mt19937 r(7);
  const char* parts[] = {"a", "abcdefgh01234567", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF",
                         "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\x80"};
  int good = 0;
  for (int n = 0; n < 20000; ++n) {
    std::string s;
    const size_t kinds = n % 2 == 0 ? 8 : std::size(parts);
    for (size_t i = r() % 12; i > 0; --i) s += parts[r() % kinds];
    if (n % 3 == 0 && !s.empty()) s.pop_back();
    Utf8 u;
    bool ok = true;
    for (size_t at = 0; at < s.size();) {
      const size_t take = std::min<size_t>(1 + r() % 9, s.size() - at);
      ok = u.feed(reinterpret_cast<const uint8_t*>(s.data()) + at, take) && ok;
      at += take;
    }
    ASSERT_EQ(ok && u.complete(), slow_valid(s));
    ASSERT_EQ(utf8_valid(s), slow_valid(s));
    if (slow_valid(s)) {
      ++good;
      const bool ascii = s.find_first_of("\xC3\xE2\xF0\xED\xEE\xF4") == s.npos;
      ASSERT_EQ(u.ascii(), ascii);
      ASSERT_EQ(utf8_check(s.data(), s.size()).ascii, ascii);
    }
  }
  EXPECT_GT(good, 2000);
  EXPECT_LT(good, 18000);
}

TEST(Utf8, FailsAtTheFirstImpossibleByteAndStaysFailed) {
  Utf8 u;
  const uint8_t bad[] = {0xED, 0xA0};
  EXPECT_TRUE(u.feed(bad, 1));
  EXPECT_FALSE(u.feed(bad + 1, 1));  // not only at the end of the character
  const uint8_t fine[] = {'a'};
  EXPECT_FALSE(u.feed(fine, 1));
  EXPECT_FALSE(u.complete());
  u.reset();
  EXPECT_TRUE(u.feed(fine, 1));
  EXPECT_TRUE(u.complete());
  EXPECT_TRUE(u.ascii());
}

}  // namespace
}  // namespace mw::base
