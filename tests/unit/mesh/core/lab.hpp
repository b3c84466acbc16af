// A few members on a clock the test turns: every message takes one
// millisecond, and the test says which ones get through.
#pragma once
#include "mesh/core/membership.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mw::mesh::core {

class Lab {
 public:
  struct Member {
    std::unique_ptr<Membership> machine;
    std::vector<std::pair<News, std::string>> said;  // with the member's name
    std::vector<Verdict> verdicts;                   // of the downs
    bool asleep = false;
    std::deque<std::pair<Slot, std::string>> held;   // what comes meanwhile
    uint64_t sent = 0;
  };

  Membership& add(const std::string& name, uint64_t instance = 1, const std::string& address = "",
                  const std::function<void(MembershipConfig&)>& change = {}) {
    MembershipConfig c;
    c.name = name;
    c.address = address.empty() ? name + ":1" : address;
    c.instance = instance;
    c.seed = 7;
    if (change) change(c);
    auto& m = members_[key(name, instance)];
    m.machine = std::make_unique<Membership>(roster, c, now);
    return *m.machine;
  }
  void meet(const std::string& a, const std::string& b) {
    step(a, input::Met{plain(b), managers.contains(plain(b))});
    step(b, input::Met{plain(a), managers.contains(plain(a))});
  }
  // n members a, b, c ... that know each other.
  void group(size_t n) {
    for (size_t i = 0; i < n; i++) add(std::string(1, static_cast<char>('a' + i)));
    for (size_t i = 1; i < n; i++) meet(std::string(1, static_cast<char>('a' + i)), "a");
    run(3000);
    for (size_t i = 0; i < n; i++)
      EXPECT_EQ(at(std::string(1, static_cast<char>('a' + i))).view().alive_count(), n);
    forget();
  }
  void remove(const std::string& who) { members_.erase(who); }
  void sleep(const std::string& who) { members_[who].asleep = true; }
  void wake(const std::string& who) {
    Member& m = members_[who];
    m.asleep = false;
    while (!m.held.empty()) {
      const auto [from, bytes] = m.held.front();
      m.held.pop_front();
      give(who, from, bytes);
    }
  }

  void step(const std::string& who, const Input& in) {
    Member& m = members_.at(who);
    out.clear();
    m.machine->step(in, now, out);
    for (auto& s : out.sends) {
      m.sent++;
      wire_.push_back({now + 1, who, m.machine->self(), s.to, std::move(s.bytes)});
    }
    for (const auto& s : out.said) {
      m.said.emplace_back(s.news, s.member == kNoSlot ? "" : roster.name(s.member));
      if (s.news == News::down && s.fact != 0) m.verdicts.push_back(roster[s.fact].verdict);
    }
  }
  void give(const std::string& who, Slot from, const std::string& bytes) {
    step(who, input::Received{from, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                              managers.contains(roster.name(from))});
  }
  void run(int64_t ms) {
    for (const int64_t end = now + ms; now < end;) {
      now++;
      while (!wire_.empty() && wire_.front().at <= now) {
        const Flying f = wire_.front();
        wire_.pop_front();
        for (auto& [name, m] : members_) {
          if (m.machine->self() != f.to || name == f.who || (passes && !passes(f.who, name))) continue;
          if (m.asleep) {
            m.held.emplace_back(f.from, f.bytes);
          } else {
            give(name, f.from, f.bytes);
          }
          if (members_.count(name) == 0) break;
        }
      }
      for (auto& [name, m] : members_)
        if (!m.asleep && m.machine->next() <= now) step(name, input::Tick{});
    }
  }

  Membership& at(const std::string& who) { return *members_.at(who).machine; }
  Slot slot(const std::string& name) { return roster.find(hash_text(name)); }
  bool alive(const std::string& in, const std::string& whom) { return at(in).view().alive(slot(whom)); }
  size_t count(const std::string& who, News news, const std::string& about = "") {
    size_t n = 0;
    for (const auto& [what, name] : members_.at(who).said) n += what == news && (about.empty() || name == about);
    return n;
  }
  const std::vector<Verdict>& verdicts(const std::string& who) { return members_.at(who).verdicts; }
  uint64_t sent(const std::string& who) { return members_.at(who).sent; }
  void forget() {
    for (auto& [name, m] : members_) m.said.clear(), m.verdicts.clear(), m.sent = 0;
  }

  Roster roster;
  int64_t now = 1'000'000;
  Outputs out;
  std::function<bool(const std::string& from, const std::string& to)> passes;
  std::set<std::string> managers;

 private:
  // A second process of a name is "name#2" here.
  static std::string key(const std::string& name, uint64_t instance) {
    return instance == 1 ? name : name + "#" + std::to_string(instance);
  }
  static std::string plain(const std::string& key) { return key.substr(0, key.find('#')); }
  struct Flying {
    int64_t at;
    std::string who;
    Slot from, to;
    std::string bytes;
  };
  std::map<std::string, Member> members_;
  std::deque<Flying> wire_;
};

}  // namespace mw::mesh::core
