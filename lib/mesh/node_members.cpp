// Who is in the mesh: the membership's inputs, what it decides, and what the
// host hears of it.
#include "base/clock.hpp"
#include "base/json.hpp"
#include "link/session.hpp"
#include "mesh/node.hpp"
#include "wire/packets.hpp"

#include <algorithm>

namespace mw::mesh {

using base::Opt;
using core::News;

namespace {

constexpr int64_t kLook = 500;  // ms between two looks at links that owe us answers

mw_status status_of(core::Why why) noexcept { return why == core::Why::left ? MW_OK : why == core::Why::closed ? MW_EPEERGONE : MW_ETIMEDOUT; }

}  // namespace

std::vector<std::string_view> addresses_of(const core::Fact* fact) {
  std::vector<std::string_view> all;
  for (std::string_view rest = fact != nullptr ? std::string_view(fact->address) : std::string_view(); !rest.empty();
       rest.remove_prefix(std::min(rest.size(), all.back().size() + 1)))
    all.push_back(rest.substr(0, rest.find(' ')));
  return all;
}

Node::Member& Node::member(Slot slot) {
  auto [at, fresh] = members_.try_emplace(slot);
  if (fresh) roster_.pin(slot);
  return at->second;
}

void Node::forget_if_idle(Slot slot) {
  auto at = members_.find(slot);
  if (at == members_.end()) return;
  const Member& m = at->second;
  if (m.link != nullptr || m.dialling || m.in_flight != 0 || !m.waiting.empty() || !m.mail.empty() || !m.events.empty())
    return;
  if (machine_->view().alive(slot)) return;
  members_.erase(at);
  roster_.unpin(slot);
}

// What the machine puts out is worked on apart: it must not change below the hands.
void Node::step(const core::Input& in) {
  if (!machine_ || closing_) return;
  out_.clear();
  machine_->step(in, now(), out_);
  core::Outputs out;
  std::swap(out, out_);
  members_known_.store(machine_->view().alive_count(), std::memory_order_relaxed);  // before an event tells of it
  for (core::Outputs::Send& s : out.sends) deliver(s.to, std::move(s.bytes));
  for (const core::Outputs::Said& s : out.said) said(s);
  for (const core::Outputs::Link& l : out.links)
    if (l.wanted) dial(l.member);
  out_.violation = out.violation;
  out_.why = out.why;
  arm();
}

void Node::arm() {
  if (!closing_ && machine_->next() != INT64_MAX) lane->wheel.set(tick_timer_, static_cast<uint64_t>(machine_->next()));
}

void Node::tick() {
  if (closing_) return;
  step(core::input::Tick{});
  if (now() - looked_at_links_ >= kLook) {
    looked_at_links_ = now();
    look_at_links();
    look_at_schemas();
  }
}

void Node::deliver(Slot to, std::string&& bytes) {
  Member& m = member(to);
  if (!usable(m.link)) {
    if (m.mail.size() >= kMaxMail) m.mail.erase(m.mail.begin());
    m.mail.push_back(std::move(bytes));
    dial(to);
    return;
  }
  base::Buffer packet;
  wire::put_member(packet, bytes);
  m.link->session->write_packet(packet.data(), packet.size());
}

// A link that owes us an answer and says nothing: others are asked whether they
// hear that member. One that is not needed any more goes.
void Node::look_at_links() {
  std::vector<Slot> doubted;
  for (auto& [handle, l] : links_) {
    if (l->retire_at != 0 && lane->now() >= l->retire_at) {
      l->retire_at = 0;
      if (l->consumer != nullptr && l->session->is_open()) l->consumer->drain(30'000, 0);
    }
    if (!usable(l.get()) || l->own) continue;
    const uint64_t came = l->session->stats.bytes_in.load(std::memory_order_relaxed);
    auto m = members_.find(l->member);
    if (came == l->seen && m != members_.end() && m->second.in_flight != 0) doubted.push_back(l->member);
    l->seen = came;
  }
  for (Slot slot : doubted) step(core::input::Doubt{slot});
}

// ---- what it says

void Node::said(const core::Outputs::Said& s) {
  auto warn = [&](const std::string& line) { log(*lane, base::LogLevel::warn, 0, "mesh", line); };
  switch (s.news) {
    case News::up:
      history_.up(s.member, roster_.name(s.member), machine_->fact(s.member)->version.instance, base::wall_ms());
      return known(s.member, MW_EVENT_MEMBER_UP, 0);
    case News::changed:
      history_.up(s.member, roster_.name(s.member), machine_->fact(s.member)->version.instance, base::wall_ms());
      return known(s.member, MW_EVENT_MEMBER_CHANGED, 0);
    case News::suspect:
      member(s.member).suspected = true;
      ++line_up_;
      history_.suspected(s.member, base::wall_ms());
      return known(s.member, MW_EVENT_MEMBER_CHANGED, 1);
    case News::trusted:
      member(s.member).suspected = false;
      ++line_up_;
      history_.well(s.member, base::wall_ms());
      return known(s.member, MW_EVENT_MEMBER_CHANGED, 0);
    case News::down:
      return gone(s.member, s.fact);
    case News::joined:
      joined_ = true;
      look_at_registry();
      return look_at_start();
    case News::replaced:
      return close_as({1000, 0, MW_EDUPLICATE, "another process has this node's name"});
    case News::alone:
      return warn("no other member answers");
    case News::stalled:
      return warn("this node stood still for " + std::to_string(s.ms) + " ms");
    case News::refuted:
      return warn("the others took this node for dead; it objected");
    case News::forged:
      return forged(s.member, " says whom there is");
    case News::full:
      event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), MW_EOVERFLOW, 0, 0,
            "more members than this node can know: one was not taken");
      return;
  }
}

