#include "base/conf.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"
#include "base/option_table.hpp"
#include "base/option_value.hpp"
#include "base/secret.hpp"

#include <algorithm>

namespace mw::base {
namespace {

constexpr const char* kHidden = "***";

// How much of a JSON text conf accepts: the largest values are PEM texts.
constexpr JsonLimits kLoadLimits = {16u << 20, 16};

Error refused(std::string_view key, std::string why) {
  return {MW_EOPTION, 0, "\"" + std::string(key) + "\" " + std::move(why)};
}

}  // namespace

struct Conf::Value {
  enum class From : uint8_t { table, preset, host };
  OptionValue v;
  From from = From::table;
  bool secret = false;
};

// The defaults of a kind, by row.
struct Conf::Table {
  std::vector<Value> rows;
  std::string none;  // text() of a key the kind has not
};

static_assert(static_cast<size_t>(Opt::count_) < 255, "a place in set_ is a byte");

// Never destroyed: confs may outlive what is static.
const Conf::Table& Conf::table_of(int32_t kind) {
  static const std::vector<Table>& tables = *[] {
    auto* all = new std::vector<Table>;
    for (int32_t k = 0; k == 0 || conf_kind_valid(k); ++k) {
      Table& t = all->emplace_back();
      for (size_t i = 0; i < option_count(k); ++i) {
        const OptionRow& row = *option_at(k, i);
        t.rows.push_back({*option_parse(row, row.def), Value::From::table, row.secret});  // a test proves that every default parses
      }
    }
    return all;
  }();
  return tables[conf_kind_valid(kind) ? static_cast<size_t>(kind) : 0];
}

Conf::Conf(int32_t kind) : kind_(kind), table_(&table_of(kind)), at_(table_->rows.size()) {}

Conf::Conf(const Conf&) = default;

Conf::~Conf() { wipe_secrets(); }

void Conf::wipe_secrets() noexcept {
  for (Value& v : set_)
    if (v.secret) wipe(v.v.text);
}

const Conf::Value& Conf::at(size_t slot) const noexcept { return at_[slot] != 0 ? set_[at_[slot] - 1u] : table_->rows[slot]; }

Conf::Value& Conf::own(size_t slot) {
  if (at_[slot] != 0) return set_[at_[slot] - 1u];
  if (set_.size() == set_.capacity()) {  // by hand: a short text that is moved leaves its bytes behind
    std::vector<Value> next;
    next.reserve(set_.size() + set_.size() / 2 + 4);
    next.assign(set_.begin(), set_.end());
    wipe_secrets();
    set_.swap(next);
  }
  set_.push_back(table_->rows[slot]);
  at_[slot] = static_cast<uint8_t>(set_.size());
  return set_.back();
}

Result<void> Conf::set(std::string_view key, std::string_view value) {
  const int slot = option_slot(kind_, key);
  if (slot < 0) return option_unknown(kind_, key);
  const OptionRow& row = *option_at(kind_, static_cast<size_t>(slot));
  if (row.id == Opt::preset &&
      !set_.empty())
    return refused(key, "must be set before any other key.");
  auto parsed = option_parse(row, value);
  if (!parsed) return std::move(parsed.error());
  if (row.id == Opt::preset) {
    Conf next(*this);  // aside: all of a preset or nothing
    for (const PresetRow& p : preset_rows()) {
      if (p.preset != parsed->text || !((p.kinds >> kind_) & 1)) continue;
      const auto at = static_cast<size_t>(option_slot(kind_, p.id));
      Value& v = next.own(at);
      v.v = *option_parse(*option_at(kind_, at), p.value);
      v.from = Value::From::preset;
    }
    set_.swap(next.set_);
    at_.swap(next.at_);
  }
  Value& v = own(static_cast<size_t>(slot));
  if (row.secret) wipe(v.v.text);
  v.v.num = parsed->num;
  v.v.text.swap(parsed->text);
  v.from = Value::From::host;
  if (row.secret) wipe(parsed->text);  // a short text leaves its bytes behind in a swap
  return {};
}

namespace {

// Walks the object and calls set(key, text) for each option in it.
class Loader {
 public:
  using Set = std::function<Result<void>(std::string_view key, std::string_view value)>;
  Loader(int32_t kind, Set set) : kind_(kind), set_(std::move(set)) {}

  Result<void> object(const std::string& prefix, JsonValue o) {
    Result<void> r;
    o.each([&](std::string_view name, JsonValue v) {
      const std::string key = prefix + std::string(name);
      if (key != "preset") r = member(key, v);  // was the first
      return static_cast<bool>(r);
    });
    return r;
  }

