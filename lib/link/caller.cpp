#include "link/caller.hpp"

#include "base/insist.hpp"
#include "link/party.hpp"
#include "link/request.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"

namespace mw::link {

using loop::Wheel;

namespace {

uint64_t odd(loop::Lane& l) noexcept { return uint64_t{l.masking_key()} << 32 | l.masking_key(); }

constexpr auto kCost = static_cast<int64_t>(sizeof(Call));

// Brings a child to its parent's list, on the parent's lane.
struct Adoption final : loop::Command {
  Child* child = nullptr;
  base::Pin parent;
  void run(loop::Lane&, bool dead) override {
    if (!dead) {
      auto* r = static_cast<Request*>(parent.object());
      if (r->state == Request::State::open) r->adopt(*child);
      if (r->state == Request::State::canceled) cancel_child(*child);
    }
    delete this;
  }
};

}  // namespace

void Call::expired() noexcept { caller.finish(*this, canceled ? MW_ECANCELED : MW_ETIMEDOUT, canceled); }

Caller::Caller(Session& s) noexcept : s_(s), by_number_(odd(s.lane())), by_op_(odd(s.lane())) {}

Caller::~Caller() {
  while (first_ != nullptr) close(*first_);
  while (spare_ != nullptr) {
    Call* c = spare_;
    spare_ = c->next;
    delete c;
    s_.lane().slice.release(kCost);
  }
}

Call* Caller::open(uint64_t op, uint64_t deadline, uint64_t window, mw_status* why) {
  if (by_number_.size() >= kMaxOpen) {
    full_ = true;
    s_.want_writable();
    *why = MW_EAGAIN;
    return nullptr;
  }
  Call* c = spare_;
  if (c != nullptr) {
    spare_ = c->next;
    --spares_;
  } else {
    if (!s_.lane().slice.reserve(kCost)) {
      *why = MW_EMEMORY;
      return nullptr;
    }
    c = new (std::nothrow) Call(*this);
    if (c == nullptr) {
      s_.lane().slice.release(kCost);
      throw std::bad_alloc();
    }
  }
  c->number = next_number();
  c->op = op;
  c->window = window;
  c->taken = 0;
  c->parts = 0;
  c->held = c->canceled = false;
  c->next = nullptr;
  c->prev = tail_;
  try {
    by_number_.insert(*c);
    try {
      by_op_.insert(*c);
    } catch (...) {
      by_number_.erase(*c);
      throw;
    }
  } catch (const std::bad_alloc&) {
    delete c;
    s_.lane().slice.release(kCost);
    throw;
  }
  (tail_ != nullptr ? tail_->next : first_) = c;
  tail_ = c;
  if (deadline != 0) s_.lane().wheel.set(*c, deadline);
  s_.count_calls(by_number_.size());
  return c;
}

void Caller::forget(Call& c) noexcept { close(c); }

void Caller::close(Call& c) noexcept {
  Wheel::cancel(c);
  by_number_.erase(c);
  by_op_.erase(c);
  (c.prev != nullptr ? c.prev->next : first_) = c.next;
  (c.next != nullptr ? c.next->prev : tail_) = c.prev;
  if (Child* child = std::exchange(c.child, nullptr)) {
    auto part = [child] {
      Request::leave(*child);
      delete child;
    };
    if (c.child_lane == &s_.lane())
      part();
    else
      base::insist([&] { post(*c.child_lane, part); });
  }
  if (spares_ < kSpares) {
    c.next = spare_;
    spare_ = &c;
    ++spares_;
  } else {
    delete &c;
    s_.lane().slice.release(kCost);
  }
  s_.count_calls(by_number_.size());
  if (std::exchange(full_, false)) s_.self().request(kWritable);
}

void Caller::follow(Call& c, base::Pin&& parent) {
  auto& r = *static_cast<Request*>(parent.object());
  Child* child = nullptr;
  base::insist([&] { child = new Child; });
  child->lane = &s_.lane();
  child->link = s_.self().handle;
  child->number = c.number;
  child->op = c.op;
  c.child = child;
  c.child_lane = r.lane;
  if (r.lane == &s_.lane()) {
    if (r.state == Request::State::open) r.adopt(*child);
    if (r.state == Request::State::canceled) {  // tells at the next tick: no event comes inside a call of the host
      c.canceled = true;
      s_.lane().wheel.set(c, s_.lane().now());
    }
    return;
  }
  Adoption* a = nullptr;
  base::insist([&] { a = new Adoption; });
  a->child = child;
  a->parent = std::move(parent);
  r.lane->post(a);
}

// ---- what the other end says

bool Caller::reply(const wire::TalkView& t) {
  Call* c = by_number_.find(t.number);
  if (c == nullptr) return t.number <= last_ || s_.fail({1002, "reply to no call"});  // an answer that came too late
  mw_event ev{};
  if (!s_.body_flags(t, &ev.flags)) return false;
  std::string_view body(reinterpret_cast<const char*>(t.body), t.size);
  if (t.status < 0 && body.empty()) {
    body = failure_text(t.status);
    ev.flags = MW_F_TEXT;
  }
  ev.kind = MW_EVENT_DONE;
  ev.token = s_.party().token.load(std::memory_order_relaxed);
  ev.peer = s_.self().handle;
  ev.id = c->op;
  ev.status = t.status;
  ev.code = c->parts;
  close(*c);
  s_.party().emit(s_.lane(), ev, {}, t.meta, body);
  return true;
}

bool Caller::part(const wire::TalkView& t) {
  Call* c = by_number_.find(t.number);
  if (c == nullptr) return t.number <= last_ || s_.fail({1002, "reply to no call"});
  mw_event ev{};
  if (!s_.body_flags(t, &ev.flags)) return false;
  c->taken += t.size + t.meta.size() + wire::kPartOverhead;
  ++c->parts;
  ev.kind = MW_EVENT_PART;
  ev.token = s_.party().token.load(std::memory_order_relaxed);
  ev.peer = s_.self().handle;
  ev.id = c->op;
  s_.party().emit(s_.lane(), ev, {}, t.meta, {reinterpret_cast<const char*>(t.body), t.size});
  give_credit(*c);  // the host has it, or its buffers
  return true;
}

void Caller::give_credit(Call& c) {
  if (c.held || 2 * c.taken < c.window) return;
  wire::Talk more;
  more.type = wire::Packet::credit;
  more.number = c.number;
  more.window = std::exchange(c.taken, 0);
  s_.tell(more, {});
}

void Caller::hold(uint64_t op, bool on) {
  Call* c = by_op_.find(op);
  if (c == nullptr) return;
  c->held = on;
  give_credit(*c);
}

// ---- ending without an answer

void Caller::finish(Call& c, mw_status why, bool tell_callee) noexcept {
  if (tell_callee && !s_.speech()->take_back(c.number)) {
    wire::Talk t;
    t.type = wire::Packet::cancel;
    t.number = c.number;
    base::insist([&] { s_.tell(t, {}); });
  }
  uint64_t op = c.op;
  int32_t parts = c.parts;
  close(c);
  s_.party().call_failed(s_.lane(), op, why, s_.self().handle, parts);
}

void Caller::cancel(uint64_t op) {
  if (Call* c = by_op_.find(op)) finish(*c, MW_ECANCELED, true);
}

void Caller::cancel_number(uint64_t number, uint64_t op) {
  if (Call* c = by_number_.find(number); c != nullptr && c->op == op) finish(*c, MW_ECANCELED, true);
}

void Caller::fail(uint64_t number, mw_status why) {
  if (Call* c = by_number_.find(number)) finish(*c, why, false);
}

void Caller::end(mw_status why) noexcept {
  while (first_ != nullptr) finish(*first_, why, false);
}

}  // namespace mw::link
