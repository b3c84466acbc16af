#include "base/option_check.hpp"

#include "base/secret.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <charconv>

namespace mw::base {
namespace {

bool control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// RFC 9110 section 5.6.2
bool token(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// What is sent as it is in a request line: RFC 3986 leaves no other characters.
bool plain_path(std::string_view s) noexcept {
  return s.starts_with('/') && std::all_of(s.begin(), s.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '?' && c != '#';
  });
}

bool http_status(std::string_view s) noexcept {
  int v = 0;
  const auto r = std::from_chars(s.data(), s.data() + s.size(), v);
  return r.ec == std::errc() && r.ptr == s.data() + s.size() && v >= 300 && v <= 599;
}

bool has_lines(Opt id) noexcept {
  return id == Opt::tls_key || id == Opt::tls_cert || id == Opt::tls_ca || id == Opt::auth_reject_body;
}

}  // namespace

std::string check_text(Opt id, std::string_view text) {
  if (!utf8_valid(text)) return "valid UTF-8";
  const bool lines = has_lines(id);
  for (const char c : text)
    if (control(c) && !(lines && (c == '\n' || c == '\r' || c == '\t'))) return "without control characters";
  switch (id) {
    case Opt::path:
    case Opt::http_alive_path:
    case Opt::http_metrics:
      return text.empty() || plain_path(text) ? "" : "a path that begins with /, without spaces, ? and #";
    case Opt::dir:
      return text.empty() || text.starts_with('/') ? "" : "a path that begins with /";
    case Opt::link_secret:
    case Opt::member_secret:
      return text.empty() || text.size() >= 16 ? "" : "at least 16 bytes: what is shorter can be guessed";
    case Opt::url:
      for (auto scheme : {"ws://", "wss://", "unix:/", "ws+unix:/", "wss+unix:/"})
        if (text.starts_with(scheme)) return "";
      return text.empty() ? "" : "an address that begins with ws://, wss://, unix:/ or ws+unix:/";
    case Opt::proxy:
      return text.empty() || text.starts_with("http://") ? "" : "an address that begins with http://";
    default: return "";
  }
}

std::string check_list(Opt id, const std::vector<std::string>& items) {
  for (size_t i = 0; i < items.size(); ++i)
    if (std::find(items.begin() + static_cast<std::ptrdiff_t>(i) + 1, items.end(), items[i]) != items.end())
      return "without repetitions";
  const auto all = [&](auto&& good) { return std::all_of(items.begin(), items.end(), good); };
  switch (id) {
    case Opt::subprotocols:
      return all(token) ? "" : "tokens: letters, digits and !#$%&'*+-.^_`|~";
    case Opt::tls_alpn:
      return all([](const std::string& s) { return s.size() <= 255; }) ? "" : "names of at most 255 bytes";
    case Opt::reconnect_fatal:
      return all(http_status) ? "" : "HTTP statuses from 300 to 599";
    case Opt::listen:
      return all([](const std::string& s) { return s.starts_with("tcp://") || s.starts_with("unix:") || s.starts_with("fd:"); })
                 ? ""
                 : "of tcp://host:port, unix:/path, fd:number";
    case Opt::wire:
      return std::find(items.begin(), items.end(), "raw") == items.end() ||
                     std::find(items.begin(), items.end(), "network-cluster") == items.end()
                 ? ""
                 : "only one of raw and network-cluster: neither offers a subprotocol, so they cannot be told apart";
    default: return "";
  }
}

std::string check_json(Opt id, JsonValue v) {
  constexpr size_t kMaxSecrets = 64;
  constexpr const char* kObject = "a JSON object of strings, numbers and booleans";
  if (!v.is_object()) return kObject;
  std::string must;
  if (id == Opt::access) {  // what a role may hold is the mesh's to say
    v.each([&](std::string_view, JsonValue role) {
      if (!role.is_object()) must = "a JSON object of roles, each an object, such as {\"A\":{\"_connect\":[\"B\"]},\"B\":{}}";
      return must.empty();
    });
    return must;
  }
  if (id == Opt::channels) {  // what each may hold is the hub's to say
    v.each([&](std::string_view, JsonValue m) {
      if (!m.is_object()) must = "a JSON object of channels, each an object, such as {\"A\":{\"propagate\":\".*\"}}";
      m.each([&](std::string_view, JsonValue x) {
        if (!x.is_scalar()) must = "a JSON object of channels, each an object of strings and booleans";
        return must.empty();
      });
      return must.empty();
    });
    return must;
  }
  if (id == Opt::link_secrets) {
    size_t n = 0;
    v.each([&](std::string_view key, JsonValue m) {
      if (++n > kMaxSecrets || key.empty() || key.size() > 120 || !m.is_text() || m.text().size() < 16)
        must = "a JSON object of at most 64 names, of at most 120 bytes, with a secret of at least 16 bytes each";
      return must.empty();
    });
    return must;
  }
  v.each([&](std::string_view key, JsonValue m) {
    if (!m.is_scalar()) {
      must = kObject;
    } else if (id == Opt::headers) {
      // A line break in a header would begin another one.
      std::string value = m.as_text();
      if (!token(key) || std::any_of(value.begin(), value.end(), [](char c) { return control(c) && c != '\t'; }))
        must = "a JSON object of header names (tokens) and values without control characters";
      wipe(value);
    }
    return must.empty();
  });
  return must;
}

}  // namespace mw::base
