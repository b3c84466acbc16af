// What came of calls: how many, how many failed and why the last one did, how
// many are open, and how long they took, in counters of a fixed size.
// Used by the node. Does no I/O; one thread.
#pragma once
#include <meshwork/base.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mw::mesh::core {

// Times in microseconds, up to 71 minutes: exact below 8, then four counters
// for each power of two, so a value is told as at most a quarter too high.
class Latency {
 public:
  void add(uint64_t us) noexcept {
    us = std::min<uint64_t>(us, UINT32_MAX);
    ++counts_[index(us)];
    ++total_;
    sum_ += us;
    max_ = std::max(max_, us);
  }
  uint64_t total() const noexcept { return total_; }
  uint64_t sum() const noexcept { return sum_; }
  uint64_t max() const noexcept { return max_; }
  uint64_t mean() const noexcept { return total_ != 0 ? sum_ / total_ : 0; }
  // What `part` (0 to 1) of all lie at or below.
  uint64_t at(double part) const noexcept {
    const auto wanted = static_cast<uint64_t>(part * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) > wanted) return std::min(most(i), max_);
    return max_;
  }
  // f(upper end, count) of each counter that is not 0, upwards.
  template <class F>
  void each(F f) const {
    for (size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] != 0) f(most(i), counts_[i]);
  }

 private:
  static constexpr unsigned kBits = 2;  // 4 steps for each power of two
  static size_t index(uint64_t v) noexcept {
    if (v < (2u << kBits)) return static_cast<size_t>(v);
    const auto shift = static_cast<unsigned>(std::bit_width(v)) - kBits - 1;
    return ((shift + 1) << kBits) + static_cast<size_t>(v >> shift) - (1u << kBits);
  }
  static uint64_t most(size_t i) noexcept {
    if (i < (2u << kBits)) return i;
    const size_t shift = (i >> kBits) - 1;
    return (((i & ((1u << kBits) - 1)) + (1u << kBits) + 1) << shift) - 1;
  }
  std::array<uint64_t, (33 - kBits) << kBits> counts_{};
  uint64_t total_ = 0, sum_ = 0, max_ = 0;
};

struct Tally {
  uint64_t ended = 0, failed = 0;
  mw_status last_failure = MW_OK;
  uint32_t open = 0;
  Latency latency;

  void begin() noexcept { ++open; }
  // us: how long it took; below 0: not known, as of a call that nobody answers.
  void end(mw_status status, int64_t us) noexcept {
    --open;
    ++ended;
    if (us >= 0) latency.add(static_cast<uint64_t>(us));
    if (status >= 0) return;
    ++failed;
    last_failure = status;
  }
};

}  // namespace mw::mesh::core
