// The PROXY header and X-Forwarded-For, by themselves and through a listener.
#include "net/proxy_header.hpp"
#include "unit/net/site.hpp"

using namespace site;

namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string header(char command, char family, const std::string& rest) {
  std::string s = kSignature + command + family;
  s += static_cast<char>(rest.size() >> 8);
  s += static_cast<char>(rest.size() & 255);
  return s + rest;
}
// From 203.0.113.7:51966 to 192.0.2.1:443.
std::string tcp4(const std::string& more = "") {
  return header(0x21, 0x11, std::string("\xcb\x00\x71\x07\xc0\x00\x02\x01\xca\xfe\x01\xbb", 12) + more);
}
std::string tcp6() {
  std::string to(16, 0), from("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05", 16);
  return header(0x21, 0x21, from + to + std::string("\xca\xfe\x01\xbb", 4));
}
std::optional<net::Address> client(const std::string& s) {
  return net::ProxyHeader::client({reinterpret_cast<const uint8_t*>(s.data()), s.size()});
}

TEST(ProxyHeader, tellsTheClient) {
  auto a = client(tcp4());
  ASSERT_TRUE(a);
  EXPECT_EQ(a->text(), "203.0.113.7");
  EXPECT_EQ(a->port, 51966);
  EXPECT_EQ(client(tcp4("\x04\x00\x01z"))->text(), "203.0.113.7");  // extensions are skipped
  EXPECT_EQ(client(tcp6())->text(), "2001:db8::5");
  // LOCAL, unspecified, datagrams, unix: no address.
  for (auto& s : {header(0x20, 0x00, ""), header(0x20, 0x11, tcp4().substr(16)), header(0x21, 0x00, ""),
                  header(0x21, 0x12, tcp4().substr(16)), header(0x21, 0x31, std::string(216, 'x'))}) {
    auto none = client(s);
    ASSERT_TRUE(none);
    EXPECT_EQ(none->family, net::Address::Family::none);
  }
}

TEST(ProxyHeader, refusesWhatIsBroken) {
  EXPECT_FALSE(client(""));
  EXPECT_FALSE(client(tcp4().substr(0, 27)));                       // cut
  EXPECT_FALSE(client(tcp4() + "x"));                               // more than it says
  EXPECT_FALSE(client(header(0x11, 0x11, tcp4().substr(16))));      // version 1
  EXPECT_FALSE(client(header(0x22, 0x11, tcp4().substr(16))));      // command 2
  EXPECT_FALSE(client(header(0x21, 0x11, std::string(11, 'x'))));   // too short for IPv4
  EXPECT_FALSE(client(header(0x21, 0x21, std::string(35, 'x'))));   // for IPv6
  EXPECT_FALSE(client(header(0x21, 0x11, std::string(3000, 'x'))));  // too long
  std::string s = tcp4();
  s[11] = 'x';
  EXPECT_FALSE(client(s));
}

std::string forwarded(const char* list, const char* near = "10.0.0.1") {
  auto trusted = net::Networks::parse({"10.0.0.0/8", "2001:db8::/32"});
  return net::forwarded_for(list, *net::address_from(near), *trusted).text();
}

