// A session's life: taking over a ready connection, heartbeats, the close
// handshake (RFC 6455 section 7), the end.
#include "base/clock.hpp"
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"
#include "net/tls.hpp"
#include "wire/close.hpp"
#include "wire/heartbeat.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace mw::link {

using base::LogLevel;
using loop::Lane;
using wire::Dialect;
using wire::Role;

Session::Session(Party& party, loop::Object& self) noexcept : party_(party), self_(self) {}
Session::~Session() {
  while (!out_.empty()) out_.pop()->free();
  if (fd_ >= 0) ::close(fd_);
}

void Session::adopt(net::Carrier&& carrier, Role role, Dialect dialect, const wire::Deflate& deflate) {
  std::unique_ptr<Squeeze> squeeze;
  std::unique_ptr<Inflow> in;
  if (deflate.on) {
    squeeze = std::make_unique<Squeeze>();
    squeeze->agreed = deflate;
    bool server = role == Role::server;
    bool out_reset = server ? deflate.server_no_takeover : deflate.client_no_takeover;
    bool in_reset = server ? deflate.client_no_takeover : deflate.server_no_takeover;
    int bits_out = server ? deflate.server_bits : deflate.client_bits;
    int bits_in = server ? deflate.client_bits : deflate.server_bits;
    // Contexts that forget everything after a message are shared by the lane.
    if (!out_reset)
      squeeze->out = std::make_unique<wire::Deflator>(bits_out, wire::compress_memory(party_.policy.compress).level, false);
    if (!in_reset) squeeze->in = std::make_unique<wire::Inflator>(bits_in, false);
  }
  if (!carrier.early.empty()) in = std::make_unique<Inflow>();
  if (dialect == Dialect::meshwork) speech_ = std::make_unique<Speech>(*this);
  // From here on nothing throws.
  if (in) in->partial = std::move(carrier.early);
  in_ = std::move(in);
  squeeze_ = std::move(squeeze);
  fd_ = std::exchange(carrier.fd, -1);
  tls_ = std::move(carrier.tls);
  role_ = role;
  counters_ = &party_.counters(lane());
  dialect_ = dialect;
  can_call.store(dialect == Dialect::meshwork, std::memory_order_relaxed);
  state_.store(State::up, std::memory_order_release);
  stats.last_beat.store(base::wall_ms(), std::memory_order_relaxed);
}

void Session::greet() noexcept {
  try {
    if (speech_) speech_->greet();
  } catch (const std::bad_alloc&) {
    doom();
  }
}

// Ends the connection soon, from where no event may be told.
void Session::doom() noexcept {
  doomed_ = closed_here_ = true;
  lane().flush_later(this);
}

void Session::begin() noexcept {
  try {
    start();
  } catch (const std::bad_alloc&) {
    on_trouble();
  }
}

void Session::start() {
  if (dialect_ == Dialect::network_cluster && role_ == Role::server) {
    char hello[wire::kMaxBeat];
    int64_t ms = party_.policy.beat_interval.load(std::memory_order_relaxed);
    send_text({hello, wire::put_beat_hello(hello, ms > 0 ? ms : 1)});
  }
  arm_beat();
  // Bytes that came with the upgrade: the poller cannot tell about them.
  if (in_ && !in_->partial.empty()) parse_partial();
  if (!over() && !stalled_ && !paused_ && tls_ && can_read()) read_tls(0);
  if (in_ && in_->idle()) in_.reset();
  if (!over()) watch();
}

// Text that the dialect itself says; never dropped, not counted as a message.
void Session::send_text(std::string_view text) {
  OutFrame* f = OutFrame::make(text.data(), text.size(), wire::kMaxHead);
  f->opcode = wire::kText;
  f->control = true;
  f->session = this;
  enqueue(f);
}

void Session::pause(bool on) {
  if (paused_ == on || over()) return;
  paused_ = on;
  if (on) {
    watch();
  } else {
    alive_ = true;
    stalled_ = true;  // go on like one that found no room
    lane().resume_later(this);
    lane().poke();
  }
}

// ---- heartbeat

