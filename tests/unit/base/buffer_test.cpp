#include "base/buffer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace mw::base {
namespace {

std::string text(const Buffer& b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

TEST(Buffer, AppendAndConsume) {
  Buffer b;
  EXPECT_TRUE(b.empty());
  b.append("hello", 5);
  b.push('!');
  b.consume(2);
  EXPECT_EQ(text(b), "llo!");
  b.resize_down(2);
  EXPECT_EQ(text(b), "ll");
  b.consume(2);
  EXPECT_TRUE(b.empty());
  b.release();
  EXPECT_EQ(b.capacity(), 0u);
}

TEST(Buffer, MovesTakeTheBytesAlong) {
  Buffer a;
  a.append("abc", 3);
  Buffer b(std::move(a));
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(text(b), "abc");
  Buffer c;
  c = std::move(b);
  EXPECT_EQ(text(c), "abc");
}

TEST(Buffer, AgreesWithAStringOverManySteps) {
  std::mt19937 r(3);
  Buffer b;
  std::string model;
  for (int i = 0; i < 20000; ++i) {
    if (r() % 2 == 0) {
      const std::string more(r() % 300, static_cast<char>('a' + r() % 26));
      b.append(more.data(), more.size());
      model += more;
    } else {
      const size_t n = model.empty() ? 0 : r() % (model.size() + 1);
      b.consume(n);
      model.erase(0, n);
    }
    ASSERT_EQ(b.size(), model.size());
  }
  EXPECT_EQ(text(b), model);
}

TEST(Buffer, AStreamThatIsConsumedDoesNotGrow) {
  Buffer b;
  b.append("x", 1);  // never quite empty
  for (int i = 0; i < 100000; ++i) {
    b.append("0123456789", 10);
    b.consume(10);
  }
  EXPECT_LE(b.capacity(), 256u);
}

}  // namespace
}  // namespace mw::base
