#include "net/target.hpp"

#include "net/tls_psk.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <sys/un.h>

namespace mw::net {

namespace {

base::Error bad(std::string_view url, const std::string& why) {
  // What may stand before an @ is a secret.
  size_t at = url.rfind('@');
  std::string shown = at == url.npos ? std::string(url) : "..." + std::string(url.substr(at));
  return {MW_EOPTION, 0, "\"" + shown + "\" cannot be connected to: " + why};
}

bool starts(std::string_view s, std::string_view with) {
  return s.size() >= with.size() && std::equal(with.begin(), with.end(), s.begin(), [](char w, char c) {
           return w == (c >= 'A' && c <= 'Z' ? c + 32 : c);
         });
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    if (text.size() - i < 3) return {};
    auto [end, ec] = std::from_chars(&text[i] + 1, &text[i] + 3, byte, 16);
    if (ec != std::errc() || end != &text[i] + 3 || byte < 0x20 || byte == 0x7f) return {};
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

// RFC 3986: what a path and query may be made of, percent signs unchecked.
bool is_resource(std::string_view s) {
  return !s.empty() && s[0] == '/' &&
         std::all_of(s.begin(), s.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_host(std::string_view s, bool literal) {
  return !s.empty() && s.size() <= 253 && std::all_of(s.begin(), s.end(), [&](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_' || (literal && (c == ':' || c == '%'));
  });
}

struct Authority {
  std::string host, user;
  uint16_t port;
};

// [user:password@]host[:port] (RFC 3986 section 3.2).
base::Result<Authority> authority_of(std::string_view url, std::string_view text, uint16_t port) {
  Authority a{{}, {}, port};
  if (size_t at = text.rfind('@'); at != text.npos) {
    auto user = decode(text.substr(0, at));
    if (!user) return bad(url, "the part before @ holds a broken % escape");
    a.user = *user;
    if (a.user.find(':') == a.user.npos) a.user += ':';
    text.remove_prefix(at + 1);
  }
  std::string_view host = text, digits;
  bool literal = !text.empty() && text[0] == '[';
  if (literal) {
    size_t end = text.find(']');
    if (end == text.npos) return bad(url, "the bracket of the IPv6 address is not closed");
    host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text[0] != ':') return bad(url, "after the bracket a port may follow, nothing else");
    if (!text.empty()) digits = text.substr(1);
  } else if (size_t colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    digits = text.substr(colon + 1);
  }
  if (!is_host(host, literal)) {
    return bad(url, host.empty() ? "the host is missing" : "the host holds a character no host name has");
  }
  a.host = host;
  if (literal && a.host.find("%25") != a.host.npos) a.host.erase(a.host.find("%25") + 1, 2);  // RFC 6874
  if (!digits.empty()) {
    auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), a.port);
    if (ec != std::errc() || end != digits.data() + digits.size() || a.port == 0) {
      return bad(url, "the port is a number from 1 to 65535");
    }
  }
  return a;
}

base::Result<Target> unix_target(std::string_view url, std::string_view rest, bool tls, const base::Conf& conf) {
  Target t;
  t.tls = tls;
  t.host = "localhost";
  size_t colon = rest.find(':');
  t.file = rest.substr(0, colon);
  t.resource = colon == rest.npos ? conf.text(base::Opt::path) : std::string(rest.substr(colon + 1));
  if (t.file.empty() || t.file[0] != '/') return bad(url, "the path of the socket begins with /");
  if (t.file.size() >= sizeof(sockaddr_un::sun_path)) return bad(url, "a socket's path has at most 107 bytes");
  return t;
}

// The option tls, or what only TLS can keep.
bool encrypts(const base::Conf& conf) { return conf.num(base::Opt::tls) != 0 || TlsPsk::wanted(conf); }

base::Result<Target> url_target(const std::string& url, const base::Conf& conf) {
  std::string_view rest(url);
  auto take = [&](std::string_view scheme) {
    if (!starts(rest, scheme)) return false;
    rest.remove_prefix(scheme.size());
    return true;
  };
  if (take("unix:") || take("ws+unix:")) return unix_target(url, rest, encrypts(conf), conf);
  if (take("wss+unix:")) return unix_target(url, rest, true, conf);

  Target t;
  t.tls = take("wss://");
  if (!t.tls && !take("ws://")) return bad(url, "it begins with ws://, wss://, unix: or ws+unix:");
  if (!t.tls && TlsPsk::wanted(conf)) return bad(url, "link.secret goes over TLS: write wss://");
  size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  auto a = authority_of(url, rest.substr(0, end), t.tls ? 443 : 80);
  if (!a) return a.error();
  t.host = a->host;
  t.port = a->port;
  t.user = a->user;
  rest.remove_prefix(end);
  if (rest.empty()) {
    t.resource = conf.text(base::Opt::path);
  } else {
    t.resource = (rest[0] == '?' ? "/" : "") + std::string(rest);
  }
  return t;
}

}  // namespace

base::Result<Target> target_of(const base::Conf& conf) {
  const std::string& url = conf.text(base::Opt::url);
  auto t = [&]() -> base::Result<Target> {
    if (!url.empty()) return url_target(url, conf);
    Target plain;
    plain.tls = encrypts(conf);
    plain.host = conf.text(base::Opt::host);
    plain.port = static_cast<uint16_t>(conf.num(base::Opt::port));
    plain.resource = conf.text(base::Opt::path);
    bool literal = plain.host.find(':') != plain.host.npos;
    if (!is_host(plain.host, literal)) return bad(plain.host, "the host holds a character no host name has");
    return plain;
  }();
  if (t && !is_resource(t->resource)) {
    return bad(url.empty() ? t->resource : url,
               "the path begins with / and holds no spaces, # or characters beyond ASCII (write them as %20)");
  }
  return t;
}

base::Result<Proxy> proxy_of(std::string_view url) {
  std::string_view rest = url;
  if (!starts(rest, "http://")) return bad(url, "a proxy is written http://[user:password@]host:port");
  rest.remove_prefix(7);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != rest.npos) return bad(url, "a proxy has no path");
  auto a = authority_of(url, rest, 80);
  if (!a) return a.error();
  return Proxy{a->host, a->port, a->user};
}

std::string host_port(const std::string& host, uint16_t port) {
  bool literal = host.find(':') != host.npos;
  return (literal ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Target::authority() const {
  std::string all = host_port(host.substr(0, host.find('%')), port);
  bool own = !file.empty() || port == (tls ? 443 : 80);
  return own ? all.substr(0, all.rfind(':')) : all;
}

std::string Target::shown() const {
  std::string path = resource.substr(0, resource.find('?'));
  std::string s = tls ? "wss" : "ws";
  return file.empty() ? s + "://" + authority() + path : s + "+unix:" + file + ":" + path;
}

std::string basic_credentials(std::string_view user) {
  std::string out((user.size() + 2) / 3 * 4 + 1, '\0');
  int n = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                            reinterpret_cast<const unsigned char*>(user.data()), static_cast<int>(user.size()));
  out.resize(static_cast<size_t>(n));
  return "Basic " + out;
}

}  // namespace mw::net
