#include "loop/lane.hpp"

#include "base/insist.hpp"
#include "base/message.hpp"
#include "loop/runtime.hpp"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>

namespace mw::loop {

thread_local Lane* Lane::t_current = nullptr;

namespace {

// Where t_current pointed before this thread entered a lane: a callback of
// one context may act on another.
thread_local Lane* t_before[8];
thread_local int t_depth = 0;

constexpr size_t kLeast = 4096;     // bytes asked of a socket
constexpr uint32_t kUnpolled = 8;   // turns

// The library never takes the host down with it: without memory a connection
// ends, the others go on.
template <class F>
void guarded(Source& s, F f) noexcept {
  try {
    f();
  } catch (...) {
    s.on_trouble();
  }
}

}  // namespace

Lane::Lane(Runtime& r, int i, bool host_turned)
    : slice(r.budget()), runtime(r), index(i), slots(nullptr), host_turned_(host_turned) {
  slots = base::Slots::adopt();  // the last that throws: there is no destructor yet
  receive = static_cast<uint8_t*>(std::aligned_alloc(4096, kHeadroom + kReceive));
  cork.bytes = static_cast<uint8_t*>(std::aligned_alloc(4096, Cork::kSize));
  event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  alarm_.lane = this;
  // Edge-triggered: each write is told once, and nobody has to read it.
  if (poller.fd() >= 0 && event_fd_ >= 0 && !poller.add(event_fd_, EPOLLIN | EPOLLET, this)) {
    close(event_fd_);  // a lane that cannot be woken is none: see ok()
    event_fd_ = -1;
  }
  read_clock();
  wheel.reset(now_);
}

Lane::~Lane() {
  drain_dead();
  delete batch_;
  std::free(receive);
  std::free(cork.bytes);
  if (event_fd_ >= 0) close(event_fd_);
  if (timer_fd_ >= 0) close(timer_fd_);
  slice.surrender();
  base::Slots::abandon(slots);
}

void Lane::read_clock() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  now_ = static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1000000;
}

