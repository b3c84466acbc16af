// The Nth allocation of the control thread fails, for every N, while a
// connection is served; then another one is served as if nothing had been.
#include "unit/net/scarce.hpp"
#include "unit/net/site.hpp"

#include <cstdlib>
#include <new>

namespace scarce {
std::atomic<long> g_left{0};
thread_local bool t_spared = false;
}  // namespace scarce

using namespace scarce;

namespace {

void* allocate(size_t n) noexcept {
  if (!t_spared && g_left.load(std::memory_order_relaxed) > 0 && g_left.fetch_sub(1) == 1) return nullptr;
  return std::malloc(n > 0 ? n : 1);
}

}  // namespace

void* operator new(size_t n) {
  if (void* p = allocate(n)) return p;
  throw std::bad_alloc();
}
void* operator new(size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

using namespace site;

namespace {

// Serves one client; true if allocation n was reached.
bool served_without(Site& s, long n, const std::string& request, bool ask) {
  g_left = n;
  Client c(s.port);
  c.send(request);
  if (ask) {
    pollfd closed{c.fd(), POLLIN, 0};
    while (::poll(&closed, 1, 1) == 0) {
      std::unique_lock l(s.sink.m);
      if (s.sink.asks.empty()) continue;
      uint64_t ticket = s.sink.asks.front().ticket;
      s.sink.asks.pop_front();
      l.unlock();
      s.listener->answer(ticket, {true, 0, "", "{}"});
    }
  }
  std::string got = c.head();
  bool hit = g_left.exchange(0) <= 0 && n > 0;
  int answer = status(got);
  EXPECT_TRUE(answer == 101 || answer == 503 || answer == 200 || (answer == 0 && hit)) << n << ": " << got;
  return hit;
}

void every_allocation(Keys keys, const std::string& request, bool ask) {
  Spared spared;
  long n = 1;
  for (bool hit = true; hit && n < 2000; ++n) {
    Site s(keys);
    hit = served_without(s, n, request, ask);
    EXPECT_EQ(status(s.ask(get("/alive"))), 200) << n;
    served_without(s, 0, request, ask);
    s.stop();  // and nothing is left: kit's main() looks at descriptors
  }
  EXPECT_GT(n, 10);
  EXPECT_LT(n, 2000);
}

TEST(ListenerMemory, upgrade) { every_allocation({{"log.level", "debug"}}, upgrade("/connect?a=1"), false); }
TEST(ListenerMemory, page) { every_allocation({{"http.metrics", "/metrics"}}, get("/metrics"), false); }
TEST(ListenerMemory, question) { every_allocation({{"auth.ask", "true"}}, upgrade(), true); }

TEST(ListenerMemory, openAndStop) {
  Spared spared;
  bool hit = true;
  for (long n = 1; hit; ++n) {
    net::Control control("site");
    Sink sink;
    auto options = conf({{"port", "0"}, {"host", "localhost"}});
    g_left = n;
    auto l = net::Listener::open(control, options, sink);
    EXPECT_TRUE(sink.wait([&] { return sink.opened.has_value(); })) << n;
    l->stop();
    EXPECT_TRUE(sink.wait([&] { return sink.ended; })) << n;
    hit = g_left.exchange(0) <= 0;
    if (!*sink.opened) {
      EXPECT_EQ(sink.opened->error().code, MW_ENOMEM) << n;
    }
    control.stop();
    EXPECT_TRUE(control.join(kPatience));
    ASSERT_LT(n, 2000);
  }
}

}  // namespace
