// Checks a text against RFC 8259 before a tree is built from it: cJSON itself
// takes more than the standard allows, and says less about what is wrong.
// Used by json.cpp, and by wire for JSON that is passed on as it is. Pure.
#pragma once
#include "base/json.hpp"

namespace mw::base {

// Empty if the text is one JSON value within the limits; else what is wrong
// and where ("a value is missing at line 3, column 7").
// exact: what a tree of doubles and C strings could not hold is refused, too.
std::string json_scan(std::string_view text, JsonLimits limits, bool exact = true);

// Key and value of a member as they stand in the text, quotes and escapes too.
using JsonMember = std::function<void(std::string_view key, std::string_view value)>;
// As json_scan, of an object, telling its members in order. No tree is built,
// so numbers may have any size, and \u0000 and half surrogates may be there.
std::string json_members(std::string_view text, JsonLimits limits, const JsonMember& f);

}  // namespace mw::base
