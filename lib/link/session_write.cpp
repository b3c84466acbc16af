// What the host sends: straight into the lane's cork, or a frame in the outbox
// where the kernel is slow or the caller is on another thread.
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"

#include <algorithm>

namespace mw::link {

using base::Overflow;
using loop::Cork;
using loop::Lane;

namespace {

constexpr size_t kDirect = 64 << 10;   // larger bodies are not copied into the cork
constexpr uint32_t kFragment = MW_F_MORE | MW_F_CONT;

}  // namespace

// What can be refused without looking at room.
mw_status Session::admit(const void* body, size_t len, uint32_t flags) noexcept {
  if (flags & MW_F_PING) return len > wire::kMaxControl || (flags & kFragment) ? MW_EINVAL : MW_OK;
  if ((flags & MW_F_TEXT) && !(flags & kFragment) &&
      !base::utf8_check(static_cast<const uint8_t*>(body), len).valid)
    return MW_EINVAL;
  if (flags & MW_F_CONT) {
    if (!streaming_.load(std::memory_order_acquire)) return MW_EINVAL;
  } else if (flags & MW_F_MORE) {
    bool idle = false;
    if (!streaming_.compare_exchange_strong(idle, true, std::memory_order_acq_rel)) return MW_EBUSY;
  }
  return MW_OK;
}

// A message that was checked, reserved and made a frame; or why not, with nothing kept.
mw_status Session::prepare(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op, OutFrame*& f) {
  bool first = (flags & kFragment) == MW_F_MORE;
  if (mw_status s = admit(body, len, flags); s != MW_OK) return s;
  int64_t cost = static_cast<int64_t>(len + (m != nullptr && m->meta != nullptr ? m->meta->size() : 0)) + kOverhead;
  mw_status s = reserve(cost);
  if (s < 0) {
    if (first) streaming_.store(false, std::memory_order_release);
    return refused(s);
  }
  try {
    f = compose(body, len, m, flags, op);
  } catch (const std::bad_alloc&) {
    if (first) streaming_.store(false, std::memory_order_release);
    lane().slice.release(cost);
    refund(cost);
    return MW_ENOMEM;
  }
  if ((flags & kFragment) == MW_F_CONT) streaming_.store(false, std::memory_order_release);
  f->cost = cost;
  f->session = this;
  return s;
}

mw_status Session::send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  Lane& l = lane();
  if (l.here()) return send_here(static_cast<const uint8_t*>(body), len, m, flags, op);
  if (Lane::Hold hold(l); hold) return send_here(static_cast<const uint8_t*>(body), len, m, flags, op);
  if (!open()) return MW_ECLOSED;
  OutFrame* f = nullptr;
  mw_status s = prepare(static_cast<const uint8_t*>(body), len, m, flags, op, f);
  if (s >= 0) l.post(f);
  return s;
}

// The connection's own bytes in front of the payload, at most.
size_t Session::head_room(const mw_msg* m) const noexcept {
  size_t n = wire::kMaxHead;
  if (dialect_ == wire::Dialect::meshwork)
    n += 32 + (m != nullptr && m->meta ? m->meta->size() : 0) + (m != nullptr && m->topic ? m->topic->size() : 0);
  return n;
}

OutFrame* Session::compose(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  // A masked frame is copied; a large body of ours goes out from where it lies.
  bool by_ref = m != nullptr && role_ == wire::Role::server && len >= party_.policy.copy_below;
  OutFrame* f = by_ref ? OutFrame::make(nullptr, 0, head_room(m)) : OutFrame::make(body, len, head_room(m));
  if (m != nullptr && (by_ref || m->meta != nullptr || m->topic != nullptr)) f->origin = base::MsgRef(base::ref(m));
  if (by_ref) f->body = f->origin;
  f->flags = flags;
  f->op = op;
  f->opcode = (flags & MW_F_PING) ? wire::kPing : (flags & MW_F_CONT) ? wire::kCont
              : (flags & MW_F_TEXT) ? wire::kText : wire::kBinary;
  f->control = (flags & MW_F_PING) != 0;
  return f;
}

// Between turns no input ends whose answers a cork holds: a host answers one
// connection after the other, so the cork goes from hand to hand, once for
// each. Who comes back after that queues, so that sends to many in turn do not
// become a system call each.
bool Session::take_cork() noexcept {
  Lane& l = lane();
  if (!l.between() || corked_in_ == l.turns()) return false;
  hand_over_cork(l);
  return true;
}

