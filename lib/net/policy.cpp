#include "net/policy.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "net/tls_psk.hpp"

namespace mw::net {

namespace {

using base::Error;
using base::Opt;

base::Result<void> refuse_contradictions(const base::Conf& conf) {
  if (base::speaks(conf, base::Wire::raw) && base::speaks(conf, base::Wire::network_cluster)) {
    return Error{MW_EOPTION, 0,
                 "wire lists both raw and network-cluster: a client without subprotocol could be either; list one"};
  }
  bool key = !conf.text(Opt::tls_key).empty() || !conf.text(Opt::tls_key_file).empty();
  bool cert = !conf.text(Opt::tls_cert).empty() || !conf.text(Opt::tls_cert_file).empty();
  if (key != cert) {
    return Error{MW_EOPTION, 0,
                 key ? "a TLS key is set but no certificate: set tls.cert_file or tls.cert"
                     : "a TLS certificate is set but no key: set tls.key_file or tls.key"};
  }
  return {};
}

}  // namespace

base::Result<std::shared_ptr<const Policy>> Policy::make(std::shared_ptr<const base::Conf> conf) {
  if (auto r = refuse_contradictions(*conf); !r) return r.error();
  auto p = std::make_shared<Policy>();
  if (!conf->text(Opt::tls_key).empty() || !conf->text(Opt::tls_key_file).empty() || TlsPsk::wanted(*conf)) {
    auto tls = TlsContext::server(*conf);
    if (!tls) return tls.error();
    p->tls = std::move(*tls);
  }
  auto trusted = Networks::parse(conf->list(Opt::http_trusted_proxies));
  if (!trusted) return Error{trusted.error().code, 0, "http.trusted_proxies: " + trusted.error().text};
  p->trusted = std::move(*trusted);
  if (const std::string& text = conf->text(Opt::auth_parameters); !text.empty()) {
    auto json = base::Json::parse(text);
    if (!json) return json.error();
    if (!json->root().is_object()) return Error{MW_EOPTION, 0, "auth.parameters must be a JSON object"};
    json->root().each([&](std::string_view key, base::JsonValue v) {
      p->expected.emplace_back(key, v.as_text());
      return true;
    });
  }
  p->upgrade.path = conf->text(Opt::path);
  p->upgrade.origins = conf->list(Opt::http_origins);
  p->upgrade.wires = {base::speaks(*conf, base::Wire::raw), base::speaks(*conf, base::Wire::network_cluster),
                      base::speaks(*conf, base::Wire::meshwork)};
  p->upgrade.subprotocols = conf->list(Opt::subprotocols);
  p->upgrade.compress = static_cast<wire::Compress>(conf->num(Opt::compress));
  p->conf = std::move(conf);
  return std::shared_ptr<const Policy>(std::move(p));
}

Policy::~Policy() {
  for (auto& [key, value] : expected) base::wipe(value);
}

bool parameters_match(const wire::Parameters& expected, const wire::Parameters& given) noexcept {
  bool all = true;
  for (auto& [key, value] : expected) {
    const std::string* found = nullptr;
    for (auto& [k, v] : given) {
      if (k == key) found = &v;
    }
    static const std::string kNone;
    bool same = base::secret_equal(value, found != nullptr ? *found : kNone);
    all &= static_cast<int>(same) & static_cast<int>(found != nullptr);
  }
  return all;
}

}  // namespace mw::net
