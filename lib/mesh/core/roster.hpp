// What is said of members, each thing once: a fact is immutable and counted,
// a view holds four bytes a member. Every machine of a process may share one
// roster (a simulation does); it also keeps the orders that all members agree
// on: rings for neighbours, buckets for digests.
// Used by mesh/core. One thread for a roster and all that stands on it.
#pragma once
#include "mesh/core/random.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::mesh::core {

using Slot = uint32_t;    // a member's number within a roster
using FactId = uint32_t;  // 0 = none
inline constexpr Slot kNoSlot = UINT32_MAX;

inline constexpr size_t kMaxName = 255;      // bytes, as a topic's
inline constexpr size_t kMaxAddress = 1024;  // bytes, all addresses of a member
inline constexpr size_t kMaxMeta = 8192;     // bytes, what the catalog reads
inline constexpr size_t kRings = 3;
inline constexpr size_t kBuckets = 256;

enum class Life : uint8_t { alive, left, dead };

// Why a member is no longer there. Numbers of the wire.
enum class Why : uint8_t {
  left = 1,      // it said so
  closed = 2,    // it closed its links
  silent = 3,    // it answered no probe, direct or through others
  alone = 4,     // as silent, but nobody answered its judge
};
const char* why_text(Why why) noexcept;

struct Verdict {
  Why why = Why::left;
  uint32_t silent_ms = 0;  // since the judge last heard it
  uint32_t agreed = 0;     // others that suspected it too
  std::string by;          // the judge's name
};

// Which of two things said about a member is the later one: its members are
// in the order in which they count.
struct Version {
  uint64_t incarnation = 0;  // raised by the member alone
  bool gone = false;
  uint64_t instance = 0;  // of the process; the greater of two is the newer
  uint64_t revision = 0;  // of address and meta within an incarnation
  auto operator<=>(const Version&) const = default;
};

// What somebody says about a member.
struct RecordView {
  Life life = Life::alive;
  std::string_view name, address, meta, by;
  Version version;
  uint64_t age_ms = 0, silent_ms = 0, agreed = 0;
  Why why = Why::left;
};

struct Fact {
  Slot slot = kNoSlot;
  Life life = Life::alive;
  Version version;
  std::string address;  // of a dead one: where it was
  std::string meta;
  Verdict verdict;    // unless alive
  uint64_t hash = 0;  // of name and version
  uint32_t refs = 0;
};

class Roster {
 public:
  // The number of a name, new if need be; kNoSlot where another name has the
  // same hash, which names a member everywhere.
  Slot slot(std::string_view name);
  Slot find(uint64_t key) const noexcept;  // hash_text(name)
  const std::string& name(Slot slot) const noexcept { return places_[slot].name; }
  uint64_t key(Slot slot) const noexcept { return places_[slot].key; }
  size_t bucket(Slot slot) const noexcept { return places_[slot].key >> 56; }
  size_t slots() const noexcept { return places_.size(); }
  // A pinned slot keeps its name; others are given back with their last fact.
  void pin(Slot slot) noexcept { places_[slot].pins++; }
  void unpin(Slot slot);

  // The fact with these contents (the record's name and age do not count), with
  // one reference more for the caller.
  FactId intern(Slot slot, const RecordView& record);
  void ref(FactId id) noexcept { facts_[id].refs++; }
  void unref(FactId id);
  const Fact& operator[](FactId id) const noexcept { return facts_[id]; }
  size_t facts() const noexcept { return facts_.size() - 1 - free_facts_.size(); }

  // Everybody in a ring from after `from` on, forwards or backwards, once
  // around; f answers false to stop.
  void walk(size_t ring, Slot from, bool forwards, const std::function<bool(Slot)>& f) const;
  const std::vector<Slot>& in_bucket(size_t bucket) const noexcept { return buckets_[bucket]; }

 private:
  struct Place {
    std::string name;
    uint64_t key = 0;
    uint32_t pins = 0;
    std::vector<FactId> facts;
  };
  void drop_unused(Slot slot);

  using Ring = std::set<std::pair<uint64_t, Slot>>;
  static uint64_t position(uint64_t key, size_t ring) noexcept { return mix(key + ring); }

  std::deque<Place> places_;
  std::vector<Slot> free_slots_;
  std::unordered_map<uint64_t, Slot> by_key_;
  std::deque<Fact> facts_ = std::deque<Fact>(1);
  std::vector<FactId> free_facts_;
  std::array<Ring, kRings> rings_;
  std::array<std::vector<Slot>, kBuckets> buckets_;
};

}  // namespace mw::mesh::core
