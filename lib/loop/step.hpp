// A timer whose time is a step of its owner, an object with a home lane. A step
// that throws, for want of memory, is taken again. Used by link and mesh.
#pragma once
#include "loop/lane.hpp"

namespace mw::loop {

template <class Owner>
class Step final : public Timer {
 public:
  Step(Owner* owner, void (Owner::*step)()) : owner_(owner), step_(step) {}
  void expired() noexcept override {
    try {
      (owner_->*step_)();
    } catch (...) {
      owner_->lane->wheel.set(*this, owner_->lane->now() + kAgain);
    }
  }

 private:
  static constexpr uint64_t kAgain = 20;  // ms
  Owner* const owner_;
  void (Owner::*const step_)();
};

}  // namespace mw::loop
