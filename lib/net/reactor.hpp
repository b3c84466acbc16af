// The inside of Control: the io_context that the control thread runs.
// For net's own .cpp files only (it shows Boost). `io` may be used from any
// thread for posting; sockets, timers and coroutines live on the control thread.
#pragma once
#include "net/control.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <pthread.h>

namespace mw::net {

namespace asio = boost::asio;

struct Control::Impl {
  explicit Impl(std::string n) : name(std::move(n)) {}

  std::string name;
  asio::io_context io{1};

  std::mutex mutex;  // guards what follows
  // Its service owns the poller's descriptors; made by start(), so that their
  // lack is an answer there and not an exception anywhere else.
  std::optional<asio::steady_timer> poller;
  std::condition_variable over;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::optional<pthread_t> thread;
  std::atomic<bool> running{false};
  bool stopped = false, ended = false, joined = false;

  void run() noexcept;
};

}  // namespace mw::net
