// The control thread of a context: one Asio io_context for everything that
// happens once per connection (resolve, connect, accept, handshake, upgrade,
// pages). Started by the first post, at lower priority, all signals blocked.
// Used by net's own files and by link to open listeners and dialers. Any thread.
#pragma once
#include "base/result.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace mw::net {

class Control {
 public:
  explicit Control(std::string name);  // of the thread, at most 15 bytes are used
  ~Control();  // stop() and join() must have happened, or no post ever
  // Starts the thread unless it runs; MW_EIO where the system refuses it or the
  // descriptors of its poller. A post does the same and throws
  // std::system_error instead, so who posts first calls start() first.
  base::Result<void> start();
  void post(std::function<void()> fn);
  // When all work is gone the thread ends; nothing may be posted after.
  void stop();
  bool join(std::chrono::milliseconds limit);
  bool on_thread() const noexcept;

  struct Impl;  // holds the io_context; for net's own .cpp files
  Impl& impl() noexcept { return *impl_; }

 private:
  base::Result<void> begin();
  std::unique_ptr<Impl> impl_;
};

}  // namespace mw::net
