// A host that turns the lane once for each change of its descriptor, and never
// more often: what a turn leaves behind has to be told again. No heartbeats:
// their timer would speak for it.
#include "kit/certificates.hpp"
#include "stress/rig.hpp"

#include <algorithm>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace rig;

namespace {

struct Way {
  const char* what;
  bool records;  // mw_ctx_take, else mw_ctx_run
  bool tls;
};

const Way kWays[] = {{"take", true, false}, {"take_tls", true, true}, {"run", false, false}, {"run_tls", false, true}};

// threads=0 under an edge-triggered poller; the test's own thread is the host.
class EdgeHost {
 public:
  using Handler = std::function<void(const mw_event&, std::string_view body)>;

  EdgeHost(bool records, Handler handler) : records_(records), handler_(std::move(handler)) {
    EXPECT_EQ(mw_ctx_open(Conf(MW_CONF_CTX, {{"threads", "0"}}), &ctx, nullptr), MW_OK);
    if (!records) mw_on(ctx, callback, this, nullptr);
    int fd = -1;
    EXPECT_EQ(mw_ctx_fd(ctx, &fd), MW_OK);
    epoll_event want{EPOLLIN | EPOLLET, {}};
    EXPECT_EQ(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &want), 0);
  }
  ~EdgeHost() {
    mw_close(ctx, 0, nullptr, 0, 0);
    EXPECT_TRUE(until([&] { return closed_; })) << "no CLOSED of the context";
    EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
    ::close(epoll_);
  }
  mw_handle consumer(const Options& options) {
    mw_handle c = 0;
    EXPECT_EQ(mw_consumer_open(ctx, Conf(MW_CONF_CONSUMER, options), 5, &c, nullptr), MW_OK);
    return started(c);
  }
  mw_handle provider(const Options& options) {
    mw_handle p = 0;
    EXPECT_EQ(mw_provider_open(ctx, Conf(MW_CONF_PROVIDER, options), 5, &p, nullptr), MW_OK);
    return started(p);
  }
  // One turn an edge. False: the descriptor fell silent.
  bool until(const std::function<bool()>& yes) {
    while (!yes()) {
      epoll_event got{};
      if (epoll_wait(epoll_, &got, 1, 10000) != 1) return false;
      turn();
    }
    return true;
  }

  mw_handle ctx = 0;

 private:
  mw_handle started(mw_handle h) {
    if (!records_) mw_on(h, callback, this, nullptr);
    EXPECT_EQ(mw_start(h, 0, nullptr), MW_OK);
    return h;
  }
  static void callback(const mw_event* ev, const uint8_t* data, void* user) {
    auto* body = reinterpret_cast<const char*>(data) + ev->offset + ev->topic_len + ev->meta_len;
    static_cast<EdgeHost*>(user)->event(*ev, {body, ev->body_len});
  }
  void event(const mw_event& ev, std::string_view body) {
    closed_ |= ev.kind == MW_EVENT_CLOSED && ev.token == 0;
    handler_(ev, body);
  }
  void turn() {
    if (!records_) return void(mw_ctx_run(ctx, 0, nullptr));
    size_t n = 0;
    mw_ctx_take(ctx, events_.data(), sizeof(mw_event), events_.size(), slab_.data(), slab_.size(), &n);
    for (size_t i = 0; i < n; i++) {
      const mw_event& ev = events_[i];
      if ((ev.flags & MW_F_REF) == 0) {
        callback(&ev, slab_.data(), this);
        continue;
      }
      auto* m = reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(ev.msg));
      size_t len = 0;
      auto* body = static_cast<const char*>(mw_msg_body(m, &len));
      event(ev, {body, len});
      mw_msg_unref(m);
    }
  }

  const bool records_;
  Handler handler_;
  std::vector<mw_event> events_ = std::vector<mw_event>(1024);
  std::vector<uint8_t> slab_ = std::vector<uint8_t>(64 << 10);
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  bool closed_ = false;
};

// A provider on threads of its own, and what a consumer needs to reach it.
struct Far {
  Far(bool tls, Host::Handler handler) : host(Door::inline_, {}, std::move(handler)) {
    Options listen = {{"heartbeat.interval", "0"}};
    if (tls) {
      kit::Authority authority;
      kit::Certificate own = authority.issue();
      listen.insert(listen.end(), {{"tls.cert", own.cert}, {"tls.key", own.key}});
      reach = {{"tls.ca", authority.cert()}};
    }
    reach.insert(reach.end(), {{"wire", "raw"}, {"heartbeat.interval", "0"}, {"url", host.listen(host.provider(listen))}});
  }
  Host host;
  Options reach;
};

}  // namespace