  Result<void> member(const std::string& key, JsonValue v) {
    const int slot = option_slot(kind_, key);
    const OptionRow* row = slot < 0 ? nullptr : option_at(kind_, static_cast<size_t>(slot));
    if (v.is_object() && (row == nullptr || row->type != OptionType::json)) {
      if (row == nullptr && v.size() == 0) return option_unknown(kind_, key);
      return object(key + ".", v);
    }
    if (row == nullptr) return option_unknown(kind_, key);
    if (std::find(seen_.begin(), seen_.end(), slot) != seen_.end())
      return refused(key, "is given twice, as one key and as nested objects.");
    seen_.push_back(slot);
    if (v.is_null() || (v.is_array() && row->type != OptionType::list))
      return refused(key, v.is_null() ? "cannot be null; leave it out for its default." : "cannot be an array.");
    std::string text = v.is_scalar() ? v.as_text() : v.print();
    Result<void> r = set_(key, text);
    if (row->secret) wipe(text);
    return r;
  }

 private:
  int32_t kind_;
  Set set_;
  std::vector<int> seen_;
};

}  // namespace

Result<void> Conf::load(std::string_view text) {
  const auto json = Json::parse(text, kLoadLimits);
  if (!json) return json.error();
  if (!json->root().is_object()) return Error{MW_EINVAL, 0, "The JSON must be an object of options."};
  Conf next(*this);
  Loader loader(kind_, [&](std::string_view key, std::string_view value) { return next.set(key, value); });
  // The members of an object have no order, so the one that must be first is looked up.
  if (const JsonValue preset = json->root().find("preset"))
    if (auto r = loader.member("preset", preset); !r) return r;
  if (auto r = loader.object("", json->root()); !r) return r;
  set_.swap(next.set_);
  at_.swap(next.at_);
  return {};
}

Result<std::string> Conf::get(std::string_view key) const {
  const int slot = option_slot(kind_, key);
  if (slot < 0) return option_unknown(kind_, key);
  const std::string& text = at(static_cast<size_t>(slot)).v.text;
  const bool hide = option_at(kind_, static_cast<size_t>(slot))->secret && !text.empty();
  return hide ? std::string(kHidden) : text;
}

bool Conf::describe(int32_t kind, size_t index, std::string& json) {
  const OptionRow* row = option_at(kind, index);
  if (row == nullptr) return false;
  json.clear();
  JsonObject o(json);
  o.text("key", option_key(row->id)).text("type", option_type_name(row->type)).text("default", row->def);
  if (!row->words.empty()) {
    std::string words = "[";
    each_word(row->words, [&](std::string_view w, int i) {
      if (i > 0) words += ',';
      json_quote(words, w);
    });
    o.raw("values", words + "]");
  }
  if (row->type == OptionType::integer || row->type == OptionType::duration || row->type == OptionType::size)
    o.text("min", option_number(row->type, row->lo)).text("max", option_number(row->type, row->hi));
  o.boolean("live", row->live).boolean("secret", row->secret).text("doc", row->doc).end();
  return true;
}

std::string Conf::dump() const {
  std::string out;
  JsonObject o(out);
  for (size_t i = 0; i < at_.size(); ++i) {
    const OptionRow& row = *option_at(kind_, i);
    const OptionValue& v = at(i).v;
    const std::string_view key = option_key(row.id);
    if (row.secret)
      o.text(key, v.text.empty() ? "" : kHidden);
    else if (row.type == OptionType::boolean)
      o.boolean(key, v.num != 0);
    else if (row.type == OptionType::integer)
      o.number(key, v.num);
    else if (row.type == OptionType::json && !v.text.empty())
      o.raw(key, v.text);
    else
      o.text(key, v.text);
  }
  o.end();
  return out;
}

int64_t Conf::num(Opt o) const noexcept {
  const int slot = option_slot(kind_, o);
  return slot < 0 ? 0 : at(static_cast<size_t>(slot)).v.num;
}

const std::string& Conf::text(Opt o) const noexcept {
  const int slot = option_slot(kind_, o);
  return slot < 0 ? table_->none : at(static_cast<size_t>(slot)).v.text;
}

std::vector<std::string> Conf::list(Opt o) const {
  return std::move(*list_items(text(o)));  // was checked when set
}

bool Conf::has(Opt o) const noexcept {
  const int slot = option_slot(kind_, o);
  return slot >= 0 && at(static_cast<size_t>(slot)).from != Value::From::table;
}

Result<std::shared_ptr<const Conf>> Conf::updated(const Conf& change) const {
  if (change.kind_ != kind_)
    return Error{MW_EKIND, 0, "The conf is of a " + std::string(conf_kind_name(change.kind_)) + ", the handle a " +
                                  std::string(conf_kind_name(kind_)) + "."};
  auto next = std::make_shared<Conf>(*this);
  for (size_t i = 0; i < at_.size(); ++i) {
    const Value& wanted = change.at(i);
    if (wanted.from != Value::From::host) continue;
    const OptionRow& row = *option_at(kind_, i);
    if (!row.live && wanted.v.text == at(i).v.text && wanted.v.num == at(i).v.num) continue;
    if (!row.live) return refused(option_key(row.id), "cannot change while the handle is open; open a new one.");
    Value& v = next->own(i);
    if (row.secret) wipe(v.v.text);
    v = wanted;
  }
  return std::shared_ptr<const Conf>(std::move(next));
}

std::shared_ptr<const Conf> Conf::freeze() const { return std::make_shared<const Conf>(*this); }

}  // namespace mw::base
