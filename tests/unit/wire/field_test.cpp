#include "wire/field.hpp"

#include <gtest/gtest.h>

namespace mw::wire {
namespace {

TEST(Field, Tokens) {
  EXPECT_TRUE(is_token("permessage-deflate"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (const char* bad : {"", "a b", "a;", "a,", "\"a\"", "a=", "a/b", "\x7f", "\xC3\xA9", "a\t"})
    EXPECT_FALSE(is_token(bad)) << bad;
}

TEST(Field, TokenLists) {
  auto l = token_list("chat , superchat,meshwork.1");
  ASSERT_TRUE(l);
  EXPECT_EQ(*l, (std::vector<std::string_view>{"chat", "superchat", "meshwork.1"}));
  EXPECT_EQ(token_list("")->size(), 0u);
  EXPECT_EQ(token_list(" ,, a ,\t,")->size(), 1u);  // RFC 9110 5.6.1.2
  EXPECT_FALSE(token_list("a b"));
  EXPECT_FALSE(token_list("a;b"));
  EXPECT_FALSE(token_list("\"a\""));
}

TEST(Field, HasToken) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token("\tUPGRADE ", "upgrade"));
  EXPECT_FALSE(has_token("upgraded", "upgrade"));
  EXPECT_FALSE(has_token("", "upgrade"));
  EXPECT_FALSE(has_token("up,grade", "upgrade"));
}

TEST(Field, Extensions) {
  auto l = extension_list("permessage-deflate; client_max_window_bits; server_max_window_bits=10, x-other; a=\"b\\c\"");
  ASSERT_TRUE(l);
  ASSERT_EQ(l->size(), 2u);
  EXPECT_EQ((*l)[0].name, "permessage-deflate");
  ASSERT_EQ((*l)[0].parameters.size(), 2u);
  EXPECT_EQ((*l)[0].parameters[0].first, "client_max_window_bits");
  EXPECT_FALSE((*l)[0].parameters[0].second);
  EXPECT_EQ((*l)[0].parameters[1].second, "10");
  EXPECT_EQ((*l)[1].parameters[0].second, "bc");
  EXPECT_EQ(extension_list("")->size(), 0u);
  EXPECT_EQ(extension_list(" , a ,, b,")->size(), 2u);
  for (const char* bad : {";", "a;", "a;;b", "a; =b", "a; b=", "a; b=\"", "a; b=\"c", "a; b=\"\"", "a; b=\"c d\"",
                          "a b", "a=b", "a; b=c d", "a; b=\"c\\", "\"a\"", "a; b=c; "})
    EXPECT_FALSE(extension_list(bad)) << bad;
}

TEST(Field, Blanks) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_TRUE(same_text("WebSocket", "websocket"));
  EXPECT_FALSE(same_text("WebSocket", "websockets"));
  EXPECT_FALSE(same_text("[", "{"));
}

}  // namespace
}  // namespace mw::wire
