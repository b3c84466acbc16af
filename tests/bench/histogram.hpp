// Latencies in log-linear buckets: 32 to each power of two, so a value is off by at most 3 %.
// Used by the load generator.
// One thread.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mw::bench {

class Histogram {
 public:
  void add(uint64_t value) noexcept {
    ++buckets_[index(value)];
    ++count_;
  }

  uint64_t count() const noexcept { return count_; }

  // The lower bound of the bucket that holds quantile q (0 to 1); 0 when empty.
  uint64_t quantile(double q) const noexcept {
    const auto rank = static_cast<uint64_t>(q * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > rank) return lower_bound(i);
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 5;  // 32 buckets to a power of two
  static constexpr size_t kLinear = size_t{1} << kBits;

  static size_t index(uint64_t v) noexcept {
    if (v < kLinear) return v;
    const unsigned shift = static_cast<unsigned>(std::bit_width(v)) - 1 - kBits;
    return (shift + 1) * kLinear + ((v >> shift) - kLinear);
  }

  static uint64_t lower_bound(size_t i) noexcept {
    if (i < kLinear) return i;
    const size_t shift = i / kLinear - 1;
    return (kLinear + i % kLinear) << shift;
  }

  std::array<uint64_t, (64 - kBits + 1) * kLinear> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace mw::bench
