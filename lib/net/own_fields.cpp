#include "net/own_fields.hpp"

#include "base/json.hpp"
#include "wire/field.hpp"
#include "wire/parameters.hpp"

#include <algorithm>
#include <string_view>

namespace mw::net {

base::Result<wire::Fields> members(const std::string& json, const char* option) {
  wire::Fields all;
  if (json.empty()) return all;
  auto bad = [&](const std::string& what) { return base::Error{MW_EOPTION, 0, std::string(option) + what}; };
  auto parsed = base::Json::parse(json);
  if (!parsed) return bad(": " + parsed.error().text);
  if (!parsed->root().is_object()) return bad(" is a JSON object, such as {\"key\":\"value\"}");
  std::string wrong;
  parsed->root().each([&](std::string_view key, base::JsonValue v) {
    if (!v.is_scalar()) wrong = key;
    all.emplace_back(std::string(key), v.as_text());
    return v.is_scalar();
  });
  if (!wrong.empty()) return bad(": \"" + wrong + "\" is not a string, number or boolean");
  return all;
}

base::Result<void> check_headers(const wire::Fields& own) {
  static constexpr std::string_view kOurs[] = {"Connection", "Upgrade", "Content-Length", "Transfer-Encoding"};
  for (const auto& [name, value] : own) {
    auto bad = [&](const char* why) { return base::Error{MW_EOPTION, 0, "headers: \"" + name + "\" " + why}; };
    if (!wire::is_token(name)) return bad("is not the name of a header");
    // RFC 9110 section 5.5; a line break would begin another header.
    if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; })) {
      return bad("has a control character in its value");
    }
    bool ours = wire::same_text(std::string_view(name).substr(0, 14), "Sec-WebSocket-");
    for (auto n : kOurs) ours = ours || wire::same_text(name, n);
    if (ours) return bad("belongs to the upgrade itself; use subprotocols and compress");
    if (wire::same_text(name, wire::kParametersField)) return bad("is made from the option parameters");
  }
  return {};
}

}  // namespace mw::net
