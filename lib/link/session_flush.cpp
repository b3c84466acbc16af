// What was collected goes to the kernel, through TLS where there is one; what
// the kernel does not take waits for the poller. The lane, in a turn; uncork
// also from a send that fills the cork.
#include "base/clock.hpp"
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"
#include "net/tls.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

namespace mw::link {

using loop::Cork;
using loop::Lane;

namespace {

constexpr size_t kSealAtOnce = 128 << 10;  // plaintext encrypted before a send

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

void Session::count_message_out(uint64_t n) noexcept {
  bump(stats.messages_out, n);
  bump(counters_->messages_out, n);
}

// Without memory for what the kernel does not take the connection is doomed.
void Session::uncork() noexcept {
  Cork& c = lane().cork;
  if (c.owner != this) return;
  size_t n = c.n;
  uint32_t messages = c.messages;
  c.owner = nullptr;
  c.n = 0;
  c.messages = 0;
  if (n == 0) return;
  if (doomed_) [[unlikely]] {
    ending().unsent += messages;
    ending().unsent_bytes += n;
    return;
  }
  try {
    send_corked(n, messages);
  } catch (const std::bad_alloc&) {
    lane().cipher.clear();  // the next connection's now
    doom();
  }
}

void Session::hand_over_cork(Lane& lane) noexcept {
  if (lane.cork.owner != nullptr) static_cast<Session*>(lane.cork.owner)->hand_over_cork();
}

// The lane's cork is for everybody: held writes wait elsewhere.
void Session::hand_over_cork() noexcept {
  Cork& c = lane().cork;
  if (c.owner != this) return;
  if (corks_.load(std::memory_order_relaxed) == 0) {
    uncork();
    if (!doomed_ && !blocked()) lane().flushed(this);
    return;
  }
  try {
    requeue(c.bytes, 0, c.n);
  } catch (const std::bad_alloc&) {
    doom();
  }
  c.owner = nullptr;
  c.n = 0;
  c.messages = 0;
}

void Session::send_corked(size_t n, uint32_t messages) {
  Cork& c = lane().cork;
  if (tls_) {
    if (!tls_->write(c.bytes, n, lane().cipher)) throw std::bad_alloc();  // nothing else fails it
    count_out(n);
    send_cipher();
    if (sealed_ && !sealed_->cipher.empty()) sealed_->messages += messages;
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
  if (doomed_) [[unlikely]] return on_trouble();
  if (corks_.load(std::memory_order_relaxed) > 0) [[unlikely]] {
    uint64_t now = lane().now(), max = static_cast<uint64_t>(party_.policy.cork_max);
    if (rare().corked_at == 0) rare().corked_at = now;
    if (now < rare().corked_at + max) {
      hand_over_cork();
      lane().flush_at(this, rare().corked_at + max);
      return;
    }
    corks_.store(0, std::memory_order_relaxed);
  }
  if (rare_) rare_->corked_at = 0;
  uncork();
  if (!watching_write_) write_out();
}

void Session::write_out() {
  if (over() || !ever_up() || broken_) return;
  if (doomed_) [[unlikely]] return on_trouble();
  bool all = tls_ ? write_sealed() : write_plain();
  if (over()) return;
  if (all) {
    want_write(false);
    after_output();
    if (!over()) party_.written(*this);
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
        write_failed();
      }
      return false;
    }
    count_out(static_cast<uint64_t>(r));
    size_t left = static_cast<size_t>(r);
    bool whole = left == total;
    while (!out_.empty()) {
      OutFrame* f = out_.head();
      if (!f->encoded) break;  // not among what was handed over; an empty body has no length yet
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
    if (sealed_) {
      if (!sealed_->cipher.empty() && !send_cipher()) return false;
      std::unique_ptr<Sealed> whole = std::move(sealed_);  // all of it has reached the kernel
      while (!whole->frames.empty()) handed(whole->frames.pop());
    }
    if (out_.empty()) return true;
    if (!sealed_) sealed_ = std::make_unique<Sealed>();
    uint8_t* plain = lane().receive;  // free outside of reading
    size_t n = 0;
    auto seal = [&](const uint8_t* p, size_t len) {
      if (!tls_->write(p, len, lane().cipher)) throw std::bad_alloc();  // nothing else fails it
    };
    auto add = [&](const uint8_t* p, size_t len) {
      if (n + len > Lane::kReceive) {
        seal(plain, std::exchange(n, 0));
        if (len > Lane::kReceive) return seal(p, len);
      }
      std::memcpy(plain + n, p, len);
      n += len;
    };
    while (!out_.empty() && n < kSealAtOnce) {
      encode(out_.head());
      OutFrame* f = out_.pop();
      sealed_->frames.push(f);
      count_out(f->length());
      add(f->own(), f->own_len());
      if (f->body) add(f->body->body, f->body->len);
    }
    seal(plain, n);
    if (!send_cipher()) return false;
  }
  lane().flush_later(this);
  return false;
}

// Sends what TLS made, in order. False: some is left (or the connection broke;
// the poller will say so).
bool Session::send_cipher() {
  base::Buffer& made = lane().cipher;
  if (sealed_ && !sealed_->cipher.empty()) {
    base::Buffer& old = sealed_->cipher;
    if (!made.empty()) old.append(made.data(), made.size());
    made.clear();
    ssize_t r = ::send(fd_, old.data(), old.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (r > 0) old.consume(static_cast<size_t>(r));
    if (!old.empty()) return want_write(true), false;
    old.release();
    return true;
  }
  if (made.empty()) return true;
  ssize_t r = ::send(fd_, made.data(), made.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  size_t sent = r > 0 ? static_cast<size_t>(r) : 0;
  bool all = sent == made.size();
  if (!all) {
    if (!sealed_) sealed_ = std::make_unique<Sealed>();
    sealed_->cipher.append(made.data() + sent, made.size() - sent);
    want_write(true);
  }
  made.clear();
  return all;
}

// A frame has reached the kernel.
void Session::handed(OutFrame* f) {
  if (f->opcode == wire::kPong && f->control && pongs_waiting_ > 0) --pongs_waiting_;
  if (f->opcode == wire::kPing && f->control && ping_at_ == 0) ping_at_ = static_cast<uint64_t>(base::mono_us());
  if (!f->saying && (!f->control || f->op != 0 || f->events != 0)) count_message_out(f->messages());
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

// The other end is gone, but what it said before may still be in the socket
// (of a unix socket it is): the end of the input ends the session.
void Session::write_failed() {
  broken_ = true;
  want_write(false);
  lane().resume_later(this);
  lane().poke();
}

void Session::want_write(bool on) {
  on = on && !broken_;
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
  if (!paused_ && !(stalled_ && lane().door() == loop::Door::inbox)) events |= EPOLLIN | EPOLLRDHUP;
  if (in_poller_ && events == watched_) return;
  watched_ = events;
  if (in_poller_) return void(lane().poller.mod(fd_, events, this));
  in_poller_ = lane().poller.add(fd_, events, this);
  // Nothing would ever be heard of a socket the kernel refuses to watch.
  if (!in_poller_) finish(MW_EIO, wire_abnormal(), "the kernel has no room to watch another socket");
}

}  // namespace mw::link
