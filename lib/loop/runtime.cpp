#include "loop/runtime.hpp"

#include "base/choices.hpp"
#include "base/process.hpp"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>

namespace mw::loop {

using base::Error;
using base::Opt;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// Signals belong to the host's threads; a new thread inherits the mask.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// An event of the context itself.
struct Tell final : Command {
  mw_event ev;
  explicit Tell(const mw_event& e) : ev(e) {}
  void run(Lane& l, bool dead) override {
    if (!dead && l.runtime.target() != nullptr) l.emit(l.runtime.target(), ev, {}, {}, {});
    delete this;
  }
};

struct Release final : Command {
  mw_free_fn fn;
  void* hint;
  Release(mw_free_fn f, void* h) : fn(f), hint(h) {}
  void run(Lane& l, bool dead) override {
    if (dead)
      fn(hint);
    else
      l.release(fn, hint);
    delete this;
  }
};

}  // namespace

base::Result<mw_handle> Runtime::open(std::shared_ptr<const base::Conf> conf) {
  base::process_birth();
  int threads = static_cast<int>(conf->num(Opt::threads));
  bool queued = base::delivery(*conf) == base::Delivery::queued;
  auto* r = new Runtime(std::move(conf), threads, queued);
  bool descriptors = !r->inbox_ || r->inbox_->fd() >= 0, memory = true;
  for (auto& lane : r->lanes_) {
    descriptors = descriptors && lane->ok();
    memory = memory && lane->has_memory();
  }
  if (!descriptors || !memory) {
    int os = errno;
    delete r;
    if (!memory) return Error{MW_ENOMEM, 0, {}};
    return Error{MW_EIO, os, "no descriptors left for the context's lanes: raise the limit (ulimit -n)"};
  }
  base::Slots& slots = base::Slots::shared();
  {
    std::lock_guard lock(slots.mutex());
    r->handle = slots.take(base::Kind::context, r);
  }
  if (r->handle == 0) {
    delete r;
    return Error{MW_ENOMEM, 0, "the table of handles is full"};
  }
  try {
    r->start_threads();
  } catch (const std::exception&) {
    for (auto& lane : r->lanes_) lane->stop();
    for (auto& t : r->workers_) t.join();
    base::retire(r->handle);
    r->home().drain_dead();
    delete r;
    return Error{MW_EIO, EAGAIN, "no thread could be started for the context"};
  }
  return r->handle;
}

Runtime::Runtime(std::shared_ptr<const base::Conf> conf, int threads, bool queued)
    : Object(*this, nullptr),
      conf_(std::move(conf)),
      live_(conf_),
      birth_(base::process_birth()),
      threads_(threads),
      queued_(queued),
      budget_(conf_->num(Opt::memory_max_bytes)) {
  if (threads_ > 0 && queued_)
    inbox_ = std::make_unique<Inbox>(static_cast<size_t>(conf_->num(Opt::inbox_max_events)),
                                     static_cast<size_t>(conf_->num(Opt::inbox_max_bytes)));
  int n = threads_ > 0 ? threads_ : 1;
  for (int i = 0; i < n; ++i) {
    lanes_.push_back(std::make_unique<Lane>(*this, i, threads_ == 0));
    lanes_.back()->set_ref_above(static_cast<size_t>(conf_->num(Opt::slab_ref_above)));
    if (threads_ > 0) lanes_.back()->set_spin(static_cast<uint32_t>(conf_->num(Opt::spin)));
    if (threads_ > 0) lanes_.back()->set_door(queued_ ? Door::inbox : Door::callback);
  }
  lane = lanes_[0].get();
  target_ = new Target;  // nothing throws after it
}

Runtime::~Runtime() { drop(target_); }

bool Runtime::alive() const noexcept { return base::born_here(birth_); }

void Runtime::start_threads() {
  NoSignals guard;
  for (int i = 0; i < threads_; ++i) {
    std::string name = conf_->text(Opt::name);
    name = ((name.empty() ? "mw" : name.substr(0, 10)) + "-lane" + std::to_string(i)).substr(0, 15);
    workers_.emplace_back([this, i, name] {
      pthread_setname_np(pthread_self(), name.c_str());
      lanes_[static_cast<size_t>(i)]->run_thread();
      std::lock_guard lock(mutex_);
      --running_threads_;
      ended_cv_.notify_all();
    });
    std::lock_guard lock(mutex_);
    ++running_threads_;
  }
}

Lane& Runtime::next_lane() noexcept {
  return *lanes_[next_lane_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()];
}

// The first way a host takes events fixes it; lanes learn at their first turn.
bool Runtime::enter_door(Way w) {
  Way now = way_.load(std::memory_order_acquire);
  if (now == Way::none && way_.compare_exchange_strong(now, w)) return true;
  return now == w;  // also where another thread was first with the same
}

