// `meshwork options`: every option of the library, from its own table.
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"


namespace cli {

namespace {

struct Kind {
  const char* name;
  int32_t number;
};
constexpr Kind kKinds[] = {{"ctx", MW_CONF_CTX}, {"provider", MW_CONF_PROVIDER}, {"consumer", MW_CONF_CONSUMER},
                           {"sub", MW_CONF_SUB}, {"service", MW_CONF_SERVICE}, {"call", MW_CONF_CALL},
                           {"hub", MW_CONF_HUB}, {"channel", MW_CONF_CHANNEL}, {"share", MW_CONF_SHARE},
                           {"elect", MW_CONF_ELECT}, {"node", MW_CONF_NODE}, {"manager", MW_CONF_MANAGER}};

void show(const Kind& kind, bool json, Output& out) {
  if (!json) out.line(std::string(kind.name) + " options");
  for (size_t i = 0;; ++i) {
    mw_msg* m = nullptr;
    const mw_status s = mw_conf_describe(kind.number, i, &m);
    if (s == MW_EEND) break;
    if (s < 0) throw failure(s, {}, kind.name);
    const mw::Message row(m);
    if (json) {
      out.line("{\"kind\":\"" + std::string(kind.name) + "\"," + std::string(row.text().substr(1)));
      continue;
    }
    auto get = [&](const char* key) { return field(row.text(), key).value_or(""); };
    std::string line = "  " + get("key");
    line.resize(std::max<size_t>(line.size() + 1, 28), ' ');
    line += get("type");
    line.resize(std::max<size_t>(line.size() + 1, 38), ' ');
    line += get("default").empty() ? "-" : get("default");
    line.resize(std::max<size_t>(line.size() + 1, 50), ' ');
    line += get("doc");
    if (const std::string range = get("range"); !range.empty()) line += " [" + range + "]";
    if (const std::string values = get("values"); !values.empty()) line += " " + values;
    if (get("live") == "true") line += " (live)";
    if (get("secret") == "true") line += " (secret)";
    out.line(line);
  }
  if (!json) out.line("");
}

}  // namespace

int list_options(const std::string& kind, bool json) {
  Output out;
  for (const Kind& k : kKinds)
    if (kind.empty() || kind == k.name) show(k, json, out);
  out.flush_all();
  return kOk;
}

}  // namespace cli
