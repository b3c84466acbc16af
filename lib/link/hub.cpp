// A standing hub: its channels, reload, propagation, facts, end.
#include "link/hub.hpp"

#include "base/insist.hpp"
#include "base/json.hpp"
#include "local/directory.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

namespace {

constexpr uint64_t kMakeWay = 5000;  // ms for members that are hubs by themselves to make way

}  // namespace

base::Result<mw_handle> Hub::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  auto plan = hub_plan(conf->text(Opt::channels));
  if (!plan) return plan.error();
  if (auto ok = control_kept(*conf, *plan); !ok) return ok.error();
  auto* h = new Hub(ctx, &ctx.next_lane(), std::move(conf), std::move(*plan));
  if (auto in = h->enter(base::Kind::hub, token); !in) {
    delete h;
    return in.error();
  }
  return h->handle;
}

Hub::Hub(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> c, HubPlan plan)
    : Host(ctx, home, c), wire_(base::channel_wire(*c)), uuid_(new_uuid()), plan_(std::move(plan)) {
  wish_timer_.h = this;
}

Hub::~Hub() = default;

void Hub::attend(uint32_t bits) {
  if (bits & kStart) begin_start();
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kDrain) begin_close(CloseWish{1000, 0, MW_OK, "drained"});
  if (bits & kClose) begin_close(close_wish());
}

// ---- starting

mw_status Hub::start(uint64_t op) {
  if (state_.load() == MW_STATE_DRAINING) return MW_EDRAINING;
  return ask_start(op);
}

void Hub::begin_start() {
  if (closing_) return finish_starts(MW_ECANCELED, 0, {});
  if (state_.load() == MW_STATE_UP) return finish_starts(MW_OK, 0, {});
  if (state_.load() != MW_STATE_IDLE || !leaving_.empty()) return;  // exchange_over comes back to it
  const std::string& wish = conf()->text(Opt::dir);
  auto dir = wire_ == base::ChannelWire::netcluster ? local::shared_directory(wish) : local::runtime_directory(wish);
  if (!dir) return give_up(dir.error());
  dir_ = *dir;
  failure_ = {MW_OK, 0, {}};
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  prepare(Wish{plan_, {}, lane->now() + kMakeWay, nullptr, Lan::wanted(*conf()), nullptr, nullptr});
}

// Until all locks are ours, or it is clear that they will not be.
void Hub::pursue() {
  if (!wish_now_ || closing_) return;
  base::Result<void> opened;
  auto all = take_locks(*wish_now_);
  if (all && !*all) return lane->wheel.set(wish_timer_, lane->now() + 5);
  std::unique_ptr<Wish> w = std::move(wish_now_);
  if (all) opened = join_lan(*w);
  if (all && opened) opened = open_channels(*w);
  if (all && opened) {
    change_lan(*w);
    if (w->change) applied(*w->change);
    return;
  }
  refuse(*w, all ? opened.error() : all.error());
}

void Hub::refuse(const Wish& w, const Error& why) {
  if (!w.change) return give_up(why);
  w.change->told(why);
}

base::Result<bool> Hub::take_locks(Wish& w) {
  bool all = true;
  for (const auto& [name, p] : w.plan) {
    if (channels_.contains(name)) continue;
    auto it = w.locks.find(name);
    if (it == w.locks.end()) {
      if (auto ok = Exchange::fits(Exchange::socket_file(dir_, name, wire_)); !ok) return ok.error();
      auto lock = local::Lock::open(Exchange::lock_file(dir_, name, wire_));
      if (!lock) return lock.error();
      auto first = lock->reserve();
      if (!first) return first.error();
      if (!*first)
        return Error{MW_EADDRINUSE, 0, "channel " + name + " has a standing hub already: process " + std::to_string(lock->holder_pid())};
      it = w.locks.emplace(name, std::move(*lock)).first;
    }
    auto mine = it->second.take();
    if (!mine) return mine.error();
    if (*mine) continue;
    all = false;
    if (lane->now() >= w.until)
      return Error{MW_EADDRINUSE, 0,
                   "channel " + name + " has a hub that does not make way: process " + std::to_string(it->second.holder_pid())};
  }
  return all;
}

base::Result<void> Hub::open_channels(Wish& w) {
  std::map<std::string, std::unique_ptr<Exchange>, std::less<>> made;
  for (auto& [name, lock] : w.locks) {
    auto e = Exchange::open(*this, dir_, name, std::move(lock));
    if (!e) {
      for (auto& [n, other] : made) {  // their listeners must stop first
        leaving_.push_back(std::move(other));
        leaving_.back()->close();
      }
      return e.error();
    }
    made.emplace(name, std::move(*e));
  }
  for (auto& [name, e] : made) {
    channels_[name].exchange = std::move(e);
    ++opening_;
  }
  aim();
  return {};
}

void Hub::aim() {
  for (auto& [name, k] : channels_) {
    k.targets.clear();
    auto it = plan_.find(name);
    if (it == plan_.end()) continue;
    k.dump = it->second.dump;
    k.multicast = it->second.multicast;
    if (!it->second.propagate) continue;
    for (auto& [other, t] : channels_)
      if (other != name && it->second.propagate->match(other)) k.targets.push_back(t.exchange.get());
  }
}

