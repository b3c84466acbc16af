// The one bounded queue between a context's lanes and a host that takes
// events elsewhere. Lanes push whole batches; the host takes records or makes
// callbacks; a descriptor and the waker tell that something is there.
// push: lanes; take, dispatch: one thread at a time; the rest: any thread.
#pragma once
#include <meshwork/ctx.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace mw::loop {

class Lane;

// Who hears, instead of the host, the events of a party that something of the
// library uses for itself: at once and on the lane, whatever the door. The
// views live as long as the call.
class Inside {
 public:
  virtual void inside(Lane& lane, const mw_event& ev, std::string_view topic, std::string_view meta,
                      std::string_view body) = 0;

 protected:
  ~Inside() = default;
};

// A host's callback. Lives until its owner's CLOSED has been delivered.
struct Target {
  mw_event_fn fn = nullptr;
  void* user = nullptr;
  mw_free_fn free_user = nullptr;
  Inside* inside = nullptr;  // set: the host hears nothing
};

// Deletes a target after its last event; runs free_user.
void drop(Target* t) noexcept;

struct Record {
  mw_event ev;
  Target* target;
  bool last;  // drop the target after delivery
};

// Events of one lane's turn, with their bytes.
struct Batch {
  static constexpr size_t kRecords = 256;
  static constexpr size_t kBytes = 64 << 10;
  Batch* next = nullptr;
  size_t count = 0, taken = 0;
  size_t used = 0;
  size_t capacity = 0;
  std::unique_ptr<uint8_t[]> bytes;
  Record records[kRecords];
  explicit Batch(size_t cap) : capacity(cap), bytes(new uint8_t[cap]) {}
};

// Where taken records go: the caller's arrays.
struct Slab {
  uint8_t* events = nullptr;
  size_t stride = 0, cap = 0, n = 0;
  uint8_t* bytes = nullptr;
  size_t size = 0, used = 0;
  size_t ref_above = 64 << 10;
  size_t calls = 0;  // REQUESTs and DONEs

  // So many end a batch, and so many that are written leave at once: one side
  // works on them while the other makes the next ones.
  static constexpr size_t kCalls = 16;

  bool record_left() const noexcept { return n < cap && calls < kCalls; }
  // Whether an event of so many bytes can be written now (in place or as REF).
  bool fits(size_t len) const noexcept {
    return record_left() && (len <= size - used || len > ref_above || len > size || n == 0);
  }
  // Writes one; fits() was true. Throws std::bad_alloc where a REF is needed.
  void put(const mw_event& ev, const uint8_t* topic, const uint8_t* meta, const uint8_t* body);
};

class Inbox {
 public:
  Inbox(size_t max_events, size_t max_bytes);
  ~Inbox();

  // Lanes.
  bool room() const noexcept {
    return events_.load(std::memory_order_relaxed) < max_events_.load(std::memory_order_relaxed) &&
           bytes_.load(std::memory_order_relaxed) < max_bytes_.load(std::memory_order_relaxed);
  }
  // True: wait for wake_lanes; false: there is room again after all.
  bool starve() noexcept;
  Batch* fresh(size_t at_least);
  void push(Batch* b) noexcept;

  // The host.
  // *starved: lanes wait for room that there is now; wake them.
  mw_status take(Slab& slab, bool* starved);
  mw_status dispatch(size_t max, size_t* n, bool* starved);
  bool set_waker(mw_wake_fn fn, void* user) noexcept;  // false: from inside itself
  mw_status wait(int64_t timeout_ms) noexcept;
  void wake() noexcept;  // ends wait()
  int fd() const noexcept { return fd_; }
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  size_t events() const noexcept { return events_.load(std::memory_order_relaxed); }
  void limits(size_t max_events, size_t max_bytes) noexcept;
  void discard() noexcept;  // all that is left, targets dropped

 private:
  Batch* front() noexcept;
  void pop() noexcept;
  mw_status settle(size_t n, size_t bytes, bool* starved) noexcept;
  void signal() noexcept;

  std::mutex mutex_;
  Batch* head_ = nullptr;
  Batch* tail_ = nullptr;
  Batch* spare_ = nullptr;
  int spares_ = 0;
  bool armed_ = true;
  bool raised_ = false;  // the descriptor is readable
  mw_wake_fn waker_ = nullptr;
  void* waker_user_ = nullptr;
  std::atomic<int> waker_running_{0};
  std::atomic<size_t> events_{0}, bytes_{0};
  std::atomic<size_t> max_events_, max_bytes_;
  std::atomic<bool> starved_{false};
  std::atomic<bool> woken_{false};
  std::atomic<bool> ended_{false};
  int fd_;
};

}  // namespace mw::loop
