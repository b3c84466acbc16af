// Retry-After (RFC 9110 section 10.2.3): seconds or a date.
// Used by net's dialer. Pure; any thread.
#pragma once
#include <cstdint>
#include <ctime>
#include <string_view>

namespace mw::net {

// Milliseconds from now (0 where the date is past), at most a week; -1 where
// the value is neither.
int64_t retry_after_ms(std::string_view value, time_t now) noexcept;

}  // namespace mw::net
