// Urls, proxies and Retry-After taken apart.
#include "net/target.hpp"

#include "net/retry_after.hpp"

#include <gtest/gtest.h>

namespace {

using namespace mw;

base::Result<net::Target> of(std::initializer_list<std::pair<const char*, const char*>> keys) {
  base::Conf c(MW_CONF_CONSUMER);
  for (auto& [k, v] : keys) EXPECT_TRUE(c.set(k, v)) << k << "=" << v;
  return net::target_of(c);
}

struct Url {
  const char* url;
  bool tls;
  const char* host;
  int port;
  const char* resource;
  const char* authority;
  const char* shown;
};

TEST(Target, Urls) {
  const Url all[] = {
      {"ws://h", false, "h", 80, "/connect", "h", "ws://h/connect"},
      {"ws://h/", false, "h", 80, "/", "h", "ws://h/"},
      {"wss://h:443/a?b=c", true, "h", 443, "/a?b=c", "h", "wss://h/a"},
      {"ws://h:443", false, "h", 443, "/connect", "h:443", "ws://h:443/connect"},
      {"ws://h?x", false, "h", 80, "/?x", "h", "ws://h/"},
      {"ws://[::1]:7/p", false, "::1", 7, "/p", "[::1]:7", "ws://[::1]:7/p"},
      {"ws://[fe80::1%25eth0]/p", false, "fe80::1%eth0", 80, "/p", "[fe80::1]", "ws://[fe80::1]/p"},
      {"ws://u:p@h/p", false, "h", 80, "/p", "h", "ws://h/p"},
  };
  for (const Url& u : all) {
    auto t = of({{"url", u.url}});
    ASSERT_TRUE(t) << u.url << ": " << t.error().text;
    EXPECT_EQ(t->tls, u.tls) << u.url;
    EXPECT_EQ(t->host, u.host) << u.url;
    EXPECT_EQ(t->port, u.port) << u.url;
    EXPECT_EQ(t->resource, u.resource) << u.url;
    EXPECT_EQ(t->authority(), u.authority) << u.url;
    EXPECT_EQ(t->shown(), u.shown) << u.url;
  }
}

TEST(Target, PartsInsteadOfAUrl) {
  auto t = of({{"host", "::1"}, {"port", "9"}, {"path", "/p"}, {"tls", "true"}});
  ASSERT_TRUE(t);
  EXPECT_EQ(t->shown(), "wss://[::1]:9/p");
  auto plain = of({});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->shown(), "ws://localhost:8080/connect");
}

TEST(Target, UnixSockets) {
  auto t = of({{"url", "unix:/run/x.sock"}});
  ASSERT_TRUE(t);
  EXPECT_EQ(t->file, "/run/x.sock");
  EXPECT_EQ(t->resource, "/connect");
  EXPECT_EQ(t->authority(), "localhost");
  auto s = of({{"url", "wss+unix:/run/x.sock:/p?q"}});
  ASSERT_TRUE(s);
  EXPECT_TRUE(s->tls);
  EXPECT_EQ(s->resource, "/p?q");
  std::string longest = "unix:/" + std::string(106, 'x');
  EXPECT_TRUE(of({{"url", longest.c_str()}}));
  EXPECT_FALSE(of({{"url", (longest + "x").c_str()}}));
}

TEST(Target, Proxies) {
  auto p = net::proxy_of("http://me:a%40b@[::1]:3128/");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->host, "::1");
  EXPECT_EQ(p->port, 3128);
  EXPECT_EQ(p->user, "me:a@b");
  EXPECT_EQ(net::proxy_of("http://h")->port, 80);
  for (const char* bad : {"https://h", "h:1", "http://", "http://h/x", "http://h:x", "http://a%zz@h", "http://a%0d@h"}) {
    EXPECT_FALSE(net::proxy_of(bad)) << bad;
  }
}

TEST(Target, BasicCredentials) {
  EXPECT_EQ(net::basic_credentials("Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617
}

TEST(RetryAfter, SecondsAndDates) {
  const time_t now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(net::retry_after_ms("0", now), 0);
  EXPECT_EQ(net::retry_after_ms("120", now), 120000);
  EXPECT_EQ(net::retry_after_ms("Sun, 06 Nov 1994 08:50:37 GMT", now), 60000);
  EXPECT_EQ(net::retry_after_ms("Sunday, 06-Nov-94 08:50:37 GMT", now), 60000);
  EXPECT_EQ(net::retry_after_ms("Sun Nov  6 08:50:37 1994", now), 60000);
  EXPECT_EQ(net::retry_after_ms("Sun, 06 Nov 1994 08:49:36 GMT", now), 0) << "past";
  EXPECT_EQ(net::retry_after_ms("999999999999999999999999", now), 7 * 24 * 3600 * 1000ll);
  EXPECT_EQ(net::retry_after_ms("99999999999", now), 7 * 24 * 3600 * 1000ll);
  for (const char* bad : {"", "-1", "soon", "1.5", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
                          "Sun, 99 Nov 1994 08:49:37 GMT", "12x"}) {
    EXPECT_EQ(net::retry_after_ms(bad, now), -1) << bad;
  }
}

}  // namespace
