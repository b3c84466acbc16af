#include "link/consumer.hpp"

#include "base/clock.hpp"
#include "base/json.hpp"
#include "link/control.hpp"
#include "link/speech.hpp"

#include <sys/random.h>

#include <algorithm>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

namespace {

std::string error_json(const net::Refused& r) {
  std::string out;
  base::JsonObject o(out);
  o.number("code", r.error.code).number("os", r.error.os).number("http", r.http_status).text("text", r.error.text);
  o.end();
  return out;
}

}  // namespace

base::Result<mw_handle> Consumer::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  auto made = make(ctx, ctx.next_lane(), std::move(conf), token, nullptr);
  if (!made) return made.error();
  return (*made)->handle;
}

base::Result<Consumer*> Consumer::make(loop::Runtime& ctx, Lane& home, std::shared_ptr<const base::Conf> conf,
                                       uint64_t token, loop::Inside* inside, Dial dial) {
  if (auto ok = net::Dialer::check(*conf); !ok) return ok.error();
  auto* c = new Consumer(ctx, &home, std::move(conf));
  c->target->inside = inside;
  c->dial_ = std::move(dial);
  if (auto in = c->enter(base::Kind::consumer, token); !in) {
    delete c;
    return in.error();
  }
  return c;
}

Consumer::Consumer(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> c)
    : Party(ctx, home, std::move(c)), session_(*this, *this) {
  retry_timer_.c = start_timer_.c = drain_timer_.c = this;
}

Consumer::~Consumer() = default;

wire::SharedDeflate& Consumer::shared_deflate(Lane&) {
  if (!deflate_) deflate_ = std::make_unique<wire::SharedDeflate>();
  return *deflate_;
}

void Consumer::attend(uint32_t bits) {
  try {
    if (bits & kSlow) session_.tell_slow();
    if (bits & kOverflow) session_.overflowed();
    if (bits & kDropped) session_.tell_dropped();
    if (bits & kWritable) session_.look_for_writable();
    if (bits & kPause) session_.pause_as_wished();
    if (bits & kFlush) session_.uncorked();
  } catch (const std::bad_alloc&) {
    session_.on_trouble();
  }
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kStart) begin_start();
  if (bits & kDrain) {
    if (drain_end_ == 0) drain_end_ = lane->now() + drain_ms();
    drain_step();
  }
  if (bits & kClose) begin_close(close_wish());
}

void Consumer::later(loop::Timer& t, void (Consumer::*step)()) noexcept {
  try {
    (this->*step)();
  } catch (...) {
    lane->wheel.set(t, lane->now() + 20);
  }
}

// ---- connecting

mw_status Consumer::start(uint64_t op) {
  if (state_.load() == MW_STATE_DRAINING) return MW_EDRAINING;
  return ask_start(op);
}

mw_status Consumer::cancel(uint64_t op) {
  return cancel_start(op) ? MW_OK : session_.cancel_call(op);
}

void Consumer::begin_start() {
  const bool any = settle_canceled();
  if (closing_) return finish_starts(MW_ECANCELED, 0, {});
  if (!any) return;
  if (state_.load() == MW_STATE_UP || state_.load() == MW_STATE_READY) return finish_starts(MW_OK, 0, {});
  int64_t limit = conf()->num(Opt::start_timeout);
  if (limit > 0 && !loop::Wheel::pending(start_timer_)) lane->wheel.set(start_timer_, lane->now() + static_cast<uint64_t>(limit));
  if (state_.load() == MW_STATE_IDLE) dial();
}

void Consumer::finish_starts(mw_status status, int32_t code, std::string_view body) {
  loop::Wheel::cancel(start_timer_);
  Owner::finish_starts(status, code, body);
}

void Consumer::start_late() {
  finish_starts(MW_ETIMEDOUT, last_.error.os, last_.error.text.empty() ? std::string() : error_json(last_));
}

