#include "loop/poller.hpp"

#include <unistd.h>

namespace mw::loop {

Poller::Poller() : events_(kBatch), fd_(epoll_create1(EPOLL_CLOEXEC)) {}

Poller::~Poller() {
  if (fd_ >= 0) close(fd_);
}

bool Poller::add(int fd, uint32_t events, Source* s) noexcept {
  epoll_event e{};
  e.events = events;
  e.data.ptr = s;
  return epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &e) == 0;
}

bool Poller::mod(int fd, uint32_t events, Source* s) noexcept {
  epoll_event e{};
  e.events = events;
  e.data.ptr = s;
  return epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &e) == 0;
}

void Poller::del(int fd) noexcept { epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

int Poller::wait(int timeout_ms) noexcept { return epoll_wait(fd_, events_.data(), kBatch, timeout_ms); }

}  // namespace mw::loop
