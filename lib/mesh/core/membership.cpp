#include "mesh/core/membership.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

// Beyond this the process itself stood still, and its deadlines mean nothing.
constexpr int64_t kStall = 400;
constexpr int kWorstHealth = 4;
constexpr size_t kMaxGuests = 64;

}  // namespace

Membership::Membership(Roster& roster, const MembershipConfig& config, int64_t now)
    : roster_(roster),
      config_(config),
      view_(roster),
      random_(mix(config.seed ^ hash_text(config.name))),
      self_(roster.slot(config.name)),
      now_(now) {
  // Not all at the same moment.
  probe_at_ = now + random_.below(static_cast<uint32_t>(config_.probe_interval));
  sync_at_ = now + config_.sync_interval / 2 + random_.below(static_cast<uint32_t>(config_.sync_interval));
  Outputs none;
  out_ = &none;
  if (config_.manager) {
    roster_.pin(self_);  // its place in the ring says whom it watches
    joined_ = true;
  } else {
    set_own(Life::alive, config_.incarnation, 1);
  }
  reschedule();
}

Membership::~Membership() {
  for (const auto& [slot, dispute] : disputes_) roster_.unref(dispute.fact);
  for (const Slot slot : met_) roster_.unpin(slot);
  if (config_.manager) roster_.unpin(self_);
}

const Fact* Membership::fact(Slot slot) const noexcept {
  const FactId id = view_.at(slot);
  return id == 0 ? nullptr : &roster_[id];
}

bool Membership::suspects(Slot slot) const noexcept {
  return std::any_of(watches_.begin(), watches_.end(),
                     [&](const Watch& w) { return w.slot == slot && w.phase == Watch::Phase::suspect; });
}

void Membership::step(const Input& in, int64_t now, Outputs& out) {
  out_ = &out;
  now_ = std::max(now, now_);
  const bool leaving = std::holds_alternative<input::Leave>(in);
  if (!left_ && !yielded_) {
    if (now_ - due_ > kStall && !leaving) stalled(now_ - due_);
    std::visit([this](const auto& i) { on(i); }, in);
    // Who is still reading the list has no need to find its place with every page.
    if (moved_ && (joined_ || std::holds_alternative<input::Tick>(in))) neighbours();
  }
  reschedule();
  out_ = nullptr;
}

void Membership::reschedule() noexcept {
  due_ = INT64_MAX;
  if (left_ || yielded_) return;
  due_ = std::min({probe_at_, flush_at_, sync_at_, dispute_at_});
  if (sync_peer_ != kNoSlot) due_ = std::min(due_, sync_until_);
  for (const Watch& w : watches_) due_ = std::min(due_, w.deadline);
  for (const Errand& e : errands_) due_ = std::min(due_, e.deadline);
  due_ = std::max(due_, now_);  // what is late counts from here: the next step is no second stall
}

void Membership::on(const input::Tick&) {
  watch_deadlines();
  if (now_ >= probe_at_) {
    probe_all();
    view_.expire(now_);
    std::erase_if(vouched_, [&](const auto& v) { return view_.at(v.first) == 0; });
    probe_at_ = now_ + config_.probe_interval;
  }
  if (now_ >= flush_at_) flush();
  if (now_ >= dispute_at_) settle_disputes();
  if (sync_peer_ != kNoSlot && now_ >= sync_until_) sync_done();
  if (now_ >= sync_at_) sync_some();
}

void Membership::on(const input::Received& in) {
  MessageView m;
  if (!parse_message(in.bytes, m, out_->why)) {
    out_->violation = true;
    return;
  }
  if (in.from == self_) return;
  heard_from(in.from);
  back_.clear();
  quiet_ = m.kind == Kind::records && !joined_;
  from_manager_ = in.manager;
  told_forged_ = false;
  for (RecordView record; m.records.left() != 0 && next_record(m.records, record);) merge(record, in.from);
  quiet_ = false;
  if (!back_.empty()) send_records(in.from, back_, false);
  if (yielded_) return;
  answer(in.from, m);
}

void Membership::answer(Slot from, const MessageView& m) {
  switch (m.kind) {
    case Kind::ping: return on_ping(from, m);
    case Kind::ack: return on_ack(from);
    case Kind::probe: return on_probe(from, m);
    case Kind::found: return on_found(m);
    case Kind::lost: return on_lost(from, m);
    case Kind::gossip:
    case Kind::schema: return;  // of no membership
    case Kind::sync: return on_sync(from, m);
    case Kind::tree: return on_tree(from, m);
    case Kind::keys: return on_keys(from, m);
    case Kind::want: return on_want(from, m);
    case Kind::records:
      if ((m.flags & kEnd) != 0 && from == sync_peer_) sync_next();
      return;
  }
}

