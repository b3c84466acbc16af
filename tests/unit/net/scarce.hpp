// Lack of memory on command: the Nth allocation of any thread but a spared one
// fails. What replaces operator new is in listener_memory_test.cpp.
#pragma once
#include <atomic>

namespace scarce {

extern std::atomic<long> g_left;          // allocations until one fails; 0: none will
extern thread_local bool t_spared;        // the test's own thread

class Spared {
 public:
  Spared() { t_spared = true; }
  ~Spared() { t_spared = false; }
};

}  // namespace scarce
