#include "base/handle.hpp"

#include <new>
#include <random>

namespace mw::base {

std::atomic<Slot*> g_chunks[kChunks];

namespace {

constexpr uint32_t kReuseAbove = 4096;
constexpr uint32_t kChunkSlots = 1u << kChunkBits;
constexpr uint64_t kGenerationMask = 0xffffff;
constexpr uint64_t kPins = 0xffffffff;

std::atomic<uint32_t> g_next_chunk{0};

// Random first generation: a second copy of the library in one process
// refuses this one's ids.
uint64_t first_generation() noexcept {
  static const uint64_t g = [] {
    try {
      return static_cast<uint64_t>(std::random_device{}()) & kGenerationMask;
    } catch (...) {
      return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(&g_chunks) >> 12) & kGenerationMask;
    }
  }();
  return g;
}

// The slot of an index that was handed out.
Slot* at(uint32_t index) noexcept {
  return g_chunks[index >> kChunkBits].load(std::memory_order_acquire) + (index & (kChunkSlots - 1));
}

std::mutex g_pools;          // constant-initialised, trivial to destroy
Slots* g_abandoned = nullptr;

}  // namespace

Slots* Slots::adopt() {
  {
    std::lock_guard lock(g_pools);
    if (g_abandoned != nullptr) {
      Slots* s = g_abandoned;
      g_abandoned = s->next_;
      return s;
    }
  }
  return new Slots;
}

void Slots::abandon(Slots* s) {
  std::lock_guard lock(g_pools);
  s->next_ = g_abandoned;
  g_abandoned = s;
}

Slots& Slots::shared() {
  static Slots* s = new Slots;  // never destroyed
  return *s;
}

bool Slots::grow() noexcept {
  uint32_t c = g_next_chunk.fetch_add(1, std::memory_order_relaxed);
  if (c >= kChunks) {
    g_next_chunk.store(kChunks, std::memory_order_relaxed);
    return false;
  }
  Slot* slots = new (std::nothrow) Slot[kChunkSlots];
  if (slots == nullptr) return false;  // the chunk number is lost; there are 16,384
  for (uint32_t i = 0; i < kChunkSlots; ++i) {
    slots[i].index = (c << kChunkBits) | i;
    slots[i].home = this;
    slots[i].word.store(first_generation() << 40, std::memory_order_relaxed);
  }
  g_chunks[c].store(slots, std::memory_order_release);
  fresh_ = c << kChunkBits;
  fresh_end_ = fresh_ + kChunkSlots;
  return true;
}

void Slots::collect() noexcept {
  Slot* s = returned_.exchange(nullptr, std::memory_order_acquire);
  Slot* in_order = nullptr;  // the stack is last-in-first-out
  while (s != nullptr) {
    Slot* next = s->next == 0 ? nullptr : at(s->next - 1);
    s->next = in_order == nullptr ? 0 : in_order->index + 1;
    in_order = s;
    s = next;
  }
  while (in_order != nullptr) {
    Slot* next = in_order->next == 0 ? nullptr : at(in_order->next - 1);
    in_order->next = 0;
    if (tail_ != 0)
      at(tail_ - 1)->next = in_order->index + 1;
    else
      head_ = in_order->index + 1;
    tail_ = in_order->index + 1;
    ++free_;
    in_order = next;
  }
}

mw_handle Slots::take(Kind kind, Pinned* object) noexcept {
  collect();
  Slot* s = nullptr;
  if (free_ < kReuseAbove && (fresh_ < fresh_end_ || grow())) {
    s = at(fresh_++);
  } else if (head_ != 0) {
    s = at(head_ - 1);
    head_ = s->next;
    if (head_ == 0) tail_ = 0;
    --free_;
  } else {
    return 0;
  }
  uint64_t generation = s->word.load(std::memory_order_relaxed) >> 40;
  s->object.store(object, std::memory_order_relaxed);
  s->word.store(generation << 40 | kLive, std::memory_order_release);
  return static_cast<uint64_t>(kind) << 48 | generation << 24 | s->index;
}

void Slots::give_back(Slot* s) noexcept {
  uint64_t generation = ((s->word.load(std::memory_order_relaxed) >> 40) + 1) & kGenerationMask;
  s->word.store(generation << 40, std::memory_order_release);
  if (generation == first_generation()) return;  // all used up: retired for good
  // top's index was written by whoever made its chunk.
  Slot* top = returned_.load(std::memory_order_acquire);
  do {
    s->next = top == nullptr ? 0 : top->index + 1;
  } while (!returned_.compare_exchange_weak(top, s, std::memory_order_release, std::memory_order_acquire));
}

Slot* pin(mw_handle h) noexcept {
  Slot* s = slot_of(h);
  if (s == nullptr) return nullptr;
  uint64_t w = s->word.load(std::memory_order_relaxed);
  do {
    if ((w & kLive) == 0 || (w >> 40) != ((h >> 24) & kGenerationMask)) return nullptr;
  } while (!s->word.compare_exchange_weak(w, w + 1, std::memory_order_acquire, std::memory_order_relaxed));
  return s;
}

void unpin(Slot* s) noexcept {
  uint64_t w = s->word.fetch_sub(1, std::memory_order_acq_rel) - 1;
  if ((w & kDead) == 0 || (w & kPins) != 0) return;
  Pinned* object = s->object.load(std::memory_order_relaxed);
  s->home->give_back(s);
  object->dispose();
}

void retire(mw_handle h) noexcept {
  Slot* s = slot_of(h);
  uint64_t w = s->word.load(std::memory_order_relaxed);
  // One pin of our own while the state changes, so exactly one unpin is the last.
  while (!s->word.compare_exchange_weak(w, ((w & ~kLive) | kDead) + 1, std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
  }
  unpin(s);
}

void retire_once(mw_handle h) noexcept {
  Slot* s = pin(h);
  if (s == nullptr) return;
  uint64_t w = s->word.load(std::memory_order_relaxed);
  while ((w & kLive) != 0 &&
         !s->word.compare_exchange_weak(w, (w & ~kLive) | kDead, std::memory_order_acq_rel, std::memory_order_relaxed)) {
  }
  unpin(s);
}

}  // namespace mw::base
