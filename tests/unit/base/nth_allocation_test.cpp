// Every allocation of an operation fails once, one after the other: what
// existed before stays as it was. Replaces operator new for this program.
#include "base/conf.hpp"
#include "base/json.hpp"
#include "base/message.hpp"
#include "base/pattern_set.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <string>

namespace {
long g_left = -1;  // allocations until one fails; negative: none does
}

[[gnu::noinline]] void* operator new(size_t n) {
  if (g_left >= 0 && g_left-- == 0) throw std::bad_alloc();
  void* p = std::malloc(n > 0 ? n : 1);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace mw::base {
namespace {

// Runs f with its 1st, 2nd, ... allocation failing, until it gets through;
// after each failure unchanged() is asked. Answers how many failed.
long each_failure(const std::function<void()>& f, const std::function<void()>& unchanged) {
  for (long n = 0; n < 100000; ++n) {
    bool failed = false;
    g_left = n;
    try {
      f();
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    g_left = -1;
    if (!failed) return n;
    unchanged();
  }
  ADD_FAILURE() << "never gets through";
  return -1;
}

TEST(NthAllocation, ConfSetAndLoadChangeAllOrNothing) {
  const std::string load = R"({"preset":"network-cluster","host":"a-host-name-longer-than-any-small-string-buffer",
    "parameters":{"token":"a-secret-longer-than-any-small-string-buffer"},"wire":["network-cluster","meshwork"],
    "reconnect":{"fatal":[401,402,404]},"events":"+ping,-log"})";
  Conf c(MW_CONF_CONSUMER);
  std::string before = c.dump();
  const auto same = [&] { ASSERT_EQ(c.dump(), before); };
  EXPECT_GT(each_failure([&] { ASSERT_TRUE(c.load(load)); }, same), 50);
  EXPECT_NE(c.dump(), before);

  Conf d(MW_CONF_PROVIDER);
  before = d.dump();
  const auto same_d = [&] { ASSERT_EQ(d.dump(), before); };
  EXPECT_GT(each_failure([&] { ASSERT_TRUE(d.set("preset", "network-cluster")); }, same_d), 2);
  before = d.dump();
  EXPECT_GT(each_failure([&] { ASSERT_TRUE(d.set("http.origins", "https://one.example.org,https://two.example.org")); }, same_d), 1);
  before = d.dump();
  EXPECT_GT(each_failure([&] { ASSERT_FALSE(d.set("htp.origins", "x")); }, same_d), 1);
  EXPECT_GT(each_failure([&] { ASSERT_EQ(d.freeze()->dump(), before); }, same_d), 2);
}

TEST(NthAllocation, APatternSetStaysRight) {
  PatternSet set;
  char who[3];
  const auto wild = *Pattern::compile("a-level-longer-than-a-small-buffer/+/another-such-long-level/#", Syntax::mqtt);
  const auto exact = *Pattern::compile("a-level-longer-than-a-small-buffer/x/another-such-long-level", Syntax::mqtt);
  set.add(exact, &who[0]);
  size_t n = 0;
  const auto heard = [&](const std::string& topic) {
    n = 0;
    set.each(topic, [&](void*) { ++n; });
    return n;
  };
  EXPECT_GT(each_failure([&] { set.add(wild, &who[1]); }, [&] { ASSERT_EQ(heard(exact.text()), 1u); }), 3);
  EXPECT_EQ(heard(exact.text()), 2u);
  EXPECT_GT(each_failure([&] { set.add(*Pattern::compile("some/other/exact/topic/that/is/long", Syntax::mqtt), &who[2]); },
                         [&] { ASSERT_FALSE(set.any("some/other/exact/topic/that/is/long")); }),
            1);
  EXPECT_EQ(set.count(wild), 1u);
  EXPECT_TRUE(set.remove(wild, &who[1]));
  EXPECT_TRUE(set.remove(exact, &who[0]));
}

TEST(NthAllocation, RemovingNeedsNoMemory) {
  PatternSet set;
  char who;
  const auto wild = *Pattern::compile("a/+/#", Syntax::mqtt), exact = *Pattern::compile("a/b", Syntax::mqtt);
  set.add(wild, &who);
  set.add(exact, &who);
  g_left = 0;
  const bool both = set.remove(wild, &who) && set.remove(exact, &who);
  g_left = -1;
  EXPECT_TRUE(both);
  EXPECT_TRUE(set.empty());
}

TEST(NthAllocation, HeadersOfAMessage) {
  MsgRef m(message_copy("", 0, 0));
  ASSERT_EQ(message_set(m.get(), "key", "old"), MW_OK);
  const std::string longer(100, 'v');
  bool found = false;
  EXPECT_GT(each_failure([&] { ASSERT_EQ(message_set(m.get(), "key", longer), MW_OK); },
                         [&] { ASSERT_EQ(message_get(m.get(), "key", &found), "old"); }),
            0);
  EXPECT_EQ(message_get(m.get(), "key", &found), longer);
}

TEST(NthAllocation, JsonLeaksNothing) {  // the leak checker of the sanitizer run looks
  EXPECT_GT(each_failure([&] { ASSERT_TRUE(Json::parse(R"({"a":[1,2,{"b":"c"}],"d":"e"})")); }, [] {}), 1);
}

}  // namespace
}  // namespace mw::base