void Session::arm_beat() {
  int64_t interval = party_.policy.beat_interval.load(std::memory_order_relaxed);
  if (dialect_ == Dialect::network_cluster && role_ == Role::client) interval = int64_t{seed_interval_} * 2;
  if (interval <= 0 || !wire::over_websocket(dialect_))
    loop::Wheel::cancel(*this);
  else
    lane().wheel.set(*this, lane().now() + static_cast<uint64_t>(interval));
}

void Session::beat_changed() {
  if (is_open()) arm_beat();
}

void Session::expired() noexcept {
  try {
    time_is_up();
  } catch (...) {
    on_trouble();
  }
}

void Session::on_trouble() noexcept { finish(MW_ENOMEM, wire::kAbnormal, "out of memory"); }

void Session::time_is_up() {
  switch (state_.load(std::memory_order_relaxed)) {
    case State::up:
      beat();
      break;
    case State::closing:
      finish(ending().status, close_received_ ? ending().code : wire::kAbnormal,
             close_received_ ? ending().reason : "no answer to the close frame");
      break;
    case State::lingering:
      finish(ending().status, ending().code, ending().reason);
      break;
    default:
      break;
  }
}

void Session::beat() {
  Lane& l = lane();
  int64_t interval = party_.policy.beat_interval.load(std::memory_order_relaxed);
  // A lane that overslept by most of an interval accuses nobody; nor does one
  // that does not read this peer by choice.
  bool late = l.now() > at + static_cast<uint64_t>(interval) / 2 + 50;
  bool excused = late || paused_ || stalled_;
  if (dialect_ == Dialect::network_cluster && role_ == Role::client) {
    if (alive_ || excused) {
      alive_ = false;
      arm_beat();
      return;
    }
    return finish(MW_ETIMEDOUT, wire::kAbnormal, "no heartbeat from the provider within the cutoff");
  }
  int64_t max = party_.policy.max_strikes.load(std::memory_order_relaxed);
  bool seed = dialect_ == Dialect::network_cluster;
  // The seed counts only its own PONG as an answer; else any byte is a sign of life.
  bool answered = seed ? !beat_waiting_ : alive_ || !beat_waiting_;
  alive_ = false;
  if (answered || excused) {
    if (!excused || answered) stats.strikes.store(0, std::memory_order_relaxed);
    if (seed && answered) party_.log(l, LogLevel::trace, self_.handle, "heartbeat", "HEARTBEAT_ALIVE");
    beat_waiting_ = true;
    if (seed) {
      send_text(wire::kBeatPing);
    } else {
      ping_at_ = static_cast<uint64_t>(base::mono_us());
      uint8_t payload[8];
      std::memcpy(payload, &ping_at_, 8);
      write_control(wire::kPing, payload, sizeof payload);
    }
    return arm_beat();
  }
  uint32_t strikes = stats.strikes.load(std::memory_order_relaxed);
  if (strikes >= max) {
    party_.log(l, LogLevel::debug, self_.handle, "heartbeat", "HEARTBEAT_KILL");
    return finish(MW_ETIMEDOUT, wire::kAbnormal, "heartbeat: no answer");
  }
  stats.strikes.store(strikes + 1, std::memory_order_relaxed);
  party_.log(l, LogLevel::debug, self_.handle, "heartbeat", "HEARTBEAT_STRIKE");
  if (!seed) {
    ping_at_ = static_cast<uint64_t>(base::mono_us());
    write_control(wire::kPing, &ping_at_, sizeof ping_at_);
  }
  arm_beat();
}

// The seed's text heartbeat. True: the text was one and is eaten.
bool Session::seed_text(std::string_view text) {
  int64_t ms = 0;
  switch (wire::read_beat(text, &ms)) {
    case wire::Beat::hello:
      if (role_ != Role::client) return false;
      seed_interval_ = static_cast<uint32_t>(ms);
      stats.last_beat.store(base::wall_ms(), std::memory_order_relaxed);
      arm_beat();
      return true;
    case wire::Beat::ping:
      if (role_ != Role::client) return false;
      stats.last_beat.store(base::wall_ms(), std::memory_order_relaxed);
      alive_ = true;
      send_text(wire::kBeatPong);
      return true;
    case wire::Beat::pong:
      if (role_ != Role::server) return false;
      beat_waiting_ = false;
      stats.strikes.store(0, std::memory_order_relaxed);
      stats.last_beat.store(base::wall_ms(), std::memory_order_relaxed);
      return true;
    default:
      return false;
  }
}

