// The load generator. Closed loop: each connection keeps --flight messages on the way. Open loop (--rate): bursts at
// fixed times whatever the server does, latencies counted from the time a message was due. Prints
// "measuring" after the warm-up, one line of JSON at the end or when interrupted.
#include "args.hpp"
#include "histogram.hpp"
#include "load_connection.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <csignal>
#include <ctime>
#include <memory>
#include <vector>

namespace mw::bench {
namespace {

volatile std::sig_atomic_t stopped = 0;

int64_t clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}
int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

class Load {
 public:
  explicit Load(const Args& args)
      : flight_(static_cast<size_t>(args.number("flight", 1))),
        rate_(args.real("rate", 0)),
        burst_(static_cast<size_t>(args.number("burst", 1))),
        one_way_(args.has("one-way")),
        spin_(!args.has("sleep")),
        warm_ns_(static_cast<int64_t>(args.real("warm", 0.3) * 1e9)),
        run_ns_(static_cast<int64_t>(args.real("seconds", 1) * 1e9)),
        frames_(rate_ > 0 ? burst_ : flight_, static_cast<size_t>(args.number("size", 20)), args.has("own-wire")),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (args.has("pid") && clock_getcpuclockid(static_cast<pid_t>(args.number("pid", 0)), &server_clock_) != 0)
      wrong("no such server process");
    has_server_ = args.has("pid");
    SSL_CTX* tls = args.has("tls") ? tls_context(false) : nullptr;
    const auto port = static_cast<uint16_t>(args.number("port", 0));
    const long count = args.number("connections", 1);
    for (long i = 0; i < count; ++i) {
      auto& c = connections_.emplace_back(std::make_unique<LoadConnection>(
          port, tls, frames_, args.has("verify"), rate_ > 0 ? kPacedRing : flight_, buffers_));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = c.get();
      epoll_ctl(epoll_, EPOLL_CTL_ADD, c->fd(), &event);
    }
    if (tls != nullptr) SSL_CTX_free(tls);
  }

  void run() {
    const int64_t start = now_ns();
    next_burst_ = start;
    if (rate_ == 0)
      for (auto& c : connections_) send(*c, flight_, start);
    int64_t before = start;
    const int64_t begin = start + warm_ns_;
    const int64_t end = begin + run_ns_;
    while (before < end && !stopped) {
      epoll_event events[512];
      if (rate_ > 0) send_bursts();
      const int n = wait(events, 512);
      const int64_t now = now_ns();
      if (n == 0) idle_ns_ += now - before;
      if (!measuring_ && now >= begin) begin_measuring(now);
      for (int i = 0; i < n; ++i) serve(events[i]);
      before = n == 0 ? now : now_ns();
    }
    report(now_ns());
  }

 private:
  static constexpr size_t kPacedRing = 1 << 14;

  int wait(epoll_event* events, int room) {
    if (spin_) return epoll_wait(epoll_, events, room, 0);
    const int64_t left = rate_ > 0 ? std::max<int64_t>(0, next_burst_ - now_ns()) : 10'000'000;
    const timespec limit{left / 1'000'000'000, left % 1'000'000'000};
    return epoll_pwait2(epoll_, events, room, &limit, nullptr);
  }

  void send_bursts() {
    const auto gap = static_cast<int64_t>(1e9 * static_cast<double>(burst_) / rate_);
    for (; next_burst_ <= now_ns(); next_burst_ += gap) {
      LoadConnection& c = *connections_[turn_++ % connections_.size()];
      if (one_way_ && c.waiting()) return;  // the socket is full: the achieved rate tells
      if (one_way_) sent_total_ += burst_;
      if (one_way_ && measuring_) messages_ += burst_;
      send(c, burst_, next_burst_);
    }
  }

  void send(LoadConnection& c, size_t n, int64_t when) {
    one_way_ ? c.due_one_way(n) : c.due(n, when);
    flush(c);
  }

