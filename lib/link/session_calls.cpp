// Calls and answers of the host: straight into the lane's cork, or a frame in
// the outbox where the kernel is slow or the caller is on another thread.
#include "base/clock.hpp"
#include "link/consumer.hpp"
#include "link/peer.hpp"
#include "link/session.hpp"
#include "link/speech.hpp"

#include <algorithm>

namespace mw::link {

using loop::Cork;
using loop::Lane;

namespace {

constexpr size_t kDirect = 64 << 10;  // larger bodies are not copied into the cork
constexpr int64_t kSmallAnswer = 1024;

std::string_view meta_of(const mw_msg* m) noexcept {
  return m != nullptr && m->meta != nullptr ? std::string_view(*m->meta) : std::string_view();
}

}  // namespace

Session* session_of(mw_handle link, base::Pinned* object) noexcept {
  auto* o = static_cast<loop::Object*>(object);
  if (base::kind_of(link) == base::Kind::peer) return &static_cast<Peer*>(o)->session;
  return &static_cast<Consumer*>(o)->session();
}

// ---- calling

mw_status Session::call(const Order& o) {
  Lane& l = lane();
  if (l.here()) return call_here(o);
  if (Lane::Hold hold(l); hold) {
    mw_status s = call_here(o);
    if (s >= 0) l.poke();  // the host's descriptor knows of the deadline after the next turn
    return s;
  }
  if (!open()) return MW_ECLOSED;
  if (!can_call.load(std::memory_order_relaxed)) return MW_ENOTSUP;
  if (o.len > their_max.load(std::memory_order_relaxed)) return MW_ETOOBIG;
  wire::Talk t;
  t.flags = ((o.flags & MW_F_TEXT) ? uint32_t{wire::kCallText} : 0) |
            ((o.flags & MW_F_PARTS) ? uint32_t{wire::kPartsBody} : 0) |
            ((o.flags & MW_F_ONEWAY) ? uint32_t{wire::kOneway} : 0) | (o.deadline != 0 ? uint32_t{wire::kTimeLeft} : 0);
  t.window = o.window;
  t.method = o.target;
  t.meta = meta_of(o.m);
  base::Pin parent;
  if (o.parent != 0) {
    parent = base::Pin(o.parent);
    if (!parent) return MW_ECLOSED;
  }
  const bool oneway = (o.flags & MW_F_ONEWAY) != 0;
  OutFrame* f = nullptr;
  mw_status s = frame_of(t, o.body, o.len, o.m, o.flags, oneway ? o.op : 0, f);
  if (s < 0) return s;
  f->saying->op = oneway ? 0 : o.op;
  f->saying->deadline = o.deadline;
  f->saying->parent = std::move(parent);
  l.post(f);
  return s;
}

mw_status Session::call_here(const Order& o) {
  if (!is_open() || closed_here_) return MW_ECLOSED;
  return speech_ ? speech_->call(o) : MW_ENOTSUP;
}

mw_status Session::cancel_call(uint64_t op) {
  post(lane(), [this, op] {
    if (speech_ && speech_->caller() != nullptr) speech_->caller()->cancel(op);
  });
  return MW_OK;
}

void cancel_child(Child& c) noexcept {
  auto cancel = [link = c.link, number = c.number, op = c.op] {
    base::Pin pin(link);
    if (!pin) return;
    Speech* speech = session_of(link, pin.object())->speech();
    if (speech != nullptr && speech->caller() != nullptr) speech->caller()->cancel_number(number, op);
  };
  if (c.lane->here())
    cancel();
  else
    base::insist([&] { post(*c.lane, cancel); });
}

// ---- answering

mw_status Session::answer(Request& r, const wire::Talk& t, const void* body, size_t len, mw_msg* m, uint32_t flags,
                          uint64_t op) {
  if (len > their_max.load(std::memory_order_relaxed)) return MW_ETOOBIG;
  Lane& l = lane();
  const auto* bytes = static_cast<const uint8_t*>(body);
  if (l.here()) return answer_here(r, t, bytes, len, m, flags, op);
  if (Lane::Hold hold(l); hold) return answer_here(r, t, bytes, len, m, flags, op);
  if (!open() || r.answered.load(std::memory_order_acquire)) return MW_ECLOSED;
  const bool part = t.type == wire::Packet::part;
  const auto cost = static_cast<int64_t>(len + t.meta.size() + wire::kPartOverhead);
  mw_status credit = part ? r.spend(cost) : MW_OK;
  if (credit < 0) return credit;
  OutFrame* f = nullptr;
  mw_status s = frame_of(t, bytes, len, m, flags, op, f);
  if (s < 0) {
    if (part) r.unspend(cost);
    if (part && (s == MW_EAGAIN || s == MW_EMEMORY)) parts_wait(r);
    return s;
  }
  if (!part && r.answered.exchange(true, std::memory_order_acq_rel)) {  // another thread was first
    lane().slice.release(f->cost);
    refund(f->cost);
    f->free();
    return MW_ECLOSED;
  }
  if (part && s == MW_BUFFERED) parts_wait(r);
  f->saying->request = r.handle;
  l.post(f);
  return std::max(s, credit);
}

mw_status Session::answer_here(Request& r, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m,
                               uint32_t flags, uint64_t op) {
  if (!is_open() || closed_here_ || r.callee == nullptr) return MW_ECLOSED;
  return r.callee->reply(r, t, body, len, m, flags, op);
}

// Set before the room is looked at; who makes room looks at it afterwards.
void Session::parts_wait(Request& r) noexcept {
  r.wants.store(true, std::memory_order_seq_cst);
  parts_wait_.store(true, std::memory_order_seq_cst);
  wants_.store(true, std::memory_order_seq_cst);
  if (queued_.load(std::memory_order_seq_cst) <= low_mark()) self_.request(kWritable);
}

// ---- the way out

mw_status Session::say(const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op,
                       uint64_t deadline) {
  if (op == 0 && speech_->greeted() && !(squeeze_ && (len >= party_.policy.compress_min || (flags & MW_F_COMPRESS))) &&
      static_cast<int64_t>(len) + kOverhead <= party_.policy.max.load(std::memory_order_relaxed) &&
      (t.type == wire::Packet::reply || !lane().runtime.budget().over()) && into_cork(t, body, len)) [[likely]]
    return MW_OK;
  OutFrame* f = nullptr;
  mw_status s = frame_of(t, body, len, m, flags, op, f);
  if (s < 0) return s;
  f->saying->deadline = deadline;
  speech_->in_line(f);
  return s;
}

bool Session::into_cork(const wire::Talk& t, const uint8_t* body, size_t len) {
  Lane& l = lane();
  Cork& c = l.cork;
  if (blocked() || (c.owner != this && c.owner != nullptr && !take_cork())) return false;
  const size_t need = len + wire::kMaxHead + wire::talk_room(t.method.size(), t.meta);
  if (need > Cork::kSize || len >= kDirect) return false;
  const bool enough = c.messages >= loop::Slab::kCalls && corks_.load(std::memory_order_relaxed) == 0;
  if (c.n + need > Cork::kSize || enough) uncork();
  if (blocked()) return false;
  const size_t n = speech_->put(c.bytes + c.n, t, body, len);
  if (c.owner == nullptr) {
    c.owner = this;
    corked_in_ = l.turns();
    l.flush_later(this);
  }
  c.n += n;
  ++c.messages;
  return true;
}

// As for messages, but no policy drops a call: it is refused.
mw_status Session::reserve_call(int64_t cost, bool owed) noexcept {
  mw_status s = reserve(cost, owed);
  return s < 0 ? refused(s == MW_EDROPPED ? MW_EAGAIN : s) : s;
}

mw_status Session::frame_of(const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op,
                            OutFrame*& f) {
  const auto cost = static_cast<int64_t>(len + t.meta.size() + t.method.size()) + kOverhead;
  // A small answer is always possible: it gives back what its request has of the budget.
  mw_status s = reserve_call(cost, t.type == wire::Packet::reply && cost <= kSmallAnswer);
  if (s < 0) return s;
  try {
    f = compose_call(t, body, len, m, flags, op);
  } catch (const std::bad_alloc&) {
    lane().slice.release(cost);
    refund(cost);
    return MW_ENOMEM;
  }
  f->cost = cost;
  return s;
}

OutFrame* Session::compose_call(const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                                uint64_t op) {
  auto y = std::make_unique<Saying>();
  y->talk = t;
  y->talk.method = y->talk.meta = {};
  y->method = t.method;
  y->cost = static_cast<int64_t>(len + t.meta.size() + wire::kPartOverhead);
  // A masked frame is copied; a large body of ours goes out from where it lies.
  bool by_ref = m != nullptr && role_ == wire::Role::server && len >= party_.policy.copy_below;
  const size_t room = wire::kMaxHead + wire::talk_room(t.method.size(), t.meta);
  OutFrame* f = by_ref ? OutFrame::make(nullptr, 0, room) : OutFrame::make(body, len, room);
  if (m != nullptr && (by_ref || m->meta != nullptr)) f->origin = base::MsgRef(base::ref(m));
  if (by_ref) f->body = f->origin;
  f->saying = std::move(y);
  f->flags = flags & ~uint32_t{MW_F_MORE};
  f->op = op;
  f->control = true;  // no policy drops it
  f->session = this;
  return f;
}

// Posted by another thread, after it reserved.
void Session::speak(OutFrame* f) {
  Saying& y = *f->saying;
  const bool open = is_open() && !closed_here_;
  if (y.request != 0) {
    Request* r = Request::find(lane(), y.request);
    if (open && r != nullptr && r->callee != nullptr)
      r->callee->arrived(*r, f);
    else
      drop(f, MW_ECLOSED);  // it ended meanwhile
    return;
  }
  mw_status why = !open ? MW_ENOTCONN : speech_ ? speech_->place(f) : MW_ENOTSUP;
  if (why >= 0) return;
  party_.call_failed(lane(), y.op, why, self_.handle);
  drop(f, why);
}

// What we owe the other end: never refused. Who asks and does not read the
// answers is cut off at twice the bound.
void Session::tell(const wire::Talk& t, std::string_view body) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(body.data());
  if (into_cork(t, bytes, body.size())) return;
  uint8_t head[128];
  size_t n = wire::put_talk(head, t, {}, body.size());
  OutFrame* f = OutFrame::make(nullptr, n + body.size(), wire::kMaxHead);
  std::memcpy(f->payload(), head, n);
  if (!body.empty()) std::memcpy(f->payload() + n, body.data(), body.size());
  f->opcode = wire::kBinary;
  f->control = true;
  f->session = this;
  f->cost = static_cast<int64_t>(f->own_payload) + kOverhead;
  lane().slice.force(f->cost);
  if (queued_.fetch_add(f->cost, std::memory_order_seq_cst) > 2 * party_.policy.max.load(std::memory_order_relaxed))
    self_.request(kOverflow);
  enqueue(f);
}

void Session::drop(OutFrame* f, mw_status why) {
  discard(f, why);
  if (wants_.load(std::memory_order_seq_cst)) self_.request(kWritable);
}

// What a received body is, as flags of an event.
bool Session::body_flags(const wire::TalkView& t, uint32_t* flags) {
  *flags = (t.flags & wire::kPartsBody) ? uint32_t{MW_F_PARTS} : 0;
  if ((t.flags & wire::kCallText) == 0) return true;
  base::Utf8Fact fact = base::utf8_check(t.body, t.size);
  if (!fact.valid) return fail({1007, "text not UTF-8"});
  *flags |= MW_F_TEXT | (fact.ascii ? uint32_t{MW_F_ASCII} : 0);
  return true;
}

}  // namespace mw::link
