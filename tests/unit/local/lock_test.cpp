// Locks and roster, also between processes that are killed and that race.
#include "local/lock.hpp"
#include "local/roster.hpp"

#include "kit/folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mw::local {
namespace {

// A process that does something, says so, and waits to be killed.
class Child {
 public:
  template <class F>
  explicit Child(F f) {
    int pipes[2];
    EXPECT_EQ(::pipe2(pipes, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(pipes[0]);
      char c = f() ? 'y' : 'n';
      (void)!::write(pipes[1], &c, 1);
      for (;;) ::pause();
    }
    ::close(pipes[1]);
    char c = 0;
    EXPECT_EQ(::read(pipes[0], &c, 1), 1);
    said = c == 'y';
    ::close(pipes[0]);
  }
  ~Child() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }
  bool said = false;

 private:
  pid_t pid_ = -1;
};

TEST(Lock, OneHolderAlsoWithinAProcess) {
  kit::Folder f;
  auto a = Lock::open(f.file("l")), b = Lock::open(f.file("l"));
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(*a->take());
  EXPECT_TRUE(*a->take());  // it is ours
  EXPECT_FALSE(*b->take());
  { auto looks = Lock::open(f.file("l")); }  // closing another descriptor frees nothing
  EXPECT_FALSE(*b->take());
  a->give_back();
  EXPECT_TRUE(*b->take());
  { Lock gone = std::move(*b); }
  EXPECT_TRUE(*a->take());
}

TEST(Lock, TheEpochRisesWithEachHolder) {
  kit::Folder f;
  uint64_t last = 0;
  for (int i = 0; i < 12; ++i) {
    auto l = Lock::open(f.file("l"));
    ASSERT_TRUE(l && *l->take());
    auto e = l->raise_epoch();
    ASSERT_TRUE(e);
    EXPECT_EQ(*e, last + 1);
    last = *e;
    EXPECT_EQ(l->holder_pid(), ::getpid());
  }
  f.write("torn", "not a number");
  auto l = Lock::open(f.file("torn"));
  ASSERT_TRUE(l && *l->take());
  EXPECT_EQ(*l->raise_epoch(), 1u);
}

TEST(Lock, AReservationIsSeenByOthersOnly) {
  kit::Folder f;
  auto standing = Lock::open(f.file("l")), other = Lock::open(f.file("l"));
  EXPECT_FALSE(other->reserved());
  EXPECT_TRUE(*standing->reserve());
  EXPECT_TRUE(other->reserved());
  EXPECT_FALSE(standing->reserved());
  EXPECT_TRUE(*other->take());  // a wish, no lock
  EXPECT_FALSE(*other->reserve());
  standing->give_back();
  EXPECT_FALSE(other->reserved());
  EXPECT_FALSE(*standing->take());
}

TEST(Lock, KillGivesItBack) {
  kit::Folder f;
  const std::string file = f.file("l");
  auto mine = Lock::open(file);
  Child child([&] {
    static auto l = Lock::open(file);
    return l && *l->take() && l->raise_epoch();
  });
  ASSERT_TRUE(child.said);
  EXPECT_FALSE(*mine->take());
  EXPECT_EQ(mine->holder_pid(), child.pid());
  child.kill();
  EXPECT_TRUE(*mine->take());
  EXPECT_EQ(*mine->raise_epoch(), 2u);
}

TEST(Lock, AForkedChildThatClosesItFreesNothing) {
  kit::Folder f;
  auto mine = Lock::open(f.file("l"));
  ASSERT_TRUE(*mine->take());
  const pid_t pid = ::fork();
  if (pid == 0) {
    { Lock inherited = std::move(*mine); }
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  auto other = Lock::open(f.file("l"));
  EXPECT_FALSE(*other->take());
}

// Processes race for the lock again and again: never two at once, and each
// holding has an epoch of its own.
TEST(Lock, NeverTwoHolders) {
  kit::Folder f;
  const std::string file = f.file("l"), log = f.write("log", "");
  constexpr int kProcesses = 4, kRounds = 50;
  std::vector<pid_t> all;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const std::string inside = file + ".inside";
      for (int won = 0; won < kRounds;) {
        auto l = Lock::open(file);
        if (!l) ::_exit(1);
        if (!*l->take()) {
          ::sched_yield();
          continue;
        }
        auto e = l->raise_epoch();
        if (!e) ::_exit(2);
        int fd = ::open(inside.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) ::_exit(3);  // another one is inside
        ::close(fd);
        const std::string line = std::to_string(*e) + "\n";
        fd = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (::write(fd, line.data(), line.size()) < 0) ::_exit(4);
        ::close(fd);
        ::unlink(inside.c_str());
        ++won;
      }
      ::_exit(0);
    }
    all.push_back(pid);
  }
  for (pid_t pid : all) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::ifstream in(log);
  uint64_t epoch = 0, count = 0;
  while (in >> epoch) EXPECT_EQ(epoch, ++count);
  EXPECT_EQ(count, static_cast<uint64_t>(kProcesses * kRounds));
}

