#include "loop/inbox.hpp"

#include "base/handle.hpp"
#include "base/message.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <thread>

namespace mw::loop {

namespace {

constexpr int kSpares = 8;
thread_local const Inbox* t_in_waker = nullptr;

size_t length(const mw_event& ev) noexcept {
  return size_t{ev.topic_len} + ev.meta_len + ((ev.flags & MW_F_REF) ? 0 : ev.body_len);
}

// A callback always finds its bytes at data, also those of a body that travelled by reference.
void call(Record& r, const uint8_t* bytes) {
  mw_event ev = r.ev;
  base::MsgRef held;
  std::string whole;
  if (ev.flags & MW_F_REF) {
    held = base::MsgRef(reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(ev.msg)));
    ev.flags &= ~static_cast<uint32_t>(MW_F_REF);
    if (size_t before = size_t{ev.topic_len} + ev.meta_len; before != 0) {
      whole.assign(reinterpret_cast<const char*>(bytes + ev.offset), before);
      whole.append(reinterpret_cast<const char*>(held->body), held->len);
      bytes = reinterpret_cast<const uint8_t*>(whole.data());
    } else {
      bytes = held->body;  // ev.msg stays, so that mw_msg_keep need not copy
    }
    ev.offset = 0;
  }
  if (r.target != nullptr && r.target->fn != nullptr) r.target->fn(&ev, bytes, r.target->user);
}

bool ends_context(const mw_event& ev) noexcept {
  return ev.kind == MW_EVENT_CLOSED && base::kind_of(ev.id) == base::Kind::context;
}

}  // namespace

void drop(Target* t) noexcept {
  if (t == nullptr) return;
  if (t->free_user != nullptr) t->free_user(t->user);
  delete t;
}

void Slab::put(const mw_event& ev, const uint8_t* topic, const uint8_t* meta, const uint8_t* body) {
  mw_event out = ev;
  size_t len = length(ev);
  if (len > size - used) {
    if ((out.flags & MW_F_REF) == 0) {
      base::MsgRef m(base::message_copy(body, ev.body_len, ev.flags & (MW_F_TEXT | MW_F_PARTS)));
      if (ev.topic_len) m->topic = new std::string(reinterpret_cast<const char*>(topic), ev.topic_len);
      if (ev.meta_len) m->meta = new std::string(reinterpret_cast<const char*>(meta), ev.meta_len);
      out.msg = reinterpret_cast<uintptr_t>(m.detach());
      out.flags |= MW_F_REF;
    }
    len = size_t{ev.topic_len} + ev.meta_len;
    if (len > size - used) out.topic_len = out.meta_len = 0, len = 0;  // in msg
  }
  out.offset = static_cast<uint32_t>(used);
  uint8_t* p = bytes + used;
  if (out.topic_len) std::memcpy(p, topic, out.topic_len), p += out.topic_len;
  if (out.meta_len) std::memcpy(p, meta, out.meta_len), p += out.meta_len;
  if ((out.flags & MW_F_REF) == 0 && out.body_len) std::memcpy(p, body, out.body_len);
  used += len;
  std::memcpy(events + n * stride, &out, sizeof out);
  ++n;
  if (ev.kind == MW_EVENT_REQUEST || ev.kind == MW_EVENT_DONE) ++calls;
}

Inbox::Inbox(size_t max_events, size_t max_bytes)
    : max_events_(max_events), max_bytes_(max_bytes), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Inbox::~Inbox() {
  discard();
  while (spare_ != nullptr) {
    Batch* next = spare_->next;
    delete spare_;
    spare_ = next;
  }
  if (fd_ >= 0) close(fd_);
}

void Inbox::limits(size_t max_events, size_t max_bytes) noexcept {
  max_events_.store(max_events, std::memory_order_relaxed);
  max_bytes_.store(max_bytes, std::memory_order_relaxed);
}

bool Inbox::starve() noexcept {
  starved_.store(true, std::memory_order_seq_cst);
  return !room();
}

Batch* Inbox::fresh(size_t at_least) {
  if (at_least <= Batch::kBytes) {
    std::lock_guard lock(mutex_);
    if (spare_ != nullptr) {
      Batch* b = spare_;
      spare_ = b->next;
      --spares_;
      b->next = nullptr;
      return b;
    }
  }
  return new Batch(at_least > Batch::kBytes ? at_least : size_t{Batch::kBytes});
}

