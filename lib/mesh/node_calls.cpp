// A node's calls: who may answer, who does, another one where that one cannot,
// and all of them.
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/status.hpp"
#include "link/peer.hpp"
#include "mesh/node.hpp"

#include <algorithm>

namespace mw::mesh {

using base::Error;
using base::Opt;
using core::Found;
using link::Order;

namespace {

mw_status found_status(Found f) noexcept {
  switch (f) {
    case Found::yes: return MW_OK;
    case Found::no_service: return MW_ENOSERVICE;
    case Found::nobody: return MW_ENOPEER;
    case Found::no_method: return MW_ENOMETHOD;
    case Found::no_version: return MW_EVERSION;
  }
  return MW_EINTERNAL;
}

// It did not run there, for a reason that is that member's: another one may take it.
bool did_not_run(mw_status s) noexcept {
  return s == MW_EDRAINING || s == MW_ENOSERVICE || s == MW_EAGAIN || s == MW_ENOTCONN || s == MW_ENOPEER;
}

base::Result<std::unique_ptr<How>> how_of(const base::Conf& c) {
  std::unique_ptr<How> how;
  auto make = [&]() -> How& {
    if (!how) how = std::make_unique<How>();
    return *how;
  };
  if (const std::string& range = c.text(Opt::version); range != "*") {
    auto r = core::Range::parse(range);
    if (!r) return Error{MW_EOPTION, 0, "version: " + r.error().text};
    make().range = std::move(*r);
  }
  if (!c.text(Opt::only).empty()) make().only = c.list(Opt::only);
  if (!c.text(Opt::exclude).empty()) make().exclude = c.list(Opt::exclude);
  if (!c.text(Opt::sticky).empty()) make().sticky = c.text(Opt::sticky);
  if (c.num(Opt::retry_safe) != 0) make().safe = true;
  return how;
}

}  // namespace

void Errand::expired() noexcept {
  base::insist([this] {
    // Between two routes nobody has it; with a verdict it is over, else it waited too long.
    node.settle(*this, verdict != MW_OK ? verdict : MW_ETIMEDOUT);
  });
}

// ---- any thread

mw_status Node::call(const Order& o, const base::Conf* conf, Error* why) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return (*why = {MW_ECLOSED, 0, {}}).code;
  const mw_status st = state();
  if (st == MW_STATE_DRAINING) return (*why = {MW_EDRAINING, 0, {}}).code;
  if (st == MW_STATE_IDLE) return (*why = {MW_ENOTCONN, 0, "the node was not started"}).code;
  auto e = std::make_unique<Errand>(*this);
  if (conf != nullptr) {
    auto how = how_of(*conf);
    if (!how) return (*why = how.error()).code;
    e->how = std::move(*how);
  }
  if (open_errands_.load(std::memory_order_relaxed) >= kMaxErrands)
    return (*why = {MW_EAGAIN, 0, "a million calls of this node wait for answers"}).code;
  e->op = o.op;
  e->began = o.began;
  e->target = o.target;
  if (o.m != nullptr) e->m = base::MsgRef(base::ref(o.m));
  e->flags = o.flags;
  e->deadline = o.deadline;
  e->window = o.window;
  e->parent = o.parent;
  bool keyed = false;
  if (o.m != nullptr) base::message_get(o.m, "key", &keyed);
  e->safe = keyed || (e->how && e->how->safe);
  const auto cost = static_cast<int64_t>(o.len + e->target.size() + sizeof(Errand));
  if (!lane->slice.reserve(cost)) return (*why = {MW_EMEMORY, 0, {}}).code;
  e->cost = cost;
  open_errands_.fetch_add(1, std::memory_order_relaxed);
  if (lane->here()) {
    e->sent_at = e->began;
    begin(e);
    return MW_OK;
  }
  if (loop::Lane::Hold hold(*lane); hold) {
    e->sent_at = e->began;
    begin(e);
    lane->poke();
    return MW_OK;
  }
  try {
    link::post(*lane, [this, e = std::move(e)]() mutable { begin(e); });
  } catch (const std::bad_alloc&) {
    lane->slice.release(cost);
    open_errands_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
  return MW_OK;
}

// ---- the lane, perhaps inside a call of the host: tells nothing yet

mw_status Node::verdict_of(core::Access::Is is) noexcept {
  switch (is) {
    case core::Access::Is::allowed: return MW_OK;
    case core::Access::Is::denied: return MW_EDENIED;
    case core::Access::Is::no_role: return MW_ENOSERVICE;
    case core::Access::Is::no_method: return MW_ENOMETHOD;
  }
  return MW_EINTERNAL;
}

Errand* Node::errand(uint64_t number) noexcept {
  auto at = errands_.find(number);
  return at == errands_.end() ? nullptr : at->second.get();
}

// Throws std::bad_alloc with nothing changed.
void Node::begin(std::unique_ptr<Errand>& made) {
  const uint64_t number = ++last_number_;
  auto place = errands_.try_emplace(number).first;
  try {
    if (made->op != 0) by_op_[made->op] = number;
  } catch (...) {
    errands_.erase(place);
    throw;
  }
  place->second = std::move(made);
  Errand& e = *place->second;
  e.number = number;
  calls_.begin();
  try {
    set_out(e);
  } catch (const std::bad_alloc&) {
    if (e.parts.empty()) later(e, MW_ENOMEM);  // else the parts that were made go on
  }
}

void Node::set_out(Errand& e) {
  if (closing_) return later(e, MW_ECANCELED);
  const core::Access::Method* method = nullptr;
  if (access_) {
    core::Access::Answer a = access_->may_call(role_, e.target);
    if (!a) return later(e, verdict_of(a.is), std::move(a.text));
    method = a.method;
  }
  mw_status s = machine_ ? candidates(e) : MW_ENOTCONN;
  if (s != MW_OK) return later(e, settled_ ? s : MW_ENOTCONN);  // until all is known nobody is missing
  // What the call does not say the schema does, and without one the service, in the newest version that may answer.
  static const core::Service own{std::string(link::Meeting::kOwn), {}, core::Mode::balanced, true, false, {}};
  const core::Service& service =
      providers_.empty() ? own : *std::find_if(providers_.begin(), providers_.end(), [this](const auto& p) {
                                    return p.member == candidates_.front().member;
                                  })->service;
  e.tally = tally_of(service.name);
  e.tally->begin();
  if ((e.flags & MW_F_ALL) != 0 || (method != nullptr ? method->mode : service.mode) == core::Mode::broadcast) {
    if (!(method != nullptr ? method->responds : service.responds)) e.flags |= MW_F_ONEWAY;
    return begin_whole(e);
  }
  s = route(e);
  if (s != MW_OK) later(e, s);
}

// Who serves it and may answer.
mw_status Node::candidates(const Errand& e) {
  const auto strategy = static_cast<core::Strategy>(strategy_.load(std::memory_order_relaxed));
  const bool by_load = strategy == core::Strategy::least_busy || strategy == core::Strategy::two_choices;
  // The same as for the last call, as most often, where neither the call nor what it may find differs.
  const bool plain = !e.how && e.tried.empty() && !by_load;
  if (plain && standing_ == line_up_ && standing_for_ == e.target) return MW_OK;
  standing_ = 0;
  const mw_status s = line_up(e);
  if (plain && s == MW_OK && !is_own(e.target)) {
    standing_for_ = e.target;
    standing_ = line_up_;
  }
  return s;
}

mw_status Node::line_up(const Errand& e) {
  if (is_own(e.target)) {  // everybody answers it
    providers_.clear();
    candidates_.clear();
    for (Slot slot = 0; slot < roster_.slots(); ++slot)
      if (machine_->view().alive(slot)) add_candidate(e, slot, roster_.key(slot), 0);
    return choose(e);
  }
  const core::Range* range = e.how && e.how->range ? &*e.how->range : nullptr;
  const Found found = catalog_.find(e.target, range, providers_);
  candidates_.clear();
  if (found != Found::yes) return found_status(found);
  uint32_t age = 0;
  const core::Semver* version = nullptr;
  for (const core::Catalog::Provider& p : providers_) {
    if (version != nullptr && *version != p.service->version) ++age;
    version = &p.service->version;
    if (access_ && !access_->means(e.target, role_of(p.member))) continue;  // serves what is another role's
    add_candidate(e, p.member, p.key, age);
  }
  return choose(e);
}

void Node::add_candidate(const Errand& e, Slot slot, uint64_t key, uint32_t age) {
  if (std::find(e.tried.begin(), e.tried.end(), slot) != e.tried.end()) return;
  core::Candidate& c = candidates_.emplace_back();  // in place: a copy of fields just written waits for them
  c.member = slot;
  c.age = age;
  c.key = key;
  c.name = roster_.name(slot);
  c.local = slot == machine_->self();
  if (auto at = members_.find(slot); at != members_.end()) {
    c.in_flight = at->second.in_flight;
    c.suspected = at->second.suspected;
  }
}

mw_status Node::choose(const Errand& e) {
  if (e.how && (!e.how->only.empty() || !e.how->exclude.empty())) {
    core::Preference p;
    p.only = e.how->only;
    p.exclude = e.how->exclude;
    core::filter(candidates_, p);
  }
  return candidates_.empty() ? MW_ENOPEER : MW_OK;
}

mw_status Node::route(Errand& e) {
  for (;;) {
    if (mw_status s = candidates(e); s != MW_OK) return s;
    core::Preference p;
    p.strategy = static_cast<core::Strategy>(strategy_.load(std::memory_order_relaxed));
    p.local_first = local_first_.load(std::memory_order_relaxed);
    if (e.how && !e.how->sticky.empty()) {
      p.strategy = core::Strategy::sticky;
      p.sticky = e.how->sticky;
    }
    const size_t i = balancer_.pick(e.target, candidates_, p);
    if (i == SIZE_MAX) return MW_ENOPEER;
    const Slot to = candidates_[i].member;
    const mw_status s = hand_over(e, to);
    if (!did_not_run(s)) return s;
    e.tried.push_back(to);
    if (candidates(e) != MW_OK) return s;
  }
}

// To this member: now, or when the link there is made.
mw_status Node::hand_over(Errand& e, Slot to) {
  Member& m = member(to);
  e.member = to;
  if (usable(m.link)) return send(e, m);
  if (!dial(to)) return MW_ENOPEER;
  e.sent_at = 0;
  m.waiting.push_back(e.number);
  if (e.deadline != 0) lane->wheel.set(e, e.deadline);
  return MW_OK;
}

mw_status Node::send(Errand& e, Member& m) {
  if (e.parent != 0 && !base::Pin(e.parent)) return MW_ECANCELED;
  if (access_ && !is_own(e.target) && !access_->means(e.target, m.link->role)) return MW_ENOPEER;  // the others were told of another role
  Order o;
  o.target = e.target;
  o.carry(e.m.get());
  o.flags = e.flags & ~static_cast<uint32_t>(MW_F_ALL);
  o.op = e.number;
  if (e.sent_at == 0) e.sent_at = base::mono_ns();
  o.now = static_cast<uint64_t>(e.sent_at / 1'000'000);
  o.deadline = e.deadline;
  o.window = e.window;
  o.parent = e.parent;
  if (e.deadline != 0 && o.now >= e.deadline) return MW_ETIMEDOUT;
  loop::Wheel::cancel(e);
  const mw_status s = m.link->consumer != nullptr ? m.link->consumer->call(o) : m.link->session->call(o);
  if (s == MW_ECLOSED) return MW_ENOTCONN;
  if (s < 0) return s;
  e.sent = true;
  e.link = m.link->session->self().handle;
  ++m.in_flight;
  if (!m.calls) m.calls.reset(new (std::nothrow) core::Tally);
  if (m.calls) m.calls->begin();
  return MW_OK;
}

void Node::later(Errand& e, mw_status verdict, std::string rule) {
  e.verdict = verdict;
  e.rule = std::move(rule);
  lane->wheel.set(e, lane->now());
}

// A call to every member that serves it: each is a part, told as PART.
void Node::begin_whole(Errand& e) {
  e.gathers = true;
  const std::vector<core::Candidate> all = candidates_;
  for (const core::Candidate& c : all) {
    auto made = std::make_unique<Errand>(*this);
    Errand& part = *made;
    part.number = ++last_number_;
    part.sent_at = e.sent_at;
    part.whole = e.number;
    part.target = e.target;
    part.m = e.m;
    part.flags = e.flags;
    part.deadline = e.deadline;
    part.window = e.window;
    part.parent = e.parent;
    e.parts.reserve(e.parts.size() + 1);
    errands_.emplace(part.number, std::move(made));
    e.parts.push_back(part.number);
    open_errands_.fetch_add(1, std::memory_order_relaxed);
    mw_status s = MW_ENOMEM;
    try {
      s = hand_over(part, c.member);
    } catch (const std::bad_alloc&) {
    }
    if (s != MW_OK) later(part, s);
  }
}

// ---- in a turn

// The link there is made: what waited for it goes.
void Node::link_ready(Slot slot) {
  Member& m = member(slot);
  std::vector<std::string> mail;
  mail.swap(m.mail);
  for (std::string& bytes : mail) deliver(slot, std::move(bytes));
  while (!m.events.empty() && usable(m.link)) {
    auto [event, flags] = std::move(m.events.front());
    m.events.pop_front();
    m.link->session->publish(event.get(), flags, nullptr);
  }
  std::vector<uint64_t> waiting;
  waiting.swap(m.waiting);
  for (uint64_t number : waiting) {
    Errand* e = errand(number);
    if (e == nullptr || e->sent || e->member != slot || e->verdict != MW_OK) continue;
    mw_status s = usable(m.link) ? send(*e, m) : MW_ENOTCONN;
    if (s < 0 && !again(*e, s)) settle(*e, s);
  }
}

// The link is lost: what it carries ends, or goes elsewhere; then it is cut.
void Node::lose(mw_handle h) {
  std::vector<uint64_t> with;
  for (auto& [number, e] : errands_)
    if (e->sent && e->link == h) with.push_back(number);
  for (uint64_t number : with) {
    Errand* e = errand(number);
    if (e == nullptr) continue;
    left(*e, MW_EPEERGONE);
    if (!again(*e, MW_EPEERGONE)) settle(*e, MW_EPEERGONE);
  }
  if (Link* l = link_of(h); l != nullptr && l->session->is_open()) l->session->close({1006, MW_CLOSE_ABORT, MW_OK, {}});
}

// No longer with anybody.
void Node::left(Errand& e, mw_status status) noexcept {
  if (!e.sent) return;
  e.sent = false;
  e.ended = base::mono_ns();
  auto at = members_.find(e.member);
  if (at == members_.end()) return;
  Member& m = at->second;
  if (m.in_flight != 0) --m.in_flight;
  if (m.calls && m.calls->open != 0) m.calls->end(status, (e.flags & MW_F_ONEWAY) != 0 ? -1 : (e.ended - e.sent_at) / 1000);
}

// Whether another member gets it: it did not run, or may run twice.
bool Node::again(Errand& e, mw_status status) {
  if (e.whole != 0 || e.canceled || closing_) return false;
  if (!did_not_run(status) && !(status == MW_EPEERGONE && e.safe)) return false;
  if (e.member != core::kNoSlot) e.tried.push_back(e.member);
  e.sent_at = 0;
  return route(e) == MW_OK;
}

void Node::answered(const mw_event& ev, std::string_view meta, std::string_view body) {
  Errand* e = errand(ev.id);
  if (e == nullptr && ev.id >> 56 != kNumbers >> 56) return pass_on(ev, {}, meta, body);  // of a reply of the host's
  if (e == nullptr || !e->sent || e->link != ev.peer) return;  // it ended meanwhile, or somebody else has it
  left(*e, ev.status);
  if (ev.code == 0 && again(*e, ev.status)) return;
  settle(*e, ev.status, ev.code, ev.flags, meta, body);
}

void Node::part_came(const mw_event& ev, std::string_view meta, std::string_view body) {
  Errand* e = errand(ev.id);
  if (e == nullptr || !e->sent || e->link != ev.peer) return;
  mw_event out = ev;
  if (e->whole == 0) {
    out.id = e->op;
    return pass_on(out, {}, meta, body);
  }
  const Errand* whole = errand(e->whole);
  if (whole == nullptr) return;
  out.id = whole->op;
  out.flags |= MW_F_MORE;  // this member has more to say
  std::string with(meta);
  base::set_header(with, "member", roster_.name(e->member));
  pass_on(out, {}, with, body);
}

void Node::settle(Errand& e, mw_status status) {
  if (e.rule.empty()) return settle(e, status, 0, MW_F_TEXT, {}, link::failure_text(status));
  std::string body;
  base::JsonObject o(body);
  o.text("message", e.rule).end();
  settle(e, status, 0, MW_F_TEXT, {}, body);
}

void Node::settle(Errand& e, mw_status status, int32_t code, uint32_t flags, std::string_view meta, std::string_view body) {
  left(e, status);
  loop::Wheel::cancel(e);
  auto at = errands_.find(e.number);
  const std::unique_ptr<Errand> over = std::move(at->second);  // what it points to lives until the end
  errands_.erase(at);
  const Slot with = e.member;
  if (e.whole != 0) {
    part_settled(e, status, flags, meta, body);
  } else {
    counted(e, status);
    told(e, status, code, flags, meta, body);
  }
  release(e);
  if (with != core::kNoSlot && machine_) forget_if_idle(with);
}

void Node::told(const Errand& e, mw_status status, int32_t code, uint32_t flags, std::string_view meta, std::string_view body) {
  if (e.op != 0) {
    if (auto by = by_op_.find(e.op); by != by_op_.end() && by->second == e.number) by_op_.erase(by);
    mw_event ev{};
    ev.kind = MW_EVENT_DONE;
    ev.id = e.op;
    ev.status = status;
    ev.code = code;
    ev.flags = body.empty() ? 0 : flags;
    pass_on(ev, {}, meta, body);
  } else if (status != MW_OK) {
    log(*lane, base::LogLevel::info, 0, "mesh", "a call of " + e.target + " that wants no answer was lost: " + base::status_name(status));
  }
}

void Node::release(Errand& e) noexcept {
  if (e.cost != 0) lane->slice.release(e.cost);
  open_errands_.fetch_sub(1, std::memory_order_relaxed);
}

// One member of many has answered, or will not.
void Node::part_settled(Errand& part, mw_status status, uint32_t flags, std::string_view meta, std::string_view body) {
  Errand* whole = errand(part.whole);
  if (whole == nullptr) return;
  const std::string& name = roster_.name(part.member);
  if (whole->op != 0 && (whole->flags & MW_F_ONEWAY) == 0) {
    mw_event ev{};
    ev.kind = MW_EVENT_PART;
    ev.id = whole->op;
    ev.status = status;
    ev.flags = body.empty() ? 0 : flags;
    std::string with(meta);
    base::set_header(with, "member", name);
    pass_on(ev, {}, with, body);
  }
  ++whole->answered;
  if (status < 0) {
    ++whole->failed;
    std::string one;
    base::JsonObject o(one);
    o.text("member", name).text("status", base::status_name(status)).end();
    whole->failures += (whole->failures.empty() ? "" : ",") + one;
  }
  std::erase(whole->parts, part.number);
  if (!whole->parts.empty()) return;
  const mw_status all = whole->canceled ? MW_ECANCELED : whole->failed != 0 ? MW_EPARTIAL : MW_OK;
  std::string result;
  base::JsonObject o(result);
  o.number("members", whole->answered).raw("failed", "[" + whole->failures + "]").end();
  settle(*whole, all, whole->failed, MW_F_TEXT, {}, result);
}

// ---- cancelling

void Node::cancel_here(uint64_t op) {
  auto at = by_op_.find(op);
  Errand* e = at == by_op_.end() ? nullptr : errand(at->second);
  if (e == nullptr) return;
  e->canceled = true;
  if (!e->gathers) return cancel_one(*e);
  const std::vector<uint64_t> parts = e->parts;
  for (uint64_t number : parts)
    if (Errand* part = errand(number)) {
      part->canceled = true;
      cancel_one(*part);
    }
}

void Node::cancel_one(Errand& e) {
  if (!e.sent) return settle(e, MW_ECANCELED);
  auto at = members_.find(e.member);
  // It may be with a link that is retired: all are told, one knows it.
  for (auto& [handle, l] : links_)
    if (at != members_.end() && l->member == e.member) l->session->cancel_call(e.number);
}

}  // namespace mw::mesh
