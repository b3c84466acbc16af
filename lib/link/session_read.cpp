// The input side of a session: bytes to frames to messages (RFC 6455, 7692).
#include "base/clock.hpp"
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"
#include "net/tls.hpp"
#include "wire/close.hpp"
#include "wire/heartbeat.hpp"
#include "wire/netcluster.hpp"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

namespace mw::link {

using loop::Lane;
using wire::Head;
using wire::HeadStatus;
using wire::Violation;

Inflow& Session::inflow() {
  if (!in_) in_ = std::make_unique<Inflow>();
  return *in_;
}

void Session::on_ready(uint32_t events) {
  if (over()) return;
  if (events & EPOLLOUT) write_out();
  if (over()) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  if (state_.load(std::memory_order_relaxed) == State::lingering) {
    discard_input();
  } else if (paused_ || stalled_) {
    // Not reading by choice: a hang-up must not make the poller spin.
    if ((events & (EPOLLHUP | EPOLLERR)) && in_poller_) {
      lane().poller.del(fd_);
      in_poller_ = false;
    }
    return;
  } else {
    read_input();
  }
  // The end of the stream stands behind the bytes just read.
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !over() && !paused_ && !stalled_) lane().come_again();
}

void Session::on_resume() {
  if (over()) return;
  tell_dropped();
  if (!stalled_ && !broken_) return;
  stalled_ = false;
  if (paused_) return;
  if (in_ && !in_->partial.empty()) parse_partial();
  if (over() || stalled_ || paused_) return;
  if (tls_ && can_read()) read_tls(0);
  if (over() || stalled_ || paused_) return;
  if (in_ && in_->idle()) in_.reset();
  watch();
  bool turn = std::exchange(unread_, false);  // its turn has come; the poller would tell others first
  if (!(turn || broken_) || !can_read()) return;
  read_input();
  // Until there is nothing left: no poller tells the end of what a living peer said.
  if (broken_ && can_read() && !stalled_ && !paused_) {
    lane().resume_later(this);
    lane().poke();
  }
}

void Session::read_input() {
  size_t cap = transit_ ? size_t{Lane::kReceive} : lane().appetite();
  if (cap == 0) {
    unread_ = true;
    return stall();
  }
  if (tls_)
    read_tls(cap);
  else
    read_plain(cap);
  // One send for all that was said to this input; the cork is free for the next connection.
  if (!over() && corks_.load(std::memory_order_relaxed) == 0) uncork();
  if (in_ && in_->idle()) in_.reset();
}

void Session::read_plain(size_t cap) {
  uint8_t* p = lane().receive + Lane::kHeadroom;
  ssize_t n = recv(fd_, p, cap, 0);
  if (n <= 0) return input_end(n, errno);
  received(static_cast<size_t>(n), cap);
  take_bytes(p, static_cast<size_t>(n));
}

void Session::received(size_t n, size_t cap) noexcept {
  alive_ = true;
  count_in(n);
  if (n == cap) lane().come_again();
}

// cap 0: only what is already in user space.
void Session::read_tls(size_t cap) {
  Lane& l = lane();
  base::Buffer kept;
  ssize_t n = 0;
  if (in_ && !in_->sealed.empty()) {
    kept = std::move(in_->sealed);
    in_->sealed.release();
    tls_->give(kept.data(), kept.size());
  } else if (cap != 0) {
    uint8_t* sealed = l.sealed();
    cap = std::min(cap, Lane::kSealed);
    n = recv(fd_, sealed, cap, 0);
    if (n <= 0) return input_end(n, errno);
    received(static_cast<size_t>(n), cap);
    tls_->give(sealed, static_cast<size_t>(n));
  }
  uint8_t* p = l.receive + Lane::kHeadroom;
  for (;;) {
    size_t got = 0, filled = 0;
    net::Tls::Status s = net::Tls::Status::ok;
    // Many small records become one parse.
    while (filled < Lane::kReceive / 2 &&
           (s = tls_->read(p + filled, Lane::kReceive - filled, &got, l.cipher)) == net::Tls::Status::ok)
      filled += got;
    if (filled != 0) {
      if (!l.cipher.empty()) send_cipher();  // what the host sends to others from here uses it, too
      take_bytes(p, filled);
    }
    if (over()) return;
    if (stalled_ || paused_ || !can_read()) {
      if (can_read() && tls_->input_left() != 0)
        inflow().sealed.append(tls_->input(), tls_->input_left());
      tls_->take_back();
      break;
    }
    if (s == net::Tls::Status::ok) continue;
    if (s == net::Tls::Status::want_input) break;
    send_cipher();  // close_notify or an alert
    if (over()) return;
    if (s == net::Tls::Status::closed) return input_end(0, 0);
    return finish(MW_ETLS, wire::kAbnormal, tls_->error().text);
  }
  if (!l.cipher.empty()) send_cipher();
}

