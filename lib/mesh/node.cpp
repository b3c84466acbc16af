// The life of a node: options, start, gate, services, drain, close.
#include "mesh/node.hpp"

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "base/uuid.hpp"
#include "local/directory.hpp"
#include "mesh/jobs.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

namespace mw::mesh {

using base::Error;
using base::Opt;
using link::CloseWish;
using loop::Lane;

namespace {

constexpr uint64_t kDrainLook = 10;  // ms

uint64_t by_chance() noexcept {
  uint64_t v = 0;
  (void)!getrandom(&v, sizeof v, 0);
  return v;
}

base::Result<std::vector<std::pair<std::string, size_t>>> gate_of(const std::string& json) {
  std::vector<std::pair<std::string, size_t>> gate;
  auto parsed = base::Json::parse(json);
  if (!parsed || !parsed->root().is_object()) return Error{MW_EOPTION, 0, "gate.services is an object: {\"words\": 2}"};
  bool good = true;
  parsed->root().each([&](std::string_view name, base::JsonValue n) {
    good = n.is_number() && n.number() >= 1 && n.number() <= 65536 && n.number() == static_cast<int>(n.number());
    if (good) gate.emplace_back(name, static_cast<size_t>(n.number()));
    return good;
  });
  if (!good) return Error{MW_EOPTION, 0, "gate.services says of each service how many: a whole number from 1"};
  return gate;
}

}  // namespace

base::Result<mw_handle> Node::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  for (Opt o : {Opt::cluster_deployment, Opt::cluster_name})
    if (!local::name_valid(conf->text(o)))
      return Error{MW_EOPTION, 0, o == Opt::cluster_deployment && conf->text(o).empty()
                                      ? "cluster.deployment is needed: the name of the mesh"
                                      : "cluster.deployment and cluster.name have letters, digits, '.', '_' and '-', and "
                                        "do not begin with '.'"};
  for (Opt o : {Opt::member_name, Opt::member_service})
    if (!base::utf8_valid(conf->text(o))) return Error{MW_EOPTION, 0, "member.name and member.service are UTF-8"};
  if (is_own(conf->text(Opt::member_service)))
    return Error{MW_EOPTION, 0, "member.service: the role meshwork is the library's own, take another name"};
  const bool manages = conf->kind() == MW_CONF_MANAGER;
  auto version = core::Semver::parse(manages ? "0.0.0" : conf->text(Opt::member_version));
  if (!version) return Error{MW_EOPTION, 0, "member.version: " + version.error().text};
  auto gate = gate_of(manages ? "{}" : conf->text(Opt::gate_services));
  if (!gate) return gate.error();
  Contacts::Uuid uuid;
  base::uuid_make(uuid);
  auto contacts = Contacts::open(*conf, uuid);
  if (!contacts) return contacts.error();

  auto* n = new Node(ctx, &ctx.next_lane(), std::move(conf));
  n->uuid_ = uuid;
  n->contacts_.emplace(std::move(*contacts));
  n->version_ = *version;
  n->gate_ = std::move(*gate);
  n->gate_met_ = n->gate_.empty();
  if (n->name_.empty()) n->name_ = base::uuid_text(uuid.data());
  auto schema = n->schema_of(*n->conf(), n->warnings_);
  if (!schema) {
    delete n;
    return schema.error();
  }
  n->own_access_ = std::move(*schema);
  n->rule();
  auto made = link::Provider::make(ctx, *n->lane, n->inner_conf(MW_CONF_PROVIDER, {}), 0, n);
  if (!made) {
    delete n;
    return made.error();
  }
  n->provider_ = *made;
  n->provider_->meeting = n;
  n->seat_ = n->provider_->handle;
  if (auto in = n->enter(manages ? base::Kind::manager : base::Kind::node, token); !in) {
    // The context closes: it goes with its provider, which may have gone already.
    if (base::Pin seat(n->seat_); seat)
      static_cast<link::Provider*>(static_cast<loop::Object*>(seat.object()))->close_as(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, {}});
    if (n->fate_.fetch_or(kStillborn) == kProviderGone) delete n;
    return in.error();
  }
  return n->handle;
}

