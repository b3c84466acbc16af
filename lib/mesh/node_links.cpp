// A node's connections: dialling, meeting, one link a pair, and what their
// parties tell.
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "link/peer.hpp"
#include "link/speech.hpp"
#include "mesh/node.hpp"
#include "wire/packets.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace mw::mesh {

using base::Opt;
using link::CloseWish;
using link::Session;
using loop::Lane;

namespace {

constexpr size_t kAtOnce = 3;       // strangers dialled
constexpr uint64_t kAgain = 100;    // ms: nobody is dialled sooner again
constexpr uint64_t kRetire = 1000;  // ms: both ends know the other link by then

}  // namespace

Node::Link* Node::link_of(mw_handle h) noexcept {
  auto at = links_.find(h);
  return at == links_.end() ? nullptr : at->second.get();
}

// ---- dialling

void Node::connect(const std::string& url, Slot target, bool first, bool registry) {
  auto made = link::Consumer::make(runtime, *lane, inner_conf(MW_CONF_CONSUMER, url, registry), 0, this);
  if (!made) {
    log(*lane, base::LogLevel::warn, 0, "mesh", "cannot dial " + url + ": " + made.error().text);
    if (target != core::kNoSlot) link::post(*lane, [this, target] { not_reached(target, false); });
    return;
  }
  link::Consumer* c = *made;
  c->meeting = this;
  c->serves_for = provider_;
  auto l = std::make_unique<Link>();
  l->session = &c->session();
  l->consumer = c;
  l->url = url;
  l->target = target;
  l->first = first;
  l->registry = registry;
  if (first) ++first_links_;
  links_.emplace(c->handle, std::move(l));
  c->start(0);
}

// A link to a member: true where there is one, or will be or fail.
bool Node::dial(Slot slot) {
  Member& m = member(slot);
  if (m.dialling || usable(m.link)) return true;
  if (closing_ || (m.failed_at != 0 && lane->now() < m.failed_at + kAgain)) return false;
  m.dialling = true;
  m.address = 0;
  if (!dial_next(slot, m)) link::post(*lane, [this, slot] { not_reached(slot, false); });
  return true;
}

bool Node::dial_next(Slot slot, Member& m) {
  const std::vector<std::string_view> all = addresses_of(machine_->fact(slot));
  while (m.address < all.size()) {
    const std::string url(all[m.address++]);
    if (url.empty()) continue;
    connect(url, slot, false);
    return true;
  }
  return false;
}

// None of its addresses answered.
void Node::not_reached(Slot slot, bool refused) {
  auto at = members_.find(slot);
  if (at == members_.end() || closing_) return;
  Member& m = at->second;
  m.dialling = false;
  if (usable(m.link)) return;
  m.failed_at = lane->now();
  drop_waiting(slot, m);
  if (slot != machine_->self()) step(core::input::Lost{slot, refused});
  forget_if_idle(slot);
}

// What waited for a link there: calls may go elsewhere.
void Node::drop_waiting(Slot slot, Member& m) {
  m.mail.clear();
  drop_events(slot, m);
  std::vector<uint64_t> waiting;
  waiting.swap(m.waiting);
  for (uint64_t number : waiting) {
    Errand* e = errand(number);
    if (e == nullptr || e->sent || e->member != slot) continue;
    if (!again(*e, MW_ENOPEER)) settle(*e, MW_ENOPEER);
  }
}