void Lane::raise() noexcept {
  uint64_t one = 1;
  while (write(event_fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

bool Lane::enter() noexcept {
  uint64_t free = 0;
  while (!owner_.compare_exchange_weak(free, 2, std::memory_order_acquire)) {
    if (free == 2) return false;
    if (free == 1) std::this_thread::yield();  // somebody sends from outside: soon over
    free = 0;
  }
  t_before[t_depth++ & 7] = t_current;
  t_current = this;
  return true;
}

void Lane::leave() noexcept {
  t_current = t_before[--t_depth & 7];
  owner_.store(0, std::memory_order_release);
}

Lane::Hold::Hold(Lane& l, bool behind) noexcept : lane_(l), held_(false) {
  if (!l.host_turned_) return;
  uint64_t free = 0;
  if (!l.owner_.compare_exchange_strong(free, 1, std::memory_order_acquire)) return;
  if (behind && !l.commands_.empty()) {  // what this thread posted before comes first
    l.owner_.store(0, std::memory_order_release);
    return;
  }
  t_before[t_depth++ & 7] = t_current;
  t_current = &l;
  held_ = true;
}

Lane::Hold::~Hold() {
  if (!held_) return;
  bool left = lane_.flush_ != nullptr || lane_.cork.n != 0;
  t_current = t_before[--t_depth & 7];
  lane_.owner_.store(0, std::memory_order_release);
  if (left) lane_.poke();  // the next turn flushes
}

bool Lane::undone() const noexcept {
  if (flush_ != nullptr || !commands_.empty()) return true;
  if (host_turned_) return again_ || resume_ != nullptr || !waiting_.empty();
  return resume_ != nullptr && (door_ == Door::callback || runtime.inbox()->room());
}

void Lane::turn(int wait_ms) {
  ++turns_;
  const bool asked = !commands_.empty();
  resume_all();
  flush_all();
  push_events();
  read_clock();
  if (asked) run_commands();  // what was asked for before comes before what arrives now
  int timeout = wait_ms;
  if (asked || undone() || stopping()) {
    timeout = 0;
  } else if (uint64_t next = wheel.next(); next != UINT64_MAX && timeout != 0) {
    uint64_t left = next > now_ ? next - now_ : 0;
    if (timeout < 0 || left < static_cast<uint64_t>(timeout))
      timeout = static_cast<int>(std::min<uint64_t>(left, 3600 * 1000));
  }
  if (timeout != 0) {
    armed_.store(true, std::memory_order_seq_cst);
    if (!commands_.empty() || stopping()) timeout = 0;
  }
  int n = 0;
  if (spin_us_ != 0 && timeout != 0) {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t began = static_cast<uint64_t>(t.tv_sec) * 1000000 + static_cast<uint64_t>(t.tv_nsec) / 1000, now_us = began;
    while ((n = poller.wait(0)) == 0 && now_us - began < spin_us_ && commands_.empty()) {
      clock_gettime(CLOCK_MONOTONIC, &t);
      now_us = static_cast<uint64_t>(t.tv_sec) * 1000000 + static_cast<uint64_t>(t.tv_nsec) / 1000;
    }
  }
  // With no room for what connections say, and many waiting to say it, the
  // poller would tell all of them again to no avail; it is asked now and then.
  if (bool ask = !full() || ++unpolled_ > kUnpolled; ask) {
    if (n == 0) n = poller.wait(timeout);
    again_ = n == Poller::kBatch;  // more may be ready
    unpolled_ = 0;
  } else {
    again_ = true;
  }
  armed_.store(false, std::memory_order_seq_cst);
  if (n > 0 || timeout != 0) read_clock();
  count_turn();
  for (int i = 0; i < n; ++i) {
    Source* s = poller.source(i);
    uint32_t events = poller.events(i);
    guarded(*s, [&] { s->on_ready(events); });
  }
  run_commands();
  wheel.advance(now_);
  flush_all();
  push_events();
}

void Lane::run_commands() {
  for (Command* c = commands_.take(); c != nullptr;) {
    Command* next = c->next;
    try {
      base::insist([&] { c->run(*this, false); });
    } catch (...) {  // a bug of ours must not end the host's process
    }
    c = next;
  }
}

// The kernel lists what an epoll set watches: connections, our eventfd and timerfd.
void Lane::close_in_child() noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", poller.fd());
  if (std::FILE* f = std::fopen(path, "re")) {
    char line[256];
    int fd = -1;
    while (std::fgets(line, sizeof line, f) != nullptr)
      if (std::sscanf(line, "tfd: %d", &fd) == 1 && fd >= 0) close(fd);
    std::fclose(f);
  }
  close(poller.fd());
}

void Lane::drain_dead() noexcept {
  while (!commands_.empty())
    for (Command* c = commands_.take(); c != nullptr;) {
      Command* next = c->next;
      c->run(*this, true);
      c = next;
    }
}

void Lane::flush_all() {
  while (flush_ != nullptr) {
    Source* s = flush_;
    flush_ = s->next_flush;
    s->in_flush = false;
    guarded(*s, [&] { s->on_flush(); });
  }
}

// Who waits for room, in the order they came; those for whom there is none keep their place.
void Lane::resume_all() {
  for (size_t n = resumes_; n > 0 && resume_ != nullptr && !full(); --n) {
    Source* s = resume_;
    unlink(s);
    guarded(*s, [&] { s->on_resume(); });
  }
}

void Lane::unlink(Source* s) noexcept {
  Source** at = &resume_;
  while (*at != s) at = &(*at)->next_resume;
  *at = s->next_resume;
  if (resume_tail_ == &s->next_resume) resume_tail_ = at;
  s->in_resume = false;
  --resumes_;
}

void Lane::run_thread() {
  enter();
  while (!stopping()) turn(-1);
  push_events();
  leave();
}

void Lane::stop() noexcept {
  stop_.store(true, std::memory_order_seq_cst);
  raise();
}

void Lane::want_fd() {
  if (!fd_wanted_.exchange(true)) poke();
}

// Armed before it looks: what comes now, a first want_fd() too, raises.
void Lane::settle_host() {
  armed_.store(true, std::memory_order_seq_cst);
  if (!fd_wanted_.load(std::memory_order_seq_cst)) return;  // who does not poll comes by himself
  if (undone()) poke();
  if (timer_fd_ < 0) {
    timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_fd_ >= 0) poller.add(timer_fd_, EPOLLIN | EPOLLET, &alarm_);
  }
  uint64_t next = wheel.next();
  if (next != UINT64_MAX && next != timer_set_ && timer_fd_ >= 0) {
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(next / 1000);
    when.it_value.tv_nsec = static_cast<long>(next % 1000) * 1000000 + 1;
    timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &when, nullptr);
    timer_set_ = next;
  }
}