void Consumer::dial() {
  dialing_ = true;
  ++attempts_;
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  Party::log(*lane, base::LogLevel::debug, 0, "consumer", "IN_FLIGHT");
  auto now = conf();
  try {
    std::shared_ptr<net::Dialer> d;
    {
      std::lock_guard lock(mutex_);
      if (!dialer_) dialer_ = dial_ ? dial_(control_of(runtime), *this) : net::Dialer::open(control_of(runtime), now, *this);
      d = dialer_;
    }
    dialer_stopped_ = false;
    d->start();
  } catch (const std::bad_alloc&) {
    base::insist([&] { refused(net::Refused{{MW_ENOMEM, 0, "no memory to connect"}}); });
  }
}

void Consumer::connected(net::Connected&& c) {
  // Pinned, because who joins two ends himself has no dialer that is waited for.
  post(*lane, [this, pin = base::Pin(handle), c = std::move(c)]() mutable {
    if (pin) up(c);
  });
}

void Consumer::refused(net::Refused&& r) {
  post(*lane, [this, r = std::move(r)] { failed(r); });
}

void Consumer::log(int level, std::string line) {
  if (!policy.logs(static_cast<base::LogLevel>(level))) return;
  post(*lane, [this, level, line = std::move(line)] {
    Party::log(*lane, static_cast<base::LogLevel>(level), 0, "dialer", line);
  });
}

void Consumer::up(net::Connected& c) {
  dialing_ = false;
  if (closing_) return end_if_done();  // a close that came meanwhile wins
  std::string body;
  try {
    body = "{" + c.facts + "}";
    {
      std::lock_guard lock(mutex_);
      facts_ = body;
    }
    session_.reset();
    session_.adopt(std::move(c.carrier), wire::Role::client, c.dialect, c.deflate);
  } catch (const std::bad_alloc&) {
    return failed(net::Refused{{MW_ENOMEM, 0, "no memory to connect"}});
  }
  int attempts = std::exchange(attempts_, 0);
  session_.greet();
  state_.store(drain_end_ != 0 ? MW_STATE_DRAINING : MW_STATE_UP, std::memory_order_release);
  Party::log(*lane, base::LogLevel::debug, 0, "consumer", "CONNECTED");
  event(*lane, MW_EVENT_UP, handle, token.load(std::memory_order_relaxed), MW_OK, attempts, 0, body);
  session_.begin();
  if (session_.over()) return;
  finish_starts(MW_OK, attempts, {});
  if (session_.dialect() != wire::Dialect::meshwork) greeted(session_);
}

// The session can carry messages: subscriptions first, then what was kept.
void Consumer::greeted(Session& s) try {
  if (Speech* speech = s.speech()) {
    std::lock_guard lock(mutex_);
    for (Wanted& w : wanted_) speech->subscribe(w.number, w.pattern.text(), static_cast<uint8_t>(w.syntax));
  }
  replay();
} catch (const std::bad_alloc&) {
  s.on_trouble();
}

void Consumer::failed(const net::Refused& r) {
  last_ = r;
  dialing_ = false;
  if (closing_) return end_if_done();
  if (state_.load() == MW_STATE_IDLE) return;
  auto conf_now = conf();
  bool fatal = last_.error.code == MW_EVERSION;
  for (const std::string& code : conf_now->list(Opt::reconnect_fatal))
    if (last_.http_status != 0 && code == std::to_string(last_.http_status)) fatal = true;
  if (fatal) return give_up(last_.error.code, last_.http_status, last_.error.text);
  lost(last_.error.code, last_.http_status, last_.error.text, last_.retry_after_ms);
}

// Waits for the next attempt, or ends where the policy is exhausted.
void Consumer::lost(mw_status why, int32_t code, std::string_view reason, int64_t not_before_ms) {
  int64_t max = conf()->num(Opt::reconnect_max_attempts);
  if (drain_end_ != 0 || (max >= 0 && attempts_ >= max)) return give_up(why, code, reason);
  int64_t delay = std::max(next_delay(), not_before_ms);
  state_.store(MW_STATE_WAITING, std::memory_order_release);
  Party::log(*lane, base::LogLevel::debug, 0, "consumer", "RECONNECTING");
  event(*lane, MW_EVENT_DOWN, 0, token.load(std::memory_order_relaxed), why, code, static_cast<uint64_t>(delay), reason);
  lane->wheel.set(retry_timer_, lane->now() + static_cast<uint64_t>(std::max<int64_t>(delay, 1)));
}

