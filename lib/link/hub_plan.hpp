// The option `channels` of a hub, read and checked: which channels it keeps and
// which other ones hear what is sent to each. Used by hub. Immutable; any thread.
#pragma once
#include "base/pattern.hpp"
#include "base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mw::link {

struct ChannelPlan {
  std::optional<base::Pattern> propagate;  // names of channels that hear it too
  bool multicast = false;                  // shared with the hubs of the LAN
  bool dump = false;                       // LOG of every event
};

using HubPlan = std::map<std::string, ChannelPlan, std::less<>>;

// MW_EOPTION names the key and what is wrong with it.
base::Result<HubPlan> hub_plan(std::string_view json);

}  // namespace mw::link