TEST(ForwardedFor, rightMostUntrusted) {
  EXPECT_EQ(forwarded(""), "10.0.0.1");
  EXPECT_EQ(forwarded("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(forwarded("1.1.1.1, 203.0.113.7"), "203.0.113.7");  // what the client claims stays a claim
  EXPECT_EQ(forwarded("1.1.1.1,203.0.113.7 ,\t10.9.9.9,[2001:db8::1]:99"), "203.0.113.7");
  EXPECT_EQ(forwarded("10.1.1.1, 10.2.2.2"), "10.1.1.1");  // all are ours
  EXPECT_EQ(forwarded("203.0.113.7, nonsense, 10.2.2.2"), "10.2.2.2");
  EXPECT_EQ(forwarded("203.0.113.7", "198.51.100.1"), "198.51.100.1");  // not from a proxy of ours
  EXPECT_EQ(forwarded(",,,"), "10.0.0.1");
}

TEST(TrustedProxy, headerThenRequest) {
  Site s({{"http.trusted_proxies", "127.0.0.1"}});
  Client c(s.port);
  c.send(tcp4() + upgrade() + "early");
  EXPECT_EQ(status(c.head()), 101);
  auto p = s.sink.peer();
  EXPECT_EQ(p.remote.text(), "203.0.113.7");
  EXPECT_EQ(p.remote.port, 51966);
  EXPECT_TRUE(has(p.facts, "\"ip\":\"203.0.113.7\",\"port\":51966"));
  EXPECT_EQ(p.carrier.early.size(), 5u);
}

TEST(TrustedProxy, headerByteByByte) {
  Site s({{"http.trusted_proxies", "127.0.0.0/8"}});
  Client c(s.port);
  for (char b : tcp6() + upgrade()) c.send(std::string_view(&b, 1));
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_EQ(s.sink.peer().remote.text(), "2001:db8::5");
}

TEST(TrustedProxy, headerIsOptionalAndLocalMeansTheProxy) {
  Site s({{"http.trusted_proxies", "127.0.0.1"}});
  for (auto& prefix : {std::string(), header(0x20, 0x00, "")}) {
    Client c(s.port);
    c.send(prefix + upgrade());
    EXPECT_EQ(status(c.head()), 101);
    EXPECT_EQ(s.sink.peer().remote.text(), "127.0.0.1");
  }
}

TEST(TrustedProxy, brokenHeaderEndsIt) {
  Site s({{"http.trusted_proxies", "127.0.0.1"}});
  EXPECT_EQ(s.ask(header(0x22, 0x11, tcp4().substr(16)) + upgrade()), "");
  EXPECT_EQ(s.ask("\r\n" + upgrade()), "");
  Client cut(s.port);
  cut.send(tcp4().substr(0, 20));
  cut.half_close();
  EXPECT_EQ(cut.all(), "");
  EXPECT_EQ(s.listener->counters.bad_request, 3u);
}

TEST(TrustedProxy, slowHeaderLoses) {
  Site s({{"http.trusted_proxies", "127.0.0.1"}, {"handshake_timeout", "50ms"}});
  Client none(s.port), some(s.port);
  some.send(tcp4().substr(0, 20));
  EXPECT_EQ(none.all(), "");
  EXPECT_EQ(some.all(), "");
  EXPECT_EQ(s.listener->counters.handshake_timeout, 2u);
}

TEST(TrustedProxy, nobodyElseIsBelieved) {
  Site s({{"http.trusted_proxies", "10.0.0.0/8"}});
  EXPECT_EQ(status(s.ask(tcp4() + upgrade())), 400);
  Client c(s.port);
  c.send(upgrade("/connect", "X-Forwarded-For: 203.0.113.7\r\n"));
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_EQ(s.sink.peer().remote.text(), "127.0.0.1");
}

TEST(TrustedProxy, forwardedForIsBelieved) {
  Site s({{"http.trusted_proxies", "127.0.0.1"}, {"max_peers_per_address", "1"}});
  Client c(s.port);
  c.send(upgrade("/connect", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.7\r\n"));
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_EQ(s.sink.peer().remote.text(), "203.0.113.7");
  // Seats are counted by the address told, not by the proxy's.
  EXPECT_EQ(status(s.ask(upgrade("/connect", "X-Forwarded-For: 203.0.113.7\r\n"))), 503);
  Client d(s.port);
  d.send(upgrade("/connect", "X-Forwarded-For: 203.0.113.8\r\n"));
  EXPECT_EQ(status(d.head()), 101);
  s.sink.peer();
}

TEST(TrustedProxy, headerThenForwardedFor) {
  Site s({{"http.trusted_proxies", "127.0.0.1,203.0.113.0/24"}});
  Client c(s.port);
  c.send(tcp4() + upgrade("/connect", "X-Forwarded-For: 198.51.100.9\r\n"));
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_EQ(s.sink.peer().remote.text(), "198.51.100.9");
}

}  // namespace
