// The plain pages on a provider's port: alive, health, metrics.
// For net's listener. Control thread only (it asks the sink).
#pragma once
#include "base/conf.hpp"
#include "net/reply.hpp"

#include <optional>
#include <string_view>

namespace mw::net {

class ListenerSink;

// The page at a path, or nothing. authorization: the request's header.
std::optional<Reply> page(const base::Conf& conf, std::string_view path, std::string_view authorization,
                          bool draining, ListenerSink& sink);

}  // namespace mw::net
