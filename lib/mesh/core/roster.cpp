#include "mesh/core/roster.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

bool same(const Fact& a, const RecordView& b) noexcept {
  return a.life == b.life && a.version == b.version && a.address == b.address && a.meta == b.meta &&
         (a.life == Life::alive || (a.verdict.why == b.why && a.verdict.by == b.by));
}

}  // namespace

const char* why_text(Why why) noexcept {
  switch (why) {
    case Why::left: return "it left";
    case Why::closed: return "it closed its links";
    case Why::silent: return "it answered no probe, direct or through others";
    case Why::alone: return "it answered no probe, and nobody else answers here either";
  }
  return "unknown";
}

Slot Roster::slot(std::string_view name) {
  const uint64_t key = hash_text(name);
  if (const auto it = by_key_.find(key); it != by_key_.end())
    return places_[it->second].name == name ? it->second : kNoSlot;
  Slot slot = static_cast<Slot>(places_.size());
  if (free_slots_.empty()) {
    places_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  places_[slot] = {std::string(name), key, 0, {}};
  by_key_[key] = slot;
  for (size_t i = 0; i < kRings; i++) rings_[i].emplace(position(key, i), slot);
  buckets_[key >> 56].push_back(slot);
  return slot;
}

Slot Roster::find(uint64_t key) const noexcept {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? kNoSlot : it->second;
}

void Roster::unpin(Slot slot) {
  places_[slot].pins--;
  drop_unused(slot);
}

void Roster::drop_unused(Slot slot) {
  Place& place = places_[slot];
  if (place.pins != 0 || !place.facts.empty()) return;
  by_key_.erase(place.key);
  for (size_t i = 0; i < kRings; i++) rings_[i].erase({position(place.key, i), slot});
  std::erase(buckets_[place.key >> 56], slot);
  place = {};
  free_slots_.push_back(slot);
}

FactId Roster::intern(Slot slot, const RecordView& record) {
  Place& place = places_[slot];
  for (const FactId id : place.facts) {
    if (same(facts_[id], record)) {
      facts_[id].refs++;
      return id;
    }
  }
  FactId id = static_cast<FactId>(facts_.size());
  if (free_facts_.empty()) {
    facts_.emplace_back();
  } else {
    id = free_facts_.back();
    free_facts_.pop_back();
  }
  const Version& v = record.version;
  Fact& fact = facts_[id];
  fact.slot = slot;
  fact.life = record.life;
  fact.version = v;
  fact.address = record.address;
  fact.meta = record.meta;
  if (v.gone)
    fact.verdict = {record.why, static_cast<uint32_t>(record.silent_ms), static_cast<uint32_t>(record.agreed),
                    std::string(record.by)};
  fact.hash = mix(place.key ^ mix(v.instance ^ mix(v.incarnation ^ mix(v.revision))));
  fact.refs = 1;
  place.facts.push_back(id);
  return id;
}

void Roster::unref(FactId id) {
  Fact& fact = facts_[id];
  if (--fact.refs != 0) return;
  const Slot slot = fact.slot;
  std::erase(places_[slot].facts, id);
  fact = {};
  free_facts_.push_back(id);
  drop_unused(slot);
}

void Roster::walk(size_t ring, Slot from, bool forwards, const std::function<bool(Slot)>& f) const {
  const Ring& r = rings_[ring];
  const auto start = r.find({position(places_[from].key, ring), from});
  if (start == r.end()) return;
  for (auto it = start;;) {
    if (forwards) {
      if (++it == r.end()) it = r.begin();
    } else {
      if (it == r.begin()) it = r.end();
      --it;
    }
    if (it == start || !f(it->second)) return;
  }
}

}  // namespace mw::mesh::core
