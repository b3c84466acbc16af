// `meshwork provide`: listens, sends the lines of a file or of standard input
// to every consumer, prints what they say. One thread.
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <deque>
#include <map>
#include <memory>

namespace cli {

namespace {

class Provide {
 public:
  explicit Provide(const ProvideOptions& options)
      : o_(options), remarks_(o_.common.quiet), input_(o_.no_input ? nullptr : new Input(o_.file)),
        wait_(o_.wait >= 0 ? o_.wait : input_ != nullptr && !input_->is_terminal() ? 1 : 0),
        context_conf_(MW_CONF_CTX, {{"threads", 0}}), conf_(options_of()),
        ctx_(context_conf_), provider_(ctx_, conf_), bound_(size_of(conf_.get("send.max_bytes"))) {
    listen();
  }

  int run() {
    Loop loop(ctx_);
    bool draining = false;
    while (!closed_) {
      const bool sending = input_ != nullptr && !draining && up_ && enough_peers();
      loop.turn(sending ? publish_lines() : idle_ms(), sending ? input_.get() : nullptr, output_);
      if (!failure_.empty()) break;
      if (input_ != nullptr && input_->ended() && !done_) {
        done_ = true;
        remarks_.say("sent " + std::to_string(lines_) + " lines" + (o_.exit ? "" : "; Ctrl-C ends"));
      }
      if (!draining && (loop.interrupts() > 0 || output_.closed() || (o_.exit && done_))) {
        draining = true;
        if (loop.interrupts() > 0) remarks_.say("draining; again to quit at once");
        provider_.drain(5000);
      }
    }
    output_.flush_all();
    if (!failure_.empty()) throw Failure(exit_, failure_);
    return kOk;
  }

 private:
  struct Known {
    int number;
    std::deque<mw::Message> owed;  // echoes refused so far
  };

  mw::Conf options_of() {
    mw::Conf c(MW_CONF_PROVIDER, {{"host", o_.host}, {"port", o_.port}, {"drain.stagger", 0}});
    if (!o_.path.empty()) c.set("path", o_.path);
    if (!o_.tls_key.empty()) c.set("tls.key_file", o_.tls_key);
    if (!o_.tls_cert.empty()) c.set("tls.cert_file", o_.tls_cert);
    if (!o_.common.params.empty()) c.set("auth.parameters", params_json(o_.common.params));
    if (o_.drop) c.set("send.overflow", "drop_old");
    if (o_.common.verbose) c.set("log.level", "debug");
    apply(o_.common.sets, c, context_conf_);
    return c;
  }

  void listen() {
    provider_.on_up([this](std::string_view facts) {
      up_ = true;
      const std::string urls = field(facts, "address").value_or("[]");
      if (o_.common.json) return output_.line("{\"event\":\"listening\",\"address\":" + urls + "}");
      remarks_.say("listening on " + first_text(urls));
    });
    provider_.on_peer_up([this](mw::Peer peer, std::string_view facts) {
      const int n = ++last_number_;
      peers_.emplace(peer.id(), Known{n, {}});
      if (o_.common.json)
        return output_.line("{\"event\":\"peer_up\",\"peer\":" + std::to_string(n) + ",\"facts\":" + std::string(facts) + "}");
      remarks_.say("[" + std::to_string(n) + "] connected from " + field(facts, "ip").value_or("?") + " port " +
                   field(facts, "port").value_or("?"));
    });
    provider_.on_peer_down([this](mw::Peer peer, const mw::Event& e) {
      const auto node = peers_.extract(peer.id());
      const std::string n = node ? std::to_string(node.mapped().number) : "0";
      if (o_.common.json)
        return output_.line("{\"event\":\"peer_down\",\"peer\":" + n + ",\"code\":" + std::to_string(e.code()) +
                            ",\"status\":\"" + mw_status_name(e.status()) + "\",\"reason\":" + json_text(e.text()) + "}");
      remarks_.say("[" + n + "] gone: " + std::to_string(e.code()) + " " + reason(e));
    });
    provider_.on_message([this](mw::Peer peer, const mw::Event& e) { heard(peer, e); });
    provider_.on_writable([this](mw::Peer peer) { pay(peer); });
    provider_.on_slow([this](mw::Peer peer, const mw::Event& e) {
      remarks_.say("[" + number(peer) + "] is slow: " + std::to_string(e.id()) + " bytes wait");
    });
    provider_.on_dropped([this](mw::Peer peer, const mw::Event& e) {
      remarks_.say("[" + number(peer) + "] lost " + std::to_string(e.code()) + " messages: " + mw_status_name(e.status()));
    });
    provider_.on_error([this](const mw::Event& e) { remarks_.say(std::string("error: ") + std::string(e.text())); });
    provider_.on_log([this](const mw::Event& e) { remarks_.say(std::string(e.topic()) + ": " + std::string(e.text())); });
    provider_.on_closed([this] { closed_ = true; });
    provider_.start([this](mw_status s, const mw::Event& e) {
      if (s >= 0) return;
      const Failure f = failure(s, e.text(), o_.host + " port " + std::to_string(o_.port));
      failure_ = f.what();
      exit_ = f.exit;
    });
  }

