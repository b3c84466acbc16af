// What we asked of the other end of one connection: calls from their number
// to their DONE. Owned by speech. The lane's thread; open perhaps between
// turns, so it tells no events.
#pragma once
#include "base/handle.hpp"
#include "link/index.hpp"
#include "loop/lane.hpp"
#include "wire/call.hpp"

#include <cstdint>

namespace mw::link {

class Caller;
class Session;
struct Child;

struct Call final : loop::Timer {
  explicit Call(Caller& c) noexcept : caller(c) {}
  void expired() noexcept override;

  Caller& caller;
  uint64_t number = 0, op = 0;
  Call *same_number = nullptr, *same_op = nullptr;  // Index
  Call *prev = nullptr, *next = nullptr;            // in the order they were made
  uint64_t window = 0;   // bytes of parts that may come at once
  uint64_t taken = 0;    // bytes of parts the host took and the other end does not know of
  int32_t parts = 0;
  bool held = false;     // no credit is given
  bool canceled = false;  // at the next tick of the clock
  Child* child = nullptr;  // of the request it is made for
  loop::Lane* child_lane = nullptr;
};

class Caller {
 public:
  explicit Caller(Session& s) noexcept;
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  uint64_t next_number() noexcept { return ++last_; }
  // A call that waits from now on. deadline 0: for ever. Null: *why.
  Call* open(uint64_t op, uint64_t deadline, uint64_t window, mw_status* why);
  void forget(Call& c) noexcept;  // it was not made after all
  // Makes it hear of the end of a request. parent: pinned.
  void follow(Call& c, base::Pin&& parent);

  // ---- a packet of the other end. False: the connection failed.
  bool reply(const wire::TalkView& t);
  bool part(const wire::TalkView& t);

  // ---- in a turn
  void cancel(uint64_t op);
  // Who gets the parts has no room: no more credit, until it has. The lane.
  void hold(uint64_t op, bool on);
  void cancel_number(uint64_t number, uint64_t op);
  void fail(uint64_t number, mw_status why);  // one that was never sent
  void end(mw_status why) noexcept;  // no answers will come
  size_t open_calls() const noexcept { return by_number_.size(); }

 private:
  friend struct Call;
  static constexpr size_t kMaxOpen = 1 << 20;
  static constexpr size_t kSpares = 16;
  void finish(Call& c, mw_status why, bool tell_callee) noexcept;
  void close(Call& c) noexcept;
  void give_credit(Call& c);

  Session& s_;
  uint64_t last_ = 0;
  Index<Call, &Call::number, &Call::same_number> by_number_;
  Index<Call, &Call::op, &Call::same_op> by_op_;
  Call *first_ = nullptr, *tail_ = nullptr;
  Call* spare_ = nullptr;
  size_t spares_ = 0;
  bool full_ = false;  // one was refused
};

}  // namespace mw::link
