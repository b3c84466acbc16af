// A call of the other end that waits for its answer: the handle the host
// answers, its deadline, the credit of its parts, and the calls made for it.
// Made by callee, answered through session_calls. Fields: see each.
#pragma once
#include "link/outbox.hpp"
#include "loop/object.hpp"
#include "loop/wheel.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace mw::link {

class Callee;
class JobQueue;
class Request;
class Service;
struct Repeat;

// A call made for a request, on the request's lane; hears of its cancel.
struct Child {
  Child* prev = nullptr;
  Child* next = nullptr;
  Request* parent = nullptr;   // null: not in its list
  loop::Lane* lane = nullptr;  // of the call
  mw_handle link = 0;          // the consumer or peer it was made on
  uint64_t number = 0, op = 0;
};

// Ends the call of a child of this lane's, which is in no list; it may be gone then.
void cancel_child(Child& c) noexcept;

class Request final : public loop::Object, public loop::Timer {
 public:
  enum class State : uint8_t { open, answered, canceled };
  Request(loop::Runtime& ctx, loop::Lane& home);
  // The one that this handle names; null: it is over, or 0. The lane of both.
  static Request* find(loop::Lane& l, mw_handle h) noexcept;
  // The host's, which no connection has: its memory is accounted for, its fixed
  // fields can be set until it enters. Null: *why is MW_EMEMORY or MW_ENOMEM.
  static Request* make(loop::Runtime& ctx, loop::Lane& home, mw_status* why) noexcept;
  bool enter() noexcept;               // takes a handle; false: without memory, and it is gone

  // ---- any thread that has a pin
  mw_handle link = 0;                  // the peer or consumer it came from
  uint64_t deadline = 0;               // ms of the monotonic clock; 0: none
  std::atomic<bool> answered{false};   // its final answer was accepted
  // Bytes of parts that may go at once; below 0 they are kept here, down to -window.
  std::atomic<int64_t> credit{0};
  int64_t window = 0;
  std::atomic<bool> wants{false};      // a sender of parts waits for WRITABLE
  // A part is to be accepted: MW_OK, MW_BUFFERED (it or the next is kept) or MW_EAGAIN.
  mw_status spend(int64_t cost) noexcept;
  // The host's, of a call with a key (repeats): no connection's. Fixed before its handle.
  bool once = false;
  std::shared_ptr<Repeat> repeat;      // of a caller's: while it waits, the lane's
  // Of a service with a queue: the host's, which is no connection's, and its caller's. The host's is fixed before its handle.
  JobQueue* jobs = nullptr;
  uint64_t job = 0;
  void unspend(int64_t cost) noexcept { credit.fetch_add(cost, std::memory_order_seq_cst); }  // it was not

  // ---- the lane
  void adopt(Child& c) noexcept;       // c.parent is null
  static void leave(Child& c) noexcept;
  void end_children() noexcept;        // of one that is over: they go on, or are cancelled with it
  void end(State how) noexcept;        // of one that no connection has
  void expired() noexcept override;
  void attend(uint32_t) override {}
  void dispose() noexcept override;
  void destroy(bool dead) noexcept override;

  Callee* callee = nullptr;            // null: over
  Service* service = nullptr;
  uint64_t number = 0;                 // the caller's; once: the op of an answer nobody waits for
  int64_t sendable = 0;                // credit of what is written; parts go while it is above 0
  Outbox held;                         // parts without credit, and what follows them
  State state = State::open;
  bool told = false;                   // the host has its REQUEST
  bool* gone = nullptr;                // set instead of freeing, see dispose()
  Request* same = nullptr;             // Index
  Request *prev = nullptr, *next = nullptr;                        // of its connection
  Request *before_at_service = nullptr, *after_at_service = nullptr;
  Child* children = nullptr;

 private:
  ~Request();
};

}  // namespace mw::link
