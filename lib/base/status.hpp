// Name, sentence and flags of every status code, from errors.def.
// Used by abi and wherever a status becomes text. Any thread.
#pragma once
#include <meshwork/base.h>

namespace mw::base {

const char* status_name(mw_status s) noexcept;  // "MW_EAGAIN"; "MW_EUNKNOWN"
const char* status_text(mw_status s) noexcept;
uint32_t status_flags(mw_status s) noexcept;  // MW_SF_*

}  // namespace mw::base
