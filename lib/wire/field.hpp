// HTTP field values split by their grammar (RFC 9110 5.6): lists, tokens,
// quoted strings. Used by offer and upgrade. Pure; views point into the input.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mw::wire {

bool is_token(std::string_view s) noexcept;
// ASCII letters compare without case.
bool same_text(std::string_view a, std::string_view b) noexcept;
std::string_view trim(std::string_view s) noexcept;

// 1#token; empty elements are skipped, anything else refuses the whole list.
std::optional<std::vector<std::string_view>> token_list(std::string_view value);
// True if one comma-separated element equals the token, without case.
bool has_token(std::string_view value, std::string_view token) noexcept;

// Sec-WebSocket-Extensions (RFC 6455 9.1): name; key; key=value, ...
// A value that was quoted is given without its quotes.
struct Extension {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::optional<std::string>>> parameters;
};
// Nothing if the value breaks the grammar.
std::optional<std::vector<Extension>> extension_list(std::string_view value);

}  // namespace mw::wire
