#include "net/own_fields.hpp"

#include "base/json.hpp"
#include "wire/field.hpp"
#include "wire/parameters.hpp"

#include <string_view>

namespace mw::net {

wire::Fields members(const std::string& json) {
  wire::Fields all;
  if (json.empty()) return all;
  auto parsed = base::Json::parse(json);
  if (!parsed) return all;
  parsed->root().each([&](std::string_view key, base::JsonValue v) {
    all.emplace_back(std::string(key), v.as_text());
    return true;
  });
  return all;
}

base::Result<void> check_headers(const wire::Fields& own) {
  static constexpr std::string_view kOurs[] = {"Connection", "Upgrade", "Content-Length", "Transfer-Encoding"};
  for (const auto& [name, value] : own) {
    auto bad = [&name = name](const char* why) { return base::Error{MW_EOPTION, 0, "headers: \"" + name + "\" " + why}; };
    bool ours = wire::same_text(std::string_view(name).substr(0, 14), "Sec-WebSocket-");
    for (auto n : kOurs) ours = ours || wire::same_text(name, n);
    if (ours) return bad("belongs to the upgrade itself; use subprotocols and compress");
    if (wire::same_text(name, wire::kParametersField)) return bad("is made from the option parameters");
  }
  return {};
}

}  // namespace mw::net
