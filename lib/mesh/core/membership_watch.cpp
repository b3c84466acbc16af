// Whom a member watches, and how it judges them: probe, probe through others,
// suspicion, verdict.
#include "mesh/core/membership.hpp"

#include <algorithm>
#include <cmath>

namespace mw::mesh::core {
namespace {

constexpr size_t kMaxWatches = 16;  // the suspected included
constexpr size_t kMaxErrands = 64;
constexpr int kWorstHealth = 4;

uint8_t link_flags(bool closed, bool refused) noexcept {
  return static_cast<uint8_t>((closed ? kClosed : 0) | (refused ? kRefused : 0));
}
bool contains(const std::vector<Slot>& in, Slot slot) noexcept {
  return std::find(in.begin(), in.end(), slot) != in.end();
}
void add(std::vector<Slot>& to, Slot slot) {
  if (!contains(to, slot)) to.push_back(slot);
}

}  // namespace

Membership::Watch* Membership::watched(Slot slot) noexcept {
  for (Watch& w : watches_)
    if (w.slot == slot) return &w;
  return nullptr;
}

std::vector<Slot> Membership::watchers(Slot slot) const {
  std::vector<Slot> found;
  roster_.walk(0, slot, false, [&](Slot s) {
    if (view_.alive(s)) found.push_back(s);
    return found.size() < config_.watch;
  });
  return found;
}

void Membership::neighbours() {
  moved_ = false;
  for (Watch& w : watches_) w.wanted = false;
  const bool alone = others() == 0;  // a walk would go all around for nothing
  // The next few in the ring, and beyond those that do not answer.
  size_t healthy = 0, all = 0;
  if (!alone) roster_.walk(0, self_, true, [&](Slot slot) {
    if (!view_.alive(slot)) return true;
    Watch* w = watched(slot);
    if (w == nullptr) {
      w = &watches_.emplace_back(slot);
      w->heard = now_;
    }
    w->wanted = true;
    w->guest = false;
    healthy += w->phase != Watch::Phase::suspect;
    return healthy < config_.watch && ++all < kMaxWatches;
  });
  // Others are to judge whom this one no longer watches.
  for (Watch& w : watches_) w.guest |= !w.wanted;
  std::erase_if(watches_, [](const Watch& w) { return w.guest && w.phase == Watch::Phase::idle; });

  std::vector<Slot> beside;
  for (size_t ring = 0; ring < kRings && !alone && !config_.manager; ring++) {
    for (const bool forwards : {true, false}) {
      roster_.walk(ring, self_, forwards, [&](Slot slot) {
        if (view_.alive(slot)) add(beside, slot);
        return !view_.alive(slot);
      });
    }
  }
  if (!config_.manager)
    std::erase_if(links_, [&](const Link& l) { return !contains(beside, l.slot) && !managers_.contains(l.slot); });
  for (const Slot slot : beside) {
    if (std::any_of(links_.begin(), links_.end(), [&](const Link& l) { return l.slot == slot; })) continue;
    links_.emplace_back().slot = slot;
    flush_at_ = std::min(flush_at_, now_ + config_.gossip_delay);
  }

  for (const Watch& w : watches_) add(beside, w.slot);
  for (const Slot slot : linked_)
    if (!contains(beside, slot)) out_->links.push_back({slot, false});
  for (const Slot slot : beside)
    if (!contains(linked_, slot)) out_->links.push_back({slot, true});
  linked_ = std::move(beside);
}

void Membership::probe_all() {
  for (Watch& w : watches_) {
    if (w.phase == Watch::Phase::idle) {
      ask_directly(w);
    } else if (w.phase == Watch::Phase::suspect) {
      MessageWriter ping(Kind::ping);
      ping.number(++seq_).byte(kSuspected);
      send(w.slot, ping);
      ask_helpers(w, true);
    }
  }
}

void Membership::ask_directly(Watch& w) {
  MessageWriter ping(Kind::ping);
  ping.number(++seq_).byte(0);
  send(w.slot, ping);
  if (w.phase != Watch::Phase::idle) return;
  w.phase = Watch::Phase::direct;
  w.deadline = now_ + probe_patience();
}

void Membership::ask_helpers(Watch& w, bool again) {
  if (w.seq == 0) w.seq = ++seq_;
  w.helpers.clear();
  w.answered.clear();
  w.closed_too.clear();
  auto may_help = [&](Slot s) { return s != kNoSlot && s != self_ && s != w.slot && !suspects(s); };
  // The other watchers have a link to it already.
  for (const Slot s : watchers(w.slot))
    if (may_help(s)) add(w.helpers, s);
  // Should they not reach it either, or not be reached, others are asked, in
  // every round two by chance: first neighbours, to whom there is a link.
  const size_t enough = again ? w.helpers.size() + 2 : 2;
  for (int tries = 0; w.helpers.size() < enough && tries < 8; tries++) {
    const Slot s = tries < 4 && !links_.empty() ? links_[random_.below(static_cast<uint32_t>(links_.size()))].slot
                                                : view_.some_alive(random_);
    if (may_help(s)) add(w.helpers, s);
  }
  const uint8_t flags = static_cast<uint8_t>((w.phase == Watch::Phase::suspect ? kSuspected : 0) | (w.closed ? kClosed : 0));
  for (const Slot s : w.helpers) {
    MessageWriter probe(Kind::probe);
    probe.number(w.seq).u64(roster_.key(w.slot)).byte(flags);
    send(s, probe);
  }
}

void Membership::watch_deadlines() {
  std::vector<Slot> due;
  for (const Watch& w : watches_)
    if (w.deadline <= now_) due.push_back(w.slot);
  for (const Slot slot : due) {
    Watch* w = watched(slot);
    if (w == nullptr || w->deadline > now_) continue;
    switch (w->phase) {
      case Watch::Phase::idle: w->deadline = INT64_MAX; break;
      case Watch::Phase::direct:
        w->phase = Watch::Phase::indirect;
        w->deadline = now_ + probe_patience();
        ask_directly(*w);
        ask_helpers(*w);
        break;
      case Watch::Phase::indirect: suspect(*w); break;
      case Watch::Phase::suspect: judge(*w); break;
    }
  }
  for (const Errand& e : errands_) {
    if (e.deadline > now_) continue;
    const Watch* w = watched(e.target);
    MessageWriter lost(Kind::lost);
    lost.number(e.asked_seq).byte(w == nullptr ? 0 : link_flags(w->closed, w->refused));
    send(e.asker, lost);
  }
  std::erase_if(errands_, [&](const Errand& e) { return e.deadline <= now_; });
}

void Membership::suspect(Watch& w) {
  // Helpers that say nothing at all tell something about this member's own links.
  if (!w.closed && w.answered.empty()) health_ = std::min(health_ + 1, kWorstHealth);
  w.phase = Watch::Phase::suspect;
  w.since = now_;
  w.witness = false;
  moved_ = true;
  say(News::suspect, w.slot, view_.at(w.slot), now_ - w.heard);
  set_patience(w);
  if (w.closed) ask_directly(w);  // makes the node dial again
  ask_helpers(w);
}

void Membership::set_patience(Watch& w) noexcept {
  // Lifeguard: from the longest to the shortest as the others agree.
  const double longest = 1.2 * static_cast<double>(config_.suspect), shortest = 0.8 * static_cast<double>(config_.suspect);
  const size_t others = std::max<size_t>(1, config_.watch - 1);
  const size_t agree = std::min(w.accusers.size(), others);
  const double part = std::log2(static_cast<double>(agree + 1)) / std::log2(static_cast<double>(others + 1));
  w.deadline = w.since + static_cast<int64_t>(longest - (longest - shortest) * part);
}

void Membership::judge(Watch& w) {
  if (w.guest && !config_.manager) {
    // The verdict comes from its watchers, or nobody shares the suspicion.
    if (now_ - w.since < 10 * config_.suspect) {
      w.deadline = now_ + config_.suspect;
    } else {
      alive_after_all(w);
    }
    return;
  }
  if (w.witness || others() <= 1) return condemn(w, w.closed ? Why::closed : Why::silent);
  // Nobody answers: more likely this member is cut off than all others are gone.
  if (!alone_) say(News::alone, self_, 0);
  alone_ = true;
  const int64_t patience = w.since + 4 * config_.suspect;
  if (now_ < patience) {
    w.deadline = patience;
  } else {
    condemn(w, Why::alone);
  }
}

void Membership::judge_closed(const Watch& w) {
  // All its links closed and nobody listens there: a process that ended. One
  // that only closed links is asked on, as if it were silent.
  if (!w.closed || !w.refused || (w.guest && !config_.manager)) return;
  const bool by_all = !w.helpers.empty() && w.closed_too.size() == w.helpers.size();
  if (by_all || others() <= 1) condemn(w, Why::closed);
}

void Membership::condemn(const Watch& w, Why why) {
  const Slot slot = w.slot;  // w goes with the verdict
  const Fact& known = *fact(slot);
  RecordView verdict;
  verdict.life = Life::dead;
  verdict.version = known.version;
  verdict.version.gone = true;
  verdict.address = known.address;
  verdict.why = why;
  verdict.silent_ms = static_cast<uint64_t>(std::clamp<int64_t>(now_ - w.heard, 0, UINT32_MAX));
  verdict.agreed = w.accusers.size();
  verdict.by = config_.name;
  apply(slot, roster_.intern(slot, verdict), kNoSlot, now_);
}

void Membership::alive_after_all(Watch& w) {
  if (w.phase == Watch::Phase::suspect) {
    say(News::trusted, w.slot, view_.at(w.slot));
    moved_ = true;
  }
  moved_ |= w.guest;
  w.phase = Watch::Phase::idle;
  w.deadline = INT64_MAX;
  w.heard = now_;
  w.closed = w.refused = false;
  w.seq = 0;
  w.accusers.clear();
}

void Membership::heard_from(Slot from) {
  alone_ = false;
  bool known = false;
  for (Watch& w : watches_) {
    if (w.slot != from) {
      w.witness = true;
      continue;
    }
    known = true;
    if (w.phase == Watch::Phase::direct && health_ > 0) health_--;
    if (w.phase == Watch::Phase::idle) w.heard = now_;
    else alive_after_all(w);
  }
  if (known || view_.alive(from) || managers_.contains(from)) return;
  if (view_.at(from) != 0) {
    tell(from, from);  // taken for dead: it may object
  } else if (!managed_member()) {
    MessageWriter want(Kind::want);
    want.number(1).u64(roster_.key(from));
    send(from, want);
  }
}

void Membership::on_ping(Slot from, const MessageView& m) {
  // To be suspected is a sign of being slow.
  if ((m.flags & kSuspected) != 0) health_ = std::min(health_ + 1, kWorstHealth);
  MessageWriter ack(Kind::ack);
  ack.number(m.seq);
  send(from, ack);
}

void Membership::on_ack(Slot from) {
  for (const Errand& e : errands_) {
    if (e.target != from) continue;
    MessageWriter found(Kind::found);
    found.number(e.asked_seq);
    send(e.asker, found);
  }
  std::erase_if(errands_, [&](const Errand& e) { return e.target == from; });
}

void Membership::on_probe(Slot from, const MessageView& m) {
  const Slot target = roster_.find(m.key);
  if (target == self_) {
    MessageWriter found(Kind::found);
    found.number(m.seq);
    return send(from, found);
  }
  Watch* w = target == kNoSlot ? nullptr : watched(target);
  if (w != nullptr && (m.flags & kSuspected) != 0) {
    add(w->accusers, from);
    if (w->phase == Watch::Phase::suspect) set_patience(*w);
  }
  const bool known = target != kNoSlot && view_.alive(target);
  if (!known || (w != nullptr && w->closed)) {
    MessageWriter lost(Kind::lost);
    lost.number(m.seq).byte(known ? link_flags(w->closed, w->refused) : 0);
    if (!known && target != kNoSlot) put_record(lost, target, kMaxMessage);
    return send(from, lost);
  }
  if (errands_.size() >= kMaxErrands) return;
  errands_.push_back({target, from, m.seq, now_ + config_.probe_timeout});
  MessageWriter ping(Kind::ping);
  ping.number(++seq_).byte(m.flags & kSuspected);
  send(target, ping);
}

void Membership::on_found(const MessageView& m) {
  for (Watch& w : watches_) {
    if (w.seq == 0 || w.seq != m.seq) continue;
    // Others reach it and this member does not: perhaps the fault is here.
    health_ = std::min(health_ + 1, kWorstHealth);
    return alive_after_all(w);
  }
}

void Membership::on_lost(Slot from, const MessageView& m) {
  for (Watch& w : watches_) {
    if (w.seq == 0 || w.seq != m.seq || !contains(w.helpers, from)) continue;
    add(w.answered, from);
    if ((m.flags & kClosed) != 0) add(w.closed_too, from);
    w.refused |= (m.flags & kRefused) != 0;
    return judge_closed(w);
  }
}

}  // namespace mw::mesh::core
