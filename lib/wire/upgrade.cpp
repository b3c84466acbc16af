#include "wire/upgrade.hpp"

#include "wire/field.hpp"
#include "wire/offer.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <new>
#include <optional>

namespace mw::wire {
namespace {

constexpr std::string_view kUpgrade = "Upgrade";
constexpr std::string_view kConnection = "Connection";
constexpr std::string_view kKey = "Sec-WebSocket-Key";
constexpr std::string_view kAccept = "Sec-WebSocket-Accept";
constexpr std::string_view kVersion = "Sec-WebSocket-Version";
constexpr std::string_view kProtocol = "Sec-WebSocket-Protocol";
constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions";

size_t count(const FieldViews& fields, std::string_view name) noexcept {
  return static_cast<size_t>(std::count_if(fields.begin(), fields.end(),
                                           [&](const auto& f) { return same_text(f.first, name); }));
}
std::string_view value(const FieldViews& fields, std::string_view name) noexcept {
  for (const auto& [k, v] : fields)
    if (same_text(k, name)) return trim(v);
  return {};
}
// All fields of a name as one list (RFC 9110 5.3).
std::string joined(const FieldViews& fields, std::string_view name) {
  std::string out;
  for (const auto& [k, v] : fields) {
    if (!same_text(k, name)) continue;
    if (!out.empty()) out += ',';
    out += v;
  }
  return out;
}

std::string base64(const uint8_t* p, size_t n) {
  std::string out((n + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a NUL
  out.resize(static_cast<size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), p, static_cast<int>(n))));
  return out;
}

// 4.2.1: base64 of 16 bytes, so 22 digits and two signs of padding.
bool key_valid(std::string_view key) noexcept {
  auto digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return key.size() == 24 && key.substr(22) == "==" && std::all_of(key.begin(), key.begin() + 22, digit);
}

bool contains(const std::vector<std::string>& list, std::string_view s) noexcept {
  return std::find(list.begin(), list.end(), s) != list.end();
}

// "host" or "host:port" without the port that is the scheme's own.
std::string_view without_default_port(std::string_view host, std::string_view port) noexcept {
  if (host.size() > port.size() && host.substr(host.size() - port.size()) == port)
    host.remove_suffix(port.size());
  return host;
}

Verdict refuse(int status, const char* reason, Fields fields = {}) {
  Verdict v;
  v.status = status;
  v.reason = reason;
  v.fields = std::move(fields);
  return v;
}

// Dialect and subprotocol by the client's order of preference; false: none in common.
bool choose(const std::vector<std::string_view>& offered, const UpgradePolicy& policy, Verdict& v) {
  const bool fallback = policy.wires.raw || policy.wires.network_cluster;
  v.dialect = policy.wires.network_cluster ? Dialect::network_cluster : Dialect::raw;
  for (auto name : offered) {
    if (name == kMeshworkProtocol && policy.wires.meshwork) {
      v.dialect = Dialect::meshwork;
    } else if (!fallback || !contains(policy.subprotocols, name)) {
      continue;
    }
    v.subprotocol = name;
    return true;
  }
  // RFC 6455 4.2.2: no subprotocol is an answer too, and the client decides.
  return fallback;
}

}  // namespace

Target split_target(std::string_view target) noexcept {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !same_text(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    break;
  }
  size_t q = std::min(target.find('?'), target.size());
  Target t{target.substr(0, q), target.substr(std::min(q + 1, target.size()))};
  if (t.path.empty()) t.path = "/";
  return t;
}

bool origin_allowed(std::string_view origin, std::string_view host,
                    const std::vector<std::string>& origins) {
  if (origin.empty()) return true;
  for (const auto& rule : origins) {
    if (rule == "*" || same_text(rule, origin)) return true;
    if (rule != "same") continue;
    size_t at = origin.find("://");
    if (at == std::string_view::npos) continue;  // "null", sandboxed pages
    auto port = same_text(origin.substr(0, at), "https") ? ":443" : ":80";
    if (same_text(without_default_port(origin.substr(at + 3), port), without_default_port(host, port)))
      return true;
  }
  return false;
}

std::string upgrade_key(const uint8_t random[16]) { return base64(random, 16); }

std::string upgrade_accept(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // SHA-1 of a few bytes fails only for want of memory.
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1)
    throw std::bad_alloc();
  return base64(digest, size);
}