bool Lane::awake(uint64_t within_ms) const noexcept {
  if (armed_.load(std::memory_order_relaxed) && !host_turned_) return true;
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  uint64_t now = static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1000000;
  return now < last_turn_.load(std::memory_order_relaxed) + within_ms;
}

uint32_t Lane::masking_key() noexcept {
  if (keys_left_ == 0) {
    size_t got = 0;
    while (got < sizeof keys_) {
      ssize_t r = getrandom(reinterpret_cast<uint8_t*>(keys_) + got, sizeof keys_ - got, 0);
      if (r > 0) got += static_cast<size_t>(r);
    }
    keys_left_ = sizeof keys_ / sizeof keys_[0];
  }
  return keys_[--keys_left_];
}

void Lane::budget_wait(Source* s) {
  for (Source* w : budget_waiters_)
    if (w == s) return;
  budget_waiters_.push_back(s);
  budget_timer_.lane = this;
  if (!Wheel::pending(budget_timer_)) wheel.set(budget_timer_, now_ + 5);
}

void Lane::forget(Source* s) noexcept {
  if (s->in_resume) unlink(s);
  if (s->in_flush) {
    Source** at = &flush_;
    while (*at != s) at = &(*at)->next_flush;
    *at = s->next_flush;
    s->in_flush = false;
  }
  std::erase(budget_waiters_, s);
  std::erase(held_, s);
}

void Lane::flush_at(Source* s, uint64_t at) {
  if (std::find(held_.begin(), held_.end(), s) == held_.end()) held_.push_back(s);
  flush_timer_.lane = this;
  if (!Wheel::pending(flush_timer_) || flush_timer_.at > at) wheel.set(flush_timer_, at);
}

void Lane::flush_held() {
  for (Source* s : held_) flush_later(s);
  held_.clear();
}

void Lane::budget_look() {
  if (budget_waiters_.empty()) return;
  if (!slice.reserve(Slice::kProbe)) {
    wheel.set(budget_timer_, now_ + 5);
    return;
  }
  slice.release(Slice::kProbe);
  std::vector<Source*> waiters = std::move(budget_waiters_);
  budget_waiters_.clear();
  for (Source* w : waiters) guarded(*w, [&] { w->on_budget(); });
}

// ---- events

bool Lane::room_elsewhere(size_t len) noexcept {
  if (door_ == Door::inbox) {
    Inbox& in = *runtime.inbox();
    return in.room() || !in.starve();
  }
  return slab_ != nullptr && waiting_.empty() && slab_->fits(len);
}

size_t Lane::appetite() noexcept {
  if (door_ == Door::callback) return kReceive;
  if (door_ == Door::inbox) return room_elsewhere(0) ? size_t{kReceive} : 0;  // without room, its taker wakes us
  if (slab_ == nullptr || !slab_->record_left() || !waiting_.empty()) return 0;
  size_t by_bytes = slab_->size - slab_->used;
  size_t by_records = (slab_->cap - slab_->n) * 64;
  // A small rest is not worth a system call, when the next slab may take all.
  if (slab_->n != 0 && std::min(by_bytes, by_records) < kLeast && slab_->size >= 2 * kLeast && slab_->cap >= 2 * kLeast / 64)
    return 0;
  return std::clamp<size_t>(std::min(by_bytes, by_records), kLeast, kReceive);
}

template <class Store>
void Lane::store(uint32_t kind, Store&& f) {
  switch (kind) {
    case MW_EVENT_MESSAGE:
    case MW_EVENT_REQUEST:
    case MW_EVENT_PART:
    case MW_EVENT_PING:
    case MW_EVENT_PONG:
    case MW_EVENT_LOG: return f();
  }
  base::insist(f);
}

