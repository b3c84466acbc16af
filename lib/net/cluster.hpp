// The wire cluster-client at a TCP port: a listener that shares the port with
// all others of its process, each with a name of its own, and a dialer. What
// they hand over speaks our own wire (see bridge.hpp).
// Used by link's share. As Listener and Dialer.
#pragma once
#include "net/dialer.hpp"
#include "net/listener.hpp"
#include "wire/cluster_bridge.hpp"

#include <memory>
#include <string>

namespace mw::net {

struct ClusterPlace {
  std::string host;            // numeric or a name
  uint16_t port = 0;
  wire::ClusterRules rules;    // with the name
  int64_t connect_ms = 10000;
  int64_t again_ms = 3000;     // a follower asks again to be let in
};

// MW_EADDRINUSE where another process has the port, or another one of this process the name.
std::shared_ptr<Listener> open_cluster_listener(Control& control, ClusterPlace place, ListenerSink& sink);
// Connected when the leader has let it in.
std::shared_ptr<Dialer> open_cluster_dialer(Control& control, ClusterPlace place, DialSink& sink);

}  // namespace mw::net
