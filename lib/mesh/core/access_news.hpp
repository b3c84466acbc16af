// What managers say the schema of the mesh is: pieces put together, and which
// one counts where they differ. The one that was set last does: the greatest
// (revision, hash of the text), whoever else is gone or there. It is kept when
// all managers are away.
// Used by the node. Does no I/O; one thread.
#pragma once
#include "mesh/core/member_message.hpp"

#include <string>
#include <unordered_map>

namespace mw::mesh::core {

inline constexpr size_t kSchemaPiece = 30'000;  // bytes in one message

class AccessNews {
 public:
  struct Schema {
    uint64_t revision = 0;  // 0: none was given
    uint64_t hash = 0;      // of text and any_case
    bool any_case = false;
    std::string text;       // "": none any more
  };

  // A piece that came over a link to a manager. True: another schema counts from now on.
  bool take(Slot manager, const MessageView& piece);
  // The link there is over: what it said whole is known on, but it contradicts nobody any more.
  void lost(Slot manager);
  const Schema& counts() const noexcept { return counts_; }
  // A manager that is there and says something else; kNoSlot: none.
  Slot contradicts() const noexcept;

 private:
  struct Said {
    Schema coming;     // text: as far as it came
    uint64_t hash = 0; // of its last whole one; 0: none yet
  };
  std::unordered_map<Slot, Said> said_;
  Schema counts_;
};

// A digest as it is shown.
std::string schema_text(uint64_t digest);
uint64_t schema_hash(std::string_view text, bool any_case) noexcept;

}  // namespace mw::mesh::core
