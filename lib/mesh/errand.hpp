// A call of the host's on its way through the mesh: what it asks, who may
// answer, whom it is with, and who was tried before. Owned by the node; its
// lane. Fields: see each.
#pragma once
#include "base/message.hpp"
#include "loop/wheel.hpp"
#include "mesh/core/balance.hpp"
#include "mesh/core/semver.hpp"
#include "mesh/core/tally.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mw::mesh {

class Node;

// What a CALL conf says, where it says anything.
struct How {
  std::optional<core::Range> range;
  std::vector<std::string> only, exclude;
  std::string sticky;
  bool safe = false;  // may run twice
};

struct Errand final : loop::Timer {
  explicit Errand(Node& n) noexcept : node(n) {}
  void expired() noexcept override;

  Node& node;
  uint64_t number = 0;         // of it here, and on the links
  uint64_t op = 0;             // the host's
  std::string target;
  base::MsgRef m;
  uint32_t flags = 0;
  uint64_t deadline = 0;       // ms, monotonic; 0 none
  uint64_t window = 0;
  int64_t began = 0;           // ns, monotonic
  int64_t sent_at = 0;         // the same: when it left for the member it is with; 0: not yet
  int64_t ended = 0;           // the same: when that member was done with it
  core::Tally* tally = nullptr;  // of the service it asks
  mw_handle parent = 0;
  int64_t cost = 0;            // of the budget
  std::unique_ptr<How> how;    // or null
  bool safe = false;
  bool sent = false;           // it is with `member`, else it waits for the link there
  bool canceled = false;
  core::Slot member = core::kNoSlot;
  mw_handle link = 0;          // over which it was sent
  std::vector<core::Slot> tried;
  mw_status verdict = MW_OK;   // told at the next tick
  std::string rule;            // of access, where that is why
  // Of a broadcast: the whole, or one of its parts.
  uint64_t whole = 0;          // the number of the whole; 0: this is no part
  std::vector<uint64_t> parts; // still open
  bool gathers = false;        // this is a whole
  int32_t answered = 0, failed = 0;
  std::string failures;        // JSON objects, joined by commas
};

}  // namespace mw::mesh
