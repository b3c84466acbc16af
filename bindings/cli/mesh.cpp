// `meshwork node`, `publish` and `members`: who is in a mesh, what they serve,
// what is published. One thread.
#include "json.hpp"
#include "member.hpp"
#include "screen.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <set>

namespace cli {

namespace {

constexpr int64_t kPublishMs = 5'000;
constexpr size_t kGoneKept = 64;
constexpr int64_t kAskMs = 5'000;

// {"event":"member_up","code":...,"facts":{...}} of an event whose body is JSON.
std::string json_line(const char* what, const mw::Event& e) {
  std::string line = "{\"event\":\"" + std::string(what) + "\"";
  if (e.kind() == MW_EVENT_SERVICE_UP || e.kind() == MW_EVENT_SERVICE_DOWN)
    line += ",\"service\":" + json_text(e.topic()) + ",\"others\":" + std::to_string(e.code());
  if (e.kind() == MW_EVENT_MEMBER_CHANGED) line += std::string(",\"suspected\":") + (e.code() == 1 ? "true" : "false");
  return line + ",\"facts\":" + (e.text().empty() ? "{}" : std::string(e.text())) + "}";
}

class Watch {
 public:
  explicit Watch(const NodeOptions& o) : o_(o), member_(o.mesh) {
    on(MW_EVENT_MEMBER_UP, "member_up", [](const mw::Event& e) { return "up: " + named(e); });
    on(MW_EVENT_MEMBER_DOWN, "member_down", [this](const mw::Event& e) {
      suspected_.erase(get(e, "name"));
      return "down: " + get(e, "name") + ": " + get(e, "reason");
    });
    on(MW_EVENT_MEMBER_CHANGED, "member_changed", [this](const mw::Event& e) -> std::string {
      if (e.code() == 1) {
        suspected_.insert(get(e, "name"));
        return "suspected: " + get(e, "name") + " does not answer";
      }
      return suspected_.erase(get(e, "name")) != 0 ? "well again: " + get(e, "name") : "";
    });
    on(MW_EVENT_SERVICE_UP, "service_up", [](const mw::Event& e) {
      return "serves " + std::string(e.topic()) + " " + get(e, "version") + ": " + get(e, "member") + count(e);
    });
    on(MW_EVENT_SERVICE_DOWN, "service_down", [](const mw::Event& e) {
      return "serves " + std::string(e.topic()) + " no more: " + get(e, "member") + count(e);
    });
    member_.node().on_message([this](const mw::Event& e) {
      const std::string from(e.header("member").value_or(""));
      if (!o_.mesh.common.json) return member_.output().shown(std::string(e.topic()) + " " + std::string(e.text()));
      member_.output().line("{\"event\":\"message\",\"topic\":" + json_text(e.topic()) + ",\"member\":" + json_text(from) +
                            json_body(e.text(), e.is_text()) + "}");
    });
    member_.node().on_dropped([this](const mw::Event& e) { member_.remarks().say("lost " + std::to_string(e.code()) + " events"); });
  }

  int run() {
    for (const std::string& p : o_.patterns) member_.node().subscribe(p);
    if (member_.join()) member_.remarks().say("joined: " + get(member_.facts(), "name"));
    while (member_.turn()) {
    }
    member_.leave();
    return kOk;
  }

 private:
  static std::string get(std::string_view json, const char* key) { return field(json, key).value_or(""); }
  static std::string get(const mw::Event& e, const char* key) { return get(e.text(), key); }
  static std::string named(const mw::Event& e) {
    return get(e, "name") + " (" + std::string(e.topic()) + ") " + first_text(get(e, "address"));
  }
  static std::string count(const mw::Event& e) { return " (" + std::to_string(e.code()) + " do)"; }

  // line: "" where there is nothing to be said to people.
  template <class F>
  void on(uint32_t kind, const char* what, F line) {
    member_.node().on(kind, [this, what, line](const mw::Event& e) {
      const std::string text = line(e);
      if (o_.mesh.common.json) member_.output().line(json_line(what, e));
      else if (!text.empty()) member_.output().shown(text);
    });
  }

  const NodeOptions& o_;
  Member member_;
  std::set<std::string> suspected_;
};

// Those of mw_info "members" but this one, by name.
std::vector<std::string> others(std::string_view all) {
  std::vector<std::string> list;
  for (const std::string& m : items_of(all))
    if (field(m, "self") != "true") list.push_back(m);
  auto name = [](const std::string& m) { return field(m, "name").value_or(""); };
  std::sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return name(a) < name(b); });
  return list;
}

Row row_of(const std::string& m) {
  auto get = [&](const char* key) { return field(m, key).value_or(""); };
  std::string services;
  for (const std::string& s : items_of(get("services")))
    services += (services.empty() ? "" : ", ") + field(s, "name").value_or("") + " " + field(s, "version").value_or("");
  // Who is well since it was met is so since it started; who is gone, and how, is told by another member.
  const std::string state = get("state");
  const bool steady = state == "well" && items_of(get("changes")).size() < 2;
  return {get("name"), get("service"), state, clock_time(get(steady ? "started_ms" : "since_ms")), services,
          state == "well" ? "" : get("reason"), first_text(get("address"))};
}

