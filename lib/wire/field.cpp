#include "wire/field.hpp"

#include <algorithm>

namespace mw::wire {
namespace {

constexpr bool token_char(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool blank(char c) noexcept { return c == ' ' || c == '\t'; }

// Eats a field value from the front.
struct Cursor {
  std::string_view s;
  void blanks() noexcept {
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  }
  bool eat(char c) noexcept {
    blanks();
    if (s.empty() || s.front() != c) return false;
    s.remove_prefix(1);
    return true;
  }
  std::string_view token() noexcept {
    blanks();
    size_t n = 0;
    while (n < s.size() && token_char(s[n])) n++;
    auto t = s.substr(0, n);
    s.remove_prefix(n);
    return t;
  }
  // After the opening quote. RFC 6455 9.1: the unquoted value is a token.
  bool quoted(std::string& out) {
    while (!s.empty()) {
      char c = s.front();
      s.remove_prefix(1);
      if (c == '"') return is_token(out);
      if (c == '\\') {
        if (s.empty()) return false;
        c = s.front();
        s.remove_prefix(1);
      }
      out.push_back(c);
    }
    return false;
  }
};

}  // namespace

bool is_token(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), token_char);
}

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view s) noexcept {
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

std::optional<std::vector<std::string_view>> token_list(std::string_view value) {
  std::vector<std::string_view> out;
  Cursor c{value};
  for (;;) {
    auto t = c.token();
    if (!t.empty()) out.push_back(t);
    if (c.eat(',')) continue;
    if (!c.s.empty()) return std::nullopt;
    return out;
  }
}

bool has_token(std::string_view value, std::string_view token) noexcept {
  while (!value.empty()) {
    size_t comma = std::min(value.find(','), value.size());
    if (same_text(trim(value.substr(0, comma)), token)) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

std::optional<std::vector<Extension>> extension_list(std::string_view value) {
  std::vector<Extension> out;
  Cursor c{value};
  for (;;) {
    Extension e;
    e.name = c.token();
    if (!e.name.empty()) {
      while (c.eat(';')) {
        auto key = c.token();
        if (key.empty()) return std::nullopt;
        std::optional<std::string> v;
        if (c.eat('=')) {
          v.emplace();
          if (c.eat('"')) {
            if (!c.quoted(*v)) return std::nullopt;
          } else {
            v->assign(c.token());
            if (v->empty()) return std::nullopt;
          }
        }
        e.parameters.emplace_back(key, std::move(v));
      }
      out.push_back(std::move(e));
    }
    if (c.eat(',')) continue;
    if (!c.s.empty()) return std::nullopt;
    return out;
  }
}

}  // namespace mw::wire
