// How much a session may still take: every accepted byte is reserved on the
// caller's side by compare-exchange, on the connection and on the lane's slice
// of the context's budget, and given back by the queue entry alone.
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"

#include <algorithm>

namespace mw::link {

using base::Overflow;

mw_status Session::reserve(int64_t cost, bool owed) noexcept {
  const Policy& policy = party_.policy;
  int64_t max = policy.max.load(std::memory_order_relaxed);
  if (cost > max) return MW_ETOOBIG;
  Overflow overflow = policy.overflow.load(std::memory_order_relaxed);
  // The lane makes room for these afterwards, so the bound is twice the option.
  int64_t limit = overflow == Overflow::drop_old || overflow == Overflow::conflate ? 2 * max : max;
  int64_t q = queued_.load(std::memory_order_relaxed);
  for (bool again = false;;) {
    if (q + cost > limit) {
      if (again) return overflow == Overflow::disconnect ? MW_EOVERFLOW : overflow == Overflow::drop_new ? MW_EDROPPED : MW_EAGAIN;
      // Say that we want, then look once more: whoever gives back looks at
      // the flag after it has given, so one of us sees the other.
      wants_.store(true, std::memory_order_seq_cst);
      q = queued_.load(std::memory_order_seq_cst);
      again = true;
      continue;
    }
    if (queued_.compare_exchange_weak(q, q + cost, std::memory_order_seq_cst, std::memory_order_relaxed)) break;
  }
  if (owed) {
    lane().slice.force(cost);
  } else if (!lane().slice.reserve(cost)) {
    starved_.store(true, std::memory_order_relaxed);
    wants_.store(true, std::memory_order_seq_cst);
    refund(cost);  // asks the lane to look: it waits for the budget, then tells WRITABLE
    return MW_EMEMORY;
  }
  if (q + cost > policy.soft.load(std::memory_order_relaxed)) {
    wants_.store(true, std::memory_order_seq_cst);
    if (queued_.load(std::memory_order_seq_cst) <= low_mark()) self_.request(kWritable);
    return MW_BUFFERED;
  }
  return MW_OK;
}

int64_t Session::low_mark() const noexcept {
  return std::min(party_.policy.soft.load(std::memory_order_relaxed),
                  party_.policy.max.load(std::memory_order_relaxed) / 2);
}

void Session::refund(int64_t cost) noexcept {
  queued_.fetch_sub(cost, std::memory_order_seq_cst);
  if (wants_.load(std::memory_order_seq_cst)) self_.request(kWritable);
}

// On the lane, in a turn: the cost of a frame that is gone.
void Session::give_back(int64_t cost) noexcept {
  if (cost == 0) return;
  queued_.fetch_sub(cost, std::memory_order_seq_cst);
  lane().slice.release(cost);
  if (wants_.load(std::memory_order_seq_cst)) look_for_writable();
}

void Session::look_for_writable() {
  if (!is_open() || closed_here_) return;
  if (!wants_.load(std::memory_order_seq_cst) || queued_.load(std::memory_order_seq_cst) > low_mark()) return;
  if (starved_.exchange(false, std::memory_order_relaxed)) return lane().budget_wait(this);
  if (!wants_.exchange(false, std::memory_order_seq_cst)) return;
  tell_slow();  // never after WRITABLE
  slow_at_.store(0, std::memory_order_relaxed);
  party_.event(lane(), MW_EVENT_WRITABLE, self_.handle, self_.token.load(std::memory_order_relaxed), MW_OK, 0, 0, {});
  if (speech_ && parts_wait_.exchange(false, std::memory_order_seq_cst)) speech_->look_for_writable();
}

// A send is refused or something pushed out: tell who is slow, once until WRITABLE.
bool Session::note_slow() noexcept {
  int64_t none = 0;
  return slow_at_.compare_exchange_strong(none, std::max<int64_t>(queued_.load(std::memory_order_relaxed), 1),
                                          std::memory_order_relaxed);
}

mw_status Session::refused(mw_status why, uint32_t messages) noexcept {
  if (why == MW_EAGAIN || why == MW_EDROPPED || why == MW_EOVERFLOW) {
    uint32_t bits = note_slow() ? kSlow : 0;
    if (why == MW_EDROPPED) {
      dropped_untold_.fetch_add(messages, std::memory_order_relaxed);
      bits |= kDropped;
    }
    if (why == MW_EOVERFLOW) bits |= kOverflow;
    if (bits != 0) self_.request(bits);
  }
  return why;
}

}  // namespace mw::link
