// A member's life: finding a hub or becoming it, losing it, leaving.
#include "link/channel.hpp"

#include "base/insist.hpp"
#include "base/json.hpp"
#include "link/control.hpp"
#include "link/speech.hpp"
#include "local/directory.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

namespace {

constexpr uint64_t kYieldLook = 250;  // ms between two looks whether a standing hub wants the channel
constexpr int64_t kAutoWait = 50;     // ms: the longest wait while another member becomes hub
constexpr int64_t kTroubleWait = 1000;  // ms, where the runtime directory is of no use

}  // namespace

base::Result<mw_handle> Channel::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  const std::string& name = conf->text(Opt::name);
  if (!local::name_valid(name))
    return Error{MW_EOPTION, 0, "name: a channel's name has 1 to 64 letters, digits, '.', '_' or '-', and no dot in front"};
  auto* c = new Channel(ctx, &ctx.next_lane(), std::move(conf));
  if (auto in = c->enter(base::Kind::channel, token); !in) {
    delete c;
    return in.error();
  }
  return c->handle;
}

Channel::Channel(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> c)
    : Host(ctx, home, c),
      name_(c->text(Opt::name)),
      uuid_(new_uuid()),
      wire_(base::channel_wire(*c)),
      auto_(c->num(Opt::hub_auto) != 0 && !bare()),
      local_(c->num(Opt::emit_local) != 0),
      uuid_text_(uuid_text(uuid_)),
      meta_(sender_meta(uuid_)),
      session_(*this, *this) {
  retry_timer_.c = leave_timer_.c = yield_timer_.c = this;
}

Channel::~Channel() = default;

void Channel::attend(uint32_t bits) {
  try {
    if (bits & kSlow) session_.tell_slow();
    if (bits & kOverflow) session_.overflowed();
    if (bits & kDropped) session_.tell_dropped();
    if (bits & kPause) session_.pause_as_wished();
    if (bits & kFlush) session_.uncorked();
  } catch (const std::bad_alloc&) {
    session_.on_trouble();
  }
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kStart) begin_start();
  if (bits & kPump) {
    pump();
    look_for_room();
  }
  if (bits & kDrain) {
    begin_close(CloseWish{1000, 0, MW_OK, "drained"});
    if (leaving_ && !closing_) lane->wheel.set(leave_timer_, lane->now() + drain_ms());
  }
  if (bits & kClose) begin_close(close_wish());
}

void Channel::guarded(loop::Timer& t, void (Channel::*step)()) noexcept {
  try {
    (this->*step)();
  } catch (...) {
    lane->wheel.set(t, lane->now() + 20);
  }
}

// ---- starting

mw_status Channel::start(uint64_t op) {
  if (refusing_.load()) return MW_EDRAINING;
  return ask_start(op);
}

mw_status Channel::cancel(uint64_t op) {
  cancel_start(op);
  return MW_OK;
}

void Channel::begin_start() {
  const bool any = settle_canceled();
  if (leaving_ || closing_) return finish_starts(MW_ECANCELED, 0, {});
  if (!any) return;
  if (state_.load() == MW_STATE_UP) return finish_starts(MW_OK, 0, {});
  if (state_.load() != MW_STATE_IDLE) return;
  if (auto ok = prepare(); !ok) return finish_starts(ok.error().code, ok.error().os, error_json(ok.error()));
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  seek();
}

// The directory, and our place in the roster.
base::Result<void> Channel::prepare() {
  if (roster_) return {};
  const std::string& wish = conf()->text(Opt::dir);
  auto dir = bare() ? local::shared_directory(wish) : local::runtime_directory(wish);
  if (!dir) return dir.error();
  if (auto ok = Exchange::fits(Exchange::socket_file(*dir, name_, wire_)); !ok) return ok;
  if (bare()) {
    dir_ = *dir;
    return {};
  }
  auto roster = local::Roster::open(Exchange::file(*dir, name_, "members"));
  if (!roster) return roster.error();
  if (auto in = roster->enter(uuid_); !in) return in.error();
  dir_ = *dir;
  roster_ = std::make_unique<local::Roster>(std::move(*roster));
  return {};
}