Node::Node(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> c)
    : Owner(ctx, home, std::move(c)),
      manages_(conf()->kind() == MW_CONF_MANAGER),
      mesh_(conf()->text(Opt::cluster_deployment) + "/" + conf()->text(Opt::cluster_name)),
      role_(conf()->text(Opt::member_service)),
      name_(conf()->text(Opt::member_name)),
      instance_(static_cast<uint64_t>(base::clock_ns(CLOCK_REALTIME))),
      members_known_(manages_ ? 0 : 1),
      balancer_(by_chance()),
      random_(by_chance()) {
  live_options();
  roles_from_conf();
}

Node::~Node() = default;

void Node::live_options() {
  auto c = conf();
  strategy_.store(static_cast<uint32_t>(c->num(Opt::route_strategy)), std::memory_order_relaxed);
  local_first_.store(c->num(Opt::route_local_first) != 0, std::memory_order_relaxed);
}

// The option access, read and checked.
base::Result<Node::Schema> Node::schema_of(const base::Conf& c, std::vector<std::string>& warnings) const {
  const std::string& json = c.text(Opt::access);
  if (json.empty()) return Schema();
  auto access = core::Access::parse(json, base::access_names(c) == base::AccessNames::nocase, warnings);
  if (!access) return Error{MW_EOPTION, 0, access.error().text};
  if (!manages_ && !access->has(role_))
    return Error{MW_EOPTION, 0, "access has no role \"" + role_.substr(0, 64) + "\", which is this node's member.service"};
  if (!warnings.empty() && base::access_check(c) == base::AccessCheck::strict) return Error{MW_EOPTION, 0, warnings.front()};
  return std::make_shared<const core::Access>(std::move(*access));
}

void Node::tell_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& w : warnings) log(*lane, base::LogLevel::warn, 0, "access", w);
}

std::shared_ptr<const base::Conf> Node::inner_conf(int32_t kind, std::string_view url, bool registry) const {
  auto ours = conf();
  base::Conf c(kind);
  auto set = [&c](std::string_view k, const std::string& v) { (void)c.set(k, v); };
  set("wire", "meshwork");
  for (const char* k : {"send.soft_bytes", "send.max_bytes", "recv.max_message", "call.timeout", "close.timeout", "log.level"})
    if (auto v = ours->get(k)) set(k, *v);
  if (const std::string& role = ours->text(Opt::member_secret); registry && !role.empty()) {
    set("link.secret", role);
    set("link.key_id", key_of_role(ours->text(Opt::member_service)));
  } else if (const std::string& secret = ours->text(Opt::link_secret); !secret.empty()) {
    set("link.secret", secret);
    set("link.key_id", ours->text(Opt::link_key_id));
  }
  if (kind == MW_CONF_PROVIDER) {
    if (const std::string& roles = ours->text(Opt::link_secrets); !roles.empty()) set("link.secrets", keys_of_roles(roles));
    set("lanes", "1");
    set("path", std::string(Contacts::kPath));
    set("http.alive_path", "");
    for (const auto& [k, v] : contacts_->listen()) set(k, v);
  } else {
    set("url", std::string(url));
    set("connect.timeout", registry ? "5s" : "2s");  // a manager may have many secrets to stretch
    set("reconnect.max_attempts", "0");  // who is dialled again, and where, is decided here
  }
  return c.freeze();
}

// ---- any thread

mw_status Node::start(uint64_t op) {
  if (state() == MW_STATE_DRAINING) return MW_EDRAINING;
  return ask_start(op);
}

mw_status Node::cancel(uint64_t op) {
  if (!cancel_start(op)) link::post(*lane, [this, op] { cancel_here(op); });
  return MW_OK;
}

mw_status Node::drain(int64_t deadline_ms, uint64_t op) {
  return ask_drain(deadline_ms, op, &state_);
}

