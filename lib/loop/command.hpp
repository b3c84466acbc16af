// What other threads ask of a lane: a lock-free queue, emptied in the order it
// was filled. Used by lanes and all that live on them. push: any thread.
#pragma once
#include <atomic>

namespace mw::loop {

class Lane;

struct Command {
  Command* next = nullptr;
  // On the lane; the command owns itself. With dead = true the lane is gone:
  // only free what is held.
  // Where memory lacks: a run that throws std::bad_alloc is repeated until it
  // gets through, with all behind it waiting, so it takes its memory before it
  // changes anything. What concerns one connection does not throw: it ends that
  // connection and the lane goes on.
  virtual void run(Lane& lane, bool dead) = 0;

 protected:
  ~Command() = default;
};

class CommandQueue {
 public:
  void push(Command* c) noexcept {
    Command* top = top_.load(std::memory_order_relaxed);
    do {
      c->next = top;
    } while (!top_.compare_exchange_weak(top, c, std::memory_order_seq_cst, std::memory_order_relaxed));
  }
  bool empty() const noexcept { return top_.load(std::memory_order_seq_cst) == nullptr; }
  // All of them, oldest first. The lane only.
  Command* take() noexcept {
    if (top_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    Command* c = top_.exchange(nullptr, std::memory_order_acquire);
    Command* first = nullptr;
    while (c != nullptr) {
      Command* next = c->next;
      c->next = first;
      first = c;
      c = next;
    }
    return first;
  }

 private:
  std::atomic<Command*> top_{nullptr};
};

}  // namespace mw::loop
