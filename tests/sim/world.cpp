#include "world.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace mw::sim {
namespace {

// What a message costs beside its own bytes: the frame's head and mask, the packet's head.
constexpr uint64_t kFrame = 9;
constexpr uint64_t kHour = 3600;  // s, of the wall clock

}  // namespace

size_t World::add() {
  const size_t i = nodes_.size();
  nodes_.push_back(std::make_unique<Node>());
  Node& n = *nodes_.back();
  char name[64];
  const uint64_t a = mix(i + 1), b = mix(a);
  std::snprintf(name, sizeof name, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(a),
                static_cast<unsigned>(a >> 32 & 0xFFFF), static_cast<unsigned>(a >> 48), static_cast<unsigned>(b & 0xFFFF),
                static_cast<unsigned long long>(b >> 16));
  n.name = name;
  n.address = "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) + ":55000";
  start(static_cast<uint32_t>(i));
  return i;
}

void World::start(uint32_t i, bool behind) {
  Node& n = *nodes_[i];
  MembershipConfig c;
  c.name = n.name;
  c.address = n.address;
  c.meta = "worker 1.0.0";
  c.instance = (behind ? 0 : kHour) + ++n.life;
  c.incarnation = behind ? 1 : kHour;
  c.seed = seed_ + n.life;
  n.machine = std::make_unique<Membership>(roster_, c, now_);
  n.slot = n.machine->self();
  n.up = true;
  n.refuses = false;
  n.wake = INT64_MAX;
  n.thaw = 0;
  n.held.clear();
  n.links.clear();
  if (by_slot_.size() <= n.slot) by_slot_.resize(n.slot + 1);
  by_slot_[n.slot] = i;
  step(i, input::Tick{});
}

void World::populate(size_t n) {
  const size_t first = nodes_.size();
  for (size_t i = 0; i < n; i++) add();
  std::vector<std::string> pages;
  for (size_t i = first; i < nodes_.size();) {
    MessageWriter page(Kind::records);
    const size_t start = i;
    for (; i < nodes_.size() && i < start + 128; i++) {
      if (i == start) page.byte(i + 128 >= nodes_.size() ? kEnd : 0);
      page.record(roster_, *nodes_[i]->machine->fact(nodes_[i]->slot), 0);
    }
    pages.push_back(page.take());
  }
  // Page by page, because then what a page names is in the processor's cache.
  auto other = [&](size_t i) -> Node& { return *nodes_[i == first ? first + 1 : first]; };
  auto give = [&](size_t i, const Input& in) {
    out_.clear();
    nodes_[i]->machine->step(in, now_, out_);
    out_.sends.clear();
    out_.said.clear();
    carry_out(static_cast<uint32_t>(i));
  };
  for (size_t i = first; i < nodes_.size(); i++) give(i, input::Met{other(i).name});
  for (const std::string& page : pages)
    for (size_t i = first; i < nodes_.size(); i++)
      give(i, input::Received{other(i).slot, {reinterpret_cast<const uint8_t*>(page.data()), page.size()}});
}

void World::join(size_t who, size_t seed) {
  // Both ends of a new link learn each other's name.
  step(static_cast<uint32_t>(seed), input::Met{nodes_[who]->name});
  step(static_cast<uint32_t>(who), input::Met{nodes_[seed]->name});
}

void World::restart(size_t who, size_t seed, bool behind) {
  nodes_[who]->address += "1";
  start(static_cast<uint32_t>(who), behind);
  join(who, seed);
}

void World::stall(size_t who, int64_t ms) {
  Node& n = *nodes_[who];
  if (!n.up || n.thaw > now_) return;
  n.thaw = now_ + ms;
  at(n.thaw, {static_cast<uint32_t>(who), 0, Is::thaw, {}});
}

void World::at(int64_t when, Event&& e) {
  when = std::clamp(when, now_ + 1, now_ + kWheel - 1);
  wheel_[static_cast<size_t>(when % kWheel)].push_back(std::move(e));
}

void World::switch_off(size_t who) { nodes_[who]->up = false; }

void World::kill(size_t who) {
  Node& dead = *nodes_[who];
  dead.up = false;
  dead.refuses = true;
  for (uint32_t i = 0; i < nodes_.size(); i++) {
    const Node& n = *nodes_[i];
    const bool linked = std::find(n.links.begin(), n.links.end(), dead.slot) != n.links.end() ||
                        std::find(dead.links.begin(), dead.links.end(), n.slot) != dead.links.end();
    if (i != who && linked && n.group == dead.group) at(now_ + latency(), {i, static_cast<uint32_t>(who), Is::closed, {}});
  }
}

void World::leave(size_t who) {
  step(static_cast<uint32_t>(who), input::Leave{});
  nodes_[who]->up = false;
  nodes_[who]->refuses = true;
}

void World::run(int64_t ms) {
  for (const int64_t end = now_ + ms; now_ < end;) {
    now_++;
    std::vector<Event>& due = wheel_[static_cast<size_t>(now_ % kWheel)];
    for (size_t i = 0; i < due.size(); i++) handle(due[i]);  // handling adds to later milliseconds only
    due.clear();
  }
}

int64_t World::run_until(const std::function<bool()>& f, int64_t limit, int64_t step) {
  const int64_t start = now_;
  while (now_ - start < limit) {
    run(step);
    if (f()) return now_ - start;
  }
  return -1;
}