class Edge : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, Edge, testing::ValuesIn(kWays), [](auto& i) { return std::string(i.param.what); });

// More than one turn reads, both ways.
TEST_P(Edge, OneMebibyteBothWays) {
  const std::string large(1 << 20, 'm');
  std::atomic<mw_handle> here{0};
  std::atomic<bool> echoed{false};
  Far far(GetParam().tls, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_PEER_UP) EXPECT_GE(mw_send_bytes(ev.peer, large.data(), large.size(), 0), 0);
    if (ev.kind == MW_EVENT_MESSAGE) echoed = true, mw_ctx_wake(here);
  });
  mw_handle c = 0;
  EdgeHost host(GetParam().records, [&](const mw_event& ev, std::string_view body) {
    if (ev.kind == MW_EVENT_MESSAGE) EXPECT_GE(mw_send_bytes(c, body.data(), body.size(), 0), 0);
  });
  here = host.ctx;
  c = host.consumer(far.reach);
  EXPECT_TRUE(host.until([&] { return echoed.load(); })) << "silent";
}

// The end of the connection came together with the last bytes.
TEST_P(Edge, EndBehindTheLastMessage) {
  Far far(GetParam().tls, [&](const mw_event& ev, std::string_view) {
    if (ev.kind == MW_EVENT_DONE && ev.id == 7) mw_close(ev.peer, 0, nullptr, 0, MW_CLOSE_ABORT);
  });
  bool up = false, last = false, down = false;
  EdgeHost host(GetParam().records, [&](const mw_event& ev, std::string_view body) {
    up |= ev.kind == MW_EVENT_UP;
    last |= body == "last";
    down |= ev.kind == MW_EVENT_DOWN;
  });
  Options options = far.reach;
  options.push_back({"reconnect.interval", "1h"});
  host.consumer(options);
  ASSERT_TRUE(host.until([&] { return up; }));
  ASSERT_TRUE(far.host.wait_kind(MW_EVENT_PEER_UP, 1));
  // The host looks away until all has arrived.
  mw_msg* m = mw_msg_new("last", 4, 0);
  EXPECT_GE(mw_send(far.host.peer(0), m, 0, 7), 0);
  mw_msg_unref(m);
  EXPECT_TRUE(far.host.wait_kind(MW_EVENT_PEER_DOWN, 1));
  EXPECT_TRUE(host.until([&] { return down; })) << "silent";
  EXPECT_TRUE(last);
}

// More sockets than the kernel tells of at once.
TEST_P(Edge, SixHundredPeersAtOnce) {
  if (GetParam().tls) return;  // sockets are sockets
  constexpr uint64_t kPeers = 600;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  setrlimit(RLIMIT_NOFILE, &files);

  Host far(Door::inline_);
  uint64_t peers = 0, heard = 0;
  std::string url;
  EdgeHost host(GetParam().records, [&](const mw_event& ev, std::string_view body) {
    if (ev.kind == MW_EVENT_UP) url = body.substr(body.find("ws"), body.find('"', body.find("ws")) - body.find("ws"));
    peers += ev.kind == MW_EVENT_PEER_UP;
    heard += ev.kind == MW_EVENT_MESSAGE;
  });
  host.provider({{"listen", "tcp://127.0.0.1:0"}, {"wire", "raw"}, {"heartbeat.interval", "0"}});
  ASSERT_TRUE(host.until([&] { return !url.empty(); }));
  std::vector<mw_handle> consumers;
  for (uint64_t i = 0; i < kPeers; i++) {
    consumers.push_back(far.consumer(url, {{"heartbeat.interval", "0"}}, 10 + i));
    ASSERT_EQ(mw_start(consumers.back(), 0, nullptr), MW_OK);
  }
  ASSERT_TRUE(host.until([&] { return peers == kPeers; }));
  ASSERT_TRUE(far.wait_kind(MW_EVENT_UP, kPeers));
  mw_msg* m = mw_msg_new("here", 4, 0);
  uint64_t op = 0;
  for (mw_handle c : consumers) EXPECT_GE(mw_send(c, m, 0, ++op), 0);
  mw_msg_unref(m);
  ASSERT_TRUE(far.wait_kind(MW_EVENT_DONE, kPeers));  // all are in the kernel
  EXPECT_TRUE(host.until([&] { return heard == kPeers; })) << "silent after " << heard;
}
