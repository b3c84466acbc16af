#include "stats.hpp"

#include "json.hpp"

#include <algorithm>
#include <cstdlib>

namespace cli {

namespace {

uint64_t number(std::string_view json, std::string_view key) {
  const auto v = field(json, key);
  return v ? std::strtoull(v->c_str(), nullptr, 10) : 0;
}

std::string text(std::string_view json, std::string_view key) { return field(json, key).value_or(""); }

std::vector<std::string> list(std::string_view json, std::string_view key) {
  const auto v = field(json, key);
  return v ? items_of(*v) : std::vector<std::string>();
}

uint64_t rise(uint64_t before, uint64_t now) { return now >= before ? now - before : now; }

double per_second(uint64_t n, double seconds) { return seconds > 0 ? static_cast<double>(n) / seconds : 0; }

template <class Map>
typename Map::mapped_type of(const Map& map, const std::string& name) {
  const auto at = map.find(name);
  return at != map.end() ? at->second : typename Map::mapped_type();
}

}  // namespace

void Calls::add(std::string_view json) {
  ended += number(json, "ended");
  failed += number(json, "failed");
  open += number(json, "open");
  for (const std::string& pair : list(text(json, "latency"), "counts")) {
    char* end = nullptr;
    const uint64_t most = std::strtoull(pair.c_str() + 1, &end, 10);
    if (*end == ',') took[most] += std::strtoull(end + 1, nullptr, 10);
  }
}

Calls Calls::since(const Calls& before) const {
  Calls out = *this;
  if (ended < before.ended) return out;  // another process has this name
  out.ended -= before.ended;
  out.failed = rise(before.failed, failed);
  for (const auto& [most, n] : before.took)
    if (const auto at = out.took.find(most); at != out.took.end()) at->second = rise(n, at->second);
  return out;
}

int64_t Calls::us(double part) const {
  uint64_t all = 0, seen = 0;
  for (const auto& [most, n] : took) all += n;
  const auto wanted = static_cast<uint64_t>(part * static_cast<double>(all));
  for (const auto& [most, n] : took)
    if (n != 0 && (seen += n) > wanted) return static_cast<int64_t>(most);
  return -1;
}

MemberStats::MemberStats(std::string_view json)
    : name(text(json, "name")), role(text(json, "service")), at_ms(static_cast<int64_t>(number(json, "at_ms"))), gone(text(json, "gone")) {
  const std::string calls = text(json, "calls"), served = text(json, "serves");
  made.add(calls);
  for (const std::string& one : list(calls, "members")) to[text(one, "name")].add(one);
  for (const std::string& one : list(calls, "services")) services[text(one, "name")].add(one);
  requests = number(served, "requests");
  for (const std::string& one : list(served, "services")) serves[text(one, "name")] = {number(one, "taken"), number(one, "failed")};
  for (const std::string& one : list(json, "queues")) {
    waiting += number(one, "waiting");
    running += number(one, "running");
    dead += number(one, "dead");
  }
}

Rates between(const Look& before, const Look& after) {
  Rates out;
  std::map<std::string, Calls> to, services;  // in between, as those that called saw it
  std::map<std::string, Rates::Service> serves;
  std::map<std::string, double> failed;       // a second, of calls to a member
  for (const auto& [name, now] : after) {
    Rates::Member m;
    m.name = name;
    m.role = now.role;
    m.error = now.error;
    m.open = now.made.open;
    m.waiting = now.waiting;
    m.running = now.running;
    m.dead = now.dead;
    const auto was = before.find(name);
    m.known = now.error.empty() && was != before.end() && was->second.error.empty();
    for (const auto& [service, n] : now.serves) {
      Rates::Service& s = serves[service];
      s.name = service;
      ++s.members;
    }
    if (m.known) {
      const MemberStats& then = was->second;
      const double seconds = static_cast<double>(now.at_ms - then.at_ms) / 1000;
      m.in = per_second(rise(then.requests, now.requests), seconds);
      const Calls made = now.made.since(then.made);
      m.out = per_second(made.ended, seconds);
      out.failed += per_second(made.failed, seconds);  // also those of members that are gone, or of nobody
      auto add = [](Calls& sum, const Calls& more) {
        for (const auto& [most, n] : more.took) sum.took[most] += n;
      };
      for (const auto& [callee, calls] : now.to) {
        const Calls c = calls.since(of(then.to, callee));
        add(to[callee], c);
        failed[callee] += per_second(c.failed, seconds);
      }
      for (const auto& [service, calls] : now.services) add(services[service], calls.since(of(then.services, service)));
      for (const auto& [service, n] : now.serves) {
        const MemberStats::Served old = of(then.serves, service);
        serves[service].calls += per_second(rise(old.taken, n.taken), seconds);
        serves[service].failed += per_second(rise(old.failed, n.failed), seconds);
      }
      out.in += m.in;
    }
    out.members.push_back(std::move(m));
  }
  for (Rates::Member& m : out.members) {
    const Calls calls = of(to, m.name);
    m.failed = of(failed, m.name);
    m.p50 = calls.us(0.5);
    m.p99 = calls.us(0.99);
  }
  for (auto& [name, s] : serves) {
    const Calls calls = of(services, name);
    s.p50 = calls.us(0.5);
    s.p99 = calls.us(0.99);
    out.services.push_back(std::move(s));
  }
  return out;
}

}  // namespace cli
