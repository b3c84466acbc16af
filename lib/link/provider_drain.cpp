// Draining a provider: new peers are sent elsewhere, present ones are told and
// leave in slots, so that they do not all come back at once.
#include "link/provider.hpp"
#include "link/speech.hpp"

#include <algorithm>

namespace mw::link {

using base::Opt;

mw_status Provider::drain(int64_t deadline_ms, uint64_t op) {
  return ask_drain(deadline_ms, op, &state_);
}

void Provider::begin_drain() {
  if (closing_ || drain_end_ != 0) return;
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  const auto deadline = static_cast<int64_t>(drain_ms());
  if (listener) listener->drain();
  drain_began_ = lane->now();
  drain_end_ = drain_began_ + static_cast<uint64_t>(deadline);
  auto stagger = static_cast<uint64_t>(std::min(conf()->num(Opt::drain_stagger), deadline));
  for (Shard& s : shards_)
    post(*s.lane, [&s, stagger, deadline] {
      size_t n = s.peers.size(), i = 0;
      for (Peer* p : s.peers)
        if (Speech* speech = p->session.speech()) speech->drain(stagger * i++ / n, static_cast<uint64_t>(deadline));
    });
  drain_step_ = 0;
  lane->wheel.set(drain_timer_, lane->now() + 1);
}

void Provider::drain_tick() {
  if (closing_) return;
  constexpr size_t kSteps = 20;
  auto stagger = static_cast<uint64_t>(conf()->num(Opt::drain_stagger));
  uint64_t now = lane->now();
  if (peers_.load() == 0 || now >= drain_end_) {
    CloseWish w{1001, 0, MW_OK, "drained"};
    return begin_close(w);
  }
  // Peers that cannot be told (any RFC 6455 client, for one) are closed with 1012, a
  // part of them each step, so that they do not all come back at once.
  ++drain_step_;
  for (Shard& s : shards_)
    post(*s.lane, [&s, step = drain_step_] {
      size_t left = kSteps > step ? kSteps - step + 1 : 1, n = s.peers.size() / left;
      if (step >= kSteps) n = s.peers.size();
      CloseWish w{1012, 0, MW_OK, "draining"};
      for (size_t i = s.peers.size(); i-- > 0 && n > 0;)
        if (Speech* speech = s.peers[i]->session.speech(); (!speech || !speech->drains()) && s.peers[i]->session.is_open()) {
          s.peers[i]->session.close(w);
          --n;
        }
    });
  uint64_t step_ms = std::max<uint64_t>(1, stagger / kSteps);
  lane->wheel.set(drain_timer_, std::min(drain_end_, now + (drain_step_ < kSteps ? step_ms : 20)));
}

}  // namespace mw::link
