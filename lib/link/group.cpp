// A group's life: started, up and down as the one connection is, left.
#include "link/group.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "local/directory.hpp"
#include "net/dialer.hpp"

#include <algorithm>
#include <charconv>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

namespace {

constexpr int64_t kSlack = 1 << 20;  // bytes of heads and answers beside the messages

// Who is of one group: what leads to the same provider as the same somebody.
std::string group_name(const base::Conf& c) {
  std::string all;
  for (Opt o : {Opt::url, Opt::host, Opt::path, Opt::subprotocols, Opt::parameters, Opt::headers, Opt::proxy, Opt::tls_key_file,
                Opt::tls_cert_file, Opt::tls_ca_file, Opt::tls_key, Opt::tls_cert, Opt::tls_ca, Opt::tls_server_name,
                Opt::link_secret, Opt::link_key_id})
    all.append(c.text(o)).push_back('\0');
  for (Opt o : {Opt::port, Opt::tls, Opt::wire, Opt::parameters_in, Opt::tls_verify, Opt::tls_min_version})
    all.append(std::to_string(c.num(o))).push_back('\0');
  std::string name = base::fingerprint(all);
  base::wipe(all);
  return name;
}

}  // namespace

base::Result<mw_handle> Group::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  if (auto ok = net::Dialer::check(*conf); !ok) return ok.error();
  const std::string& name = conf->text(Opt::share_name);
  if (!name.empty() && !local::name_valid(name))
    return Error{MW_EOPTION, 0, "share.name has letters, digits, '.', '_' and '-', and does not begin with '.'"};
  if (conf->num(Opt::offline_max_bytes) != 0 || base::send_overflow(*conf) != base::Overflow::refuse)
    return Error{MW_EOPTION, 0, "with share=group there is no offline buffer, and send.overflow is refuse"};
  Lane& home = ctx.next_lane();
  auto* g = new Group(ctx, &home, std::move(conf));
  if (auto in = g->enter(base::Kind::group, token); !in) {
    delete g;
    return in.error();
  }
  auto share = Share::make(ctx, home, g->share_conf(), kShare, g);
  const mw_handle h = g->handle;
  if (!share) {
    g->stillborn_.store(true);
    g->retired_ = true;
    g->opened_.store(true, std::memory_order_release);
    base::retire(h);
    return share.error();
  }
  g->share_handle_ = (*share)->handle;
  g->share_ = *share;
  Error none;
  g->share_->want("=up", base::Syntax::exact, 0, &none);
  g->opened_.store(true, std::memory_order_release);
  return h;
}

Group::Group(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> c) : Owner(ctx, home, std::move(c)) {}

// The share carries what the connection may, and bounds nothing itself: we do.
std::shared_ptr<const base::Conf> Group::share_conf() const {
  auto ours = conf();
  base::Conf c(MW_CONF_SHARE);
  const std::string& name = ours->text(Opt::share_name);
  static constexpr const char* kSyntax[] = {"exact", "mqtt", "path"};  // with share.name still a name (local::kMaxName)
  // Patterns of two syntaxes would not meet: they are two groups.
  (void)c.set("name", (name.empty() ? group_name(*ours) : name) + "." + kSyntax[ours->num(Opt::pattern_syntax)]);
  const int64_t message = std::max(ours->num(Opt::recv_max_message), ours->num(Opt::send_max_bytes)) + kSlack;
  (void)c.set("recv.max_message", std::to_string(std::min<int64_t>(message, 1 << 30)));
  (void)c.set("send.max_bytes", std::to_string(std::min<int64_t>(2 * message, int64_t{4} << 30)));
  (void)c.set("retain", "false");
  (void)c.set("retry.safe", "w");
  for (const char* k : {"dir", "send.soft_bytes", "heartbeat.interval", "heartbeat.max_strikes", "close.timeout", "log.level"})
    if (auto v = ours->get(k)) (void)c.set(k, *v);
  return c.freeze();
}

