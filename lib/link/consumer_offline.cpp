// A consumer's messages while there is no link: refused, or kept up to
// offline.max_bytes and sent first on the next link, in order.
#include "link/consumer.hpp"
#include "link/speech.hpp"

namespace mw::link {

using base::Opt;

mw_status Consumer::send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  mw_status st = state_.load(std::memory_order_acquire);
  if (wish.load(std::memory_order_relaxed) != nullptr) return MW_ECLOSED;
  if (st == MW_STATE_DRAINING) return MW_EDRAINING;
  if (st == MW_STATE_UP && offline_bytes_.load(std::memory_order_acquire) == 0) {
    mw_status s = session_.send(body, len, m, flags & ~static_cast<uint32_t>(MW_F_NOQUEUE), op);
    if (s != MW_ECLOSED) return s;
  }
  if (flags & MW_F_NOQUEUE) return MW_ENOTCONN;
  return keep_offline(body, len, m, flags, op);
}

mw_status Consumer::keep_offline(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  auto c = conf();
  int64_t max = c->num(Opt::offline_max_bytes);
  if (max <= 0 || (flags & (MW_F_MORE | MW_F_CONT | MW_F_PING))) return MW_ENOTCONN;
  if ((flags & MW_F_TEXT) && !base::utf8_check(static_cast<const uint8_t*>(body), len).valid) return MW_EINVAL;
  auto cost = static_cast<int64_t>(len) + 64;
  if (cost > max) return MW_ETOOBIG;
  base::Overflow policy_now = base::offline_overflow(*c);
  base::MsgRef msg(m != nullptr ? base::ref(m) : base::message_copy(body, len, flags & MW_F_TEXT));
  std::vector<Kept> out;
  {
    std::lock_guard lock(mutex_);
    while (offline_bytes_.load() + cost > max) {
      if (policy_now == base::Overflow::drop_old && !offline_.empty()) {
        offline_bytes_.fetch_sub(offline_.front().cost);
        out.push_back(std::move(offline_.front()));
        offline_.pop_front();
        continue;
      }
      return policy_now == base::Overflow::drop_new ? MW_EDROPPED : MW_EAGAIN;
    }
    if (!lane->slice.reserve(cost)) return MW_EMEMORY;
    try {
      offline_.push_back({std::move(msg), flags, op, cost});
    } catch (...) {
      lane->slice.release(cost);
      throw;
    }
    offline_bytes_.fetch_add(cost);
  }
  for (Kept& k : out) {
    lane->slice.release(k.cost);
    count_dropped(1);
    if (k.op != 0) base::insist([&] { post(*lane, [this, o = k.op] { done(*lane, o, MW_EDROPPED, 0, {}); }); });
  }
  // A link that came up meanwhile has looked at the buffer already: look again.
  if (state_.load(std::memory_order_acquire) == MW_STATE_UP) base::insist([&] { post(*lane, [this] { replay_or_end(); }); });
  return MW_BUFFERED;
}

bool Consumer::keep(mw_msg* m, uint32_t flags, uint64_t op) {
  if (closing_ || drain_end_ != 0 || conf()->num(Opt::offline_max_bytes) <= 0) return false;
  auto cost = static_cast<int64_t>(m->len) + 64;
  std::lock_guard lock(mutex_);
  // Before what was accepted later, in the order of the link.
  offline_.insert(offline_.begin() + static_cast<std::ptrdiff_t>(kept_), Kept{base::MsgRef(base::ref(m)), flags, op, cost});
  ++kept_;
  lane->slice.force(cost);  // its reservation on the link is given back at the same time
  offline_bytes_.fetch_add(cost);
  return true;
}

void Consumer::replay() {
  if (!session_.is_open() || (session_.speech() && !session_.speech()->greeted())) return;
  for (;;) {
    Kept k;
    {
      std::lock_guard lock(mutex_);
      kept_ = 0;
      if (offline_.empty()) break;
      k = offline_.front();
    }
    mw_status s = session_.send(k.m->body, k.m->len, k.m.get(), k.flags & ~static_cast<uint32_t>(MW_F_NOQUEUE), k.op);
    if (s == MW_EAGAIN || s == MW_EMEMORY) {
      lane->wheel.set(retry_timer_, lane->now() + 5);
      replaying_ = true;
      return;
    }
    {
      std::lock_guard lock(mutex_);
      offline_.pop_front();
      offline_bytes_.fetch_sub(k.cost, std::memory_order_acq_rel);
    }
    lane->slice.release(k.cost);
    if (s < 0 && k.op != 0) done(*lane, k.op, s, 0, {});
  }
}

void Consumer::replay_or_end() noexcept {
  try {
    replay();
  } catch (const std::bad_alloc&) {
    session_.on_trouble();
  }
}

void Consumer::drop_offline(mw_status why) {
  for (;;) {  // one by one: another deque would want memory
    Kept k;
    {
      std::lock_guard lock(mutex_);
      offline_bytes_.store(0);
      if (offline_.empty()) return;
      k = std::move(offline_.front());
      offline_.pop_front();
    }
    ++unsent_;
    unsent_bytes_ += k.m->len;
    lane->slice.release(k.cost);
    done(*lane, k.op, why, 0, {});
  }
}

}  // namespace mw::link
