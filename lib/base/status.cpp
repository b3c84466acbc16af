#include "base/status.hpp"

namespace mw::base {
namespace {

constexpr uint32_t RETRY = MW_SF_RETRY, FATAL = MW_SF_FATAL, SYSTEM = MW_SF_SYSTEM;

struct Row {
  mw_status value;
  uint32_t flags;
  const char* name;
  const char* text;
};

constexpr Row kRows[] = {
#define MW_STATUS(name, value, flags, text) {value, flags, "MW_" #name, text},
#include "base/errors.def"
#undef MW_STATUS
};

constexpr Row kUnknown = {0, 0, "MW_EUNKNOWN", "A status code that this version does not know."};

const Row& row(mw_status s) noexcept {
  for (const Row& r : kRows)
    if (r.value == s) return r;
  return kUnknown;
}

}  // namespace

const char* status_name(mw_status s) noexcept { return row(s).name; }
const char* status_text(mw_status s) noexcept { return row(s).text; }
uint32_t status_flags(mw_status s) noexcept { return row(s).flags; }

}  // namespace mw::base
