#include "base/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mw::base {
namespace {

std::string why(std::string_view text, JsonLimits limits = {}) {
  const auto r = Json::parse(text, limits);
  if (r) return "";
  EXPECT_EQ(r.error().code, MW_EINVAL);
  return r.error().text;
}
bool says(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

TEST(Json, ReadsEveryKind) {
  auto r = Json::parse(R"( {"t":"x\u00e9\ud83d\ude00\n","n":-1.5e2,"i":12,"b":true,"f":false,"z":null,"a":[1,"2",[]],"o":{"k":"v"}} )");
  ASSERT_TRUE(r);
  const JsonValue o = r->root();
  ASSERT_TRUE(o.is_object());
  EXPECT_EQ(o.size(), 8u);
  EXPECT_EQ(o.find("t").text(), "x\xC3\xA9\xF0\x9F\x98\x80\n");
  EXPECT_EQ(o.find("n").number(), -150);
  EXPECT_EQ(o.find("i").as_text(), "12");
  EXPECT_EQ(o.find("b").as_text(), "true");
  EXPECT_TRUE(o.find("b").boolean());
  EXPECT_FALSE(o.find("f").boolean());
  EXPECT_TRUE(o.find("z").is_null());
  EXPECT_TRUE(o.find("z"));
  EXPECT_FALSE(o.find("missing"));
  EXPECT_EQ(o.find("a").size(), 3u);
  EXPECT_EQ(o.find("a").print(), R"([1,"2",[]])");
  EXPECT_EQ(o.find("o").find("k").text(), "v");
  EXPECT_EQ(o.find("o").as_text(), "");
  std::string keys;
  o.each([&](std::string_view k, JsonValue) {
    keys += k;
    return k != "i";
  });
  EXPECT_EQ(keys, "tni");
}

TEST(Json, AbsentValuesAnswerLikeNull) {
  const JsonValue v;
  EXPECT_TRUE(v.is_null());
  EXPECT_FALSE(v.is_object());
  EXPECT_EQ(v.text(), "");
  EXPECT_EQ(v.number(), 0);
  EXPECT_EQ(v.size(), 0u);
  EXPECT_EQ(v.print(), "null");
  EXPECT_FALSE(v.find("x"));
}

TEST(Json, RefusesWhatTheStandardRefuses) {
  for (const char* bad :
       {"", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":}", "[1 2]", "nul", "tru", "truee",
        "+1", "01", "1.", ".5", "1e", "1e+", "-", "--1", "0x10", "NaN", "Infinity", "\"", "\"a", "\"\\x\"", "\"\\u12\"",
        "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\t\"", "\"\n\"", "[1]]", "1 2", "// x\n1",
        "\xEF\xBB\xBF{}", "[1]\v", "\"\xFF\"", "\"\xED\xA0\x80\""})
    EXPECT_NE(why(bad), "") << bad;
  EXPECT_NE(why(std::string_view("1\0", 2)), "");
  EXPECT_NE(why(std::string_view("\"a\0b\"", 5)), "");
}

TEST(Json, AcceptsWhatTheStandardAccepts) {
  for (const char* good : {"0", "-0", "1.5E-3", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\"", "[]", "{}", " \r\n\t[ ] ",
                           "{\"\":{\"\":[]}}", "\"\xF4\x8F\xBF\xBF\"", "\"\x7F\""})
    EXPECT_EQ(why(good), "") << good;
}

TEST(Json, RefusesBesides) {
  EXPECT_TRUE(says(why("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}"), "\"c\" twice"));
  EXPECT_TRUE(says(why("{\"a\":1,\"\\u0061\":2}"), "twice"));
  EXPECT_TRUE(says(why("\"a\\u0000b\""), "NUL"));
  EXPECT_TRUE(says(why("[1e999]"), "too large"));
  EXPECT_TRUE(says(why("{\"a\":-1.5e999}"), "too large"));
  EXPECT_EQ(why("1e-999"), "");
  EXPECT_EQ(why("[9007199254740992,-9007199254740992]"), "");
  EXPECT_TRUE(says(why("9007199254740993"), "beyond 2^53"));
  EXPECT_TRUE(says(why("-9007199254740993"), "beyond 2^53"));
  EXPECT_TRUE(says(why("123456789012345678901234567890"), "beyond 2^53"));
  EXPECT_EQ(why("0." + std::string(61, '1')), "");
  EXPECT_TRUE(says(why("0." + std::string(62, '1')), "63 characters"));
}

TEST(Json, LimitsBite) {
  EXPECT_EQ(why("[[1]]", {100, 2}), "");
  EXPECT_TRUE(says(why("[[[1]]]", {100, 2}), "levels"));
  EXPECT_EQ(why("[1234]", {6, 2}), "");
  EXPECT_TRUE(says(why("[12345]", {6, 2}), "longer than 6 bytes"));
  EXPECT_TRUE(says(why(std::string(100000, '[')), "levels"));
}

TEST(Json, SaysWhere) {
  EXPECT_TRUE(says(why("{\n  \"a\": 1,\n  \"b\": ?\n}"), "line 3, column 8")) << why("{\n  \"a\": 1,\n  \"b\": ?\n}");
  EXPECT_TRUE(says(why("[1,]"), "line 1, column 4"));
}

TEST(Json, PrintsNumbersShortAndExact) {
  const std::string text = "[1,-7,0.1,1.5,1e+300,9007199254740991,1.2345678901234568e+20]";
  auto r = Json::parse(text);
  ASSERT_TRUE(r);
  auto again = Json::parse(r->root().print());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->root().print(), r->root().print());
  EXPECT_TRUE(r->root().print().starts_with("[1,-7,0.1,1.5,1e+300,9007199254740991,"));
}

TEST(JsonQuote, Escapes) {
  std::string out;
  json_quote(out, std::string_view("a\"\\/\n\r\t\x01\x7F\0\xC3\xA9", 12));
  EXPECT_EQ(out, "\"a\\\"\\\\/\\n\\r\\t\\u0001\\u007f\\u0000\xC3\xA9\"");
}

TEST(JsonQuote, WhatIsNotUtf8BecomesTheReplacementCharacter) {
  for (const char* bad : {"\xFF", "\xC3", "a\xE2\x82", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    std::string out;
    json_quote(out, bad);
    EXPECT_TRUE(says(out, "\xEF\xBF\xBD")) << bad;
    EXPECT_TRUE(Json::parse(out)) << out;
  }
}

TEST(JsonObject, WritesMembers) {
  std::string out = "x";
  JsonObject o(out);
  o.text("a", "b\"").number("n", -5).boolean("t", true).raw("r", "[1]").end();
  EXPECT_EQ(out, R"(x{"a":"b\"","n":-5,"t":true,"r":[1]})");
  out.clear();
  JsonObject(out).end();
  EXPECT_EQ(out, "{}");
}

}  // namespace
}  // namespace mw::base
