#include "link/service.hpp"

#include "base/status.hpp"
#include "base/utf8.hpp"
#include "link/callee.hpp"
#include "link/job_queue.hpp"
#include "link/party.hpp"
#include "link/repeats.hpp"
#include "link/request.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

namespace {

// "C", "C.m", "C.m.n": parts that are not empty.
bool good_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > Service::kMaxName || !base::utf8_valid(name)) return false;
  return name.front() != '.' && name.back() != '.' && name.find("..") == name.npos;
}

std::string_view first_part(std::string_view name) noexcept { return name.substr(0, name.find('.')); }

}  // namespace

Service::Service(Party& p, std::string_view n, const base::Conf& conf)
    : Object(p.runtime, p.lane), name(n), party_(p), desks_(p.lanes()), max_concurrent_(conf.num(Opt::max_concurrent)) {
  for (std::string& m : conf.list(Opt::methods)) methods_.insert(std::move(m));
  for (size_t i = 0; i < desks_.size(); ++i) {
    desks_[i].service = this;
    desks_[i].lane = desks_.size() == 1 ? p.lane : &p.runtime.lane_at(i);
  }
  timer_.service = this;
  if (const int64_t window = conf.num(Opt::dedupe_window); window != 0)
    repeats_ = std::make_unique<Repeats>(static_cast<uint64_t>(window), conf.num(Opt::dedupe_max_bytes));
}

Service::~Service() = default;

base::Result<mw_handle> Service::open(Party& party, std::string_view name, const base::Conf& conf, uint64_t token,
                                      std::unique_ptr<JobQueue> jobs) {
  if (!good_name(name))
    return Error{MW_EINVAL, 0, "a service's name is 1 to 255 bytes of UTF-8: parts that are not empty, joined by dots"};
  if (party.wish.load() != nullptr || party.runtime.closing()) return Error{MW_ECLOSED, 0, {}};
  if (jobs && party.lanes() != 1)
    return Error{MW_EOPTION, 0, "queue: a queue has one order, so its provider needs lanes=1"};
  if (jobs && jobs->all && conf.num(Opt::dedupe_window) != 0)
    return Error{MW_EOPTION, 0, "queue and dedupe.window do not go together"};
  Services& all = party.services();
  auto* s = new Service(party, name, conf);
  s->token.store(token);
  s->jobs_ = std::move(jobs);
  if (s->jobs_) s->jobs_->serve(*s);
  s->runtime.objects.fetch_add(1);
  mw_handle id = 0;
  {
    base::Slots& slots = base::Slots::shared();
    std::lock_guard lock(slots.mutex());
    s->handle = id = slots.take(base::Kind::service, s);
  }
  if (id == 0) {
    s->destroy(true);
    return Error{MW_ENOMEM, 0, "the table of handles is full"};
  }
  try {
    if (mw_status st = all.add(*s); st != MW_OK) {
      base::retire(id);
      return Error{st, 0, "\"" + std::string(name) + "\" is served here already"};
    }
  } catch (const std::bad_alloc&) {
    base::retire(id);
    throw;
  }
  base::insist([&] { post(*s->lane, [s] { s->born(); }); });
  return id;
}

// A party that is closing counts nobody any more: its last event comes after ours all the same,
// because it stands behind us in the queue.
void Service::born() {
  born_ = party_.service_born(*this);
  if (born_) return;
  ending_ = true;
  over_.store(true, std::memory_order_release);
  party_.services().remove(*this);
  tell_closed();
  base::retire(handle);
}

mw_status Service::state() const noexcept {
  if (over_.load(std::memory_order_acquire)) return MW_ECLOSED;
  return draining_.load(std::memory_order_acquire) ? MW_STATE_DRAINING : MW_STATE_UP;
}

int64_t Service::running() const noexcept {
  int64_t n = 0;
  for (const Desk& d : desks_) n += d.running.load(std::memory_order_relaxed);
  return n;
}

Service::Counts Service::counts() const noexcept {
  Counts all;
  for (const Desk& d : desks_) {
    all.taken += d.taken.load(std::memory_order_relaxed);
    all.failed += d.failed.load(std::memory_order_relaxed);
    all.canceled += d.canceled.load(std::memory_order_relaxed);
  }
  return all;
}

// ---- requests

mw_status Service::admit(std::string_view method, bool waits) noexcept {
  if (over_.load(std::memory_order_relaxed)) return MW_ENOSERVICE;
  if (draining_.load(std::memory_order_relaxed)) return MW_EDRAINING;
  if (!methods_.empty() && methods_.find(method) == methods_.end()) return MW_ENOMETHOD;
  if (paused_.load(std::memory_order_relaxed)) return MW_EAGAIN;
  if (!waits || max_concurrent_ == 0 || concurrent_.fetch_add(1, std::memory_order_relaxed) < max_concurrent_)
    return MW_OK;
  dismiss();
  return MW_EAGAIN;
}

