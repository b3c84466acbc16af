// The leader of a group: the connection, and what its members ask of it.
#include "base/choices.hpp"
#include "link/caller.hpp"
#include "link/callee.hpp"
#include "link/group.hpp"
#include "link/speech.hpp"

#include <algorithm>

namespace mw::link {

using base::Opt;

namespace {

base::MsgRef message_of(std::string_view meta, std::string_view body, uint32_t flags) {
  base::MsgRef m(base::message_copy(body.data(), body.size(), flags & (MW_F_TEXT | MW_F_PARTS)));
  if (!meta.empty()) m->meta = new std::string(meta);
  return m;
}

int64_t cost_of(const mw_msg* m) noexcept { return static_cast<int64_t>(m->len) + Session::kOverhead; }

}  // namespace

// ---- the connection

// Ours is one consumer as any other; the host's choice of events is not its.
void Group::for_upstream(base::Conf& c) {
  (void)c.set("events", "up,down,closed,error,log,message,writable,done,draining");
}

void Group::lead() {
  give_up_lead();
  if (closing_) return;
  base::Conf c(*conf());
  (void)c.set("share", "none");
  for_upstream(c);
  auto made = Consumer::make(runtime, *lane, c.freeze(), ++generation_, this);
  if (!made)
    return event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), made.error().code, made.error().os, 0, made.error().text);
  upstream_ = *made;
  ++connections_;
  upstream_->session().transit();  // what comes goes to the members: the room of this host does not matter
  upstream_->start(0);
}

// Those who asked have been told by the loss of their leader.
void Group::give_up_lead() {
  if (upstream_ != nullptr) upstream_->close_as(CloseWish{1000, 0, MW_OK, "another process leads"});
  upstream_ = nullptr;
  ++generation_;
  was_up_ = slowed_ = false;
  loop::Wheel::cancel(pace_timer_);
  told_.clear();
  errands_.clear();
  held_.clear();
  wishes_.clear();
  wish_of_.clear();
  early_calls_.clear();
  for (const Waiting& w : messages_) lane->slice.release(cost_of(w.m.get()));
  messages_.clear();
}

void Group::told_by_provider(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  switch (ev.kind) {
    case MW_EVENT_UP:
      was_up_ = true;
      tell_members(MW_EVENT_UP, MW_OK, ev.code, 0, body);
      return go_on();
    case MW_EVENT_DOWN:
      slowed_ = false;  // the next session starts unpaused
      tell_members(MW_EVENT_DOWN, ev.status, ev.code, ev.id, body);
      return refuse_waiting();
    case MW_EVENT_DRAINING:
      return tell_members(MW_EVENT_DRAINING, MW_OK, ev.code, ev.id, {});
    case MW_EVENT_MESSAGE: {
      const base::MsgRef m = message_of(meta, body, ev.flags);
      return spread(topic.empty() ? std::string() : "/" + std::string(topic), m.get());
    }
    case MW_EVENT_DONE: {
      if (wish_of_.contains(ev.id)) return wish_done(ev.id, ev.status, body);
      auto at = errands_.find(ev.id);
      if (at == errands_.end()) return;
      const bool message = at->second.message;  // how far it came is its answer
      // A call that ends because we go is no answer of the provider: who made it loses its leader in a moment.
      if (!message && (closing_ || runtime.closing()) && (ev.status == MW_ECANCELED || ev.status == MW_EPEERGONE)) return;
      return answered(ev.id, {wire::Packet::reply, ev.status, ev.flags, std::string(meta),
                              message ? std::to_string(ev.code) : std::string(body)});
    }
    case MW_EVENT_PART:
      return answered(ev.id, {wire::Packet::part, MW_OK, ev.flags, std::string(meta), std::string(body)});
    case MW_EVENT_WRITABLE:
      return go_on();
    case MW_EVENT_ERROR:
      return pass_on(ev, topic, meta, body);
    case MW_EVENT_CLOSED:
      upstream_ = nullptr;
      if (closing_ || runtime.closing()) return;
      refuse_waiting();
      return tell_members(MW_EVENT_CLOSED, ev.status, ev.code, 0, body);
    default:
      return;
  }
}

void Group::tell_members(uint32_t kind, mw_status status, int32_t code, uint64_t id, std::string_view text) {
  std::string told = std::to_string(kind) + ' ' + std::to_string(status) + ' ' + std::to_string(code) + ' ' +
                     std::to_string(id) + '\n' + std::string(text);
  const base::MsgRef m(base::message_copy(told.data(), told.size(), 0));
  if (kind != MW_EVENT_DRAINING) told_ = std::move(told);
  if (share_ != nullptr) share_->spread("=up", m.get(), 0);
}

// ---- patterns