void Inbox::signal() noexcept {
  uint64_t one = 1;
  while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Inbox::push(Batch* b) noexcept {
  mw_wake_fn fn = nullptr;
  void* user = nullptr;
  {
    std::lock_guard lock(mutex_);
    events_.fetch_add(b->count, std::memory_order_relaxed);
    bytes_.fetch_add(b->used, std::memory_order_relaxed);
    (tail_ != nullptr ? tail_->next : head_) = b;
    tail_ = b;
    if (!armed_) return;
    armed_ = false;
    raised_ = true;
    signal();
    fn = waker_;
    user = waker_user_;
    if (fn != nullptr) waker_running_.fetch_add(1, std::memory_order_relaxed);
  }
  if (fn != nullptr) {
    t_in_waker = this;
    fn(user);
    t_in_waker = nullptr;
    waker_running_.fetch_sub(1, std::memory_order_release);
  }
}

bool Inbox::set_waker(mw_wake_fn fn, void* user) noexcept {
  if (t_in_waker == this) return false;
  bool fire = false;
  {
    std::lock_guard lock(mutex_);
    waker_ = fn;
    waker_user_ = user;
    if (fn != nullptr) {
      fire = head_ != nullptr;  // installing arms; what is there already is told at once
      armed_ = !fire;
      if (fire) waker_running_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (fire) {
    t_in_waker = this;
    fn(user);
    t_in_waker = nullptr;
    waker_running_.fetch_sub(1, std::memory_order_release);
  }
  if (fn == nullptr)
    while (waker_running_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  return true;
}

// The oldest batch with something in it; the reader alone calls it.
Batch* Inbox::front() noexcept {
  std::lock_guard lock(mutex_);
  return head_;
}

void Inbox::pop() noexcept {
  Batch* b;
  {
    std::lock_guard lock(mutex_);
    b = head_;
    head_ = b->next;
    if (head_ == nullptr) tail_ = nullptr;
    b->count = b->taken = b->used = 0;
    if (b->capacity == Batch::kBytes && spares_ < kSpares) {
      b->next = spare_;
      spare_ = b;
      ++spares_;
      return;
    }
  }
  delete b;
}

// Counts what was taken, arms when nothing is left, tells whether more is there.
mw_status Inbox::settle(size_t n, size_t bytes, bool* starved) noexcept {
  events_.fetch_sub(n, std::memory_order_relaxed);
  bytes_.fetch_sub(bytes, std::memory_order_seq_cst);
  *starved = starved_.load(std::memory_order_seq_cst) && room() && starved_.exchange(false);
  std::lock_guard lock(mutex_);
  if (head_ != nullptr) {
    signal();  // a new edge for edge-triggered pollers
    raised_ = true;
    return MW_MORE;
  }
  if (raised_ && !ended()) {
    uint64_t v;
    while (read(fd_, &v, sizeof v) < 0 && errno == EINTR) {
    }
    raised_ = false;
  }
  armed_ = true;
  return MW_OK;
}

mw_status Inbox::take(Slab& slab, bool* starved) {
  size_t n = 0, bytes = 0;
  bool full = false;
  for (Batch* b = front(); b != nullptr && !full; b = front()) {
    while (b->taken < b->count) {
      Record& r = b->records[b->taken];
      if (r.ev.kind == 0) {  // a release that must run where the host takes
        Target* t = r.target;
        ++b->taken;
        ++n;
        drop(t);
        continue;
      }
      size_t len = length(r.ev);
      if (!slab.fits(len)) {
        full = true;
        break;
      }
      const uint8_t* p = b->bytes.get() + r.ev.offset;
      try {
        slab.put(r.ev, p, p + r.ev.topic_len, p + r.ev.topic_len + r.ev.meta_len);
      } catch (const std::bad_alloc&) {
        if (n == 0) {
          settle(0, 0, starved);
          throw;
        }
        full = true;
        break;
      }
      bytes += len;
      ++n;
      ++b->taken;
      if (ends_context(r.ev)) ended_.store(true, std::memory_order_release);
      if (r.last) drop(r.target);
    }
    if (b->taken == b->count) pop();
  }
  return settle(n, bytes, starved);
}

mw_status Inbox::dispatch(size_t max, size_t* n, bool* starved) {
  size_t limit = max != 0 ? max : events_.load(std::memory_order_relaxed);
  size_t done = 0, bytes = 0;
  for (Batch* b = front(); b != nullptr && done < limit; b = front()) {
    while (b->taken < b->count && done < limit) {
      Record& r = b->records[b->taken++];
      ++done;
      if (r.ev.kind != 0) {
        bytes += length(r.ev);
        if (ends_context(r.ev)) ended_.store(true, std::memory_order_release);
        call(r, b->bytes.get());
      }
      if (r.last || r.ev.kind == 0) drop(r.target);
    }
    if (b->taken == b->count) pop();
  }
  *n = done;
  return settle(done, bytes, starved);
}

void Inbox::discard() noexcept {
  while (Batch* b = front()) {
    for (; b->taken < b->count; ++b->taken) {
      Record& r = b->records[b->taken];
      if (r.ev.flags & MW_F_REF) base::unref(reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(r.ev.msg)));
      if (r.last || r.ev.kind == 0) drop(r.target);
    }
    events_.fetch_sub(b->count, std::memory_order_relaxed);
    pop();
  }
}

mw_status Inbox::wait(int64_t timeout_ms) noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t end = timeout_ms < 0 ? INT64_MAX : now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
  for (;;) {
    if (woken_.exchange(false)) {
      std::lock_guard lock(mutex_);
      if (head_ == nullptr && raised_ && !ended()) {
        uint64_t v;
        (void)!read(fd_, &v, sizeof v);
        raised_ = false;
        armed_ = true;
      }
      return MW_OK;
    }
    {
      std::lock_guard lock(mutex_);
      if (head_ != nullptr) return MW_OK;
    }
    if (ended()) return MW_EEND;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = end == INT64_MAX ? INT64_MAX : end - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
    if (left < 0 || (left == 0 && timeout_ms != 0)) return MW_ETIMEDOUT;
    pollfd p{fd_, POLLIN, 0};
    int r = poll(&p, 1, left > INT32_MAX ? (timeout_ms < 0 ? -1 : INT32_MAX) : static_cast<int>(left));
    if (r == 0 && left == 0) return MW_ETIMEDOUT;
  }
}

void Inbox::wake() noexcept {
  woken_.store(true);
  std::lock_guard lock(mutex_);
  raised_ = true;
  signal();
}

}  // namespace mw::loop