void Lane::emit(Target* target, mw_event& ev, std::string_view topic, std::string_view meta,
                std::string_view body, bool last) {
  ev.topic_len = static_cast<uint32_t>(topic.size());
  ev.meta_len = static_cast<uint32_t>(meta.size());
  if ((ev.flags & MW_F_REF) == 0) ev.body_len = static_cast<uint32_t>(body.size());
  if (target != nullptr && target->inside != nullptr) {
    target->inside->inside(*this, ev, topic, meta, body);
    if (last) drop(target);
    return;
  }
  switch (door_) {
    case Door::callback: {
      if (target == nullptr) return;
      if (target->fn != nullptr) {
        const char* data = body.data();
        if (!topic.empty() || !meta.empty()) {
          store(ev.kind, [&] {
            scratch_.clear();
            scratch_.append(topic.data(), topic.size());
            scratch_.append(meta.data(), meta.size());
            scratch_.append(body.data(), body.size());
          });
          data = reinterpret_cast<const char*>(scratch_.data());
        }
        target->fn(&ev, reinterpret_cast<const uint8_t*>(data), target->user);
      }
      if (last) drop(target);
      return;
    }
    case Door::inbox:
      store(ev.kind, [&] { to_inbox(target, ev, topic, meta, body, last); });
      return;
    case Door::slab:
    case Door::undecided:
      if (slab_ != nullptr && waiting_.empty() && slab_->fits(topic.size() + meta.size() + body.size())) {
        store(ev.kind, [&] {
          slab_->put(ev, reinterpret_cast<const uint8_t*>(topic.data()),
                     reinterpret_cast<const uint8_t*>(meta.data()), reinterpret_cast<const uint8_t*>(body.data()));
        });
        if (last) drop(target);
      } else {
        store(ev.kind, [&] {
          waiting_.push_back({target, ev, std::string(topic), std::string(meta), std::string(body), last});
        });
      }
      return;
    case Door::discard:
      if (last) drop(target);
      return;
  }
}

void Lane::to_inbox(Target* target, const mw_event& ev, std::string_view topic, std::string_view meta,
                    std::string_view body, bool last) {
  size_t before = topic.size() + meta.size();
  base::MsgRef ref;
  if (body.size() > ref_above_) {
    ref = base::MsgRef(base::message_copy(body.data(), body.size(), ev.flags & (MW_F_TEXT | MW_F_PARTS)));
    if (!topic.empty()) ref->topic = new std::string(topic);
    if (!meta.empty()) ref->meta = new std::string(meta);
  }
  size_t len = before + (ref ? 0 : body.size());
  if (batch_ != nullptr && (batch_->count == Batch::kRecords || batch_->capacity - batch_->used < len))
    push_events();
  if (batch_ == nullptr) batch_ = runtime.inbox()->fresh(len);
  Record& r = batch_->records[batch_->count];
  r.ev = ev;
  r.ev.offset = static_cast<uint32_t>(batch_->used);
  r.target = target;
  r.last = last;
  uint8_t* p = batch_->bytes.get() + batch_->used;
  if (!topic.empty()) std::memcpy(p, topic.data(), topic.size());
  if (!meta.empty()) std::memcpy(p + topic.size(), meta.data(), meta.size());
  if (ref) {
    r.ev.flags |= MW_F_REF;
    r.ev.msg = reinterpret_cast<uintptr_t>(ref.detach());
  } else if (!body.empty()) {
    std::memcpy(p + before, body.data(), body.size());
  }
  batch_->used += len;
  ++batch_->count;
}

void Lane::push_events() noexcept {
  if (batch_ == nullptr || batch_->count == 0) return;
  Batch* b = batch_;
  batch_ = nullptr;
  runtime.inbox()->push(b);
}

void Lane::begin_slab(Slab* s) {
  slab_ = s;
  while (!waiting_.empty()) {
    Waiting& w = waiting_.front();
    if (w.ev.kind == 0) {
      drop(w.target);
      waiting_.pop_front();
      continue;
    }
    if (!s->fits(w.topic.size() + w.meta.size() + w.body.size())) return;
    try {
      s->put(w.ev, reinterpret_cast<const uint8_t*>(w.topic.data()), reinterpret_cast<const uint8_t*>(w.meta.data()),
             reinterpret_cast<const uint8_t*>(w.body.data()));
    } catch (const std::bad_alloc&) {
      return;  // it goes on waiting
    }
    if (w.last) drop(w.target);
    waiting_.pop_front();
  }
}

void Lane::discard_events() noexcept {
  door_ = Door::discard;
  for (Waiting& w : waiting_) {
    if (w.ev.flags & MW_F_REF) base::unref(reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(w.ev.msg)));
    if (w.last || w.ev.kind == 0) drop(w.target);
  }
  waiting_.clear();
}

void Lane::release(mw_free_fn fn, void* hint) {
  if (door_ == Door::callback || door_ == Door::discard) {
    fn(hint);
    return;
  }
  mw_event ev{};
  auto t = std::make_unique<Target>(Target{nullptr, hint, fn, nullptr});
  if (door_ == Door::inbox)
    to_inbox(t.get(), ev, {}, {}, {}, true);
  else
    waiting_.push_back({t.get(), ev, {}, {}, {}, true});
  t.release();
}

}  // namespace mw::loop
