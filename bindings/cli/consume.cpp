// `meshwork consume`: connects, prints what comes, sends the lines of standard
// input. One thread.
#include "histogram.hpp"
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <charconv>
#include <memory>

namespace cli {

namespace {

// host, host:port, [v6]:port, or a whole URL.
void set_target(mw::Conf& c, const ConsumeOptions& o) {
  const std::string& t = o.target;
  if (t.find("://") != std::string::npos) {
    c.set("url", t);
    return;
  }
  std::string host = t, port;
  const size_t colon = t.rfind(':');
  if (!t.empty() && t[0] == '[') {
    const size_t end = t.find(']');
    if (end == std::string::npos) throw Failure(kUsage, t + ": ']' is missing");
    host = t.substr(1, end - 1);
    if (end + 1 < t.size()) port = t.substr(end + 2);
  } else if (colon != std::string::npos && t.find(':') == colon) {
    host = t.substr(0, colon);
    port = t.substr(colon + 1);
  }
  if (!host.empty() && host.find_first_not_of("0123456789") == std::string::npos) std::swap(host, port);
  if (!host.empty()) c.set("host", host);
  if (!port.empty()) c.set("port", port);
  if (o.tls) c.set("tls", "true");
}

class Consume {
 public:
  explicit Consume(const ConsumeOptions& options)
      : o_(options), remarks_(o_.common.quiet), input_(o_.no_input ? nullptr : new Input(o_.file)),
        context_conf_(MW_CONF_CTX, {{"threads", 0}}), ctx_(context_conf_after(conf_)), consumer_(ctx_, conf_) {
    listen();
  }

  int run() {
    Loop loop(ctx_);
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(o_.timeout));
    bool draining = false;
    while (!closed_) {
      const bool sending = input_ != nullptr && up_ && !full_ && !draining;
      int wait = -1;
      if (o_.timeout > 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) throw Failure(kFailed, "time is up after " + std::to_string(heard_) + " messages");
        wait = static_cast<int>(std::min<int64_t>(left.count(), 1 << 30));
      }
      loop.turn(wait, sending ? input_.get() : nullptr, output_);
      if (paused_ && output_.pending() < kOutputHigh / 2) pause(false);
      if (sending) send_lines();
      const bool enough = o_.count > 0 && heard_ >= o_.count;
      const bool said = o_.exit && input_ != nullptr && input_->ended() && up_;
      if (!draining && (loop.interrupts() > 0 || enough || said || over_ || output_.closed() || !failure_.empty())) {
        draining = true;
        if (loop.interrupts() > 0) remarks_.say("draining; again to quit at once");
        if (failure_.empty()) consumer_.drain(5000);
        else break;
      }
    }
    output_.flush_all();
    report();
    if (!failure_.empty()) throw Failure(exit_, failure_);
    return kOk;
  }

 private:
  // conf_ must be complete before the context is opened: -o may name its keys.
  const mw::Conf& context_conf_after(mw::Conf& c) {
    set_target(c, o_);
    if (!o_.ca.empty()) c.set("tls.ca_file", o_.ca);
    if (!o_.cert.empty()) c.set("tls.cert_file", o_.cert).set("tls.key_file", o_.key);
    if (o_.insecure) c.set("tls.verify", "none");
    if (!o_.wire.empty()) c.set("wire", o_.wire);
    if (!o_.common.params.empty()) c.set("parameters", params_json(o_.common.params));
    if (o_.common.verbose) c.set("log.level", "debug");
    apply(o_.common.sets, c, context_conf_);
    return context_conf_;
  }