void Group::attend(uint32_t bits) {
  if (!opened_.load(std::memory_order_acquire)) return request(bits);  // a closing context is faster than open()
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kStart) begin_start();
  if (bits & kWritable) look_for_writable();
  if (bits & kDrain) {
    if (!drains_) how_ = CloseWish{1000, 0, MW_OK, "drained"};
    drains_ = true;
    if (leave_at_ == 0) leave_at_ = lane->now() + drain_ms();
    leave_step();
  }
  if (bits & kClose) {
    const CloseWish w = close_wish();
    if ((w.flags & MW_CLOSE_ABORT) != 0 || closing_ || share_ == nullptr || runtime.closing()) return begin_close(w);
    // What was accepted leaves first, as it does at a consumer.
    how_ = w;
    drains_ = false;
    state_.store(MW_STATE_DRAINING, std::memory_order_release);
    finish_starts(MW_ECANCELED, 0, {});
    leave_at_ = lane->now() + static_cast<uint64_t>(policy.close_timeout.load(std::memory_order_relaxed));
    leave_step();
  }
}

// ---- starting

mw_status Group::start(uint64_t op) {
  if (state() == MW_STATE_DRAINING) return MW_EDRAINING;
  return ask_start(op);
}

mw_status Group::cancel(uint64_t op) {
  if (cancel_start(op)) return MW_OK;
  base::Pin pin(share_handle_);
  return pin ? static_cast<Share*>(static_cast<loop::Object*>(pin.object()))->cancel(op) : MW_ECLOSED;
}

void Group::begin_start() {
  if (!settle_canceled()) return;
  if (closing_ || leave_at_ != 0) return finish_starts(MW_ECANCELED, 0, {});
  if (up_) return finish_starts(MW_OK, 0, {});
  const int64_t limit = conf()->num(Opt::start_timeout);
  if (limit > 0 && !loop::Wheel::pending(start_timer_)) lane->wheel.set(start_timer_, lane->now() + static_cast<uint64_t>(limit));
  if (starting_ || state() != MW_STATE_IDLE) return;
  starting_ = true;
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  share_->start(kStartUp);
}

void Group::start_late() { finish_starts(MW_ETIMEDOUT, 0, {}); }

void Group::finish_starts(mw_status status, int32_t code, std::string_view body) {
  loop::Wheel::cancel(start_timer_);
  Owner::finish_starts(status, code, body);
}

// ---- what the parts inside tell

void Group::inside(Lane&, const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  if (ev.kind == MW_EVENT_LOG) return pass_on(ev, topic, meta, body);
  if (ev.token == kShare) return told_by_share(ev, topic, meta, body);
  if (ev.kind == MW_EVENT_CLOSED) --connections_;
  if (ev.token == generation_) told_by_provider(ev, topic, meta, body);
  if (ev.kind == MW_EVENT_CLOSED) end_if_done();
}

void Group::pass_on(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body) {
  if (target == nullptr || (base::event_bit(ev.kind) >= 0 && !policy.wants(ev.kind))) return;
  ev.token = token.load(std::memory_order_relaxed);
  ev.peer = 0;
  lane->emit(target, ev, topic, meta, body);
}