class Members {
 public:
  explicit Members(const MembersOptions& o) : o_(o), member_(o.mesh) {
    for (uint32_t kind : {MW_EVENT_MEMBER_UP, MW_EVENT_MEMBER_CHANGED, MW_EVENT_SERVICE_UP, MW_EVENT_SERVICE_DOWN})
      member_.node().on(kind, [this] { changed_ = true; });
    member_.node().on_member_down([this](const mw::Event& e) {
      changed_ = true;
      const std::string name = field(e.text(), "name").value_or("");
      std::erase_if(gone_, [&](const auto& before) { return field(before, "name") == name; });
      if (!told_) heard_.insert(name);
      if (e.status() == MW_OK) return;
      std::string m(e.text());  // as those that another member tells of
      m.insert(1, "\"state\":\"gone\",\"since_ms\":" + std::to_string(std::time(nullptr) * 1000) + ",");
      gone_.insert(gone_.begin(), m);
      if (gone_.size() > kGoneKept) gone_.pop_back();
    });
  }

  int run() {
    if (!member_.join()) return member_.leave(), kFailed;
    member_.loop().on_quit([this] { screen_.restore(); });
    changed_ = true;
    while (going_ && !failed_ && (o_.watch || !shown_)) {
      if (std::exchange(changed_, false)) ask();
      going_ = member_.turn();
    }
    going_ = false;
    screen_.restore();
    member_.leave();
    if (failed_) throw *failed_;
    return kOk;
  }

 private:
  void ask() {
    member_.node().info("members", [this](mw_status s, const mw::Event& e) {
      if (!going_) return;
      if (s < 0) return void(failed_.emplace(said(s, e, "mesh " + o_.mesh.mesh)));
      list_ = others(e.text());
      if (!std::exchange(asked_, true) && (list_.empty() || !ask_for_gone())) told_ = true;
      if (told_ || o_.watch) show();  // who looks once gets all of it
    });
  }

  // The member that is there longest knows most of those that went; we have just come. False: it cannot be asked.
  bool ask_for_gone() {
    auto started = [](const std::string& m) { return std::strtoll(field(m, "started_ms").value_or("0").c_str(), nullptr, 10); };
    const auto oldest = std::min_element(list_.begin(), list_.end(), [&](const auto& a, const auto& b) { return started(a) < started(b); });
    mw::Conf only(MW_CONF_CALL, {{"only", field(*oldest, "name").value_or("")}});
    mw::CallOptions how;
    how.how = &only;
    how.timeout_ms = kAskMs;
    const mw_status s = member_.node().call("meshwork.stats", mw::Message(""), [this](mw_status done, const mw::Event& e) {
      if (!going_) return;
      if (done >= 0)
        for (const std::string& m : items_of(field(e.text(), "gone").value_or("[]")))
          if (field(m, "reason") != "it left" && !heard_.contains(field(m, "name").value_or(""))) gone_.push_back(m);
      if (gone_.size() > kGoneKept) gone_.resize(kGoneKept);
      told_ = true;
      heard_.clear();
      show();  // without them where it may not be asked, or does not answer
    }, how);
    return s >= 0;
  }

  void show() {
    Output& out = member_.output();
    const bool again = std::exchange(shown_, true);
    std::vector<std::string> list = list_;
    for (const std::string& m : gone_)
      if (std::none_of(list_.begin(), list_.end(), [&](const auto& there) { return field(there, "name") == field(m, "name"); })) list.push_back(m);
    if (o_.mesh.common.json) {
      std::string line = "[";
      for (const std::string& m : list) line += (line.size() > 1 ? "," : "") + m;
      line += "]";
      if (line != std::exchange(last_, line)) out.line(line);
      return;
    }
    std::vector<Row> rows;
    for (const std::string& m : list) rows.push_back(row_of(m));
    if (rows == rows_ && again) return;  // nothing that is shown is new
    rows_ = rows;
    rows.insert(rows.begin(), {"NAME", "ROLE", "STATE", "SINCE", "SERVES", "WHY", "ADDRESS"});
    const std::vector<std::string> lines = rows.size() == 1 ? std::vector<std::string>{"nobody else"} : table(rows);
    if (o_.watch) return screen_.show(lines);
    for (const std::string& line : lines) out.shown(line);
  }

  const MembersOptions& o_;
  Member member_;
  bool going_ = true;  // what is still asked when we leave shows nothing
  bool changed_ = false, shown_ = false, asked_ = false, told_ = false;  // asked_, told_: of those that went before we came
  std::set<std::string> heard_;  // those that went until it is told: we know better
  std::optional<Failure> failed_;
  std::vector<std::string> list_, gone_;  // as the library tells them; gone_: otherwise than by leaving
  std::string last_;
  std::vector<Row> rows_;
  Screen screen_{member_.output(), member_.remarks()};
};

}  // namespace

int node(const NodeOptions& options) { return Watch(options).run(); }

// Ends when it is on its way to each member that wants it.
int publish(const PublishOptions& o) {
  const std::string body = value_of(o.body);
  Member member(o.mesh);
  if (!member.join()) return member.leave(), kFailed;
  std::optional<mw_status> ended;
  int32_t members = 0;
  const mw_status s = member.node().publish(o.topic, mw::Message(body, is_utf8(body) ? uint32_t{MW_F_TEXT} : 0), [&](mw_status done, const mw::Event& e) {
    ended = done;
    members = e.code();
  });
  if (s < 0) throw failure(s, {}, "event " + o.topic);
  while (!ended && member.turn()) {
  }
  if (!member.closed()) member.node().drain(kPublishMs);  // a member without a link gets one, and then the event
  while (!member.closed()) member.turn();
  member.leave();
  if (!ended) return kFailed;
  if (*ended < 0) throw failure(*ended, {}, "event " + o.topic);
  if (o.mesh.common.json) member.output().line("{\"event\":\"done\",\"members\":" + std::to_string(members) + "}");
  else member.remarks().say("members that want it: " + std::to_string(members));
  member.output().flush_all();
  return kOk;
}

int members(const MembersOptions& options) { return Members(options).run(); }

}  // namespace cli
