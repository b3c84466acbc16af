// A command that its object carries, for what must happen without asking for
// memory: in a queue at most once at a time. post: any thread.
#pragma once
#include "loop/command.hpp"

namespace mw::link {

template <class T>
class Step final : public loop::Command {
 public:
  Step(T& object, void (T::*fn)()) noexcept : object_(object), fn_(fn) {}
  void run(loop::Lane&, bool dead) override {
    if (!dead) (object_.*fn_)();
  }

 private:
  T& object_;
  void (T::*fn_)();
};

}  // namespace mw::link
