// The head of an HTTP response, read from a stream with limits.
// For net's dialer (it shows Boost). Control thread.
#pragma once
#include "net/stream.hpp"
#include "net/task.hpp"
#include "wire/upgrade.hpp"

#include <string>

namespace mw::net {

inline constexpr size_t kMaxHead = 16 * 1024;

struct Head {
  int status = 0;
  int version = 0;  // 11 for HTTP/1.1
  wire::Fields fields;
  wire::FieldViews views() const { return {fields.begin(), fields.end()}; }
  std::string_view field(std::string_view name) const noexcept;  // the first one, or ""
};

// Reads one final head (1xx but 101 are skipped); what came after it is in
// rest. who: "the provider", for texts.
Task<base::Result<Head>> read_head(Stream& stream, base::Buffer& rest, std::string who);

// A request without a body, as it is sent.
std::string request(std::string_view method, std::string_view target, const wire::Fields& fields);

}  // namespace mw::net