void Hub::exchange_up(Exchange&) {
  if (--opening_ != 0 || closing_ || failure_.code != MW_OK) return;
  if (state_.load() == MW_STATE_UP) return;  // a reload
  state_.store(MW_STATE_UP, std::memory_order_release);
  event(*lane, MW_EVENT_UP, 0, token.load(), MW_OK, 0, 0, facts());
  finish_starts(MW_OK, 0, {});
}

void Hub::exchange_failed(Exchange& e, const Error& why) {
  --opening_;
  if (closing_) return;
  if (state_.load() == MW_STATE_UP) {  // a reload
    event(*lane, MW_EVENT_ERROR, 0, token.load(), why.code, why.os, 0, why.text);
    auto it = channels_.find(e.name());
    if (it == channels_.end()) return;
    leaving_.push_back(std::move(it->second.exchange));
    channels_.erase(it);
    return aim();
  }
  give_up(why);
}

// No channel is kept: the next start begins anew.
void Hub::give_up(const Error& why) {
  if (failure_.code == MW_OK) failure_ = why;
  opening_ = 0;
  lan_.reset();
  for (auto& [name, k] : channels_) leaving_.push_back(std::move(k.exchange));
  channels_.clear();
  for (auto& e : leaving_) e->close();
  state_.store(MW_STATE_IDLE, std::memory_order_release);
  bool asked;
  {
    std::lock_guard lock(mutex_);
    asked = std::any_of(start_ops_.begin(), start_ops_.end(), [](uint64_t op) { return op != 0; });
  }
  finish_starts(why.code, why.os, error_json(why));
  if (!asked) event(*lane, MW_EVENT_ERROR, 0, token.load(), why.code, why.os, 0, why.text);
}

void Hub::exchange_over(Exchange& e) {
  std::erase_if(leaving_, [&](const auto& p) { return p.get() == &e; });
  for (auto it = channels_.begin(); it != channels_.end(); ++it)
    if (it->second.exchange.get() == &e) {
      channels_.erase(it);
      aim();
      break;
    }
  if (closing_) return end_if_done();
  bool again;
  {
    std::lock_guard lock(mutex_);
    again = !start_ops_.empty();
  }
  if (again) request(kStart);
}

// ---- members

void Hub::seat_taken(Seat& s) {
  peers_.fetch_add(1, std::memory_order_relaxed);
  event(*lane, MW_EVENT_PEER_UP, s.handle, token.load(std::memory_order_relaxed), MW_OK, 0, 0, s.facts());
}

void Hub::seat_left(Seat& s) noexcept {
  if (!s.joined) return;
  peers_.fetch_sub(1, std::memory_order_relaxed);
  const Ending& e = s.session.ending();
  std::string meta;
  base::insist([&] { meta = unsent_meta(e.unsent, e.unsent_bytes); });
  mw_event ev{};
  ev.kind = MW_EVENT_PEER_DOWN;
  ev.token = s.token.load(std::memory_order_relaxed);
  ev.peer = s.handle;
  ev.status = e.status;
  ev.code = e.code;
  if (!e.reason.empty()) ev.flags = MW_F_TEXT;
  emit(*lane, ev, {}, meta, e.reason);
}

// ---- from one channel to others: once, and never further

bool Hub::relays(const Exchange& e) const {
  auto it = channels_.find(e.name());
  return it != channels_.end() && !it->second.targets.empty();
}

void Hub::relay(Exchange& from, mw_msg* frame, uint32_t events) {
  for (Exchange* t : channels_.find(from.name())->second.targets) t->give(frame, events, nullptr);
}

uint64_t Hub::through(Exchange& e) {
  uint64_t least = e.through();
  auto it = channels_.find(e.name());
  if (it != channels_.end())
    for (Exchange* t : it->second.targets) least = std::min(least, t->through());
  if (lan_ && it != channels_.end() && it->second.multicast) least = std::min(least, lan_->through(marks));
  return least;
}

void Hub::look_for_acks(Exchange&) {
  for (auto& [name, k] : channels_) k.exchange->look_for_acks();
}

