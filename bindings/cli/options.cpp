// `meshwork options`: every option of the library, from its own table.
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <memory>

namespace cli {

namespace {

struct Kind {
  const char* name;
  int32_t number;
};
constexpr Kind kKinds[] = {{"ctx", MW_CONF_CTX}, {"provider", MW_CONF_PROVIDER}, {"consumer", MW_CONF_CONSUMER}, {"sub", MW_CONF_SUB}};

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

void add_options(CLI::App& app, int& exit_code) {
  struct Options {
    std::string kind;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("options", "list every option of the library: key, type, default, meaning");
  c->add_option("kind", o->kind, "ctx, provider, consumer or sub (all)")->check(CLI::IsMember({"ctx", "provider", "consumer", "sub"}));
  c->add_flag("--json", o->json, "one JSON object a line");
  c->footer("(live): may be changed while running. (secret): never shown. Set one with -o KEY=VALUE.");
  c->callback([o, &exit_code] {
    Output out;
    for (const Kind& kind : kKinds)
      if (o->kind.empty() || o->kind == kind.name) show(kind, o->json, out);
    out.flush_all();
    exit_code = kOk;
  });
}

}  // namespace cli
