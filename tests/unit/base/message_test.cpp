#include "base/message.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace mw::base {
namespace {

std::string body(const mw_msg* m) { return {reinterpret_cast<const char*>(m->body), m->len}; }

TEST(Message, CopiesItsBody) {
  std::string text = "hello";
  MsgRef m(message_copy(text.data(), text.size(), MW_F_TEXT));
  text[0] = 'x';
  EXPECT_EQ(body(m.get()), "hello");
  EXPECT_EQ(m->flags, uint32_t{MW_F_TEXT});
  MsgRef none(message_copy(nullptr, 0, 0));
  EXPECT_EQ(none->len, 0u);
}

TEST(Message, RoomIsFilledByTheCaller) {
  uint8_t* p = nullptr;
  MsgRef m(message_room(1 << 20, 0, &p));
  std::memset(p, 'z', 1 << 20);
  EXPECT_EQ(m->body[(1 << 20) - 1], 'z');
}

TEST(Message, AnImpossibleSizeIsNoMemory) {
  uint8_t* p = nullptr;
  EXPECT_THROW(message_room(std::numeric_limits<size_t>::max() - 8, 0, &p), std::bad_alloc);
}

TEST(Message, WrappedBytesAreReleasedOnceWithTheLastReference) {
  static int released;
  released = 0;
  const char bytes[] = "lent";
  mw_msg* m = message_wrap(bytes, 4, [](void* hint) { ++*static_cast<int*>(hint); }, &released, 0);
  EXPECT_EQ(m->body, reinterpret_cast<const uint8_t*>(bytes));
  mw_msg* second = ref(m);
  unref(m);
  EXPECT_EQ(released, 0);
  unref(second);
  EXPECT_EQ(released, 1);
  unref(message_wrap(bytes, 4, nullptr, nullptr, 0));
  unref(nullptr);
}

TEST(Message, ReferencesFromManyThreads) {
  static std::atomic<int> released;
  released = 0;
  mw_msg* m = message_wrap("x", 1, [](void*) { ++released; }, nullptr, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([mine = ref(m)] {
      for (int i = 0; i < 20000; ++i) unref(ref(mine));
      unref(mine);
    });
  unref(m);
  for (auto& t : threads) t.join();
  EXPECT_EQ(released, 1);
}

TEST(Message, MsgRefMovesAndCopies) {
  MsgRef a(message_copy("a", 1, 0));
  mw_msg* raw = a.get();
  MsgRef b = a;
  EXPECT_EQ(raw->refs.load(), 2u);
  MsgRef c = std::move(a);
  EXPECT_FALSE(a);
  EXPECT_EQ(raw->refs.load(), 2u);
  b = MsgRef();
  EXPECT_EQ(raw->refs.load(), 1u);
  unref(c.detach());
}

TEST(MessageHeaders, SetGetReplace) {
  MsgRef m(message_copy("", 0, 0));
  bool found = true;
  message_get(m.get(), "a", &found);
  EXPECT_FALSE(found);
  EXPECT_EQ(message_set(m.get(), "a", "1"), MW_OK);
  EXPECT_EQ(message_set(m.get(), "b", ""), MW_OK);
  EXPECT_EQ(message_set(m.get(), "a", std::string_view("\0x", 2)), MW_OK);
  EXPECT_EQ(message_get(m.get(), "a", &found), std::string_view("\0x", 2));
  EXPECT_TRUE(found);
  EXPECT_EQ(message_get(m.get(), "b", &found), "");
  EXPECT_TRUE(found);
  EXPECT_EQ(m->meta->size(), 2 * 6 + 1 + 2 + 1u);
  EXPECT_TRUE(meta_valid(*m->meta));
}

TEST(MessageHeaders, OneInPlaceOfThoseThereAre) {
  std::string meta;
  put_header(meta, "caller", "forged");
  put_header(meta, "k", "v");
  put_header(meta, "caller", "forged again");
  set_header(meta, "caller", "n");
  std::string expected;
  put_header(expected, "k", "v");
  put_header(expected, "caller", "n");
  EXPECT_EQ(meta, expected);
}

TEST(MessageHeaders, Refusals) {
  MsgRef m(message_copy("", 0, 0));
  EXPECT_EQ(message_set(m.get(), "", "x"), MW_EINVAL);
  EXPECT_EQ(message_set(m.get(), std::string(65536, 'k'), ""), MW_ETOOBIG);
  const size_t fits = 65536 - 6 - 1;
  EXPECT_EQ(message_set(m.get(), "k", std::string(fits + 1, 'v')), MW_ETOOBIG);
  EXPECT_EQ(message_set(m.get(), "k", std::string(fits, 'v')), MW_OK);
  EXPECT_EQ(message_set(m.get(), "l", ""), MW_ETOOBIG);
  bool found = false;
  EXPECT_EQ(message_get(m.get(), "k", &found).size(), fits);  // as it was
  EXPECT_EQ(message_set(m.get(), "k", "small"), MW_OK);       // replacing makes room
  m->used = true;
  EXPECT_EQ(message_set(m.get(), "k", "x"), MW_ESTATE);
}

TEST(MessageHeaders, MalformedBlocks) {
  EXPECT_TRUE(meta_valid(""));
  const std::string good("\x01\x00\x02\x00\x00\x00kvv", 9);
  EXPECT_TRUE(meta_valid(good));
  for (size_t n = 1; n < good.size(); ++n) EXPECT_FALSE(meta_valid(std::string_view(good).substr(0, n))) << n;
  EXPECT_FALSE(meta_valid(std::string("\x01\x00\xFF\xFF\xFF\xFFk", 7)));
  EXPECT_FALSE(meta_valid(good + "x"));
}

}  // namespace
}  // namespace mw::base
