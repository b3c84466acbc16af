// What the leak check of kit/main.cpp must notice. Disabled here; the ctest
// entry kit_leaks runs it and is content when it fails.
#include <gtest/gtest.h>
#include <fcntl.h>

namespace {

TEST(Leaks, DISABLED_ADescriptor) { ASSERT_GE(open("/dev/null", O_RDONLY | O_CLOEXEC), 0); }

}  // namespace
