// The leader of a group reads no faster than its members, as each of them
// would alone: it pauses the connection while one is behind and still reads. One
// that takes no byte for a while is not waited for; at its bound it is cut off.
#include "link/group.hpp"
#include "link/peer.hpp"

namespace mw::link {

namespace {

constexpr uint64_t kStuck = 250;       // ms without a byte taken
constexpr uint64_t kAgain = 2;         // ms between two looks while the connection is paused
constexpr size_t kUnseen = 32 << 10;   // bytes spread without a look

}  // namespace

void Group::member_came(mw_handle peer) {
  auto* p = static_cast<Peer*>(static_cast<loop::Object*>(base::peek(lane->slots, peer)));
  if (p == nullptr) return;
  // What followers want makes no events of the host: its room does not matter.
  p->session.transit();
  members_.push_back({peer});
}

void Group::member_went(mw_handle peer) {
  std::erase_if(members_, [&](const Member& m) { return m.peer == peer; });
}

void Group::spread(std::string_view topic, const mw_msg* m) {
  if (share_ == nullptr) return;
  share_->spread(topic, m, 0);
  unseen_ += m->len + static_cast<size_t>(Session::kOverhead);
  if (unseen_ >= kUnseen && !slowed_) look_at_members();
}

void Group::look_at_members() {
  unseen_ = 0;
  if (upstream_ == nullptr || share_ == nullptr) return;
  const int64_t bound = share_->policy.max.load(std::memory_order_relaxed);
  bool wait = false;
  for (Member& m : members_) {
    auto* p = static_cast<Peer*>(static_cast<loop::Object*>(base::peek(lane->slots, m.peer)));
    if (p == nullptr) continue;
    if (p->session.queued() < bound / (slowed_ ? 4 : 2)) {
      m.since = 0;
      continue;
    }
    const uint64_t bytes = p->session.stats.bytes_out.load(std::memory_order_relaxed);
    if (m.since == 0 || bytes != m.bytes) {
      m.bytes = bytes;
      m.since = lane->now();
    }
    wait = wait || lane->now() < m.since + kStuck;
  }
  if (wait != std::exchange(slowed_, wait)) upstream_->session().pause(wait);
  if (wait) lane->wheel.set(pace_timer_, lane->now() + kAgain);
}

}  // namespace mw::link