base::Result<void> Node::update(const base::Conf& change, uint64_t op) {
  auto next = conf()->updated(change);
  if (!next) return next.error();
  Schema access;
  std::vector<std::string> warnings;
  const bool ruled = change.has(Opt::access);
  if (ruled) {
    auto schema = schema_of(**next, warnings);
    if (!schema) return schema.error();
    access = std::move(*schema);
  }
  set_conf(*next);
  live_options();
  link::post(*lane, [this, op, ruled, access, warnings, change] {
    contacts_->seeds(*conf());
    new_secrets(change);
    if (ruled) new_access(access);  // calls in flight end as they would have
    tell_warnings(warnings);
    done(*lane, op, MW_OK, 0, {});
  });
  return {};
}

base::Result<mw_handle> Node::serve(std::string_view name, const base::Conf& c, uint64_t tok) {
  if (is_own(name)) return Error{MW_EINVAL, 0, "the service meshwork is the library's own: take another name"};
  core::Service s;
  s.name = name;
  s.version = version_;
  if (c.has(Opt::version)) {
    auto v = core::Semver::parse(c.text(Opt::version));
    if (!v) return Error{MW_EOPTION, 0, "version: " + v.error().text};
    s.version = *v;
  }
  s.mode = static_cast<core::Mode>(c.num(Opt::mode));
  s.queued = base::queue(c) != base::QueueEngine::none;
  s.responds = c.num(Opt::responds) != 0;
  if (!s.responds && s.mode == core::Mode::balanced)
    return Error{MW_EOPTION, 0, "responds=false is for mode=broadcast: a balanced call has an answer, or the flag MW_F_ONEWAY"};
  s.methods = c.list(Opt::methods);
  if (s.methods.size() > core::kMaxMethods)
    return Error{MW_EOPTION, 0, "a service of a node names at most 256 methods"};
  if (wish.load() != nullptr || runtime.closing()) return Error{MW_ECLOSED, 0, {}};
  base::Pin seat(seat_);
  if (!seat) return Error{MW_ECLOSED, 0, {}};
  auto made = link::Service::open(*static_cast<link::Provider*>(static_cast<loop::Object*>(seat.object())), name, c, tok,
                                  std::make_unique<Jobs>(c));
  if (!made) return made.error();
  base::insist([&] {
    link::post(*lane, [this, h = *made, s] {
      if (served_.empty() || served_.back().handle != h) served_.push_back({h, s});  // else a second try
      announce();
    });
  });
  return *made;
}

std::string Node::address() const {
  std::lock_guard lock(mutex_);
  return base::json_texts(urls_);
}

std::string Node::queues() const {
  base::Pin seat(seat_);
  return seat ? static_cast<link::Provider*>(static_cast<loop::Object*>(seat.object()))->queues() : "[]";
}

mw_status Node::gather_metrics(uint64_t op) {
  link::post(*lane, [this, op] { done(*lane, op, MW_OK, 0, provider_ != nullptr ? provider_->metrics() + metrics() : std::string()); });
  return MW_OK;
}

std::string Node::facts() const {
  std::string out;
  base::JsonObject o(out);
  o.text("name", name_).text("mesh", mesh_);
  if (!manages_) o.text("service", role_);
  o.raw("address", address()).number("members", static_cast<int64_t>(members_known_.load(std::memory_order_relaxed)));
  if (contacts_->managed() && !manages_) o.number("managers", managers_.load(std::memory_order_relaxed));
  if (const uint64_t schema = schema_.load(std::memory_order_relaxed); schema != 0) o.text("access", core::schema_text(schema));
  if (contacts_->managed()) o.number("forged", static_cast<int64_t>(forged_.load(std::memory_order_relaxed)));
  o.end();
  return out;
}

// ---- starting

void Node::attend(uint32_t bits) {
  if (bits & link::kStart) begin_start();
  if (bits & link::kDrain) drain_step();
  if (bits & link::kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & link::kClose) begin_close(close_wish());
}

void Node::begin_start() {
  const bool any = settle_canceled();
  if (closing_) return finish_starts(MW_ECANCELED, 0, {});
  if (!any) return;
  if (settled_ && gate_met_) return finish_starts(MW_OK, 0, {});
  int64_t limit = conf()->num(Opt::gate_timeout);
  if (limit > 0 && !gate_.empty() && !loop::Wheel::pending(gate_timer_))
    lane->wheel.set(gate_timer_, lane->now() + static_cast<uint64_t>(limit));
  if (provider_ == nullptr) return finish_starts(MW_ESTATE, 0, {});
  if (machine_ || std::exchange(opening_, true)) return;
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  provider_->start(0);
}

