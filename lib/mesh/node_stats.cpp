// What a node counts: who calls whom and what comes of it, by member and by
// service; told to its host (mw_info "stats", "metrics") and, as the service
// meshwork of the library itself, to other members.
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/prometheus.hpp"
#include "base/status.hpp"
#include "link/service.hpp"
#include "mesh/node.hpp"

#include <algorithm>

namespace mw::mesh {

namespace {

constexpr size_t kMostTold = 64;  // of each list, those with most calls
constexpr std::string_view kStats = "meshwork.stats";
constexpr const char* kOthers = "(others)";

int64_t number(uint64_t v) noexcept { return static_cast<int64_t>(v); }

void put(base::JsonObject& o, const core::Tally& t) {
  o.number("ended", number(t.ended)).number("failed", number(t.failed)).number("open", t.open);
  if (t.failed != 0) o.text("last_failure", base::status_name(t.last_failure));
  if (t.latency.total() == 0) return;
  std::string all, counts = "[";
  base::JsonObject l(all);
  l.number("mean_us", number(t.latency.mean())).number("p50_us", number(t.latency.at(0.5)));
  l.number("p99_us", number(t.latency.at(0.99))).number("max_us", number(t.latency.max()));
  t.latency.each([&](uint64_t most, uint64_t n) {
    counts += (counts.size() > 1 ? ",[" : "[") + std::to_string(most) + "," + std::to_string(n) + "]";
  });
  l.raw("counts", counts + "]").end();
  o.raw("latency", all);
}

// {"name":...} of those with most calls, and how many are left out.
struct List {
  struct Item {
    uint64_t calls;
    std::string json;
  };
  std::vector<Item> items;

  template <class F>
  void add(std::string_view name, uint64_t calls, F rest) {
    Item item{calls, {}};
    base::JsonObject o(item.json);
    o.text("name", name);
    rest(o);
    o.end();
    items.push_back(std::move(item));
  }
  void put(base::JsonObject& o, const char* key) {
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.calls > b.calls; });
    std::string all = "[";
    for (size_t i = 0; i < std::min(items.size(), kMostTold); ++i) all += (i != 0 ? "," : "") + items[i].json;
    o.raw(key, all + "]");
    if (items.size() > kMostTold) o.number(std::string(key) + "_left_out", number(items.size() - kMostTold));
  }
};

}  // namespace

// ---- counting

core::Tally* Node::tally_of(const std::string& service) {
  if (last_called_.second != nullptr && last_called_.first == service) return last_called_.second;
  auto at = called_.find(service);
  if (at == called_.end()) at = called_.try_emplace(called_.size() < kMaxCalled ? service : kOthers).first;
  last_called_ = {at->first, &at->second};
  return &at->second;
}

void Node::counted(const Errand& e, mw_status status) noexcept {
  const bool known = e.ended != 0 && (e.flags & MW_F_ONEWAY) == 0;
  const int64_t us = known ? (e.ended - e.began) / 1000 : -1;
  calls_.end(status, us);
  if (e.tally != nullptr) e.tally->end(status, us);
}

// ---- telling

std::string Node::stats() const {
  std::string out;
  base::JsonObject o(out);
  o.text("name", name_).text("service", role_).text("mesh", mesh_);
  o.number("started_ms", number(instance_ / 1'000'000)).number("at_ms", base::wall_ms());
  o.number("members", number(members_known_.load(std::memory_order_relaxed)));

  List services, members;
  for (const auto& [name, t] : called_) services.add(name, t.ended + t.open, [&](base::JsonObject& one) { put(one, t); });
  List callers;
  std::unordered_map<Slot, uint64_t> served;
  for (const auto& [h, l] : links_)
    if (l->member != core::kNoSlot && l->served != 0) served[l->member] += l->served;
  for (const auto& [slot, m] : members_) {
    const core::Tally* t = m.calls.get();
    if (t != nullptr) members.add(roster_.name(slot), t->ended + t->open, [&](base::JsonObject& one) { put(one, *t); });
    if (m.served != 0) served[slot] += m.served;
  }
  for (const auto& [slot, n] : served) callers.add(roster_.name(slot), n, [n = n](base::JsonObject& one) { one.number("requests", number(n)); });
  std::string calls;
  base::JsonObject c(calls);
  put(c, calls_);
  services.put(c, "services");
  members.put(c, "members");
  c.end();
  o.raw("calls", calls);

  link::Service::Counts all;
  int64_t running = 0;
  List own;
  if (provider_ != nullptr) provider_->each_service([&](const link::Service& s) {
    const link::Service::Counts n = s.counts();
    all.taken += n.taken, all.failed += n.failed, all.canceled += n.canceled;
    running += s.running();
    own.add(s.name, n.taken, [&](base::JsonObject& one) {
      one.number("taken", number(n.taken)).number("failed", number(n.failed)).number("canceled", number(n.canceled)).number("running", s.running());
    });
  });
  std::string serves;
  base::JsonObject s(serves);
  s.number("requests", number(requests_)).number("taken", number(all.taken)).number("failed", number(all.failed));
  s.number("canceled", number(all.canceled)).number("running", running);
  own.put(s, "services");
  callers.put(s, "members");
  s.end();
  o.raw("serves", serves).raw("queues", queues()).raw("gone", history_.went());
  o.end();
  return out;
}

