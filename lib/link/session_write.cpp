// The output side of a session: what the host sends becomes frames in the
// lane's cork, or in the outbox where the kernel does not take them.
#include "base/handle.hpp"
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"
#include "net/tls.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

namespace mw::link {

using base::Overflow;
using loop::Cork;
using loop::Lane;

namespace {

constexpr int64_t kOverhead = 64;                 // of each message, so that empty ones are bounded too
constexpr size_t kDirect = 64 << 10;              // larger bodies go out from where they lie
constexpr size_t kSealAtOnce = 128 << 10;         // plaintext encrypted before a send
constexpr uint32_t kFragment = MW_F_MORE | MW_F_CONT;

}  // namespace

// One writer each: no locked instruction.
static void bump(std::atomic<uint64_t>& counter, uint64_t by) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

void Session::count_in(uint64_t bytes) noexcept {
  bump(stats.bytes_in, bytes);
  bump(counters_->bytes_in, bytes);
}

void Session::count_out(uint64_t bytes) noexcept {
  bump(stats.bytes_out, bytes);
  bump(counters_->bytes_out, bytes);
}

void Session::count_message_in() noexcept {
  bump(stats.messages_in, 1);
  bump(counters_->messages_in, 1);
}

void Session::count_message_out() noexcept {
  bump(stats.messages_out, 1);
  bump(counters_->messages_out, 1);
}

// ---- reservation (any thread)

mw_status Session::reserve(int64_t cost) noexcept {
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
  if (!lane().slice.reserve(cost)) {
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
  slow_told_.store(false, std::memory_order_relaxed);
  party_.event(lane(), MW_EVENT_WRITABLE, self_.handle, self_.token.load(std::memory_order_relaxed), MW_OK, 0, 0, {});
}

// A send was refused or will push something out: tell who is slow, once.
mw_status Session::refused(mw_status why) noexcept {
  if (why == MW_EAGAIN || why == MW_EDROPPED || why == MW_EOVERFLOW) {
    uint32_t bits = slow_told_.exchange(true, std::memory_order_relaxed) ? 0 : kSlow;
    if (why == MW_EDROPPED) {
      dropped_untold_.fetch_add(1, std::memory_order_relaxed);
      bits |= kDropped;
    }
    if (why == MW_EOVERFLOW) bits |= kOverflow;
    if (bits != 0) self_.request(bits);
  }
  return why;
}

// ---- sending (any thread)

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

mw_status Session::send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  Lane& l = lane();
  if (l.here()) return send_here(static_cast<const uint8_t*>(body), len, m, flags, op);
  if (Lane::Hold hold(l); hold) return send_here(static_cast<const uint8_t*>(body), len, m, flags, op);
  if (!open()) return MW_ECLOSED;
  bool first = (flags & kFragment) == MW_F_MORE;
  if (mw_status s = admit(body, len, flags); s != MW_OK) return s;
  int64_t cost = static_cast<int64_t>(len + (m != nullptr && m->meta != nullptr ? m->meta->size() : 0)) + kOverhead;
  mw_status s = reserve(cost);
  if (s < 0) {
    if (first) streaming_.store(false, std::memory_order_release);
    return refused(s);
  }
  OutFrame* f = nullptr;
  try {
    f = compose(static_cast<const uint8_t*>(body), len, m, flags, op);
  } catch (const std::bad_alloc&) {
    if (first) streaming_.store(false, std::memory_order_release);
    lane().slice.release(cost);
    refund(cost);
    return MW_ENOMEM;
  }
  f->cost = cost;
  f->session = this;
  if ((flags & kFragment) == MW_F_CONT) streaming_.store(false, std::memory_order_release);
  l.post(f);
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

// On the lane, perhaps from inside a callback, perhaps between turns: only
// collects; a turn writes.
mw_status Session::send_here(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  if (!is_open() || closed_here_) return MW_ECLOSED;
  Lane& l = lane();
  Cork& c = l.cork;
  const Policy& policy = party_.policy;
  if ((flags & ~static_cast<uint32_t>(MW_F_TEXT)) == 0 && op == 0 && !blocked() && !held_streaming_ &&
      (c.owner == this || c.owner == nullptr) && !(squeeze_ && len >= policy.compress_min) &&
      static_cast<int64_t>(len) + kOverhead <= policy.max.load(std::memory_order_relaxed) &&
      !l.runtime.budget().over()) [[likely]] {
    if ((flags & MW_F_TEXT) && !base::utf8_check(body, len).valid) return MW_EINVAL;
    size_t need = len + head_room(m);
    if (need <= Cork::kSize && len < kDirect) [[likely]] {
      if (c.n + need > Cork::kSize) uncork();
      if (!blocked()) [[likely]] {
        if (c.owner == nullptr) {
          c.owner = this;
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
  bool first = (flags & kFragment) == MW_F_MORE;
  if (mw_status s = admit(body, len, flags); s != MW_OK) return s;
  int64_t cost = static_cast<int64_t>(len + (m != nullptr && m->meta != nullptr ? m->meta->size() : 0)) + kOverhead;
  mw_status s = reserve(cost);
  if (s < 0) {
    if (first) streaming_.store(false, std::memory_order_release);
    return refused(s);
  }
  OutFrame* f = nullptr;
  try {
    f = compose(body, len, m, flags, op);
  } catch (const std::bad_alloc&) {
    if (first) streaming_.store(false, std::memory_order_release);
    l.slice.release(cost);
    refund(cost);
    return MW_ENOMEM;
  }
  if ((flags & kFragment) == MW_F_CONT) streaming_.store(false, std::memory_order_release);
  f->cost = cost;
  f->session = this;
  enqueue(f);
  return s;
}

// Posted by another thread, after it reserved.
void Session::arrive(OutFrame* f) {
  if (!is_open() || closed_here_) {
    discard(f, MW_ECLOSED);
    return;
  }
  enqueue(f);
}

// ---- the outbox (the lane)

void Session::enqueue(OutFrame* f) {
  // What was corked comes first.
  if (lane().cork.owner == this) uncork();
  if (f->control) {
    out_.push(f);
  } else if (held_streaming_ && !(f->flags & MW_F_CONT)) {
    // A fragmented message is under way: others wait for its end (RFC 6455 5.4).
    if (!held_) held_ = std::make_unique<Outbox>();
    held_->push(f);
  } else {
    if (f->flags & kFragment) held_streaming_ = (f->flags & MW_F_MORE) != 0;
    out_.push(f);
    if (!held_streaming_ && held_) {
      while (!held_->empty()) out_.push(held_->pop());
      held_.reset();
    }
  }
  trim();
  if (!watching_write_) lane().flush_later(this);
}

// drop_old and conflate: what was accepted beyond the bound pushes out older messages.
void Session::trim() {
  Overflow overflow = party_.policy.overflow.load(std::memory_order_relaxed);
  if (overflow != Overflow::drop_old && overflow != Overflow::conflate) return;
  int64_t max = party_.policy.max.load(std::memory_order_relaxed);
  while (queued_.load(std::memory_order_relaxed) > max && out_.frames() > 1) {
    OutFrame* newest = out_.tail();
    const std::string* topic = overflow == Overflow::conflate && newest->origin ? newest->origin->topic : nullptr;
    OutFrame* old = topic != nullptr ? out_.steal(topic, newest) : nullptr;
    if (old == nullptr) old = out_.steal(nullptr, newest);
    if (old == nullptr) return;
    if (!slow_told_.exchange(true, std::memory_order_relaxed)) self_.request(kSlow);
    dropped_untold_.fetch_add(1, std::memory_order_relaxed);
    last_dropped_ = old->origin;
    self_.request(kDropped);
    discard(old, MW_EDROPPED);
  }
}

// Writes the frame's head, late, so that what is dropped was never encoded.
void Session::encode(OutFrame* f) {
  if (f->encoded) return;
  f->encoded = true;
  bool server = role_ == wire::Role::server;
  bool fin = (f->flags & MW_F_MORE) == 0;
  bool rsv1 = false;
  if (!f->control) {
    if (speech_) {
      speech_->wrap(f);
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
  if (opcode == wire::kPong && pong_waiting_) return;  // RFC 6455 5.5.3: the most recent ping will do
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
  if (opcode == wire::kPong) pong_waiting_ = true;
  enqueue(f);
}

void Session::write_packet(const void* p, size_t n) {
  OutFrame* f = OutFrame::make(p, n, wire::kMaxHead);
  f->opcode = wire::kBinary;
  f->control = true;  // no policy drops it, no envelope around it
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
  if (frame != nullptr && !(squeeze_ && origin->len >= party_.policy.compress_min)) {
    f = OutFrame::make(nullptr, 0, 0);
    f->body = base::MsgRef(base::ref(frame));
    f->encoded = true;
  } else {
    f = compose(origin->body, origin->len, origin, flags, 0);
  }
  f->origin = base::MsgRef(base::ref(origin));
  f->flags = flags & ~kFragment;
  f->cost = cost;
  f->session = this;
  enqueue(f);
  return true;
}

// ---- to the kernel (the lane, in a turn, or from send_here when the cork is full)

void Session::uncork() {
  Cork& c = lane().cork;
  if (c.owner != this) return;
  size_t n = c.n;
  uint32_t messages = c.messages;
  c.owner = nullptr;
  c.n = 0;
  c.messages = 0;
  if (n == 0) return;
  if (tls_) {
    tls_->write(c.bytes, n, lane().cipher);
    count_out(n);
    send_cipher();
    if (!cipher_out_.empty()) sealed_messages_ += messages;
    return;
  }
  ssize_t r = ::send(fd_, c.bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
  size_t sent = r > 0 ? static_cast<size_t>(r) : 0;
  count_out(sent);
  if (sent == n) return;
  requeue(c.bytes, sent, n);
  want_write(true);
}

// What the kernel did not take of the cork becomes frames, charged beyond the
// bounds: they were accepted. At most one cork of them a lane.
void Session::requeue(const uint8_t* p, size_t sent, size_t n) {
  for (size_t at = 0; at < n;) {
    wire::Head h{};
    wire::Violation v;
    wire::read_head(p + at, n - at, role_ == wire::Role::client, true, h, v);
    size_t len = h.size + static_cast<size_t>(h.length);
    if (at + len > sent) {
      size_t begun = sent > at ? sent - at : 0;
      OutFrame* f = OutFrame::make(p + at + begun, len - begun, 0);
      f->session = this;
      f->opcode = h.opcode;
      f->encoded = true;
      f->control = begun != 0 || wire::is_control(h.opcode) || speech_ != nullptr;
      f->cost = static_cast<int64_t>(len) + kOverhead;
      queued_.fetch_add(f->cost, std::memory_order_seq_cst);
      lane().slice.force(f->cost);
      out_.push(f);
    }
    at += len;
  }
}

void Session::on_flush() {
  if (over()) return;
  if (corks_.load(std::memory_order_relaxed) > 0) [[unlikely]] {
    uint64_t now = lane().now(), max = static_cast<uint64_t>(party_.policy.cork_max);
    if (corked_at_ == 0) corked_at_ = now;
    if (now < corked_at_ + max) {
      Cork& c = lane().cork;
      if (c.owner == this) {  // the lane's cork is for everybody
        requeue(c.bytes, 0, c.n);
        c.owner = nullptr;
        c.n = 0;
        c.messages = 0;
      }
      lane().flush_at(this, corked_at_ + max);
      return;
    }
    corks_.store(0, std::memory_order_relaxed);
  }
  corked_at_ = 0;
  uncork();
  if (!watching_write_) write_out();
}

void Session::write_out() {
  if (over() || !ever_up()) return;
  bool all = tls_ ? write_sealed() : write_plain();
  if (over()) return;
  if (all) {
    want_write(false);
    after_output();
  }
}

// True: nothing is left. False: waits for the poller, goes on later, or ended.
bool Session::write_plain() {
  for (int round = 0; round < 16; ++round) {
    if (out_.empty()) return true;
    iovec iov[64];
    size_t k = 0, total = 0;
    for (OutFrame* f = out_.head(); f != nullptr && k + 2 <= 64 && total < (1u << 20); f = f->next_out) {
      encode(f);
      size_t skip = f->sent, own = f->own_len();
      if (skip < own) {
        iov[k++] = {f->own() + skip, own - skip};
        total += own - skip;
        skip = 0;
      } else {
        skip -= own;
      }
      if (f->body && f->body->len > skip) {
        iov[k++] = {const_cast<uint8_t*>(f->body->body) + skip, f->body->len - skip};
        total += f->body->len - skip;
      }
    }
    msghdr msg{};
    msg.msg_iov = iov;
    msg.msg_iovlen = k;
    ssize_t r = k == 0 ? 0 : sendmsg(fd_, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (r < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        want_write(true);
      } else if (errno == EINTR) {
        continue;
      } else {
        finish(MW_ERESET, wire_abnormal(), "connection reset while sending");
      }
      return false;
    }
    count_out(static_cast<uint64_t>(r));
    size_t left = static_cast<size_t>(r);
    bool whole = left == total;
    while (!out_.empty()) {
      OutFrame* f = out_.head();
      size_t rest = f->length() - f->sent;
      if (rest > left) {
        f->sent += left;
        break;
      }
      left -= rest;
      handed(out_.pop());
    }
    if (!whole) {
      want_write(true);
      return false;
    }
  }
  lane().flush_later(this);  // others first
  return false;
}

bool Session::write_sealed() {
  for (int round = 0; round < 16; ++round) {
    if (!cipher_out_.empty() && !send_cipher()) return false;
    if (sealed_)
      while (!sealed_->empty()) handed(sealed_->pop());
    sealed_messages_ = 0;
    if (out_.empty()) return true;
    uint8_t* plain = lane().receive;  // free outside of reading
    size_t n = 0;
    while (!out_.empty() && n < kSealAtOnce) {
      OutFrame* f = out_.pop();
      encode(f);
      count_out(f->length());
      auto add = [&](const uint8_t* p, size_t len) {
        if (n + len > Lane::kReceive) {
          tls_->write(plain, n, lane().cipher);
          n = 0;
          if (len > Lane::kReceive) {
            tls_->write(p, len, lane().cipher);
            return;
          }
        }
        std::memcpy(plain + n, p, len);
        n += len;
      };
      add(f->own(), f->own_len());
      if (f->body) add(f->body->body, f->body->len);
      if (!sealed_) sealed_ = std::make_unique<Outbox>();
      sealed_->push(f);
    }
    if (n != 0) tls_->write(plain, n, lane().cipher);
    if (!send_cipher()) return false;
  }
  lane().flush_later(this);
  return false;
}

// Sends what TLS made, in order. False: some is left (or the connection broke;
// the poller will say so).
bool Session::send_cipher() {
  base::Buffer& made = lane().cipher;
  if (!cipher_out_.empty()) {
    if (!made.empty()) cipher_out_.append(made.data(), made.size());
    made.clear();
    ssize_t r = ::send(fd_, cipher_out_.data(), cipher_out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (r > 0) cipher_out_.consume(static_cast<size_t>(r));
    if (!cipher_out_.empty()) return want_write(true), false;
    cipher_out_.release();
    return true;
  }
  if (made.empty()) return true;
  ssize_t r = ::send(fd_, made.data(), made.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  size_t sent = r > 0 ? static_cast<size_t>(r) : 0;
  if (sent < made.size()) {
    cipher_out_.append(made.data() + sent, made.size() - sent);
    want_write(true);
  }
  made.clear();
  return cipher_out_.empty();
}

// A frame has reached the kernel.
void Session::handed(OutFrame* f) {
  if (f->opcode == wire::kPong && f->control) pong_waiting_ = false;
  if (f->opcode == wire::kClose) close_handed_ = true;
  if (!f->control || f->op != 0) count_message_out();
  if (f->op != 0 && !(speech_ && speech_->awaits(f)))
    party_.done(lane(), f->op, MW_OK, 0, {}, self_.handle);
  int64_t cost = f->cost;
  f->free();
  give_back(cost);
}

void Session::discard(OutFrame* f, mw_status why) {
  if (f->op != 0) party_.done(lane(), f->op, why, 0, {}, self_.handle);
  int64_t cost = f->cost;
  f->free();
  if (cost != 0) {
    queued_.fetch_sub(cost, std::memory_order_seq_cst);
    lane().slice.release(cost);
  }
}

void Session::want_write(bool on) {
  if (watching_write_ == on) return;
  watching_write_ = on;
  watch();
}

// Brings the poller in line with what we wait for.
void Session::watch() {
  if (fd_ < 0 || over()) return;
  uint32_t events = watching_write_ ? EPOLLOUT : 0u;
  // A host-turned lane comes back to a stalled session by itself; another
  // one must not spin on a socket it will not read.
  if (!paused_ && !(stalled_ && lane().door() == loop::Door::inbox)) events |= EPOLLIN;
  if (in_poller_ && events == watched_) return;
  watched_ = events;
  if (in_poller_)
    lane().poller.mod(fd_, events, this);
  else
    in_poller_ = lane().poller.add(fd_, events, this);
}

}  // namespace mw::link
