// Which of several members answers a call. Hides the turns of round robin.
// Used by the node. Does no I/O; one thread.
#pragma once
#include "mesh/core/random.hpp"
#include "mesh/core/roster.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::mesh::core {

enum class Strategy : uint8_t { round_robin, random, least_busy, two_choices, sticky };

struct Candidate {
  Slot member = kNoSlot;
  uint32_t age = 0;       // 0: the newest version of all, 1: the next one ...; candidates come newest first,
  uint64_t key = 0;       // of one version in the order of their members' keys
  std::string_view name;  // the member's
  uint32_t in_flight = 0;
  bool local = false;     // this very process
  bool suspected = false;
};

struct Preference {
  Strategy strategy = Strategy::round_robin;
  bool local_first = true;
  std::string_view sticky;  // with Strategy::sticky: the same key, the same member
  std::span<const std::string> only, exclude;  // members' names
};

// Takes away whom the call does not want. What is left may answer a broadcast.
void filter(std::vector<Candidate>& candidates, const Preference& how);

class Balancer {
 public:
  explicit Balancer(uint64_t seed) : random_(seed) {}
  // One of the candidates that are left by filter(), of the newest version among
  // them; SIZE_MAX when there is none. Whoever is suspected comes last, behind older
  // versions, too. target: whose turns these are.
  size_t pick(std::string_view target, std::span<const Candidate> candidates, const Preference& how);

 private:
  static constexpr size_t kMaxTurns = 4096;  // targets; beyond it all start anew
  size_t next_in_turn(std::string_view target, std::span<const Candidate> candidates, const std::vector<size_t>& among);

  Random random_;
  std::unordered_map<std::string, uint64_t> turns_;  // the key of the last one
  std::vector<size_t> among_;
};

}  // namespace mw::mesh::core