// End of file or an error from the socket.
void Session::input_end(ssize_t n, int err) {
  if (n < 0 && (err == EAGAIN || err == EWOULDBLOCK || err == EINTR)) {
    if (broken_ && err != EINTR) finish(MW_ERESET, wire::kAbnormal, "connection reset while sending");
    return;
  }
  if (n == 0) {
    if (close_received_) return finish(ending().status, ending().code, ending().reason);
    if (!wire::over_websocket(dialect_)) {
      const bool inside = in_ && !in_->partial.empty();
      return finish(inside ? MW_ERESET : MW_OK, wire::kNoStatus, inside ? "the stream ended inside a frame" : "");
    }
    return finish(MW_ERESET, wire::kAbnormal, "connection closed without a close frame");
  }
  finish(err == ETIMEDOUT ? MW_ETIMEDOUT : MW_ERESET, wire::kAbnormal, "connection reset");
}

// Both ends have said goodbye: read until the end of file, so that a reset
// does not overtake what we sent.
void Session::discard_input() {
  ssize_t n = recv(fd_, lane().receive, Lane::kReceive, 0);
  if (n == static_cast<ssize_t>(Lane::kReceive)) lane().come_again();
  if (n > 0) return;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  finish(ending().status, ending().code, ending().reason);
}

// New bytes at p, with kHeadroom bytes free before them.
void Session::take_bytes(uint8_t* p, size_t n) {
  if (!wire::over_websocket(dialect_)) return take_bare(p, n);
  if (in_ && !in_->partial.empty()) {
    base::Buffer& part = in_->partial;
    if (part.size() <= Lane::kHeadroom && !stalled_) {
      size_t before = part.size();
      p -= before;
      n += before;
      std::memcpy(p, part.data(), before);
      part.clear();
      in_->need = 0;
    } else {  // a large frame is completed in place
      size_t k = std::min(n, in_->need > part.size() ? in_->need - part.size() : 0);
      part.append(p, k);
      p += k;
      n -= k;
      if (part.size() < in_->need) return look_ahead();
      parse_partial();
      if (n == 0 || !can_read()) return;
      if (in_ && !in_->partial.empty()) {  // no room, or paused
        in_->partial.append(p, n);
        return;
      }
    }
  }
  size_t used = parse(p, n);
  if (used < n && can_read()) keep(p + used, n - used);
}

void Session::parse_partial() {
  if (!wire::over_websocket(dialect_)) return bare_partial();
  base::Buffer& part = in_->partial;
  size_t used = parse(part.data(), part.size());
  if (!in_) return;  // the session ended
  part.consume(std::min(used, part.size()));
  in_->need = 0;
  if (part.empty()) {
    part.release();
  } else if (!stalled_ && !paused_) {
    base::Buffer rest = std::move(part);
    in_->partial = base::Buffer();
    keep(rest.data(), rest.size());
  }
}

void Session::keep(const uint8_t* p, size_t n) {
  Inflow& in = inflow();
  Head h;
  Violation v;
  in.need = 0;
  if (!stalled_ && !paused_ &&
      wire::read_head(p, n, role_ == wire::Role::server, squeeze_ != nullptr, h, v) == HeadStatus::ok)
    in.need = h.size + h.length;  // parse() has checked it against the limit
  if (in.need > n) in.partial.room(in.need);
  in.partial.append(p, n);
  look_ahead();
}

// Bad text ends the connection as soon as it is there, also inside a frame
// that has not arrived whole (RFC 6455 8.1: fail fast). What was looked at is
// not looked at again when the frame is whole.
void Session::look_ahead() {
  Inflow& in = *in_;
  const bool masked = role_ == wire::Role::server;
  Head h;
  Violation v;
  if (wire::read_head(in.partial.data(), in.partial.size(), masked, squeeze_ != nullptr, h, v) != HeadStatus::ok) return;
  const size_t have = in.partial.size() - h.size;
  const bool text = h.opcode == wire::kText ? !h.rsv1 : h.opcode == wire::kCont && in.in_message && in.text && !in.compressed;
  if (!text || have >= h.length) return;
  if (in.looked == 0) in.ahead = h.opcode == wire::kText ? base::Utf8() : in.utf8;
  const uint8_t* payload = in.partial.data() + h.size;
  uint8_t plain[4096];
  while (in.looked < have) {
    size_t k = std::min(have - in.looked, sizeof plain);
    if (masked) wire::mask_copy(plain, payload + in.looked, k, wire::rotate_key(h.key, in.looked));
    if (!in.ahead.feed(masked ? plain : payload + in.looked, k)) {
      fail({1007, "text not UTF-8"});
      return;
    }
    in.looked += k;
  }
}