Verdict judge_upgrade(const UpgradeRequest& request, const UpgradePolicy& policy) {
  const auto& f = request.fields;
  if (request.method != "GET") return refuse(405, "method not GET", {{"Allow", "GET"}});
  if (request.version < 11) return refuse(400, "HTTP version below 1.1");
  if (!policy.path.empty() && split_target(request.target).path != policy.path)
    return refuse(404, "unknown path");
  if (count(f, "Host") != 1) return refuse(400, "no single Host");
  // Bytes that a proxy takes for a body would be frames to us.
  auto length = value(f, "Content-Length");
  if (count(f, "Transfer-Encoding") != 0 || (!length.empty() && length != "0"))
    return refuse(400, "upgrade with a body");
  if (!has_token(joined(f, kUpgrade), "websocket"))
    return refuse(426, "not a WebSocket upgrade",
                  {{std::string(kUpgrade), "websocket"}, {std::string(kConnection), "Upgrade"}});
  if (!has_token(joined(f, kConnection), "upgrade")) return refuse(400, "Connection lacks upgrade");
  if (count(f, kVersion) != 1 || value(f, kVersion) != "13")
    return refuse(426, "unsupported WebSocket version",
                  {{std::string(kVersion), "13"},
                   {std::string(kUpgrade), "websocket"},
                   {std::string(kConnection), "Upgrade"}});
  if (count(f, kKey) != 1 || !key_valid(value(f, kKey))) return refuse(400, "bad WebSocket key");
  if (count(f, "Origin") > 1) return refuse(400, "several origins");
  if (!origin_allowed(value(f, "Origin"), value(f, "Host"), policy.origins))
    return refuse(403, "foreign origin");

  // Views into these live until the end of the function.
  const std::string protocols = joined(f, kProtocol), extensions = joined(f, kExtensions);
  auto offered = token_list(protocols);
  if (!offered) return refuse(400, "malformed Sec-WebSocket-Protocol");
  auto offers = extension_list(extensions);
  if (!offers) return refuse(400, "malformed Sec-WebSocket-Extensions");

  Verdict v;
  if (!choose(*offered, policy, v))
    return refuse(426, "no common wire",
                  {{std::string(kProtocol), std::string(kMeshworkProtocol)},
                   {std::string(kUpgrade), "websocket"},
                   {std::string(kConnection), "Upgrade"}});
  v.status = 101;
  v.fields = {{std::string(kUpgrade), "websocket"},
              {std::string(kConnection), "Upgrade"},
              {std::string(kAccept), upgrade_accept(value(f, kKey))}};
  if (!v.subprotocol.empty()) v.fields.emplace_back(kProtocol, v.subprotocol);
  std::string answer;
  if (auto d = accept_deflate(*offers, policy.compress, answer)) {
    v.deflate = *d;
    v.fields.emplace_back(kExtensions, std::move(answer));
  }
  return v;
}

Fields upgrade_fields(const UpgradePlan& plan, std::string_view key) {
  Fields out = {{std::string(kUpgrade), "websocket"},
                {std::string(kConnection), "Upgrade"},
                {std::string(kKey), std::string(key)},
                {std::string(kVersion), "13"}};
  std::string protocols;
  if (plan.wires.meshwork) protocols = kMeshworkProtocol;
  for (const auto& s : plan.subprotocols) {
    if (!protocols.empty()) protocols += ", ";
    protocols += s;
  }
  if (!protocols.empty()) out.emplace_back(kProtocol, std::move(protocols));
  if (auto offer = offer_deflate(plan.compress); !offer.empty())
    out.emplace_back(kExtensions, std::move(offer));
  return out;
}

base::Result<Agreed> judge_answer(const UpgradePlan& plan, std::string_view key, int status,
                                  const FieldViews& fields) {
  auto fail = [](mw_status code, std::string text) { return base::Error{code, 0, std::move(text)}; };
  if (status != 101) {
    auto text = "the provider answered HTTP " + std::to_string(status);
    if (status == 401 || status == 403) return fail(MW_EAUTH, text + ": check credentials and parameters");
    if (status == 426) return fail(MW_EVERSION, text + ": it does not speak this wire");
    if (status == 429 || status == 503) return fail(MW_EREFUSED, text + ": try again later");
    if (status >= 300 && status < 400) return fail(MW_EPROTO, text + ": redirections are not followed");
    return fail(MW_EPROTO, text + " instead of 101");
  }
  if (count(fields, kUpgrade) != 1 || !same_text(value(fields, kUpgrade), "websocket"))
    return fail(MW_EPROTO, "the answer's Upgrade is not websocket");
  if (!has_token(joined(fields, kConnection), "upgrade"))
    return fail(MW_EPROTO, "the answer's Connection lacks upgrade");
  if (count(fields, kAccept) != 1 || value(fields, kAccept) != upgrade_accept(key))
    return fail(MW_EPROTO, "the answer's Sec-WebSocket-Accept is wrong");

  Agreed a;
  if (count(fields, kProtocol) > 1) return fail(MW_EPROTO, "the answer names several subprotocols");
  a.subprotocol = value(fields, kProtocol);
  a.dialect = plan.wires.network_cluster ? Dialect::network_cluster : Dialect::raw;
  const bool fallback = plan.wires.raw || plan.wires.network_cluster;
  if (a.subprotocol.empty()) {
    // A consumer never falls back silently to what its wire list lacks.
    if (!fallback)
      return fail(MW_EVERSION, "the provider does not speak " + std::string(kMeshworkProtocol));
    if (!plan.subprotocols.empty())
      return fail(MW_EVERSION, "the provider chose none of the subprotocols offered");
  } else if (plan.wires.meshwork && a.subprotocol == kMeshworkProtocol) {
    a.dialect = Dialect::meshwork;
  } else if (!contains(plan.subprotocols, a.subprotocol)) {
    return fail(MW_EPROTO, "the answer names a subprotocol that was not offered");
  } else if (!fallback) {
    return fail(MW_EVERSION, "the provider does not speak " + std::string(kMeshworkProtocol));
  }
  auto deflate = confirm_deflate(plan.compress, joined(fields, kExtensions));
  if (!deflate) return deflate.error();
  a.deflate = *deflate;
  return a;
}

}  // namespace mw::wire
