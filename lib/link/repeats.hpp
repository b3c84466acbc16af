// Calls that carry the header "key" run once in a window, whoever repeats them
// and on whatever connection: a repeat waits for the same answer, or gets the
// one that was given. One a service that has dedupe.window. The host has a
// request of its own, which no connection ends; the callers' requests wait for
// it. Made by service, asked by callee. Each function: see its thread.
#pragma once
#include "base/message.hpp"
#include "loop/lane.hpp"
#include "wire/call.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::link {

class Request;
class Service;

// An answer, kept to be given again.
struct Answer {
  base::MsgRef body;  // with its headers
  uint32_t wire_flags = 0, flags = 0;
  mw_status status = MW_OK;
};

// One key. Shared by the table, the host's request and those that wait.
struct Repeat {
  struct Waiter {
    loop::Lane* lane;
    mw_handle request;
  };
  explicit Repeat(std::string n) : name(std::move(n)) {}
  const std::string name;      // method, a zero, the key
  std::mutex mutex;            // what follows
  loop::Lane* lane = nullptr;  // of the host's request
  mw_handle running = 0;       // the host's request; 0: answered, or given up
  bool answered = false;
  Answer answer;
  std::vector<Waiter> waiters;
};

class Repeats {
 public:
  static constexpr size_t kMaxKey = 255;
  Repeats(uint64_t window_ms, int64_t max_bytes) noexcept : window_(window_ms), max_(max_bytes) {}

  // ---- the lane of a caller's request
  enum class Is { first, waits, answered };
  // What to do with a caller's request of this key; `first`: run() follows. Throws: nothing was changed.
  Is arrive(Request& caller, std::string_view method, std::string_view key, uint64_t now, Answer* again);
  // The host's request for the first of them, among the service's running ones; null: no memory, `why` it is.
  Request* run(Request& caller, Service& service, mw_status* why);
  // Gives it the answer, which may fail: then it hears why.
  static void answer(Request& caller, const Answer& a, uint64_t op) noexcept;
  // A caller waits no more; MW_CANCEL_GONE: its connection went, so it may ask again.
  static void leave(Request& caller, mw_status why, int32_t code) noexcept;

  // ---- any thread that has a pin of the host's request
  static mw_status reply(Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                         uint64_t op);

  // ---- the lane of the host's request
  // Nobody waits, or the service ends: CANCEL for the host, `tell` for those that wait.
  static void give_up(Request& host, mw_status tell, mw_status why, int32_t code);
  static void expired(Request& host);  // nobody has asked again

 private:
  static void finish(Request& host);
  static void tell_waiters(Repeat& r, mw_handle but, mw_status status);
  void forget(const std::string& name) noexcept;
  void remember(const std::shared_ptr<Repeat>& r, uint64_t now);
  void forget_oldest() noexcept;  // under mutex_

  const uint64_t window_;  // ms
  const int64_t max_;
  std::mutex mutex_;       // what follows
  std::unordered_map<std::string_view, std::shared_ptr<Repeat>> all_;  // the names are the entries' own
  struct Kept {
    std::shared_ptr<Repeat> repeat;
    uint64_t until;        // ms of the monotonic clock
    int64_t bytes;
  };
  std::deque<Kept> kept_;  // answered ones, the oldest first
  int64_t bytes_ = 0;
};

}  // namespace mw::link
