// A provider's options as its listener uses them: parsed and loaded once for
// each set of options, so that a connection only looks. Immutable.
// For net's listener. Made on any thread, then read on the control thread.
#pragma once
#include "base/conf.hpp"
#include "net/address.hpp"
#include "net/tls.hpp"
#include "wire/parameters.hpp"
#include "wire/upgrade.hpp"

#include <memory>

namespace mw::net {

struct Policy {
  // What contradicts itself or cannot be read is told here.
  static base::Result<std::shared_ptr<const Policy>> make(std::shared_ptr<const base::Conf> conf);
  ~Policy();  // wipes the expected parameters

  std::shared_ptr<const base::Conf> conf;
  std::shared_ptr<TlsContext> tls;  // null: plain
  Networks trusted;
  wire::UpgradePolicy upgrade;
  wire::Parameters expected;  // auth.parameters
};

// True if every expected parameter is there with its value. Takes as long
// whichever and however many differ.
bool parameters_match(const wire::Parameters& expected, const wire::Parameters& given) noexcept;

}  // namespace mw::net
