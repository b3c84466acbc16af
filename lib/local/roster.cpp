#include "local/roster.hpp"

#include "local/directory.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mw::local {

using base::Error;

namespace {

// One place in the file: of this machine alone, so in its own byte order.
struct Record {
  uint8_t uuid[16];
  int64_t pid;
  uint64_t reserved;
};
constexpr int64_t kSize = sizeof(Record);

struct ::flock at(short type, int64_t place) noexcept {
  struct ::flock l{};
  l.l_type = type;
  l.l_whence = SEEK_SET;
  l.l_start = place * kSize;
  l.l_len = kSize;
  return l;
}

}  // namespace

base::Result<Roster> Roster::open(const std::string& file) {
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return file_error("opening the roster", file, errno);
  Roster r(fd, file);
  struct stat st;
  if (::fstat(fd, &st) != 0) return file_error("looking at the roster", file, errno);
  if (!S_ISREG(st.st_mode) || st.st_uid != ::geteuid())
    return Error{MW_EDENIED, 0, "the roster " + file + " is not a file of this user"};
  return r;
}

Roster::Roster(Roster&& o) noexcept
    : fd_(std::exchange(o.fd_, -1)), place_(std::exchange(o.place_, -1)), mine_(o.mine_), file_(std::move(o.file_)) {}

Roster::~Roster() {
  if (fd_ >= 0) ::close(fd_);
}

base::Result<void> Roster::enter(const std::array<uint8_t, 16>& uuid) {
  if (place_ >= 0) return {};
  for (int64_t i = 0; i < kPlaces; ++i) {
    struct ::flock l = at(F_WRLCK, i);
    if (::fcntl(fd_, F_OFD_SETLK, &l) != 0) {
      if (errno == EAGAIN || errno == EACCES) continue;
      return file_error("locking a place in", file_, errno);
    }
    Record r{};
    std::memcpy(r.uuid, uuid.data(), sizeof r.uuid);
    r.pid = ::getpid();
    ssize_t n = ::pwrite(fd_, &r, sizeof r, i * kSize);
    if (n != kSize) {
      int os = n < 0 ? errno : ENOSPC;
      l.l_type = F_UNLCK;
      ::fcntl(fd_, F_OFD_SETLK, &l);
      return file_error("writing into the roster", file_, os);
    }
    place_ = i;
    mine_ = uuid;
    return {};
  }
  return Error{MW_EIO, 0, "the roster " + file_ + " is full: " + std::to_string(kPlaces) + " members of one name are there"};
}

void Roster::leave() noexcept {
  if (place_ < 0) return;
  struct ::flock l = at(F_UNLCK, std::exchange(place_, -1));
  ::fcntl(fd_, F_OFD_SETLK, &l);
}

std::vector<Present> Roster::read() const {
  std::vector<Present> all;
  std::vector<Record> records(static_cast<size_t>(kPlaces));
  ssize_t n = ::pread(fd_, records.data(), records.size() * sizeof(Record), 0);
  const int64_t count = n > 0 ? n / kSize : 0;
  for (int64_t i = 0; i < count; ++i) {
    Present p{};
    if (i == place_) {
      p.uuid = mine_;
      p.pid = ::getpid();
    } else {
      struct ::flock l = at(F_WRLCK, i);
      if (::fcntl(fd_, F_OFD_GETLK, &l) != 0 || l.l_type == F_UNLCK) continue;
      const Record& r = records[static_cast<size_t>(i)];
      std::memcpy(p.uuid.data(), r.uuid, p.uuid.size());
      p.pid = r.pid;
    }
    all.push_back(p);
  }
  return all;
}

}  // namespace mw::local