// On the lane, perhaps from inside a callback, perhaps between turns: only
// collects; a turn writes, or the next connection's first send between turns.
mw_status Session::send_here(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  if (!is_open() || closed_here_) return MW_ECLOSED;
  Lane& l = lane();
  Cork& c = l.cork;
  const Policy& policy = party_.policy;
  if ((flags & ~static_cast<uint32_t>(MW_F_TEXT)) == 0 && op == 0 && !blocked() && !held_streaming_ &&
      !(squeeze_ && len >= policy.compress_min) &&
      static_cast<int64_t>(len) + kOverhead <= policy.max.load(std::memory_order_relaxed) &&
      !l.runtime.budget().over() && (c.owner == this || c.owner == nullptr || take_cork())) [[likely]] {
    if ((flags & MW_F_TEXT) && !base::utf8_check(body, len).valid) return MW_EINVAL;
    size_t need = len + head_room(m);
    if (need <= Cork::kSize && len < kDirect) [[likely]] {
      if (c.n + need > Cork::kSize) uncork();
      if (!blocked()) [[likely]] {
        if (c.owner == nullptr) {
          c.owner = this;
          corked_in_ = l.turns();
          l.flush_later(this);
        }
        uint8_t* p = c.bytes + c.n;
        uint8_t opcode = (flags & MW_F_TEXT) ? wire::kText : wire::kBinary;
        if (speech_) {
          c.n += speech_->put(p, body, len, m, flags);
        } else if (role_ == wire::Role::server) {
          size_t h = wire::put_head(p, opcode, true, false, len);
          std::memcpy(p + h, body, len);
          c.n += h + len;
        } else {
          uint32_t key = l.masking_key();
          size_t h = wire::put_head_masked(p, opcode, true, false, len, key);
          wire::mask_copy(p + h, body, len, key);
          c.n += h + len;
        }
        ++c.messages;
        count_message_out();
        return MW_OK;
      }
    }
  }
  OutFrame* f = nullptr;
  mw_status s = prepare(body, len, m, flags, op, f);
  if (s >= 0) enqueue(f);
  return s;
}

// Posted by another thread, after it reserved.
void Session::arrive(OutFrame* f) {
  if (f->saying) return speak(f);
  if (!is_open() || closed_here_) {
    discard(f, MW_ECLOSED);
    return;
  }
  enqueue(f);
}

// Takes the frame whatever happens; without memory the connection is doomed.
void Session::enqueue(OutFrame* f) noexcept {
  // What was corked comes first.
  if (lane().cork.owner == this) uncork();
  if (f->control) {
    out_.push(f);
  } else if (held_streaming_ && !(f->flags & MW_F_CONT)) {
    // A fragmented message is under way: others wait for its end (RFC 6455 5.4).
    if (Rare* r = rare_or_doom()) r->held.push(f);
    else out_.push(f);  // never sent
  } else {
    if (f->flags & kFragment) held_streaming_ = (f->flags & MW_F_MORE) != 0;
    out_.push(f);
    if (!held_streaming_ && rare_)
      while (!rare_->held.empty()) out_.push(rare_->held.pop());
  }
  trim();
  if (!watching_write_) lane().flush_later(this);
}

// drop_old and conflate: what was accepted beyond the bound pushes out older messages.
void Session::trim() noexcept {
  Overflow overflow = party_.policy.overflow.load(std::memory_order_relaxed);
  if (overflow != Overflow::drop_old && overflow != Overflow::conflate) return;
  int64_t max = party_.policy.max.load(std::memory_order_relaxed);
  while (queued_.load(std::memory_order_relaxed) > max && out_.frames() > 1) {
    OutFrame* newest = out_.tail();
    const std::string* topic = overflow == Overflow::conflate && newest->origin ? newest->origin->topic : nullptr;
    OutFrame* old = topic != nullptr ? out_.steal(topic, newest) : nullptr;
    if (old == nullptr) old = out_.steal(nullptr, newest);
    if (old == nullptr) return;
    if (note_slow()) self_.request(kSlow);
    dropped_untold_.fetch_add(old->messages(), std::memory_order_relaxed);
    if (Rare* r = rare_or_doom()) r->last_dropped = old->origin;
    self_.request(kDropped);
    discard(old, MW_EDROPPED);
  }
}

// Writes the frame's head, late, so that what is dropped was never encoded.
void Session::encode(OutFrame* f) {
  if (f->encoded) {
    if (speech_ && !f->control && f->events == 0) speech_->count(f);  // published: encoded once for all
    return;
  }
  if (!wire::over_websocket(dialect_)) {
    f->encoded = true;
    return;
  }
  bool server = role_ == wire::Role::server;
  bool fin = (f->flags & MW_F_MORE) == 0;
  bool rsv1 = false;
  if (!f->control || f->saying) {
    if (speech_) {
      if (f->saying) speech_->wrap_talk(f);
      else speech_->wrap(f);
      f->opcode = wire::kBinary;
      fin = true;
    }
    size_t n = f->length();
    if (squeeze_ && !(f->flags & kFragment) && ((f->flags & MW_F_COMPRESS) || n >= party_.policy.compress_min)) {
      base::Buffer squeezed;
      wire::Deflator& z = squeeze_->out ? *squeeze_->out : party_.shared_deflate(lane()).deflator(out_bits());
      if (f->own_len() != 0) z.compress(f->own(), f->own_len(), squeezed, !f->body);
      if (f->body) z.compress(f->body->body, f->body->len, squeezed, true);
      if (f->length() == 0) z.compress(nullptr, 0, squeezed, true);
      uint8_t* p = nullptr;
      f->body = base::MsgRef(base::message_room(squeezed.size(), 0, &p));
      if (!squeezed.empty()) std::memcpy(p, squeezed.data(), squeezed.size());
      f->start = f->room;
      f->own_payload = 0;
      rsv1 = true;
    }
  }
  f->encoded = true;  // nothing throws from here on
  size_t n = f->length();
  if (server) {
    uint8_t head[wire::kMaxHead];
    size_t h = wire::put_head(head, f->opcode, fin, rsv1, n);
    std::memcpy(f->prepend(h), head, h);
    return;
  }
  uint32_t key = lane().masking_key();
  uint8_t head[wire::kMaxHead];
  size_t h = wire::put_head_masked(head, f->opcode, fin, rsv1, n, key);
  size_t own = f->own_len();
  wire::mask(f->own(), own, key);
  if (f->body) wire::mask(const_cast<uint8_t*>(f->body->body), f->body->len, key, own);  // compressed: ours alone
  std::memcpy(f->prepend(h), head, h);
}

