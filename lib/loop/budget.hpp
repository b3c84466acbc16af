// The context's memory budget, handed to lanes in slices so that reserving
// touches a line the lane owns. Reserve by compare-exchange, never
// add-and-undo. Any thread.
#pragma once
#include <atomic>
#include <cstdint>

namespace mw::loop {

class Budget {
 public:
  explicit Budget(int64_t max) noexcept : max_(max) {}
  bool draw(int64_t n) noexcept {
    int64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used + n > max_.load(std::memory_order_relaxed)) return false;
    } while (!used_.compare_exchange_weak(used, used + n, std::memory_order_seq_cst, std::memory_order_relaxed));
    return true;
  }
  void force(int64_t n) noexcept { used_.fetch_add(n, std::memory_order_relaxed); }
  void refund(int64_t n) noexcept { used_.fetch_sub(n, std::memory_order_seq_cst); }
  int64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  bool over() const noexcept { return used() >= max_.load(std::memory_order_relaxed); }
  void limit(int64_t max) noexcept { max_.store(max, std::memory_order_relaxed); }
  int64_t limit() const noexcept { return max_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> used_{0};
  std::atomic<int64_t> max_;
};

// A lane's part of the budget: what it drew and nobody has reserved yet.
class Slice {
 public:
  static constexpr int64_t kSize = 64 << 10;
  static constexpr int64_t kProbe = 4 << 10;  // room worth telling about
  explicit Slice(Budget& b) noexcept : budget_(b) {}
  bool reserve(int64_t n) noexcept {
    int64_t have = have_.load(std::memory_order_relaxed);
    for (;;) {
      if (have >= n) {
        if (have_.compare_exchange_weak(have, have - n, std::memory_order_seq_cst, std::memory_order_relaxed))
          return true;
        continue;
      }
      int64_t draw = n > kSize ? n : kSize;
      if (!budget_.draw(draw)) {
        if (draw == n || !budget_.draw(draw = n)) return false;
      }
      if (draw > n) have_.fetch_add(draw - n, std::memory_order_seq_cst);
      return true;
    }
  }
  // Beyond the budget: for bytes that were accepted into a lane's own buffer
  // and did not reach the kernel; at most one such buffer a lane.
  void force(int64_t n) noexcept {
    if (!reserve(n)) budget_.force(n);
  }
  void release(int64_t n) noexcept {
    int64_t have = have_.fetch_add(n, std::memory_order_seq_cst) + n;
    while (have > 2 * kSize) {
      int64_t back = have - kSize;
      if (have_.compare_exchange_weak(have, have - back, std::memory_order_seq_cst, std::memory_order_relaxed)) {
        budget_.refund(back);
        return;
      }
    }
  }
  // Everything back to the context, for a lane that ends or a budget that is exhausted.
  void surrender() noexcept {
    int64_t have = have_.exchange(0, std::memory_order_seq_cst);
    if (have != 0) budget_.refund(have);
  }

 private:
  std::atomic<int64_t> have_{0};
  Budget& budget_;
};

}  // namespace mw::loop
