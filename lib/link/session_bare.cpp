// The input side of a bare stream (netcluster): frames are cut at their NUL
// bytes and given to the party, one after the other.
#include "link/party.hpp"
#include "link/session.hpp"
#include "wire/netcluster.hpp"

#include <algorithm>

namespace mw::link {

// New bytes, behind what was kept.
void Session::take_bare(const uint8_t* p, size_t n) {
  if (in_ && !in_->partial.empty()) {
    in_->partial.append(p, n);
    return bare_partial();
  }
  const size_t used = cut(p, n);
  if (used < n && can_read()) inflow().partial.append(p + used, n - used);
}

void Session::bare_partial() {
  base::Buffer& part = in_->partial;
  const size_t used = cut(part.data(), part.size());
  if (!in_) return;  // the session ended
  part.consume(std::min(used, part.size()));
  if (part.empty()) part.release();
}

// Takes whole frames; returns how many bytes they were. The rest is to be kept.
size_t Session::cut(const uint8_t* p, size_t n) {
  size_t at = 0, looked = in_ ? std::exchange(in_->looked, 0) : 0;
  bool open = true;
  while (open && at < n && !paused_) {
    const wire::NetclusterCut c = wire::cut_netcluster(p + at, n - at, looked, max_payload());
    looked = 0;
    if (c.is == wire::NetclusterCut::Is::too_long) {
      open = fail({1009, "message too large"});
    } else if (c.is == wire::NetclusterCut::Is::part) {
      inflow().looked = n - at;
      break;
    } else if (!closed_here_ && !transit_ && !lane().room(c.size)) {
      stall();
      break;
    } else {
      const char* frame = reinterpret_cast<const char*>(p + at);
      at += c.size + 1;
      open = packet({frame, c.size});
    }
  }
  if (!over()) party_.message_read(*this);
  return open ? at : n;
}

// One frame; its NUL stands behind it. False: nothing more is to be read.
bool Session::packet(std::string_view frame) {
  if (state_.load(std::memory_order_relaxed) != State::up || closed_here_) return can_read();
  count_message_in();
  const std::string why = party_.packet_came(*this, frame);
  if (why.empty()) return can_read();
  fail({1002, "not a packet of this wire"});
  if (!over()) ending().reason = why;
  return false;
}

}  // namespace mw::link