// ---- closing

void Session::close(const CloseWish& wish) noexcept {
  try {
    begin_close(wish);
  } catch (const std::bad_alloc&) {
    on_trouble();
  }
}

void Session::begin_close(const CloseWish& wish) {
  if (over()) return;
  bool first = !closed_here_;
  closed_here_ = true;
  if (wish.status != MW_OK) ending().status = wish.status;
  if (wish.flags & MW_CLOSE_ABORT) return finish(ending().status, wire::kAbnormal, wish.reason);
  if (!first || !is_open()) return;
  if (speech_) {
    speech_->give_up_calls();
    if (over()) return;
  }
  start_close(static_cast<uint16_t>(wish.code == 0 ? 1000 : wish.code), wish.reason);
}

// Queues our close frame behind what was accepted and waits for theirs.
void Session::start_close(uint16_t code, std::string_view reason) {
  ending().code = code;
  ending().reason = reason;
  if (!wire::over_websocket(dialect_)) return linger();  // the end of the stream says it
  uint8_t payload[wire::kMaxControl];
  size_t n = wire::put_close(payload, code, reason);
  // A fragmented message that will not be finished: what waits for its end cannot be sent.
  if (rare_)
    while (!rare_->held.empty()) ++ending().unsent, discard(rare_->held.pop(), MW_ECLOSED);
  held_streaming_ = false;
  close_sent_ = true;
  if (paused_) {  // their close frame must be heard
    paused_ = false;
    stalled_ = true;
    lane().resume_later(this);
  }
  state_.store(State::closing, std::memory_order_release);
  write_control(wire::kClose, payload, n);
  lane().flush_later(this);
  lane().wheel.set(*this, lane().now() + static_cast<uint64_t>(party_.policy.close_timeout.load(std::memory_order_relaxed)));
}

// Their close frame.
void Session::closed_by_peer(uint16_t code, std::string_view reason) {
  close_received_ = true;
  if (state_.load(std::memory_order_relaxed) == State::closing) {
    ending().code = closed_here_ ? ending().code : code;
  } else {
    ending().code = code;
    ending().reason = reason;
    uint8_t payload[2];
    size_t n = wire::put_close(payload, code == wire::kNoStatus ? 1000 : code, {});
    close_sent_ = true;
    write_control(wire::kClose, payload, code == wire::kNoStatus ? 0 : n);
  }
  linger();
}

// A violation: says why, sends it, hears nothing more.
bool Session::fail(const wire::Violation& v) {
  if (over() || state_.load(std::memory_order_relaxed) == State::lingering) return false;
  if (ending().status == MW_OK) ending().status = v.code == 1009 ? MW_ETOOBIG : MW_EPROTO;
  ending().code = v.code;
  ending().reason = v.reason;
  party_.violation(lane(), self_.handle, v);
  if (!close_sent_ && wire::over_websocket(dialect_)) {
    uint8_t payload[wire::kMaxControl];
    size_t n = wire::put_close(payload, v.code, v.reason);
    close_sent_ = true;
    write_control(wire::kClose, payload, n);
  }
  linger();
  return false;
}

// Output leaves, then the write side is shut and input discarded until their
// end of file: closing with unread input would reset the connection and could
// destroy our last frames on their way.
void Session::linger() {
  state_.store(State::lingering, std::memory_order_release);
  if (speech_) speech_->end_calls(closed_here_ ? MW_ECANCELED : MW_EPEERGONE);
  in_.reset();
  stalled_ = false;
  paused_ = false;
  lane().flush_later(this);
  lane().wheel.set(*this, lane().now() + static_cast<uint64_t>(party_.policy.close_timeout.load(std::memory_order_relaxed)));
  watch();
}

void Session::after_output() {
  if (state_.load(std::memory_order_relaxed) != State::lingering || eof_sent_) return;
  eof_sent_ = true;
  if (tls_) {
    tls_->shutdown(lane().cipher);
    send_cipher();
  }
  // The server ends the connection (RFC 6455 7.1.1) as soon as both said goodbye.
  if (role_ == Role::server && close_received_) return finish(ending().status, ending().code, ending().reason);
  ::shutdown(fd_, SHUT_WR);
}

