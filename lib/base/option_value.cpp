#include "base/option_value.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"
#include "base/option_check.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace mw::base {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};
// Largest first: option_number writes with the first that divides.
constexpr Unit kTimes[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
constexpr Unit kSizes[] = {{"TiB", int64_t{1} << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
                           {"GB", 1000000000},        {"MB", 1000000},  {"kB", 1000},     {"B", 1}};

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view blank = " \t\r\n";
  const size_t begin = s.find_first_not_of(blank);
  if (begin == s.npos) return {};
  return s.substr(begin, s.find_last_not_of(blank) - begin + 1);
}

// A whole number and what follows it; false if there is none or it overflows.
bool split_number(std::string_view s, int64_t& v, std::string_view& rest) {
  const auto r = std::from_chars(s.data(), s.data() + s.size(), v);
  if (r.ec != std::errc()) return false;
  rest = s.substr(static_cast<size_t>(r.ptr - s.data()));
  return true;
}

template <size_t N>
bool with_unit(std::string_view s, const Unit (&units)[N], int64_t& v) {
  std::string_view unit;
  if (!split_number(s, v, unit)) return false;
  if (unit.empty()) return true;  // ms or bytes
  for (const Unit& u : units)
    if (u.name == unit) return !__builtin_mul_overflow(v, u.factor, &v);
  return false;
}

int word_index(const OptionRow& row, std::string_view word) {
  int found = -1;
  each_word(row.words, [&](std::string_view w, int i) {
    if (w == word) found = i;
  });
  return found;
}

std::string words_text(const OptionRow& row) {
  std::string out;
  each_word(row.words, [&](std::string_view w, int i) {
    if (i > 0) out += ", ";
    out += w;
  });
  return out;
}

// "must be ...": with the value itself where it is neither secret nor long.
Error refuse(const OptionRow& row, std::string_view text, const std::string& must) {
  std::string say = "\"" + std::string(option_key(row.id)) + "\" ";
  if (!row.secret && text.size() <= 48 && utf8_valid(text)) say += "cannot be \"" + std::string(text) + "\"; it ";
  return {MW_EOPTION, 0, say + "must be " + must + "."};
}

Result<OptionValue> parse_list(const OptionRow& row, std::string_view text) {
  auto items = list_items(text);
  if (!items) return refuse(row, text, "a list such as a,b or a JSON array of texts and numbers");
  OptionValue v;
  const auto count = static_cast<int64_t>(items->size());
  if (count < row.lo || count > row.hi) return refuse(row, text, option_limits(row));
  if (std::string must = check_list(row.id, *items); !must.empty()) return refuse(row, text, must);
  if (!row.words.empty()) {
    for (const std::string& item : *items) {
      const int at = word_index(row, item);
      if (at < 0) return refuse(row, text, option_limits(row));
      v.num |= int64_t{1} << at;
    }
  }
  v.text = list_text(*items);
  return v;
}

// "a,b" names the whole set, "+a,-b" changes the default one.
Result<OptionValue> parse_events(const OptionRow& row, std::string_view text) {
  const auto items = list_items(text);
  if (!items) return refuse(row, text, "a list such as message,closed or +ping,-log");
  int64_t set = 0;
  const bool relative = !items->empty() && std::all_of(items->begin(), items->end(), [](const std::string& s) {
    return s.starts_with('+') || s.starts_with('-');
  });
  if (relative) {
    if (text == row.def) return refuse(row, text, option_limits(row));
    set = parse_events(row, row.def)->num;
  }
  // The promises "exactly one DONE" and "CLOSED is last" hold whatever is asked for.
  constexpr uint32_t kAlways[] = {MW_EVENT_CLOSED, MW_EVENT_DONE, MW_EVENT_RELEASED, MW_EVENT_ASK};
  int64_t always = 0;
  for (const uint32_t kind : kAlways) always |= int64_t{1} << event_bit(kind);
  for (const std::string& item : *items) {
    const int at = word_index(row, std::string_view(item).substr(relative ? 1 : 0));
    if (at < 0) return refuse(row, text, option_limits(row));
    const int64_t bit = int64_t{1} << at;
    if (relative && item[0] == '-' && (bit & always) != 0)
      return refuse(row, text, "without -" + item.substr(1) + ": closed, done, released and ask always come");
    set = relative && item[0] == '-' ? set & ~bit : set | bit;
  }
  OptionValue v;
  v.num = set | always;
  std::vector<std::string> names;
  each_word(row.words, [&](std::string_view w, int i) {
    if ((v.num >> i) & 1) names.emplace_back(w);
  });
  v.text = list_text(names);
  return v;
}

Result<OptionValue> in_range(const OptionRow& row, std::string_view text, int64_t v) {
  if (v < row.lo || v > row.hi) return refuse(row, text, option_limits(row));
  return OptionValue{v, option_number(row.type, v)};
}

}  // namespace

