// The encoding of the npm package serialize-json: dictionaries of strings,
// integers, floats and dates, then the tree as places in them. Only for what
// the library says itself on the wire cluster-client; what the application
// says is passed on as it is.
// Used by cluster_bridge. Pure.
#pragma once
#include "base/json.hpp"

#include <string>
#include <string_view>

namespace mw::wire {

std::string serialize_json(base::JsonValue v);

// As JSON: a date becomes its milliseconds, bytes become a list of numbers, an
// error its members; what JSON has not becomes null. MW_EINVAL where it is none,
// is nested deeper than 32 or names a place outside the dictionaries.
base::Result<std::string> deserialize_json(std::string_view bytes);

}  // namespace mw::wire
