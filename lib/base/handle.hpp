// The process-wide id table: live things are numbers (5 bits kind, 24
// generation, 24 slot), checked by generation. Fixed and never destroyed; the
// only global state besides the fork page. Any thread; see each function.
#pragma once
#include <meshwork/base.h>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace mw::base {

enum class Kind : uint8_t {
  none, context, provider, consumer, peer, subscription, ask, service, request, seat = 16, hub, channel, share, election, node, group, manager
};

inline Kind kind_of(mw_handle h) noexcept { return static_cast<Kind>((h >> 48) & 31); }

// What a slot points to. Its memory lives until the last pin is gone after
// retire(); then dispose() runs on whichever thread unpinned last.
class Pinned {
 public:
  virtual void dispose() noexcept = 0;

 protected:
  ~Pinned() = default;
};

class Slots;

struct Slot {
  // generation 24 | dead 1 | live 1 | pins 32, seen as one number.
  std::atomic<uint64_t> word{0};
  std::atomic<Pinned*> object{nullptr};  // immutable while live
  Slots* home = nullptr;
  uint32_t index = 0;
  uint32_t next = 0;
};

// Slots of one owner (a lane's peers, or everything else), reused
// first-in-first-out and only when at least 4,096 are free, so that a stale
// id stays stale for long. take() and lookups of own objects need no lock.
class Slots {
 public:
  static Slots* adopt();            // one left by a dead lane, or a new one; any thread
  static void abandon(Slots* s);    // for the next adopt(); no take() after it
  static Slots& shared();           // for cold objects; take under mutex()
  std::mutex& mutex() noexcept { return mutex_; }

  // Names an object. 0: the table is full or there is no memory. One thread at a time.
  mw_handle take(Kind kind, Pinned* object) noexcept;

 private:
  friend void retire(mw_handle h) noexcept;
  friend void unpin(Slot* s) noexcept;
  bool grow() noexcept;
  void give_back(Slot* s) noexcept;  // any thread
  void collect() noexcept;           // foreign returns into the free list
  std::atomic<Slot*> returned_{nullptr};
  uint32_t head_ = 0, tail_ = 0, free_ = 0;  // FIFO by index + 1
  uint32_t fresh_ = 0, fresh_end_ = 0;       // never used slots of the newest chunk
  Slots* next_ = nullptr;
  std::mutex mutex_;
};

inline constexpr uint32_t kChunkBits = 10;
inline constexpr uint32_t kChunks = 1u << (24 - kChunkBits);
inline constexpr uint64_t kLive = 1ull << 32;
inline constexpr uint64_t kDead = 1ull << 33;
extern std::atomic<Slot*> g_chunks[kChunks];

inline Slot* slot_of(mw_handle h) noexcept {
  auto index = static_cast<uint32_t>(h & 0xffffff);
  Slot* chunk = g_chunks[index >> kChunkBits].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : chunk + (index & ((1u << kChunkBits) - 1));
}

// The object, or null if stale or not named by these slots. Only on the
// thread that owns them, so nothing can retire it meanwhile.
inline Pinned* peek(const Slots* mine, mw_handle h) noexcept {
  Slot* s = slot_of(h);
  if (s == nullptr || s->home != mine) return nullptr;
  uint64_t w = s->word.load(std::memory_order_relaxed);
  if ((w & kLive) == 0 || (w >> 40) != ((h >> 24) & 0xffffff)) return nullptr;
  return s->object.load(std::memory_order_relaxed);
}

// Keeps the object's memory: one compare-exchange. null if stale. Any thread.
Slot* pin(mw_handle h) noexcept;
void unpin(Slot* s) noexcept;
// A pin for as long as it lives.
class Pin {
 public:
  Pin() = default;
  explicit Pin(mw_handle h) noexcept : slot_(pin(h)) {}
  Pin(Pin&& o) noexcept : slot_(o.slot_) { o.slot_ = nullptr; }
  Pin& operator=(Pin&& o) noexcept {
    Slot* s = o.slot_;
    o.slot_ = slot_;
    slot_ = s;
    return *this;
  }
  ~Pin() {
    if (slot_ != nullptr) unpin(slot_);
  }
  explicit operator bool() const noexcept { return slot_ != nullptr; }
  Pinned* object() const noexcept { return slot_->object.load(std::memory_order_relaxed); }

 private:
  Slot* slot_ = nullptr;
};
// The name is stale from now on; dispose() follows with the last pin.
void retire(mw_handle h) noexcept;
// The same where another may have done it already.
void retire_once(mw_handle h) noexcept;

}  // namespace mw::base