// Members and seeds that we have no link with and know nothing of.
void Node::look_for_others() {
  if (closing_ || !machine_) return;
  if (manages_) return discover();
  const bool first = !std::exchange(looked_, true);
  const std::vector<std::string> there = contacts_->look();
  // Whoever is known alive is left to the membership, which keeps the links it needs.
  std::unordered_set<std::string_view> known;
  for (auto& [h, l] : links_) known.insert(l->url);
  for (Slot slot = 0; slot < roster_.slots() && !there.empty(); ++slot) {
    if (!machine_->view().alive(slot)) continue;
    for (std::string_view one : addresses_of(machine_->fact(slot))) known.insert(one);
  }
  std::vector<const std::string*> strangers;
  for (const std::string& url : there)
    if (!known.contains(url)) strangers.push_back(&url);
  // A few are enough: they tell of the others.
  const bool managed = contacts_->managed();  // those are all wanted
  for (auto& [h, l] : links_)
    if (l->trusted() && usable(l.get()) && std::exchange(l->stood, true)) registry_told_ = registry_status_ = MW_OK;
  for (size_t i = 0; i < strangers.size() && (i < kAtOnce || managed); ++i) {
    std::swap(strangers[i], strangers[i + random_.below(static_cast<uint32_t>(strangers.size() - i))]);
    connect(*strangers[i], core::kNoSlot, first, managed);
  }
  lane->wheel.set(scan_timer_, lane->now() + static_cast<uint64_t>(conf()->num(Opt::registry_scan)));
}

// ---- meeting

void Node::introduce(Session&, wire::Hello& ours) {
  std::memcpy(ours.uuid, uuid_.data(), uuid_.size());
  ours.capabilities |= wire::kCanMember;
  if (manages_) ours.capabilities |= wire::kCanManage;
  ours.mesh = mesh_;
  ours.node = name_;
  ours.instance = instance_;
  ours.role = role_;
}

const char* Node::met(Session& s, const wire::Hello& theirs) {
  Link* l = link_of(s.self().handle);
  if (l == nullptr || !machine_) return "not a node yet";
  if ((theirs.capabilities & wire::kCanMember) == 0 || theirs.mesh != mesh_) return "not a node of this mesh";
  if (theirs.node.empty() || !base::utf8_valid(theirs.node)) return "a node without a name";
  if (!base::utf8_valid(theirs.role)) return "a role that is not UTF-8";
  if (const char* no = fit(*l, theirs)) return no;
  l->manager = (theirs.capabilities & wire::kCanManage) != 0;
  l->name = theirs.node;
  l->role = theirs.role;
  l->instance = theirs.instance;
  if (std::memcmp(theirs.uuid, uuid_.data(), uuid_.size()) == 0) {
    l->own = true;
    return nullptr;
  }
  if (theirs.node != name_) return nullptr;
  if (manages_ || l->manager) return "a manager has this name";
  // Two of one name: the process that came later stays.
  if (theirs.instance > instance_)
    close_as(CloseWish{1000, 0, MW_EDUPLICATE, "another process has this node's name"});
  return "another node has this name";
}

void Node::greeted(Session& s) {
  Link* l = link_of(s.self().handle);
  if (l == nullptr || closing_) return;
  l->greeted = true;
  const bool first = std::exchange(l->first, false);
  if (first) --first_links_;
  if (l->own) {
    l->member = machine_->self();
    if (l->consumer == nullptr) return;  // calls go out of the other end
    Member& m = member(l->member);
    if (!usable(m.link)) m.link = l;
    m.dialling = false;
    link_ready(l->member);
    return look_at_start();
  }
  const Slot slot = roster_.slot(l->name);
  if (slot == core::kNoSlot || (l->target != core::kNoSlot && l->target != slot)) {
    // Nobody can have that name here, or somebody else has this address now.
    s.close(CloseWish{1000, 0, MW_OK, "not the node that was dialled"});
    return look_at_start();
  }
  l->member = slot;
  Member& m = member(slot);
  m.dialling = false;
  Link* old = usable(m.link) && m.link != l ? m.link : nullptr;
  Link* kept = l;
  if (old != nullptr) {
    kept = better(*l, *old) ? l : old;
    Link* other = kept == l ? old : l;
    if (other->instance != kept->instance && manages_) {
      other->session->close(CloseWish{kNotHere, 0, MW_OK, kDuplicate});
    } else if (other->instance != kept->instance) {
      lose(other->session->self().handle);  // of a process that has gone
    } else {
      other->spare = true;
      other->retire_at = lane->now() + kRetire;
    }
  }
  m.link = kept;
  if (manages_) give_access(*l);  // first of all: until then a node refuses calls
  if (old == nullptr || l->trusted()) step(core::input::Met{roster_.name(slot), l->trusted()});
  if (l->trusted()) look_at_registry();
  if (kept == l) link_ready(slot);
  look_at_start();
}