  void flush(LoadConnection& c) {
    const bool waited = c.waiting();
    const bool done = c.flush();
    if (waited != done) return;  // nothing changed
    epoll_event event{};
    event.events = done ? EPOLLIN : EPOLLIN | EPOLLOUT;
    event.data.ptr = &c;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd(), &event);
  }

  void serve(const epoll_event& event) {
    auto& c = *static_cast<LoadConnection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) flush(c);
    if ((event.events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return;
    int64_t now = 0;
    const size_t n = c.receive_messages([&](int64_t sent_at) {
      if (now == 0) now = now_ns();
      if (measuring_) latencies_.add(static_cast<uint64_t>(now - sent_at));
    });
    if (n == 0) return;
    if (measuring_) messages_ += n;
    if (rate_ == 0) send(c, n, now);
  }

  void begin_measuring(int64_t now) {
    std::puts("measuring");
    std::fflush(stdout);
    measuring_ = true;
    measured_from_ = now;
    idle_ns_ = 0;
    own_cpu_ = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (has_server_) server_cpu_ = clock_ns(server_clock_);
  }

  void report(int64_t now) {
    if (!measuring_) wrong("stopped before the measurement began");
    const auto elapsed = static_cast<double>(now - measured_from_);
    const double cpu = has_server_ ? static_cast<double>(clock_ns(server_clock_) - server_cpu_) : 0;
    const auto count = static_cast<double>(messages_);
    const double busy = spin_ ? 1 - static_cast<double>(idle_ns_) / elapsed
                              : static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own_cpu_) / elapsed;
    std::printf("{\"messages\":%llu,\"seconds\":%.3f,\"rate\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
                "\"server_us\":%.4f,\"server_busy\":%.3f,\"load_busy\":%.3f",
                static_cast<unsigned long long>(messages_), elapsed / 1e9, count / elapsed * 1e9,
                micro(0.5), micro(0.99), micro(0.999), messages_ == 0 ? 0 : cpu / 1e3 / count, cpu / elapsed, busy);
    if (one_way_) {
      unsigned long long heard = 0, batches = 0;
      if (std::sscanf(connections_[0]->ask().c_str(), "%llu %llu", &heard, &batches) != 2) wrong("no count came");
      if (heard != sent_total_) wrong("the server heard another number of messages than were sent");
      std::printf(",\"batch\":%.1f", batches == 0 ? 0 : static_cast<double>(heard) / static_cast<double>(batches));
    }
    std::puts("}");
  }

  double micro(double q) const { return static_cast<double>(latencies_.quantile(q)) / 1e3; }

  size_t flight_;
  double rate_;
  size_t burst_;
  bool one_way_;
  bool spin_;
  int64_t warm_ns_;
  int64_t run_ns_;
  Frames frames_;
  int epoll_;
  clockid_t server_clock_ = 0;
  bool has_server_ = false;
  LoadBuffers buffers_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;

  int64_t next_burst_ = 0;
  size_t turn_ = 0;
  bool measuring_ = false;
  int64_t measured_from_ = 0;
  int64_t idle_ns_ = 0;
  int64_t own_cpu_ = 0;
  int64_t server_cpu_ = 0;
  uint64_t messages_ = 0;
  uint64_t sent_total_ = 0;
  Histogram latencies_;
};

}  // namespace
}  // namespace mw::bench

int main(int argc, char** argv) {
  using namespace mw::bench;
  const Args args(argc, argv,
                  " port pid connections flight size seconds warm rate burst one-way sleep tls verify own-wire ");
  if (args.has("one-way") && (args.number("connections", 1) != 1 || args.has("tls") || !args.has("rate")))
    wrong("--one-way wants --rate, one connection and no TLS");
  const auto stop = [](int) { stopped = 1; };
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  prctl(PR_SET_TIMERSLACK, 1UL);
  alarm(static_cast<unsigned>(args.real("seconds", 1) + args.real("warm", 0.3)) + 60);  // never longer
  Load(args).run();
}
