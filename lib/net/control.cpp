#include "net/reactor.hpp"
#include "net/tls.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <system_error>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mw::net {

namespace {

// Handshakes and pages yield to the lanes: a storm of them must not slow
// established traffic.
constexpr int kNicer = 5;

thread_local const void* t_running = nullptr;

}  // namespace

void Control::Impl::run() noexcept {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
  auto self = static_cast<id_t>(::syscall(SYS_gettid));
  ::setpriority(PRIO_PROCESS, self, std::min(19, ::getpriority(PRIO_PROCESS, self) + kNicer));
  t_running = this;
  for (bool done = false; !done;) {
    try {
      io.run();
      done = true;
    } catch (...) {
      // A handler that threw (no memory) is finished; the others go on.
    }
  }
  t_running = nullptr;
  std::lock_guard lock(mutex);
  ended = true;
  over.notify_all();
}

Control::Control(std::string name) : impl_(std::make_unique<Impl>(std::move(name))) { init_crypto(); }

Control::~Control() {
  stop();
  join(std::chrono::hours(24));
}

base::Result<void> Control::start() {
  try {
    return begin();
  } catch (const std::bad_alloc&) {
    return base::Error{MW_ENOMEM, 0, ""};
  }
}

base::Result<void> Control::begin() {
  Impl& i = *impl_;
  if (i.running.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(i.mutex);
  if (i.thread || i.stopped) return {};
  try {
    if (!i.poller) i.poller.emplace(i.io);
  } catch (const boost::system::system_error& e) {
    return base::Error{MW_EIO, e.code().value(), "no poller for connections: " + e.code().message()};
  }
  // The thread inherits this mask, so that no signal of the host ever lands on it.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  i.work.emplace(i.io.get_executor());
  pthread_t thread;
  auto main = [](void* p) -> void* { return static_cast<Impl*>(p)->run(), nullptr; };
  int rc = ::pthread_create(&thread, nullptr, main, &i);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (rc != 0) {
    i.work.reset();
    return base::Error{MW_EIO, rc, std::string("no thread for connections: ") + std::strerror(rc)};
  }
  i.thread = thread;
  i.running.store(true, std::memory_order_release);
  return {};
}

void Control::post(std::function<void()> fn) {
  if (auto r = start(); !r) throw std::system_error(r.error().os, std::generic_category(), r.error().text);
  asio::post(impl_->io, std::move(fn));
}

void Control::stop() {
  std::lock_guard lock(impl_->mutex);
  impl_->stopped = true;
  impl_->work.reset();
}

bool Control::join(std::chrono::milliseconds limit) {
  Impl& i = *impl_;
  if (on_thread()) return false;
  std::unique_lock lock(i.mutex);
  if (!i.thread || i.joined) return true;
  if (!i.over.wait_for(lock, limit, [&] { return i.ended; })) return false;
  if (!std::exchange(i.joined, true)) ::pthread_join(*i.thread, nullptr);  // it is past its last line of ours
  return true;
}

bool Control::on_thread() const noexcept { return t_running == impl_.get(); }

}  // namespace mw::net