// Frees everything; needs memory for nothing that it owes.
void Session::finish(mw_status status, uint16_t code, std::string_view reason) noexcept {
  if (over()) return;
  Lane& l = lane();
  std::string why = text_or_none([&] { return reason; });  // it may be ending().reason
  if (l.cork.owner == this) {
    ending().unsent += l.cork.messages;
    ending().unsent_bytes += l.cork.n;
    l.cork.owner = nullptr;
    l.cork.n = 0;
    l.cork.messages = 0;
  }
  state_.store(State::closed, std::memory_order_release);
  loop::Wheel::cancel(*this);
  l.forget(this);
  if (in_poller_) l.poller.del(fd_);
  in_poller_ = false;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  l.cipher.clear();
  tls_.reset();
  in_.reset();
  squeeze_.reset();
  if (status != MW_OK || ending().status == MW_OK) ending().status = status;
  ending().code = code;
  ending().reason = std::move(why);
  if (sealed_) {
    ending().unsent += sealed_->messages;
    ending().unsent_bytes += sealed_->cipher.size();
  }
  auto drop_all = [&](Outbox& box) {
    while (!box.empty()) {
      OutFrame* f = box.pop();
      if (!f->control && f->sent == 0 && keep_for_later(f)) continue;
      if (!f->control || f->op != 0) {
        ending().unsent += f->messages();
        ending().unsent_bytes += f->length() - f->sent;
      }
      discard(f, MW_ECLOSED);
    }
  };
  if (sealed_) drop_all(sealed_->frames);
  drop_all(out_);
  if (rare_) drop_all(rare_->held);
  if (speech_) {
    speech_->end(MW_ECLOSED);
    speech_->end_calls(closed_here_ ? MW_ECANCELED : MW_EPEERGONE);
  }
  party_.session_ended(*this);
}

// A consumer's message that was not begun waits for the next link, where the
// host asked for that. True: the party has taken it.
bool Session::keep_for_later(OutFrame* f) try {
  if (f->flags & (MW_F_MORE | MW_F_CONT | MW_F_PING | MW_F_NOQUEUE)) return false;
  if (f->body && f->origin) return party_.keep(f->origin.get(), f->flags, f->op) && taken(f);
  uint8_t* p = f->encoded ? f->own() : f->payload();
  size_t n = f->encoded ? f->own_len() : f->own_payload;
  uint32_t flags = f->flags;
  if (f->encoded) {  // what was wrapped is unwrapped: the next link has its own keys and numbers
    wire::Head h{};
    wire::Violation v;
    if (f->body || wire::read_head(p, n, role_ == Role::client, true, h, v) != wire::HeadStatus::ok || h.rsv1) return false;
    p += h.size;
    n = static_cast<size_t>(h.length);
    if (h.masked) wire::mask(p, n, h.key);
    if (h.opcode == wire::kText) flags |= MW_F_TEXT;
    if (dialect_ == Dialect::meshwork) {
      wire::Bytes in{p, p + n};
      wire::PacketView packet;
      wire::MessageView m;
      wire::NameReader names(0);
      if (wire::next_packet(in, packet, v) != wire::PacketRead::ok ||
          !wire::parse_message(packet, names, party_.policy.max_message, m, v))
        return false;
      if (m.flags & wire::kTextBody) flags |= MW_F_TEXT;
      if (m.flags & wire::kListBody) flags |= MW_F_PARTS;
      if (f->origin) return party_.keep(f->origin.get(), flags, f->op) && taken(f);
      p = const_cast<uint8_t*>(m.body);
      n = m.size;
    }
  }
  if (f->origin) return party_.keep(f->origin.get(), flags, f->op) && taken(f);
  base::MsgRef m(base::message_copy(p, n, flags & MW_F_TEXT));
  return party_.keep(m.get(), flags, f->op) && taken(f);
} catch (const std::bad_alloc&) {
  return false;
}

// The party answers for it now; only the reservation goes back.
bool Session::taken(OutFrame* f) {
  f->op = 0;
  discard(f, MW_OK);
  return true;
}