mw_status Runtime::run(int64_t timeout_ms) {
  if (threads_ != 0) return MW_ESTATE;
  if (lane->here()) return MW_ESTATE;
  if (!enter_door(Way::run)) return MW_ESTATE;
  if (!lane->enter()) return MW_EBUSY;
  if (finished_.load(std::memory_order_acquire)) {
    lane->leave();
    return MW_EEND;
  }
  lane->set_door(Door::callback);
  auto end = steady_clock::now() + milliseconds(timeout_ms > 0 ? timeout_ms : 0);
  for (;;) {
    int wait = -1;
    if (timeout_ms >= 0) {
      auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
      wait = left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : static_cast<int>(left);
    }
    if (woken_.load(std::memory_order_acquire)) wait = 0;
    lane->turn(wait);
    if (woken_.exchange(false) || finished_.load(std::memory_order_acquire)) break;
    if (timeout_ms >= 0 && steady_clock::now() >= end) break;
  }
  lane->settle_host();
  if (woken_.load()) lane->poke();  // for the next run
  bool more = lane->undone();
  lane->leave();
  return more ? MW_MORE : MW_OK;
}

mw_status Runtime::take(Slab& slab) {
  slab.ref_above = static_cast<size_t>(conf_->num(Opt::slab_ref_above));
  if (threads_ != 0) {
    if (!queued_ || !enter_door(Way::take)) return MW_ESTATE;
    if (taking_.exchange(true, std::memory_order_acquire)) return MW_EBUSY;
    mw_status s = MW_EEND;
    bool starved = false;
    if (!inbox_->ended()) {
      try {
        s = inbox_->take(slab, &starved);
      } catch (...) {
        taking_.store(false, std::memory_order_release);
        throw;
      }
    }
    taking_.store(false, std::memory_order_release);
    if (starved) poke_lanes();
    return s;
  }
  if (lane->here() || !enter_door(Way::take)) return MW_ESTATE;
  if (!lane->enter()) return MW_EBUSY;
  mw_status s = MW_OK;
  if (finished_.load(std::memory_order_acquire) && !lane->undone()) {
    s = MW_EEND;
  } else {
    lane->set_door(Door::slab);
    lane->begin_slab(&slab);
    lane->turn(0);
    lane->end_slab();
    lane->settle_host();
    if (lane->undone()) s = MW_MORE;
  }
  lane->leave();
  return s;
}

mw_status Runtime::dispatch(size_t max, size_t* n) {
  *n = 0;
  if (!queued() || dispatcher_.load() == std::this_thread::get_id() || !enter_door(Way::dispatch)) return MW_ESTATE;
  if (taking_.exchange(true, std::memory_order_acquire)) return MW_EBUSY;
  dispatcher_.store(std::this_thread::get_id());
  mw_status s = MW_EEND;
  bool starved = false;
  if (!inbox_->ended()) s = inbox_->dispatch(max, n, &starved);
  dispatcher_.store(std::thread::id());
  taking_.store(false, std::memory_order_release);
  if (starved) poke_lanes();
  return s;
}

void Runtime::poke_lanes() noexcept {
  for (auto& l : lanes_) l->poke();
}

mw_status Runtime::fd(int* out) {
  if (threads_ == 0) {
    lane->want_fd();
    *out = lane->fd();
    return MW_OK;
  }
  if (!queued_) return MW_ESTATE;
  *out = inbox_->fd();
  return MW_OK;
}

mw_status Runtime::waker(mw_wake_fn fn, void* user) {
  if (!queued()) return MW_ESTATE;
  return inbox_->set_waker(fn, user) ? MW_OK : MW_EDEADLOCK;
}

mw_status Runtime::wait(int64_t timeout_ms) {
  if (!queued()) return MW_ESTATE;
  return inbox_->wait(timeout_ms);
}

mw_status Runtime::wake() {
  if (threads_ == 0) {
    woken_.store(true);
    lane->poke();
    return MW_OK;
  }
  if (!queued_) return MW_ESTATE;
  inbox_->wake();
  return MW_OK;
}

mw_status Runtime::on(mw_event_fn fn, void* user, mw_free_fn free_user) {
  std::lock_guard lock(mutex_);
  if (!children_.empty() || told_) return MW_ESTATE;
  target_->fn = fn;
  target_->user = user;
  target_->free_user = free_user;
  told_ = true;
  return MW_OK;
}

base::Result<void> Runtime::update(const base::Conf& change, uint64_t op) {
  std::lock_guard lock(mutex_);
  auto changed = live_->updated(change);
  if (!changed) return changed.error();
  live_ = *changed;
  budget_.limit(live_->num(Opt::memory_max_bytes));
  if (inbox_)
    inbox_->limits(static_cast<size_t>(live_->num(Opt::inbox_max_events)),
                   static_cast<size_t>(live_->num(Opt::inbox_max_bytes)));
  if (op != 0) {
    mw_event ev{};
    ev.kind = MW_EVENT_DONE;
    ev.token = token.load(std::memory_order_relaxed);
    ev.id = op;
    lane->post(new Tell(ev));
  }
  return {};
}

