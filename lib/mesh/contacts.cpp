#include "mesh/contacts.hpp"

#include "base/choices.hpp"
#include "base/uuid.hpp"
#include "local/directory.hpp"

#include <sys/un.h>
#include <unistd.h>

namespace mw::mesh {

using base::Error;
using base::Opt;

namespace {

constexpr std::string_view kPrefix = "/node-", kSuffix = ".sock";

bool loopback(std::string_view host) noexcept {
  return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

}  // namespace

base::Result<Contacts> Contacts::open(const base::Conf& conf, const Uuid& uuid) {
  Contacts c;
  c.uuid_ = uuid;
  c.secret_ = !conf.text(Opt::link_secret).empty();
  c.host_ = base::registry(conf) == base::Registry::host;
  if (c.host_) {
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
  if ((host == "0.0.0.0" || host == "::") && conf.list(Opt::advertise).empty())
    return Error{MW_EOPTION, 0, "host is every address of this machine: advertise must say which the others dial"};
  c.listen_.emplace_back("host", host);
  c.listen_.emplace_back("port", std::to_string(conf.num(Opt::port)));
  c.seeds(conf);
  return c;
}

void Contacts::seeds(const base::Conf& conf) {
  if (host_) return;
  seeds_.clear();
  for (const std::string& place : conf.list(Opt::seeds)) seeds_.push_back(url(place));
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
