// The queue of a service on its lane: brings core::Queue the calls that come,
// makes the host's requests of those whose turn it is, answers their callers,
// takes back what is not answered in time, and tells of what is given up.
// Made for each service by mw_serve. Functions: see link/job_queue.hpp.
#pragma once
#include "base/conf.hpp"
#include "link/job_queue.hpp"
#include "loop/lane.hpp"
#include "loop/wheel.hpp"
#include "mesh/core/queue.hpp"

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

namespace mw::mesh {

class Jobs final : public link::JobQueue {
 public:
  static constexpr std::string_view kKey = "queue.key";  // the header
  explicit Jobs(const base::Conf& service);
  ~Jobs();

  Numbers numbers() const noexcept override;
  void serve(link::Service& s) override { service_ = &s; }
  mw_status arrive(link::Session& from, link::Request* caller, const wire::TalkView& t, uint32_t flags,
                   std::string* text) override;
  void leave(link::Request& caller, mw_status why, int32_t code) noexcept override;
  mw_status answered(link::Request& host, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                     uint64_t op) override;
  void returned(link::Request& host, mw_status code, std::string_view json) override;
  bool idle() const noexcept override { return queue_.size() == 0; }
  void end() noexcept override;

 private:
  struct Ticket {
    mw_handle from = 0;    // the connection it came over
    mw_handle caller = 0;  // its request; 0: a oneway call
    mw_handle host = 0;    // the host's request, while it runs
    int64_t cost = 0;      // of the budget
  };
  struct Dead {
    base::MsgRef job;
    uint32_t attempts;
  };
  struct Timer final : loop::Timer {
    Jobs* jobs = nullptr;
    void expired() noexcept override { jobs->look(); }
  };
  loop::Lane& lane() const noexcept;
  int64_t now() const noexcept;
  void pump() noexcept;           // in a turn: what may run does
  void pump_soon() noexcept;      // the same, from a call of the host's
  void look() noexcept;           // leases and delays
  bool tell(uint64_t id);         // false: no memory, later
  void cut(Ticket& k, mw_status why, int32_t code) noexcept;  // the host's request is over
  void failed(uint64_t id, mw_status code, std::string_view json);
  void forget(uint64_t id) noexcept;
  void tell_dead() noexcept;
  void dropped(const base::MsgRef& job, mw_status why, size_t n, uint32_t attempts) noexcept;
  void publish() noexcept;

  core::Queue queue_;
  link::Service* service_ = nullptr;
  std::unordered_map<uint64_t, Ticket> tickets_;
  std::vector<Dead> dead_;        // to be told in a turn
  Timer timer_;
  bool ended_ = false, pumping_ = false;
  struct Shown {
    std::atomic<uint64_t> waiting{0}, running{0}, bytes{0}, taken{0}, refused{0}, done{0}, again{0}, dead{0}, dropped{0};
  } shown_;
};

}  // namespace mw::mesh
