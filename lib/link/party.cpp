#include "link/party.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"

#include <algorithm>

namespace mw::link {

using base::Opt;

namespace {

void fill(Policy& p, const base::Conf& c) {
  p.soft = c.num(Opt::send_soft_bytes);
  p.max = c.num(Opt::send_max_bytes);
  p.overflow = base::send_overflow(c);
  p.beat_interval = c.num(Opt::heartbeat_interval);
  p.max_strikes = c.num(Opt::heartbeat_max_strikes);
  p.close_timeout = c.num(Opt::close_timeout);
  p.call_timeout = c.num(Opt::call_timeout);
  p.events = c.num(Opt::events);
  p.log = base::log_level(c);
  if (c.kind() == MW_CONF_PROVIDER) {
    p.max_rate = c.num(Opt::max_rate);
    p.max_rate_bytes = c.num(Opt::max_rate_bytes);
  }
}

}  // namespace

std::string unsent_meta(uint64_t messages, uint64_t bytes) {
  std::string meta;
  if (messages == 0 && bytes == 0) return meta;
  base::put_header(meta, "unsent", std::to_string(messages));
  base::put_header(meta, "unsent_bytes", std::to_string(bytes));
  return meta;
}

Owner::Owner(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf)
    : Object(ctx, home), target(new loop::Target), conf_(std::move(conf)) {
  const base::Conf& c = *conf_;
  fill(policy, c);
  policy.max_message = static_cast<size_t>(c.num(Opt::recv_max_message));
  policy.copy_below = static_cast<size_t>(ctx.conf().num(Opt::msg_copy_below));
  policy.cork_max = ctx.conf().num(Opt::cork_max);
  policy.compress = base::compress(c);
  policy.compress_min = static_cast<size_t>(c.num(Opt::compress_min_bytes));
  policy.max_ratio = static_cast<uint32_t>(c.num(Opt::compress_max_ratio));
}

Owner::~Owner() {
  delete wish.load();
  loop::drop(target);
}

base::Result<void> Owner::enter(base::Kind kind, uint64_t tok) {
  token.store(tok);
  if (!runtime.add_child(this)) return base::Error{MW_ECLOSED, 0, "the context is closing"};
  base::Slots& slots = base::Slots::shared();
  {
    std::lock_guard lock(slots.mutex());
    handle = slots.take(kind, this);
  }
  if (handle != 0) return {};
  runtime.child_gone(this);
  runtime.objects.fetch_sub(1);
  return base::Error{MW_ENOMEM, 0, "the table of handles is full"};
}

mw_status Owner::ask_start(uint64_t op) {
  {
    std::lock_guard lock(mutex_);
    if (wish.load() != nullptr || runtime.closing()) return MW_ECLOSED;
    started.store(true, std::memory_order_release);
    start_ops_.push_back(op);
  }
  request(kStart);
  return MW_OK;
}

bool Owner::cancel_start(uint64_t op) {
  {
    std::lock_guard lock(mutex_);
    if (op == 0 || std::find(start_ops_.begin(), start_ops_.end(), op) == start_ops_.end()) return false;
    cancels_.push_back(op);
  }
  request(kStart);
  return true;
}

bool Owner::settle_canceled() {
  std::vector<uint64_t> canceled;
  bool left;
  {
    std::lock_guard lock(mutex_);
    canceled.reserve(cancels_.size());
    for (uint64_t op : cancels_) {
      auto it = std::find(start_ops_.begin(), start_ops_.end(), op);
      if (it == start_ops_.end()) continue;
      start_ops_.erase(it);
      canceled.push_back(op);
    }
    cancels_.clear();
    left = !start_ops_.empty();
  }
  for (uint64_t op : canceled) done(*lane, op, MW_ECANCELED, 0, {});
  return left;
}

void Owner::finish_starts(mw_status status, int32_t code, std::string_view body) {
  std::vector<uint64_t> ops;
  {
    std::lock_guard lock(mutex_);
    ops.swap(start_ops_);
  }
  for (uint64_t op : ops) done(*lane, op, status, code, body);
}

mw_status Owner::ask_drain(int64_t deadline_ms, uint64_t op, std::atomic<mw_status>* state) {
  {
    std::lock_guard lock(mutex_);
    if (wish.load() != nullptr || runtime.closing()) return MW_ECLOSED;
    drain_ops_.push_back(op);
    drain_ms_ = deadline_ms;
  }
  if (state != nullptr) state->store(MW_STATE_DRAINING, std::memory_order_release);
  request(kDrain);
  return MW_OK;
}

uint64_t Owner::drain_ms() const {
  std::lock_guard lock(mutex_);
  return static_cast<uint64_t>(std::max<int64_t>(drain_ms_, 1));
}

void Owner::finish_drains() {
  std::vector<uint64_t> ops;
  {
    std::lock_guard lock(mutex_);
    ops.swap(drain_ops_);
  }
  for (uint64_t op : ops) done(*lane, op, MW_OK, 0, {});
}

CloseWish Owner::close_wish() const {
  const CloseWish* w = wish.load(std::memory_order_acquire);
  return w != nullptr ? *w : CloseWish{1001, 0, MW_OK, "context closed"};
}

void Owner::tell_closed(const CloseWish& how, uint64_t unsent, uint64_t unsent_bytes) {
  std::string meta;
  base::insist([&] { meta = unsent_meta(unsent, unsent_bytes); });
  mw_event ev{};
  ev.kind = MW_EVENT_CLOSED;
  ev.token = token.load(std::memory_order_relaxed);
  ev.id = handle;
  ev.status = how.status;
  ev.code = how.code;
  if (!how.reason.empty()) ev.flags = MW_F_TEXT;
  lane->emit(std::exchange(target, nullptr), ev, {}, meta, how.reason, true);
}

void wish_close(loop::Object& o, std::atomic<CloseWish*>& wish, const CloseWish& w) {
  auto* mine = new CloseWish(w);
  CloseWish* none = nullptr;
  if (!wish.compare_exchange_strong(none, mine, std::memory_order_acq_rel)) {
    if (w.flags & MW_CLOSE_ABORT) o.request(kAbort);
    delete mine;
    return;
  }
  o.request(kClose);
}

std::string error_json(const base::Error& e) {
  std::string out;
  base::JsonObject o(out);
  o.number("code", e.code).number("os", e.os).text("text", e.text);
  o.end();
  return out;
}

Party::Party(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf)
    : Owner(ctx, home, std::move(conf)) {}

Party::~Party() { delete services_.load(); }

std::shared_ptr<const base::Conf> Owner::conf() const {
  std::lock_guard lock(mutex_);
  return conf_;
}

void Owner::set_conf(std::shared_ptr<const base::Conf> c) {
  fill(policy, *c);
  std::lock_guard lock(mutex_);
  conf_ = std::move(c);
}

mw_status Owner::on(mw_event_fn fn, void* user, mw_free_fn free_user) {
  std::lock_guard lock(mutex_);
  if (started.load(std::memory_order_acquire) || told_) return MW_ESTATE;
  told_ = true;
  target->fn = fn;
  target->user = user;
  target->free_user = free_user;
  return MW_OK;
}

void Owner::emit(loop::Lane& l, mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  l.emit(target, ev, topic, meta, body);
}

void Owner::event(loop::Lane& l, uint32_t kind, mw_handle peer, uint64_t tok, mw_status status, int32_t code,
                  uint64_t id, std::string_view body) {
  if (!policy.wants(kind)) return;
  mw_event ev{};
  ev.kind = kind;
  ev.token = tok;
  ev.peer = peer;
  ev.status = status;
  ev.code = code;
  ev.id = id;
  if (kind != MW_EVENT_PING && kind != MW_EVENT_PONG && !body.empty()) ev.flags = MW_F_TEXT;
  l.emit(target, ev, {}, {}, body);
}

void Owner::log(loop::Lane& l, base::LogLevel level, mw_handle peer, std::string_view area, std::string_view line) {
  if (!policy.logs(level) || !policy.wants(MW_EVENT_LOG) || !l.room(area.size() + line.size())) return;
  mw_event ev{};
  ev.kind = MW_EVENT_LOG;
  ev.token = token.load(std::memory_order_relaxed);
  ev.peer = peer;
  ev.code = static_cast<int32_t>(level);
  ev.flags = MW_F_TEXT;
  try {
    l.emit(target, ev, area, {}, line);
  } catch (const std::bad_alloc&) {  // a line is not worth a connection
  }
}

void Owner::done(loop::Lane& l, uint64_t op, mw_status status, int32_t code, std::string_view body, mw_handle peer) {
  if (op == 0) return;
  mw_event ev{};
  ev.kind = MW_EVENT_DONE;
  ev.token = token.load(std::memory_order_relaxed);
  ev.peer = peer;
  ev.id = op;
  ev.status = status;
  ev.code = code;
  if (!body.empty()) ev.flags = MW_F_TEXT;
  l.emit(target, ev, {}, {}, body);
}

std::string Party::queues() const {
  std::string all = "[";
  each_queue([&](const std::string& name, const JobQueue::Numbers& n) {
    auto number = [](uint64_t v) { return static_cast<int64_t>(v); };
    std::string one;
    base::JsonObject o(one);
    o.text("service", name).number("waiting", number(n.waiting)).number("running", number(n.running));
    o.number("bytes", number(n.bytes)).number("taken", number(n.taken)).number("refused", number(n.refused));
    o.number("done", number(n.done)).number("again", number(n.again)).number("dead", number(n.dead));
    o.number("dropped", number(n.dropped)).end();
    all += (all.size() > 1 ? "," : "") + one;
  });
  return all + "]";
}

Services& Party::services() {
  if (Services* s = served()) return *s;
  std::lock_guard lock(mutex_);
  if (Services* s = served()) return *s;
  auto* made = new Services(lanes());
  services_.store(made, std::memory_order_release);
  return *made;
}

void Owner::call_failed(loop::Lane& l, uint64_t op, mw_status status, mw_handle peer, int32_t parts) {
  done(l, op, status, parts, failure_text(status), peer);
}

std::string_view failure_text(mw_status s) noexcept {
  switch (s) {
#define MW_STATUS(name, value, flags, sentence) \
  case value: return "{\"message\":\"" sentence "\"}";
#include "base/errors.def"
#undef MW_STATUS
    default: return "{\"message\":\"It failed.\"}";
  }
}

void Party::violation(loop::Lane& l, mw_handle peer, const wire::Violation& v) {
  violations.fetch_add(1, std::memory_order_relaxed);
  log(l, base::LogLevel::info, peer, "protocol", v.reason);
}

}  // namespace mw::link
