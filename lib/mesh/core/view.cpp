#include "mesh/core/view.hpp"

#include <algorithm>

namespace mw::mesh::core {

void View::count(FactId id, bool in) noexcept {
  const Fact& fact = roster_[id];
  in ? known_++ : known_--;
  if (fact.life != Life::alive) return;
  in ? alive_++ : alive_--;
  tree_[roster_.bucket(fact.slot)] ^= fact.hash;
  root_ ^= fact.hash;
}

void View::set(Slot slot, FactId fact) {
  if (slot >= entries_.size()) entries_.resize(std::max<size_t>(roster_.slots(), slot + 1));
  const FactId old = entries_[slot] >> 1;
  entries_[slot] = fact << 1 | (roster_[fact].life == Life::alive ? 1 : 0);
  count(fact, true);
  dig_up(slot);
  if (old == 0) return;
  count(old, false);
  roster_.unref(old);
}

void View::forget(Slot slot) {
  const FactId old = at(slot);
  if (old == 0) return;
  dig_up(slot);
  count(old, false);
  entries_[slot] = 0;
  roster_.unref(old);
}

void View::clear() {
  for (Slot slot = 0; slot < entries_.size(); slot++) forget(slot);
}

void View::bury(Slot slot, int64_t died, int64_t until) {
  dig_up(slot);
  grave_of_[slot] = graves_.size();
  graves_.push_back({slot, died, until});
  next_expiry_ = std::min(next_expiry_, until);
}

void View::dig_up(Slot slot) {
  const auto it = grave_of_.find(slot);
  if (it == grave_of_.end()) return;
  graves_[it->second] = graves_.back();
  grave_of_[graves_.back().slot] = it->second;
  graves_.pop_back();
  grave_of_.erase(slot);
}

void View::expire(int64_t now) {
  if (now < next_expiry_) return;
  next_expiry_ = INT64_MAX;
  for (size_t i = 0; i < graves_.size();) {
    const Grave grave = graves_[i];
    if (grave.until <= now) {
      forget(grave.slot);  // another one takes its place
    } else {
      next_expiry_ = std::min(next_expiry_, grave.until);
      i++;
    }
  }
  next_expiry_ = std::max(next_expiry_, now + 1000);  // many deaths, one look
}

int64_t View::died(Slot slot) const noexcept {
  const auto it = grave_of_.find(slot);
  return it == grave_of_.end() ? INT64_MIN : graves_[it->second].died;
}

Slot View::some_dead(Random& random) const noexcept {
  for (int tries = 0; tries < 8 && !graves_.empty(); tries++) {
    const Slot slot = graves_[random.below(static_cast<uint32_t>(graves_.size()))].slot;
    const Fact& fact = roster_[at(slot)];
    if (fact.life == Life::dead && !fact.address.empty()) return slot;
  }
  return kNoSlot;
}

Slot View::some_alive(Random& random) const noexcept {
  for (int tries = 0; tries < 32 && !entries_.empty(); tries++) {
    const Slot slot = random.below(static_cast<uint32_t>(entries_.size()));
    if (alive(slot)) return slot;
  }
  return kNoSlot;
}

}  // namespace mw::mesh::core
