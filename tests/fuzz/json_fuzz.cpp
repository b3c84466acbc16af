// A text as JSON and as the options of every kind. First byte: the kind. What
// was read prints and reads again the same; what was set reads back the same.
#include "input.hpp"

#include "base/conf.hpp"
#include "base/json.hpp"
#include "base/option_table.hpp"

namespace {
using namespace mw::base;

void prints_again(std::string_view text) {
  auto json = Json::parse(text, {1 << 16, 16});
  if (!json) {
    CHECK(json.error().code == MW_EINVAL && !json.error().text.empty());
    return;
  }
  const std::string once = json->root().print();
  auto again = Json::parse(once, {1 << 20, 16});
  CHECK(again && again->root().print() == once);
}

void sets_again(int32_t kind, std::string_view text) {
  Conf conf(kind);
  const std::string before = conf.dump();
  if (const auto r = conf.load(text); !r) {
    CHECK(r.error().code == MW_EINVAL || r.error().code == MW_EOPTION);
    CHECK(!r.error().text.empty() && conf.dump() == before);
    return;
  }
  Conf again(kind);
  for (size_t i = 0; i < option_count(kind); ++i) {
    const OptionRow& row = *option_at(kind, i);
    if (row.id == Opt::preset) continue;
    const std::string_view key = option_key(row.id);
    CHECK(again.set(key, conf.text(row.id)));
    CHECK(again.text(row.id) == conf.text(row.id) && again.num(row.id) == conf.num(row.id));
    CHECK(row.type != OptionType::list || again.list(row.id) == conf.list(row.id));
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mw::fuzz::Input in(data, size);
  const int32_t kind = MW_CONF_CTX + in.byte() % 4;
  prints_again(in.text());
  sets_again(kind, in.text());
  std::string quoted;
  json_quote(quoted, in.text());
  CHECK(in.text().find('\0') != std::string_view::npos || in.text().size() > 1 << 16 || Json::parse(quoted));
  return 0;
}