void Group::told_by_share(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  switch (ev.kind) {
    case MW_EVENT_MESSAGE:
      if (topic == "=up") return connection_is(body);
      if (!up_) return;
      return pass_on(ev, topic.empty() ? topic : topic.substr(1), meta, body);
    case MW_EVENT_UP:  // the leader is there, the connection perhaps not
      return;
    case MW_EVENT_DOWN:
      return lost(ev, body);
    case MW_EVENT_LEADER:
      leads_.store(ev.code == 1, std::memory_order_release);
      epoch_.store(ev.id, std::memory_order_relaxed);
      pass_on(ev, topic, meta, body);
      return ev.code == 1 ? lead() : give_up_lead();
    case MW_EVENT_DONE:
      if (ev.id == kStartUp) {
        starting_ = false;
        if (ev.status >= 0 || closing_) return;
        if (!up_) state_.store(MW_STATE_IDLE, std::memory_order_release);  // it may be started again
        return finish_starts(ev.status, ev.code, body);
      }
      if (asked_done(ev, body)) return;
      calls_.fetch_sub(1, std::memory_order_relaxed);
      return pass_on(ev, topic, meta, body);
    case MW_EVENT_PEER_UP:
      return member_came(ev.peer);
    case MW_EVENT_PEER_DOWN:
      return member_went(ev.peer);
    case MW_EVENT_INTEREST:
      return interest(ev, topic);
    case MW_EVENT_REQUEST:
      return asked_by(ev, topic, meta, body);
    case MW_EVENT_CANCEL:
      if (auto at = held_.find(ev.id); at != held_.end()) {
        errands_.erase(at->second);
        held_.erase(at);
      }
      return;
    case MW_EVENT_WRITABLE:
      if (base::kind_of(ev.id) == base::Kind::request) return room_for(ev.id);
      if (base::kind_of(ev.peer) == base::Kind::peer) return;  // a member's connection has room
      wants_.store(true, std::memory_order_relaxed);
      return look_for_writable();
    case MW_EVENT_CLOSED:
      share_ = nullptr;
      return end_if_done();
    case MW_EVENT_PART:
    case MW_EVENT_ERROR:
      return pass_on(ev, topic, meta, body);
    default:
      return;
  }
}

// "KIND STATUS CODE ID\nTEXT": what the leader's consumer was told.
void Group::connection_is(std::string_view told) {
  int64_t n[4] = {};
  const size_t line = std::min(told.find('\n'), told.size());
  const char* p = told.data();
  for (int64_t& field : n) {
    auto [end, ec] = std::from_chars(p, told.data() + line, field);
    if (ec != std::errc()) return;
    p = end + (end < told.data() + line ? 1 : 0);
  }
  const std::string_view text = told.substr(std::min(line + 1, told.size()));
  const auto status = static_cast<mw_status>(n[1]);
  const auto code = static_cast<int32_t>(n[2]);
  const auto id = static_cast<uint64_t>(n[3]);
  if (closing_) return;
  switch (static_cast<uint32_t>(n[0])) {
    case MW_EVENT_UP:
      if (std::exchange(up_, true)) return;
      {
        std::lock_guard lock(mutex_);
        facts_ = text;
      }
      if (leave_at_ == 0) state_.store(MW_STATE_UP, std::memory_order_release);
      event(*lane, MW_EVENT_UP, handle, token.load(std::memory_order_relaxed), MW_OK, code, 0, text);
      return finish_starts(MW_OK, code, {});
    case MW_EVENT_DOWN:
      up_ = false;
      if (leave_at_ == 0) state_.store(MW_STATE_WAITING, std::memory_order_release);
      return event(*lane, MW_EVENT_DOWN, 0, token.load(std::memory_order_relaxed), status, code, id, text);
    case MW_EVENT_DRAINING:
      return event(*lane, MW_EVENT_DRAINING, handle, token.load(std::memory_order_relaxed), MW_OK, code, id, {});
    case MW_EVENT_CLOSED:
      finish_starts(status == MW_OK ? MW_ECLOSED : status, code, {});
      return begin_close(CloseWish{code, 0, status, std::string(text)});
    default:
      return;
  }
}

// The leader has gone, and the connection with it.
void Group::lost(const mw_event& ev, std::string_view reason) {
  if (!std::exchange(up_, false) || closing_) return;
  if (leave_at_ == 0) state_.store(MW_STATE_WAITING, std::memory_order_release);
  mw_event out = ev;
  out.id = 0;
  pass_on(out, {}, {}, reason);
}