// Exponential with jitter, so that a crowd does not come back on one tick; or fixed.
int64_t Consumer::next_delay() {
  auto c = conf();
  int64_t base_ms = c->num(Opt::reconnect_interval), delay = base_ms;
  if (base::reconnect_backoff(*c) == base::Backoff::exponential) {
    int64_t cap = c->num(Opt::reconnect_max_interval);
    int shift = std::clamp(attempts_ - 1, 0, 20);
    delay = std::min(std::max(cap, base_ms), base_ms << shift);
    uint32_t r = 0;
    (void)!getrandom(&r, sizeof r, 0);
    int64_t spread = delay * c->num(Opt::reconnect_jitter) / 100;
    if (spread > 0) delay += static_cast<int64_t>(r % static_cast<uint64_t>(2 * spread + 1)) - spread;
  }
  return delay;
}

// One timer for what a consumer does later: leave a draining provider, go on
// with the offline buffer, dial again.
void Consumer::retry() {
  if (closing_) return;
  if (leaving_ && session_.is_open() && busy() && lane->now() < leave_end_) {
    lane->wheel.set(retry_timer_, lane->now() + 10);  // what runs is finished first
  } else if (std::exchange(leaving_, false) && session_.is_open()) {
    session_.close(CloseWish{1000, 0, MW_OK, "provider draining"});
    return;
  }
  if (std::exchange(replaying_, false)) replay();
  if (!closing_ && !dialing_ && state_.load() == MW_STATE_WAITING) dial();
}

// ---- losing the session

void Consumer::session_ended(Session& s) {
  Ending e = std::move(s.ending());
  Party::log(*lane, base::LogLevel::debug, 0, "consumer", "DISCONNECTED");
  if (closing_ || drain_end_ != 0) {
    how_.code = e.code;
    if (how_.status == MW_OK) how_.status = e.status;
    if (!e.reason.empty()) how_.reason = e.reason;
    unsent_ += e.unsent;
    unsent_bytes_ += e.unsent_bytes;
    if (closing_) return end_if_done();
    return give_up(e.status, e.code, e.reason);
  }
  if (offline_bytes_.load() == 0 && e.unsent != 0) {
    unsent_ += e.unsent;
    unsent_bytes_ += e.unsent_bytes;
  }
  attempts_ = 0;
  // 1012 and 1013 ask for patience: no less than a second.
  int64_t patience = e.code == 1012 || e.code == 1013 ? 1000 : -1;
  if (leave_after_ms_ >= 0) patience = std::exchange(leave_after_ms_, -1);
  lost(e.status, e.code, e.reason, patience);
}

void Consumer::give_up(mw_status why, int32_t code, std::string_view reason) {
  std::string body = text_or_none([&] { return last_.error.text.empty() ? std::string() : error_json(last_); });
  how_ = CloseWish{code, 0, why, text_or_none([&] { return reason; })};
  finish_starts(why == MW_OK ? MW_ECLOSED : why, code, body);
  closing_ = true;
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  end_services();
  close_dialer();
}

// ---- closing

void Consumer::begin_close(const CloseWish& w) {
  if (closing_) {
    if (w.flags & MW_CLOSE_ABORT) session_.close(w);
    return;
  }
  how_ = w;
  closing_ = true;
  if (how_.code == 0) how_.code = 1000;
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  finish_starts(MW_ECANCELED, 0, {});
  end_services();
  loop::Wheel::cancel(retry_timer_);
  loop::Wheel::cancel(drain_timer_);
  if (session_.is_open() || !(session_.over() || session_.fresh())) session_.close(w);
  close_dialer();
}

void Consumer::close_dialer() {
  std::shared_ptr<net::Dialer> d;
  {
    std::lock_guard lock(mutex_);
    d = dialer_;
  }
  if (d && !dialer_stopping_) {
    dialer_stopping_ = true;
    d->stop();
  }
  end_if_done();
}

void Consumer::stopped() { lane->post(&stopped_step_); }

