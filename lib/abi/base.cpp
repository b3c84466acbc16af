#include "base/status.hpp"

#include <meshwork/base.h>

uint32_t mw_version(void) {
  return uint32_t{MW_VERSION_MAJOR} << 16 | uint32_t{MW_VERSION_MINOR} << 8 | uint32_t{MW_VERSION_PATCH};
}

const char* mw_status_name(mw_status s) { return mw::base::status_name(s); }
const char* mw_status_text(mw_status s) { return mw::base::status_text(s); }
uint32_t mw_status_flags(mw_status s) { return mw::base::status_flags(s); }
