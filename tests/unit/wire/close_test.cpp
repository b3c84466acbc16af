#include "wire/close.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mw::wire {
namespace {

struct Parsed {
  bool ok;
  uint16_t code = 0;
  std::string reason;
  Violation v;
};

Parsed parse(const std::string& payload) {
  Parsed p{};
  std::string_view reason;
  p.ok = parse_close(reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), &p.code, &reason, p.v);
  p.reason = reason;
  return p;
}
std::string payload(int code, const std::string& reason) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason;
}

TEST(Close, Codes) {
  // RFC 6455 7.4 and the registry: everything else is refused, both ways.
  for (int code = 0; code <= 65535; code++) {
    bool legal = code == 1000 || code == 1001 || code == 1002 || code == 1003 ||
                 (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    ASSERT_EQ(close_code_receivable(static_cast<uint16_t>(code)), legal) << code;
    ASSERT_EQ(close_code_sendable(code), legal) << code;
    auto p = parse(payload(code, "x"));
    ASSERT_EQ(p.ok, legal) << code;
    if (!legal) {
      ASSERT_EQ(p.v.code, 1002);
      ASSERT_STREQ(p.v.reason, "bad close code");
    }
  }
  EXPECT_FALSE(close_code_sendable(-1));
  EXPECT_FALSE(close_code_sendable(65536 + 1000));
}

TEST(Close, Payloads) {
  auto p = parse("");
  EXPECT_TRUE(p.ok);
  EXPECT_EQ(p.code, kNoStatus);
  p = parse("\x03");
  EXPECT_FALSE(p.ok);
  EXPECT_STREQ(p.v.reason, "close payload of one byte");
  p = parse(payload(1000, ""));
  EXPECT_TRUE(p.ok);
  EXPECT_EQ(p.code, 1000);
  EXPECT_EQ(p.reason, "");
  p = parse(payload(4999, "h\xC3\xA9llo"));
  EXPECT_TRUE(p.ok);
  EXPECT_EQ(p.reason, "h\xC3\xA9llo");
  for (const char* bad : {"\xC3", "\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC0\xAF"}) {
    p = parse(payload(1000, bad));
    EXPECT_FALSE(p.ok);
    EXPECT_EQ(p.v.code, 1007);
    EXPECT_STREQ(p.v.reason, "close reason not UTF-8");
  }
}

TEST(Close, Writes) {
  uint8_t b[kMaxControl];
  EXPECT_EQ(put_close(b, 0, "ignored"), 0u);
  EXPECT_EQ(put_close(b, kNoStatus, ""), 0u);
  ASSERT_EQ(put_close(b, 1001, "bye"), 5u);
  auto p = parse(std::string(reinterpret_cast<char*>(b), 5));
  EXPECT_EQ(p.code, 1001);
  EXPECT_EQ(p.reason, "bye");
  // Cut to fit, never inside a character.
  EXPECT_EQ(put_close(b, 1000, std::string(500, 'x')), kMaxControl);
  std::string wide;
  while (wide.size() < 200) wide += "\xE2\x82\xAC";
  size_t n = put_close(b, 1000, wide);
  EXPECT_EQ(n, 2 + 123u);  // 41 characters of three bytes
  EXPECT_TRUE(parse(std::string(reinterpret_cast<char*>(b), n)).ok);
  n = put_close(b, 1000, "ab" + wide);
  EXPECT_EQ(n, 2 + 122u);
  EXPECT_TRUE(parse(std::string(reinterpret_cast<char*>(b), n)).ok);
}

}  // namespace
}  // namespace mw::wire
