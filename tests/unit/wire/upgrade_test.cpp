#include "wire/upgrade.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace mw::wire {
namespace {

// A request as a browser would send it; each test changes one thing.
struct Case {
  UpgradeRequest request{"GET",
                         "/connect?a=1",
                         11,
                         {{"Host", "server.example.com"},
                          {"Upgrade", "websocket"},
                          {"Connection", "Upgrade"},
                          {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                          {"Sec-WebSocket-Version", "13"}}};
  UpgradePolicy policy{"/connect", {"same"}, {.raw = true, .network_cluster = false, .meshwork = true}, {}, Compress::off};

  void set(std::string_view name, std::string_view value) {
    for (auto& [k, v] : request.fields)
      if (k == name) {
        v = value;
        return;
      }
    request.fields.emplace_back(name, value);
  }
  void drop(std::string_view name) {
    std::erase_if(request.fields, [&](const auto& f) { return f.first == name; });
  }
  Verdict judge() const { return judge_upgrade(request, policy); }
};

std::string field(const Fields& fields, std::string_view name) {
  for (const auto& [k, v] : fields)
    if (k == name) return v;
  return "(none)";
}

void expect(const Case& c, int status, const char* reason) {
  auto v = c.judge();
  EXPECT_EQ(v.status, status);
  EXPECT_STREQ(v.reason, reason);
}

TEST(Upgrade, TheRfcExample) {
  Case c;
  auto v = c.judge();
  EXPECT_EQ(v.status, 101);
  EXPECT_EQ(field(v.fields, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(field(v.fields, "Upgrade"), "websocket");
  EXPECT_EQ(field(v.fields, "Connection"), "Upgrade");
  EXPECT_EQ(field(v.fields, "Sec-WebSocket-Protocol"), "(none)");
  EXPECT_EQ(field(v.fields, "Sec-WebSocket-Extensions"), "(none)");
  EXPECT_EQ(v.dialect, Dialect::raw);
}

TEST(Upgrade, ManySpellings) {
  Case c;
  c.drop("Upgrade");
  c.drop("Connection");
  c.set("uPGRADE", "h2c, WebSocket");
  c.set("connection", "keep-alive , upgrade");
  EXPECT_EQ(c.judge().status, 101);
  c.request.fields.emplace_back("connection", "more");
  EXPECT_EQ(c.judge().status, 101);
  c.request.target = "http://server.example.com/connect?x";
  EXPECT_EQ(c.judge().status, 101);
}

TEST(Upgrade, Refusals) {
  {
    Case c;
    c.request.method = "POST";
    expect(c, 405, "method not GET");
    EXPECT_EQ(field(c.judge().fields, "Allow"), "GET");
  }
  {
    Case c;
    c.request.version = 10;
    expect(c, 400, "HTTP version below 1.1");
  }
  for (const char* target : {"/", "/connect/", "/Connect", "/connectx?", "*", "", "?", "http://server.example.com"}) {
    Case c;
    c.request.target = target;
    expect(c, 404, "unknown path");
    c.policy.path.clear();
    EXPECT_EQ(c.judge().status, 101);
  }
  {
    Case c;
    c.request.fields.emplace_back("host", "other");
    expect(c, 400, "no single Host");
    c.drop("Host");
    c.drop("host");
    expect(c, 400, "no single Host");
  }
  {
    Case c;
    c.set("Content-Length", "0");
    EXPECT_EQ(c.judge().status, 101);
    c.set("Content-Length", "5");
    expect(c, 400, "upgrade with a body");
    c.drop("Content-Length");
    c.set("Transfer-Encoding", "chunked");
    expect(c, 400, "upgrade with a body");
  }
  {
    Case c;
    c.drop("Upgrade");
    expect(c, 426, "not a WebSocket upgrade");
    EXPECT_EQ(field(c.judge().fields, "Upgrade"), "websocket");
    c.set("Upgrade", "h2c");
    expect(c, 426, "not a WebSocket upgrade");
  }
  {
    Case c;
    c.set("Connection", "keep-alive");
    expect(c, 400, "Connection lacks upgrade");
    c.drop("Connection");
    expect(c, 400, "Connection lacks upgrade");
  }
  for (const char* version : {"", "8", "12", "14", "13, 8", "x"}) {
    Case c;
    c.set("Sec-WebSocket-Version", version);
    expect(c, 426, "unsupported WebSocket version");
    EXPECT_EQ(field(c.judge().fields, "Sec-WebSocket-Version"), "13");
  }
  {
    Case c;
    c.drop("Sec-WebSocket-Version");
    expect(c, 426, "unsupported WebSocket version");
  }
  for (const char* key : {"", "AAAA", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQAA",
                          "dGhlIHNhbXBsZSBub25j-Q==", "dGhlIHNhbXBsZSBub25jZT0=", "dGhl IHNhbXBsZSBub25jZ=="}) {
    Case c;
    c.set("Sec-WebSocket-Key", key);
    expect(c, 400, "bad WebSocket key");
  }
  {
    Case c;
    c.request.fields.emplace_back("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    expect(c, 400, "bad WebSocket key");
  }
  {
    Case c;
    c.set("Sec-WebSocket-Protocol", "a b");
    expect(c, 400, "malformed Sec-WebSocket-Protocol");
  }
  {
    Case c;
    c.set("Sec-WebSocket-Extensions", "permessage-deflate;");
    expect(c, 400, "malformed Sec-WebSocket-Extensions");
  }
}

TEST(Upgrade, Origins) {
  auto same = [](std::string_view origin, std::string_view host) { return origin_allowed(origin, host, {"same"}); };
  EXPECT_TRUE(same("", "a"));
  EXPECT_TRUE(same("http://a.example", "a.example"));
  EXPECT_TRUE(same("HTTP://A.example", "a.EXAMPLE"));
  EXPECT_TRUE(same("http://a.example:80", "a.example"));
  EXPECT_TRUE(same("https://a.example", "a.example:443"));
  EXPECT_TRUE(same("http://a.example:8080", "a.example:8080"));
  EXPECT_TRUE(same("http://[::1]:8080", "[::1]:8080"));
  EXPECT_FALSE(same("http://a.example:8080", "a.example"));
  EXPECT_FALSE(same("https://a.example", "a.example:80"));
  EXPECT_FALSE(same("http://a.example", "a.example.evil"));
  EXPECT_FALSE(same("http://evil/a.example", "a.example"));
  EXPECT_FALSE(same("null", "null"));
  EXPECT_FALSE(origin_allowed("http://a", "a", {}));
  EXPECT_TRUE(origin_allowed("null", "a", {"*"}));
  EXPECT_TRUE(origin_allowed("https://app.example", "a", {"https://other", "https://app.example"}));
  EXPECT_FALSE(origin_allowed("http://app.example", "a", {"https://app.example"}));

  Case c;
  c.set("Origin", "http://server.example.com");
  EXPECT_EQ(c.judge().status, 101);
  c.set("Origin", "http://evil.example");
  expect(c, 403, "foreign origin");
  c.policy.origins = {"*"};
  EXPECT_EQ(c.judge().status, 101);
  c.request.fields.emplace_back("Origin", "http://server.example.com");
  expect(c, 400, "several origins");
}

TEST(Upgrade, DialectAndSubprotocol) {
  Case c;
  auto check = [&c](const char* offered, Dialect dialect, const char* chosen) {
    c.drop("Sec-WebSocket-Protocol");
    if (offered != nullptr) c.set("Sec-WebSocket-Protocol", offered);
    auto v = c.judge();
    EXPECT_EQ(v.status, 101) << v.reason;
    EXPECT_EQ(v.dialect, dialect);
    EXPECT_EQ(v.subprotocol, chosen);
    EXPECT_EQ(field(v.fields, "Sec-WebSocket-Protocol"), *chosen ? chosen : "(none)");
  };
  check(nullptr, Dialect::raw, "");
  check("meshwork.1", Dialect::meshwork, "meshwork.1");
  check("chat, meshwork.1", Dialect::meshwork, "meshwork.1");
  check("meshwork.0", Dialect::raw, "");
  check("Meshwork.0", Dialect::raw, "");  // names of subprotocols compare exactly
  c.policy.subprotocols = {"chat", "v2"};
  check("chat", Dialect::raw, "chat");
  check("v2, chat, meshwork.1", Dialect::raw, "v2");  // the client's order
  check("meshwork.1, v2", Dialect::meshwork, "meshwork.1");
  check("other", Dialect::raw, "");
  c.policy.wires = {.raw = false, .network_cluster = true, .meshwork = true};
  check(nullptr, Dialect::network_cluster, "");
  check("chat", Dialect::network_cluster, "chat");
  check("meshwork.1", Dialect::meshwork, "meshwork.1");
  c.policy.wires = {.raw = true, .network_cluster = false, .meshwork = false};
  check("meshwork.1", Dialect::raw, "");
  c.policy.wires = {.raw = false, .network_cluster = false, .meshwork = true};
  check("meshwork.1", Dialect::meshwork, "meshwork.1");
  for (const char* offered : {"", "chat", "meshwork.0"}) {
    c.set("Sec-WebSocket-Protocol", offered);
    expect(c, 426, "no common wire");
    EXPECT_EQ(field(c.judge().fields, "Sec-WebSocket-Protocol"), "meshwork.1");
  }
}

TEST(Upgrade, Extensions) {
  Case c;
  c.set("Sec-WebSocket-Extensions", "x-other");
  c.request.fields.emplace_back("sec-websocket-extensions", "permessage-deflate; client_max_window_bits");
  EXPECT_FALSE(c.judge().deflate.on);
  c.policy.compress = Compress::k256;
  auto v = c.judge();
  EXPECT_TRUE(v.deflate.on);
  EXPECT_EQ(field(v.fields, "Sec-WebSocket-Extensions"), "permessage-deflate");
}

TEST(Upgrade, Targets) {
  EXPECT_EQ(split_target("/a?b?c").path, "/a");
  EXPECT_EQ(split_target("/a?b?c").query, "b?c");
  EXPECT_EQ(split_target("/a").query, "");
  EXPECT_EQ(split_target("/a?").query, "");
  EXPECT_EQ(split_target("http://h:1/a?b").path, "/a");
  EXPECT_EQ(split_target("HTTPS://h?b").path, "/");
  EXPECT_EQ(split_target("HTTPS://h?b").query, "b");
}

// ---- Client ---------------------------------------------------------------

const char* const kTestKey = "dGhlIHNhbXBsZSBub25jZQ==";

struct Answer {
  UpgradePlan plan{{.raw = false, .network_cluster = false, .meshwork = true}, {}, Compress::off};
  int status = 101;
  FieldViews fields{{"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
                    {"Sec-WebSocket-Protocol", "meshwork.1"}};
  void set(std::string_view name, std::string_view value) {
    std::erase_if(fields, [&](const auto& f) { return f.first == name; });
    fields.emplace_back(name, value);
  }
  void drop(std::string_view name) {
    std::erase_if(fields, [&](const auto& f) { return f.first == name; });
  }
  base::Result<Agreed> judge() const { return judge_answer(plan, kTestKey, status, fields); }
  void expect(mw_status code, const char* text) const {
    auto r = judge();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, code);
    EXPECT_EQ(r.error().text, text);
  }
};

TEST(Answer, Good) {
  Answer a;
  auto r = a.judge();
  ASSERT_TRUE(r);
  EXPECT_EQ(r->dialect, Dialect::meshwork);
  EXPECT_EQ(r->subprotocol, "meshwork.1");
  EXPECT_FALSE(r->deflate.on);
  a.set("Upgrade", "WebSocket");
  a.set("Connection", "foo, UPGRADE");
  EXPECT_TRUE(a.judge());
}

TEST(Answer, OtherStatus) {
  Answer a;
  for (auto [status, code] : {std::pair{200, MW_EPROTO}, {301, MW_EPROTO}, {400, MW_EPROTO}, {401, MW_EAUTH},
                              {403, MW_EAUTH}, {404, MW_EPROTO}, {426, MW_EVERSION}, {429, MW_EREFUSED},
                              {500, MW_EPROTO}, {503, MW_EREFUSED}}) {
    a.status = status;
    auto r = a.judge();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, code) << status;
    EXPECT_NE(r.error().text.find(std::to_string(status)), std::string::npos);
  }
}

TEST(Answer, BrokenHandshake) {
  Answer a;
  a.drop("Upgrade");
  a.expect(MW_EPROTO, "the answer's Upgrade is not websocket");
  a.set("Upgrade", "h2c");
  a.expect(MW_EPROTO, "the answer's Upgrade is not websocket");
  a = {};
  a.set("Connection", "close");
  a.expect(MW_EPROTO, "the answer's Connection lacks upgrade");
  a = {};
  a.set("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  a.expect(MW_EPROTO, "the answer's Sec-WebSocket-Accept is wrong");
  a.drop("Sec-WebSocket-Accept");
  a.expect(MW_EPROTO, "the answer's Sec-WebSocket-Accept is wrong");
  a = {};
  a.fields.emplace_back("Sec-WebSocket-Protocol", "meshwork.1");
  a.expect(MW_EPROTO, "the answer names several subprotocols");
  a = {};
  a.set("Sec-WebSocket-Protocol", "chat");
  a.expect(MW_EPROTO, "the answer names a subprotocol that was not offered");
  a = {};
  a.set("Sec-WebSocket-Extensions", "permessage-deflate");
  a.expect(MW_EPROTO, "the answer names an extension that was not offered");
}

TEST(Answer, NoSilentFallback) {
  Answer a;
  a.drop("Sec-WebSocket-Protocol");
  a.expect(MW_EVERSION, "the provider does not speak meshwork.1");
  a.plan.wires.raw = true;
  ASSERT_TRUE(a.judge());
  EXPECT_EQ(a.judge()->dialect, Dialect::raw);
  a.plan.subprotocols = {"chat"};
  a.expect(MW_EVERSION, "the provider chose none of the subprotocols offered");
  a.set("Sec-WebSocket-Protocol", "chat");
  ASSERT_TRUE(a.judge());
  EXPECT_EQ(a.judge()->dialect, Dialect::raw);
  EXPECT_EQ(a.judge()->subprotocol, "chat");
  a.plan.wires = {.raw = false, .network_cluster = false, .meshwork = true};
  a.expect(MW_EVERSION, "the provider does not speak meshwork.1");
  a.plan.wires = {.raw = false, .network_cluster = true, .meshwork = false};
  EXPECT_EQ(a.judge()->dialect, Dialect::network_cluster);
}

TEST(Request, Fields) {
  UpgradePlan plan{{.raw = true, .network_cluster = false, .meshwork = true}, {"chat", "v2"}, Compress::k256};
  auto f = upgrade_fields(plan, kTestKey);
  EXPECT_EQ(field(f, "Upgrade"), "websocket");
  EXPECT_EQ(field(f, "Connection"), "Upgrade");
  EXPECT_EQ(field(f, "Sec-WebSocket-Version"), "13");
  EXPECT_EQ(field(f, "Sec-WebSocket-Key"), kTestKey);
  EXPECT_EQ(field(f, "Sec-WebSocket-Protocol"), "meshwork.1, chat, v2");
  EXPECT_EQ(field(f, "Sec-WebSocket-Extensions"), "permessage-deflate; client_max_window_bits");
  plan = {{.raw = true, .network_cluster = false, .meshwork = false}, {}, Compress::off};
  f = upgrade_fields(plan, kTestKey);
  EXPECT_EQ(f.size(), 4u);
}

TEST(Request, Key) {
  EXPECT_EQ(upgrade_key(reinterpret_cast<const uint8_t*>("the sample nonce")), kTestKey);
  EXPECT_EQ(upgrade_accept(kTestKey), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

// Our own two ends understand each other for every pair of wire lists.
TEST(Upgrade, BothEnds) {
  for (int s = 1; s < 8; s++)
    for (int c = 1; c < 8; c++) {
      if ((s & 3) == 3 || (c & 3) == 3) continue;
      UpgradePlan plan{{(c & 1) != 0, (c & 2) != 0, (c & 4) != 0}, {}, Compress::k8};
      auto fields = upgrade_fields(plan, kTestKey);
      UpgradeRequest r{"GET", "/connect", 11, {{"Host", "x"}}};
      for (const auto& [k, v] : fields) r.fields.emplace_back(k, v);
      UpgradePolicy policy{"/connect", {"same"}, {(s & 1) != 0, (s & 2) != 0, (s & 4) != 0}, {}, Compress::k16};
      auto verdict = judge_upgrade(r, policy);
      FieldViews answer(verdict.fields.begin(), verdict.fields.end());
      auto agreed = judge_answer(plan, kTestKey, verdict.status, answer);
      bool own = (s & 4) && (c & 4);
      // Without the own wire, whoever expects raw gets what the other end takes for it.
      bool fallback = (s & 3) && (c & 3);
      if (own || fallback) {
        ASSERT_TRUE(agreed) << s << " " << c << " " << agreed.error().text;
        EXPECT_EQ(agreed->dialect == Dialect::meshwork, own);
        EXPECT_EQ(verdict.dialect == Dialect::meshwork, own);
        EXPECT_EQ(agreed->deflate.client_bits, 10);
        EXPECT_EQ(verdict.deflate.server_bits, 10);
      } else {
        ASSERT_FALSE(agreed) << s << " " << c;
        EXPECT_EQ(agreed.error().code, MW_EVERSION);
      }
    }
}

}  // namespace
}  // namespace mw::wire
