#include "local/lock.hpp"

#include "local/directory.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mw::local {

using base::Error;

namespace {

constexpr int64_t kHolder = 0, kReserve = 1;  // bytes that are locked; what stands there does not matter
constexpr size_t kText = 64;

struct ::flock one(short type, int64_t at) noexcept {
  struct ::flock l{};
  l.l_type = type;
  l.l_whence = SEEK_SET;
  l.l_start = at;
  l.l_len = 1;
  return l;
}

// "EPOCH PID\n"
void parse(int fd, uint64_t& epoch, int64_t& pid) noexcept {
  char text[kText];
  ssize_t n = ::pread(fd, text, sizeof text, 0);
  epoch = 0;
  pid = 0;
  if (n <= 0) return;
  auto [end, ec] = std::from_chars(text, text + n, epoch);
  if (ec != std::errc() || end == text + n || *end != ' ') return;
  std::from_chars(end + 1, text + n, pid);
}

}  // namespace

base::Result<Lock> Lock::open(const std::string& file) {
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return file_error("opening the lock file", file, errno);
  Lock lock(fd, file);
  struct stat st;
  if (::fstat(fd, &st) != 0) return file_error("looking at the lock file", file, errno);
  if (!S_ISREG(st.st_mode) || st.st_uid != ::geteuid())
    return Error{MW_EDENIED, 0, "the lock file " + file + " is not a file of this user"};
  return lock;
}

Lock::Lock(Lock&& o) noexcept
    : fd_(std::exchange(o.fd_, -1)), held_(std::exchange(o.held_, false)), file_(std::move(o.file_)) {}

Lock& Lock::operator=(Lock&& o) noexcept {
  std::swap(fd_, o.fd_);
  std::swap(held_, o.held_);
  std::swap(file_, o.file_);
  return *this;
}

Lock::~Lock() {
  if (fd_ >= 0) ::close(fd_);
}

base::Result<bool> Lock::range(int64_t at) {
  struct ::flock l = one(F_WRLCK, at);
  if (::fcntl(fd_, F_OFD_SETLK, &l) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return file_error("locking", file_, errno);
}

base::Result<bool> Lock::take() {
  if (held_) return true;
  auto r = range(kHolder);
  if (r && *r) held_ = true;
  return r;
}

void Lock::give_back() noexcept {
  struct ::flock l = one(F_UNLCK, kHolder);
  l.l_len = kReserve + 1;
  held_ = false;
  ::fcntl(fd_, F_OFD_SETLK, &l);
}

base::Result<bool> Lock::reserve() { return range(kReserve); }

bool Lock::reserved() const noexcept {
  struct ::flock l = one(F_WRLCK, kReserve);
  return ::fcntl(fd_, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

base::Result<uint64_t> Lock::raise_epoch() {
  uint64_t epoch;
  int64_t pid;
  parse(fd_, epoch, pid);
  ++epoch;
  std::string text = std::to_string(epoch) + " " + std::to_string(::getpid()) + "\n";
  ssize_t n = ::pwrite(fd_, text.data(), text.size(), 0);
  if (n != static_cast<ssize_t>(text.size())) return file_error("writing the epoch into", file_, n < 0 ? errno : ENOSPC);
  if (::ftruncate(fd_, static_cast<off_t>(text.size())) != 0) return file_error("writing the epoch into", file_, errno);
  return epoch;
}

int64_t Lock::holder_pid() const noexcept {
  uint64_t epoch;
  int64_t pid;
  parse(fd_, epoch, pid);
  return pid;
}

}  // namespace mw::local