void Consumer::dialer_gone() {
  dialer_stopped_ = true;
  {
    std::lock_guard lock(mutex_);
    dialer_.reset();
  }
  end_if_done();
}

void Consumer::end_if_done() {
  if (!closing_ || dialing_ || !dialer_stopped_ || retired_ || !serving_.empty()) return;
  if (!session_.over() && !session_.fresh()) return;
  retired_ = true;
  loop::Wheel::cancel(retry_timer_);
  loop::Wheel::cancel(start_timer_);
  loop::Wheel::cancel(drain_timer_);
  base::retire(handle);
}

void Consumer::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    drop_offline(MW_ECLOSED);
    std::vector<Wanted> wanted;
    {
      std::lock_guard lock(mutex_);
      wanted.swap(wanted_);
    }
    finish_drains();
    for (const Wanted& w : wanted) done(*lane, w.op, MW_OK, 0, {});
    finish_starts(MW_ECANCELED, 0, {});
    tell_closed(how_, unsent_, unsent_bytes_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

// ---- changing, draining

std::string Consumer::facts() const {
  std::lock_guard lock(mutex_);
  return facts_.empty() ? "{}" : facts_;
}

base::Result<void> Consumer::update(const base::Conf& change, uint64_t op) {
  auto next = conf()->updated(change);
  if (!next) return next.error();
  if (auto ok = net::Dialer::check(**next); !ok) return ok;
  set_conf(*next);
  std::shared_ptr<net::Dialer> d;
  {
    std::lock_guard lock(mutex_);
    d = dialer_;
  }
  if (d) d->update(*next);
  post(*lane, [this, op] {
    session_.beat_changed();
    done(*lane, op, MW_OK, 0, {});
  });
  return {};
}

mw_status Consumer::drain(int64_t deadline_ms, uint64_t op) {
  return ask_drain(deadline_ms, op, &state_);
}

// What was accepted leaves; then the close handshake; at the deadline anyway.
void Consumer::drain_step() {
  if (closing_) return;
  bool empty = session_.queued() == 0 && offline_bytes_.load() == 0 && !busy();
  if (session_.is_open() && !empty && lane->now() < drain_end_) {
    lane->wheel.set(drain_timer_, lane->now() + 10);
    return;
  }
  if (!session_.is_open() && dialing_ && offline_bytes_.load() != 0 && lane->now() < drain_end_) {
    lane->wheel.set(drain_timer_, lane->now() + 10);
    return;
  }
  begin_close(CloseWish{1000, 0, MW_OK, "drained"});
}

bool Consumer::busy() const noexcept { return session_.speech() != nullptr && session_.speech()->busy(); }

bool Consumer::service_born(Service& s) {
  if (closing_) return false;
  serving_.push_back(&s);
  return true;
}

void Consumer::service_gone(Service& s) {
  std::erase(serving_, &s);
  end_if_done();
}

// Calls are never kept for a later link: who calls wants to know now.
mw_status Consumer::call(const Order& o) {
  if (wish.load(std::memory_order_relaxed) != nullptr) return MW_ECLOSED;
  mw_status st = state_.load(std::memory_order_acquire);
  if (st == MW_STATE_DRAINING) return MW_EDRAINING;
  if (st != MW_STATE_UP) return base::speaks(*conf(), base::Wire::meshwork) ? MW_ENOTCONN : MW_ENOTSUP;
  mw_status s = session_.call(o);
  return s == MW_ECLOSED ? MW_ENOTCONN : s;
}

// The provider goes: leave in our slot, come back when it may have returned.
void Consumer::told_to_drain(Session&, uint64_t slot_ms, uint64_t deadline_ms) {
  event(*lane, MW_EVENT_DRAINING, handle, token.load(std::memory_order_relaxed), MW_OK, static_cast<int32_t>(slot_ms),
        deadline_ms, {});
  leave_after_ms_ = 1000;
  leaving_ = true;
  leave_end_ = lane->now() + deadline_ms;
  lane->wheel.set(retry_timer_, lane->now() + std::max<uint64_t>(slot_ms, 1));
}

}  // namespace mw::link
