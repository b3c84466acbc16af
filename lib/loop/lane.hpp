// A lane: one epoll set, one timer wheel, one command queue and what lives on
// them, turned by exactly one thread at a time; the door its events leave by.
// Used by the runtime, which makes lanes, and by link, whose sessions live
// here. The lane's thread only, unless a function says "any thread".
#pragma once
#include "base/buffer.hpp"
#include "base/handle.hpp"
#include "loop/budget.hpp"
#include "loop/command.hpp"
#include "loop/inbox.hpp"
#include "loop/poller.hpp"
#include "loop/wheel.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mw::loop {

class Runtime;

enum class Door : uint8_t { undecided, callback, inbox, slab, discard };

// The output a connection makes while the lane works on it: collected here,
// sent once. Bounded, so it needs no reservation.
struct Cork {
  static constexpr size_t kSize = 256 << 10;
  Source* owner = nullptr;
  uint8_t* bytes = nullptr;
  size_t n = 0;
  uint32_t messages = 0;
};

class Lane final : public Source {
 public:
  static constexpr size_t kReceive = 512 << 10;
  static constexpr size_t kHeadroom = 16 << 10;  // for what was left of a frame

  Lane(Runtime& runtime, int index, bool host_turned);
  ~Lane();

  // ---- any thread
  bool here() const noexcept { return t_current == this; }
  static Lane* current() noexcept { return t_current; }
  void post(Command* c) noexcept {
    commands_.push(c);
    poke();
  }
  void poke() noexcept {  // something is to be done
    if (armed_.load(std::memory_order_seq_cst) && armed_.exchange(false, std::memory_order_seq_cst)) raise();
  }
  int fd() const noexcept { return poller.fd(); }
  bool ok() const noexcept { return poller.fd() >= 0 && event_fd_ >= 0; }
  bool has_memory() const noexcept { return receive != nullptr && cork.bytes != nullptr; }
  Slice slice;
  // Acted on between the turns of a host. The lane's thread.
  bool between() const noexcept { return owner_.load(std::memory_order_relaxed) == 1; }
  uint32_t turns() const noexcept { return turns_; }  // so far, modulo 2^32

  // ---- turning
  // Owner word: taken by one compare-exchange. false: somebody else turns.
  bool enter() noexcept;
  void leave() noexcept;
  // One turn; waits at most wait_ms (-1: until something happens).
  void turn(int wait_ms);
  void run_thread();            // a library thread: until stop()
  void stop() noexcept;         // any thread
  bool stopping() const noexcept { return stop_.load(std::memory_order_acquire); }
  bool undone() const noexcept; // something waits that needs no descriptor
  void want_fd();               // any thread: mw_ctx_fd was asked for
  void settle_host();           // host-turned: arm the descriptors before returning to the host
  void close_in_child() noexcept;  // a forked child: only descriptors
  void drain_dead() noexcept;   // after the end: free what commands hold

  // Acts on the lane from outside a turn (threads=0) if nobody else does.
  class Hold {
   public:
    // behind: not before what was posted already.
    explicit Hold(Lane& l, bool behind = true) noexcept;
    ~Hold();
    explicit operator bool() const noexcept { return held_; }

   private:
    Lane& lane_;
    bool held_;
  };

  // ---- events
  void set_door(Door d) noexcept { door_ = d; }
  Door door() const noexcept { return door_; }
  void begin_slab(Slab* s);     // also delivers what waited for room
  void end_slab() noexcept { slab_ = nullptr; }
  void discard_events() noexcept;  // nobody will take any more
  void set_ref_above(size_t n) noexcept { ref_above_ = n; }
  void set_spin(uint32_t us) noexcept { spin_us_ = us; }  // polls so long before it sleeps
  // Whether a paced event with so many bytes may be made now.
  bool room(size_t len) noexcept {
    if (door_ == Door::callback) [[likely]]
      return true;
    return room_elsewhere(len);
  }
  // How many bytes are worth reading from a socket now; 0: none, come back.
  size_t appetite() noexcept;
  // Delivers. A noted event never fails: without room it waits in the lane,
  // without memory the lane waits for some. A paced one (MESSAGE, REQUEST, PART,
  // PING, PONG, LOG) throws std::bad_alloc: its connection ends, or the line is lost.
  void emit(Target* target, mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body,
            bool last = false);
  void emit(Target* target, mw_event& ev, const uint8_t* body, size_t len) {
    if (door_ == Door::callback) [[likely]] {
      ev.body_len = static_cast<uint32_t>(len);
      if (target != nullptr && target->fn != nullptr) [[likely]]
        target->fn(&ev, body, target->user);
      else
        emit(target, ev, {}, {}, {reinterpret_cast<const char*>(body), len});
      return;
    }
    emit(target, ev, {}, {}, {reinterpret_cast<const char*>(body), len});
  }
  // Runs release(hint) where the host's callbacks run.
  void release(mw_free_fn fn, void* hint);
  void push_events() noexcept;  // to the inbox, now

