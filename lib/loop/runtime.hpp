// A context: its lanes, inbox, budget, door and children, and the order in
// which they end. Used by abi and link. Any thread unless said otherwise.
#pragma once
#include "base/conf.hpp"
#include "loop/inbox.hpp"
#include "loop/lane.hpp"
#include "loop/object.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace mw::loop {

// What a context owns without knowing it: the control thread of net.
class Service {
 public:
  virtual ~Service() = default;
  virtual void stop() = 0;
  virtual bool join(std::chrono::milliseconds limit) = 0;
};

// A request bit that every child understands: its context closes.
inline constexpr uint32_t kCloseRequest = 1;

class Runtime final : public Object {
 public:
  static base::Result<mw_handle> open(std::shared_ptr<const base::Conf> conf);

  bool alive() const noexcept;  // born in this process, not inherited by fork
  uint64_t birth() const noexcept { return birth_; }
  int threads() const noexcept { return threads_; }
  bool queued() const noexcept { return threads_ > 0 && queued_; }
  Lane& home() noexcept { return *lanes_[0]; }
  size_t lane_count() const noexcept { return lanes_.size(); }
  Lane& lane_at(size_t i) noexcept { return *lanes_[i]; }
  Lane& next_lane() noexcept;
  const base::Conf& conf() const noexcept { return *conf_; }
  Budget& budget() noexcept { return budget_; }
  Inbox* inbox() noexcept { return inbox_.get(); }
  Target* target() noexcept { return target_; }  // home lane only, null after CLOSED

  // The doors.
  mw_status run(int64_t timeout_ms);
  mw_status take(Slab& slab);
  mw_status dispatch(size_t max, size_t* n);
  mw_status fd(int* out);
  mw_status waker(mw_wake_fn fn, void* user);
  mw_status wait(int64_t timeout_ms);
  mw_status wake();
  mw_status join(base::Slot* pin, int64_t timeout_ms);  // unpins; MW_OK: *this is freed
  mw_status on(mw_event_fn fn, void* user, mw_free_fn free_user);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  // Bytes lent by the host go home where its callbacks run: release(hint), or
  // RELEASED where there is no function. False: the context has ended.
  bool release(mw_free_fn fn, void* hint);
  mw_status close_in_child() noexcept;  // inherited by fork: only closes descriptors

  // Children: objects whose CLOSED comes before ours.
  bool add_child(Object* o);   // false: closing
  void child_gone(Object* o);  // after its CLOSED, on a lane
  void begin_close();
  bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }

  // Made by the first who needs it.
  template <class Make>
  std::shared_ptr<Service> service(Make make) {
    std::lock_guard lock(mutex_);
    if (!service_) service_ = make();
    return service_;
  }

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

  std::atomic<int64_t> objects{0};  // Objects of this context whose memory is not freed yet

 private:
  enum class Way : uint8_t { none, run, take, dispatch };
  static constexpr uint32_t kFinish = 2;
  Runtime(std::shared_ptr<const base::Conf> conf, int threads, bool queued);
  ~Runtime();
  bool enter_door(Way w);
  void finish();
  void start_threads();
  void poke_lanes() noexcept;

  std::shared_ptr<const base::Conf> conf_;
  std::shared_ptr<const base::Conf> live_;  // conf_ with the changes since
  const uint64_t birth_;
  const int threads_;
  const bool queued_;
  Budget budget_;
  std::unique_ptr<Inbox> inbox_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::thread> workers_;
  std::shared_ptr<Service> service_;
  Target* target_ = nullptr;
  std::mutex mutex_;  // children, service, conf, target before start
  std::condition_variable ended_cv_;
  std::set<Object*> children_;
  int running_threads_ = 0;
  bool told_ = false;
  std::atomic<Way> way_{Way::none};
  std::atomic<bool> closing_{false};
  std::atomic<bool> finished_{false};  // CLOSED was emitted
  std::atomic<bool> woken_{false};
  std::atomic<bool> taking_{false};
  std::atomic<bool> joining_{false};
  std::atomic<bool> destroyed_{false};
  std::atomic<bool> closed_in_child_{false};
  std::atomic<std::thread::id> dispatcher_{};
  std::atomic<size_t> next_lane_{0};
};

}  // namespace mw::loop
