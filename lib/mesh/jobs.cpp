#include "mesh/jobs.hpp"

#include "base/insist.hpp"
#include "base/json.hpp"
#include "base/status.hpp"
#include "link/callee.hpp"
#include "link/party.hpp"
#include "link/session.hpp"

namespace mw::mesh {

using base::Opt;
using link::Request;
using loop::Lane;

namespace {

constexpr int64_t kOverhead = 512;    // of a call that waits
constexpr uint64_t kNoMemory = 20;    // ms until what found none is tried again
constexpr uint32_t kBody = MW_F_TEXT | MW_F_ASCII | MW_F_PARTS;

core::QueueConfig config_of(const base::Conf& c) {
  core::QueueConfig q;
  q.max = static_cast<size_t>(c.num(Opt::queue_max));
  q.max_bytes = c.num(Opt::queue_max_bytes);
  q.parallel = static_cast<size_t>(c.num(Opt::queue_parallel));
  q.lease = c.num(Opt::queue_lease);
  q.attempts = static_cast<uint32_t>(c.num(Opt::queue_attempts));
  q.backoff = c.num(Opt::queue_backoff);
  return q;
}

// A connection that an event may still name.
mw_handle alive(mw_handle link) noexcept { return link != 0 && base::Pin(link) ? link : 0; }

std::string_view view(const std::string* s) noexcept { return s != nullptr ? std::string_view(*s) : std::string_view(); }

}  // namespace

Jobs::Jobs(const base::Conf& service) : queue_(config_of(service), std::make_unique<core::MemoryStore>()) {
  all = base::queue(service) == base::QueueEngine::memory;
  timer_.jobs = this;
}

Jobs::~Jobs() {
  loop::Wheel::cancel(timer_);
  for (auto& [id, k] : tickets_) lane().slice.release(k.cost);
}

Lane& Jobs::lane() const noexcept { return *service_->lane; }

int64_t Jobs::now() const noexcept { return static_cast<int64_t>(lane().now()); }

// ---- asked

mw_status Jobs::arrive(link::Session& from, Request* caller, const wire::TalkView& t, uint32_t flags, std::string* text) {
  if (ended_) return MW_EDRAINING;
  bool keyed = false;
  const std::string_view key = base::get_header(t.meta, kKey, &keyed);
  if (key.size() > 255) {
    *text = "the header queue.key has at most 255 bytes";
    return MW_EINVAL;
  }
  std::string meta(t.meta);
  // Its connection may be gone when its turn comes.
  if (link::Meeting* m = from.party().meeting) base::set_header(meta, "caller", m->name_of(from));
  base::MsgRef job(base::message_copy(t.body, t.size, flags & kBody));
  job->topic = new std::string(t.method);
  job->meta = new std::string(std::move(meta));
  Ticket k;
  k.from = from.self().handle;
  k.caller = caller != nullptr ? caller->handle : 0;
  k.cost = static_cast<int64_t>(t.size + job->meta->size() + t.method.size() + key.size()) + kOverhead;
  if (!lane().slice.reserve(k.cost)) return MW_EMEMORY;
  uint64_t id = 0;
  core::Queue::Put put;
  try {
    put = queue_.put(key, std::move(job), static_cast<int64_t>(t.size + t.meta.size()), &id);
    if (put == core::Queue::Put::taken) tickets_.emplace(id, k);
  } catch (...) {
    if (id != 0) queue_.drop(id);
    lane().slice.release(k.cost);
    throw;
  }
  if (put != core::Queue::Put::taken) {
    lane().slice.release(k.cost);
    publish();
    *text = "the queue of \"" + service_->name + "\" " +
            (put == core::Queue::Put::full         ? "is full: " + std::to_string(queue_.size()) + " calls (queue.max)"
             : put == core::Queue::Put::full_bytes ? "is full: " + std::to_string(queue_.bytes()) + " bytes (queue.max_bytes)"
                                                   : std::string("cannot keep this call"));
    return MW_EAGAIN;
  }
  if (caller != nullptr) {
    caller->jobs = this;
    caller->job = id;
  }
  pump();
  return MW_OK;
}

void Jobs::leave(Request& caller, mw_status why, int32_t code) noexcept {
  caller.jobs = nullptr;
  const auto at = tickets_.find(caller.job);
  if (at == tickets_.end()) return;
  at->second.caller = 0;
  cut(at->second, why, code);
  queue_.drop(caller.job);
  forget(caller.job);
  pump_soon();
}

// ---- run

void Jobs::pump() noexcept {
  if (ended_ || std::exchange(pumping_, true)) return;
  try {
    tell_dead();
    std::vector<uint64_t> ids;
    queue_.start(now(), ids);
    for (const uint64_t id : ids) {
      const auto at = tickets_.find(id);
      if (at != tickets_.end() && at->second.host == 0 && !tell(id)) queue_.defer(id, now() + static_cast<int64_t>(kNoMemory));
    }
    const int64_t at = queue_.next();
    if (at != INT64_MAX)
      lane().wheel.set(timer_, static_cast<uint64_t>(at));
    else
      loop::Wheel::cancel(timer_);
  } catch (const std::bad_alloc&) {
    lane().wheel.set(timer_, lane().now() + kNoMemory);
  }
  pumping_ = false;
  publish();
  if (idle()) service_->jobs_over();
}

void Jobs::pump_soon() noexcept {
  if (ended_) return publish();
  base::insist([this] {
    link::post(lane(), [h = service_->handle] {
      if (base::Pin pin(h); pin)
        if (auto* s = static_cast<link::Service*>(static_cast<loop::Object*>(pin.object())); s->jobs() != nullptr)
          static_cast<Jobs*>(s->jobs())->pump();
    });
  });
}

void Jobs::look() noexcept {
  base::insist([this] {
    std::vector<uint64_t> ids;
    queue_.late(now(), ids);
    for (const uint64_t id : ids) {
      const auto at = tickets_.find(id);
      if (at == tickets_.end()) continue;
      cut(at->second, MW_ETIMEDOUT, MW_CANCEL_DEADLINE);
      failed(id, MW_ETIMEDOUT, {});
    }
  });
  pump();
}

// Its turn: the host's request.
bool Jobs::tell(uint64_t id) {
  Ticket& k = tickets_.find(id)->second;
  Lane& l = lane();
  const Request* caller = Request::find(l, k.caller);
  const base::MsgRef job = queue_.job(id);
  if (!l.room(job->len + view(job->meta).size())) return false;
  mw_status why;
  Request* host = Request::make(service_->runtime, l, &why);
  if (host == nullptr) return false;
  host->jobs = this;
  host->job = id;
  host->link = alive(k.from);
  host->deadline = caller != nullptr ? caller->deadline : 0;
  if (!host->enter()) return false;
  k.host = host->handle;
  mw_event ev{};
  ev.kind = MW_EVENT_REQUEST;
  ev.token = service_->token.load(std::memory_order_relaxed);
  ev.peer = host->link;
  ev.id = host->handle;
  ev.flags = job->flags & kBody;
  ev.code = host->deadline == 0           ? -1
            : host->deadline <= l.now() ? 0
                                          : static_cast<int32_t>(std::min<uint64_t>(host->deadline - l.now(), INT32_MAX));
  try {
    service_->party().emit(l, ev, view(job->topic), view(job->meta), {reinterpret_cast<const char*>(job->body), job->len});
  } catch (const std::bad_alloc&) {
    k.host = 0;
    host->end(Request::State::answered);
    return false;
  }
  return true;
}

void Jobs::cut(Ticket& k, mw_status why, int32_t code) noexcept {
  Request* host = Request::find(lane(), std::exchange(k.host, 0));
  if (host == nullptr) return;
  if (!host->answered.exchange(true, std::memory_order_acq_rel))
    service_->tell_cancel(host->handle, alive(host->link), lane(), why, code);
  host->end(Request::State::canceled);
}

// ---- answered

mw_status Jobs::answered(Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                         uint64_t op) {
  const uint64_t id = host.job;
  const auto at = tickets_.find(id);
  if (at == tickets_.end()) return MW_ECLOSED;
  mw_status s = MW_OK;
  if (Request* caller = Request::find(lane(), at->second.caller)) {
    caller->jobs = nullptr;
    s = caller->callee->session().answer(*caller, t, body, len, m, flags, op);
    if (s < 0) {
      caller->jobs = this;
      return s;
    }
  } else if (op != 0) {
    base::insist([&] { link::post(lane(), [p = &service_->party(), l = &lane(), op] { p->done(*l, op, MW_OK, 0, {}); }); });
  }
  host.end(Request::State::answered);
  queue_.done(id);
  forget(id);
  pump_soon();
  return s;
}

void Jobs::returned(Request& host, mw_status code, std::string_view json) {
  const uint64_t id = host.job;
  const auto at = tickets_.find(id);
  if (at == tickets_.end()) return;
  at->second.host = 0;
  host.end(Request::State::canceled);  // what was called for it is not wanted
  failed(id, code, json);
  pump_soon();
}

// It was not done. Repeatable.
void Jobs::failed(uint64_t id, mw_status code, std::string_view json) {
  const base::MsgRef job = queue_.job(id);
  const uint32_t attempts = queue_.attempts(id);
  std::string why;
  if (!json.empty())
    if (auto parsed = base::Json::parse(json)) why = parsed->root().find("message").text();
  const std::string text = "the queue of \"" + service_->name + "\" gave it up after " + std::to_string(attempts) +
                           " attempts: " + (why.empty() ? std::string(base::status_text(code)) : why);
  dead_.reserve(dead_.size() + 1);
  if (queue_.again(id, now())) return;
  dead_.push_back({job, attempts});
  const auto at = tickets_.find(id);
  Request* caller = Request::find(lane(), at->second.caller);
  forget(id);
  if (caller == nullptr) return;
  caller->jobs = nullptr;
  base::insist([&] { caller->callee->fail(*caller, MW_EDEAD, text); });
}

void Jobs::forget(uint64_t id) noexcept {
  const auto at = tickets_.find(id);
  if (at == tickets_.end()) return;
  lane().slice.release(at->second.cost);
  tickets_.erase(at);
}

// ---- told

void Jobs::tell_dead() noexcept {
  const std::vector<Dead> dead = std::exchange(dead_, {});
  for (const Dead& d : dead) dropped(d.job, MW_EDEAD, 1, d.attempts);
}

void Jobs::dropped(const base::MsgRef& job, mw_status why, size_t n, uint32_t attempts) noexcept {
  link::Party& party = service_->party();
  if (!party.policy.wants(MW_EVENT_DROPPED)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_DROPPED;
  ev.token = service_->token.load(std::memory_order_relaxed);
  ev.id = service_->handle;
  ev.status = why;
  ev.code = static_cast<int32_t>(n);
  ev.flags = job->flags & kBody;
  base::insist([&] {
    std::string meta(view(job->meta));
    if (attempts != 0) base::set_header(meta, "attempts", std::to_string(attempts));
    party.emit(lane(), ev, view(job->topic), meta, {reinterpret_cast<const char*>(job->body), job->len});
  });
}

// What nobody waits for is lost with the service: told as one.
void Jobs::end() noexcept {
  ended_ = true;
  loop::Wheel::cancel(timer_);
  tell_dead();
  size_t lost = 0;
  uint64_t last = 0;
  base::MsgRef told;
  for (auto at = tickets_.begin(); at != tickets_.end();) {
    const auto one = at++;
    if (one->second.caller != 0) continue;  // its caller is told, and leaves
    if (one->second.host == 0) {
      ++lost;
      if (one->first > last) told = queue_.job(last = one->first);
    }
    cut(one->second, MW_ECLOSED, MW_CANCEL_GONE);
    queue_.drop(one->first);
    forget(one->first);
  }
  if (lost != 0) dropped(told, MW_ECLOSED, lost, 0);
  publish();
}

void Jobs::publish() noexcept {
  const auto set = [](std::atomic<uint64_t>& to, uint64_t v) { to.store(v, std::memory_order_relaxed); };
  set(shown_.waiting, queue_.size() - queue_.running());
  set(shown_.running, queue_.running());
  set(shown_.bytes, static_cast<uint64_t>(queue_.bytes()));
  set(shown_.taken, queue_.counters.taken);
  set(shown_.refused, queue_.counters.refused);
  set(shown_.done, queue_.counters.done);
  set(shown_.again, queue_.counters.again);
  set(shown_.dead, queue_.counters.dead);
  set(shown_.dropped, queue_.counters.dropped);
}

link::JobQueue::Numbers Jobs::numbers() const noexcept {
  const auto get = [](const std::atomic<uint64_t>& v) { return v.load(std::memory_order_relaxed); };
  return {get(shown_.waiting), get(shown_.running), get(shown_.bytes), get(shown_.taken),  get(shown_.refused),
          get(shown_.done),    get(shown_.again),   get(shown_.dead),  get(shown_.dropped)};
}

}  // namespace mw::mesh