uint8_t Session::out_bits() const noexcept {
  return role_ == wire::Role::server ? squeeze_->agreed.server_bits : squeeze_->agreed.client_bits;
}

void Session::write_control(uint8_t opcode, const void* payload, size_t n) {
  if (opcode == wire::kPong && pongs_waiting_ >= 16) return;  // bounded: who does not read its answers gets no more
  Cork& c = lane().cork;
  if (!blocked() && c.owner == this && c.n + n + wire::kMaxHead <= Cork::kSize) {
    uint8_t* p = c.bytes + c.n;
    if (role_ == wire::Role::server) {
      size_t h = wire::put_head(p, opcode, true, false, n);
      if (n) std::memcpy(p + h, payload, n);
      c.n += h + n;
    } else {
      uint32_t key = lane().masking_key();
      size_t h = wire::put_head_masked(p, opcode, true, false, n, key);
      wire::mask_copy(p + h, static_cast<const uint8_t*>(payload), n, key);
      c.n += h + n;
    }
    return;
  }
  OutFrame* f = OutFrame::make(payload, n, wire::kMaxHead);
  f->opcode = opcode;
  f->control = true;
  f->session = this;
  if (opcode == wire::kPong) ++pongs_waiting_;
  enqueue(f);
}

// A binary frame; as it is where there are none.
void Session::write_packet(const void* p, size_t n, uint32_t events) {
  OutFrame* f = OutFrame::make(p, n, wire::kMaxHead);
  f->opcode = wire::kBinary;
  f->control = true;  // no policy drops it, no envelope around it
  f->events = events;
  f->session = this;
  enqueue(f);
}

bool Session::publish(mw_msg* origin, uint32_t flags, mw_msg* frame) {
  if (!is_open() || closed_here_) return false;
  int64_t cost = static_cast<int64_t>(origin->len) + kOverhead;
  mw_status s = reserve(cost);
  if (s < 0) {
    refused(s == MW_EAGAIN || s == MW_EMEMORY || s == MW_ETOOBIG ? MW_EDROPPED : s);
    return false;
  }
  OutFrame* f;
  try {
    if (frame != nullptr && !(squeeze_ && origin->len >= party_.policy.compress_min)) {
      f = OutFrame::make(nullptr, 0, 0);
      f->body = base::MsgRef(base::ref(frame));
      f->encoded = true;
    } else {
      f = compose(origin->body, origin->len, origin, flags, 0);
    }
  } catch (const std::bad_alloc&) {  // dropped for this peer alone
    queued_.fetch_sub(cost, std::memory_order_seq_cst);
    lane().slice.release(cost);
    drop_published();
    return false;
  }
  f->origin = base::MsgRef(base::ref(origin));
  f->flags = flags & ~kFragment;
  f->cost = cost;
  f->session = this;
  enqueue(f);
  return true;
}

// Events of a channel: the hub's way to one member.
bool Session::forward(mw_msg* frame, uint32_t events) {
  if (!is_open() || closed_here_) return false;
  int64_t cost = static_cast<int64_t>(frame->len) + kOverhead;
  if (mw_status s = reserve(cost); s < 0) {
    refused(s == MW_EOVERFLOW ? s : MW_EDROPPED, events);
    return false;
  }
  OutFrame* f;
  try {
    f = OutFrame::make(nullptr, 0, 0);
  } catch (const std::bad_alloc&) {  // dropped for this member alone
    queued_.fetch_sub(cost, std::memory_order_seq_cst);
    lane().slice.release(cost);
    refused(MW_EDROPPED, events);
    return false;
  }
  f->body = base::MsgRef(base::ref(frame));
  f->encoded = true;
  f->opcode = wire::kBinary;
  f->events = events;
  f->cost = cost;
  f->session = this;
  enqueue(f);
  return true;
}

}  // namespace mw::link