void Service::joined(Request& r) noexcept {
  Desk& d = desk(*r.lane);
  r.service = this;
  r.before_at_service = nullptr;
  r.after_at_service = d.first;
  if (d.first != nullptr) d.first->before_at_service = &r;
  d.first = &r;
  d.running.store(d.running.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Service::left(Request& r) noexcept {
  Desk& d = desk(*r.lane);
  r.service = nullptr;
  (r.before_at_service != nullptr ? r.before_at_service->after_at_service : d.first) = r.after_at_service;
  if (r.after_at_service != nullptr) r.after_at_service->before_at_service = r.before_at_service;
  d.running.store(d.running.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  dismiss();
  if (d.draining && d.first == nullptr) d.tell_empty();
}

void Service::tell_cancel(mw_handle request, mw_handle peer, Lane& on, mw_status why, int32_t code) {
  mw_event ev{};
  ev.kind = MW_EVENT_CANCEL;
  ev.token = token.load(std::memory_order_relaxed);
  ev.peer = peer;
  ev.id = request;
  ev.status = why;
  ev.code = code;
  ev.flags = MW_F_TEXT;
  party_.emit(on, ev, {}, {}, base::status_text(why));
}

// ---- draining and closing

mw_status Service::drain(int64_t deadline_ms, uint64_t op) {
  {
    std::lock_guard lock(mutex_);
    if (over_.load(std::memory_order_acquire)) return MW_ECLOSED;
    drain_ops_.push_back(op);
    drain_ms_ = deadline_ms;
  }
  draining_.store(true, std::memory_order_release);
  request(kDrain);
  return MW_OK;
}

void Service::attend(uint32_t bits) {
  if (bits & (kClose | kAbort)) end();
  if ((bits & kDrain) && !ending_ && !loop::Wheel::pending(timer_)) begin_drain();
}

void Service::begin_drain() {
  int64_t ms;
  {
    std::lock_guard lock(mutex_);
    ms = drain_ms_;
  }
  lane->wheel.set(timer_, lane->now() + static_cast<uint64_t>(std::max<int64_t>(ms, 1)));
  for (Desk& d : desks_) d.lane->post(&d.look_step);
}

void Service::desk_empty() {
  if (++empty_ == desks_.size() && (!jobs_ || jobs_->idle())) end();
}

// Nothing new is found; what runs is over on each lane; then the handle is stale.
void Service::end() {
  if (std::exchange(ending_, true)) return;
  over_.store(true, std::memory_order_release);
  loop::Wheel::cancel(timer_);
  base::insist([&] { party_.services().remove(*this); });
  if (jobs_) jobs_->end();
  left_ = desks_.size();
  for (Desk& d : desks_) d.lane->post(&d.cancel_step);
}

void Service::Desk::cancel_all() {
  while (first != nullptr) {
    if (first->once)
      Repeats::give_up(*first, MW_EPEERGONE, MW_ECLOSED, MW_CANCEL_GONE);
    else
      first->callee->give_up(*first, MW_EPEERGONE, MW_ECLOSED);
  }
  lane->push_events();  // before the home lane tells CLOSED
  service->lane->post(&back_step);
}

void Service::desk_back() {
  if (--left_ == 0) base::retire(handle);
}

void Service::tell_closed() {
  std::vector<uint64_t> drains;
  {
    std::lock_guard lock(mutex_);
    drains.swap(drain_ops_);
  }
  mw_event ev{};
  ev.kind = MW_EVENT_DONE;
  ev.token = token.load(std::memory_order_relaxed);
  for (uint64_t op : drains) {
    ev.id = op;
    if (op != 0) party_.emit(*lane, ev, {}, {}, {});
  }
  ev.kind = MW_EVENT_CLOSED;
  ev.id = handle;
  ev.code = 1000;
  party_.emit(*lane, ev, {}, {}, {});
}

void Service::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead && born_) {
    tell_closed();
    party_.service_gone(*this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

// ---- the directory

mw_status Services::add(Service& s) {
  std::lock_guard lock(mutex_);
  auto next = std::make_shared<Names>(*names_);
  if (!next->services.emplace(s.name, &s).second) return MW_EDUPLICATE;
  next->first.emplace(first_part(s.name));
  publish(std::move(next));
  return MW_OK;
}

void Services::remove(Service& s) {
  std::lock_guard lock(mutex_);
  auto next = std::make_shared<Names>();
  for (const auto& [name, service] : names_->services) {
    if (service == &s) continue;
    next->services.emplace(name, service);
    next->first.emplace(first_part(name));
  }
  publish(std::move(next));
}

void Services::publish(std::shared_ptr<Names> n) {
  names_ = std::move(n);
  version_.fetch_add(1, std::memory_order_release);
}

Services::Found Services::find(size_t lane, std::string_view target) {
  Seen& seen = seen_[seen_.size() == 1 ? 0 : lane];
  if (uint64_t now = version_.load(std::memory_order_acquire); seen.version != now) [[unlikely]] {
    std::lock_guard lock(mutex_);
    seen.names = names_;
    seen.version = now;
  }
  if (!seen.names) return {};
  const Names& names = *seen.names;
  for (size_t n = target.size(); n != 0;) {
    if (auto it = names.services.find(target.substr(0, n)); it != names.services.end())
      return {it->second, n == target.size() ? std::string_view() : target.substr(n + 1), true};
    size_t dot = target.rfind('.', n - 1);
    n = dot == target.npos ? 0 : dot;
  }
  return {nullptr, {}, names.first.find(first_part(target)) != names.first.end()};
}

}  // namespace mw::link
