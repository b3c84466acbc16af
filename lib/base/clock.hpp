// The two clocks: monotonic for intervals and deadlines, wall for what people
// read. Used by every room that waits. Any thread.
#pragma once
#include <cstdint>
#include <ctime>

namespace mw::base {

inline int64_t clock_ns(clockid_t id) noexcept {
  timespec t;
  clock_gettime(id, &t);
  return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

// Never goes back and stands still while the machine sleeps, so a night's
// suspend does not look like a night of missed heartbeats.
inline int64_t mono_ns() noexcept { return clock_ns(CLOCK_MONOTONIC); }
inline int64_t mono_us() noexcept { return mono_ns() / 1000; }
inline int64_t mono_ms() noexcept { return mono_ns() / 1000000; }
// Since 1970; may jump.
inline int64_t wall_ms() noexcept { return clock_ns(CLOCK_REALTIME) / 1000000; }

}  // namespace mw::base
