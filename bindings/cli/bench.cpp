// `meshwork bench`: a load generator. Connections send, wait for the echo,
// send again. One thread here; the echo provider of its own runs on another.
#include "histogram.hpp"
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <deque>
#include <memory>

#include <sys/resource.h>

namespace cli {

namespace {

double cpu_seconds() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

// The echo provider used when no target is given: inline on a library thread.
struct Echo {
  explicit Echo(const BenchOptions& o) : ctx({{"threads", 1}, {"delivery", "inline"}}), provider(ctx, conf(o)) {
    provider.on_message([](mw::Peer peer, const mw::Event& e) {
      if (peer.send(e.bytes(), e.flags() & MW_F_TEXT) == MW_EAGAIN) peer.close(1013, "echo cannot keep up");
    });
    std::atomic<mw_status> started{1};
    std::string why;
    provider.start([&](mw_status s, const mw::Event& e) {
      why = e.text();
      started = s;
      started.notify_all();
    });
    started.wait(1);
    if (started < 0) throw failure(started, why, "own echo provider");
    url = first_text(field(provider.handle().info("address"), "address").value_or(""));
  }
  static mw::Conf conf(const BenchOptions& o) {
    mw::Conf c(MW_CONF_PROVIDER, {{"host", "127.0.0.1"}, {"port", 0}});
    if (!o.tls_key.empty()) c.set("tls.key_file", o.tls_key).set("tls.cert_file", o.tls_cert);
    return c;
  }
  mw::Context ctx;
  mw::Provider provider;
  std::string url;
};

struct Link {
  Link(mw::Context& ctx, const mw::Conf& c) : consumer(ctx, c) {}
  mw::Consumer consumer;
  std::deque<Clock::time_point> sent;  // answers come in order
  int owed = 0;                        // refused for the moment
};

class Bench {
 public:
  explicit Bench(const BenchOptions& options)
      : o_(options), remarks_(o_.common.quiet), echo_(o_.target.empty() ? new Echo(o_) : nullptr),
        context_conf_(MW_CONF_CTX, {{"threads", 0}}), conf_(options_of()), payload_(o_.size, 'x'), ctx_(context_conf_) {
    for (int i = 0; i < o_.connections; ++i) {
      Link& link = *links_.emplace_back(std::make_unique<Link>(ctx_, conf_));
      link.consumer.on_message([this, &link] { answered(link); });
      link.consumer.on_writable([this, &link] {
        for (int n = std::exchange(link.owed, 0); n > 0; --n) send(link);
      });
      link.consumer.on_down([this](const mw::Event& e) { lost(e); });
      link.consumer.on_closed([this](const mw::Event& e) { if (!over_) lost(e); });
      link.consumer.start([this](mw_status s, const mw::Event& e) { s < 0 ? lost(e) : (void)++up_; });
    }
  }

  int run() {
    Loop loop(ctx_);
    while (up_ < o_.connections) turn(loop, 1000);
    for (auto& link : links_)
      for (int k = 0; k < o_.in_flight; ++k) send(*link);
    // A tenth of the time warms up and is not counted.
    phase(loop, o_.seconds / 10);
    latency_ = {};
    messages_ = 0;
    const double cpu = cpu_seconds();
    const auto begin = Clock::now();
    phase(loop, o_.seconds);
    const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
    over_ = true;
    report(wall, cpu_seconds() - cpu);
    return loop.interrupts() > 0 ? kInterrupted : kOk;
  }

 private:
  mw::Conf options_of() {
    mw::Conf c(MW_CONF_CONSUMER, {{"wire", o_.wire}});
    const std::string target = echo_ != nullptr ? echo_->url : o_.target;
    c.set("url", target.find("://") != std::string::npos ? target : "ws://" + target + "/connect");
    if (!o_.ca.empty()) c.set("tls.ca_file", o_.ca);
    if (o_.insecure || (echo_ != nullptr && !o_.tls_key.empty() && o_.ca.empty())) c.set("tls.verify", "none");
    if (!o_.common.params.empty()) c.set("parameters", params_json(o_.common.params));
    apply(o_.common.sets, c, context_conf_);
    return c;
  }
  void phase(Loop& loop, double seconds) {
    const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (Clock::now() < until && loop.interrupts() == 0) {
      turn(loop, o_.spin ? 0 : 100);
      remarks_.progress(std::to_string(messages_) + " messages");
    }
  }
  void turn(Loop& loop, int ms) {
    loop.turn(ms, nullptr, output_);
    if (!failure_.empty()) throw Failure(exit_, failure_);
  }
  void send(Link& link) {
    const mw_status s = link.consumer.send(std::as_bytes(std::span(payload_)));
    if (s >= 0) link.sent.push_back(Clock::now());
    else if (s == MW_EAGAIN) ++link.owed;
  }
  void answered(Link& link) {
    if (link.sent.empty()) return;  // not an echo of ours
    latency_.add(static_cast<uint64_t>((Clock::now() - link.sent.front()).count()));
    link.sent.pop_front();
    ++messages_;
    if (!over_) send(link);
  }
  void lost(const mw::Event& e) {
    if (!failure_.empty()) return;
    const Failure f = failure(e.status() < 0 ? e.status() : MW_ERESET, e.text(), o_.target);
    failure_ = f.what();
    exit_ = f.exit;
  }
  void report(double wall, double cpu) {
    const double rate = static_cast<double>(messages_) / wall;
    auto us = [&](double part) { return static_cast<double>(latency_.at(part)) / 1e3; };
    const double per = messages_ > 0 ? cpu * 1e6 / static_cast<double>(messages_) : 0;
    char text[512];
    if (o_.common.json) {
      std::snprintf(text, sizeof text,
                    "{\"messages\":%llu,\"seconds\":%.3f,\"rate\":%.0f,\"mib_per_s\":%.2f,\"p50_us\":%.1f,\"p90_us\":%.1f,"
                    "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"cpu_seconds\":%.3f,\"cpu_us_per_message\":%.3f}",
                    static_cast<unsigned long long>(messages_), wall, rate, rate * static_cast<double>(o_.size) / 1048576,
                    us(.5), us(.9), us(.99), us(.999), us(1), cpu, per);
    } else {
      std::snprintf(text, sizeof text,
                    "%d connections, %zu bytes, %d in flight, %.1f s, %s\n"
                    "  round trips   %llu, %.0f a second, %.1f MiB/s each way\n"
                    "  latency       p50 %.1f us   p90 %.1f   p99 %.1f   p99.9 %.1f   max %.1f\n"
                    "  CPU           %.2f cores, %.2f us a round trip%s",
                    o_.connections, o_.size, o_.in_flight, wall, echo_ != nullptr ? echo_->url.c_str() : o_.target.c_str(),
                    static_cast<unsigned long long>(messages_), rate, rate * static_cast<double>(o_.size) / 1048576, us(.5),
                    us(.9), us(.99), us(.999), us(1), cpu / wall, per, echo_ != nullptr ? " (both sides)" : " (this side)");
    }
    remarks_.done();
    output_.line(text);
    output_.flush_all();
  }

  const BenchOptions& o_;
  Remarks remarks_;
  Output output_;
  std::unique_ptr<Echo> echo_;
  mw::Conf context_conf_, conf_;
  std::string payload_, failure_;
  Histogram latency_;
  uint64_t messages_ = 0;
  int up_ = 0, exit_ = kFailed;
  bool over_ = false;
  mw::Context ctx_;
  std::vector<std::unique_ptr<Link>> links_;
};

}  // namespace

int bench(const BenchOptions& options) { return Bench(options).run(); }

}  // namespace cli
