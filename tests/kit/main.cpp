// main() of the test programs that see the inside of the library. After each
// test it compares descriptors and threads with what was there before, so a
// leak fails the test that made it.
#include "kit/process.hpp"

#include <gtest/gtest.h>
#include <thread>

namespace {

class LeakCheck : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { before_ = kit::open_descriptors(); threads_ = kit::threads(); }
  void OnTestEnd(const testing::TestInfo& info) override {
    if (info.result()->Failed() || info.result()->Skipped()) return;  // the first failure says enough
    // A thread that was joined may still be listed for a moment.
    EXPECT_TRUE(kit::eventually([&] { return kit::threads() <= threads_; }))
        << "threads left: " << kit::threads() << ", before: " << threads_;
    auto after = kit::open_descriptors();
    for (const auto& [fd, what] : before_) after.erase(fd);
    for (const auto& [fd, what] : after) ADD_FAILURE() << "descriptor left: " << fd << " " << what;
  }
  std::map<int, std::string> before_;
  int threads_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::thread([] {}).join();  // a sanitizer starts a thread of its own with the first one
  testing::UnitTest::GetInstance()->listeners().Append(new LeakCheck);
  return RUN_ALL_TESTS();
}
