// Checks a text against RFC 8259 before a tree is built from it: cJSON itself
// takes more than the standard allows, and says less about what is wrong.
// Used by json.cpp only. Pure.
#pragma once
#include "base/json.hpp"

namespace mw::base {

// Empty if the text is one JSON value within the limits; else what is wrong
// and where ("a value is missing at line 3, column 7").
std::string json_scan(std::string_view text, JsonLimits limits);

}  // namespace mw::base
