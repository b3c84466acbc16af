#include "link/callee.hpp"

#include "base/json.hpp"
#include "base/status.hpp"
#include "link/job_queue.hpp"
#include "link/party.hpp"
#include "link/repeats.hpp"
#include "link/service.hpp"
#include "link/session.hpp"

#include <algorithm>

namespace mw::link {

namespace {

uint64_t odd(loop::Lane& l) noexcept { return uint64_t{l.masking_key()} << 32 | l.masking_key(); }

constexpr auto kCost = static_cast<int64_t>(sizeof(Request));

}  // namespace

Callee::Callee(Session& s) noexcept : s_(s), all_(odd(s.lane())) {}

Callee::~Callee() {
  while (first_ != nullptr) close(*first_, Request::State::canceled);
  while (spare_ != nullptr) {
    Request* r = spare_;
    spare_ = r->next;
    r->destroy(false);
  }
}

// ---- asked

bool Callee::call(const wire::TalkView& t) {
  if (t.number <= last_) return s_.fail({1002, "call number not rising"});
  last_ = t.number;
  const bool oneway = (t.flags & wire::kOneway) != 0;
  uint32_t flags = 0;
  if (!s_.body_flags(t, &flags)) return false;
  if ((t.flags & wire::kTimeLeft) != 0 && t.time_left == 0) return true;  // nobody waits any more
  Party& party = s_.party();
  mw_status why = MW_OK;
  Service* service = nullptr;
  std::string_view method;
  std::string rule;
  bool queued = false;
  if (party.draining()) {
    why = MW_EDRAINING;
  } else if (party.meeting != nullptr && Meeting::is_own(t.method)) {
    return answer_own(t), true;
  } else if (party.meeting != nullptr && (why = party.meeting->may_call(s_, t.method, &queued, &rule)) != MW_OK) {
    // refused below
  } else {
    const Services::Found found = find(t.method);
    service = found.service;
    method = found.method;
    why = service == nullptr ? (found.near ? MW_ENOMETHOD : MW_ENOSERVICE) : service->admit(found.method, !oneway);
  }
  if (why < 0) {
    if (oneway)
      party.log(s_.lane(), base::LogLevel::info, s_.self().handle, "call", rule.empty() ? failure_text(why) : rule);
    else
      refuse(t.number, why, rule);
    return true;
  }
  service->took(s_.lane());
  if (service->jobs() != nullptr && (queued || service->jobs()->all)) return call_queued(t, *service, flags), true;
  if (oneway) {
    tell(t, *service, 0, flags | MW_F_ONEWAY);
    return true;
  }
  if (service->repeats() != nullptr) {
    bool keyed = false;
    const std::string_view key = base::get_header(t.meta, "key", &keyed);
    if (keyed) return call_once(t, *service, method, key, flags), true;
  }
  Request* r = nullptr;
  try {
    r = take(t, &why);
  } catch (const std::bad_alloc&) {
    service->dismiss();
    throw;
  }
  if (r == nullptr) {
    service->dismiss();
    refuse(t.number, why);
    return true;
  }
  service->joined(*r);
  r->told = true;
  try {
    tell(t, *service, r->handle, flags);
  } catch (const std::bad_alloc&) {
    r->told = false;
    throw;
  }
  return true;
}

// A call that waits for its turn, unless there is no room: the host's request is the queue's.
void Callee::call_queued(const wire::TalkView& t, Service& service, uint32_t flags) {
  const bool oneway = (t.flags & wire::kOneway) != 0;
  mw_status why = MW_OK;
  std::string text;
  Request* r = nullptr;
  if (!oneway) {
    try {
      r = take(t, &why);
    } catch (const std::bad_alloc&) {
      service.dismiss();
      throw;
    }
    if (r == nullptr) {
      service.dismiss();
      return refuse(t.number, why);
    }
    service.joined(*r);
  }
  try {
    why = service.jobs()->arrive(s_, r, t, flags, &text);
  } catch (const std::bad_alloc&) {
    why = MW_ENOMEM;
  }
  if (why == MW_OK) return;  // and it may be answered already
  if (r != nullptr) return fail(*r, why, text);
  s_.party().log(s_.lane(), base::LogLevel::info, s_.self().handle, "call", text.empty() ? failure_text(why) : text);
}

// A call with a key, of a service that remembers them: the caller's request waits
// behind the one that the host has, unless the answer is there already.
void Callee::call_once(const wire::TalkView& t, Service& service, std::string_view method, std::string_view key,
                       uint32_t flags) {
  mw_status why = key.empty() || key.size() > Repeats::kMaxKey ? MW_EINVAL : MW_OK;
  Request* r = nullptr;
  Request* host = nullptr;
  Answer again;
  auto is = Repeats::Is::waits;
  try {
    if (why == MW_OK) r = take(t, &why);
    if (r != nullptr) is = service.repeats()->arrive(*r, method, key, s_.lane().now(), &again);
  } catch (const std::bad_alloc&) {
    service.dismiss();
    if (r != nullptr) close(*r, Request::State::canceled);
    throw;
  }
  if (r != nullptr && is == Repeats::Is::first) host = service.repeats()->run(*r, service, &why);
  if (host == nullptr) service.dismiss();
  if (why != MW_OK) {
    refuse(t.number, why);
    if (r != nullptr) close(*r, Request::State::canceled);
  } else if (host != nullptr) {
    tell(t, service, host->handle, flags);
  } else if (is == Repeats::Is::answered) {
    Repeats::answer(*r, again, 0);
  }
}

Services::Found Callee::find(std::string_view method) {
  Services* all = s_.party().served();
  if (all == nullptr) return {};
  if (const uint64_t now = all->version(); now != found_version_ || method != asked_) {
    asked_ = method;
    found_ = all->find(static_cast<size_t>(s_.lane().index), asked_);  // its view is into asked_
    found_version_ = now;
  }
  return found_;
}

// A request with a handle; null: *why.
Request* Callee::take(const wire::TalkView& t, mw_status* why) {
  if (all_.size() >= kMaxOpen) return *why = MW_EAGAIN, nullptr;
  loop::Lane& l = s_.lane();
  Request* r = spare_;
  if (r != nullptr) {
    spare_ = r->next;
    --spares_;
  } else {
    if (!l.slice.reserve(kCost)) return *why = MW_EMEMORY, nullptr;
    r = new (std::nothrow) Request(s_.party().runtime, l);
    if (r == nullptr) {
      l.slice.release(kCost);
      throw std::bad_alloc();
    }
    r->runtime.objects.fetch_add(1, std::memory_order_relaxed);
  }
  r->number = t.number;
  try {
    all_.insert(*r);
  } catch (const std::bad_alloc&) {
    recycle(r);
    throw;
  }
  const bool limited = (t.flags & wire::kTimeLeft) != 0;
  r->callee = this;
  r->link = s_.self().handle;
  r->window = static_cast<int64_t>(t.window);
  r->sendable = r->window;
  r->credit.store(r->window, std::memory_order_relaxed);
  r->deadline = limited ? l.now() + t.time_left : 0;
  r->answered.store(false, std::memory_order_relaxed);
  r->wants.store(false, std::memory_order_relaxed);
  r->state = Request::State::open;
  r->told = false;
  r->jobs = nullptr;
  r->handle = l.slots->take(base::Kind::request, r);
  if (r->handle == 0) {
    all_.erase(*r);
    r->callee = nullptr;
    recycle(r);
    return *why = MW_ENOMEM, nullptr;
  }
  r->next = nullptr;
  r->prev = tail_;
  (tail_ != nullptr ? tail_->next : first_) = r;
  tail_ = r;
  if (limited) l.wheel.set(*r, r->deadline);
  return r;
}

void Callee::tell(const wire::TalkView& t, Service& service, mw_handle request, uint32_t flags) {
  mw_event ev{};
  ev.kind = MW_EVENT_REQUEST;
  ev.token = service.token.load(std::memory_order_relaxed);
  ev.peer = s_.self().handle;
  ev.id = request;
  ev.flags = flags;
  ev.code = (t.flags & wire::kTimeLeft) != 0
                ? static_cast<int32_t>(std::min<uint64_t>(t.time_left, INT32_MAX)) : -1;
  s_.party().emit(s_.lane(), ev, t.method, t.meta, {reinterpret_cast<const char*>(t.body), t.size});
}

// Asked in vain: what a failure says, without a request.
void Callee::refuse(uint64_t number, mw_status why, std::string_view text) {
  wire::Talk t;
  t.type = wire::Packet::reply;
  t.flags = wire::kCallText;
  t.number = number;
  t.status = why;
  if (text.empty()) return s_.tell(t, failure_text(why));
  std::string body;
  base::JsonObject o(body);
  o.text("message", text).end();
  s_.tell(t, body);
}

// What the library itself is asked, at once: there is no request.
void Callee::answer_own(const wire::TalkView& t) {
  if ((t.flags & wire::kOneway) != 0) return;
  Party& party = s_.party();
  // Who asks over and over and does not read the answers gets no more of them.
  if (s_.queued() > party.policy.max.load(std::memory_order_relaxed)) return refuse(t.number, MW_EAGAIN);
  std::string text;
  mw_status why = party.meeting->asked(s_, t.method, &text);
  if (why == MW_OK && text.size() > s_.their_max.load(std::memory_order_relaxed)) {
    why = MW_ETOOBIG;
    text.clear();
  }
  if (why < 0) return refuse(t.number, why, text);
  wire::Talk a;
  a.type = wire::Packet::reply;
  a.flags = wire::kCallText;
  a.number = t.number;
  s_.tell(a, text);
}

bool Callee::cancel(const wire::TalkView& t) {
  if (Request* r = all_.find(t.number)) over(*r, MW_ECANCELED, MW_CANCEL_ASKED);
  return true;
}

bool Callee::credit(const wire::TalkView& t) {
  Request* r = all_.find(t.number);
  if (r == nullptr || r->sendable > static_cast<int64_t>(wire::kMaxWindow)) return true;
  auto more = static_cast<int64_t>(t.window);
  r->sendable += more;
  bool room = r->credit.fetch_add(more, std::memory_order_seq_cst) + more > 0;
  Service* service = r->service;
  mw_handle handle = r->handle;
  bool wanted = room && service != nullptr && r->wants.exchange(false, std::memory_order_seq_cst);
  flush(*r);
  if (wanted)
    s_.party().event(s_.lane(), MW_EVENT_WRITABLE, s_.self().handle, service->token.load(std::memory_order_relaxed),
                     MW_OK, 0, handle, {});
  return true;
}

// ---- answering

mw_status Callee::reply(Request& r, const wire::Talk& given, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                        uint64_t op) {
  if (r.answered.load(std::memory_order_relaxed)) return MW_ECLOSED;
  const bool part = given.type == wire::Packet::part;
  wire::Talk t = given;
  t.number = r.number;
  const auto cost = static_cast<int64_t>(len + t.meta.size() + wire::kPartOverhead);
  mw_status credit = part ? r.spend(cost) : MW_OK;
  if (credit < 0) return credit;
  mw_status s;
  const bool at_once = r.held.empty() && (!part || r.sendable > 0);
  if (at_once) {
    s = s_.say(t, body, len, m, flags, op, 0);
  } else {
    OutFrame* f = nullptr;
    s = s_.frame_of(t, body, len, m, flags, op, f);
    if (s >= 0) r.held.push(f);
  }
  if (s < 0) {
    if (part) r.unspend(cost);
    if (part && (s == MW_EAGAIN || s == MW_EMEMORY)) s_.parts_wait(r);
    return s;
  }
  if (part) {
    if (at_once) r.sendable -= cost;
    if (s == MW_BUFFERED) s_.parts_wait(r);
    return std::max(s, credit);
  }
  r.answered.store(true, std::memory_order_relaxed);
  if (t.status < 0 && r.service != nullptr) r.service->failed(s_.lane());
  if (at_once)
    close(r, Request::State::answered);
  else if (r.service != nullptr)
    r.service->left(r);
  return s;
}

void Callee::arrived(Request& r, OutFrame* f) noexcept {
  const bool part = f->saying->talk.type == wire::Packet::part;
  f->saying->talk.number = r.number;
  if (!part && r.service != nullptr) {
    if (f->saying->talk.status < 0) r.service->failed(s_.lane());
    r.service->left(r);
  }
  if (r.held.empty() && (!part || r.sendable > 0)) {
    if (part) r.sendable -= f->saying->cost;
    s_.enqueue(f);
    if (!part) close(r, Request::State::answered);
  } else {
    r.held.push(f);
  }
}

// What was kept goes as far as the credit reaches.
void Callee::flush(Request& r) noexcept {
  while (!r.held.empty()) {
    const Saying& y = *r.held.head()->saying;
    const bool part = y.talk.type == wire::Packet::part;
    if (part && r.sendable <= 0) return;
    if (part) r.sendable -= y.cost;
    s_.enqueue(r.held.pop());
    if (!part) return close(r, Request::State::answered);
  }
}

void Callee::look_for_writable() {
  for (Request* r = first_; r != nullptr; r = r->next) {
    if (r->service == nullptr || r->credit.load(std::memory_order_seq_cst) <= 0) continue;
    if (!r->wants.exchange(false, std::memory_order_seq_cst)) continue;
    s_.party().event(s_.lane(), MW_EVENT_WRITABLE, s_.self().handle, r->service->token.load(std::memory_order_relaxed),
                     MW_OK, 0, r->handle, {});
  }
}

// ---- ending without an answer

void Callee::too_late(Request& r) { over(r, MW_ETIMEDOUT, MW_CANCEL_DEADLINE); }

void Callee::give_up(Request& r, mw_status status, mw_status why) {
  if (r.answered.load(std::memory_order_relaxed)) {  // its answer is on its way
    if (r.service != nullptr) r.service->left(r);
    return;
  }
  refuse(r.number, status);
  over(r, why, MW_CANCEL_GONE);
}

void Callee::fail(Request& r, mw_status status, std::string_view text) {
  refuse(r.number, status, text);
  if (r.service != nullptr) r.service->failed(s_.lane());
  close(r, Request::State::canceled);
}

void Callee::give_up_all(mw_status status, mw_status why) {
  for (Request* r = first_; r != nullptr;) {
    Request* next = r->next;
    if (!r->answered.load(std::memory_order_relaxed)) give_up(*r, status, why);
    r = next;
  }
}

void Callee::end() noexcept {
  while (first_ != nullptr) over(*first_, MW_EPEERGONE, MW_CANCEL_GONE);
}

// The host hears of it unless it has answered already.
void Callee::over(Request& r, mw_status why, int32_t code) noexcept {
  if (r.service != nullptr && !r.answered.load(std::memory_order_relaxed)) r.service->canceled(s_.lane());
  const bool tell_host = r.told && !r.answered.exchange(true, std::memory_order_acq_rel);
  const mw_handle handle = r.handle;
  Service* service = r.service;
  if (r.repeat) Repeats::leave(r, why, code);
  if (r.jobs != nullptr) r.jobs->leave(r, why, code);
  close(r, Request::State::canceled);
  if (tell_host) service->tell_cancel(handle, s_.self().handle, s_.lane(), why, code);
}

void Callee::close(Request& r, Request::State state) noexcept {
  r.state = state;
  if (r.repeat) Repeats::leave(r, MW_EPEERGONE, MW_CANCEL_GONE);
  if (r.jobs != nullptr) r.jobs->leave(r, MW_EPEERGONE, MW_CANCEL_GONE);
  loop::Wheel::cancel(r);
  all_.erase(r);
  (r.prev != nullptr ? r.prev->next : first_) = r.next;
  (r.next != nullptr ? r.next->prev : tail_) = r.prev;
  r.end_children();
  while (!r.held.empty()) s_.drop(r.held.pop(), MW_ECLOSED);
  if (r.service != nullptr) r.service->left(r);
  r.callee = nullptr;
  bool gone = false;
  r.gone = &gone;
  base::retire(r.handle);
  if (gone)
    recycle(&r);
  else
    r.gone = nullptr;  // somebody holds it: the last one frees it
}

void Callee::recycle(Request* r) noexcept {
  r->gone = nullptr;
  if (spares_ == kSpares) return r->destroy(false);
  r->next = spare_;
  spare_ = r;
  ++spares_;
}

}  // namespace mw::link
