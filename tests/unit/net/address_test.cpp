#include "net/address.hpp"
#include "net/admission.hpp"

#include <gtest/gtest.h>

using namespace mw::net;

namespace {

std::string round_trip(const char* text) {
  auto a = address_from(text);
  return a ? a->text() + "|" + std::to_string(a->port) : "no";
}

TEST(Address, fromText) {
  EXPECT_EQ(round_trip("192.0.2.1"), "192.0.2.1|0");
  EXPECT_EQ(round_trip("192.0.2.1:80"), "192.0.2.1|80");
  EXPECT_EQ(round_trip("2001:db8::1"), "2001:db8::1|0");
  EXPECT_EQ(round_trip("[2001:db8::1]"), "2001:db8::1|0");
  EXPECT_EQ(round_trip("[2001:db8::1]:65535"), "2001:db8::1|65535");
  EXPECT_EQ(round_trip("::ffff:192.0.2.1"), "192.0.2.1|0");  // the same peer on a dual-stack socket
  for (auto bad : {"", "unknown", "_hidden", "192.0.2", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536", "[::1", "[::1]x",
                   "[::1]:", "::1]", "1.2.3.4:80:90", "2001:db8::1::2", "192.0.2.1 "}) {
    EXPECT_EQ(round_trip(bad), "no") << bad;
  }
  EXPECT_EQ(round_trip(std::string(5000, ':').c_str()), "no");
}

bool in(std::vector<std::string> nets, const char* address) {
  auto n = Networks::parse(nets);
  EXPECT_TRUE(n);
  return n && n->contain(*address_from(address));
}

TEST(Networks, contain) {
  EXPECT_TRUE(in({"10.0.0.0/8"}, "10.255.0.1"));
  EXPECT_FALSE(in({"10.0.0.0/8"}, "11.0.0.1"));
  EXPECT_TRUE(in({"192.0.2.128/25"}, "192.0.2.129"));
  EXPECT_FALSE(in({"192.0.2.128/25"}, "192.0.2.127"));
  EXPECT_TRUE(in({"192.0.2.1"}, "192.0.2.1"));
  EXPECT_FALSE(in({"192.0.2.1"}, "192.0.2.2"));
  EXPECT_TRUE(in({"0.0.0.0/0"}, "8.8.8.8"));
  EXPECT_FALSE(in({"0.0.0.0/0"}, "2001:db8::1"));
  EXPECT_TRUE(in({"::/0"}, "2001:db8::1"));
  EXPECT_TRUE(in({"192.0.2.1", "2001:db8::/33"}, "2001:db8:7fff::1"));
  EXPECT_FALSE(in({"2001:db8::/33"}, "2001:db8:8000::1"));
  EXPECT_FALSE(in({}, "127.0.0.1"));
  EXPECT_FALSE(in({"unix:"}, "127.0.0.1"));
  Address local;
  local.family = Address::Family::local;
  EXPECT_TRUE(Networks::parse({"unix:"})->contain(local));
  EXPECT_FALSE(Networks::parse({"0.0.0.0/0"})->contain(local));
}

TEST(Networks, sayWhatIsWrong) {
  for (auto bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "10.0.0.0/-1", "host", "10.0.0.1:80", "/8", "10.0.0.0/8/8"}) {
    auto n = Networks::parse({bad});
    ASSERT_FALSE(n) << bad;
    EXPECT_EQ(n.error().code, MW_EOPTION);
    EXPECT_NE(n.error().text.find(bad), std::string::npos);
  }
}

TEST(Seats, anIpv6CustomerIsOneAddress) {
  Seats s;
  EXPECT_EQ(s.take(*address_from("2001:db8::1"), 0, 1), Seats::Verdict::ok);
  EXPECT_EQ(s.take(*address_from("2001:db8::ffff:1"), 0, 1), Seats::Verdict::address_full);
  EXPECT_EQ(s.take(*address_from("2001:db8:0:1::1"), 0, 1), Seats::Verdict::ok);
  EXPECT_EQ(s.take(*address_from("192.0.2.1"), 0, 1), Seats::Verdict::ok);
  EXPECT_EQ(s.take(*address_from("::ffff:192.0.2.1"), 0, 1), Seats::Verdict::address_full);
  EXPECT_EQ(s.take(*address_from("192.0.2.2"), 0, 1), Seats::Verdict::ok);
  EXPECT_EQ(s.take(*address_from("192.0.2.3"), 4, 1), Seats::Verdict::full);
  s.leave(*address_from("2001:db8::1"));
  EXPECT_EQ(s.take(*address_from("2001:db8::2"), 4, 1), Seats::Verdict::ok);
  EXPECT_EQ(s.taken(), 4u);
}

TEST(Seats, limitsMayComeLater) {
  Seats s;
  auto a = *address_from("192.0.2.1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(s.take(a, 0, 0), Seats::Verdict::ok);
  EXPECT_EQ(s.take(a, 0, 3), Seats::Verdict::address_full);
  EXPECT_EQ(s.take(a, 3, 0), Seats::Verdict::full);
}

TEST(Asks, oneWinner) {
  Asks a(2);
  uint64_t t = a.open(1), u = a.open(0);
  EXPECT_NE(t, u);
  EXPECT_EQ(a.slot(t), 1u);
  EXPECT_TRUE(a.settle(t));
  EXPECT_FALSE(a.settle(t));
  uint64_t again = a.open(1);
  EXPECT_NE(again, t);
  EXPECT_FALSE(a.settle(t));  // stale
  EXPECT_TRUE(a.settle(again));
  EXPECT_TRUE(a.settle(u));
  EXPECT_FALSE(a.settle(0));
}

}  // namespace
