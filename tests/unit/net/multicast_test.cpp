#include "net/multicast.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace mw::net {
namespace {

// A group and port of this process's own, on the loopback interface only.
Multicast::Group group() {
  auto pid = static_cast<unsigned>(::getpid());
  return {"239.255." + std::to_string(pid >> 8 & 255) + "." + std::to_string(pid & 255),
          static_cast<uint16_t>(20000 + pid % 20000), "lo", 0};
}

std::string hear(Multicast& m) {
  pollfd p{m.fd(), POLLIN, 0};
  if (::poll(&p, 1, 10'000) != 1) return "nothing";
  uint8_t bytes[64];
  ssize_t n = m.receive(bytes, sizeof bytes);
  if (n < 0) return std::strerror(errno);
  if (static_cast<size_t>(n) > sizeof bytes) return "too long";
  return std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(n));
}

TEST(Multicast, AllOfTheGroupHear) {
  auto a = Multicast::join(group()), b = Multicast::join(group());
  ASSERT_TRUE(a) << a.error().text;
  ASSERT_TRUE(b) << b.error().text;
  ASSERT_EQ(a->send(reinterpret_cast<const uint8_t*>("hello"), 5), 0);
  EXPECT_EQ(hear(*a), "hello");
  EXPECT_EQ(hear(*b), "hello");
  uint8_t none[8];
  EXPECT_EQ(b->receive(none, sizeof none), -1);
  EXPECT_EQ(errno, EAGAIN);
  uint8_t large[100] = {};
  ASSERT_EQ(b->send(large, sizeof large), 0);
  EXPECT_EQ(hear(*a), "too long");
}

TEST(Multicast, BadGroupsAreNamed) {
  auto g = group();
  g.address = "127.0.0.1";
  auto m = Multicast::join(g);
  ASSERT_FALSE(m);
  EXPECT_EQ(m.error().code, MW_EOPTION);
  EXPECT_NE(m.error().text.find("127.0.0.1"), std::string::npos);
  g = group();
  g.interface = "no-such-one";
  auto n = Multicast::join(g);
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().code, MW_EOPTION);
  EXPECT_NE(n.error().text.find("no-such-one"), std::string::npos);
}

}  // namespace
}  // namespace mw::net
