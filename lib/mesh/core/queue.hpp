// The queue of a service: which of its calls runs, which waits for its turn,
// which comes again later, which was tried too often. Calls of one key run one
// at a time in the order they came; of several keys `parallel` at once, a turn
// each. It decides and counts; what a call is lies with a JobStore.
// Used by mesh (jobs). No I/O and no clock of its own; one thread.
#pragma once
#include "base/message.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::mesh::core {

// Where the calls of a queue lie. What put() took is there until remove(). An
// engine that outlives the process writes before it returns.
class JobStore {
 public:
  virtual ~JobStore() = default;
  virtual bool put(uint64_t id, std::string_view key, base::MsgRef job) = 0;  // false: it cannot be kept
  virtual base::MsgRef get(uint64_t id) const = 0;
  virtual void tried(uint64_t id, uint32_t attempts) = 0;                     // it is about to run
  virtual void remove(uint64_t id) noexcept = 0;
};

class MemoryStore final : public JobStore {
 public:
  bool put(uint64_t id, std::string_view key, base::MsgRef job) override;
  base::MsgRef get(uint64_t id) const override;
  void tried(uint64_t, uint32_t) override {}
  void remove(uint64_t id) noexcept override { jobs_.erase(id); }

 private:
  std::unordered_map<uint64_t, base::MsgRef> jobs_;
};

struct QueueConfig {
  size_t max = 10'000;
  int64_t max_bytes = 16 << 20;
  size_t parallel = 1;
  int64_t lease = 30'000;   // ms; 0: none
  uint32_t attempts = 5;
  int64_t backoff = 1'000;  // ms
};

class Queue {
 public:
  static constexpr int kMostDoublings = 6;  // of the backoff
  enum class Put : uint8_t { taken, full, full_bytes, not_kept };

  Queue(const QueueConfig& config, std::unique_ptr<JobStore> store) : c_(config), store_(std::move(store)) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // A call comes; *id, from 1 up, is its name. Throws std::bad_alloc with nothing changed.
  Put put(std::string_view key, base::MsgRef job, int64_t bytes, uint64_t* id);
  // Those that may run from now on, into out; each then ends by done, again or drop.
  void start(int64_t now, std::vector<uint64_t>& out);
  // Those that have run longer than their lease: again() follows.
  void late(int64_t now, std::vector<uint64_t>& out) const;
  void done(uint64_t id) noexcept { end(id, counters.done); }
  // One that runs did not get done. True: it comes again; false: that was the last time, and it is gone.
  bool again(uint64_t id, int64_t now) noexcept;
  // One that start() gave could not be begun: as if it had not, until then.
  void defer(uint64_t id, int64_t until) noexcept;
  void drop(uint64_t id) noexcept { end(id, counters.dropped); }  // nobody wants it any more

  // When start or late may have something that they have not now; INT64_MAX: not by time alone.
  int64_t next() const noexcept;
  base::MsgRef job(uint64_t id) const { return store_->get(id); }
  bool has(uint64_t id) const noexcept { return jobs_.find(id) != jobs_.end(); }
  uint32_t attempts(uint64_t id) const noexcept;
  size_t size() const noexcept { return jobs_.size(); }
  size_t running() const noexcept { return running_.size(); }
  size_t delayed() const noexcept { return delayed_.size(); }  // keys that wait before they come again
  int64_t bytes() const noexcept { return bytes_; }
  const QueueConfig& config() const noexcept { return c_; }

  struct Counters {
    uint64_t taken = 0, refused = 0, done = 0, again = 0, dead = 0, dropped = 0;
  } counters;

 private:
  struct Line;
  struct Job {
    uint64_t id = 0;
    int64_t bytes = 0;
    uint32_t attempts = 0;
    std::list<Line>::iterator line;
  };
  // The calls of one key. It is in one of three lists, and moves without memory.
  enum class Is : uint8_t { ready, running, delayed };
  struct Line {
    std::string key;
    std::list<Job> jobs;  // the first one runs, or is the next to
    Is is = Is::ready;
    int64_t due = 0;      // end of its lease or delay
  };
  void move(std::list<Line>::iterator line, Is to) noexcept;
  bool runs(uint64_t id, std::list<Line>::iterator& line) noexcept;
  std::list<Line>& list(Is is) noexcept { return is == Is::ready ? ready_ : is == Is::running ? running_ : delayed_; }
  void end(uint64_t id, uint64_t& counter) noexcept;

  const QueueConfig c_;
  std::unique_ptr<JobStore> store_;
  std::list<Line> ready_, running_, delayed_;  // ready: in turn; running: the oldest lease first
  std::unordered_map<std::string_view, std::list<Line>::iterator> lines_;  // the names are the lines' own
  std::unordered_map<uint64_t, std::list<Job>::iterator> jobs_;
  uint64_t last_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace mw::mesh::core
