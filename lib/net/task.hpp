// How the coroutines of the control thread wait. Errors come back as values; a
// cancelled coroutine is torn down by Asio (its next co_await throws
// operation_aborted), so what must be undone stands in destructors.
// For net's own .cpp files only (it shows Boost). Control thread.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace mw::net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

// co_await anything(..., kValue) gives [error_code, result...].
inline constexpr auto kValue = asio::as_tuple(asio::use_awaitable);

// Runs a coroutine that signal cancels. Asio looks at the signal until the very
// end of the coroutine, one turn after its last line, so keep, which owns the
// signal, is held until then.
template <class Owner>
void spawn(asio::io_context& io, Task<void> task, asio::cancellation_signal& signal, std::shared_ptr<Owner> keep) {
  asio::co_spawn(io, std::move(task),
                 asio::bind_cancellation_slot(signal.slot(), [keep = std::move(keep)](std::exception_ptr) {}));
}

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