std::string_view Node::name_of(Session& s) const noexcept {
  auto at = links_.find(s.self().handle);
  return at == links_.end() ? std::string_view() : std::string_view(at->second->name);
}

mw_status Node::may_call(Session& s, std::string_view target, bool* queued, std::string* rule) {
  const Link* l = link_of(s.self().handle);
  if (awaits_access(l)) return *rule = kNoWord, MW_EAGAIN;
  if (!access_) return MW_OK;
  core::Access::Answer a = access_->may_call(l != nullptr ? std::string_view(l->role) : std::string_view(), target);
  if (a && access_->means(target, role_)) {
    *queued = a.method->queued;
    return MW_OK;
  }
  if (a) a = {core::Access::Is::denied, "access: \"" + role_ + "\" may not serve the methods of another role", nullptr};
  *rule = std::move(a.text);
  return verdict_of(a.is);
}

// Both ends decide alike: the later process, then the link that the node dialled to a manager, or the smaller
// name, then the newer.
bool Node::better(const Link& a, const Link& than) const noexcept {
  if (a.instance != than.instance) return a.instance > than.instance;
  const bool ours = a.consumer != nullptr;
  if (ours == (than.consumer != nullptr)) return true;
  return ours == (a.manager || (!manages_ && name_ < a.name));
}

bool Node::member_came(Session& s, const uint8_t* p, size_t n, wire::Violation& v) {
  Link* l = link_of(s.self().handle);
  if (l == nullptr || l->own || l->member == core::kNoSlot || closing_) return true;
  receiving_ = l;
  step(core::input::Received{l->member, {p, n}, l->trusted()});
  receiving_ = nullptr;
  if (!denied_.empty()) deny(s, *l);
  if (out_.violation) {
    v = out_.why;
    return false;
  }
  if (n != 0 && p[0] == static_cast<uint8_t>(core::Kind::schema)) access_came(*l, p, n);
  return true;
}

// A connection is over: one that was made, or one that could not be.
void Node::ended(mw_handle h, mw_status why, int32_t code, std::string_view reason) {
  auto at = links_.find(h);
  if (at == links_.end()) return;
  const std::unique_ptr<Link> l = std::move(at->second);
  links_.erase(at);
  access_news_.ended(h);
  if (l->first) --first_links_;
  if (closing_) return end_if_done();
  if (l->registry) registry_ended(*l, why, code, reason);
  if (closing_) return;
  if (l->consumer != nullptr && why == MW_EREFUSED) contacts_->refused(l->url);
  if (l->member == core::kNoSlot) {  // nobody was met
    auto m = members_.find(l->target);
    if (m != members_.end() && m->second.dialling && !dial_next(l->target, m->second)) not_reached(l->target, why == MW_EREFUSED);
    return look_at_start();
  }
  Member& m = member(l->member);
  m.served += l->served;
  if (m.link == l.get()) {
    m.link = nullptr;
    for (auto& [handle, other] : links_)
      // Not a spare one: where the process has gone it only has not said so yet.
      if (other->member == l->member && !other->spare && usable(other.get()) && (!other->own || other->consumer != nullptr)) m.link = other.get();
    const bool last = m.link == nullptr;
    if (last && !l->own) step(core::input::Lost{l->member, false});  // which may end the member
    if (l->trusted()) look_at_registry();
    if (l->trusted() && last) access_news_.lost(l->member);
  }
  forget_if_idle(l->member);
  look_at_start();
}

