// One member's table of all members: four bytes each, the digest over who is
// alive, and how long the dead are remembered.
// Used by Membership. One thread.
#pragma once
#include "mesh/core/roster.hpp"

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace mw::mesh::core {

class View {
 public:
  explicit View(Roster& roster) : roster_(roster) {}
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() { clear(); }

  FactId at(Slot slot) const noexcept { return slot < entries_.size() ? entries_[slot] >> 1 : 0; }
  bool alive(Slot slot) const noexcept { return slot < entries_.size() && (entries_[slot] & 1) != 0; }
  // Takes over the caller's reference.
  void set(Slot slot, FactId fact);
  void forget(Slot slot);
  void clear();

  uint32_t alive_count() const noexcept { return alive_; }
  uint32_t known() const noexcept { return known_; }
  // Digest over the alive: all of them, and one bucket's.
  uint64_t root() const noexcept { return root_; }
  uint64_t bucket(size_t i) const noexcept { return tree_[i]; }

  // Who is gone is remembered until a time, so that old news cannot revive it.
  // set() and forget() end that.
  void bury(Slot slot, int64_t died, int64_t until);
  // Forgets whose time has come.
  void expire(int64_t now);
  // When a buried one died; INT64_MIN when it is not buried.
  int64_t died(Slot slot) const noexcept;
  // Somebody dead whose address is known, by chance; kNoSlot if there is none.
  Slot some_dead(Random& random) const noexcept;
  // Somebody alive, by chance; kNoSlot where a few tries found none.
  Slot some_alive(Random& random) const noexcept;

 private:
  struct Grave {
    Slot slot;
    int64_t died, until;
  };
  void dig_up(Slot slot);
  void count(FactId fact, bool in) noexcept;

  Roster& roster_;
  std::vector<uint32_t> entries_;  // fact << 1 | alive
  uint32_t alive_ = 0, known_ = 0;
  uint64_t root_ = 0;
  std::array<uint64_t, kBuckets> tree_{};
  std::vector<Grave> graves_;
  std::unordered_map<Slot, size_t> grave_of_;
  int64_t next_expiry_ = INT64_MAX;
};

}  // namespace mw::mesh::core
