// options.def as rows that code can walk, and looking them up by key.
// Used by conf and option_value, and by tests. Immutable; any thread.
#pragma once
#include "base/conf.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mw::base {

enum class OptionType : uint8_t { boolean, integer, duration, size, text, word, list, json };

struct OptionRow {
  uint32_t kinds;  // bit 1 << MW_CONF_*
  Opt id;
  OptionType type;
  std::string_view def;
  int64_t lo, hi;
  std::string_view words;  // separated by |
  bool live, secret;
  std::string_view doc;

  constexpr bool of(int32_t kind) const noexcept { return (kinds >> kind) & 1; }
};

struct PresetRow {
  std::string_view preset;
  uint32_t kinds;
  Opt id;
  std::string_view value;
};

std::span<const OptionRow> option_rows() noexcept;
std::span<const PresetRow> preset_rows() noexcept;
std::string_view option_key(Opt id) noexcept;

bool conf_kind_valid(int32_t kind) noexcept;
std::string_view conf_kind_name(int32_t kind) noexcept;  // "provider"; "" for an unknown one
std::string_view option_type_name(OptionType t) noexcept;

// How many rows a kind has; each has a slot below that, in the table's order.
size_t option_count(int32_t kind) noexcept;
const OptionRow* option_at(int32_t kind, size_t slot) noexcept;
int option_slot(int32_t kind, Opt id) noexcept;                    // -1: the kind has no such key
int option_slot(int32_t kind, std::string_view key) noexcept;

// Why key is not one of the kind's: names the nearest, or the kind that has it.
Error option_unknown(int32_t kind, std::string_view key);

// Calls f(word, index) for each word of a row.
template <class F>
void each_word(std::string_view words, F&& f) {
  for (int i = 0; !words.empty(); ++i) {
    const size_t bar = words.find('|');
    f(words.substr(0, bar), i);
    words.remove_prefix(bar == words.npos ? words.size() : bar + 1);
  }
}

}  // namespace mw::base
