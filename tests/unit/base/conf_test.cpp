#include "base/conf.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"
#include "base/option_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <source_location>
#include <string>

namespace mw::base {
namespace {

bool has(const std::string& all, std::string_view part) { return all.find(part) != std::string::npos; }
std::string refusal(const Result<void>& r, std::source_location at = std::source_location::current()) {
  EXPECT_FALSE(r) << "line " << at.line();
  if (r) return "";
  EXPECT_EQ(r.error().code, MW_EOPTION);
  return r.error().text;
}

TEST(Conf, DefaultsOfTheApi) {
  const Conf ctx(MW_CONF_CTX), provider(MW_CONF_PROVIDER), consumer(MW_CONF_CONSUMER);
  EXPECT_EQ(ctx.num(Opt::threads), 1);
  EXPECT_EQ(delivery(ctx), Delivery::queued);
  EXPECT_EQ(ctx.num(Opt::memory_max_bytes), 256 << 20);
  EXPECT_EQ(ctx.num(Opt::cork_max), 5);
  EXPECT_EQ(log_level(ctx), LogLevel::warn);
  EXPECT_EQ(provider.text(Opt::host), "0.0.0.0");
  EXPECT_EQ(consumer.text(Opt::host), "localhost");
  EXPECT_EQ(provider.num(Opt::port), 8080);
  EXPECT_EQ(provider.num(Opt::send_max_bytes), 4 << 20);
  EXPECT_EQ(provider.list(Opt::wire), (std::vector<std::string>{"meshwork", "raw"}));
  EXPECT_EQ(consumer.list(Opt::wire), (std::vector<std::string>{"meshwork"}));
  EXPECT_TRUE(speaks(provider, Wire::raw));
  EXPECT_FALSE(speaks(consumer, Wire::raw));
  EXPECT_EQ(syntax(provider), Syntax::mqtt);
  EXPECT_EQ(tls_verify(consumer), Verify::peer);
  EXPECT_EQ(provider.num(Opt::auth_reject_status), 403);
  EXPECT_EQ(consumer.num(Opt::reconnect_max_attempts), -1);
  EXPECT_EQ(consumer.num(Opt::reconnect_max_interval), 30000);
  EXPECT_EQ(consumer.list(Opt::reconnect_fatal), (std::vector<std::string>{"401", "403"}));
  EXPECT_TRUE(provider.list(Opt::listen).empty());
  EXPECT_FALSE(provider.has(Opt::port));
}

TEST(Conf, KeysOfOtherKindsReadAsNothing) {
  const Conf ctx(MW_CONF_CTX);
  EXPECT_EQ(ctx.num(Opt::port), 0);
  EXPECT_EQ(ctx.text(Opt::host), "");
  EXPECT_TRUE(ctx.list(Opt::wire).empty());
  EXPECT_FALSE(ctx.has(Opt::host));
}

TEST(Conf, SetsAndReadsBackCanonically) {
  Conf c(MW_CONF_CONSUMER);
  const struct {
    const char *key, *value, *read;
  } cases[] = {{"tls", "yes", "true"},
               {"tls", " 0 ", "false"},
               {"connect.timeout", "1500", "1500ms"},
               {"connect.timeout", "60s", "1m"},
               {"send.max_bytes", "1048576", "1MiB"},
               {"send.max_bytes", "2kB", "2kB"},
               {"send.max_bytes", "0001KiB", "1KiB"},
               {"reconnect.max_attempts", "-1", "-1"},
               {"reconnect.fatal", "[401, 404]", "401,404"},
               {"reconnect.fatal", " 401 , 404 ", "401,404"},
               {"wire", "[\"raw\",\"meshwork\"]", "raw,meshwork"},
               {"compress", "16k", "16k"},
               {"host", "example.org", "example.org"},
               {"send.overflow", "drop_old", "drop_old"}};
  for (const auto& t : cases) {
    ASSERT_TRUE(c.set(t.key, t.value)) << t.key;
    EXPECT_EQ(*c.get(t.key), t.read) << t.key << " = " << t.value;
  }
  EXPECT_EQ(c.num(Opt::connect_timeout), 60000);
  EXPECT_EQ(compress(c), Compress::k16);
  EXPECT_TRUE(c.has(Opt::host));
}

TEST(Conf, UnitsOfTimesAndSizes) {
  Conf c(MW_CONF_CONSUMER);
  const auto time = [&](const char* v) { return c.set("heartbeat.interval", v) ? c.num(Opt::heartbeat_interval) : -1; };
  EXPECT_EQ(time("7"), 7);
  EXPECT_EQ(time("7ms"), 7);
  EXPECT_EQ(time("7s"), 7000);
  EXPECT_EQ(time("7m"), 420000);
  EXPECT_EQ(time("1h"), 3600000);
  EXPECT_EQ(time("1d"), 86400000);
  for (const char* bad : {"7S", "7 s", "s", "7us", "1.5s", "-1s", "2d", "106751991167d", "9223372036854775807d"}) EXPECT_EQ(time(bad), -1) << bad;
  const auto size = [&](const char* v) { return c.set("offline.max_bytes", v) ? c.num(Opt::offline_max_bytes) : -1; };
  EXPECT_EQ(size("7"), 7);
  EXPECT_EQ(size("7B"), 7);
  EXPECT_EQ(size("7kB"), 7000);
  EXPECT_EQ(size("7KiB"), 7168);
  EXPECT_EQ(size("7MB"), 7000000);
  EXPECT_EQ(size("1GiB"), 1 << 30);
  for (const char* bad : {"7K", "7kb", "-1", "2GiB", "9007199254740993TiB"}) EXPECT_EQ(size(bad), -1) << bad;
}

TEST(Conf, AWrongKeyNamesTheNearest) {
  Conf c(MW_CONF_PROVIDER);
  EXPECT_TRUE(has(refusal(c.set("send.max_byte", "1")), "\"send.max_bytes\""));
  EXPECT_TRUE(has(refusal(c.set("hartbeat.interval", "1")), "\"heartbeat.interval\""));
  EXPECT_TRUE(has(refusal(c.set("PORT", "1")), "provider"));
  const std::string elsewhere = refusal(c.set("reconnect.interval", "1s"));
  EXPECT_TRUE(has(elsewhere, "of a consumer, not of a provider")) << elsewhere;
  const std::string far = refusal(c.set("zzzzzzzzzzzzzzzz", "1"));
  EXPECT_FALSE(has(far, "nearest")) << far;
  refusal(c.set("", "1"));
  EXPECT_LT(refusal(c.set(std::string(100000, 'x'), "1")).size(), 200u);
  EXPECT_FALSE(c.get("send.max_byte"));
}

TEST(Conf, AWrongValueSaysKeyValueAndWhatIsAllowed) {
  Conf c(MW_CONF_PROVIDER);
  std::string t = refusal(c.set("port", "70000"));
  EXPECT_TRUE(has(t, "\"port\"") && has(t, "70000") && has(t, "from 0 to 65535")) << t;
  t = refusal(c.set("send.overflow", "drop"));
  EXPECT_TRUE(has(t, "one of refuse, drop_new, drop_old, conflate, disconnect")) << t;
  t = refusal(c.set("heartbeat.interval", "2d"));
  EXPECT_TRUE(has(t, "from 0 to 1d")) << t;
  t = refusal(c.set("send.max_bytes", "1"));
  EXPECT_TRUE(has(t, "from 128B to 4GiB")) << t;
  t = refusal(c.set("host", std::string(300, 'h')));
  EXPECT_TRUE(has(t, "1 to 253 bytes") && !has(t, "hhhh")) << t;
  EXPECT_EQ(c.num(Opt::port), 8080);  // as it was
  EXPECT_FALSE(c.has(Opt::port));
}

TEST(Conf, WireRefusesContradictions) {
  Conf c(MW_CONF_PROVIDER);
  EXPECT_TRUE(has(refusal(c.set("wire", "raw,network-cluster")), "only one of raw and network-cluster"));
  EXPECT_TRUE(has(refusal(c.set("wire", "raw,raw")), "repetitions"));
  EXPECT_TRUE(has(refusal(c.set("wire", "mesh")), "raw, network-cluster, meshwork"));
  refusal(c.set("wire", ""));
  EXPECT_TRUE(c.set("wire", "meshwork,network-cluster"));
  EXPECT_TRUE(speaks(c, Wire::network_cluster));
  EXPECT_FALSE(speaks(c, Wire::raw));
}

TEST(Conf, TheRuntimeDirectoryIsAbsolute) {
  for (int32_t kind : {MW_CONF_HUB, MW_CONF_CHANNEL, MW_CONF_SHARE}) {
    Conf c(kind);
    EXPECT_TRUE(has(refusal(c.set("dir", "here")), "begins with /"));
    EXPECT_TRUE(c.set("dir", "/here"));
    EXPECT_TRUE(c.set("dir", ""));
  }
}

TEST(Conf, ValuesThatWouldBreakTheProtocol) {
  Conf p(MW_CONF_PROVIDER), c(MW_CONF_CONSUMER);
  for (const char* bad : {"connect", "/a b", "/a?b", "/a#b", "/a\nb", "/\xC3\xA9"}) refusal(p.set("path", bad));
  EXPECT_TRUE(p.set("http.alive_path", ""));
  EXPECT_TRUE(p.set("http.metrics", "/metrics"));
  refusal(c.set("headers", R"({"X-A":"1\r\nX-B: 2"})"));
  refusal(c.set("headers", R"({"X A":"1"})"));
  refusal(c.set("headers", R"({"":"1"})"));
  EXPECT_TRUE(c.set("headers", R"({"X-A":"1","X-B":2})"));
  refusal(c.set("subprotocols", "a b"));
  refusal(c.set("subprotocols", "chat,chat"));
  EXPECT_TRUE(c.set("subprotocols", "chat.v1,super"));
  refusal(c.set("url", "http://x"));
  EXPECT_TRUE(c.set("url", "wss://x/y"));
  refusal(c.set("proxy", "socks5://x"));
  refusal(c.set("host", "a\r\nb"));
  refusal(c.set("reconnect.fatal", "99"));
  refusal(c.set("reconnect.fatal", "abc"));
  refusal(c.set("tls.alpn", std::string(256, 'a')));
  refusal(p.set("listen", "udp://x"));
  EXPECT_TRUE(p.set("listen", "tcp://127.0.0.1:0,unix:/run/x,fd:3"));
  EXPECT_TRUE(p.set("tls.cert", "-----BEGIN\nline\r\n"));
}

TEST(Conf, EventsAreAListOrChangesToTheDefault) {
  Conf c(MW_CONF_CTX);
  const auto wanted = [&](uint32_t kind) { return event_wanted(c.num(Opt::events), kind); };
  EXPECT_TRUE(wanted(MW_EVENT_MESSAGE));
  EXPECT_FALSE(wanted(MW_EVENT_PING));
  EXPECT_FALSE(wanted(MW_EVENT_PONG));
  EXPECT_FALSE(wanted(MW_EVENT_INTEREST));
  EXPECT_TRUE(wanted(MW_EVENT_DRAINING));
  ASSERT_TRUE(c.set("events", "+ping,-log"));
  EXPECT_TRUE(wanted(MW_EVENT_PING));
  EXPECT_FALSE(wanted(MW_EVENT_LOG));
  EXPECT_TRUE(wanted(MW_EVENT_MESSAGE));
  ASSERT_TRUE(c.set("events", "message"));
  EXPECT_TRUE(wanted(MW_EVENT_MESSAGE));
  EXPECT_FALSE(wanted(MW_EVENT_UP));
  for (uint32_t always : {MW_EVENT_CLOSED, MW_EVENT_DONE, MW_EVENT_RELEASED, MW_EVENT_ASK}) EXPECT_TRUE(wanted(always));
  EXPECT_EQ(*c.get("events"), "closed,message,done,released,ask");
  const std::string back = *c.get("events");
  EXPECT_TRUE(c.set("events", back));
  EXPECT_EQ(*c.get("events"), back);
  EXPECT_TRUE(has(refusal(c.set("events", "+pin")), "ping"));
  EXPECT_TRUE(has(refusal(c.set("events", "-done")), "always come"));
  refusal(c.set("events", "+ping,log"));
  refusal(c.set("events", "+"));
}

TEST(Conf, PresetSetsTheSeedsDefaultsAndMustComeFirst) {
  Conf p(MW_CONF_PROVIDER), c(MW_CONF_CONSUMER);
  for (Conf* conf : {&p, &c}) {
    ASSERT_TRUE(conf->set("preset", "network-cluster"));
    EXPECT_EQ(*conf->get("wire"), "network-cluster");
    EXPECT_EQ(conf->num(Opt::send_max_bytes), 1 << 20);
    EXPECT_EQ(send_overflow(*conf), Overflow::disconnect);
    EXPECT_EQ(conf->num(Opt::recv_max_message), 32 << 10);
    EXPECT_EQ(conf->num(Opt::heartbeat_interval), 10000);
    EXPECT_EQ(conf->num(Opt::heartbeat_max_strikes), 2);
    EXPECT_EQ(conf->text(Opt::path), "/connect");
    EXPECT_TRUE(conf->has(Opt::send_max_bytes));
    EXPECT_TRUE(conf->set("send.max_bytes", "2MiB"));  // the host has the last word
    EXPECT_EQ(conf->num(Opt::send_max_bytes), 2 << 20);
  }
  EXPECT_EQ(c.num(Opt::reconnect_max_attempts), 10);
  EXPECT_EQ(reconnect_backoff(c), Backoff::fixed);
  EXPECT_EQ(parameters_in(c), ParametersIn::query);
  EXPECT_TRUE(parameters_from(p, ParametersIn::query));
  EXPECT_FALSE(parameters_from(p, ParametersIn::header));

  Conf late(MW_CONF_PROVIDER);
  ASSERT_TRUE(late.set("port", "1"));
  EXPECT_TRUE(has(refusal(late.set("preset", "network-cluster")), "before any other key"));
  refusal(p.set("preset", "network-cluster"));
  EXPECT_TRUE(has(refusal(Conf(MW_CONF_PROVIDER).set("preset", "netcluster")), "one of none, network-cluster"));
}

TEST(Conf, SecretsAreHiddenEverywhere) {
  Conf c(MW_CONF_CONSUMER);
  EXPECT_EQ(*c.get("tls.passphrase"), "");
  ASSERT_TRUE(c.set("tls.passphrase", "hunter2"));
  ASSERT_TRUE(c.set("parameters", R"({"token":"hunter2"})"));
  EXPECT_EQ(*c.get("tls.passphrase"), "***");
  EXPECT_EQ(*c.get("parameters"), "***");
  EXPECT_EQ(c.text(Opt::tls_passphrase), "hunter2");
  EXPECT_FALSE(has(c.dump(), "hunter2"));
  EXPECT_FALSE(has(refusal(c.set("parameters", R"({"token":["hunter2"]})")), "hunter2"));
  EXPECT_FALSE(has(refusal(c.set("proxy", "hunter2")), "hunter2"));
  EXPECT_FALSE(has(refusal(c.set("tls.passphrase", "hunter2\x01")), "hunter2"));
}

TEST(ConfLoad, NestedObjectsAreDottedKeys) {
  Conf c(MW_CONF_CONSUMER);
  ASSERT_TRUE(c.load(R"({
    "host": "h", "port": 1234, "tls": true, "send.max_bytes": "2MiB",
    "reconnect": {"interval": "2s", "max_attempts": -1, "fatal": [401, 410]},
    "wire": ["raw", "meshwork"],
    "parameters": {"user": "u", "n": 1.5, "big": 9007199254740991, "on": true},
    "heartbeat": {"interval": 5000}
  })"));
  EXPECT_EQ(c.num(Opt::port), 1234);
  EXPECT_EQ(c.num(Opt::tls), 1);
  EXPECT_EQ(c.num(Opt::send_max_bytes), 2 << 20);
  EXPECT_EQ(c.num(Opt::reconnect_interval), 2000);
  EXPECT_EQ(c.list(Opt::reconnect_fatal), (std::vector<std::string>{"401", "410"}));
  EXPECT_EQ(*c.get("wire"), "raw,meshwork");
  EXPECT_EQ(c.text(Opt::parameters), R"({"user":"u","n":1.5,"big":9007199254740991,"on":true})");
  EXPECT_EQ(c.num(Opt::heartbeat_interval), 5000);
  EXPECT_TRUE(c.load("{}"));
}

TEST(ConfLoad, APrefixThatIsAlsoAKey) {
  Conf c(MW_CONF_CONSUMER);
  ASSERT_TRUE(c.load(R"({"tls": {"server_name": "x", "verify": "none"}})"));
  EXPECT_EQ(c.text(Opt::tls_server_name), "x");
  EXPECT_EQ(c.num(Opt::tls), 0);
}

TEST(ConfLoad, AllOrNothing) {
  Conf c(MW_CONF_CONSUMER);
  ASSERT_TRUE(c.set("host", "before"));
  const std::string before = c.dump();
  for (const char* bad : {R"({"host":"after","prot":1})", R"({"host":"after","port":70000})", R"({"host":"after","port":null})",
                          R"({"host":"after","port":[1]})", R"({"host":"after","port":1.5})", R"({"host":"after","port":1e30})",
                          R"({"host":"after","nothing":{}})", R"({"host":"after","no":{"thing":1}})", R"({"host":"after","tls":"maybe"})",
                          R"({"send":{"max_bytes":"1MiB"},"send.max_bytes":"2MiB"})", R"({"parameters":[1]})", R"({"preset":"network-cluster"})"}) {
    refusal(c.load(bad));
    EXPECT_EQ(c.dump(), before) << bad;
  }
}

TEST(ConfLoad, BadJsonSaysWhere) {
  Conf c(MW_CONF_CONSUMER);
  auto r = c.load("{\n  \"host\": \"x\",\n  \"port\" 1\n}");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, MW_EINVAL);
  EXPECT_TRUE(has(r.error().text, "line 3, column 10")) << r.error().text;
  r = c.load("[]");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, MW_EINVAL);
  r = c.load(R"({"host":"a","host":"b"})");
  ASSERT_FALSE(r);
  EXPECT_TRUE(has(r.error().text, "\"host\" twice"));
  EXPECT_FALSE(c.has(Opt::host));
}