void Membership::on(const input::Met& in) {
  const Slot slot = roster_.slot(in.name);
  if (slot == kNoSlot || slot == self_) return;
  // Whom this member takes for dead is told so, and can object.
  if (view_.at(slot) != 0 && !view_.alive(slot)) tell(slot, slot);
  if (met_.insert(slot).second) roster_.pin(slot);
  if (managed_member() && in.manager) managers_.insert(slot);
  const bool has_link = std::any_of(links_.begin(), links_.end(), [&](const Link& l) { return l.slot == slot; });
  if ((config_.manager || managers_.contains(slot)) && !has_link) {  // all news go there
    links_.emplace_back().slot = slot;
    if (!config_.manager) flush_at_ = std::min(flush_at_, now_ + config_.gossip_delay);
  }
  if (!joined_ && sync_peer_ == kNoSlot && may_ask(slot)) {
    sync_with(slot);
  } else {
    tell(slot, self_);
  }
}

void Membership::on(const input::Lost& in) {
  if (sync_peer_ == in.member) sync_done();
  const bool known = view_.at(in.member) != 0;
  if (met_.erase(in.member) != 0) roster_.unpin(in.member);
  if (managers_.erase(in.member) != 0 || config_.manager)
    std::erase_if(links_, [&](const Link& l) { return l.slot == in.member; });
  if (!known) return;
  if (const auto d = disputes_.find(in.member); config_.managed && d != disputes_.end())
    dispute_at_ = d->second.until = now_;  // it cannot object
  for (const Errand& e : errands_) {
    if (e.target != in.member) continue;
    MessageWriter lost(Kind::lost);
    lost.number(e.asked_seq).byte(static_cast<uint8_t>(kClosed | (in.refused ? kRefused : 0)));
    send(e.asker, lost);
  }
  std::erase_if(errands_, [&](const Errand& e) { return e.target == in.member; });
  Watch* w = watched(in.member);
  if (w == nullptr && config_.manager && view_.alive(in.member) && watches_.size() < kMaxGuests) {
    w = &watches_.emplace_back(in.member);
    w->heard = now_;
  }
  if (w == nullptr) return;
  const bool news = !w->closed;
  w->closed = true;
  w->refused |= in.refused;
  if (w->phase != Watch::Phase::suspect) {
    suspect(*w);
  } else if (news) {
    ask_helpers(*w);
  }
  judge_closed(*w);
}

void Membership::on(const input::Doubt& in) {
  if (!view_.alive(in.member) || in.member == self_ || watched(in.member) != nullptr) return;
  if (watches_.size() >= kMaxGuests) return;
  Watch& w = watches_.emplace_back(in.member);
  w.guest = true;
  w.heard = now_;
  ask_directly(w);
  moved_ = true;
}

void Membership::on(const input::Change& in) {
  if (config_.manager) return;
  config_.address = in.address;
  config_.meta = in.meta;
  const Version own = fact(self_)->version;
  set_own(Life::alive, own.incarnation, own.revision + 1);
}

void Membership::on(const input::Leave&) {
  if (!config_.manager) {
    const Version own = fact(self_)->version;
    set_own(Life::left, own.incarnation, own.revision);
  }
  flush();
  left_ = true;
}

void Membership::stalled(int64_t late) {
  say(News::stalled, self_, 0, late);
  health_ = std::min(health_ + 2, kWorstHealth);
  // Whoever seemed silent was perhaps only not listened to.
  for (Watch& w : watches_) {
    w.heard = now_;
    w.accusers.clear();
    if (w.phase == Watch::Phase::suspect) {
      w.since = now_;
      set_patience(w);
    } else {
      w.phase = Watch::Phase::idle;
      w.deadline = INT64_MAX;
    }
  }
  errands_.clear();
  for (auto& [slot, dispute] : disputes_) dispute.until += late;
  if (dispute_at_ != INT64_MAX) dispute_at_ += late;
  sync_until_ = std::max(sync_until_, now_ + config_.sync_interval / 2);
  probe_at_ = now_;
  if (late > config_.remember / 2) start_over();
}

void Membership::start_over() {
  // What was known may be a list of ghosts, whose deaths the others have
  // forgotten by now: neighbours are asked, the rest is learnt anew.
  for (Slot slot = 0; slot < roster_.slots(); slot++) {
    if (slot == self_ || view_.at(slot) == 0) continue;
    if (std::find(linked_.begin(), linked_.end(), slot) != linked_.end()) continue;
    if (view_.alive(slot)) say(News::down, slot, 0);
    view_.forget(slot);
  }
  for (Link& link : links_) link.queue.clear();
  joined_ = false;
  moved_ = true;
  sync_peer_ = kNoSlot;
  sync_at_ = now_;
}

void Membership::send(Slot to, MessageWriter& message) {
  for (Link& link : links_)
    if (link.slot == to && !link.queue.empty()) put_queue(link, message, 1200);
  out_->sends.push_back({to, message.take()});
}

}  // namespace mw::mesh::core
