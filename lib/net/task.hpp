// How the coroutines of the control thread wait. Errors come back as values; a
// cancelled coroutine is torn down by Asio (its next co_await throws
// operation_aborted), so what must be undone stands in destructors.
// For net's own .cpp files only (it shows Boost). Control thread.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace mw::net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

// co_await anything(..., kValue) gives [error_code, result...].
inline constexpr auto kValue = asio::as_tuple(asio::use_awaitable);

// A place where one coroutine sleeps until it is rung for or the time is over;
// whoever wakes up looks for himself what happened.
class Bell {
 public:
  explicit Bell(const asio::any_io_executor& ex) : timer_(ex) {}
  Task<void> wait() { return until(asio::steady_timer::time_point::max()); }
  Task<void> wait(std::chrono::milliseconds limit) { return until(asio::steady_timer::clock_type::now() + limit); }
  void ring() { timer_.cancel(); }

 private:
  Task<void> until(asio::steady_timer::time_point t) {
    timer_.expires_at(t);
    co_await timer_.async_wait(kValue);
  }
  asio::steady_timer timer_;
};

// Runs when a coroutine's frame goes, however that comes about: where memory
// lacks, Asio may drop a coroutine without an exception inside it and without
// calling its completion handler. f must not throw.
template <class F>
class AtEnd {
 public:
  explicit AtEnd(F f) : f_(std::move(f)) {}
  AtEnd(const AtEnd&) = delete;
  ~AtEnd() { f_(); }

 private:
  F f_;
};

}  // namespace mw::net