void Group::interest(const mw_event& ev, std::string_view topic) {
  const auto before = static_cast<int64_t>(ev.id);
  if (topic == "=up") {  // who comes is told how it stands
    if (ev.code <= before || told_.empty()) return;
    const base::MsgRef m(base::message_copy(told_.data(), told_.size(), 0));
    return share_->tell(ev.peer, topic, m.get(), 0);
  }
  if (topic.empty() || topic[0] != '/' || upstream_ == nullptr) return;
  const base::Pin pin(upstream_->handle);
  if (!pin) return;  // it ends: what is posted to it would not find it
  const std::string pattern(topic.substr(1));
  if (before == 0 && ev.code > 0) {
    const uint64_t number = ++last_errand_;
    wish_of_.emplace(number, pattern);
    wishes_.insert_or_assign(pattern, Wish{number});
    base::Error why;
    const mw_status s = upstream_->subscribe(pattern, base::syntax(*conf()), number, &why);
    if (s < 0) wish_done(number, s, why.text);
  } else if (ev.code == 0) {
    auto at = wishes_.find(pattern);
    if (at == wishes_.end()) return;
    const std::vector<mw_handle> waiting = std::move(at->second.waiting);
    wish_of_.erase(at->second.number);
    wishes_.erase(at);
    upstream_->unsubscribe(pattern, 0);
    for (mw_handle request : waiting) refuse(request, MW_ECANCELED);
  }
}

void Group::wait_for_pattern(mw_handle request, std::string_view pattern) {
  auto at = wishes_.find(std::string(pattern));
  if (at == wishes_.end()) return refuse(request, MW_ECANCELED);  // it is wanted no more
  if (!at->second.known) return at->second.waiting.push_back(request);
  answer(request, {wire::Packet::reply, MW_OK, 0, {}, {}});
}

void Group::wish_done(uint64_t number, mw_status status, std::string_view body) {
  auto by = wish_of_.find(number);
  const std::string pattern = std::move(by->second);
  wish_of_.erase(by);
  auto at = wishes_.find(pattern);
  if (at == wishes_.end() || at->second.number != number) return;
  const std::vector<mw_handle> waiting = std::move(at->second.waiting);
  at->second.waiting.clear();
  at->second.known = true;
  if (status < 0) wishes_.erase(at);
  for (mw_handle request : waiting)
    status < 0 ? refuse(request, status, body) : static_cast<void>(answer(request, {wire::Packet::reply, MW_OK, 0, {}, {}}));
}

// ---- messages and calls

void Group::asked_by(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  if (closing_ && !topic.starts_with("s")) return;  // its connection ends in a moment
  if (upstream_ == nullptr || closing_) return refuse(ev.id, MW_ENOTCONN);
  if (topic == "w") return wait_for_pattern(ev.id, body);
  Waiting w{ev.id, {}, {}, ev.flags & (MW_F_TEXT | MW_F_PARTS | MW_F_ONEWAY), 0};
  if (topic.starts_with("c.")) {
    w.target = topic.substr(2);
    if (ev.code >= 0) w.deadline = lane->now() + static_cast<uint64_t>(ev.code);
    w.m = message_of(meta, body, ev.flags);
    bool keyed = false;
    base::get_header(meta, "key", &keyed);
    // Repeated to a leader that has only begun to connect: it waits.
    if (keyed && !was_up_ && ev.id != 0) return early_calls_.push_back(std::move(w));
    return call_up(w);
  }
  if (!topic.starts_with("s")) return refuse(ev.id, MW_EINVAL);
  topic.remove_prefix(1);
  if (topic.starts_with("z")) {
    w.flags |= MW_F_COMPRESS;
    topic.remove_prefix(1);
  }
  w.m = message_of(meta, body, ev.flags);
  if (topic.starts_with("/")) w.m->topic = new std::string(topic.substr(1));
  send_up(std::move(w));
}

// In the order they came, and not before there is room.
void Group::send_up(Waiting w) {
  if (upstream_->state() != MW_STATE_UP) return refuse(w.request, MW_ENOTCONN);
  if (messages_.empty() && try_send(w)) return;
  if (!lane->slice.reserve(cost_of(w.m.get()))) return refuse(w.request, MW_EMEMORY);
  messages_.push_back(std::move(w));
}

// False: no room now.
bool Group::try_send(Waiting& w) {
  const uint64_t number = ++last_errand_;
  errands_.emplace(number, Errand{w.request, true});
  const mw_status s = upstream_->send(w.m->body, w.m->len, w.m.get(), w.flags, number);
  if (s >= 0) return true;
  errands_.erase(number);
  if (s == MW_EAGAIN || s == MW_EMEMORY) return false;
  refuse(w.request, s);
  return true;
}

