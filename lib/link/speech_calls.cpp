// Calls on the own wire: which packet goes to caller or callee, and how one is
// written.
#include "base/clock.hpp"
#include "link/party.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"
#include "wire/frame.hpp"

#include <algorithm>

namespace mw::link {

Caller& Speech::make_caller() {
  if (!caller_) caller_ = std::make_unique<Caller>(s_);
  return *caller_;
}

// A body that the other end would refuse by ending the link.
mw_status Speech::fits(size_t len) const noexcept {
  return len > s_.their_max.load(std::memory_order_relaxed) ? MW_ETOOBIG : MW_OK;
}

mw_status Speech::call(const Order& o) {
  if (!calls()) return MW_ENOTSUP;
  if (mw_status s = fits(o.len); s != MW_OK) return s;
  base::Pin parent;
  if (o.parent != 0) {
    parent = base::Pin(o.parent);
    if (!parent) return MW_ECLOSED;
  }
  Caller& caller = make_caller();
  wire::Talk t;
  t.flags = ((o.flags & MW_F_TEXT) ? uint32_t{wire::kCallText} : 0) | ((o.flags & MW_F_PARTS) ? uint32_t{wire::kPartsBody} : 0);
  t.window = o.window;
  t.method = o.target;
  if (o.m != nullptr && o.m->meta != nullptr) t.meta = *o.m->meta;
  if (o.deadline != 0) {
    t.flags |= wire::kTimeLeft;
    t.time_left = o.deadline > o.now ? std::min(o.deadline - o.now, wire::kMaxTimeLeft) : 0;
  }
  if (o.flags & MW_F_ONEWAY) {
    t.flags |= wire::kOneway;
    t.number = caller.next_number();
    return s_.say(t, o.body, o.len, o.m, o.flags, o.op, o.deadline);
  }
  mw_status s = MW_OK;
  Call* c = caller.open(o.op, o.deadline, o.window, &s);
  if (c == nullptr) return s;
  t.number = c->number;
  try {
    s = s_.say(t, o.body, o.len, o.m, o.flags, 0, o.deadline);
  } catch (...) {
    caller.forget(*c);
    throw;
  }
  if (s < 0)
    caller.forget(*c);
  else if (parent)
    caller.follow(*c, std::move(parent));
  return s;
}

mw_status Speech::place(OutFrame* f) {
  Saying& y = *f->saying;
  if (!calls()) return MW_ENOTSUP;
  if (mw_status s = fits(f->length()); s != MW_OK) return s;
  Caller& caller = make_caller();
  if (y.talk.flags & wire::kOneway) {
    y.talk.number = caller.next_number();
  } else {
    mw_status why = MW_OK;
    Call* c = caller.open(y.op, y.deadline, y.talk.window, &why);
    if (c == nullptr) return why;
    y.talk.number = c->number;
    if (y.parent) caller.follow(*c, std::move(y.parent));
  }
  in_line(f);
  return MW_OK;
}

void Speech::in_line(OutFrame* f) noexcept {
  if (greeted_)
    s_.enqueue(f);
  else
    early_.push(f);
}

bool Speech::take_back(uint64_t number) noexcept {
  Outbox rest;
  OutFrame* found = nullptr;
  while (!early_.empty()) {
    OutFrame* f = early_.pop();
    if (f->saying->talk.number == number)
      found = f;
    else
      rest.push(f);
  }
  early_ = rest;
  if (found != nullptr) s_.drop(found, MW_ECANCELED);
  return found != nullptr;
}

// The other end has said what it can: what waited for that goes, or ends.
void Speech::calls_greeted() {
  s_.can_call.store(calls(), std::memory_order_relaxed);
  if (!calls() && caller_) caller_->end(MW_ENOTSUP);
  while (!early_.empty()) {
    OutFrame* f = early_.pop();
    mw_status why = calls() ? fits(f->length()) : MW_ENOTSUP;
    if (why == MW_OK) {
      s_.enqueue(f);
      continue;
    }
    if (caller_) caller_->fail(f->saying->talk.number, why);
    s_.drop(f, why);
  }
}

bool Speech::talk(const wire::PacketView& packet) {
  wire::TalkView t;
  wire::Violation v;
  if (!wire::parse_talk(packet, names_in_, s_.party().policy.max_message, t, v)) return s_.fail(v);
  switch (t.type) {
    case wire::Packet::call:
      if (!callee_) callee_ = std::make_unique<Callee>(s_);
      return callee_->call(t);
    case wire::Packet::cancel:
      return !callee_ || callee_->cancel(t);
    case wire::Packet::credit:
      return !callee_ || callee_->credit(t);
    case wire::Packet::reply:
      return make_caller().reply(t);
    default:
      return make_caller().part(t);
  }
}

size_t Speech::put(uint8_t* out, const wire::Talk& t, const uint8_t* body, size_t len) {
  uint8_t small[256];
  base::Buffer large;
  size_t room = wire::talk_room(t.method.size(), t.meta);
  uint8_t* h = room > sizeof small ? large.room(room) : small;
  size_t n = wire::put_talk(h, t, t.type == wire::Packet::call ? names_out_.code(t.method) : wire::TopicCode{}, len);
  size_t w;
  if (s_.role() == wire::Role::server) {
    w = wire::put_head(out, wire::kBinary, true, false, n + len);
    std::memcpy(out + w, h, n);
    if (len != 0) std::memcpy(out + w + n, body, len);
  } else {
    uint32_t key = s_.lane().masking_key();
    w = wire::put_head_masked(out, wire::kBinary, true, false, n + len, key);
    std::memcpy(out + w, h, n);
    if (len != 0) std::memcpy(out + w + n, body, len);
    wire::mask(out + w, n + len, key);
  }
  return w + n + len;
}

void Speech::wrap_talk(OutFrame* f) {
  Saying& y = *f->saying;
  wire::Talk t = y.talk;
  t.method = y.method;
  if (f->origin && f->origin->meta != nullptr) t.meta = *f->origin->meta;
  if (y.deadline != 0) {
    const auto now = static_cast<uint64_t>(base::mono_ms());  // the turn's may be older than the deadline
    t.time_left = y.deadline > now ? std::min(y.deadline - now, wire::kMaxTimeLeft) : 0;
  }
  uint8_t small[256];
  base::Buffer large;
  size_t room = wire::talk_room(t.method.size(), t.meta);
  uint8_t* h = room > sizeof small ? large.room(room) : small;
  size_t n = wire::put_talk(h, t, t.type == wire::Packet::call ? names_out_.code(t.method) : wire::TopicCode{}, f->length());
  std::memcpy(f->prepend(n), h, n);
}

void Speech::look_for_writable() {
  if (callee_) callee_->look_for_writable();
}

bool Speech::busy() const noexcept {
  return (caller_ && caller_->open_calls() != 0) || (callee_ && callee_->open() != 0);
}

void Speech::give_up_calls() {
  if (callee_) callee_->give_up_all(MW_EPEERGONE, MW_ECLOSED);
  if (caller_) caller_->end(MW_ECANCELED);
}

void Speech::end_calls(mw_status why) noexcept {
  while (!early_.empty()) s_.drop(early_.pop(), MW_ECLOSED);
  if (caller_) caller_->end(why);
  if (callee_) callee_->end();
}

}  // namespace mw::link
