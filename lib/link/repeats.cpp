#include "link/repeats.hpp"

#include "base/insist.hpp"
#include "base/status.hpp"
#include "link/callee.hpp"
#include "link/party.hpp"
#include "link/session.hpp"

namespace mw::link {

namespace {

constexpr int64_t kOverhead = 256;  // of an entry

}  // namespace

// ---- asked

Repeats::Is Repeats::arrive(Request& caller, std::string_view method, std::string_view key, uint64_t now, Answer* again) {
  std::string name;
  name.reserve(method.size() + 1 + key.size());
  name.append(method).append(1, '\0').append(key);
  std::shared_ptr<Repeat> r;
  bool fresh = false;
  {
    std::lock_guard lock(mutex_);
    while (!kept_.empty() && kept_.front().until <= now) forget_oldest();
    if (auto it = all_.find(name); it != all_.end()) {
      r = it->second;
    } else {
      r = std::make_shared<Repeat>(std::move(name));
      r->waiters.push_back({caller.lane, caller.handle});
      all_.emplace(r->name, r);
      fresh = true;
    }
  }
  if (!fresh) {
    std::lock_guard lock(r->mutex);
    if (r->answered) {
      *again = r->answer;
      return Is::answered;
    }
    r->waiters.push_back({caller.lane, caller.handle});
  }
  caller.repeat = std::move(r);
  return fresh ? Is::first : Is::waits;
}

Request* Repeats::run(Request& caller, Service& service, mw_status* why) {
  loop::Lane& l = *caller.lane;
  auto refuse = [&](mw_status s) -> Request* {
    const std::shared_ptr<Repeat> r = std::move(caller.repeat);
    caller.repeat.reset();
    forget(r->name);
    tell_waiters(*r, caller.handle, s);
    *why = s;
    return nullptr;
  };
  Request* host = Request::make(caller.runtime, l, why);
  if (host == nullptr) return refuse(*why);
  host->once = true;
  host->repeat = caller.repeat;
  host->link = caller.link;
  host->deadline = caller.deadline;
  if (!host->enter()) return refuse(MW_ENOMEM);
  service.joined(*host);
  std::lock_guard lock(host->repeat->mutex);
  host->repeat->lane = &l;
  host->repeat->running = host->handle;
  return host;
}

void Repeats::leave(Request& caller, mw_status why, int32_t code) noexcept {
  const std::shared_ptr<Repeat> r = std::move(caller.repeat);
  caller.repeat.reset();
  mw_handle host;
  {
    std::lock_guard lock(r->mutex);
    std::erase_if(r->waiters, [&](const Repeat::Waiter& w) { return w.request == caller.handle; });
    host = r->running;
    if (!r->waiters.empty() || host == 0) return;
  }
  base::insist([&] {
    post(*r->lane, [l = r->lane, r, host, why, code] {
      Request* h = Request::find(*l, host);
      if (h == nullptr) return;
      {
        std::lock_guard lock(r->mutex);
        if (!r->waiters.empty()) return;  // somebody asked again meanwhile
      }
      if (code != MW_CANCEL_GONE) return give_up(*h, why, why, code);
      if (h->service != nullptr) l->wheel.set(*h, l->now() + h->service->repeats()->window_);
    });
  });
}

// ---- answered

mw_status Repeats::reply(Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                         uint64_t op) {
  if (t.type == wire::Packet::part) return MW_ENOTSUP;
  Answer a;
  a.wire_flags = t.flags;
  a.flags = flags;
  a.status = t.status;
  if (m != nullptr && m->ctx == 0) {
    a.body = base::MsgRef(base::ref(m));
  } else {
    a.body = base::MsgRef(base::message_copy(body, len, m != nullptr ? m->flags : 0));
    if (m != nullptr && m->meta != nullptr) a.body->meta = new std::string(*m->meta);
  }
  Repeat& r = *host.repeat;
  std::vector<Repeat::Waiter> waiters;
  {
    std::lock_guard lock(r.mutex);  // whoever finds it answered finds the answer, too
    if (host.answered.exchange(true, std::memory_order_acq_rel)) return MW_ECLOSED;
    r.answer = a;
    r.answered = true;
    r.running = 0;
    waiters.swap(r.waiters);
    if (waiters.empty()) host.number = std::exchange(op, 0);
  }
  for (const Repeat::Waiter& w : waiters) {
    auto tell = [l = w.lane, request = w.request, a, op = std::exchange(op, 0)] {
      if (Request* caller = Request::find(*l, request)) answer(*caller, a, op);
    };
    if (w.lane->here())
      tell();
    else
      base::insist([&] { post(*w.lane, tell); });
  }
  if (host.lane->here() && host.number == 0)
    finish(host);
  else
    base::insist([&] {
      post(*host.lane, [l = host.lane, h = host.handle] {
        if (Request* mine = Request::find(*l, h)) finish(*mine);
      });
    });
  return MW_OK;
}

void Repeats::answer(Request& caller, const Answer& a, uint64_t op) noexcept {
  caller.repeat.reset();
  Callee& callee = *caller.callee;
  wire::Talk t;
  t.type = wire::Packet::reply;
  t.flags = a.wire_flags;
  t.status = a.status;
  if (a.body->meta != nullptr) t.meta = *a.body->meta;
  mw_status s = MW_ENOMEM;
  try {
    s = callee.session().answer(caller, t, a.body->body, a.body->len, a.body.get(), a.flags, op);
  } catch (const std::bad_alloc&) {
  }
  if (s < 0) callee.give_up(caller, s, MW_ECLOSED);
}

// ---- the host's request ends

void Repeats::finish(Request& host) {
  if (Service* service = host.service) {
    service->repeats()->remember(host.repeat, host.lane->now());
    if (host.repeat->answer.status < 0) service->failed(*host.lane);
    // Nobody waits for it now; it is kept for who asks again.
    if (host.number != 0) service->party().call_failed(*host.lane, host.number, MW_EPEERGONE, host.link);
    service->left(host);
  }
  host.end(Request::State::answered);
}

void Repeats::give_up(Request& host, mw_status tell, mw_status why, int32_t code) {
  std::unique_lock lock(host.repeat->mutex);
  const bool answered = host.answered.exchange(true, std::memory_order_acq_rel);
  lock.unlock();
  if (answered) return finish(host);
  Service& service = *host.service;
  service.repeats()->forget(host.repeat->name);
  tell_waiters(*host.repeat, 0, tell);
  service.canceled(*host.lane);
  service.tell_cancel(host.handle, host.link, *host.lane, why, code);
  service.left(host);
  host.end(Request::State::canceled);
}

void Repeats::tell_waiters(Repeat& r, mw_handle but, mw_status status) {
  std::vector<Repeat::Waiter> waiters;
  {
    std::lock_guard lock(r.mutex);
    r.running = 0;
    waiters.swap(r.waiters);
  }
  for (const Repeat::Waiter& w : waiters) {
    if (w.request == but) continue;
    base::insist([&] {
      post(*w.lane, [l = w.lane, request = w.request, status] {
        Request* caller = Request::find(*l, request);
        if (caller == nullptr) return;
        caller->repeat.reset();
        caller->callee->give_up(*caller, status, MW_ECLOSED);
      });
    });
  }
}

void Repeats::expired(Request& host) {
  {
    std::lock_guard lock(host.repeat->mutex);
    if (!host.repeat->waiters.empty()) return;
  }
  give_up(host, MW_EPEERGONE, MW_EPEERGONE, MW_CANCEL_GONE);
}

// ---- the table

void Repeats::forget(const std::string& name) noexcept {
  std::lock_guard lock(mutex_);
  all_.erase(name);
}

void Repeats::remember(const std::shared_ptr<Repeat>& r, uint64_t now) {
  const auto bytes = static_cast<int64_t>(r->name.size() + r->answer.body->len) + kOverhead;
  std::lock_guard lock(mutex_);
  base::insist([&] { kept_.push_back({r, now + window_, bytes}); });
  bytes_ += bytes;
  while (bytes_ > max_) forget_oldest();
}

void Repeats::forget_oldest() noexcept {
  bytes_ -= kept_.front().bytes;
  all_.erase(kept_.front().repeat->name);
  kept_.pop_front();
}

}  // namespace mw::link
