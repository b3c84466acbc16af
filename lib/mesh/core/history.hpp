// What became of members, as this process saw it: the last few changes of each
// that is there, and the last ones that went, with the reason.
// Used by the node. Does no I/O, knows no clock: `now` is ms of the wall clock. One thread.
#pragma once
#include "base/json.hpp"
#include "mesh/core/roster.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::mesh::core {

class History {
 public:
  static constexpr size_t kChanges = 8;  // of a member
  static constexpr size_t kGone = 64;    // members; those that left by themselves are forgotten first

  // It is there; as another process than before: restarted.
  void up(Slot slot, const std::string& name, uint64_t instance, int64_t now) noexcept;
  void suspected(Slot slot, int64_t now) { note(slot, "suspected", "it does not answer", now); }
  void well(Slot slot, int64_t now) { note(slot, "well", "it answered after all", now); }
  // verdict: null where this process slept too long to know.
  void gone(Slot slot, const std::string& name, std::string_view role, const Verdict* verdict, int64_t now) noexcept;
  static const char* why(const Verdict* verdict) noexcept;

  // "state", "since_ms", "reason" and "changes" of one that is there.
  void put(base::JsonObject& o, Slot slot) const;
  // Those that went and did not come back: a JSON list, the last one first.
  std::string went() const;

 private:
  struct Change {
    int64_t at;  // ms, wall clock
    const char *state, *why;
  };
  struct Story {
    uint64_t instance = 0;
    std::vector<Change> changes;  // the last ones
  };
  struct Gone {
    std::string name, role, by;
    bool left;
    Story story;
  };
  void note(Slot slot, const char* state, const char* why, int64_t now) noexcept;
  static void add(Story& s, const char* state, const char* why, int64_t now);
  static void put(base::JsonObject& o, const Story& s);

  std::unordered_map<Slot, Story> here_;
  std::deque<Gone> gone_;  // the last one first
};

}  // namespace mw::mesh::core
