// What a member sends: numbered and kept when it is accepted, written to
// whichever hub there is, many events a frame, forgotten when the hub says
// that everybody has it.
#include "base/insist.hpp"
#include "base/utf8.hpp"
#include "link/channel.hpp"
#include "link/speech.hpp"
#include "wire/netcluster.hpp"

#include <algorithm>
#include <array>

namespace mw::link {

using base::Opt;

namespace {

constexpr size_t kAtOnce = 32;         // events forgotten under one lock
constexpr size_t kFrame = 48 << 10;    // events are packed into frames of about this size
constexpr size_t kHead = 64;           // of an event, besides name, headers and body
constexpr size_t kAhead = 1 << 20;     // bytes in the session's output before we wait for the kernel

std::string_view meta_of(const mw_msg* m) noexcept {
  return m->meta != nullptr ? std::string_view(*m->meta) : std::string_view();
}

}  // namespace

mw_status Channel::publish(std::string_view name, const mw_msg* m, uint32_t flags, uint64_t op) {
  if (flags & (MW_F_MORE | MW_F_CONT | MW_F_PING)) return MW_EINVAL;
  if (name.empty() || !base::utf8_valid(name)) return MW_EINVAL;
  flags |= m->flags & (MW_F_TEXT | MW_F_PARTS);
  if ((flags & MW_F_TEXT) && !(m->flags & MW_F_TEXT) && !base::utf8_check(m->body, m->len).valid) return MW_EINVAL;
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  if (refusing_.load(std::memory_order_acquire)) return MW_EDRAINING;
  mw_status st = state_.load(std::memory_order_acquire);
  if (st == MW_STATE_IDLE && !started.load(std::memory_order_acquire)) return MW_ENOTCONN;
  if (st != MW_STATE_UP && (flags & MW_F_NOQUEUE)) return MW_ENOTCONN;
  const auto cost = static_cast<int64_t>(m->len + name.size() + meta_of(m).size()) + Session::kOverhead;
  const int64_t max = policy.max.load(std::memory_order_relaxed);
  if (name.size() > wire::kMaxEventName || m->len > policy.max_message || cost > max) return MW_ETOOBIG;
  if (bare() && (!meta_of(m).empty() || (flags & MW_F_PARTS))) return MW_ENOTSUP;  // that wire has no headers and no lists
  if (bare() && m->len != 0 && !wire::check_netcluster_data({reinterpret_cast<const char*>(m->body), m->len}).empty()) return MW_EINVAL;
  Kept k{base::MsgRef(base::ref(m)), std::string(name), flags, op, cost};
  int64_t bytes;
  {
    std::lock_guard lock(mutex_);
    bytes = kept_bytes_.load(std::memory_order_relaxed) + cost;
    if (bytes > max) {
      wants_.store(true, std::memory_order_relaxed);
      if (policy.overflow.load(std::memory_order_relaxed) != base::Overflow::drop_new) return MW_EAGAIN;
      dropped_here_.fetch_add(1, std::memory_order_relaxed);
    } else if (!lane->slice.reserve(cost)) {
      return MW_EMEMORY;
    } else {
      try {
        kept_.push_back(std::move(k));
      } catch (...) {
        lane->slice.release(cost);
        throw;
      }
      kept_bytes_.store(bytes, std::memory_order_relaxed);
      if (bytes > policy.soft.load(std::memory_order_relaxed)) wants_.store(true, std::memory_order_relaxed);
    }
  }
  request(kPump);
  if (bytes > max) return MW_EDROPPED;
  return bytes > policy.soft.load(std::memory_order_relaxed) ? MW_BUFFERED : MW_OK;
}

// Writes what this session has not got yet. On the lane, in a turn.
void Channel::pump() {
  if (uint64_t n = dropped_here_.exchange(0, std::memory_order_relaxed); n != 0) {
    count_dropped(n);
    event(*lane, MW_EVENT_DROPPED, 0, token.load(std::memory_order_relaxed), MW_EDROPPED, static_cast<int32_t>(n), 0, {});
  }
  tell_local();
  if (!joined_ || !session_.is_open()) return;
  while (in_output_ < kAhead) {
    base::Buffer out;
    uint32_t events = 0;
    {
      std::lock_guard lock(mutex_);
      // Not what came since we told our own subscriptions: it could be gone before they hear of it.
      for (const uint64_t end = std::min(first_ + kept_.size(), told_); next_ < end; ++next_) {
        const Kept& k = kept_[static_cast<size_t>(next_ - first_)];
        // What is counted must be gone whole: without acknowledgements one event is one packet.
        if (!out.empty() && (bare() || out.size() + k.m->len + k.event.size() + meta_of(k.m.get()).size() + kHead > kFrame)) break;
        put_kept(out, k, next_);
        ++events;
      }
    }
    if (out.empty()) return;
    in_output_ += out.size();
    session_.write_packet(out.data(), out.size(), events);
  }
}

void Channel::put_kept(base::Buffer& out, const Kept& k, uint64_t sequence) const {
  if (bare()) {
    std::string_view data(reinterpret_cast<const char*>(k.m->body), k.m->len);
    std::string packet;
    wire::put_netcluster(packet, {uuid_text_, name_, k.event, data.empty() ? "null" : data, false});
    return out.append(packet.data(), packet.size());
  }
  wire::EventView e;
  e.flags = ((k.flags & MW_F_TEXT) ? uint32_t{wire::kEventText} : 0) | ((k.flags & MW_F_PARTS) ? uint32_t{wire::kEventList} : 0);
  e.sequence = sequence;
  e.name = k.event;
  e.meta = meta_of(k.m.get());
  e.body = k.m->body;
  e.size = k.m->len;
  wire::put_event(out, e);
}

void Channel::written(Session& s) {
  if (&s != &session_) return Host::written(s);
  handed_over();
  if (std::exchange(in_output_, 0) != 0) pump();
}

void Channel::message_read(Session& s) {
  if (&s != &session_) return Host::message_read(s);
}

// The hub has given them to everybody.
const char* Channel::taken(Session& s, uint64_t through) {
  if (&s != &session_) return Host::taken(s, through);
  if (!joined_) {
    if (through != 0) return "acknowledgement of what was not sent";
    joined();
    return nullptr;
  }
  if (through >= next_) return "acknowledgement of what was not sent";
  taken_through(through, 1);
  return nullptr;
}

void Channel::handed_over() {
  if (!bare() || !joined_) return;
  const uint64_t gone = session_.stats.messages_out.load(std::memory_order_relaxed);
  const uint64_t n = gone - std::exchange(counted_, gone);
  if (n != 0) taken_through(first_ - 1 + n, 0);
}

void Channel::taken_through(uint64_t through, int32_t code) {
  for (size_t n = kAtOnce; n == kAtOnce;) {
    std::array<Kept, kAtOnce> out;
    {
      std::lock_guard lock(mutex_);
      for (n = 0; n < kAtOnce && !kept_.empty() && first_ <= through; ++n, ++first_) {
        out[n] = std::move(kept_.front());
        kept_.pop_front();
        kept_bytes_.fetch_sub(out[n].cost, std::memory_order_relaxed);
      }
    }
    for (size_t i = 0; i < n; ++i) {
      lane->slice.release(out[i].cost);
      done(*lane, out[i].op, MW_OK, code, {});
    }
  }
  look_for_room();
  if (leaving_ && kept_bytes_.load(std::memory_order_relaxed) == 0) leave_now();
}

void Channel::look_for_room() {
  const int64_t low = std::min(policy.soft.load(std::memory_order_relaxed), policy.max.load(std::memory_order_relaxed) / 2);
  {
    std::lock_guard lock(mutex_);  // publish looks and wants under it
    if (!wants_.load(std::memory_order_relaxed) || kept_bytes_.load(std::memory_order_relaxed) > low) return;
    wants_.store(false, std::memory_order_relaxed);
  }
  event(*lane, MW_EVENT_WRITABLE, 0, token.load(std::memory_order_relaxed), MW_OK, 0, 0, {});
}

// emit.local: our own subscriptions hear what we sent, in the order it was accepted.
void Channel::tell_local() {
  for (;;) {
    base::MsgRef m;
    std::string name;
    uint32_t flags;
    {
      std::lock_guard lock(mutex_);
      if (!local_) told_ = first_ + kept_.size();
      told_ = std::max(told_, first_);
      if (told_ >= first_ + kept_.size()) return;
      const Kept& k = kept_[static_cast<size_t>(told_ - first_)];
      m = k.m;
      name = k.event;
      flags = k.flags;
      ++told_;
    }
    uint32_t f = MW_F_LOCAL | (flags & MW_F_PARTS);
    if (flags & MW_F_TEXT) f |= MW_F_TEXT | (base::utf8_check(m->body, m->len).ascii ? uint32_t{MW_F_ASCII} : 0);
    tell(name, meta_, meta_of(m.get()), f, m->body, m->len);
  }
}

void Channel::drop_kept(mw_status why) {
  for (;;) {  // one by one: another deque would want memory
    Kept k;
    {
      std::lock_guard lock(mutex_);
      if (kept_.empty()) break;
      k = std::move(kept_.front());
      kept_.pop_front();
      ++first_;
      kept_bytes_.fetch_sub(k.cost, std::memory_order_relaxed);
    }
    ++unsent_;
    unsent_bytes_ += k.m->len;
    lane->slice.release(k.cost);
    done(*lane, k.op, why, 0, {});
  }
}

}  // namespace mw::link