void Hub::heard(Exchange& e, Seat& s, const wire::EventView& v) {
  if (e.name() == kControl && answers(*conf())) control(e, s, v);
  auto it = channels_.find(e.name());
  if (it == channels_.end()) return;
  if (lan_ && it->second.multicast) lan_->send(e.name(), v, marks + 1);
  if (!it->second.dump || !policy.wants(MW_EVENT_LOG)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_LOG;
  ev.token = token.load(std::memory_order_relaxed);
  ev.peer = s.handle;
  ev.code = static_cast<int32_t>(base::LogLevel::trace);
  ev.flags = MW_F_DUMP | ((v.flags & wire::kEventText) ? uint32_t{MW_F_TEXT} : 0);
  std::string line = std::string(v.name) + " " + std::string(reinterpret_cast<const char*>(v.body), v.size);
  if (!lane->room(line.size() + e.name().size())) return;
  try {
    emit(*lane, ev, e.name(), {}, line);
  } catch (const std::bad_alloc&) {  // a line is not worth a connection
  }
}

// ---- reload

base::Result<void> Hub::update(const base::Conf& change, uint64_t op) {
  auto next = conf()->updated(change);
  if (!next) return next.error();
  return change_to(*next, [this, op](const Error& why) {
    done(*lane, op, why.code, why.os, why.code == MW_OK ? std::string() : error_json(why));
  });
}

base::Result<void> Hub::change_to(std::shared_ptr<const base::Conf> next, std::function<void(const Error&)> told) {
  auto plan = hub_plan(next->text(Opt::channels));
  if (!plan) return plan.error();
  if (auto ok = control_kept(*next, *plan); !ok) return ok.error();
  auto c = std::make_shared<Change>(Change{std::move(next), std::move(*plan), std::move(told)});
  post(*lane, [this, c] { apply(c); });
  return {};
}

void Hub::apply(const std::shared_ptr<Change>& c) {
  if (closing_) return c->told({MW_ECLOSED, 0, "the hub is closing"});
  if (wish_now_) return c->told({MW_EBUSY, 0, "a start or a reload is under way"});
  if (state_.load() != MW_STATE_UP) return applied(*c);
  prepare(Wish{c->plan, {}, lane->now() + kMakeWay, c, !Lan::same(*conf(), *c->conf), nullptr, nullptr});
}

void Hub::applied(const Change& c) {
  set_conf(c.conf);
  if (lan_) lan_->tune(*c.conf);
  plan_ = c.plan;
  for (auto it = channels_.begin(); it != channels_.end();) {
    if (plan_.contains(it->first)) {
      ++it;
      continue;
    }
    leaving_.push_back(std::move(it->second.exchange));
    it = channels_.erase(it);
    leaving_.back()->close();
  }
  aim();
  for (auto& [name, k] : channels_)
    for (Seat* s : k.exchange->seats()) s->session.beat_changed();
  if (!channels_.empty()) look_for_acks(*channels_.begin()->second.exchange);
  c.told({MW_OK, 0, {}});
}

// ---- closing

mw_status Hub::drain(int64_t deadline_ms, uint64_t op) {
  return ask_drain(deadline_ms, op, nullptr);
}

void Hub::begin_close(const CloseWish& w) {
  if (closing_) {
    if (w.flags & MW_CLOSE_ABORT) close_all();
    return;
  }
  how_ = w;
  if (how_.code == 0) how_.code = 1000;
  closing_ = true;
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  finish_starts(MW_ECANCELED, 0, {});
  loop::Wheel::cancel(wish_timer_);
  if (wish_now_ && wish_now_->change) wish_now_->change->told({MW_ECANCELED, 0, "the hub is closing"});
  wish_now_.reset();
  close_all();
  end_if_done();
}

void Hub::close_all() {
  const bool cut = (how_.flags & MW_CLOSE_ABORT) != 0;
  if (lan_) lan_->finish();
  lan_.reset();
  auto end = [&](Exchange& e) {
    std::vector<Seat*> seats = e.seats();
    e.close();
    if (cut)
      for (Seat* s : seats) s->request(kAbort);
  };
  for (auto& [name, k] : channels_) end(*k.exchange);
  for (auto& e : leaving_) end(*e);
}

void Hub::end_if_done() {
  if (!channels_.empty() || !leaving_.empty() || stretching_ || std::exchange(retired_, true)) return;
  base::retire(handle);
}

void Hub::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    finish_drains();
    finish_starts(MW_ECANCELED, 0, {});
    tell_closed(how_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

// ---- facts

std::string Hub::facts() const {
  std::string out;
  base::JsonObject o(out);
  o.raw("channels", conf()->text(Opt::channels)).number("peers", static_cast<int64_t>(peers()));
  o.end();
  return out;
}

mw_status Hub::gather(std::string_view what, uint64_t op) {
  if (what == "lan") {
    post(*lane, [this, op] { done(*lane, op, MW_OK, 0, lan_ ? lan_->facts() : "{\"enabled\":false}"); });
    return MW_OK;
  }
  const bool client = what.starts_with("client/");
  std::string_view rest = what.substr(client ? 7 : 8);
  const size_t slash = rest.find('/');
  if (client == (slash == rest.npos) || rest.empty()) return MW_EINVAL;
  std::string channel(rest.substr(0, slash)), uuid(client ? rest.substr(slash + 1) : std::string_view());
  post(*lane, [this, channel = std::move(channel), uuid = std::move(uuid), op] {
    auto found = members(channel, uuid);
    if (!found) return done(*lane, op, found.error().code, 0, error_json(found.error()));
    std::string out;
    for (const Seat* s : *found) out += (out.empty() ? "" : ",") + facts_of(*s);
    done(*lane, op, MW_OK, 0, uuid.empty() ? "[" + out + "]" : out);
  });
  return MW_OK;
}

}  // namespace mw::link
