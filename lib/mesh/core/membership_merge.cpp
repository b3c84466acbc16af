// What a member believes of what it is told.
#include "mesh/core/catalog.hpp"
#include "mesh/core/membership.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

constexpr int64_t kFresh = 10'000;  // a verdict not older than this is believed at once

}  // namespace

void Membership::merge(const RecordView& record, Slot from) {
  Slot slot = roster_.find(hash_text(record.name));
  if (slot != kNoSlot && roster_.name(slot) != record.name) return;  // two names of one hash: the first stays
  if (config_.managed && !from_manager_ && !may_say(record, slot, from)) return;
  if (slot == self_) return merge_own(record, from);
  const Fact* old = slot == kNoSlot ? nullptr : fact(slot);
  if (old != nullptr && record.version <= old->version) {
    // Who takes a dead one for alive has missed something, or a living one for
    // dead; who only knows less of a living one has news under way.
    if (old->version.gone != record.version.gone) back_.push_back(slot);
    return;
  }
  if (old == nullptr && !takes_one_more()) return;
  const int64_t died = now_ - static_cast<int64_t>(record.age_ms);
  if (record.version.gone && died + config_.remember <= now_ && (old == nullptr || old->version.gone)) return;
  if (slot == kNoSlot) slot = roster_.slot(record.name);
  if (const auto it = disputes_.find(slot);
      it != disputes_.end() && !from_manager_ && record.version <= roster_[it->second.fact].version)
    return;
  const FactId id = roster_.intern(slot, record);
  if (managed_member() && from_manager_ && !record.version.gone)
    vouched_[slot] = {record.version.instance, std::string(role_of(record.meta))};
  bool doubtful = record.life == Life::dead && view_.alive(slot) &&
                  (static_cast<int64_t>(record.age_ms) > kFresh || hears(slot));
  if (config_.managed)
    doubtful = record.version.gone && !from_manager_ && from != slot && (!config_.manager || met_.contains(slot));
  doubtful ? dispute(slot, id, from, died) : apply(slot, id, from, died);
}

// In a managed mesh, of somebody who is no manager: whether it may say this.
// Of itself that it is there, to a manager; to others as long as a manager said
// the same of its process and its role. Of others that the very process that is
// held for alive is gone. Whom there is besides is not its to say, and told.
bool Membership::may_say(const RecordView& record, Slot slot, Slot from) {
  const Fact* old = slot == kNoSlot ? nullptr : fact(slot);
  const bool of_itself = slot != kNoSlot ? slot == from : record.name == roster_.name(from);
  if (of_itself && !record.version.gone) {
    if (config_.manager) return !config_.admits || config_.admits(from, record);
    const auto v = vouched_.find(from);
    return v != vouched_.end() && v->second.instance == record.version.instance && v->second.role == role_of(record.meta);
  }
  if (!record.version.gone) {
    if (!std::exchange(told_forged_, true)) say(News::forged, from, 0);
    return false;
  }
  return old != nullptr && !old->version.gone && old->version.instance == record.version.instance &&
         (of_itself || record.version.incarnation <= old->version.incarnation);
}

bool Membership::takes_one_more() {
  if (view_.known() < config_.max_members) {
    full_ = false;
    return true;
  }
  if (!full_) say(News::full, self_, 0);
  full_ = true;
  return false;
}

void Membership::merge_own(const RecordView& record, Slot from) {
  const Version own = fact(self_)->version, &said = record.version;
  if (said.incarnation < own.incarnation) {
    back_.push_back(self_);
    return;
  }
  if (said.instance == own.instance) {
    // What this member said itself, or what somebody made of it.
    if (!said.gone && said.incarnation == own.incarnation &&
        (said.revision < own.revision ||
         (said.revision == own.revision && record.address == config_.address && record.meta == config_.meta)))
      return;
    set_own(Life::alive, said.incarnation + 1, own.revision);
    if (said.gone) say(News::refuted, from, view_.at(self_));
    if (config_.managed) back_.push_back(self_);  // nobody else would pass it on
    return;
  }
  // Another process has, or had, this name. If it answers what is said here,
  // it lives, and the newer of the two stays.
  if (!said.gone) {
    if (rival_ == said.instance && said.incarnation > rival_incarnation_ && said.instance > own.instance) {
      yielded_ = true;
      say(News::replaced, from, 0);
      return;
    }
    rival_ = said.instance;
    rival_incarnation_ = said.incarnation;
  }
  set_own(Life::alive, said.incarnation + 1, own.revision);
}

