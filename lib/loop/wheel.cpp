#include "loop/wheel.hpp"

#include <algorithm>

namespace mw::loop {

namespace {

void link(Timer& head, Timer& t) noexcept {
  t.prev_timer = head.prev_timer;
  t.next_timer = &head;
  head.prev_timer->next_timer = &t;
  head.prev_timer = &t;
}

// Moves a whole list to an empty head.
void splice(Timer& from, Timer& to) noexcept {
  to.prev_timer = to.next_timer = &to;
  if (from.next_timer == &from) return;
  to.next_timer = from.next_timer;
  to.prev_timer = from.prev_timer;
  to.next_timer->prev_timer = &to;
  to.prev_timer->next_timer = &to;
  from.prev_timer = from.next_timer = &from;
}

}  // namespace

Wheel::Wheel() {
  for (auto& level : slots_)
    for (auto& head : level) head.prev_timer = head.next_timer = &head;
}

void Wheel::cancel(Timer& t) noexcept {
  if (t.prev_timer == nullptr) return;
  t.prev_timer->next_timer = t.next_timer;
  t.next_timer->prev_timer = t.prev_timer;
  t.prev_timer = t.next_timer = nullptr;
}

void Wheel::insert(Timer& t) noexcept {
  uint64_t at = std::max(t.at, now_ + 1);
  uint64_t delta = at - now_;
  int level = 0;
  while (level < kLevels - 1 && delta >= (1ull << (kBits * (level + 1)))) ++level;
  constexpr uint64_t kFar = (1ull << (kBits * kLevels)) - 1;
  if (delta > kFar) at = now_ + kFar;  // comes round again and is inserted anew
  link(slots_[level][(at >> (kBits * level)) & (kSlots - 1)], t);
  if (level > 0) edge_ = std::min(edge_, at >> (kBits * level) << (kBits * level));
}

void Wheel::set(Timer& t, uint64_t at) noexcept {
  cancel(t);
  t.at = at;
  insert(t);
  soonest_ = std::min(soonest_, std::max(at, now_ + 1));
}

void Wheel::advance(uint64_t now) noexcept {
  if (soonest_ > now && edge_ > now) {  // nothing due, nothing to move down: skip the ticks between
    now_ = std::max(now_, now);
    return;
  }
  Head due;
  while (now_ < now) {
    ++now_;
    for (int level = 1; level < kLevels; ++level) {
      if ((now_ & ((1ull << (kBits * level)) - 1)) != 0) break;
      Head moved;
      splice(slots_[level][(now_ >> (kBits * level)) & (kSlots - 1)], moved);
      while (moved.next_timer != &moved) {
        Timer& t = *moved.next_timer;
        cancel(t);
        if (t.at <= now_)
          link(slots_[0][now_ & (kSlots - 1)], t);
        else
          insert(t);
      }
    }
    splice(slots_[0][now_ & (kSlots - 1)], due);
    while (due.next_timer != &due) {
      Timer& t = *due.next_timer;
      cancel(t);
      if (t.at > now_)
        insert(t);  // was clamped
      else
        t.expired();  // noexcept
    }
    if (uint64_t n = scan(); n > now_ + 1) now_ = std::max(now_, std::min(now, n - 1));
  }
  soonest_ = edge_ = scan();
}

uint64_t Wheel::scan() const noexcept {
  // The first occupied slot of a level bounds it from below; the answer is the least.
  uint64_t best = UINT64_MAX;
  for (int level = 0; level < kLevels; ++level) {
    int shift = kBits * level;
    uint64_t base = now_ >> shift;
    for (int i = level == 0 ? 1 : 0; i <= kSlots; ++i) {
      const Head& h = slots_[level][(base + static_cast<uint64_t>(i)) & (kSlots - 1)];
      if (h.next_timer == &h) continue;
      uint64_t at = (base + static_cast<uint64_t>(i)) << shift;
      if (level > 0 && i == 0) at = (base + kSlots) << shift;  // this slot has passed: a full turn
      best = std::min(best, std::max(at, now_ + 1));
      if (i != 0) break;
    }
  }
  return best;
}

}  // namespace mw::loop