  void listen() {
    consumer_.on_up([this](std::string_view facts) {
      up_ = was_up_ = true;
      full_ = false;
      if (begin_ == Clock::time_point{}) begin_ = Clock::now();
      else ++reconnects_;
      if (o_.common.json) output_.line("{\"event\":\"up\",\"facts\":" + std::string(facts) + "}");
      else remarks_.say("connected to " + o_.target);
      for (const std::string& text : o_.sends) consumer_.send(text);
    });
    consumer_.on_down([this](const mw::Event& e) {
      up_ = false;
      if (o_.common.json)
        output_.line("{\"event\":\"down\",\"status\":\"" + std::string(mw_status_name(e.status())) + "\",\"code\":" +
                     std::to_string(e.code()) + ",\"retry_ms\":" + std::to_string(e.id()) + ",\"reason\":" +
                     json_text(e.text()) + "}");
      const bool polite = e.code() == 1000 || e.code() == 1001;
      if (o_.once && was_up_ && polite) {
        over_ = true;
        return;
      }
      if ((!was_up_ && !o_.retry) || (o_.once && was_up_)) return fail(e.status(), e.text());
      remarks_.say("lost: " + reason(e) + "; again in " + std::to_string(e.id()) + " ms");
    });
    consumer_.on_closed([this](const mw::Event& e) {
      closed_ = true;
      up_ = false;
      if (e.status() < 0 && e.status() != MW_ECANCELED && e.status() != MW_ECLOSED) fail(e.status(), e.text());
    });
    consumer_.on_writable([this] { full_ = false; });
    consumer_.on_message([this](const mw::Event& e) { heard(e); });
    consumer_.on_dropped([this](const mw::Event& e) {
      remarks_.say("lost " + std::to_string(e.code()) + " messages: " + mw_status_name(e.status()));
    });
    consumer_.on_error([this](const mw::Event& e) { remarks_.say("error: " + std::string(e.text())); });
    consumer_.on_log([this](const mw::Event& e) { remarks_.say(std::string(e.topic()) + ": " + std::string(e.text())); });
    for (const std::string& topic : o_.topics) consumer_.subscribe(topic);
    consumer_.start([this](mw_status s, const mw::Event& e) {
      if (s < 0 && !was_up_ && s != MW_ECANCELED && s != MW_ECLOSED) fail(s, e.text());
    });
  }

  void fail(mw_status s, std::string_view text) {
    if (!failure_.empty()) return;
    const Failure f = failure(s, text, o_.target);
    failure_ = f.what();
    exit_ = f.exit;
  }

  void heard(const mw::Event& e) {
    if (o_.count > 0 && heard_ >= o_.count) return;  // what came while we leave
    ++heard_;
    bytes_ += e.text().size();
    last_ = Clock::now();
    if (o_.stats) stamp(e);
    if (o_.common.json) {
      std::string line = "{\"event\":\"message\"";
      if (!e.topic().empty()) line += ",\"topic\":" + json_text(e.topic());
      line += e.is_text() ? ",\"text\":" + json_text(e.text()) : ",\"base64\":\"" + base64(e.text()) + "\"";
      output_.line(line + "}");
    } else {
      output_.shown(e.text());
    }
    if (output_.pending() > kOutputHigh && !paused_) pause(true);
    if (remarks_.shows_progress() && ::isatty(STDOUT_FILENO) == 0)
      remarks_.progress(std::to_string(heard_) + " messages");
  }

  void stamp(const mw::Event& e) {
    const auto sent = e.header("sent");
    if (!sent) return;
    int64_t then = 0;
    std::from_chars(sent->data(), sent->data() + sent->size(), then);
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    const int64_t took = int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec - then;
    latency_.add(took > 0 ? static_cast<uint64_t>(took) : 0);
  }

  void send_lines() {
    while (input_->has_line() && up_ && !full_) {
      const std::string_view line = input_->line();
      const mw_status s = is_utf8(line) ? consumer_.send(line) : consumer_.send(std::as_bytes(std::span(line)));
      if (s == MW_EAGAIN || s == MW_ENOTCONN) {
        full_ = s == MW_EAGAIN;
        return;
      }
      if (s < 0) throw failure(s, {}, "line not sent");
      input_->next();
      full_ = s == MW_BUFFERED;
    }
  }

  void pause(bool on) {
    paused_ = on;
    consumer_.handle().pause(on);
  }

  void report() const {
    if (!o_.stats) return;
    const double s = std::chrono::duration<double>(last_ - begin_).count();
    std::fprintf(stderr,
                 "{\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"reconnects\":%d}\n",
                 static_cast<unsigned long long>(heard_), static_cast<unsigned long long>(bytes_), s > 0 ? s : 0,
                 static_cast<double>(latency_.at(0.5)) / 1e3, static_cast<double>(latency_.at(0.99)) / 1e3, reconnects_);
  }

  static constexpr size_t kOutputHigh = 1 << 20;

  const ConsumeOptions& o_;
  Remarks remarks_;
  Output output_;
  std::unique_ptr<Input> input_;
  mw::Conf context_conf_, conf_{MW_CONF_CONSUMER};
  bool up_ = false, was_up_ = false, over_ = false, closed_ = false, full_ = false, paused_ = false;
  uint64_t heard_ = 0, bytes_ = 0;
  int reconnects_ = 0, exit_ = kFailed;
  std::string failure_;
  Histogram latency_;
  Clock::time_point begin_{}, last_{};
  mw::Context ctx_;
  mw::Consumer consumer_;
};

}  // namespace

int consume(const ConsumeOptions& options) { return Consume(options).run(); }

}  // namespace cli
