// Pointer and length of the C border as a view. Used by abi's files. Any thread.
#pragma once
#include <meshwork/base.h>

#include <cstring>
#include <string_view>

namespace mw::abi {

// False: a null pointer with bytes behind it. MW_NTS is measured here; a null
// pointer of length 0 is an empty text.
inline bool argument(const void* p, size_t n, std::string_view& out) noexcept {
  if (p == nullptr && n != 0) return false;
  const auto* text = static_cast<const char*>(p);
  out = p == nullptr ? std::string_view() : std::string_view(text, n == MW_NTS ? std::strlen(text) : n);
  return true;
}

}  // namespace mw::abi