TEST(ConfLoad, PresetIsFirstWhereverItStands) {
  Conf c(MW_CONF_CONSUMER);
  ASSERT_TRUE(c.load(R"({"send.max_bytes":"2MiB","preset":"network-cluster"})"));
  EXPECT_EQ(c.num(Opt::send_max_bytes), 2 << 20);
  EXPECT_EQ(*c.get("wire"), "network-cluster");
}

TEST(ConfLoad, DumpCanBeLoadedAgain) {
  Conf c(MW_CONF_CONSUMER);
  ASSERT_TRUE(c.load(R"({"preset":"network-cluster","host":"h","reconnect.fatal":[401],"tls":true,"events":"+ping"})"));
  auto json = Json::parse(c.dump());
  ASSERT_TRUE(json);
  EXPECT_EQ(json->root().size(), option_count(MW_CONF_CONSUMER));
  EXPECT_TRUE(json->root().find("tls").is_bool());
  EXPECT_EQ(json->root().find("port").number(), 8080);
  Conf again(MW_CONF_CONSUMER);
  ASSERT_TRUE(again.load(c.dump()));
  EXPECT_EQ(again.dump(), c.dump());
}

TEST(ConfDescribe, ListsEveryRowOfEveryKind) {
  for (const int32_t kind : {MW_CONF_CTX, MW_CONF_PROVIDER, MW_CONF_CONSUMER, MW_CONF_SUB, MW_CONF_SERVICE, MW_CONF_CALL,
                             MW_CONF_HUB, MW_CONF_CHANNEL}) {
    std::set<std::string> keys;
    std::string text;
    size_t n = 0;
    for (; Conf::describe(kind, n, text); ++n) {
      auto json = Json::parse(text);
      ASSERT_TRUE(json) << text;
      const JsonValue o = json->root();
      keys.insert(std::string(o.find("key").text()));
      for (const char* member : {"key", "type", "default", "doc"}) EXPECT_TRUE(o.find(member).is_text()) << text;
      for (const char* member : {"live", "secret"}) EXPECT_TRUE(o.find(member).is_bool()) << text;
      if (o.find("type").text() == "word") {
        EXPECT_GT(o.find("values").size(), 1u) << text;
      }
      // What is described is what is: the default can be set and read back.
      Conf c(kind);
      ASSERT_TRUE(c.set(o.find("key").text(), o.find("default").text())) << text;
      if (!o.find("secret").boolean()) {
        EXPECT_EQ(*c.get(o.find("key").text()), o.find("default").text());
      }
    }
    EXPECT_EQ(n, option_count(kind));
    EXPECT_EQ(keys.size(), n);
  }
  std::string text;
  EXPECT_FALSE(Conf::describe(0, 0, text));
  ASSERT_TRUE(Conf::describe(MW_CONF_PROVIDER, static_cast<size_t>(option_slot(MW_CONF_PROVIDER, "send.max_bytes")), text));
  EXPECT_TRUE(has(text, R"("type":"size","default":"4MiB","min":"128B","max":"4GiB","live":true,"secret":false)")) << text;
}

