#include "terminal.hpp"

#include "program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cli {

namespace {
constexpr size_t kLongestLine = 64 << 20;
// What a pipe that polls as writable takes without blocking.
constexpr size_t kPipeStep = 4096;
constexpr size_t kKept = 20;  // remarks
}  // namespace

Input::Input(const std::string& path)
    : fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)), newline_(std::string::npos) {
  if (fd_ < 0) throw Failure(kUsage, path + ": " + std::strerror(errno));
  terminal_ = ::isatty(fd_) == 1;
  struct stat st {};
  if (::fstat(fd_, &st) != 0) eof_ = true;  // closed by whoever started us
  if (S_ISDIR(st.st_mode)) throw Failure(kUsage, path + " is a directory");
  if (S_ISREG(st.st_mode)) size_ = static_cast<uint64_t>(st.st_size);
}

Input::~Input() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

bool Input::has_line() const noexcept {
  return newline_ != std::string::npos || (eof_ && at_ < buffer_.size());
}

std::string_view Input::line() const noexcept {
  const size_t end = newline_ == std::string::npos ? buffer_.size() : newline_;
  return std::string_view(buffer_).substr(at_, end - at_);
}

void Input::next() noexcept {
  const size_t end = newline_ == std::string::npos ? buffer_.size() : newline_ + 1;
  taken_ += end - at_;
  at_ = end;
  newline_ = buffer_.find('\n', at_);
}

void Input::fill() {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  const size_t had = buffer_.size();
  if (had > kLongestLine) throw Failure(kUsage, "a line of the input is longer than 64 MiB");
  constexpr size_t kStep = 64 << 10;
  buffer_.resize(had + kStep);
  const ssize_t n = ::read(fd_, buffer_.data() + had, kStep);
  buffer_.resize(had + (n > 0 ? static_cast<size_t>(n) : 0));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) eof_ = true;
  newline_ = buffer_.find('\n', had);  // there was none before: wants_more
}

Output::Output() {
  struct stat st {};
  const bool open = ::fstat(STDOUT_FILENO, &st) == 0;
  closed_ = !open;
  pipe_ = open && !S_ISREG(st.st_mode);
  terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that left is an error of write
}

void Output::line(std::string_view text) {
  raw(text);
  raw("\n");
}

void Output::raw(std::string_view text) {
  if (!closed_) buffer_.append(text);
}

void Output::shown(std::string_view text) {
  if (!terminal_) return line(text);
  std::string safe(text);
  for (char& c : safe)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  line(safe);
}

void Output::flush() {
  if (pending() == 0) return;
  while (pending() > 0 && !closed_) {
    size_t step = pending();
    if (pipe_) {
      pollfd p{STDOUT_FILENO, POLLOUT, 0};
      if (::poll(&p, 1, 0) <= 0 || p.revents == 0) break;
      if (step > kPipeStep) step = kPipeStep;
    }
    const ssize_t n = ::write(STDOUT_FILENO, buffer_.data() + at_, step);
    if (n >= 0) {
      at_ += static_cast<size_t>(n);
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      closed_ = true;
      throw Failure(kFailed, std::string("cannot write to standard output: ") + std::strerror(errno));
    }
  }
  if (closed_ || pending() == 0) {
    buffer_.clear();
    at_ = 0;
    if (drained_) drained_();
  } else if (at_ > (1 << 20)) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
}

void Output::flush_all() {
  for (flush(); pending() > 0; flush()) {
    pollfd p{STDOUT_FILENO, POLLOUT, 0};
    ::poll(&p, 1, -1);
  }
}

Remarks::Remarks(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Remarks::say(std::string_view text) {
  if (quiet_) return;
  if (drawn_) {
    if (kept_.size() == kKept) kept_.pop_front();
    kept_.emplace_back(text);
    return drawn_();
  }
  std::fprintf(stderr, "%s%.*s\n", dirty_ ? "\r\033[K" : "", static_cast<int>(text.size()), text.data());
  dirty_ = false;
}

void Remarks::progress(std::string_view text) {
  const auto now = Clock::now();
  if (!shows_progress() || now - last_ < std::chrono::milliseconds(200)) return;
  last_ = now;
  dirty_ = true;
  std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(text.size()), text.data());
  std::fflush(stderr);
}

void Remarks::done() {
  if (std::exchange(dirty_, false)) std::fputs("\r\033[K", stderr);
}

void Remarks::hold(std::function<void()> drawn) {
  if (terminal_) drawn_ = std::move(drawn);
}

void Remarks::release() {
  if (!std::exchange(drawn_, nullptr)) return;
  for (const std::string& text : std::exchange(kept_, {})) say(text);
}

Loop::Loop(mw::Context& ctx, bool hup_reloads) : ctx_(ctx), hup_reloads_(hup_reloads) {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    sigaction(s, nullptr, &old);
    if (old.sa_handler != SIG_IGN) sigaddset(&set, s);  // nohup, and jobs put into the background
  }
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw Failure(kFailed, std::string("signalfd: ") + std::strerror(errno));
}

Loop::~Loop() { ::close(signals_); }

bool Loop::turn(int timeout_ms, Input* in, Output& out) {
  const bool readable = wait(timeout_ms, in != nullptr && in->wants_more() ? in->fd() : -1, out);
  const bool open = ctx_.run(0);
  if (readable) in->fill();
  out.flush();
  return open;
}

bool Loop::turn(int timeout_ms, int watched, Output& out) {
  const bool readable = wait(timeout_ms, watched, out);
  ctx_.run(0);
  out.flush();
  return readable;
}

bool Loop::wait(int timeout_ms, int watched, Output& out) {
  pollfd fds[4] = {{ctx_.fd(), POLLIN, 0},
                   {signals_, POLLIN, 0},
                   {watched, POLLIN, 0},
                   {out.pending() > 0 ? STDOUT_FILENO : -1, POLLOUT, 0}};
  ::poll(fds, 4, ctx_.more() ? 0 : timeout_ms);
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info)
    if (info.ssi_signo == SIGHUP && hup_reloads_) ++hangups_;
    else if (++interrupts_ > 1) {  // no politeness: the user asked twice
      if (on_quit_) on_quit_();
      ::_exit(kInterrupted);
    }
  return fds[2].revents != 0;
}

}  // namespace cli