// ---- finding a hub

void Channel::seek() {
  if (closing_ || dialing_ || state_.load() == MW_STATE_IDLE) return;
  if (!session_.over() && !session_.fresh()) return;
  if (exchange_ && !exchange_->listening()) return;  // it will say
  if (state_.load() == MW_STATE_WAITING) state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  dialing_ = true;
  ++attempts_;
  try {
    if (!dialer_) {
      base::Conf c(MW_CONF_CONSUMER);
      for (auto [key, value] : {std::pair<const char*, std::string>{"url", "ws+unix:" + Exchange::socket_file(dir_, name_, wire_) + ":/channel"},
                                {"wire", "meshwork"}, {"connect.timeout", std::to_string(policy.patience()) + "ms"}})
        if (auto ok = c.set(key, value); !ok) return base::insist([&] { refused(net::Refused{ok.error()}); });
      std::optional<wire::Dialect> speaks;
      if (bare()) speaks = wire::Dialect::netcluster;
      dialer_ = net::Dialer::open(control_of(runtime), c.freeze(), *this, speaks);
      dialer_stopped_ = false;
    }
    dialer_->start();
  } catch (const std::bad_alloc&) {
    base::insist([&] { refused(net::Refused{{MW_ENOMEM, 0, "no memory to connect"}}); });
  }
}

void Channel::connected(net::Connected&& c) {
  post(*lane, [this, c = std::move(c)]() mutable { up(c); });
}

void Channel::refused(net::Refused&& r) {
  post(*lane, [this, r = std::move(r)] { failed(r); });
}

void Channel::log(int level, std::string line) {
  if (!policy.logs(static_cast<base::LogLevel>(level))) return;
  post(*lane, [this, level, line = std::move(line)] {
    Party::log(*lane, static_cast<base::LogLevel>(level), 0, "dialer", line);
  });
}