mw_status Node::gather_stats(uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  link::post(*lane, [this, op] { done(*lane, op, MW_OK, 0, stats()); });
  return MW_OK;
}

// Another member asks; a schema has to say that its role may.
mw_status Node::asked(link::Session& s, std::string_view target, std::string* answer) {
  const Link* l = link_of(s.self().handle);
  if (l == nullptr || manages_ || target != kStats) return MW_ENOMETHOD;
  if (awaits_access(l)) return *answer = kNoWord, MW_EAGAIN;
  if (access_ && !l->own)
    if (core::Access::Answer a = access_->may_call(l->role, target); !a) {
      *answer = std::move(a.text);
      return MW_EDENIED;
    }
  // Made once a turn, however often it is asked for in it.
  if (told_at_ != lane->now() || told_.empty()) {
    told_ = stats();
    told_at_ = lane->now();
  }
  *answer = told_;
  return MW_OK;
}

// Labels are services: those of this node, and at most kMaxCalled that it calls.
std::string Node::metrics() const {
  std::string out;
  auto head = [&](const char* name, const char* type, const char* help) { base::metric_head(out, name, type, help); };
  auto line = [&](const char* name, std::string_view service, const char* more, const std::string& value) {
    base::metric_of_service(out, name, service, more, value);
  };
  auto seconds = [](uint64_t us) {  // whatever the host's locale is
    const std::string rest = std::to_string(us % 1'000'000);
    return std::to_string(us / 1'000'000) + "." + std::string(6 - rest.size(), '0') + rest;
  };
  head("meshwork_members", "gauge", "Members known, this one included.");
  out += "meshwork_members " + std::to_string(members_known_.load(std::memory_order_relaxed)) + "\n";
  head("meshwork_members_suspected", "gauge", "Members that do not answer this one.");
  out += "meshwork_members_suspected " +
         std::to_string(std::count_if(members_.begin(), members_.end(), [](const auto& m) { return m.second.suspected; })) + "\n";
  if (!called_.empty()) {
    auto each = [&](const char* name, const char* type, const char* help, auto value) {
      head(name, type, help);
      for (const auto& [service, t] : called_) line(name, service, "", std::to_string(value(t)));
    };
    each("meshwork_calls_total", "counter", "Calls of this node that have ended.", [](const core::Tally& t) { return t.ended; });
    each("meshwork_calls_failed_total", "counter", "Calls of this node that failed.", [](const core::Tally& t) { return t.failed; });
    each("meshwork_calls_open", "gauge", "Calls of this node that wait for answers.", [](const core::Tally& t) { return t.open; });
    head("meshwork_call_seconds", "summary", "From call to answer.");
    for (const auto& [service, t] : called_) {
      line("meshwork_call_seconds", service, ",quantile=\"0.5\"", seconds(t.latency.at(0.5)));
      line("meshwork_call_seconds", service, ",quantile=\"0.99\"", seconds(t.latency.at(0.99)));
      line("meshwork_call_seconds_sum", service, "", seconds(t.latency.sum()));
      line("meshwork_call_seconds_count", service, "", std::to_string(t.latency.total()));
    }
  }
  std::vector<std::pair<std::string, link::Service::Counts>> own;
  if (provider_ != nullptr) provider_->each_service([&](const link::Service& s) { own.emplace_back(s.name, s.counts()); });
  auto serves = [&](const char* name, const char* help, uint64_t link::Service::Counts::* what) {
    if (own.empty()) return;
    head(name, "counter", help);
    for (const auto& [service, n] : own) line(name, service, "", std::to_string(n.*what));
  };
  using Counts = link::Service::Counts;
  serves("meshwork_served_total", "Calls that came and were taken.", &Counts::taken);
  serves("meshwork_served_failed_total", "Calls that were answered with a failure.", &Counts::failed);
  serves("meshwork_served_canceled_total", "Calls that ended without an answer of theirs.", &Counts::canceled);
  return out;
}

}  // namespace mw::mesh
