// `meshwork call`: one call of a mesh, of one member or of all. One thread.
#include "json.hpp"
#include "member.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

namespace cli {

namespace {

constexpr size_t kMostKept = 64 << 20;      // of an answer in parts that is not streamed
constexpr size_t kMostPending = 16 << 20;   // that a slow reader of ours has not taken

class Call {
 public:
  explicit Call(const CallCommand& o)
      : o_(o), how_(how_of(o)), body_(!o.file.empty() ? whole(o.file) : value_of(o.body)),
        message_(body_, is_utf8(body_) ? uint32_t{MW_F_TEXT} : 0), member_(o.mesh) {
    if (!o.key.empty()) message_.header("key", o.key);
    member_.node().on_service_up([this] { served_ = true; });
  }

  int run() {
    const auto until = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(o_.wait * 1000));
    if (!member_.join()) return member_.leave(), kFailed;
    bool going = true;
    do {
      ended_ = served_ = false;
      begin();
      while (going && !ended_) going = member_.turn();
      // Nobody serves it: as long as there is time somebody may yet come who does.
      while (going && ended_ && nobody_ && !served_ && Clock::now() < until)
        going = member_.turn(static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count()) + 1);
    } while (going && nobody_ && served_);
    member_.leave();
    if (!ended_) return kFailed;
    if (failed_) throw *failed_;
    return kOk;
  }

 private:
  static mw::Conf how_of(const CallCommand& o) {
    mw::Conf c(MW_CONF_CALL), none(MW_CONF_CTX);
    apply(o.how, c, none);
    return c;
  }

  static std::string whole(const std::string& path) {
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    std::istream& in = path == "-" ? std::cin : file;
    std::ostringstream all;
    if (!in || (in.peek() != EOF && !(all << in.rdbuf()))) throw Failure(kUsage, "cannot read " + path);
    return std::move(all).str();
  }

  void begin() {
    mw::CallOptions how;
    how.timeout_ms = static_cast<int64_t>(o_.timeout * 1000);
    how.how = &how_;
    how.part = [this](const mw::Event& e) { part(e); };
    const auto done = [this](mw_status s, const mw::Event& e) { end(s, e); };
    const mw_status s = o_.all ? member_.node().call_all(o_.target, message_, done, how) : member_.node().call(o_.target, message_, done, how);
    if (s < 0) throw failure(s, {}, o_.target);
  }

  // What one member of all says, or a part of the one that has the call.
  void part(const mw::Event& e) {
    const auto who = e.header("member");
    if (who && e.status() < 0) {
      if (o_.mesh.common.json) return answer(e, who);
      member_.remarks().say(said(e.status(), e, std::string(*who)).what());
      return;
    }
    if (o_.stream || who || o_.mesh.common.json) return answer(e, who);
    if (kept_.size() + e.text().size() > kMostKept) {
      if (!failed_) failed_.emplace(kFailed, o_.target + ": the parts of the answer are more than 64 MiB: --stream prints them as they come");
      ended_ = true;
      return;
    }
    kept_ += e.text();
  }

  void end(mw_status s, const mw::Event& e) {
    if (std::exchange(ended_, true)) return;
    nobody_ = s == MW_ENOSERVICE || s == MW_ENOPEER;
    failed_.reset();
    if (s < 0) return failed_.emplace(s == MW_EPARTIAL ? Failure(kFailed, o_.target + ": " + std::to_string(e.code()) + " of " +
                                                                              field(e.text(), "members").value_or("?") + " members failed")
                                                       : said(s, e, o_.target)), void();
    if (e.code() == 0 && field(e.text(), "failed") && told_) return;  // of all: each was told
    if (o_.mesh.common.json) return answer(e, std::nullopt);
    kept_ += e.text();
    print(kept_);
  }

  void answer(const mw::Event& e, std::optional<std::string_view> who) {
    told_ |= who.has_value();
    Output& out = member_.output();
    if (o_.mesh.common.json) {
      std::string line = "{\"event\":\"" + std::string(e.kind() == MW_EVENT_PART && !who ? "part" : "answer") + "\"";
      if (who) line += ",\"member\":" + json_text(*who);
      if (e.status() < 0) line += ",\"status\":\"" + std::string(mw_status_name(e.status())) + "\"";
      out.line(line + json_body(e.text(), e.is_text()) + "}");
    } else if (who) {
      out.shown(std::string(*who) + ": " + std::string(e.text().ends_with('\n') ? e.text().substr(0, e.text().size() - 1) : e.text()));
    } else {
      print(e.text());
    }
    if (out.pending() > kMostPending) out.flush_all();
  }

  // As it came; a text gets its newline.
  void print(std::string_view body) {
    if (body.empty()) return;
    Output& out = member_.output();
    if (!is_utf8(body)) return out.raw(body);
    out.raw(body);
    if (body.back() != '\n') out.raw("\n");
  }

  const CallCommand& o_;
  const mw::Conf how_;
  const std::string body_;  // read before the node is there, which holds the signals back
  mw::Message message_;
  Member member_;
  std::string kept_;
  bool ended_ = false, nobody_ = false, served_ = false, told_ = false;
  std::optional<Failure> failed_;
};

}  // namespace

int call(const CallCommand& options) { return Call(options).run(); }

}  // namespace cli
