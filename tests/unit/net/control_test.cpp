// The control thread: born late, ended when its work is gone, polite.
#include "net/control.hpp"

#include "kit/process.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace mw;
using namespace std::chrono_literals;

TEST(Control, NoThreadAndNoDescriptorBeforeItIsNeeded) {
  int threads = kit::threads();
  auto open = kit::open_descriptors().size();
  net::Control c("idle");
  EXPECT_EQ(kit::threads(), threads);
  EXPECT_EQ(kit::open_descriptors().size(), open);
  EXPECT_FALSE(c.on_thread());
}

TEST(Control, StopAndJoinWithoutAPost) {
  net::Control c("idle");
  c.stop();
  EXPECT_TRUE(c.join(0ms));
}

TEST(Control, ThreadIsNamedNicerAndDeaf) {
  net::Control c("a-very-long-thread-name");
  struct Facts {
    char name[16] = "";
    int nice = 0;
    bool deaf = true, on = false;
  };
  std::promise<Facts> told;
  c.post([&] {
    Facts f;
    pthread_getname_np(pthread_self(), f.name, sizeof f.name);
    f.nice = getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    for (int s : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1, SIGALRM}) f.deaf = f.deaf && sigismember(&now, s) == 1;
    f.on = c.on_thread();
    told.set_value(f);
  });
  Facts f = told.get_future().get();
  EXPECT_STREQ(f.name, "a-very-long-thr");
  EXPECT_EQ(f.nice, std::min(19, getpriority(PRIO_PROCESS, 0) + 5));
  EXPECT_TRUE(f.deaf);
  EXPECT_TRUE(f.on);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0) << "the caller's mask is as it was";
  c.stop();
  EXPECT_TRUE(c.join(10s));
}

TEST(Control, PostsOfOneThreadKeepTheirOrder) {
  net::Control c("order");
  std::vector<int> seen;
  for (int i = 0; i < 1000; ++i) c.post([&seen, i] { seen.push_back(i); });
  c.stop();
  ASSERT_TRUE(c.join(10s));
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(Control, ManyThreadsMayBeFirst) {
  int before = kit::threads();
  net::Control c("first");
  std::atomic<int> ran{0};
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i) all.emplace_back([&] { c.post([&] { ++ran; }); });
  for (auto& t : all) t.join();
  EXPECT_TRUE(kit::eventually([&] { return kit::threads() == before + 1; }));
  c.stop();
  ASSERT_TRUE(c.join(10s));
  EXPECT_EQ(ran, 8);
}

TEST(Control, JoinHasALimitAndNeverWaitsForItself) {
  net::Control c("busy");
  std::promise<void> go;
  std::promise<bool> inside;
  c.post([&] {
    inside.set_value(c.join(10s));
    go.get_future().wait();
  });
  EXPECT_FALSE(inside.get_future().get());
  c.stop();
  EXPECT_FALSE(c.join(1ms));
  go.set_value();
  EXPECT_TRUE(c.join(10s));
  EXPECT_TRUE(c.join(0ms)) << "again";
}

TEST(Control, HandlerThatThrowsEndsNothing) {
  net::Control c("throws");
  std::promise<void> after;
  c.post([] { throw std::runtime_error("a bug"); });
  c.post([&] { after.set_value(); });
  EXPECT_EQ(after.get_future().wait_for(10s), std::future_status::ready);
  c.stop();
  EXPECT_TRUE(c.join(10s));
}

TEST(Control, LackOfDescriptorsIsAnAnswerAndPasses) {
  net::Control c("short");
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  int probe = dup(0);
  close(probe);
  tight.rlim_cur = static_cast<rlim_t>(probe + 1);  // room for one, three are needed
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  auto r = c.start();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, MW_EIO);
  EXPECT_EQ(r.error().os, EMFILE);
  EXPECT_TRUE(c.start());
  c.stop();
  EXPECT_TRUE(c.join(10s));
}

}  // namespace
