#include "base/option_table.hpp"

#include "base/choices.hpp"
#include "base/option_value.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mw::base {
namespace {

constexpr int32_t kKinds[] = {MW_CONF_CTX, MW_CONF_PROVIDER, MW_CONF_CONSUMER, MW_CONF_SUB, MW_CONF_SERVICE, MW_CONF_CALL,
                               MW_CONF_HUB, MW_CONF_CHANNEL, MW_CONF_SHARE, MW_CONF_ELECT, MW_CONF_NODE, MW_CONF_MANAGER};

const OptionRow& row(int32_t kind, std::string_view key) {
  return *option_at(kind, static_cast<size_t>(option_slot(kind, key)));
}

TEST(OptionTable, EveryRowIsSound) {
  for (const OptionRow& r : option_rows()) {
    const std::string key(option_key(r.id));
    EXPECT_NE(r.kinds, 0u) << key;
    EXPECT_EQ(r.doc.back(), '.') << key;
    EXPECT_EQ(r.type == OptionType::word, !r.words.empty() && r.type != OptionType::list) << key;
    if (r.type == OptionType::word || r.type == OptionType::boolean)
      EXPECT_TRUE(r.lo == 0 && r.hi == 0) << key;
    else
      EXPECT_LT(r.lo, r.hi) << key;
    const auto v = option_parse(r, r.def);
    ASSERT_TRUE(v) << key << ": " << v.error().text;
    // The default is written the way get() writes it.
    EXPECT_EQ(v->text, r.def) << key;
  }
}

TEST(OptionTable, EveryKeyHasARowAndNoKeyIsNamedTwice) {
  std::set<std::string_view> keys;
  for (size_t i = 0; i < static_cast<size_t>(Opt::count_); ++i) {
    const Opt id = static_cast<Opt>(i);
    EXPECT_TRUE(keys.insert(option_key(id)).second) << option_key(id);
    bool used = false;
    for (const int32_t kind : kKinds) used = used || option_slot(kind, id) >= 0;
    EXPECT_TRUE(used) << option_key(id);
  }
}

TEST(OptionTable, SlotsAndRowsAgree) {
  size_t seen = 0;
  for (const int32_t kind : kKinds) {
    for (size_t i = 0; i < option_count(kind); ++i, ++seen) {
      const OptionRow* r = option_at(kind, i);
      ASSERT_NE(r, nullptr);
      EXPECT_TRUE(r->of(kind));
      EXPECT_EQ(option_slot(kind, r->id), static_cast<int>(i));
      EXPECT_EQ(option_slot(kind, option_key(r->id)), static_cast<int>(i));
    }
    EXPECT_EQ(option_at(kind, option_count(kind)), nullptr);
  }
  EXPECT_GT(seen, 100u);
  for (const int32_t bad : {-1, 0, 31, 1 << 20}) {
    EXPECT_FALSE(conf_kind_valid(bad));
    EXPECT_EQ(option_count(bad), 0u);
    EXPECT_EQ(option_slot(bad, Opt::host), -1);
  }
  EXPECT_EQ(option_slot(MW_CONF_CTX, Opt::host), -1);
}

// One case for each row: the last value inside each limit is taken, the first
// outside refused, and so is what is no value of the type at all.
TEST(OptionTable, EveryLimitBites) {
  for (const OptionRow& r : option_rows()) {
    const std::string key(option_key(r.id));
    const auto takes = [&](const std::string& text) { return static_cast<bool>(option_parse(r, text)); };
    switch (r.type) {
      case OptionType::integer:
      case OptionType::duration:
      case OptionType::size:
        EXPECT_TRUE(takes(std::to_string(r.lo))) << key;
        EXPECT_TRUE(takes(std::to_string(r.hi))) << key;
        EXPECT_TRUE(takes(option_number(r.type, r.hi))) << key;
        EXPECT_FALSE(takes(std::to_string(r.lo - 1))) << key;
        EXPECT_FALSE(takes(std::to_string(r.hi + 1))) << key;
        for (const char* bad : {"", "x", "1x", "1 s", "--1", "+1", "1.5", "0x10", "99999999999999999999", "9223372036854775807"})
          EXPECT_FALSE(takes(bad)) << key << " " << bad;
        break;
      case OptionType::boolean:
        for (const char* bad : {"", "2", "TRUE", "on", "t"}) EXPECT_FALSE(takes(bad)) << key;
        break;
      case OptionType::word:
        each_word(r.words, [&](std::string_view w, int i) {
          const auto v = option_parse(r, w);
          ASSERT_TRUE(v) << key;
          EXPECT_EQ(v->num, i) << key;
        });
        for (const char* bad : {"", "no-such-word", "0", "NONE", "raw|meshwork"}) EXPECT_FALSE(takes(bad)) << key;
        break;
      case OptionType::list: {
        std::string many;
        for (int64_t i = 0; i <= r.hi; ++i) many += (i ? ",x" : "x") + std::to_string(i);
        EXPECT_FALSE(takes(many)) << key;
        EXPECT_EQ(takes(""), r.lo == 0) << key;
        for (const char* bad : {"a,", ",a", "a,,b", "[", "[{}]", "[null]", "[\"\"]", "a,a"}) EXPECT_FALSE(takes(bad)) << key << " " << bad;
        break;
      }
      case OptionType::text: {
        EXPECT_FALSE(takes(std::string(static_cast<size_t>(r.hi) + 1, '/'))) << key;
        EXPECT_EQ(takes(""), r.lo == 0) << key;
        for (const char* bad : {"/\x01", "/\xFF", "/\x7F"}) EXPECT_FALSE(takes(bad)) << key;
        break;
      }
      case OptionType::json: {
        const std::string big = "{\"k\":\"" + std::string(static_cast<size_t>(r.hi), 'x') + "\"}";
        EXPECT_FALSE(takes(big)) << key;
        if (r.id == Opt::channels) {
          for (const char* bad : {"1", "[]", "{", "{\"a\":1}", "{\"a\":{\"b\":{}}}", "{\"a\":null}"}) EXPECT_FALSE(takes(bad)) << key << " " << bad;
          EXPECT_TRUE(takes("{\"a\":{\"propagate\":false},\"b\":{}}")) << key;
          break;
        }
        if (r.id == Opt::access) {
          for (const char* bad : {"1", "[]", "{", "{\"a\":1}", "{\"a\":null}"}) EXPECT_FALSE(takes(bad)) << key << " " << bad;
          EXPECT_TRUE(takes("{\"a\":{\"_connect\":[\"b\"]},\"b\":{}}")) << key;
          break;
        }
        if (r.id == Opt::link_secrets) {
          for (const char* bad : {"1", "[]", "{", "{\"a\":1}", "{\"a\":\"fifteen bytes..\"}", "{\"\":\"sixteen bytes...\"}"})
            EXPECT_FALSE(takes(bad)) << key << " " << bad;
          std::string many = "{";
          for (int i = 0; i < 64; ++i) many += (i != 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"sixteen bytes...\"";
          EXPECT_TRUE(takes(many + "}")) << key;
          EXPECT_FALSE(takes(many + ",\"one more\":\"sixteen bytes...\"}")) << key;
          break;
        }
        for (const char* bad : {"1", "[]", "{", "\"x\"", "null", "{\"a\":null}", "{\"a\":[]}", "{\"a\":{}}", "{\"a\":1,\"a\":2}"})
          EXPECT_FALSE(takes(bad)) << key << " " << bad;
        EXPECT_TRUE(takes("{\"a\":1,\"b\":\"x\",\"c\":true}")) << key;
        break;
      }
    }
  }
}

TEST(OptionTable, PresetsNameRowsThatTakeThem) {
  std::set<std::string_view> presets;
  for (const PresetRow& p : preset_rows()) {
    presets.insert(p.preset);
    for (const int32_t kind : kKinds) {
      if (!((p.kinds >> kind) & 1)) continue;
      const int slot = option_slot(kind, p.id);
      ASSERT_GE(slot, 0) << option_key(p.id);
      const auto v = option_parse(*option_at(kind, static_cast<size_t>(slot)), p.value);
      EXPECT_TRUE(v) << option_key(p.id);
    }
  }
  // Each word of "preset" but none has rows, and the other way round.
  std::set<std::string_view> words;
  for (const int32_t kind : {MW_CONF_PROVIDER, MW_CONF_SHARE})
    each_word(row(kind, "preset").words, [&](std::string_view w, int i) {
      if (i > 0) words.insert(w);
    });
  EXPECT_EQ(presets, words);
}

TEST(OptionTable, EnumsFollowTheWords) {
  const auto at = [](std::string_view key, std::string_view word) {
    for (const int32_t kind : kKinds)
      if (option_slot(kind, key) >= 0)
        if (const auto v = option_parse(row(kind, key), word)) return static_cast<int>(v->num);
    return -1;
  };
  const auto is = [](auto e) { return static_cast<int>(e); };
  EXPECT_EQ(at("delivery", "inline"), is(Delivery::inline_));
  EXPECT_EQ(at("log.level", "off"), is(LogLevel::off));
  EXPECT_EQ(at("log.level", "error"), 1);  // as the code of MW_EVENT_LOG
  EXPECT_EQ(at("log.level", "warn"), is(LogLevel::warn));
  EXPECT_EQ(at("log.level", "trace"), 5);
  EXPECT_EQ(at("pattern.syntax", "exact"), is(Syntax::exact));
  EXPECT_EQ(at("pattern.syntax", "mqtt"), is(Syntax::mqtt));
  EXPECT_EQ(at("pattern.syntax", "path"), is(Syntax::path));
  EXPECT_EQ(at("send.overflow", "drop_new"), is(Overflow::drop_new));
  EXPECT_EQ(at("send.overflow", "drop_old"), is(Overflow::drop_old));
  EXPECT_EQ(at("send.overflow", "conflate"), is(Overflow::conflate));
  EXPECT_EQ(at("send.overflow", "disconnect"), is(Overflow::disconnect));
  EXPECT_EQ(at("offline.overflow", "drop_old"), is(Overflow::drop_old));
  EXPECT_EQ(at("compress", "shared"), is(Compress::shared));
  EXPECT_EQ(at("compress", "3k"), is(Compress::k3));
  EXPECT_EQ(at("compress", "4k"), is(Compress::k4));
  EXPECT_EQ(at("compress", "8k"), is(Compress::k8));
  EXPECT_EQ(at("compress", "256k"), is(Compress::k256));
  EXPECT_EQ(at("tls.verify", "mutual"), is(Verify::mutual));
  EXPECT_EQ(at("tls.min_version", "1.3"), is(TlsVersion::v1_3));
  EXPECT_EQ(at("reconnect.backoff", "fixed"), is(Backoff::fixed));
  EXPECT_EQ(at("parameters.in", "query"), is(ParametersIn::query));
  EXPECT_EQ(at("preset", "network-cluster"), is(Preset::network_cluster));
  EXPECT_EQ(at("wire", "raw"), 1 << is(Wire::raw));
  EXPECT_EQ(at("wire", "network-cluster"), 1 << is(Wire::network_cluster));
  EXPECT_EQ(at("wire", "meshwork"), 1 << is(Wire::meshwork));
}

TEST(OptionTable, EventBitsFollowTheWords) {
  const struct {
    uint32_t kind;
    const char* word;
  } all[] = {{MW_EVENT_UP, "up"},           {MW_EVENT_DOWN, "down"},         {MW_EVENT_CLOSED, "closed"},
             {MW_EVENT_ERROR, "error"},     {MW_EVENT_LOG, "log"},           {MW_EVENT_PEER_UP, "peer_up"},
             {MW_EVENT_PEER_DOWN, "peer_down"}, {MW_EVENT_MESSAGE, "message"}, {MW_EVENT_WRITABLE, "writable"},
             {MW_EVENT_SLOW, "slow"},       {MW_EVENT_DROPPED, "dropped"},   {MW_EVENT_PING, "ping"},
             {MW_EVENT_PONG, "pong"},       {MW_EVENT_INTEREST, "interest"}, {MW_EVENT_DONE, "done"},
             {MW_EVENT_RELEASED, "released"}, {MW_EVENT_ASK, "ask"},         {MW_EVENT_DRAINING, "draining"},
             {MW_EVENT_LEADER, "leader"},   {MW_EVENT_READY, "ready"},       {MW_EVENT_MEMBER_UP, "member_up"},
             {MW_EVENT_MEMBER_DOWN, "member_down"}, {MW_EVENT_MEMBER_CHANGED, "member_changed"},
             {MW_EVENT_SERVICE_UP, "service_up"}, {MW_EVENT_SERVICE_DOWN, "service_down"}};
  size_t words = 0;
  // Other kinds know the first of these words.
  EXPECT_TRUE(row(MW_CONF_NODE, "events").words.starts_with(row(MW_CONF_CTX, "events").words));
  each_word(row(MW_CONF_NODE, "events").words, [&](std::string_view w, int i) {
    ASSERT_LT(words, std::size(all));
    EXPECT_EQ(w, all[words].word);
    EXPECT_EQ(event_bit(all[words].kind), i);
    ++words;
  });
  EXPECT_EQ(words, std::size(all));
  EXPECT_EQ(event_bit(9999), -1);
  EXPECT_FALSE(event_wanted(-1, 9999));
}

TEST(OptionTable, NumbersAreWrittenWithTheLargestUnit) {
  EXPECT_EQ(option_number(OptionType::duration, 0), "0");
  EXPECT_EQ(option_number(OptionType::duration, 250), "250ms");
  EXPECT_EQ(option_number(OptionType::duration, 90000), "90s");
  EXPECT_EQ(option_number(OptionType::duration, 7200000), "2h");
  EXPECT_EQ(option_number(OptionType::size, 100), "100B");
  EXPECT_EQ(option_number(OptionType::size, 3 << 20), "3MiB");
  EXPECT_EQ(option_number(OptionType::integer, -1), "-1");
}

}  // namespace
}  // namespace mw::base