std::string Node::member_json(Slot slot) const {
  const core::Fact* f = machine_->fact(slot);
  core::Announcement a;
  if (f != nullptr && f->life == core::Life::alive) core::parse_announcement(f->meta, a);
  std::string out;
  base::JsonObject o(out);
  o.text("name", roster_.name(slot)).text("service", a.role);
  o.raw("address", base::json_texts(addresses_of(f)));
  o.end();
  return out;
}

std::string_view Node::role_of(Slot slot) const noexcept {
  if (slot == machine_->self()) return role_;
  auto at = roles_.find(slot);
  return at == roles_.end() ? std::string_view() : std::string_view(at->second);
}

// A member is there, or something of it is new.
void Node::known(Slot slot, uint32_t kind, int32_t code) {
  const core::Fact* f = machine_->fact(slot);
  if (f == nullptr) return;
  core::Announcement a;
  const bool readable = core::parse_announcement(f->meta, a);
  if (!readable) log(*lane, base::LogLevel::warn, 0, "mesh", "what " + roster_.name(slot) + " says it serves is not readable");
  mw_event ev{};
  ev.kind = kind;
  ev.id = f->version.incarnation;
  ev.code = code;
  ev.flags = MW_F_TEXT;
  pass_on(ev, a.role, {}, member_json(slot));
  learn_interests(slot, a);
  ++line_up_;
  roles_[slot] = a.role;
  if (Held& held = schemas_[slot]; held.schema != a.schema)
    held = {a.schema_revision, a.schema};
  else
    held.revision = a.schema_revision;
  std::vector<core::Catalog::Change> changes;
  catalog_.set(slot, roster_.key(slot), f->version.incarnation, f->version.revision, std::move(a.services), changes);
  tell_services(changes);
}