TEST(Lock, ForeignFilesAreRefused) {
  kit::Folder f;
  ASSERT_EQ(::symlink(f.write("real", "").c_str(), f.file("link").c_str()), 0);
  EXPECT_FALSE(Lock::open(f.file("link")));
  EXPECT_FALSE(Lock::open(f.file("no/such/place")));
  ASSERT_EQ(::mkfifo(f.file("fifo").c_str(), 0600), 0);
  auto fifo = Lock::open(f.file("fifo"));
  ASSERT_FALSE(fifo);
  EXPECT_EQ(fifo.error().code, MW_EDENIED);
}

std::array<uint8_t, 16> id(uint8_t n) {
  std::array<uint8_t, 16> u{};
  u[0] = n;
  return u;
}
std::vector<int> there(const Roster& r) {
  std::vector<int> all;
  for (const Present& p : r.read()) all.push_back(p.uuid[0]);
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Roster, WhoIsThere) {
  kit::Folder f;
  const std::string file = f.file("m");
  auto look = Roster::open(file);
  ASSERT_TRUE(look);
  EXPECT_TRUE(look->read().empty());
  {
    auto a = Roster::open(file), b = Roster::open(file);
    ASSERT_TRUE(a->enter(id(1)) && b->enter(id(2)));
    EXPECT_TRUE(a->enter(id(1)));  // again: the same place
    EXPECT_EQ(there(*look), (std::vector<int>{1, 2}));
    EXPECT_EQ(there(*a), (std::vector<int>{1, 2}));
    EXPECT_EQ(a->read()[0].pid, ::getpid());
    a->leave();
    EXPECT_EQ(there(*look), (std::vector<int>{2}));
    ASSERT_TRUE(look->enter(id(3)));  // the free place
    EXPECT_EQ(there(*b), (std::vector<int>{2, 3}));
  }
  EXPECT_EQ(there(*look), (std::vector<int>{3}));
}

TEST(Roster, TheKilledAreNotThere) {
  kit::Folder f;
  const std::string file = f.file("m");
  auto look = Roster::open(file);
  Child child([&] {
    static auto r = Roster::open(file);
    return r && r->enter(id(7));
  });
  ASSERT_TRUE(child.said);
  ASSERT_EQ(there(*look), (std::vector<int>{7}));
  EXPECT_EQ(look->read()[0].pid, child.pid());
  child.kill();
  EXPECT_TRUE(look->read().empty());
}

TEST(Roster, AFullDiskIsNamed) {
  // A limit on file sizes makes the write fail as a full disk would.
  kit::Folder f;
  auto r = Roster::open(f.file("m"));
  ASSERT_TRUE(r);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit none{};
    ::setrlimit(RLIMIT_FSIZE, &none);
    auto entered = r->enter(id(1));
    ::_exit(!entered && entered.error().code == MW_EIO && r->read().empty() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace mw::local
