// Connection parameters: the query string of the upgrade or the header
// Meshwork-Parameters, both application/x-www-form-urlencoded.
// Used by upgrade's callers in net. Pure; any thread.
#pragma once
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mw::wire {

using Parameters = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kParametersField = "Meshwork-Parameters";
inline constexpr size_t kMaxParameters = 64;
inline constexpr size_t kMaxParameterKey = 256;     // bytes, decoded
inline constexpr size_t kMaxParameterValue = 8192;  // bytes, decoded

// "k=v&..." decoded, in order. Refused (MW_EPROTO, the sentence names the
// fault): broken escapes, text that is not UTF-8 or holds NUL, an empty key, a
// key given twice, more or longer ones than the limits.
base::Result<Parameters> parse_parameters(std::string_view encoded);
std::string encode_parameters(const Parameters& p);

}  // namespace mw::wire
