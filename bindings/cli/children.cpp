#include "children.hpp"

#include "program.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 forgets it there
#include <sys/pidfd.h>
}

namespace cli {

namespace {
constexpr size_t kMostWrong = 64 << 10;  // kept of standard error: its end

[[noreturn]] void trouble(const char* what, int error) {
  throw Failure(kFailed, std::string(what) + ": " + std::generic_category().message(error));
}

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) trouble("pipe", errno);
    read = fds[0], write = fds[1];
  }
  Pipe(const Pipe&) = delete;
  ~Pipe() {
    for (int fd : {read, write})
      if (fd >= 0) ::close(fd);
  }
};

int kept(int& fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return std::exchange(fd, -1);
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const size_t begin = text.rfind('\n');
  return begin == text.npos ? text : text.substr(begin + 1);
}

}  // namespace

struct Children::Child {
  uint64_t number = 0;
  pid_t pid = -1;
  int end = -1, in = -1, out = -1, err = -1;  // end: readable when it has ended
  std::string input, said, wrong;
  size_t written = 0;
  bool too_long = false, stopped = false;
  Then then;
};

Children::Children(size_t most_bytes) : most_(most_bytes), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (poll_ < 0) trouble("epoll", errno);
}

Children::~Children() {
  for (Child& c : children_) {
    ::kill(-c.pid, SIGKILL);
    ::waitpid(c.pid, nullptr, 0);
    for (int fd : {c.end, c.in, c.out, c.err})
      if (fd >= 0) ::close(fd);
  }
  ::close(poll_);
}

void Children::watch(int fd, Child& child, uint32_t events) {
  epoll_event ev{};
  ev.events = events;
  ev.data.u64 = child.number;
  if (::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &ev) != 0) trouble("epoll", errno);
}

void Children::unwatch(int& fd) {
  if (fd < 0) return;
  ::epoll_ctl(poll_, EPOLL_CTL_DEL, fd, nullptr);
  ::close(std::exchange(fd, -1));
}

uint64_t Children::run(const std::string& command, const std::vector<std::string>& variables, std::string input, Then then) {
  Pipe in, out, err;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.write, STDERR_FILENO);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  // A group of its own, so that Ctrl-C leaves what runs to finish, and stop() reaches all of it; signals as usual.
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &usual);
  std::vector<char*> environment;
  for (const std::string& v : variables) environment.push_back(const_cast<char*>(v.c_str()));
  for (char** v = environ; *v != nullptr; ++v) environment.push_back(*v);
  environment.push_back(nullptr);
  std::string shell = "sh", dash = "-c", line = command;
  char* words[] = {shell.data(), dash.data(), line.data(), nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, "/bin/sh", &files, &how, words, environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&how);
  if (failed != 0) trouble("cannot start a command", failed);
  Child& c = children_.emplace_back();
  c.number = ++last_;
  c.pid = pid;
  c.in = kept(in.write), c.out = kept(out.read), c.err = kept(err.read);
  c.input = std::move(input);
  c.then = std::move(then);
  c.end = ::pidfd_open(pid, 0);
  if (c.end < 0) trouble("pidfd", errno);  // the destructor ends it
  watch(c.end, c, EPOLLIN);
  watch(c.out, c, EPOLLIN);
  watch(c.err, c, EPOLLIN);
  watch(c.in, c, EPOLLOUT);
  return c.number;
}

void Children::stop(uint64_t number) {
  for (Child& c : children_)
    if (c.number == number) {
      c.stopped = true;
      ::kill(-c.pid, SIGTERM);
    }
}

void Children::stop_all() {
  for (Child& c : children_) stop(c.number);
}

void Children::write_some(Child& c) {
  while (c.in >= 0 && c.written < c.input.size()) {
    const ssize_t n = ::write(c.in, c.input.data() + c.written, c.input.size() - c.written);
    if (n >= 0) c.written += static_cast<size_t>(n);
    else if (errno == EAGAIN) return;
    else if (errno != EINTR) break;  // it wants no more
  }
  unwatch(c.in);
}

// Reads what is there; false at its end.
bool Children::read_some(Child& c, int& from) {
  char buffer[16 << 10];
  for (;;) {
    const ssize_t n = ::read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    const std::string_view got(buffer, static_cast<size_t>(n));
    if (&from == &c.err) {
      c.wrong += got;
      if (c.wrong.size() > kMostWrong) c.wrong.erase(0, c.wrong.size() - kMostWrong);
    } else if (c.said.size() + got.size() > most_) {
      if (!std::exchange(c.too_long, true)) ::kill(-c.pid, SIGTERM);
    } else {
      c.said += got;
    }
  }
}

// It has ended: what it wrote before is there. What it left running is not waited for.
void Children::finish(Child& c) {
  for (int* fd : {&c.out, &c.err})
    if (*fd >= 0) read_some(c, *fd);
  int status = 0;
  ::waitpid(c.pid, &status, 0);
  for (int* fd : {&c.end, &c.in, &c.out, &c.err}) unwatch(*fd);
  Ended ended{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), c.too_long, std::move(c.said), last_line(std::move(c.wrong))};
  const Then then = c.stopped ? Then() : std::move(c.then);
  children_.remove_if([number = c.number](const Child& other) { return other.number == number; });
  if (then) then(std::move(ended));
}

void Children::turn() {
  epoll_event events[32];
  const int n = ::epoll_wait(poll_, events, 32, 0);
  for (int i = 0; i < n; ++i) {
    auto at = std::find_if(children_.begin(), children_.end(), [&](const Child& c) { return c.number == events[i].data.u64; });
    if (at == children_.end()) continue;
    Child& c = *at;
    if (c.in >= 0) write_some(c);
    for (int* fd : {&c.out, &c.err})
      if (*fd >= 0 && !read_some(c, *fd)) unwatch(*fd);
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(c.end), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) finish(c);
  }
}

}  // namespace cli