void World::handle(Event& e) {
  Node& n = *nodes_[e.to];
  if (e.is == Is::thaw) {
    if (!n.up || n.thaw == 0) return;
    if (n.thaw > now_) return at(n.thaw, std::move(e));  // beyond the wheel's turn
    n.thaw = 0;
    std::vector<Event> held;
    held.swap(n.held);
    for (Event& h : held) handle(h);
    step(e.to, input::Tick{});
    return;
  }
  if (!n.up) return;
  if (n.thaw > now_) {
    if (e.is == Is::wake) {
      n.wake = INT64_MAX;  // the thaw ticks
    } else {
      n.held.push_back(std::move(e));
    }
    return;
  }
  switch (e.is) {
    case Is::message:
      n.bytes += e.bytes.size() + kFrame;
      step(e.to, input::Received{nodes_[e.from]->slot, {reinterpret_cast<const uint8_t*>(e.bytes.data()), e.bytes.size()}});
      if (out_.violation) {
        std::fprintf(stderr, "a member sent what another refuses: %s\n", out_.why.reason);
        std::abort();
      }
      break;
    case Is::wake:
      if (n.wake > now_) return;  // an older one
      n.wake = INT64_MAX;
      if (n.machine->next() <= now_) {
        step(e.to, input::Tick{});
      } else {
        tick_later(e.to);
      }
      break;
    case Is::closed: step(e.to, input::Lost{nodes_[e.from]->slot, false}); break;
    case Is::refused: step(e.to, input::Lost{nodes_[e.from]->slot, true}); break;
    case Is::thaw: break;
  }
}

void World::step(uint32_t who, const Input& in) {
  out_.clear();
  steps_++;
  nodes_[who]->machine->step(in, now_, out_);
  carry_out(who);
}

void World::carry_out(uint32_t who) {
  Node& n = *nodes_[who];
  for (Outputs::Send& s : out_.sends) {
    const uint32_t to = by_slot_[s.to];
    const Node& other = *nodes_[to];
    n.bytes += s.bytes.size() + kFrame;
    if (other.group != n.group || cut(who, to) || (network_.loss != 0 && random_.below(1000) < network_.loss)) continue;
    if (!other.up && other.refuses) {
      at(now_ + latency(), {who, to, Is::refused, {}});
    } else {
      at(now_ + latency(), {to, who, Is::message, std::move(s.bytes)});
    }
  }
  for (const Outputs::Said& s : out_.said) note(who, s);
  for (const Outputs::Link& l : out_.links) {
    if (l.wanted) {
      n.links.push_back(l.member);
    } else {
      std::erase(n.links, l.member);
    }
  }
  tick_later(who);
}

void World::tick_later(uint32_t who) {
  Node& n = *nodes_[who];
  const int64_t next = n.machine->next();
  if (next < n.wake) {
    n.wake = std::min(std::max(next, now_ + 1), now_ + kWheel - 1);
    at(n.wake, {who, 0, Is::wake, {}});
  }
}

void World::note(uint32_t who, const Outputs::Said& s) {
  said_[static_cast<size_t>(s.news)]++;
  if (s.news != News::down || s.fact == 0) return;
  const Node& n = *nodes_[by_slot_[s.member]];
  if (!n.up || n.condemnable || quiet_about_deaths) return;
  if (roster_[s.fact].version.instance != n.life) return;  // of an earlier process
  if (false_deaths_++ == 0) {
    const Verdict& v = roster_[s.fact].verdict;
    first_false_ = "at " + std::to_string(now_) + " ms " + nodes_[who]->name + " believed that " + n.name +
                   " is dead: " + why_text(v.why) + " (" + std::to_string(v.silent_ms) + " ms silent, says " + v.by + ")";
  }
}

size_t World::held_alive_by(size_t i) const {
  size_t n = 0;
  for (const auto& node : nodes_) n += node->up && node->machine->view().alive(nodes_[i]->slot);
  return n;
}

bool World::agreed(int group) const {
  uint64_t root = 0;
  uint32_t count = 0;
  for (const auto& n : nodes_) {
    if (n->group != group || !n->up) continue;
    count++;
    if (count == 1) root = n->machine->view().root();
    if (n->machine->view().root() != root) return false;
  }
  for (const auto& n : nodes_)
    if (n->group == group && n->up) return n->machine->view().alive_count() == count;
  return true;
}

bool World::agreed() const {
  uint32_t count = 0;
  for (const auto& n : nodes_) count += n->up;
  const Node* first = nullptr;
  for (const auto& n : nodes_) {
    if (!n->up) continue;
    if (first == nullptr) first = n.get();
    if (n->machine->view().root() != first->machine->view().root()) return false;
  }
  return first == nullptr || first->machine->view().alive_count() == count;
}

void World::forget_counts() {
  since_ = now_;
  for (const auto& n : nodes_) n->bytes = 0;
  for (uint64_t& n : said_) n = 0;
  false_deaths_ = 0;
  first_false_.clear();
}

double World::mean_rate() const {
  uint64_t sum = 0, count = 0;
  for (const auto& n : nodes_) sum += n->bytes, count += n->up;
  const double members = static_cast<double>(std::max<uint64_t>(1, count));
  return static_cast<double>(sum) * 1000 / members / static_cast<double>(std::max<int64_t>(1, now_ - since_));
}

double World::max_rate() const {
  uint64_t most = 0;
  for (const auto& n : nodes_) most = std::max(most, n->bytes);
  return static_cast<double>(most) * 1000 / static_cast<double>(std::max<int64_t>(1, now_ - since_));
}

}  // namespace mw::sim