void Node::tell_services(const std::vector<core::Catalog::Change>& changes) {
  for (const core::Catalog::Change& c : changes) {
    const bool own = std::any_of(served_.begin(), served_.end(), [&](const Served& s) { return s.service.name == c.service.name; });
    std::string body;
    base::JsonObject o(body);
    o.text("member", roster_.name(c.member)).text("version", c.service.version.text());
    o.raw("methods", base::json_texts(c.service.methods));
    o.end();
    mw_event ev{};
    ev.kind = c.up ? MW_EVENT_SERVICE_UP : MW_EVENT_SERVICE_DOWN;
    ev.code = static_cast<int32_t>(c.left - (own ? 1 : 0));
    ev.flags = MW_F_TEXT;
    pass_on(ev, c.service.name, {}, body);
  }
  if (!changes.empty()) look_at_gate();
}

// The verdict: its calls end, its links with them.
void Node::gone(Slot slot, core::FactId fact) {
  const core::Verdict* verdict = fact != 0 ? &roster_[fact].verdict : nullptr;
  const char* why = core::History::why(verdict);
  history_.gone(slot, roster_.name(slot), role_of(slot), verdict, base::wall_ms());
  ++line_up_;
  interests_.erase(slot);
  roles_.erase(slot);
  schemas_.erase(slot);
  std::vector<core::Catalog::Change> changes;
  catalog_.remove(slot, changes);
  mw_event ev{};
  ev.kind = MW_EVENT_MEMBER_DOWN;
  ev.status = MW_ETIMEDOUT;
  ev.flags = MW_F_TEXT;
  std::string body;
  base::JsonObject o(body);
  o.text("name", roster_.name(slot));
  if (fact != 0) {
    const core::Fact& f = roster_[fact];
    ev.status = status_of(f.verdict.why);
    ev.id = f.version.incarnation;
    o.raw("address", base::json_texts(addresses_of(&f))).text("reason", why);
    o.number("silent_ms", f.verdict.silent_ms).number("agreed", f.verdict.agreed).text("by", f.verdict.by);
  } else {
    o.text("reason", why);
  }
  o.end();
  pass_on(ev, {}, {}, body);
  tell_services(changes);
  auto at = members_.find(slot);
  if (at == members_.end()) return;
  at->second.suspected = false;
  drop_waiting(slot, at->second);
  std::vector<mw_handle> links;
  for (auto& [h, l] : links_)
    if (l->member == slot) links.push_back(h);
  for (mw_handle h : links) lose(h);
  forget_if_idle(slot);
}

mw_status Node::gather_members(uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  link::post(*lane, [this, op] {
    std::string all = "[";
    for (Slot slot = 0; machine_ && slot < roster_.slots(); ++slot) {
      if (!machine_->view().alive(slot)) continue;
      const core::Fact& f = *machine_->fact(slot);
      core::Announcement a;
      core::parse_announcement(f.meta, a);
      auto at = members_.find(slot);
      std::string services = "[";
      for (const core::Service& s : a.services) {
        std::string one;
        base::JsonObject o(one);
        o.text("name", s.name).text("version", s.version.text());
        o.text("mode", s.mode == core::Mode::broadcast ? "broadcast" : "balanced").end();
        services += (services.size() > 1 ? "," : "") + one;
      }
      std::string one;
      base::JsonObject o(one);
      o.text("name", roster_.name(slot)).text("service", a.role).raw("address", base::json_texts(addresses_of(&f)));
      o.number("incarnation", static_cast<int64_t>(f.version.incarnation)).raw("services", services + "]");
      if (a.schema != 0) o.text("access", core::schema_text(a.schema));
      o.boolean("self", slot == machine_->self());
      o.boolean("suspected", at != members_.end() && at->second.suspected);
      o.boolean("linked", at != members_.end() && usable(at->second.link));
      o.number("in_flight", at != members_.end() ? at->second.in_flight : 0);
      o.number("started_ms", static_cast<int64_t>(f.version.instance / 1'000'000));
      history_.put(o, slot);
      o.end();
      all += (all.size() > 1 ? "," : "") + one;
    }
    done(*lane, op, MW_OK, 0, all + "]");
  });
  return MW_OK;
}

}  // namespace mw::mesh
