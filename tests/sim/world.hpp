// N members, each the real state machine, in one thread on a virtual clock:
// a network with latency, loss and partitions, members that stall and die.
// The same seed gives the same run.
#pragma once
#include "mesh/core/membership.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mw::sim {

using namespace mesh::core;

struct Network {
  int64_t min_latency = 1, max_latency = 20;  // ms
  uint32_t loss = 0;                          // in a thousand messages
};

class World {
 public:
  World(uint64_t seed, Network network) : random_(seed), network_(network), seed_(seed) {}

  // A member that knows nobody; its number.
  size_t add();
  // n members that know each other, as if each had just read it from another one.
  void populate(size_t n);
  // Lets `who` meet `seed` and join through it.
  void join(size_t who, size_t seed);
  // A new process with the name of one that ended, at another address; behind: its clock was set back an hour.
  void restart(size_t who, size_t seed, bool behind = false);

  void stall(size_t who, int64_t ms);
  void kill(size_t who);       // its links close
  void switch_off(size_t who); // they do not
  void leave(size_t who);
  // Members of unlike groups do not reach each other.
  void part(size_t who, int group) { nodes_[who]->group = group; }
  // So many in a thousand pairs do not reach each other.
  void cut_pairs(uint32_t in_thousand) { cut_ = in_thousand; }
  bool cut(size_t a, size_t b) const {
    return cut_ != 0 && mix(seed_ ^ (uint64_t{std::min(a, b)} << 32 | std::max(a, b))) % 1000 < cut_;
  }
  // Verdicts on this one are not false for the rest of the run.
  void quiet_about(size_t who) { nodes_[who]->condemnable = true; }

  void run(int64_t ms);
  // Runs until f is true, looked at every `step` ms; the time it took, or -1
  // after `limit`.
  int64_t run_until(const std::function<bool()>& f, int64_t limit, int64_t step = 50);

  int64_t now() const { return now_; }
  size_t size() const { return nodes_.size(); }
  bool up(size_t i) const { return nodes_[i]->up; }
  bool stalled(size_t i) const { return nodes_[i]->thaw > now_; }
  Membership& machine(size_t i) { return *nodes_[i]->machine; }
  Slot slot(size_t i) const { return nodes_[i]->slot; }
  // Members that run and hold i for alive.
  size_t held_alive_by(size_t i) const;
  // Whether every running member of a group holds exactly the group's running members for alive.
  bool agreed(int group) const;
  bool agreed() const;  // whatever the groups

  // What was said, by everybody.
  uint64_t said(News news) const { return said_[static_cast<size_t>(news)]; }
  uint64_t false_deaths() const { return false_deaths_; }
  const std::string& first_false() const { return first_false_; }
  void forget_counts();
  // Sent and received, bytes a member in a second since forget_counts().
  double mean_rate() const;
  double max_rate() const;
  uint64_t steps() const { return steps_; }
  // During a partition verdicts are not false.
  bool quiet_about_deaths = false;

 private:
  enum class Is : uint8_t { message, wake, thaw, closed, refused };
  struct Event {
    uint32_t to, from;
    Is is;
    std::string bytes;
  };
  struct Node {
    std::unique_ptr<Membership> machine;
    Slot slot = 0;
    std::string name, address;
    uint64_t life = 0;  // which process of this name
    bool up = true;
    bool refuses = false;  // its host answers for it that nobody listens
    bool condemnable = false;
    int group = 0;
    int64_t thaw = 0;         // stands still until
    int64_t wake = INT64_MAX; // the next tick that is under way
    std::vector<Event> held;  // what came while it stood still
    std::vector<Slot> links;
    uint64_t bytes = 0;
  };
  static constexpr int64_t kWheel = 1 << 14;  // ms

  void at(int64_t when, Event&& e);
  int64_t latency() {
    return network_.min_latency + random_.below(static_cast<uint32_t>(network_.max_latency - network_.min_latency + 1));
  }
  void start(uint32_t i, bool behind = false);
  void handle(Event& e);
  void step(uint32_t who, const Input& in);
  void carry_out(uint32_t who);
  void tick_later(uint32_t who);
  void note(uint32_t who, const Outputs::Said& s);

  Random random_;
  Network network_;
  uint64_t seed_;
  uint32_t cut_ = 0;
  Roster roster_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<uint32_t> by_slot_;
  std::vector<std::vector<Event>> wheel_ = std::vector<std::vector<Event>>(kWheel);
  int64_t now_ = 0, since_ = 0;
  Outputs out_;
  uint64_t said_[16] = {};
  uint64_t false_deaths_ = 0, steps_ = 0;
  std::string first_false_;
};

}  // namespace mw::sim