void Group::call_up(const Waiting& w) {
  const uint64_t number = w.request != 0 ? ++last_errand_ : 0;
  Order o;
  o.target = w.target;
  o.carry(w.m.get());
  o.flags = w.flags;
  o.op = number;
  o.now = lane->now();
  o.deadline = w.deadline;
  o.parent = w.request;  // its end ends this one
  if (const Request* r = Request::find(*lane, w.request); r != nullptr)
    o.window = static_cast<uint64_t>(r->window);
  if (number != 0) errands_.emplace(number, Errand{w.request, false});
  const mw_status s = upstream_ != nullptr ? upstream_->call(o) : mw_status{MW_ENOTCONN};
  if (s >= 0) return;
  errands_.erase(number);
  if (number == 0) return log(*lane, base::LogLevel::info, 0, "call", failure_text(s));
  refuse(w.request, s);
}

void Group::go_on() {
  for (const Waiting& w : std::exchange(early_calls_, {})) call_up(w);
  while (!messages_.empty() && upstream_ != nullptr && try_send(messages_.front())) {
    lane->slice.release(cost_of(messages_.front().m.get()));
    messages_.pop_front();
  }
}

void Group::refuse_waiting() {
  for (const Waiting& w : std::exchange(messages_, {})) {
    lane->slice.release(cost_of(w.m.get()));
    refuse(w.request, MW_ENOTCONN);
  }
}

// ---- answers

mw_status Group::answer(mw_handle request, const Piece& p) {
  Request* r = Request::find(*lane, request);
  if (r == nullptr || r->callee == nullptr) return MW_ECLOSED;
  const bool last = p.type == wire::Packet::reply;
  const std::string meta = last ? std::string(Share::kTheirs) + p.meta : p.meta;
  wire::Talk t;
  t.type = p.type;
  t.flags = ((p.flags & MW_F_TEXT) ? uint32_t{wire::kCallText} : 0) | ((p.flags & MW_F_PARTS) ? uint32_t{wire::kPartsBody} : 0);
  t.status = p.status;
  t.meta = meta;
  // The headers outlive the call only in a message of their own.
  const base::MsgRef m = message_of(meta, p.body, p.flags);
  return r->callee->session().answer(*r, t, m->body, m->len, m.get(), p.flags & (MW_F_TEXT | MW_F_PARTS), 0);
}

void Group::refuse(mw_handle request, mw_status why, std::string_view body) {
  if (request == 0) return;
  answer(request, {wire::Packet::reply, why, MW_F_TEXT, {}, std::string(body.empty() ? failure_text(why) : body)});
}

void Group::answered(uint64_t number, Piece p) {
  auto at = errands_.find(number);
  if (at == errands_.end()) return;
  Errand& e = at->second;
  const bool last = p.type == wire::Packet::reply;
  if (!e.held.empty()) return e.held.push_back(std::move(p));
  const mw_handle request = e.request;
  const mw_status s = answer(request, p);
  const bool full = s == MW_EAGAIN || s == MW_EMEMORY;
  if (last) {
    errands_.erase(at);
    held_.erase(request);
    if (full || s == MW_ETOOBIG) refuse(request, s);
  } else if (full || s == MW_BUFFERED) {
    held_[request] = number;
    if (full) e.held.push_back(std::move(p));
    hold(number, true);
  } else if (s < 0) {  // a part that cannot be given ends the call
    errands_.erase(at);
    held_.erase(request);
    if (base::Pin pin(upstream_ != nullptr ? upstream_->handle : 0); pin) upstream_->cancel(number);
    refuse(request, s);
  }
}

// A follower has room for parts again.
void Group::room_for(mw_handle request) {
  auto at = held_.find(request);
  if (at == held_.end()) return;
  const uint64_t number = at->second;
  auto found = errands_.find(number);
  std::deque<Piece> pieces;
  if (found != errands_.end()) pieces.swap(found->second.held);
  held_.erase(at);
  while (!pieces.empty()) {
    found = errands_.find(number);
    if (found == errands_.end()) return;
    if (!found->second.held.empty() || held_.contains(request)) {  // full again
      found->second.held.insert(found->second.held.end(), std::make_move_iterator(pieces.begin()), std::make_move_iterator(pieces.end()));
      return;
    }
    Piece p = std::move(pieces.front());
    pieces.pop_front();
    answered(number, std::move(p));
  }
  if (!held_.contains(request)) hold(number, false);
}

void Group::hold(uint64_t number, bool on) {
  if (upstream_ == nullptr) return;
  Speech* speech = upstream_->session().speech();
  if (speech != nullptr && speech->caller() != nullptr) speech->caller()->hold(number, on);
}

}  // namespace mw::link
