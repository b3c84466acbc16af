// How a node is found by the others and finds the first of them: the files of
// this host (registry=host) or addresses that were given (gossip: of nodes;
// manager: of managers). Whom it names is dialled; who is a member is settled
// by what is said on the link. A manager looks for nobody.
// Used by the node. The node's lane, but open().
#pragma once
#include "base/choices.hpp"
#include "base/result.hpp"
#include "local/roster.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mw::mesh {

class Contacts {
 public:
  using Uuid = std::array<uint8_t, 16>;
  static constexpr std::string_view kPath = "/mesh";  // of the upgrade

  // Any thread. Checks what the options say of it.
  static base::Result<Contacts> open(const base::Conf& conf, const Uuid& uuid);
  // What the node's provider listens on, as options of a provider.
  const std::vector<std::pair<std::string, std::string>>& listen() const noexcept { return listen_; }
  // We listen: others may find us from now on.
  base::Result<void> enter();
  void leave() noexcept;
  // Where others are or may be now, as URLs; our own perhaps among them.
  std::vector<std::string> look() const;
  // Nobody listens there: what a dead process left is tidied up.
  void refused(const std::string& url) const noexcept;
  void seeds(const base::Conf& conf);  // they have changed, or the managers
  // "host:port" as the URL that is dialled.
  std::string url(std::string_view place) const;
  base::Registry registry() const noexcept { return registry_; }
  bool managed() const noexcept { return registry_ == base::Registry::manager; }  // also of a manager

 private:
  Contacts() = default;
  std::string file(const uint8_t* uuid) const;
  std::string url_of_file(const std::string& file) const;

  base::Registry registry_ = base::Registry::host;
  bool secret_ = false;
  Uuid uuid_{};
  std::string dir_;
  std::optional<local::Roster> roster_;
  std::vector<std::string> seeds_;
  std::vector<std::pair<std::string, std::string>> listen_;
};

}  // namespace mw::mesh