Result<OptionValue> option_parse(const OptionRow& row, std::string_view text) {
  if (row.type == OptionType::text) {
    const auto size = static_cast<int64_t>(text.size());
    if (size < row.lo || size > row.hi) return refuse(row, text, option_limits(row));
    if (std::string must = check_text(row.id, text); !must.empty()) return refuse(row, text, must);
    return OptionValue{0, std::string(text)};
  }
  text = trimmed(text);
  int64_t v = 0;
  switch (row.type) {
    case OptionType::boolean:
      if (text == "true" || text == "1" || text == "yes") return OptionValue{1, "true"};
      if (text == "false" || text == "0" || text == "no") return OptionValue{0, "false"};
      return refuse(row, text, "true or false");
    case OptionType::integer: {
      std::string_view rest;
      if (!split_number(text, v, rest) || !rest.empty()) return refuse(row, text, "a whole number " + option_limits(row));
      return in_range(row, text, v);
    }
    case OptionType::duration:
      if (!with_unit(text, kTimes, v))
        return refuse(row, text, "a time such as 250ms, 30s, 5m or 1h, " + option_limits(row));
      return in_range(row, text, v);
    case OptionType::size:
      if (!with_unit(text, kSizes, v))
        return refuse(row, text, "a size such as 512, 64KiB or 1MiB, " + option_limits(row));
      return in_range(row, text, v);
    case OptionType::word: {
      const int at = word_index(row, text);
      if (at < 0) return refuse(row, text, option_limits(row));
      return OptionValue{at, std::string(text)};
    }
    case OptionType::list: return row.id == Opt::events ? parse_events(row, text) : parse_list(row, text);
    case OptionType::json: {
      if (text.empty()) return OptionValue{};
      if (static_cast<int64_t>(text.size()) > row.hi) return refuse(row, text, option_limits(row));
      const auto json = Json::parse(text);
      if (!json) return Error{MW_EOPTION, 0, "\"" + std::string(option_key(row.id)) + "\": " + json.error().text};
      if (std::string must = check_json(row.id, json->root()); !must.empty()) return refuse(row, text, must);
      return OptionValue{0, std::string(text)};
    }
    default: return refuse(row, text, "of a known type");
  }
}

std::string option_limits(const OptionRow& row) {
  switch (row.type) {
    case OptionType::boolean: return "true or false";
    case OptionType::word: return "one of " + words_text(row);
    case OptionType::text:
    case OptionType::json: return std::to_string(row.lo) + " to " + std::to_string(row.hi) + " bytes long";
    case OptionType::list:
      if (!row.words.empty()) return (row.lo > 0 ? "one or more of " : "any of ") + words_text(row);
      return "a list of " + std::to_string(row.lo) + " to " + std::to_string(row.hi) + " entries";
    default: return "from " + option_number(row.type, row.lo) + " to " + option_number(row.type, row.hi);
  }
}

std::string option_number(OptionType type, int64_t v) {
  const auto written = [v](const auto& units) {
    for (const Unit& u : units)
      if (v % u.factor == 0) return std::to_string(v / u.factor) + std::string(u.name);
    return std::to_string(v);
  };
  if (v == 0 || (type != OptionType::duration && type != OptionType::size)) return std::to_string(v);
  return type == OptionType::duration ? written(kTimes) : written(kSizes);
}

Result<std::vector<std::string>> list_items(std::string_view text) {
  std::vector<std::string> out;
  text = trimmed(text);
  if (text.starts_with('[')) {
    const auto json = Json::parse(text);
    if (!json) return json.error();
    bool flat = true;
    json->root().each([&](std::string_view, JsonValue v) {
      flat = flat && (v.is_number() || (v.is_text() && !v.text().empty()));
      out.push_back(v.as_text());
      return flat;
    });
    if (!flat) return Error{MW_EOPTION, 0, "A list holds texts and numbers only."};
    return out;
  }
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    if (item.empty() || comma == text.size() - 1) return Error{MW_EOPTION, 0, "A list entry is empty."};
    out.emplace_back(item);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
  for (const std::string& item : out)
    if (!utf8_valid(item) || std::any_of(item.begin(), item.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
      return Error{MW_EOPTION, 0, "A list entry is not plain text."};
  return out;
}

std::string list_text(const std::vector<std::string>& items) {
  const bool plain = std::all_of(items.begin(), items.end(), [](const std::string& s) {
    return s.find(',') == s.npos && !s.starts_with('[') && trimmed(s) == s;
  });
  std::string out = plain ? "" : "[";
  for (const std::string& item : items) {
    if (&item != &items.front()) out += ',';
    if (plain)
      out += item;
    else
      json_quote(out, item);
  }
  if (!plain) out += ']';
  return out;
}

}  // namespace mw::base
