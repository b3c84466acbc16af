#include "mesh/contacts.hpp"

#include "base/uuid.hpp"
#include "local/directory.hpp"

#include <sys/un.h>
#include <unistd.h>

namespace mw::mesh {

using base::Error;
using base::Opt;

namespace {

constexpr std::string_view kPrefix = "/node-", kSuffix = ".sock";

// "host" as "host:port", IPv6 in brackets.
std::string with_port(const std::string& place, int64_t port) {
  const size_t colon = place.rfind(':'), bracket = place.rfind(']');
  const bool has = colon != place.npos && (bracket == place.npos ? place.find(':') == colon : colon > bracket);
  return has ? place : place + ":" + std::to_string(port);
}

bool loopback(std::string_view host) noexcept {
  return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

}  // namespace

base::Result<Contacts> Contacts::open(const base::Conf& conf, const Uuid& uuid) {
  Contacts c;
  c.uuid_ = uuid;
  const bool manager = conf.kind() == MW_CONF_MANAGER;
  c.secret_ = !conf.text(Opt::link_secret).empty() || !conf.text(Opt::link_secrets).empty();
  c.registry_ = manager ? base::Registry::manager : base::registry(conf);
  if (!conf.text(Opt::member_secret).empty() && (!c.managed() || !c.secret_))
    return Error{MW_EOPTION, 0, "member.secret is for registry=manager, and goes with link.secret"};
  if (c.managed() && conf.text(Opt::link_key_id).starts_with("role:"))
    return Error{MW_EOPTION, 0, "link.key_id of a managed mesh does not begin with role: (those are of link.secrets)"};
  if (c.managed() && !manager && conf.list(Opt::registry_url).empty())
    return Error{MW_EOPTION, 0, "registry=manager needs registry.url: where the managers listen"};
  if (c.registry_ == base::Registry::host) {
    auto dir = local::runtime_directory(conf.text(Opt::dir));
    if (!dir) return dir.error();
    c.dir_ = *dir;
    if (c.file(uuid.data()).size() >= sizeof(sockaddr_un::sun_path))
      return Error{MW_EOPTION, 0, "the path of the node's socket is too long for the system: choose a shorter dir"};
    // Neither name holds a '@', so no two meshes share a file.
    auto roster = local::Roster::open(c.dir_ + "/mesh-" + conf.text(Opt::cluster_deployment) + "@" +
                                      conf.text(Opt::cluster_name) + ".members");
    if (!roster) return roster.error();
    c.roster_.emplace(std::move(*roster));
    c.listen_.emplace_back("listen", "unix:" + c.file(uuid.data()));
    return c;
  }
  const std::string& host = conf.text(Opt::host);
  if (!loopback(host) && !c.secret_ && conf.num(Opt::link_insecure) == 0)
    return Error{MW_EDENIED, 0, "off loopback a mesh needs link.secret; link.insecure=true does without"};
  if (!manager && (host == "0.0.0.0" || host == "::") && conf.list(Opt::advertise).empty())
    return Error{MW_EOPTION, 0, "host is every address of this machine: advertise must say which the others dial"};
  c.listen_.emplace_back("host", host);
  c.listen_.emplace_back("port", std::to_string(conf.num(Opt::port)));
  c.seeds(conf);
  return c;
}

void Contacts::seeds(const base::Conf& conf) {
  seeds_.clear();
  if (registry_ == base::Registry::gossip)
    for (const std::string& place : conf.list(Opt::seeds)) seeds_.push_back(url(place));
  if (managed())
    for (const std::string& place : conf.list(Opt::registry_url))
      seeds_.push_back(url(with_port(place, conf.num(Opt::discovery_port))));
}

std::string Contacts::url(std::string_view place) const {
  return (secret_ ? "wss://" : "ws://") + std::string(place) + std::string(kPath);
}

std::string Contacts::file(const uint8_t* uuid) const {
  return dir_ + std::string(kPrefix) + base::uuid_text(uuid) + std::string(kSuffix);
}

std::string Contacts::url_of_file(const std::string& file) const {
  return (secret_ ? "wss+unix:" : "ws+unix:") + file + ":" + std::string(kPath);
}

base::Result<void> Contacts::enter() {
  if (roster_) return roster_->enter(uuid_);
  return {};
}

void Contacts::leave() noexcept {
  if (roster_) roster_->leave();
}

std::vector<std::string> Contacts::look() const {
  if (!roster_) return seeds_;
  std::vector<std::string> urls;
  for (const local::Present& p : roster_->read())
    if (p.uuid != uuid_) urls.push_back(url_of_file(file(p.uuid.data())));
  return urls;
}

void Contacts::refused(const std::string& url) const noexcept {
  if (!roster_) return;
  const std::string start = dir_ + std::string(kPrefix);
  const size_t at = url.find(start), end = url.rfind(kSuffix);
  if (at == url.npos || end == url.npos || url.find('/', at + start.size()) < end) return;  // not in our directory
  ::unlink(url.substr(at, end + kSuffix.size() - at).c_str());
}

}  // namespace mw::mesh
