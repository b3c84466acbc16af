// Secrets: compared without telling by time where they differ or how long they
// are, and wiped when dropped. Used by conf, json and net. Any thread.
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

}  // namespace mw::base