void Session::stall() {
  stalled_ = true;
  lane().resume_later(this);
  watch();
}

// Takes whole frames; returns how many bytes they were. The rest is to be kept.
size_t Session::parse(uint8_t* p, size_t n) {
  Lane& l = lane();
  uint8_t* const begin = p;
  uint8_t* const end = p + n;
  const bool masked = role_ == wire::Role::server;
  const uint64_t limit = max_payload();
  while (p != end) {
    Head h;
    Violation v;
    HeadStatus s = wire::read_head(p, static_cast<size_t>(end - p), masked, squeeze_ != nullptr, h, v);
    if (s == HeadStatus::more) break;
    if (s == HeadStatus::bad) return fail(v), n;
    if (h.length > limit) return fail({1009, "message too large"}), n;
    if (h.length > static_cast<uint64_t>(end - p) - h.size) break;
    if (!closed_here_ && !transit_ && !l.room(static_cast<size_t>(h.length))) {
      stall();
      break;
    }
    uint8_t* payload = p + h.size;
    if (masked) wire::mask(payload, static_cast<size_t>(h.length), h.key);
    p = payload + h.length;
    if (!frame(h, payload)) return n;
    if (paused_) break;
  }
  return static_cast<size_t>(p - begin);
}

size_t Session::max_payload() const noexcept {
  const size_t head = dialect_ == wire::Dialect::meshwork     ? wire::kMaxOverhead
                      : dialect_ == wire::Dialect::netcluster ? wire::kMaxNetclusterHead
                                                              : 0;
  return party_.policy.max_message + head;
}

// One frame, unmasked. False: nothing more is to be read.
bool Session::frame(const Head& h, uint8_t* payload) {
  auto n = static_cast<size_t>(h.length);
  if (h.fin && !h.rsv1 && (h.opcode == wire::kBinary || h.opcode == wire::kText) && !(in_ && in_->in_message)) [[likely]] {
    if (h.opcode == wire::kBinary) return deliver(payload, n, false, false);
    base::Utf8Fact fact = in_ && in_->looked != 0 ? in_->check_rest(payload, n) : base::utf8_check(payload, n);
    if (!fact.valid) return fail({1007, "text not UTF-8"});
    return deliver(payload, n, true, fact.ascii);
  }
  return wire::is_control(h.opcode) ? control(h, payload) : data(h, payload);
}

// A fragment, or a compressed message.
bool Session::data(const Head& h, uint8_t* payload) {
  Inflow& in = inflow();
  auto n = static_cast<size_t>(h.length);
  Violation v;
  if (!wire::in_order(in.in_message, h.opcode, v)) return fail(v);
  if (h.opcode != wire::kCont) {
    in.in_message = true;
    in.text = h.opcode == wire::kText;
    in.compressed = h.rsv1;
    in.utf8.reset();
    in.message.clear();
  }
  size_t before = in.message.size();
  bool together = in.compressed && !squeeze_->in;  // the lane's shared context takes whole messages only
  if (in.compressed && !together) {
    if (!inflate(payload, n, h.fin, in.message)) return false;
  } else {
    if (before + n > max_payload()) return fail({1009, "message too large"});
    in.message.append(payload, n);
    if (size_t seen = std::exchange(in.looked, 0); seen != 0) {
      in.utf8 = in.ahead;
      before += seen;
    }
  }
  if (together) {
    if (!h.fin) return true;
    base::Buffer packed = std::exchange(in.message, base::Buffer());
    if (!inflate(packed.data(), packed.size(), true, in.message)) return false;
    before = 0;
  }
  if (in.text && !in.utf8.feed(in.message.data() + before, in.message.size() - before))
    return fail({1007, "text not UTF-8"});
  if (!h.fin) return true;
  if (in.text && !in.utf8.complete()) return fail({1007, "text not UTF-8"});
  base::Buffer whole = std::move(in.message);
  in.message = base::Buffer();
  in.in_message = false;
  return deliver(whole.data(), whole.size(), in.text, in.text && in.utf8.ascii());
}

bool Session::inflate(const uint8_t* p, size_t n, bool last, base::Buffer& out) {
  Violation v;
  wire::InflateLimit limit{max_payload(), party_.policy.max_ratio};
  wire::Inflator& z = squeeze_->in ? *squeeze_->in : party_.shared_deflate(lane()).inflator();
  return z.inflate(p, n, last, limit, out, v) || fail(v);
}

