// What an mw_conf is behind the border, and how the objects of other files
// take their snapshot of it. Used by abi's files. Any thread once used.
#pragma once
#include "base/conf.hpp"

#include <atomic>
#include <memory>

struct mw_conf {
  explicit mw_conf(int32_t kind) : conf(kind) {}

  std::atomic<uint32_t> refs{1};
  std::atomic<bool> used{false};  // given to an object: mw_conf_set answers MW_ESTATE
  mw::base::Conf conf;
};

namespace mw::abi {

// The conf for an object of a kind: null = all defaults; another kind is
// MW_EKIND. Marks it used. Throws std::bad_alloc.
base::Result<std::shared_ptr<const base::Conf>> conf_snapshot(const mw_conf* c, int32_t kind);

}  // namespace mw::abi
