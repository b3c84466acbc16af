// Which process this is: one load tells a forked child (MADV_WIPEONFORK).
// Used by the context and every border call. Any thread.
#pragma once
#include <atomic>
#include <cstdint>

namespace mw::base {

// The number of this process image: never 0 after process_birth(); reads 0 in
// a child of fork until it opens a context of its own.
extern std::atomic<uint64_t>* g_birth;
uint64_t process_birth() noexcept;  // makes it if needed
inline bool born_here(uint64_t birth) noexcept {
  return g_birth->load(std::memory_order_relaxed) == birth;
}

}  // namespace mw::base
