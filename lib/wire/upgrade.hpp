// The WebSocket handshake decided (RFC 6455 section 4): parsed fields in,
// verdict and the answer's fields out; both sides.
// Used by net on the control thread. Pure; any thread.
#pragma once
#include "base/result.hpp"
#include "wire/dialect.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mw::wire {

// The own wire's name in Sec-WebSocket-Protocol.
inline constexpr std::string_view kMeshworkProtocol = "meshwork.1";

using Fields = std::vector<std::pair<std::string, std::string>>;
using FieldViews = std::vector<std::pair<std::string_view, std::string_view>>;

// The dialects an end lists in its wire option; raw and network_cluster
// exclude each other.
struct Wires {
  bool raw = false, network_cluster = false, meshwork = false;
};

// Path and query of a request target in origin or absolute form.
struct Target {
  std::string_view path, query;
};
Target split_target(std::string_view target) noexcept;

// ---- Server ---------------------------------------------------------------

struct UpgradeRequest {
  std::string_view method, target;
  int version = 11;  // HTTP, major * 10 + minor
  FieldViews fields;
};

struct UpgradePolicy {
  std::string path = "/connect";      // "" = any
  std::vector<std::string> origins;   // "same", "*", or whole origins such as https://example.com
  Wires wires;
  std::vector<std::string> subprotocols;
  Compress compress = Compress::off;
};

struct Verdict {
  int status = 0;           // 101, else the refusal's
  const char* reason = "";  // of a refusal, named in PROTOCOL.md
  Fields fields;            // of the answer: all that 101 needs but Server; Allow, Sec-WebSocket-Version ...
  Dialect dialect = Dialect::raw;
  Deflate deflate;
  std::string subprotocol;  // chosen, or ""
};
Verdict judge_upgrade(const UpgradeRequest& request, const UpgradePolicy& policy);

// Whether a browser's page of this origin may connect; origin "" (not a browser) may.
bool origin_allowed(std::string_view origin, std::string_view host,
                    const std::vector<std::string>& origins);

// ---- Client ---------------------------------------------------------------

struct UpgradePlan {
  Wires wires;
  std::vector<std::string> subprotocols;
  Compress compress = Compress::off;
};

// base64 of 16 random bytes.
std::string upgrade_key(const uint8_t random[16]);
// Sec-WebSocket-Accept for a key.
std::string upgrade_accept(std::string_view key);
// The fields of the request besides Host and the user's own.
Fields upgrade_fields(const UpgradePlan& plan, std::string_view key);

struct Agreed {
  Dialect dialect = Dialect::raw;
  Deflate deflate;
  std::string subprotocol;
};
// The provider's answer. Errors: MW_EAUTH (401, 403), MW_EVERSION (426, or no
// common wire or subprotocol), MW_EREFUSED (429, 503), MW_EPROTO (all else).
base::Result<Agreed> judge_answer(const UpgradePlan& plan, std::string_view key, int status,
                                  const FieldViews& fields);

}  // namespace mw::wire
