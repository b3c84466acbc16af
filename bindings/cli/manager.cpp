// `meshwork manager`: says in a mesh who is there, until a signal ends it. One thread.
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <optional>

namespace cli {

namespace {

class Manage {
 public:
  explicit Manage(const ManagerOptions& o)
      : o_(o), remarks_(o.common.quiet), context_(MW_CONF_CTX, {{"threads", 0}}), ctx_(context_after()), manager_(ctx_, conf_) {
    manager_.on(MW_EVENT_UP, [this](const mw::Event& e) {
      const std::string urls = field(e.text(), "address").value_or("[]");
      if (o_.common.json) return output_.line("{\"event\":\"listening\",\"address\":" + urls + "}");
      remarks_.say("listening on " + first_text(urls));
    });
    manager_.on_member_up([this](const mw::Event& e) { tell("member_up", e, "up: "); });
    manager_.on_member_down([this](const mw::Event& e) { tell("member_down", e, "down: "); });
    manager_.on_member_changed([this](const mw::Event& e) {
      if (e.code() == 1) tell("member_suspected", e, "does not answer: ");
    });
    manager_.on(MW_EVENT_ERROR, [this](const mw::Event& e) { remarks_.say("error: " + std::string(e.text())); });
    manager_.on_log([this](const mw::Event& e) { remarks_.say(std::string(e.topic()) + ": " + std::string(e.text())); });
    manager_.on_closed([this] { closed_ = true; });
    manager_.start([this](mw_status s, const mw::Event& e) {
      if (s < 0 && s != MW_ECANCELED) failure_.emplace(failure(s, e.text(), o_.host + " port " + std::to_string(o_.port)));
    });
  }

  int run() {
    Loop loop(ctx_);
    while (!closed_) {
      loop.turn(-1, nullptr, output_);
      if (loop.interrupts() > 0 || failure_ || output_.closed()) manager_.close(1001);
    }
    output_.flush_all();
    if (failure_) throw *failure_;
    return kOk;
  }

 private:
  const mw::Conf& context_after() {
    conf_.set("cluster.deployment", o_.mesh);
    conf_.set("host", o_.host);
    conf_.set("port", std::to_string(o_.port));
    if (o_.common.verbose) conf_.set("log.level", "debug");
    apply(o_.common.sets, conf_, context_);
    return context_;
  }

  void tell(const char* what, const mw::Event& e, const char* text) {
    if (o_.common.json)
      return output_.line("{\"event\":\"" + std::string(what) + "\",\"facts\":" + std::string(e.text()) + "}");
    const std::string role(e.topic()), why = field(e.text(), "reason").value_or("");
    output_.shown(text + field(e.text(), "name").value_or("") + (role.empty() ? "" : " (" + role + ")") +
                  (why.empty() ? "" : ": " + why));
  }

  const ManagerOptions& o_;
  Remarks remarks_;
  Output output_;
  mw::Conf context_, conf_{MW_CONF_MANAGER};
  bool closed_ = false;
  std::optional<Failure> failure_;
  mw::Context ctx_;
  mw::Manager manager_;
};

}  // namespace

int manager(const ManagerOptions& options) { return Manage(options).run(); }

}  // namespace cli