  std::string number(mw::Peer peer) const {
    const auto it = peers_.find(peer.id());
    return it == peers_.end() ? "0" : std::to_string(it->second.number);
  }

  void heard(mw::Peer peer, const mw::Event& e) {
    if (output_.pending() > kOutputHigh && !paused_) pause(true);
    if (o_.common.json) {
      std::string line = "{\"event\":\"message\",\"peer\":" + number(peer);
      if (!e.topic().empty()) line += ",\"topic\":" + json_text(e.topic());
      line += e.is_text() ? ",\"text\":" + json_text(e.text()) : ",\"base64\":\"" + base64(e.text()) + "\"";
      output_.line(line + "}");
    } else {
      output_.shown("[" + number(peer) + "] " + std::string(e.text()));
    }
    if (!o_.echo) return;
    const auto it = peers_.find(peer.id());
    if (it == peers_.end()) return;
    std::deque<mw::Message>& owed = it->second.owed;
    if (owed.empty() && peer.send(e.text(), e.flags() & MW_F_TEXT) != MW_EAGAIN) return;
    owed.push_back(e.keep());
    peer.pause();  // until it has read what we owe
  }

  void pay(mw::Peer peer) {
    const auto it = peers_.find(peer.id());
    if (it == peers_.end() || it->second.owed.empty()) return;
    std::deque<mw::Message>& owed = it->second.owed;
    while (!owed.empty() && peer.send(owed.front()) != MW_EAGAIN) owed.pop_front();
    if (owed.empty()) peer.pause(false);
  }

  void pause(bool on) {
    paused_ = on;
    provider_.handle().pause(on);
  }

  bool enough_peers() const {
    if (started_) return true;
    int there = 0;
    for (const auto& [id, known] : peers_)
      there += o_.topic.empty() || mw::Peer(id).subscribed(o_.topic) ? 1 : 0;
    return there >= wait_;
  }

  int idle_ms() {
    if (paused_ && output_.pending() < kOutputHigh / 2) pause(false);
    // A subscription makes no event here, so look again.
    return input_ != nullptr && up_ && !started_ && !o_.topic.empty() && !peers_.empty() ? 20 : -1;
  }

  // Sends a batch of lines; answers how long to wait before the next one.
  int publish_lines() {
    if (paused_ && output_.pending() < kOutputHigh / 2) pause(false);
    if (!started_) begin_ = Clock::now();
    started_ = true;
    if (!input_->has_line()) return -1;
    if (!o_.drop && waiting_bytes() > bound_ / 2) return 2;  // the slowest sets the pace
    size_t bytes = 0;
    while (input_->has_line() && bytes < bound_ / 4) {
      if (o_.rate > 0) {
        const auto due = begin_ + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(static_cast<double>(lines_) / o_.rate));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
        if (left.count() > 0) return static_cast<int>(left.count());
      }
      const std::string_view line = input_->line();
      const size_t cost = line.size() + 128;
      if (cost > bound_) throw Failure(kFailed, "line " + std::to_string(lines_ + 1) + " is larger than send.max_bytes");
      if (bytes > 0 && bytes + cost > bound_ / 4) break;
      publish(line);
      bytes += cost;
      input_->next();
      ++lines_;
    }
    if (remarks_.shows_progress() && input_->size() > 0)
      remarks_.progress(std::to_string(input_->taken() * 100 / input_->size()) + " %  " + std::to_string(lines_) + " lines");
    return input_->has_line() ? 0 : -1;
  }

  void publish(std::string_view line) {
    mw::Message m(mw::Bytes(std::as_bytes(std::span(line))), is_utf8(line) ? MW_F_TEXT : 0);
    if (o_.stamp) {
      timespec t{};
      clock_gettime(CLOCK_REALTIME, &t);
      m.header("sent", std::to_string(int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec));
    }
    if (const mw_status s = provider_.publish(o_.topic, m); s < 0) throw failure(s, {}, "line " + std::to_string(lines_ + 1));
  }

  size_t waiting_bytes() const {
    int64_t most = 0;
    for (const auto& [id, known] : peers_) most = std::max(most, mw::Peer(id).stat(MW_STAT_BUFFERED));
    return static_cast<size_t>(most);
  }

  static constexpr size_t kOutputHigh = 1 << 20;

  const ProvideOptions& o_;
  Remarks remarks_;
  Output output_;
  std::unique_ptr<Input> input_;
  int wait_;
  mw::Conf context_conf_, conf_;
  std::map<mw_handle, Known> peers_;
  bool up_ = false, closed_ = false, started_ = false, done_ = false, paused_ = false;
  int last_number_ = 0, exit_ = kFailed;
  uint64_t lines_ = 0;
  std::string failure_;
  Clock::time_point begin_;
  mw::Context ctx_;
  mw::Provider provider_;
  size_t bound_;
};

}  // namespace

int provide(const ProvideOptions& options) { return Provide(options).run(); }

}  // namespace cli