void Channel::up(net::Connected& c) {
  dialing_ = false;
  if (closing_) return end_if_done();
  ucred who{};
  socklen_t len = sizeof who;
  // In a directory that others share root's hub is met, too.
  if (::getsockopt(c.carrier.fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || !(who.uid == ::geteuid() || (bare() && who.uid == 0)))
    return failed(net::Refused{{MW_EDENIED, 0, "the hub of channel " + name_ + " belongs to user " + std::to_string(who.uid)}});
  try {
    session_.reset();
    session_.adopt(std::move(c.carrier), wire::Role::client, c.dialect, c.deflate);
  } catch (const std::bad_alloc&) {
    return failed(net::Refused{{MW_ENOMEM, 0, "no memory to connect"}});
  }
  in_output_ = 0;
  joined_ = false;
  hub_pid_ = who.pid;
  session_.greet();
  if (bare()) joined();  // nobody says so
  session_.begin();
}

void Channel::introduce(Session& s, wire::Hello& h) {
  if (&s != &session_) return Host::introduce(s, h);
  h.capabilities = wire::kCanChannel;
  std::copy(uuid_.begin(), uuid_.end(), h.uuid);
  h.channel = name_;
  h.epoch = epoch_;
}

const char* Channel::met(Session& s, const wire::Hello& h) {
  if (&s != &session_) return Host::met(s, h);
  if ((h.capabilities & wire::kCanChannel) == 0 || h.channel != name_ || h.epoch == 0) return "not the hub of this channel";
  epoch_ = h.epoch;
  return nullptr;
}

void Channel::greeted(Session& s) {
  if (&s != &session_) Host::greeted(s);  // ours waits until the hub says that we have joined
}

// What no hub has taken goes to this one, in order.
void Channel::joined() {
  joined_ = true;
  silent_ = false;
  counted_ = session_.stats.messages_out.load(std::memory_order_relaxed);
  int attempts = std::exchange(attempts_, 0);
  std::string body;
  base::JsonObject o(body);
  o.text("channel", name_);
  if (!bare()) o.number("epoch", static_cast<int64_t>(epoch_)).boolean("hub", exchange_ && !exchange_->closing());
  o.text("uuid", uuid_text(uuid_));
  o.end();
  {
    std::lock_guard lock(mutex_);
    facts_ = body;
    next_ = first_;
  }
  if (!leaving_) state_.store(MW_STATE_UP, std::memory_order_release);
  event(*lane, MW_EVENT_UP, 0, token.load(std::memory_order_relaxed), MW_OK, attempts, 0, body);
  finish_starts(MW_OK, attempts, {});
  pump();
}

// No hub there, or none that has us.
void Channel::failed(const net::Refused& r) {
  dialing_ = false;
  if (closing_) return end_if_done();
  Party::log(*lane, base::LogLevel::debug, 0, "channel", r.error.text);
  if (r.error.code == MW_ETIMEDOUT && !std::exchange(silent_, true)) tell_silent();
  if (auto_ && !exchange_) return contend();
  wait(auto_ ? std::min<int64_t>(int64_t{2} << std::min(attempts_, 5), kAutoWait) : conf()->num(Opt::reconnect_interval));
}

// Who has the lock becomes hub. A standing hub that wants it goes first.
void Channel::contend() {
  if (!lock_) {
    auto lock = local::Lock::open(Exchange::file(dir_, name_, "lock"));
    if (!lock) return trouble(lock.error());
    lock_.emplace(std::move(*lock));
  }
  bool mine = false;
  if (!lock_->reserved()) {
    auto got = lock_->take();
    if (!got) return trouble(got.error());
    mine = *got;
  }
  // Another is about to listen, or has just begun to.
  if (!mine) return wait(std::min<int64_t>(int64_t{2} << std::min(attempts_, 5), kAutoWait));
  auto e = Exchange::open(*this, dir_, name_, std::move(*lock_));
  lock_.reset();
  if (!e) return trouble(e.error());
  exchange_ = std::move(*e);
}

void Channel::wait(int64_t ms) {
  lane->wheel.set(retry_timer_, lane->now() + static_cast<uint64_t>(std::max<int64_t>(ms, 1)));
}

// Somebody holds the channel and says nothing: frozen, most likely.
void Channel::tell_silent() {
  auto lock = local::Lock::open(Exchange::file(dir_, name_, "lock"));
  event(*lane, MW_EVENT_ERROR, 0, token.load(), MW_ETIMEDOUT, 0, 0,
        "the hub of channel " + name_ + " does not answer: process " + std::to_string(lock ? lock->holder_pid() : 0));
}

// What no other attempt mends soon: told to who starts, else as a failure in the background.
void Channel::trouble(const Error& e) {
  bool asked;
  {
    std::lock_guard lock(mutex_);
    asked = std::any_of(start_ops_.begin(), start_ops_.end(), [](uint64_t op) { return op != 0; });
  }
  finish_starts(e.code, e.os, error_json(e));
  if (!asked) event(*lane, MW_EVENT_ERROR, 0, token.load(), e.code, e.os, 0, e.text);
  wait(kTroubleWait);
}

void Channel::exchange_up(Exchange&) {
  attempts_ = 0;
  lane->wheel.set(yield_timer_, lane->now() + kYieldLook);
  seek();
}

// We are hub because nobody else was: a standing one goes before us.
void Channel::look_for_standing() {
  if (!exchange_ || exchange_->closing()) return;
  if (exchange_->wanted()) return exchange_->close();
  lane->wheel.set(yield_timer_, lane->now() + kYieldLook);
}

void Channel::exchange_failed(Exchange&, const Error& e) {
  if (!closing_) trouble(e);
}

void Channel::exchange_over(Exchange&) {
  loop::Wheel::cancel(yield_timer_);
  exchange_.reset();
  if (closing_) return end_if_done();
  if (!loop::Wheel::pending(retry_timer_)) seek();
}

// ---- losing it

void Channel::session_ended(Session& s) {
  if (&s != &session_) return Host::session_ended(s);
  Ending e = std::move(s.ending());
  handed_over();
  if (closing_) {
    if (how_.status == MW_OK) how_.status = e.status;
    return end_if_done();
  }
  lost(e.status, e.code, e.reason);
}

void Channel::lost(mw_status why, int32_t code, std::string_view reason) {
  if (std::exchange(joined_, false)) {
    if (!leaving_) state_.store(MW_STATE_WAITING, std::memory_order_release);
    std::string text(reason);
    if (why == MW_ETIMEDOUT) text += "; the hub is process " + std::to_string(hub_pid_);
    event(*lane, MW_EVENT_DOWN, 0, token.load(std::memory_order_relaxed), why, code, auto_ ? 0 : static_cast<uint64_t>(conf()->num(Opt::reconnect_interval)), text);
  }
  attempts_ = 0;
  wait(auto_ ? 1 : conf()->num(Opt::reconnect_interval));
}

// ---- leaving

void Channel::begin_close(const CloseWish& w) {
  const bool cut = (w.flags & MW_CLOSE_ABORT) != 0;
  if (leaving_ || closing_) {
    if (!cut) return;
    if (!closing_) leave_now();
    if (!session_.over() && !session_.fresh()) session_.close(w);
    return;
  }
  how_ = w;
  if (how_.code == 0) how_.code = 1000;
  leaving_ = true;
  refusing_.store(true, std::memory_order_release);
  const bool idle = state_.load() == MW_STATE_IDLE;  // no hub is looked for
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  finish_starts(MW_ECANCELED, 0, {});
  // What was accepted goes to everybody first.
  if (cut || idle || kept_bytes_.load() == 0) return leave_now();
  pump();
  lane->wheel.set(leave_timer_, lane->now() + static_cast<uint64_t>(policy.close_timeout.load(std::memory_order_relaxed)));
}

void Channel::leave_now() {
  if (closing_) return;
  closing_ = true;
  loop::Wheel::cancel(retry_timer_);
  loop::Wheel::cancel(leave_timer_);
  if (!session_.over() && !session_.fresh()) session_.close(how_);
  if (dialer_ && !std::exchange(dialer_stopping_, true)) dialer_->stop();
  end_if_done();
}

void Channel::stopped() { lane->post(&stopped_step_); }

void Channel::dialer_gone() {
  dialer_stopped_ = true;
  dialer_.reset();
  end_if_done();
}

void Channel::end_if_done() {
  if (!closing_ || dialing_ || !dialer_stopped_ || retired_) return;
  if (!session_.over() && !session_.fresh()) return;
  roster_.reset();  // nobody need wait for us
  if (exchange_) {
    if (!exchange_->closing()) exchange_->close();
    return;  // exchange_over comes
  }
  lock_.reset();
  retired_ = true;
  base::retire(handle);
}

void Channel::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    drop_kept(MW_ECLOSED);
    finish_drains();
    finish_starts(MW_ECANCELED, 0, {});
    tell_closed(how_, unsent_, unsent_bytes_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

mw_status Channel::drain(int64_t deadline_ms, uint64_t op) {
  mw_status s = ask_drain(deadline_ms, op, nullptr);
  if (s == MW_OK) refusing_.store(true, std::memory_order_release);
  return s;
}

base::Result<void> Channel::update(const base::Conf& change, uint64_t op) {
  auto next = conf()->updated(change);
  if (!next) return next.error();
  set_conf(*next);
  post(*lane, [this, op] {
    session_.beat_changed();
    done(*lane, op, MW_OK, 0, {});
  });
  return {};
}

// ---- facts

std::string Channel::facts() const {
  std::lock_guard lock(mutex_);
  return facts_.empty() ? "{}" : facts_;
}

// Who is there, as the roster has it: no hub needs to be asked.
mw_status Channel::gather_members(uint64_t op) {
  post(*lane, [this, op] {
    if (!roster_) return done(*lane, op, bare() ? MW_ENOTSUP : MW_ENOTCONN, 0, {});
    std::string out = "[";
    for (const local::Present& p : roster_->read()) {
      if (out.size() > 1) out += ',';
      base::JsonObject o(out);
      o.text("uuid", uuid_text(p.uuid)).number("pid", p.pid).boolean("self", p.uuid == uuid_);
      o.end();
    }
    done(*lane, op, MW_OK, 0, out + "]");
  });
  return MW_OK;
}

}  // namespace mw::link
