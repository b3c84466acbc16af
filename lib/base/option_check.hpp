// What some options ask of a value beyond its type: a path begins with a
// slash, a header name is a token. Used by option_value. Pure.
#pragma once
#include "base/json.hpp"
#include "base/option_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mw::base {

// Each answers "" or what the value must be ("a path that begins with /").
std::string check_text(Opt id, std::string_view text);
std::string check_list(Opt id, const std::vector<std::string>& items);
std::string check_json(Opt id, JsonValue v);

}  // namespace mw::base