bool Session::control(const Head& h, uint8_t* payload) {
  auto n = static_cast<size_t>(h.length);
  std::string_view body(reinterpret_cast<const char*>(payload), n);
  switch (h.opcode) {
    case wire::kPing:
      if (is_open()) write_control(wire::kPong, payload, n);
      if (is_open() && !closed_here_ && party_.policy.wants(MW_EVENT_PING))
        party_.event(lane(), MW_EVENT_PING, self_.handle, self_.token.load(std::memory_order_relaxed), MW_OK, 0, 0, body);
      break;
    case wire::kPong: {
      stats.last_beat.store(base::wall_ms(), std::memory_order_relaxed);
      uint64_t rtt = 0;
      if (ping_at_ != 0) {
        rtt = static_cast<uint64_t>(base::mono_us()) - ping_at_;
        stats.rtt_us.store(static_cast<uint32_t>(std::min<uint64_t>(rtt, UINT32_MAX)), std::memory_order_relaxed);
        ping_at_ = 0;
      }
      if (is_open() && !closed_here_ && party_.policy.wants(MW_EVENT_PONG))
        party_.event(lane(), MW_EVENT_PONG, self_.handle, self_.token.load(std::memory_order_relaxed), MW_OK, 0, rtt, body);
      break;
    }
    default: {
      uint16_t code;
      std::string_view reason;
      Violation v;
      if (!wire::parse_close(payload, n, &code, &reason, v)) return fail(v);
      closed_by_peer(code, reason);
      return false;
    }
  }
  return can_read();
}

bool Session::within_rate(size_t bytes) {
  auto per_s = static_cast<double>(party_.policy.max_rate.load(std::memory_order_relaxed));
  auto bytes_per_s = static_cast<double>(party_.policy.max_rate_bytes.load(std::memory_order_relaxed));
  Rare& r = rare();  // a token bucket that holds one second
  uint64_t now = lane().now();
  double passed = r.rate_at == 0 ? 1.0 : static_cast<double>(now - r.rate_at) / 1000.0;
  r.rate_at = now;
  r.rate_left = std::min(per_s, r.rate_left + passed * per_s) - 1;
  r.rate_bytes_left = std::min(bytes_per_s, r.rate_bytes_left + passed * bytes_per_s) - static_cast<double>(bytes);
  return (per_s == 0 || r.rate_left >= -0.001) && (bytes_per_s == 0 || r.rate_bytes_left >= -0.001);
}

// A whole WebSocket message. False: nothing more is to be read.
bool Session::deliver(const uint8_t* p, size_t n, bool text, bool ascii) {
  if (state_.load(std::memory_order_relaxed) != State::up || closed_here_) return can_read();
  if (party_.policy.limits_rate() && !within_rate(n)) {
    ending().status = MW_ERATE;
    return fail({1008, "message rate too high"});
  }
  if (dialect_ == wire::Dialect::meshwork) {
    if (text) return fail({1003, "text message on the own wire"});
    return speech_->read(p, n) && can_read();
  }
  if (dialect_ == wire::Dialect::network_cluster && text &&
      seed_text({reinterpret_cast<const char*>(p), n}))
    return can_read();
  uint64_t seq = stats.messages_in.load(std::memory_order_relaxed);
  count_message_in();
  if (!party_.policy.wants(MW_EVENT_MESSAGE)) return true;
  mw_event ev{};
  ev.kind = MW_EVENT_MESSAGE;
  ev.token = self_.token.load(std::memory_order_relaxed);
  ev.peer = self_.handle;
  ev.flags = (text ? uint32_t{MW_F_TEXT} : 0) | (ascii ? uint32_t{MW_F_ASCII} : 0);
  ev.code = static_cast<int32_t>(seq & 0x7fffffff);
  lane().emit(party_.target, ev, p, n);
  return can_read();
}

void Session::message(const wire::MessageView& m, uint32_t flags, const uint8_t* body, size_t len) {
  uint64_t seq = stats.messages_in.load(std::memory_order_relaxed);
  count_message_in();
  if (!party_.policy.wants(MW_EVENT_MESSAGE)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_MESSAGE;
  ev.token = self_.token.load(std::memory_order_relaxed);
  ev.peer = self_.handle;
  ev.flags = flags;
  ev.code = static_cast<int32_t>(seq & 0x7fffffff);
  lane().emit(party_.target, ev, m.topic, m.meta, {reinterpret_cast<const char*>(body), len});
}

}  // namespace mw::link
