// The options that become fields of the upgrade request: headers and
// parameters, JSON objects of scalars (conf has checked that).
// Used by net's dialer. Pure; any thread.
#pragma once
#include "base/result.hpp"
#include "wire/upgrade.hpp"

#include <string>

namespace mw::net {

// Key and value of each member; "" is an empty object.
wire::Fields members(const std::string& json);
// Refuses own headers that would break or forge the upgrade.
base::Result<void> check_headers(const wire::Fields& own);

}  // namespace mw::net