bool Runtime::release(mw_free_fn fn, void* hint) {
  if (finished_.load(std::memory_order_acquire)) return false;
  if (fn == nullptr) {
    mw_event ev{};
    ev.kind = MW_EVENT_RELEASED;
    ev.token = token.load(std::memory_order_relaxed);
    ev.id = reinterpret_cast<uintptr_t>(hint);
    lane->post(new Tell(ev));
  } else {
    lane->post(new Release(fn, hint));
  }
  return true;
}

// Only descriptors: every lock may be held by a thread that is not here.
mw_status Runtime::close_in_child() noexcept {
  if (closed_in_child_.exchange(true)) return MW_OK;
  for (auto& l : lanes_) l->close_in_child();
  if (inbox_) ::close(inbox_->fd());
  return MW_OK;
}

bool Runtime::add_child(Object* o) {
  std::lock_guard lock(mutex_);
  if (closing_.load(std::memory_order_relaxed)) return false;
  children_.insert(o);
  objects.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Runtime::child_gone(Object* o) {
  std::lock_guard lock(mutex_);
  children_.erase(o);
  if (closing_.load(std::memory_order_relaxed) && children_.empty()) request(kFinish);
}

void Runtime::begin_close() {
  std::lock_guard lock(mutex_);
  if (closing_.exchange(true)) return;
  for (Object* c : children_) c->request(kCloseRequest);
  if (children_.empty()) request(kFinish);
}

void Runtime::attend(uint32_t bits) {
  if ((bits & kFinish) && !finished_.load(std::memory_order_relaxed)) finish();
}

// On the home lane, with every child gone.
void Runtime::finish() {
  std::shared_ptr<Service> service;
  {
    std::lock_guard lock(mutex_);
    service = service_;
  }
  if (service) service->stop();
  mw_event ev{};
  ev.kind = MW_EVENT_CLOSED;
  ev.token = token.load(std::memory_order_relaxed);
  ev.id = handle;
  ev.code = 1000;
  lane->emit(target_, ev, {}, {}, {}, true);
  target_ = nullptr;
  lane->push_events();
  finished_.store(true, std::memory_order_release);
  if (threads_ > 0)
    for (auto& l : lanes_) l->stop();
}

mw_status Runtime::join(base::Slot* pin, int64_t timeout_ms) {
  struct Unpin {
    base::Slot* slot;
    ~Unpin() {
      if (slot != nullptr) base::unpin(slot);
    }
  } unpin{pin};
  auto end = timeout_ms < 0 ? steady_clock::time_point::max() : steady_clock::now() + milliseconds(timeout_ms);
  if (Lane* l = Lane::current(); l != nullptr && &l->runtime == this) return MW_EDEADLOCK;
  if (dispatcher_.load() == std::this_thread::get_id()) return MW_EDEADLOCK;
  if (!closing()) return MW_ESTATE;
  if (threads_ == 0) {
    // Nobody may be left to turn the lane: this thread does, and nobody listens.
    while (!finished_.load(std::memory_order_acquire)) {
      if (steady_clock::now() >= end) return MW_ETIMEDOUT;
      if (!lane->enter()) {
        std::this_thread::sleep_for(milliseconds(1));
        continue;
      }
      lane->discard_events();
      lane->turn(10);
      lane->leave();
    }
  } else {
    std::unique_lock lock(mutex_);
    auto ended = [this] { return finished_.load(std::memory_order_acquire) && running_threads_ == 0; };
    if (timeout_ms < 0)
      ended_cv_.wait(lock, ended);
    else if (!ended_cv_.wait_until(lock, end, ended))
      return MW_ETIMEDOUT;
  }
  std::shared_ptr<Service> service;
  {
    std::lock_guard lock(mutex_);
    service = service_;
  }
  while (service && !service->join(milliseconds(timeout_ms < 0 ? 1000 : 1)))
    if (steady_clock::now() >= end) return MW_ETIMEDOUT;
  if (joining_.exchange(true)) return MW_ECLOSED;  // another thread frees it
  for (auto& t : workers_) t.join();
  workers_.clear();
  for (auto& l : lanes_) l->discard_events();
  base::unpin(std::exchange(unpin.slot, nullptr));  // ours; the handle still holds us
  base::retire(handle);
  // Another thread may still be inside a call that began earlier.
  while (objects.load(std::memory_order_acquire) != 0 || !destroyed_.load(std::memory_order_acquire)) {
    for (auto& l : lanes_) l->drain_dead();
    std::this_thread::yield();
  }
  if (inbox_) inbox_->discard();
  service_.reset();
  service.reset();
  delete this;
  return MW_OK;
}

void Runtime::destroy(bool) noexcept { destroyed_.store(true, std::memory_order_release); }

}  // namespace mw::loop
