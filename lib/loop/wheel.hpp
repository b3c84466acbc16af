// A hierarchical timer wheel (Varghese and Lauck, 1987): 1 ms ticks, five
// levels of 64 slots, intrusive nodes, no allocation. Owned by a lane; one thread.
#pragma once
#include <cstdint>

namespace mw::loop {

struct Timer {
  Timer* prev_timer = nullptr;  // null: not in a wheel
  Timer* next_timer = nullptr;
  uint64_t at = 0;  // ms of the lane's clock
  virtual void expired() noexcept = 0;

 protected:
  ~Timer() = default;
};

class Wheel {
 public:
  Wheel();
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;
  // (Re)starts a timer; at in the past expires at the next advance.
  void set(Timer& t, uint64_t at) noexcept;
  static void cancel(Timer& t) noexcept;
  static bool pending(const Timer& t) noexcept { return t.prev_timer != nullptr; }
  // Expires all that is due at now; what they set anew for now waits for the next advance.
  void advance(uint64_t now) noexcept;
  void reset(uint64_t now) noexcept { now_ = now; }
  // No timer expires before this; UINT64_MAX if there is none. May be early.
  uint64_t next() const noexcept { return soonest_; }

 private:
  static constexpr int kLevels = 5, kBits = 6, kSlots = 1 << kBits;
  struct Head final : Timer {
    void expired() noexcept override {}
  };
  void insert(Timer& t) noexcept;
  uint64_t scan() const noexcept;
  Head slots_[kLevels][kSlots];
  uint64_t soonest_ = UINT64_MAX;  // kept low by set, made exact by advance
  // No slot above the lowest level that holds a timer begins before this: at
  // its begin it must be emptied downwards, or it waits a whole turn.
  uint64_t edge_ = UINT64_MAX;
  uint64_t now_ = 0;  // every tick up to and including this has run
};

}  // namespace mw::loop