// Our provider listens: from here on we are a member.
void Node::listening(std::string_view body) {
  opening_ = false;
  if (closing_) return;
  tell_warnings(std::exchange(warnings_, {}));
  std::vector<std::string> urls;
  for (const std::string& place : conf()->list(Opt::advertise)) urls.push_back(contacts_->url(place));
  if (urls.empty())
    if (auto told = base::Json::parse(body))
      told->root().find("address").each([&](std::string_view, base::JsonValue v) {
        urls.emplace_back(v.text());
        return true;
      });
  std::string address;
  for (const std::string& u : urls) address += (address.empty() ? "" : " ") + u;
  {
    std::lock_guard lock(mutex_);
    urls_ = urls;
  }
  core::MembershipConfig c;
  c.managed = contacts_->managed();
  c.manager = manages_;
  c.admits = [this](Slot, const core::RecordView& record) { return admits(record); };
  c.name = name_;
  c.address = address;
  c.instance = instance_;
  c.incarnation = static_cast<uint64_t>(base::wall_ms() / 1000);
  c.seed = by_chance();
  c.probe_interval = conf()->num(Opt::probe_interval);
  c.probe_timeout = conf()->num(Opt::probe_timeout);
  c.suspect = conf()->num(Opt::gossip_suspect);
  if (auto in = contacts_->enter(); !in) {
    provider_->close_as(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, {}});
    return trouble(in.error());
  }
  machine_.emplace(roster_, c, now());
  if (manages_ && own_access_) give_access();
  announce();
  arm();
  look_for_others();
  look_at_start();
}

// Usable once all who were there at the start were met or could not be, and
// what they know was heard.
void Node::look_at_start() {
  const bool told = contacts_->managed() && joined_;  // by one manager of several
  if (settled_ || !machine_ || closing_ || (first_links_ != 0 && !told)) return;
  const bool others = std::any_of(links_.begin(), links_.end(), [&](auto& l) { return usable(l.second.get()) && !l.second->own; });
  if ((others || contacts_->managed()) && !joined_ && !manages_) return look_at_registry();
  settled_ = true;
  mw_status idle = MW_STATE_CONNECTING;
  state_.compare_exchange_strong(idle, MW_STATE_UP);
  std::string body;
  base::JsonObject o(body);
  o.text("name", name_).raw("address", address());
  o.end();
  event(*lane, MW_EVENT_UP, 0, token.load(std::memory_order_relaxed), MW_OK, 0, 0, body);
  if (gate_.empty()) return finish_starts(MW_OK, 0, {});
  look_at_gate();
}

void Node::look_at_gate() {
  if (gate_.empty() || !settled_ || closing_) return;
  bool met = true;
  std::string body;
  base::JsonObject o(body);
  for (const auto& [name, wanted] : gate_) {
    const bool own = std::any_of(served_.begin(), served_.end(), [&](const Served& s) { return s.service.name == name; });
    const size_t there = catalog_.count(name) - (own ? 1 : 0);
    o.number(name, static_cast<int64_t>(there));
    met &= there >= wanted;
  }
  o.end();
  if (met == gate_met_) return;
  gate_met_ = met;
  mw_status before = met ? MW_STATE_UP : MW_STATE_READY;
  state_.compare_exchange_strong(before, met ? MW_STATE_READY : MW_STATE_UP);
  event(*lane, MW_EVENT_READY, 0, token.load(std::memory_order_relaxed), MW_OK, met ? 1 : 0, 0, body);
  if (!met) return;
  loop::Wheel::cancel(gate_timer_);
  finish_starts(MW_OK, 0, {});
}

void Node::gate_late() { finish_starts(MW_ETIMEDOUT, 0, "{\"text\":\"gate.services was not met in time\"}"); }

void Node::trouble(Error why) {
  state_.store(MW_STATE_IDLE, std::memory_order_release);
  event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), why.code, why.os, 0, why.text);
  finish_starts(why.code, why.os, link::error_json(why));
}