void Membership::set_own(Life life, uint64_t incarnation, uint64_t revision) {
  RecordView own;
  own.life = life;
  own.version = {incarnation, life != Life::alive, config_.instance, revision};
  own.address = config_.address;
  if (life == Life::alive) own.meta = config_.meta;
  own.by = config_.name;
  view_.set(self_, roster_.intern(self_, own));
  spread(self_, kNoSlot);
}

void Membership::apply(Slot slot, FactId id, Slot from, int64_t died) {
  if (const auto it = disputes_.find(slot); it != disputes_.end()) {
    roster_.unref(it->second.fact);
    disputes_.erase(it);
  }
  const Fact& fact = roster_[id];
  const bool alive = !fact.version.gone, was = view_.alive(slot);
  bool changed = false;
  if (was && alive) {
    const Fact& old = *this->fact(slot);
    changed = old.version.instance != fact.version.instance || old.address != fact.address || old.meta != fact.meta;
  }
  view_.set(slot, id);
  if (alive && !was) {
    say(News::up, slot, id);
  } else if (changed) {
    say(News::changed, slot, id);
  } else if (!alive && was) {
    say(News::down, slot, id);
  }
  moved_ |= alive != was;
  if (!alive) {
    view_.bury(slot, died, died + config_.remember);
    std::erase_if(watches_, [&](const Watch& w) { return w.slot == slot; });
  } else if (Watch* w = watched(slot); w != nullptr) {
    alive_after_all(*w);  // it speaks for itself
  }
  if (!quiet_) spread(slot, from);
}

bool Membership::hears(Slot slot) noexcept {
  const Watch* w = watched(slot);
  return w != nullptr && w->phase == Watch::Phase::idle && now_ - w->heard < 2 * config_.probe_interval;
}

void Membership::dispute(Slot slot, FactId id, Slot from, int64_t died) {
  const auto [it, fresh] = disputes_.try_emplace(slot);
  if (!fresh) roster_.unref(it->second.fact);
  it->second = {id, died, now_ + (config_.managed ? 2 * config_.probe_timeout : config_.dispute)};
  dispute_at_ = std::min(dispute_at_, it->second.until);
  if (config_.managed) return tell_condemned(slot);  // a manager's word would be believed at once
  if (hears(slot)) tell(slot, slot);
  spread(slot, from);
}

void Membership::tell_condemned(Slot slot) {
  const Dispute& d = disputes_[slot];
  MessageWriter gossip(Kind::gossip);
  gossip.record(roster_, roster_[d.fact], static_cast<uint64_t>(std::max<int64_t>(0, now_ - d.died)));
  send(slot, gossip);
}

void Membership::settle_disputes() {
  dispute_at_ = INT64_MAX;
  std::vector<Slot> over;
  for (auto& [slot, d] : disputes_) {
    if (d.until <= now_ && hears(slot)) {
      d.until = now_ + config_.dispute;
      config_.managed ? tell_condemned(slot) : tell(slot, slot);
    }
    d.until <= now_ ? over.push_back(slot) : void(dispute_at_ = std::min(dispute_at_, d.until));
  }
  std::sort(over.begin(), over.end());  // the same order in every run
  for (const Slot slot : over) {
    const Dispute d = disputes_[slot];
    roster_.ref(d.fact);  // apply() gives the dispute's own back
    apply(slot, d.fact, kNoSlot, d.died);
  }
}

}  // namespace mw::mesh::core
