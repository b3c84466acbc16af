// One option's value: from the text a host gives to a number and a canonical
// text, checked against its row. Used by conf. Pure; any thread.
#pragma once
#include "base/option_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mw::base {

struct OptionValue {
  int64_t num = 0;   // bool 0/1, integer, ms, bytes, index of the word; a set of bits for a list of words
  std::string text;  // canonical: "30s", "1MiB", "true", "a,b"; JSON as given
};

// MW_EOPTION says which key, what was wrong and what is allowed. The text of a
// secret is never repeated.
Result<OptionValue> option_parse(const OptionRow& row, std::string_view text);

// "from 1ms to 1h", "one of off, on": what is allowed.
std::string option_limits(const OptionRow& row);
// A number as its type writes it: 1500 ms -> "1500ms", 30000 -> "30s", 1048576 -> "1MiB".
std::string option_number(OptionType type, int64_t v);

// Items of a list value: comma separated, or a JSON array of texts and numbers.
Result<std::vector<std::string>> list_items(std::string_view text);
// The reverse; a JSON array only where an item would not survive commas.
std::string list_text(const std::vector<std::string>& items);

}  // namespace mw::base