// What we serve, told to all by way of the membership.
bool Node::announce() {
  if (!machine_ || closing_ || manages_) return true;
  core::Announcement a;
  a.role = role_;
  a.schema = schema_.load(std::memory_order_relaxed);
  a.schema_revision = own_access_ ? 0 : access_news_.counts().revision;
  if (drain_end_ == 0)
    for (const Served& s : served_) a.services.push_back(s.service);
  {
    std::lock_guard lock(mutex_);
    for (const Wanted& w : wanted_) {
      core::Interest i{static_cast<uint8_t>(w.syntax), w.pattern.text()};
      if (std::find(a.interests.begin(), a.interests.end(), i) == a.interests.end()) a.interests.push_back(std::move(i));
    }
  }
  std::string meta = core::put_announcement(a);
  if (meta.empty()) {
    event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), MW_ETOOBIG, 0, 0,
          "the names of what this node serves and hears exceed what it can tell the others (8 KiB, 256 services)");
    return false;
  }
  std::string address = machine_->fact(machine_->self())->address;
  if (address.empty()) {
    std::lock_guard lock(mutex_);
    for (const std::string& u : urls_) address += (address.empty() ? "" : " ") + u;
  }
  step(core::input::Change{address, meta});
  const core::Version v = machine_->fact(machine_->self())->version;
  std::vector<core::Catalog::Change> changes;
  ++line_up_;
  catalog_.set(machine_->self(), roster_.key(machine_->self()), v.incarnation, v.revision, std::move(a.services), changes);
  return true;
}

// ---- draining, closing

// Others hear that we serve nothing any more; what runs is finished.
void Node::drain_step() {
  if (closing_) return;
  if (drain_end_ == 0) {
    const uint64_t ms = drain_ms();
    drain_end_ = lane->now() + ms;
    announce();
    for (const Served& s : served_)
      if (base::Pin pin(s.handle); pin) static_cast<link::Service*>(static_cast<loop::Object*>(pin.object()))->drain(static_cast<int64_t>(ms), 0);
  }
  // Events that wait for a link of theirs were accepted.
  const bool mail = std::any_of(members_.begin(), members_.end(), [](const auto& m) { return !m.second.events.empty(); });
  if ((served_.empty() && errands_.empty() && !mail) || lane->now() >= drain_end_)
    return begin_close(CloseWish{1000, 0, MW_OK, "drained"});
  lane->wheel.set(drain_timer_, lane->now() + kDrainLook);
}

void Node::begin_close(const CloseWish& w) {
  if (!closing_) {
    how_ = w;
    if (how_.code == 0) how_.code = 1000;
    if (machine_ && !machine_->left()) step(core::input::Leave{});
    closing_ = true;
    state_.store(MW_STATE_DRAINING, std::memory_order_release);
    contacts_->leave();
    finish_starts(MW_ECANCELED, 0, {});
    for (Timer* t : {&tick_timer_, &scan_timer_, &gate_timer_, &drain_timer_}) loop::Wheel::cancel(*t);
    std::vector<uint64_t> waiting;
    for (auto& [number, e] : errands_)
      if (!e->sent && !e->gathers) waiting.push_back(number);
    for (uint64_t number : waiting)
      if (Errand* e = errand(number)) settle(*e, MW_ECANCELED);
  }
  for (auto& [h, l] : links_)
    if (l->consumer != nullptr) l->consumer->close_as(w);
  for (link::Provider* p : {provider_, discovery_})
    if (p != nullptr) p->close_as(w);
  end_if_done();
}

void Node::end_if_done() {
  if (!closing_ || provider_ != nullptr || discovery_ != nullptr || !links_.empty() || retired_) return;
  retired_ = true;
  base::retire(handle);
}

void Node::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    while (!errands_.empty()) {
      Errand& e = *errands_.begin()->second;
      base::insist([&] { e.gathers && !e.parts.empty() ? e.parts.clear() : settle(e, MW_ECANCELED); });
    }
    finish_drains();
    finish_starts(MW_ECANCELED, 0, {});
    tell_closed(how_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

}  // namespace mw::mesh
