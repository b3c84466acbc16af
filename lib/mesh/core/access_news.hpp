// What managers say the schema of the mesh is: pieces put together, and which
// one counts where they differ. The one that was set last does: the greatest
// (revision, hash of the text), whoever else is gone or there. It is kept when
// all managers are away.
// Used by the node and the manager. Does no I/O and reads no clock; one thread.
#pragma once
#include "mesh/core/member_message.hpp"

#include <string>
#include <unordered_map>

namespace mw::mesh::core {

inline constexpr size_t kSchemaPiece = 30'000;  // bytes in one message

// A revision is a wall clock's, in microseconds. How far one may be ahead of ours: a manager follows what nodes
// say they hold so far and no further, for any node can say any number; nodes take a little more, their clocks differ.
inline constexpr uint64_t kFollowedAhead = 86'400'000'000;  // a day
inline constexpr uint64_t kTakenAhead = kFollowedAhead + 3'600'000'000;

// A revision above this one and above what a node says it holds.
uint64_t revision_above(uint64_t revision, uint64_t held, uint64_t now_us) noexcept;

class AccessNews {
 public:
  struct Schema {
    uint64_t revision = 0;  // 0: none was given
    uint64_t hash = 0;      // of text and any_case
    bool any_case = false;
    std::string text;       // "": none any more
  };
  enum class Came : uint8_t {
    nothing,  // a piece of one; or the manager never had one
    ahead,    // it cannot have been set then: not taken
    known,    // not later than what counts
    renewed,  // what counts, set once more: its revision is another
    another,  // candidate() counts once it is accepted
  };

  // A piece that came over a link to a manager.
  Came take(uint64_t link, Slot manager, const MessageView& piece, uint64_t now_us);
  const Schema& candidate() const noexcept { return candidate_; }
  void accept();
  // The link is over, and what was on its way over it.
  void ended(uint64_t link) { coming_.erase(link); }
  // No link there any more: what it said whole is known on, but it contradicts nobody any more.
  void lost(Slot manager) { said_.erase(manager); }
  const Schema& counts() const noexcept { return counts_; }
  // Whether any manager has said what the schema is, or that it has none.
  bool heard() const noexcept { return heard_; }
  // A manager that is there and says something else; kNoSlot: none.
  Slot contradicts() const noexcept;

 private:
  std::unordered_map<uint64_t, Schema> coming_;  // by link; text: as far as it came
  std::unordered_map<Slot, uint64_t> said_;      // hash of a manager's last whole one
  Schema counts_, candidate_;
  Slot candidate_of_ = kNoSlot;
  bool heard_ = false;
};

// A digest as it is shown.
std::string schema_text(uint64_t digest);
uint64_t schema_hash(std::string_view text, bool any_case) noexcept;

}  // namespace mw::mesh::core
