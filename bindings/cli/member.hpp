// What the commands of a mesh share: a node that joins for the time of one
// command, and how what it hears is said. Used by bindings/cli only; one thread.
#pragma once
#include "program.hpp"
#include "terminal.hpp"

#include <optional>

namespace cli {

class Member {
 public:
  explicit Member(const MeshOptions& o);

  mw::Node& node() noexcept { return node_; }
  std::string facts() const { return node_.handle().info(); }
  Loop& loop() noexcept { return loop_; }
  Output& output() noexcept { return output_; }
  Remarks& remarks() noexcept { return remarks_; }

  // Joins: who is there and what they serve is known after it. Interrupted: false.
  bool join();
  // One turn; false when it is time to leave: Ctrl-C, nobody reads, the node is closed.
  bool turn(int timeout_ms = -1);
  bool turn(int timeout_ms, int watched, bool& readable);
  // Leaves, and throws what went wrong with the node, if something did.
  void leave();
  bool closed() const noexcept { return closed_; }

 private:
  const MeshOptions& o_;
  Remarks remarks_;
  Output output_;
  mw::Conf context_{MW_CONF_CTX, {{"threads", 0}}};
  mw::Conf conf_;
  bool closed_ = false;
  std::optional<Failure> failed_;
  mw::Context ctx_;
  mw::Node node_;
  Loop loop_;
};

}  // namespace cli
