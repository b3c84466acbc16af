// `meshwork hub`, `emit` and `listen`: channels of this host. One thread.
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <optional>

namespace cli {

namespace {

class Keep {
 public:
  explicit Keep(const HubOptions& o)
      : o_(o), remarks_(o.common.quiet), context_(MW_CONF_CTX, {{"threads", 0}}), ctx_(context_after()), hub_(ctx_, conf_) {
    hub_.on(MW_EVENT_UP, [this](const mw::Event& e) {
      if (o_.common.json) output_.line("{\"event\":\"listening\",\"facts\":" + std::string(e.text()) + "}");
      else remarks_.say("keeps " + std::string(e.text()));
    });
    hub_.on_peer_up([this](const mw::Event& e) { peer("peer_up", e, e.text()); });
    hub_.on_peer_down([this](const mw::Event& e) { peer("peer_down", e, "{}"); });
    hub_.on_slow([this](const mw::Event& e) { remarks_.say("slow: " + e.peer().info()); });
    hub_.on_dropped([this](const mw::Event& e) {
      if (e.peer().id() != 0) return remarks_.say("dropped " + std::to_string(e.code()) + " events for " + e.peer().info());
      const auto sender = e.header("sender");
      remarks_.say("lost " + std::to_string(e.code()) + " " + std::string(e.text()) + (sender ? ": " + std::string(*sender) : ""));
    });
    hub_.on_error([this](const mw::Event& e) { remarks_.say("error: " + std::string(e.text())); });
    hub_.on_log([this](const mw::Event& e) {
      if ((e.flags() & MW_F_DUMP) != 0) output_.shown(std::string(e.topic()) + ": " + std::string(e.text()));
      else remarks_.say(std::string(e.topic()) + ": " + std::string(e.text()));
    });
    hub_.on_closed([this] { closed_ = true; });
    hub_.start([this](mw_status s, const mw::Event& e) {
      if (s < 0 && s != MW_ECANCELED) failure_.emplace(said(s, e, "hub"));
    });
  }

  int run() {
    Loop loop(ctx_, true);
    for (int hangups = 0; !closed_;) {
      loop.turn(-1, nullptr, output_);
      if (loop.interrupts() > 0 || failure_ || output_.closed()) hub_.close(1001);
      if (hangups != loop.hangups()) {
        hangups = loop.hangups();
        reload();
      }
    }
    output_.flush_all();
    if (failure_) throw *failure_;
    return kOk;
  }

 private:
  const mw::Conf& context_after() {
    read_options(conf_);
    return context_;
  }

  void read_options(mw::Conf& c) {
    if (!o_.config.empty()) c.load(read_config(o_.config));
    if (o_.common.verbose) c.set("log.level", "debug");
    apply(o_.common.sets, c, context_);
  }

  // All or nothing: what is wrong is said, and what was goes on.
  void reload() {
    if (o_.config.empty()) return remarks_.say("nothing to reload: no --config was given");
    try {
      mw::Conf now(MW_CONF_HUB);
      read_options(now);
      reset_others(now);
      hub_.update(now, [this](mw_status s, const mw::Event& e) {
        remarks_.say(s < 0 ? "not reloaded: " + field(e.text(), "text").value_or(mw_status_text(s)) : "reloaded " + o_.config);
      });
    } catch (const std::exception& e) {
      remarks_.say("not reloaded: " + std::string(e.what()));
    }
  }

  // What is in the file no more is its default again.
  static void reset_others(mw::Conf& now) {
    mw_msg* m = nullptr;
    for (size_t i = 0; mw_conf_describe(MW_CONF_HUB, i, &m) >= 0; ++i) {
      const mw::Message row(m);
      auto get = [&](const char* key) { return field(row.text(), key).value_or(""); };
      if (get("live") == "true" && now.get(get("key")) == get("default")) now.set(get("key"), get("default"));
    }
  }

  void peer(const char* what, const mw::Event& e, std::string_view facts) {
    if (o_.common.json)
      output_.line("{\"event\":\"" + std::string(what) + "\",\"peer\":" + std::to_string(e.peer().id()) + ",\"facts\":" +
                   std::string(facts) + "}");
  }