// ---- what the parties tell

void Node::pass_on(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body, bool ours) {
  if (target == nullptr || (base::event_bit(ev.kind) >= 0 && !policy.wants(ev.kind))) return;
  if (ours) ev.token = token.load(std::memory_order_relaxed);
  ev.peer = 0;
  lane->emit(target, ev, topic, meta, body);
}

void Node::inside(Lane&, const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  switch (ev.kind) {
    case MW_EVENT_DONE:
      if (ev.peer == 0) return pass_on(ev, topic, meta, body, false);  // a service was drained
      return answered(ev, meta, body);
    case MW_EVENT_PART:
      return part_came(ev, meta, body);
    case MW_EVENT_REQUEST: {
      std::string with(meta);
      ++requests_;
      if (Link* l = link_of(ev.peer)) {
        ++l->served;
        base::set_header(with, "caller", l->name);
      }
      return pass_on(ev, topic, with, body, false);
    }
    case MW_EVENT_CANCEL:
      return pass_on(ev, topic, meta, body, false);
    case MW_EVENT_WRITABLE:
      return pass_on(ev, topic, meta, body, ev.id == 0);
    case MW_EVENT_UP:
      if (ev.token == kDiscovery) return discovery_came(ev, body);
      if (ev.peer == 0) listening(body);  // else a consumer's: it is greeted later
      return;
    case MW_EVENT_PEER_UP: {
      base::Pin pin(ev.peer);
      if (!pin) return;
      auto l = std::make_unique<Link>();
      l->session = &static_cast<link::Peer*>(static_cast<loop::Object*>(pin.object()))->session;
      if (manages_)
        if (auto facts = base::Json::parse(body)) l->identity = facts->root().find("identity").text();
      links_.emplace(ev.peer, std::move(l));
      return;
    }
    case MW_EVENT_PEER_DOWN:
      return ended(ev.peer, ev.status, ev.code, body);
    case MW_EVENT_ERROR:
      if (ev.token == kDiscovery) return discovery_came(ev, body);
      if (opening_) {
        opening_ = false;
        return trouble({ev.status, ev.code, std::string(body)});
      }
      return pass_on(ev, topic, meta, body);
    case MW_EVENT_CLOSED:
      if (link_of(ev.id) != nullptr) return ended(ev.id, ev.status, ev.code, body);
      if (discovery_ != nullptr && ev.id == discovery_->handle) return discovery_came(ev, body);
      if (provider_ != nullptr && ev.id == provider_->handle) {
        provider_ = nullptr;
        if (fate_.fetch_or(kProviderGone) == kStillborn) {
          delete this;
          return;
        }
        return end_if_done();
      }
      pass_on(ev, topic, meta, body, false);  // of a service
      if (std::erase_if(served_, [&](const Served& s) { return s.handle == ev.id; }) != 0) announce();
      return;
    case MW_EVENT_MESSAGE: {
      const Link* l = link_of(ev.peer);
      mw_event out = ev;
      out.code = 0;
      if (l == nullptr) return;
      if (awaits_access(l)) return log(*lane, base::LogLevel::warn, 0, "access", "an event of " + l->name + " is not heard: " + kNoWord);
      if (!may_meet(l->role))
        return log(*lane, base::LogLevel::info, 0, "access", "an event of " + l->name + " is not heard: " + l->role + " and " + role_ + " may not meet");
      hear(out, topic, meta, body, l->name);
      return;
    }
    case MW_EVENT_LOG:
    case MW_EVENT_SLOW:  // its id is a number of bytes
      return pass_on(ev, topic, meta, body);
    case MW_EVENT_DROPPED:
      return pass_on(ev, topic, meta, body, ev.id == 0);  // with an id: of a service's queue
    default:
      return;
  }
}

}  // namespace mw::mesh