// Made when the end begins, so that an idle connection does not carry it.
// Without memory the reason is lost, not the event.
Ending& Session::ending() noexcept {
  if (!ending_) ending_.reset(new (std::nothrow) Ending);
  if (ending_) return *ending_;
  // Never destroyed: glibc ends the process where it cannot note a destructor.
  alignas(Ending) static thread_local unsigned char place[sizeof(Ending)];
  static thread_local Ending* nobody = nullptr;
  if (nobody == nullptr) nobody = new (place) Ending;
  *nobody = Ending{MW_ENOMEM, wire::kAbnormal, {}, 0, 0};
  return *nobody;
}

Rare& Session::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

Rare* Session::rare_or_doom() noexcept {
  try {
    return &rare();
  } catch (const std::bad_alloc&) {
    doom();
    return nullptr;
  }
}

// Ready for the next connection of a consumer.
void Session::reset() {
  speech_.reset();
  sealed_.reset();
  rare_.reset();
  ending_.reset();
  watching_write_ = in_poller_ = stalled_ = closed_here_ = close_sent_ = close_received_ = false;
  alive_ = beat_waiting_ = held_streaming_ = eof_sent_ = doomed_ = broken_ = false;
  pongs_waiting_ = 0;
  ping_at_ = 0;
  streaming_.store(false, std::memory_order_relaxed);
  parts_wait_.store(false, std::memory_order_relaxed);
  their_max.store(UINT64_MAX, std::memory_order_relaxed);
  stats.strikes.store(0, std::memory_order_relaxed);
  state_.store(State::none, std::memory_order_release);
}

// ---- what other threads noticed

void Session::tell_slow() {
  int64_t at = slow_at_.load(std::memory_order_relaxed);
  if (over() || at <= 0) return;
  slow_at_.store(-at, std::memory_order_relaxed);
  party_.event(lane(), MW_EVENT_SLOW, self_.handle, self_.token.load(std::memory_order_relaxed), MW_OK,
               static_cast<int32_t>(party_.policy.overflow.load(std::memory_order_relaxed)),
               static_cast<uint64_t>(at), {});
}

void Session::tell_dropped() {
  if (dropped_untold_.load(std::memory_order_relaxed) == 0) return;
  size_t len = rare_ && rare_->last_dropped ? rare_->last_dropped->len : 0;
  if (!over() && !lane().room(len)) {  // paced: it adds up until there is room
    lane().resume_later(this);
    return;
  }
  uint32_t n = dropped_untold_.exchange(0, std::memory_order_relaxed);
  stats.dropped.store(stats.dropped.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  party_.count_dropped(n);
  base::MsgRef last;
  if (rare_) last = std::exchange(rare_->last_dropped, base::MsgRef());
  if (!party_.policy.wants(MW_EVENT_DROPPED)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_DROPPED;
  ev.peer = self_.handle;
  ev.token = self_.token.load(std::memory_order_relaxed);
  ev.status = MW_EDROPPED;
  ev.code = static_cast<int32_t>(n);
  std::string_view topic, body;
  if (last) {
    ev.flags = last->flags & MW_F_TEXT;
    if (last->topic) topic = *last->topic;
    body = {reinterpret_cast<const char*>(last->body), last->len};
  }
  party_.emit(lane(), ev, topic, {}, body);
}

void Session::overflowed() {
  if (is_open()) finish(MW_EOVERFLOW, wire::kAbnormal, "send.max_bytes exceeded: peer too slow");
}

int64_t Session::beat_interval() const noexcept {
  if (dialect_ == Dialect::network_cluster && role_ == Role::client) return seed_interval_.load(std::memory_order_relaxed);
  return party_.policy.beat_interval.load(std::memory_order_relaxed);
}

int64_t Session::beat_cutoff() const noexcept {
  if (dialect_ == Dialect::network_cluster && role_ == Role::client) return 2 * beat_interval();
  return beat_interval() * (party_.policy.max_strikes.load(std::memory_order_relaxed) + 1);
}

// ---- corking

void Session::cork(bool on) noexcept {
  if (on) {
    corks_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  int n = corks_.load(std::memory_order_relaxed);
  while (n > 0 && !corks_.compare_exchange_weak(n, n - 1, std::memory_order_relaxed)) {
  }
  if (n == 1) self_.request(kFlush);
}

void Session::uncorked() {
  if (!over() && !fresh()) lane().flush_later(this);
}

void Session::on_budget() { look_for_writable(); }

}  // namespace mw::link