TEST(ConfUpdate, ReplacesLiveKeysOnly) {
  Conf open(MW_CONF_PROVIDER);
  ASSERT_TRUE(open.set("port", "0"));
  ASSERT_TRUE(open.set("tls.passphrase", "old"));
  Conf change(MW_CONF_PROVIDER);
  ASSERT_TRUE(change.set("max_peers", "5"));
  ASSERT_TRUE(change.set("tls.passphrase", "new"));
  auto next = open.updated(change);
  ASSERT_TRUE(next);
  EXPECT_EQ((*next)->num(Opt::max_peers), 5);
  EXPECT_EQ((*next)->text(Opt::tls_passphrase), "new");
  EXPECT_EQ((*next)->num(Opt::port), 0);
  EXPECT_EQ(open.num(Opt::max_peers), 0);

  ASSERT_TRUE(change.set("path", "/other"));
  auto refused = open.updated(change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, MW_EOPTION);
  EXPECT_TRUE(has(refused.error().text, "\"path\""));
  Conf preset(MW_CONF_PROVIDER);
  ASSERT_TRUE(preset.set("preset", "network-cluster"));
  EXPECT_FALSE(open.updated(preset));
  auto other = open.updated(Conf(MW_CONF_CONSUMER));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, MW_EKIND);
}

TEST(Conf, FreezeIsASnapshot) {
  Conf c(MW_CONF_CONSUMER);
  ASSERT_TRUE(c.set("host", "a"));
  const auto frozen = c.freeze();
  ASSERT_TRUE(c.set("host", "b"));
  EXPECT_EQ(frozen->text(Opt::host), "a");
}

TEST(Conf, ListItemsWithCommasSurvive) {
  Conf c(MW_CONF_PROVIDER);
  ASSERT_TRUE(c.set("http.origins", R"(["https://a,b","*"])"));
  EXPECT_EQ(c.list(Opt::http_origins), (std::vector<std::string>{"https://a,b", "*"}));
  const std::string text = *c.get("http.origins");
  ASSERT_TRUE(c.set("http.origins", text));
  EXPECT_EQ(c.list(Opt::http_origins).size(), 2u);
}

}  // namespace
}  // namespace mw::base
