#include "net/pages.hpp"

#include "base/choices.hpp"
#include "base/secret.hpp"
#include "net/listener.hpp"

#include <chrono>

#include <openssl/evp.h>
#include <strings.h>

namespace mw::net {

namespace {

using base::Opt;

std::string base64(const std::string& s) {
  std::string out(4 * ((s.size() + 2) / 3) + 1, 0);
  int n = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(s.data()),
                            static_cast<int>(s.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

// The secret as "Basic base64(user:password)" (RFC 7617), or as a bearer token (RFC 6750).
bool authorized(const std::string& secret, std::string_view header) {
  auto after = [header](std::string_view scheme) {
    bool is = header.size() > scheme.size() && ::strncasecmp(header.data(), scheme.data(), scheme.size()) == 0;
    return is ? header.substr(scheme.size()) : std::string_view();
  };
  bool basic = base::secret_equal(after("Basic "), base64(secret));
  bool bearer = base::secret_equal(after("Bearer "), secret);
  return basic || bearer;
}

Reply verdict(bool good, const char* yes, const char* no) {
  Reply r;
  r.status = good ? 200 : 503;
  r.body = good ? yes : no;
  return r;
}

}  // namespace

std::optional<Reply> page(const base::Conf& conf, std::string_view path, std::string_view authorization,
                          bool draining, ListenerSink& sink) {
  if (!conf.text(Opt::http_alive_path).empty() && path == conf.text(Opt::http_alive_path)) {
    if (!base::speaks(conf, base::Wire::network_cluster)) return verdict(true, "alive\n", "");
    using namespace std::chrono;
    auto ms = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    Reply r;
    r.body = "Hello World @ " + std::to_string(ms);
    return r;
  }
  if (conf.num(Opt::http_health)) {
    if (path == "/livez") return verdict(sink.alive(), "alive\n", "stuck\n");
    if (path == "/readyz") return verdict(!draining, "ready\n", "draining\n");
  }
  if (conf.text(Opt::http_metrics).empty() || path != conf.text(Opt::http_metrics)) return {};
  Reply r;
  if (const std::string& secret = conf.text(Opt::http_auth); !secret.empty() && !authorized(secret, authorization)) {
    r.status = 401;
    r.body = "Unauthorized\n";
    r.headers = "WWW-Authenticate: Basic realm=\"metrics\"\r\n";
    return r;
  }
  r.body = sink.metrics();
  r.type = "text/plain; version=0.0.4; charset=utf-8";
  return r;
}

}  // namespace mw::net
