// For what must happen even when there is no memory (a close, an event or an
// answer owed): tried again until there is some. Between two tries the thread
// sleeps 5 ms, a lane with all its connections too: it owes them this first,
// and what would free memory mostly happens elsewhere.
// Used by loop, net and link. Any thread; f must be repeatable after it threw.
#pragma once
#include <chrono>
#include <new>
#include <thread>

namespace mw::base {

template <class F>
void insist(F&& f) {
  for (;;) {
    try {
      return f();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

}  // namespace mw::base
