// What a party serves: the handle of one name, and the directory of them all.
// Used by callee (finding), party (closing) and abi. Fields and functions: see each.
#pragma once
#include "base/result.hpp"
#include "link/step.hpp"
#include "loop/lane.hpp"
#include "loop/object.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mw::base {
class Conf;
}

namespace mw::link {

class JobQueue;
class Party;
class Repeats;
class Request;

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>()(s); }
};
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

class Service final : public loop::Object {
 public:
  static constexpr size_t kMaxName = 255;
  // Any thread that has a pin of the party.
  // jobs: what its calls wait in, or null.
  static base::Result<mw_handle> open(Party& party, std::string_view name, const base::Conf& conf, uint64_t token,
                                      std::unique_ptr<JobQueue> jobs);
  mw_status drain(int64_t deadline_ms, uint64_t op);
  void pause(bool on) noexcept { paused_.store(on, std::memory_order_relaxed); }
  mw_status state() const noexcept;
  int64_t running() const noexcept;
  // What came of its calls, so far: taken, answered with a failure, and over without an answer of its own.
  struct Counts {
    uint64_t taken = 0, failed = 0, canceled = 0;
  };
  Counts counts() const noexcept;

  // ---- a lane of the party
  // Whether it takes a call of this method (of its own, without its name) now; MW_OK or why not.
  // waits: until dismiss() or left().
  mw_status admit(std::string_view method, bool waits) noexcept;
  void dismiss() noexcept {
    if (max_concurrent_ != 0) concurrent_.fetch_sub(1, std::memory_order_relaxed);
  }
  void took(const loop::Lane& on) noexcept { count(desk(on).taken); }
  void failed(const loop::Lane& on) noexcept { count(desk(on).failed); }
  void canceled(const loop::Lane& on) noexcept { count(desk(on).canceled); }
  void joined(Request& r) noexcept;
  void left(Request& r) noexcept;
  void tell_cancel(mw_handle request, mw_handle peer, loop::Lane& on, mw_status why, int32_t code);
  Repeats* repeats() const noexcept { return repeats_.get(); }  // null: keys are not remembered
  JobQueue* jobs() const noexcept { return jobs_.get(); }  // null: calls do not wait here
  Party& party() const noexcept { return party_; }

  // ---- the home lane
  void end();
  void jobs_over() {  // in a turn: its queue is empty
    if (empty_ == desks_.size()) end();
  }
  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

  const std::string name;

 private:
  // Its part of one lane.
  struct alignas(64) Desk {
    void cancel_all();
    void look() {  // draining: nothing new comes; is it over?
      draining = true;
      if (first == nullptr) tell_empty();
    }
    void tell_empty() {
      if (!std::exchange(told, true)) service->lane->post(&empty_step);
    }
    void emptied() { service->desk_empty(); }
    void back() { service->desk_back(); }
    Step<Desk> cancel_step{*this, &Desk::cancel_all}, look_step{*this, &Desk::look},
        empty_step{*this, &Desk::emptied}, back_step{*this, &Desk::back};
    Service* service = nullptr;
    loop::Lane* lane = nullptr;
    Request* first = nullptr;
    std::atomic<int64_t> running{0};  // written by the lane; the same
    std::atomic<uint64_t> taken{0}, failed{0}, canceled{0};
    bool draining = false, told = false;
  };
  struct DrainTimer final : loop::Timer {
    Service* service = nullptr;
    void expired() noexcept override { service->end(); }
  };
  Service(Party& party, std::string_view name, const base::Conf& conf);
  ~Service();
  static void count(std::atomic<uint64_t>& n) noexcept {
    n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  Desk& desk(const loop::Lane& l) noexcept {
    return desks_[desks_.size() == 1 ? 0 : static_cast<size_t>(l.index)];
  }
  void born();
  void begin_drain();
  void desk_empty();
  void desk_back();
  void tell_closed();

  Party& party_;
  std::vector<Desk> desks_;
  TextSet methods_;                    // empty: any
  int64_t max_concurrent_;
  std::unique_ptr<Repeats> repeats_;
  std::unique_ptr<JobQueue> jobs_;
  std::atomic<int64_t> concurrent_{0};  // counted where there is a limit
  std::atomic<bool> paused_{false}, draining_{false}, over_{false};
  std::mutex mutex_;
  std::vector<uint64_t> drain_ops_;    // under mutex_
  int64_t drain_ms_ = 0;               // under mutex_
  DrainTimer timer_;
  size_t empty_ = 0, left_ = 0;
  bool born_ = false, ending_ = false;
};

// Names to services, of one party. Changing copies; lanes read the copy they know.
class Services {
 public:
  explicit Services(size_t lanes) : seen_(lanes) {}
  // Any thread.
  mw_status add(Service& s);
  void remove(Service& s);
  struct Found {
    Service* service = nullptr;
    std::string_view method;  // what is left behind the service's name
    bool near = false;        // none, but others begin with the same first part
  };
  // Each of them, while none comes or goes.
  template <class F>
  void each(F f) const {
    std::lock_guard lock(mutex_);
    for (const auto& [name, service] : names_->services) f(*service);
  }
  // On the lane of this index.
  Found find(size_t lane, std::string_view target);
  // What was found stays true while it does not change; a service lives longer than that on each lane.
  uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

 private:
  struct Names {
    std::unordered_map<std::string, Service*, TextHash, std::equal_to<>> services;
    TextSet first;            // parts of the names
  };
  struct alignas(64) Seen {
    uint64_t version = 0;
    std::shared_ptr<const Names> names;
  };
  void publish(std::shared_ptr<Names> n);
  mutable std::mutex mutex_;
  std::shared_ptr<const Names> names_ = std::make_shared<Names>();  // under mutex_
  std::atomic<uint64_t> version_{0};
  std::vector<Seen> seen_;
};

}  // namespace mw::link
