// A share on the wire of cluster-client: who binds the port leads. Followers
// dial it and are let in by name; nobody is told an epoch there, so each share
// counts the leaders it met. net/cluster.hpp hides the packets.
#include "base/choices.hpp"
#include "base/json.hpp"
#include "link/share.hpp"

#include <algorithm>

namespace mw::link {

using base::Opt;

net::ClusterPlace Share::place() const {
  auto c = conf();
  net::ClusterPlace p;
  p.host = c->text(Opt::host);
  p.port = static_cast<uint16_t>(c->num(Opt::port));
  p.rules.name = name_;
  p.rules.max_message = static_cast<size_t>(c->num(Opt::recv_max_message));
  p.rules.timeout_ms = static_cast<uint32_t>(std::clamp<int64_t>(c->num(Opt::call_timeout), 1, INT32_MAX));
  p.rules.json = base::transcode(*c) == base::Transcode::json;
  p.connect_ms = c->num(Opt::connect_timeout);
  p.again_ms = c->num(Opt::register_retry);
  return p;
}

base::Result<void> Share::seek_port() {
  return seek_by(Consumer::make(runtime, *lane, inner_conf(MW_CONF_CONSUMER, "host", conf()->text(Opt::host)), kSeeker, this,
                             [p = place()](net::Control& c, net::DialSink& sink) { return net::open_cluster_dialer(c, p, sink); }));
}

void Share::compete_for_port() {
  ours_ = epoch_ + 1;
  auto made = Provider::make(runtime, *lane, inner_conf(MW_CONF_PROVIDER, "host", conf()->text(Opt::host)), kSeat, this,
                             [p = place()](net::Control& c, net::ListenerSink& sink) { return net::open_cluster_listener(c, p, sink); });
  if (!made) return trouble(made.error());
  serve(*made);
}

// Another process leads, or another share of this one. Who finds nobody there
// after all is told so by the consumer, and competes again.
void Share::port_taken() {
  if (role_ == base::Role::leader && consumer_->state() == MW_STATE_IDLE)
    return trouble({MW_EBUSY, 0, "another process leads this share, or has the port"});
  seek();
}

bool Share::key_fits(std::string_view key) const {
  return static_cast<bool>(base::Json::parse(key.substr(0, key.find('\n'))));
}

}  // namespace mw::link
