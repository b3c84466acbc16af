// The control thread of a context: one Asio io_context for everything that
// happens once per connection (resolve, connect, accept, handshake, upgrade,
// pages). Started by the first post, at lower priority, all signals blocked.
// Used by net's own files and by link to open listeners and dialers. Any thread.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace mw::net {

class Control {
 public:
  explicit Control(std::string name);  // thread name, at most 15 bytes are used
  ~Control();                          // stop() and join() must have happened, or no post ever
  void post(std::function<void()> fn);
  // When all work is gone the thread ends; nothing may be posted after.
  void stop();
  bool join(std::chrono::milliseconds limit);
  bool on_thread() const noexcept;

  struct Impl;  // holds the io_context; for net's own .cpp files
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace mw::net
