// Secrets: compared without telling by time where they differ or how long they
// are, and wiped when dropped. Used by conf, json, net and link. Any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace mw::base {

void wipe(void* p, size_t n) noexcept;
// The whole allocation, not only what is in use; leaves the text empty.
void wipe(std::string& s) noexcept;

// Compares SHA-256 digests, so that neither a common prefix nor the length of
// either side shows in the time it takes beyond hashing the caller's own.
bool secret_equal(std::string_view a, std::string_view b) noexcept;

// 32 hexadecimal digits of its SHA-256: which texts are the same, not which.
std::string fingerprint(std::string_view text);

}  // namespace mw::base
