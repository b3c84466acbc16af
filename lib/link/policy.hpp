// The options of a party that its connections look at, as plain numbers.
// Live ones are relaxed atomics, so that an update needs no lock. Any thread.
#pragma once
#include "base/choices.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace mw::link {

struct Policy {
  std::atomic<int64_t> soft{0}, max{0};      // bytes
  std::atomic<base::Overflow> overflow{base::Overflow::refuse};
  std::atomic<int64_t> beat_interval{0};     // ms, 0 = none
  std::atomic<int64_t> max_strikes{2};
  std::atomic<int64_t> close_timeout{5000};  // ms
  std::atomic<int64_t> call_timeout{3000};   // ms, 0 = none
  std::atomic<int64_t> events{0};            // set of kinds
  std::atomic<base::LogLevel> log{base::LogLevel::warn};
  std::atomic<int64_t> max_rate{0}, max_rate_bytes{0};  // per second, 0 = no limit
  bool limits_rate() const noexcept {
    return (max_rate.load(std::memory_order_relaxed) | max_rate_bytes.load(std::memory_order_relaxed)) != 0;
  }
  size_t max_message = 1 << 20;
  size_t copy_below = 1024;      // smaller bodies are copied into the output
  size_t compress_min = 1024;
  base::Compress compress = base::Compress::off;
  uint32_t max_ratio = 200;
  int64_t cork_max = 5;          // ms

  bool wants(uint32_t kind) const noexcept {
    return base::event_wanted(events.load(std::memory_order_relaxed), kind);
  }
  // ms for a process of this host to let us in: one that takes longer than its heartbeats may is frozen.
  int64_t patience() const noexcept {
    const int64_t cutoff = beat_interval.load(std::memory_order_relaxed) * (max_strikes.load(std::memory_order_relaxed) + 1);
    return cutoff > 0 ? std::clamp<int64_t>(cutoff, 250, 10'000) : 10'000;
  }
  bool logs(base::LogLevel l) const noexcept { return l <= log.load(std::memory_order_relaxed); }
};

}  // namespace mw::link