  // ---- work
  // Something ready was not read to its end. The poller tells it again to the
  // next turn, but not to a host that waits for a change of the descriptor.
  void come_again() noexcept { again_ = true; }
  void flush_later(Source* s) noexcept {
    if (s->in_flush) return;
    s->in_flush = true;
    s->next_flush = flush_;
    flush_ = s;
  }
  // All of it has left meanwhile; the last one to ask is forgotten, others are asked in vain.
  void flushed(Source* s) noexcept {
    if (flush_ != s) return;
    flush_ = s->next_flush;
    s->in_flush = false;
  }
  void resume_later(Source* s) noexcept {
    if (s->in_resume) return;
    s->in_resume = true;
    s->next_resume = nullptr;
    *resume_tail_ = s;
    resume_tail_ = &s->next_resume;
    ++resumes_;
  }
  // The same at a later time, or when somebody asks sooner.
  void flush_at(Source* s, uint64_t at);
  // The context's budget was exhausted: on_budget() follows when it may have room.
  void budget_wait(Source* s);
  void forget(Source* s) noexcept;  // s is about to go
  uint64_t now() const noexcept { return now_; }  // ms, monotonic, of this turn
  uint32_t masking_key() noexcept;                // RFC 6455 10.3: unpredictable
  void count_turn() noexcept { last_turn_.store(now_, std::memory_order_relaxed); }
  // Any thread: turned within so many ms, or waiting for its descriptors on a thread of ours.
  bool awake(uint64_t within_ms) const noexcept;

  Runtime& runtime;
  const int index;
  base::Slots* slots;
  Poller poller;
  Wheel wheel;
  Cork cork;
  uint8_t* receive = nullptr;    // kHeadroom + kReceive bytes; what is read starts after the headroom
  static constexpr size_t kSealed = 256 << 10;
  // Ciphertext just read; made when the first TLS connection comes.
  uint8_t* sealed() {
    if (!sealed_) sealed_.reset(new uint8_t[kSealed]);
    return sealed_.get();
  }
  base::Buffer cipher;           // encrypted output of the session worked on

  // Source: the eventfd, which only wakes
  void on_ready(uint32_t) override {}
  void on_flush() override {}
  void on_resume() override {}

 private:
  struct BudgetTimer final : Timer {
    Lane* lane;
    void expired() noexcept override { lane->budget_look(); }
  };
  struct FlushTimer final : Timer {
    Lane* lane;
    void expired() noexcept override { lane->flush_held(); }
  };
  struct Alarm final : Source {  // the timerfd
    Lane* lane;
    void on_ready(uint32_t) override { lane->timer_set_ = 0; }
    void on_flush() override {}
    void on_resume() override {}
  };
  void budget_look();
  void flush_held();
  bool full() noexcept { return slab_ != nullptr && appetite() == 0; }
  FlushTimer flush_timer_;
  std::vector<Source*> held_;
  BudgetTimer budget_timer_;
  std::vector<Source*> budget_waiters_;
  struct Waiting {
    Target* target;
    mw_event ev;
    std::string topic, meta, body;
    bool last;
  };
  void raise() noexcept;
  void flush_all();
  void resume_all();
  void run_commands();
  bool room_elsewhere(size_t len) noexcept;
  template <class Store>
  void store(uint32_t kind, Store&& f);
  void to_inbox(Target* target, const mw_event& ev, std::string_view topic, std::string_view meta,
                std::string_view body, bool last);
  void read_clock() noexcept;

  static thread_local Lane* t_current __attribute__((tls_model("initial-exec")));

  std::unique_ptr<uint8_t[]> sealed_;
  CommandQueue commands_;
  std::atomic<bool> armed_{true};
  std::atomic<uint64_t> owner_{0};  // 0 free, 1 acted on from outside a turn, 2 turning
  std::atomic<bool> stop_{false};
  std::atomic<bool> fd_wanted_{false};
  std::atomic<uint64_t> last_turn_{0};
  const bool host_turned_;
  Door door_ = Door::undecided;
  Slab* slab_ = nullptr;
  size_t ref_above_ = 64 << 10;
  uint32_t spin_us_ = 0;
  bool again_ = false;
  uint32_t turns_ = 0;
  uint32_t unpolled_ = 0;        // turns in a row that did not ask the poller
  Alarm alarm_;
  std::deque<Waiting> waiting_;
  Batch* batch_ = nullptr;
  base::Buffer scratch_;
  Source* flush_ = nullptr;
  Source* resume_ = nullptr;
  Source** resume_tail_ = &resume_;
  size_t resumes_ = 0;
  void unlink(Source* s) noexcept;  // which waits in resume_
  uint64_t now_ = 0;
  int event_fd_ = -1;
  int timer_fd_ = -1;
  uint64_t timer_set_ = 0;
  uint32_t keys_[256];
  size_t keys_left_ = 0;
};

}  // namespace mw::loop
