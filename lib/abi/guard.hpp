// The one try/catch of the library: no exception crosses the C border.
// Used by abi's files around everything that may allocate. Any thread.
#pragma once
#include "base/result.hpp"

#include <new>

namespace mw::abi {

// Runs f, which answers a status. Memory that ran out is MW_ENOMEM, any other
// exception a bug of ours; err (may be null) tells.
template <class F>
mw_status guard(mw_error* err, F&& f) noexcept {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return base::fill(err, {MW_ENOMEM, 0, {}});
  } catch (...) {
    return base::fill(err, {MW_EINTERNAL, 0, {}});
  }
}

}  // namespace mw::abi
