// A mesh whose members are told by managers (registry=manager): what a node
// makes of its links to them, and a manager's roles and second port.
#include "base/json.hpp"
#include "base/status.hpp"
#include "mesh/node.hpp"
#include "wire/packets.hpp"

#include <algorithm>

namespace mw::mesh {

using base::Opt;
using link::CloseWish;
using link::Session;

// ---- secrets of roles: each is a key of TLS that only nodes of the role have, and the managers

std::string Node::key_of_role(std::string_view role) { return "role:" + std::string(role); }

std::string Node::keys_of_roles(const std::string& json) {
  std::string out;
  base::JsonObject o(out);
  if (auto parsed = base::Json::parse(json))
    parsed->root().each([&](std::string_view role, base::JsonValue secret) {
      o.text(key_of_role(role), secret.text());
      return true;
    });
  o.end();
  return out;
}

void Node::roles_from_conf() {
  guarded_.clear();
  if (auto parsed = base::Json::parse(conf()->text(Opt::link_secrets)))
    parsed->root().each([&](std::string_view role, base::JsonValue) {
      guarded_.emplace(role);
      return true;
    });
}

// What was dialled before keeps what it was let in with.
void Node::new_secrets(const base::Conf& change) {
  roles_from_conf();
  if (!change.has(Opt::link_secret) && !change.has(Opt::link_key_id) && !change.has(Opt::link_secrets)) return;
  base::Conf c(MW_CONF_PROVIDER);
  (void)c.set("link.secret", conf()->text(Opt::link_secret));
  (void)c.set("link.key_id", conf()->text(Opt::link_key_id));
  const std::string& roles = conf()->text(Opt::link_secrets);
  (void)c.set("link.secrets", roles.empty() ? "" : keys_of_roles(roles));
  for (link::Provider* p : {provider_, discovery_})
    if (p != nullptr && !closing_)
      if (auto done = p->update(c, 0); !done) log(*lane, base::LogLevel::error, 0, "mesh", done.error().text);
}

// A manager: whether who sent this is the process and has the role that it says.
bool Node::admits(const core::RecordView& record) {
  if (record.version.instance != receiving_->instance) return false;
  const std::string_view role = core::role_of(record.meta);
  Member& m = member(receiving_->member);
  const core::Fact* f = machine_->view().alive(receiving_->member) ? machine_->fact(receiving_->member) : nullptr;
  if (f != nullptr && f->version.instance == record.version.instance && core::role_of(f->meta) == role &&
      m.let_in == receiving_->identity)
    return true;  // as before, whatever was set meanwhile
  const bool guarded = guarded_.contains(role);
  if (guarded ? receiving_->identity == "psk:" + key_of_role(role) : !receiving_->identity.starts_with("psk:" + key_of_role(""))) {
    m.let_in = receiving_->identity;
    return true;
  }
  denied_ = guarded ? "the role needs its secret (member.secret)" : "the secret is another role's";
  denied_role_ = role;
  return false;
}

void Node::deny(Session& s, Link& l) {
  const std::string why = std::exchange(denied_, {});
  if (std::exchange(l.told, true)) return;
  event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), MW_EDENIED, 0, 0,
        l.name + " says that it is \"" + denied_role_ + "\": " + why);
  s.close(CloseWish{kNotHere, 0, MW_EDENIED, why});
}

void Node::forged(Slot slot, const char* what) {
  forged_.fetch_add(1, std::memory_order_relaxed);
  for (auto& [h, l] : links_) {
    if (l->member != slot || std::exchange(l->told, true)) continue;
    event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), MW_EDENIED, 0, 0,
          l->name + what + ", and is no manager: ignored");
  }
}

// Whether an end of a link may be there, by what it is.
const char* Node::fit(const Link& l, const wire::Hello& theirs) const {
  const bool manager = (theirs.capabilities & wire::kCanManage) != 0;
  if (manages_ && manager) return "a manager reports to none";
  if (manages_) {
    const auto m = members_.find(roster_.find(core::hash_text(theirs.node)));
    const bool other = m != members_.end() && machine_->view().alive(m->first) && m->second.let_in != l.identity;
    return other && usable(m->second.link) ? "this name is held with another secret" : nullptr;
  }
  if (l.registry && !manager) return "not a manager";
  if (manager && !contacts_->managed()) return "the members of this mesh are not told by managers";
  return nullptr;
}

// ---- a node's links to managers

void Node::registry_ended(const Link& l, mw_status why, int32_t code, std::string_view reason) {
  if (l.trusted() && code == kNotHere && reason == kDuplicate)
    return close_as(CloseWish{1000, 0, MW_EDUPLICATE, kDuplicate});
  registry_status_ = code == kNotHere ? MW_EDENIED : MW_EREGISTRY;
  registry_why_ = l.url + ": " + (!reason.empty() ? std::string(reason) : why == MW_OK ? "it left" : base::status_text(why));
}

// Tells once when no manager is there any more, or yet.
void Node::look_at_registry() {
  if (!contacts_->managed() || manages_ || closing_) return;
  int32_t there = 0;
  for (auto& [h, l] : links_) there += l->trusted() && usable(l.get());
  managers_.store(there, std::memory_order_relaxed);
  if (there != 0 || first_links_ != 0 || registry_told_ == registry_status_) return;
  registry_told_ = registry_status_;
  const base::Error e{registry_status_, 0, "no manager: " + registry_why_};
  event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), e.code, 0, 0, e.text);
  if (e.code == MW_EDENIED) finish_starts(e.code, 0, link::error_json(e));
}

// ---- a manager's discovery.port

void Node::discover() {
  auto c = conf();
  if (closing_ || discovered_ || c->num(Opt::port) != 0 || c->num(Opt::discovery_port) == 0) return;
  lane->wheel.set(scan_timer_, lane->now() + static_cast<uint64_t>(c->num(Opt::registry_scan)));
  if (discovery_ == nullptr) {
    auto inner = std::make_shared<base::Conf>(*inner_conf(MW_CONF_PROVIDER, {}));
    (void)inner->set("port", std::to_string(c->num(Opt::discovery_port)));
    auto made = link::Provider::make(runtime, *lane, inner->freeze(), kDiscovery, this);
    if (!made) return;  // no memory: later
    discovery_ = *made;
    discovery_->meeting = this;
  }
  discovery_->start(0);
}

void Node::discovery_came(const mw_event& ev, std::string_view body) {
  if (ev.kind == MW_EVENT_CLOSED) {
    discovery_ = nullptr;
    return end_if_done();
  }
  discovered_ = ev.kind == MW_EVENT_UP;
  if (discovered_) {
    loop::Wheel::cancel(scan_timer_);
    auto told = base::Json::parse(body);
    std::lock_guard lock(mutex_);
    if (told)
      told->root().find("address").each([&](std::string_view, base::JsonValue v) {
        urls_.emplace_back(v.text());
        return true;
      });
  }
  if (discovered_ || std::exchange(told_discovery_, true)) return;
  event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), ev.status, ev.code, 0,
        "discovery.port: " + std::string(body) + "; until it is free nodes must name this manager's own port");
}

}  // namespace mw::mesh
