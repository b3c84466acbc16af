// One epoll set: add, modify, delete, wait, and the descriptor itself so that
// a host can poll it. Level-triggered. Owned by a lane; one thread.
#pragma once
#include <sys/epoll.h>

#include <cstdint>
#include <vector>

namespace mw::loop {

// Something with a descriptor on a lane, or with output or input left over
// from the last time.
class Source {
 public:
  virtual void on_ready(uint32_t events) = 0;  // EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR
  virtual void on_flush() = 0;                 // write what was collected in this turn
  virtual void on_resume() = 0;                // go on where there was no room
  virtual void on_trouble() noexcept {}        // one of these threw: no memory
  virtual void on_budget() {}                  // the memory budget may have room again
  Source* next_flush = nullptr;
  Source* next_resume = nullptr;
  bool in_flush = false;
  bool in_resume = false;

 protected:
  ~Source() = default;
};

class Poller {
 public:
  static constexpr int kBatch = 512;  // told at once
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  int fd() const noexcept { return fd_; }
  bool add(int fd, uint32_t events, Source* s) noexcept;
  bool mod(int fd, uint32_t events, Source* s) noexcept;
  void del(int fd) noexcept;
  // Returns how many are ready; -1 = none and errno.
  int wait(int timeout_ms) noexcept;
  Source* source(int i) const noexcept { return static_cast<Source*>(events_[static_cast<size_t>(i)].data.ptr); }
  uint32_t events(int i) const noexcept { return events_[static_cast<size_t>(i)].events; }

 private:
  std::vector<epoll_event> events_;
  int fd_;  // after what may throw
};

}  // namespace mw::loop