  const HubOptions& o_;
  Remarks remarks_;
  Output output_;
  mw::Conf context_, conf_{MW_CONF_HUB};
  bool closed_ = false;
  std::optional<Failure> failure_;
  mw::Context ctx_;
  mw::Hub hub_;
};

mw::Conf channel_conf(const std::string& name, const Common& common, mw::Conf& context) {
  mw::Conf c(MW_CONF_CHANNEL, {{"name", name}});
  if (common.verbose) c.set("log.level", "debug");
  apply(common.sets, c, context);
  return c;
}

}  // namespace

int hub(const HubOptions& options) { return Keep(options).run(); }

// Ends when every member that is there has it.
int emit(const EmitOptions& o) {
  mw::Conf context(MW_CONF_CTX, {{"threads", 0}});
  const mw::Conf conf = channel_conf(o.channel, o.common, context);
  mw::Context ctx(context);
  mw::Channel channel(ctx, conf);
  Output output;
  std::optional<Failure> failed;
  bool over = false, closed = false;
  const auto wrong = [&](mw_status s, const mw::Event& e) {
    if (s >= 0 || failed) return;
    failed.emplace(said(s, e, "channel " + o.channel));
    over = true;
  };
  channel.on_closed([&] { closed = true; });
  channel.start(wrong);
  const std::string body = value_of(o.body);
  const mw::Message m(body, is_utf8(body) ? uint32_t{MW_F_TEXT} : 0);
  const mw_status s = channel.publish(o.event, m, [&](mw_status done, const mw::Event& e) {
    wrong(done, e);
    over = true;
  });
  if (s < 0) throw failure(s, {}, "event " + o.event);
  Loop loop(ctx);
  while (!over && loop.interrupts() == 0) loop.turn(-1, nullptr, output);
  channel.close();
  while (!closed) loop.turn(-1, nullptr, output);
  if (failed) throw *failed;
  if (!over) return kFailed;
  if (o.common.json) output.line("{\"event\":\"done\"}");
  output.flush_all();
  return kOk;
}

int listen(const ListenOptions& o) {
  mw::Conf context(MW_CONF_CTX, {{"threads", 0}});
  const mw::Conf conf = channel_conf(o.channel, o.common, context);
  mw::Context ctx(context);
  mw::Channel channel(ctx, conf);
  Output output;
  Remarks remarks(o.common.quiet);
  std::optional<Failure> failed;
  bool closed = false;
  uint64_t heard = 0;
  channel.on_closed([&] { closed = true; });
  channel.on_up([&] { remarks.say("listens to channel " + o.channel); });
  channel.on_down([&] { remarks.say("the hub is gone; looking for the next one"); });
  channel.on_dropped([&](const mw::Event& e) { remarks.say("lost " + std::to_string(e.code()) + " events"); });
  channel.on_error([&](const mw::Event& e) { remarks.say("error: " + std::string(e.text())); });
  channel.on_log([&](const mw::Event& e) { remarks.say(std::string(e.topic()) + ": " + std::string(e.text())); });
  channel.on_message([&](const mw::Event& e) {
    if (o.count != 0 && heard >= o.count) return;
    ++heard;
    if (!o.common.json) return output.shown(std::string(e.topic()) + " " + std::string(e.text()));
    std::string line = "{\"event\":\"message\",\"topic\":" + json_text(e.topic()) + ",\"sender\":" +
                       json_text(e.header("sender").value_or(""));
    output.line(line + json_body(e.text(), e.is_text()) + "}");
  });
  channel.subscribe(o.pattern);
  channel.start([&](mw_status s, const mw::Event& e) {
    if (s < 0 && s != MW_ECANCELED) failed.emplace(said(s, e, "channel " + o.channel));
  });
  Loop loop(ctx);
  bool leaving = false;
  while (!closed) {
    loop.turn(-1, nullptr, output);
    const bool enough = o.count != 0 && heard >= o.count;
    if (leaving || !(loop.interrupts() > 0 || enough || failed || output.closed())) continue;
    leaving = true;
    channel.close();
  }
  output.flush_all();
  if (failed) throw *failed;
  return kOk;
}

}  // namespace cli