void Group::look_for_writable() {
  const int64_t low = std::min(policy.soft.load(std::memory_order_relaxed), policy.max.load(std::memory_order_relaxed) / 2);
  if (outstanding_.load(std::memory_order_seq_cst) > low || !wants_.exchange(false, std::memory_order_seq_cst)) return;
  event(*lane, MW_EVENT_WRITABLE, handle, token.load(std::memory_order_relaxed), MW_OK, 0, 0, {});
}

// ---- leaving

mw_status Group::drain(int64_t deadline_ms, uint64_t op) { return ask_drain(deadline_ms, op, &state_); }

void Group::leave_step() {
  if (closing_) return;
  const bool busy = outstanding_.load() != 0 || (drains_ && calls_.load() != 0);
  if (busy && up_ && lane->now() < leave_at_) return lane->wheel.set(leave_timer_, lane->now() + 5);
  begin_close(CloseWish(how_));
}

void Group::begin_close(const CloseWish& w) {
  if (!closing_) {
    how_ = w;
    if (how_.code == 0) how_.code = 1000;
    closing_ = true;
    state_.store(MW_STATE_DRAINING, std::memory_order_release);
    finish_starts(MW_ECANCELED, 0, {});
    loop::Wheel::cancel(leave_timer_);
    loop::Wheel::cancel(pace_timer_);
    refuse_waiting();
  }
  if (share_ != nullptr) share_->close_as(w);
  if (upstream_ != nullptr) upstream_->close_as(w);
  end_if_done();
}

void Group::end_if_done() {
  if (!closing_ || share_ != nullptr || connections_ != 0 || retired_) return;
  retired_ = true;
  base::retire(handle);
}

void Group::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead && stillborn_.load()) {
    r.child_gone(this);
  } else if (!dead) {
    std::unordered_map<uint64_t, Asked> left;
    {
      std::lock_guard lock(mutex_);
      left.swap(asked_);
    }
    for (auto& [number, a] : left) done(*lane, a.op, MW_ECLOSED, 0, {});
    finish_drains();
    finish_starts(MW_ECANCELED, 0, {});
    tell_closed(how_, unsent_, unsent_bytes_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

// ---- asked about

base::Result<void> Group::update(const base::Conf& change, uint64_t op) {
  auto next = conf()->updated(change);
  if (!next) return next.error();
  if (auto ok = net::Dialer::check(**next); !ok) return ok;
  if (base::send_overflow(**next) != base::Overflow::refuse)
    return Error{MW_EOPTION, 0, "with share=group send.overflow is refuse"};
  set_conf(*next);
  auto ours = std::make_shared<base::Conf>(change);
  for_upstream(*ours);
  post(*lane, [this, op, ours] {
    if (base::Pin pin(upstream_ != nullptr ? upstream_->handle : 0); pin) (void)upstream_->update(*ours, 0);
    done(*lane, op, MW_OK, 0, {});
  });
  return {};
}

mw_status Group::stat(int32_t what, int64_t* value) const {
  if (what == MW_STAT_BUFFERED) return *value = outstanding_.load(std::memory_order_relaxed), MW_OK;
  base::Pin pin(share_handle_);
  if (!pin) return MW_OK;
  const auto& share = static_cast<const Share&>(static_cast<const loop::Object&>(*pin.object()));
  return share.stat(what, value);
}

std::string Group::facts() const {
  std::string share, out;
  base::JsonObject s(share);
  s.boolean("leader", leads_.load(std::memory_order_acquire)).number("epoch", static_cast<int64_t>(epoch_.load(std::memory_order_relaxed)));
  s.end();
  std::lock_guard lock(mutex_);
  if (facts_.size() <= 2) return "{\"share\":" + share + "}";
  return facts_.substr(0, facts_.size() - 1) + ",\"share\":" + share + "}";
}

std::string Group::topics() const {
  std::lock_guard lock(mutex_);
  return base::json_texts(wanted_, [](const base::Pattern& p) -> const std::string& { return p.text(); });
}

}  // namespace mw::link
