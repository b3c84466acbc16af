// For what must happen even when there is no memory (a close, an answer owed,
// the next wait): tried again until there is some.
// Used by net's own files. Any thread; f must be repeatable after it threw.
#pragma once
#include <chrono>
#include <new>
#include <thread>

namespace mw::net {

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

}  // namespace mw::net
