#include "mesh/core/balance.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

bool listed(std::span<const std::string> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void filter(std::vector<Candidate>& candidates, const Preference& how) {
  std::erase_if(candidates, [&](const Candidate& c) {
    return (!how.only.empty() && !listed(how.only, c.name)) || listed(how.exclude, c.name);
  });
}

size_t Balancer::pick(std::string_view target, std::span<const Candidate> candidates, const Preference& how) {
  among_.clear();
  for (size_t i = 0; i < candidates.size(); i++)
    if (!candidates[i].suspected) among_.push_back(i);
  // Suspected ones are better than none: most suspicions are wrong.
  if (among_.empty())
    for (size_t i = 0; i < candidates.size(); i++) among_.push_back(i);
  if (among_.empty()) return SIZE_MAX;
  const uint32_t newest = candidates[among_.front()].age;
  std::erase_if(among_, [&](size_t i) { return candidates[i].age != newest; });
  if (how.local_first && how.strategy != Strategy::sticky)
    for (const size_t i : among_)
      if (candidates[i].local) return i;

  auto busy = [&](size_t i) { return candidates[i].in_flight; };
  auto some = [&] { return random_.below(static_cast<uint32_t>(among_.size())); };
  switch (how.strategy) {
    case Strategy::round_robin: return next_in_turn(target, candidates, among_);
    case Strategy::random: return among_[some()];
    case Strategy::least_busy: {
      // Of several equally idle ones not always the first.
      const size_t start = some();
      std::rotate(among_.begin(), among_.begin() + static_cast<std::ptrdiff_t>(start), among_.end());
      return *std::min_element(among_.begin(), among_.end(), [&](size_t a, size_t b) { return busy(a) < busy(b); });
    }
    case Strategy::two_choices: {
      const size_t first = some();
      size_t second = among_.size() == 1 ? first : random_.below(static_cast<uint32_t>(among_.size() - 1));
      if (among_.size() > 1 && second >= first) second++;
      return busy(among_[second]) < busy(among_[first]) ? among_[second] : among_[first];
    }
    case Strategy::sticky: {
      // Rendezvous hashing: when a member goes, only its keys move.
      const uint64_t key = hash_text(how.sticky);
      return *std::max_element(among_.begin(), among_.end(), [&](size_t a, size_t b) {
        return mix(key ^ candidates[a].key) < mix(key ^ candidates[b].key);
      });
    }
  }
  return SIZE_MAX;
}

size_t Balancer::next_in_turn(std::string_view target, std::span<const Candidate> candidates,
                              const std::vector<size_t>& among) {
  if (turns_.size() >= kMaxTurns) turns_.clear();
  const auto [it, fresh] = turns_.try_emplace(std::string(target), 0);
  // After the last one by key, so that who comes or goes changes nobody's turn.
  // The first turn of all is anybody's: callers should not all begin with the same member.
  uint64_t& last = it->second;
  if (fresh) last = random_.next();
  const auto next = std::find_if(among.begin(), among.end(), [&](size_t i) { return candidates[i].key > last; });
  const size_t chosen = next == among.end() ? among.front() : *next;
  last = candidates[chosen].key;
  return chosen;
}

}  // namespace mw::mesh::core
