// `meshwork top`: who calls whom in a mesh and how that goes, again and again.
// It joins as a node and asks every member for its stats. One thread.
#include "json.hpp"
#include "member.hpp"
#include "screen.hpp"
#include "stats.hpp"

#include <algorithm>
#include <cstdio>

namespace cli {

namespace {

using std::chrono::milliseconds;

constexpr size_t kGoneShown = 5;
constexpr int64_t kAskMs = 5'000;

std::string shown_rate(double r) {
  char text[32];
  std::snprintf(text, sizeof text, r >= 99'950 ? "%.0fk" : r >= 9'950 ? "%.1fk" : r >= 10 || r == 0 ? "%.0f" : "%.1f", r >= 9'950 ? r / 1000 : r);
  return text;
}

std::string shown_time(int64_t us) {
  if (us < 0) return "-";
  char text[32];
  const auto v = static_cast<double>(us);
  if (us < 1000) std::snprintf(text, sizeof text, "%.0fus", v);
  else if (us < 1'000'000) std::snprintf(text, sizeof text, us < 10'000 ? "%.1fms" : "%.0fms", v / 1e3);
  else std::snprintf(text, sizeof text, us < 10'000'000 ? "%.1fs" : "%.0fs", v / 1e6);
  return text;
}

std::string json_rate(double r) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", r);
  return text;
}

class Top {
 public:
  explicit Top(const TopOptions& o) : o_(o), member_(o.mesh) {}

  int run() {
    if (!member_.join()) return member_.leave(), kFailed;
    own_ = field(member_.facts(), "name").value_or("");
    mesh_ = field(member_.facts(), "mesh").value_or("");
    member_.loop().on_quit([this] { screen_.restore(); });
    const auto step = milliseconds(static_cast<int64_t>(o_.interval * 1000));
    auto next = Clock::now();
    uint64_t pages = 0;
    while ((o_.count == 0 || pages < o_.count) && look()) {
      if (std::exchange(looked_, true)) {
        show();
        ++pages;
      }
      for (auto& [name, m] : after_) {  // who does not answer now is compared with what it said last
        const auto was = before_.find(name);
        if (!m.error.empty() && was != before_.end() && was->second.error.empty()) m = was->second;
      }
      before_ = std::move(after_);
      next = std::max(next + step, Clock::now());
      if (o_.count != 0 && pages == o_.count) break;
      if (!wait(next)) break;
    }
    screen_.restore();
    member_.leave();
    return kOk;
  }

 private:
  // Until then, unless it is time to leave.
  bool wait(Clock::time_point until) {
    for (auto now = Clock::now(); now < until; now = Clock::now())
      if (!member_.turn(static_cast<int>(std::chrono::duration_cast<milliseconds>(until - now).count()) + 1)) return false;
    return true;
  }

  // Asks everybody, and who is there.
  bool look() {
    after_.clear();
    answered_ = listed_ = false;
    member_.node().info("members", [this](mw_status, const mw::Event& e) {
      states_.clear();
      for (const std::string& m : items_of(e.text()))
        if (field(m, "self") != "true") states_[field(m, "name").value_or("")] = m;
      listed_ = true;
    });
    while (!listed_)
      if (!member_.turn()) return false;
    std::string silent = own_;  // and those that do not answer anyway
    for (const auto& [name, m] : states_)
      if (field(m, "suspected") == "true") silent += "," + name;
    mw::CallOptions how;
    mw::Conf but(MW_CONF_CALL, {{"exclude", silent}});
    how.how = &but;
    how.timeout_ms = std::max<int64_t>(kAskMs, static_cast<int64_t>(o_.interval * 1000));
    how.part = [this](const mw::Event& e) {
      const std::string name(e.header("member").value_or(""));
      if (e.status() >= 0) after_.insert_or_assign(name, MemberStats(e.text()));
      else after_.insert_or_assign(name, MemberStats(name, field(e.text(), "message").value_or(mw_status_text(e.status())) + " (" + mw_status_name(e.status()) + ")"));
    };
    const mw_status s = member_.node().call_all("meshwork.stats", mw::Message(""), [this](mw_status, const mw::Event&) { answered_ = true; }, how);
    if (s < 0) throw failure(s, {}, "mesh " + mesh_);
    while (!answered_)
      if (!member_.turn()) return false;
    for (const auto& [name, m] : states_)  // known, and nobody could ask
      if (!after_.contains(name)) after_.insert_or_assign(name, MemberStats(name, "no answer"));
    for (auto& [name, m] : after_)
      if (m.role.empty()) m.role = state(name, "service");
    return true;
  }

  std::string state(const std::string& name, const char* key) const {
    const auto at = states_.find(name);
    return at != states_.end() ? field(at->second, key).value_or("") : std::string();
  }

  // Who went otherwise than by leaving, as any member tells; the last ones first.
  std::vector<std::string> gone() const {
    std::map<std::string, std::pair<int64_t, std::string>> all;
    for (const auto& [name, m] : after_)
      for (const std::string& one : items_of(m.gone.empty() ? "[]" : m.gone)) {
        const std::string who = field(one, "name").value_or("");
        const int64_t since = std::strtoll(field(one, "since_ms").value_or("0").c_str(), nullptr, 10);
        if (after_.contains(who) || field(one, "reason") == "it left") continue;
        if (auto& kept = all[who]; since > kept.first) kept = {since, one};
      }
    std::vector<std::pair<int64_t, std::string>> sorted;
    for (auto& [who, one] : all) sorted.push_back(std::move(one));
    std::sort(sorted.rbegin(), sorted.rend());
    std::vector<std::string> out;
    for (auto& [since, one] : sorted)
      if (out.size() < kGoneShown) out.push_back(std::move(one));
    return out;
  }

  void show() {
    const Rates r = between(before_, after_);
    o_.mesh.common.json ? json(r) : screen_.show(page(r));
  }

  std::vector<std::string> page(const Rates& r) const {
    std::vector<std::string> lines{"mesh " + mesh_ + ": " + std::to_string(r.members.size()) + (r.members.size() == 1 ? " member, " : " members, ") +
                                   shown_rate(r.in) + " calls/s, " + shown_rate(r.failed) + " failed/s"};
    auto add = [&](const std::vector<Row>& rows, size_t first_number) {
      lines.emplace_back();
      for (const std::string& line : table(rows, first_number)) lines.push_back(line);
    };
    std::vector<Row> rows{{"MEMBER", "ROLE", "STATE", "IN/s", "FAILED/s", "P50", "P99", "OUT/s", "OPEN", "WAITING", "RUNNING", "DEAD"}};
    for (const Rates::Member& m : r.members) {
      Row row{m.name, m.role, state(m.name, "state")};
      if (m.error.empty() && m.known)
        row.insert(row.end(), {shown_rate(m.in), shown_rate(m.failed), shown_time(m.p50), shown_time(m.p99), shown_rate(m.out), std::to_string(m.open),
                               std::to_string(m.waiting), std::to_string(m.running), std::to_string(m.dead)});
      else
        row.push_back(m.error.empty() ? "new" : m.error);
      rows.push_back(std::move(row));
    }
    if (rows.size() > 1) add(rows, 3);
    rows = {{"SERVICE", "MEMBERS", "CALLS/s", "FAILED/s", "P50", "P99"}};
    for (const Rates::Service& s : r.services)
      rows.push_back({s.name, std::to_string(s.members), shown_rate(s.calls), shown_rate(s.failed), shown_time(s.p50), shown_time(s.p99)});
    if (rows.size() > 1) add(rows, 1);
    rows = {{"GONE", "ROLE", "SINCE", "WHY"}};
    for (const std::string& g : gone())
      rows.push_back({field(g, "name").value_or(""), field(g, "service").value_or(""), clock_time(field(g, "since_ms").value_or("")),
                      field(g, "reason").value_or("")});
    if (rows.size() > 1) add(rows, SIZE_MAX);
    return lines;
  }

  void json(const Rates& r) {
    auto times = [](int64_t p50, int64_t p99) {
      return ",\"p50_us\":" + (p50 < 0 ? "null" : std::to_string(p50)) + ",\"p99_us\":" + (p99 < 0 ? "null" : std::to_string(p99));
    };
    std::string line = "{\"event\":\"top\",\"mesh\":" + json_text(mesh_) + ",\"calls_per_s\":" + json_rate(r.in) + ",\"failed_per_s\":" + json_rate(r.failed) + ",\"members\":[";
    for (const Rates::Member& m : r.members) {
      line += (line.ends_with('[') ? "" : ",") + std::string("{\"name\":") + json_text(m.name) + ",\"service\":" + json_text(m.role) + ",\"state\":" + json_text(state(m.name, "state"));
      if (!m.error.empty()) line += ",\"error\":" + json_text(m.error);
      else if (m.known)
        line += ",\"in_per_s\":" + json_rate(m.in) + ",\"failed_per_s\":" + json_rate(m.failed) + times(m.p50, m.p99) + ",\"out_per_s\":" + json_rate(m.out) +
                ",\"open\":" + std::to_string(m.open) + ",\"waiting\":" + std::to_string(m.waiting) + ",\"running\":" + std::to_string(m.running) + ",\"dead\":" + std::to_string(m.dead);
      line += '}';
    }
    line += "],\"services\":[";
    for (const Rates::Service& s : r.services)
      line += (line.ends_with('[') ? "" : ",") + std::string("{\"name\":") + json_text(s.name) + ",\"members\":" + std::to_string(s.members) + ",\"calls_per_s\":" + json_rate(s.calls) +
              ",\"failed_per_s\":" + json_rate(s.failed) + times(s.p50, s.p99) + "}";
    line += "],\"gone\":[";
    for (const std::string& g : gone()) line += (line.ends_with('[') ? "" : ",") + g;
    member_.output().line(line + "]}");
  }

  const TopOptions& o_;
  Member member_;
  std::string own_, mesh_;
  bool looked_ = false, answered_ = false, listed_ = false;
  Look before_, after_;
  std::map<std::string, std::string> states_;  // as mw_info "members" has them
  Screen screen_{member_.output(), member_.remarks()};
};

}  // namespace

int top(const TopOptions& options) { return Top(options).run(); }

}  // namespace cli
