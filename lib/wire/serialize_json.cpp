#include "wire/serialize_json.hpp"

#include "base/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

namespace mw::wire {

namespace {

constexpr int kTrue = -1, kFalse = -2, kNull = -3, kEmpty = -4, kUndefined = -5;
constexpr int kMaxDepth = 32;
constexpr size_t kMaxJson = 4 << 20;  // bytes that decoding makes

std::string base36(int64_t v) {
  char text[72];
  auto end = std::to_chars(text, text + sizeof text, v, 36).ptr;
  for (char* c = text; c != end; ++c)
    if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
  return {text, end};
}

// ---- writing

class Writer {
 public:
  std::string write(base::JsonValue v) {
    add(v);
    std::string out;
    for (const std::string* part : {&strings_, &integers_, &floats_}) out += *part + '^';
    out += '^';  // no dates
    bool first = true;
    for (const Token& t : tokens_) {
      if (t.mark == ']') {
        out += ']';
        first = false;
        continue;
      }
      if (!first) out += '|';
      first = t.mark != 0;
      if (t.mark != 0)
        out += t.mark;
      else
        out += base36(t.place + (t.table > 0 ? count_[0] : 0) + (t.table > 1 ? count_[1] : 0));
    }
    return out;
  }

 private:
  struct Token {
    char mark;      // 0: a place
    int table;      // -1: one of the constants
    int64_t place;
  };
  void constant(int v) { tokens_.push_back({0, -1, v}); }
  void place(int table, std::string& all, const std::string& text) {
    if (count_[table] != 0) all += '|';
    all += text;
    tokens_.push_back({0, table, count_[table]++});
  }
  void text(std::string_view s) {
    if (s.empty()) return constant(kEmpty);
    std::string out;
    for (char c : s) {
      switch (c) {
        case ' ': out += '+'; break;
        case '+': out += "%2B"; break;
        case '|': out += "%7C"; break;
        case '^': out += "%5E"; break;
        case '%': out += "%25"; break;
        default: out += c;
      }
    }
    place(0, strings_, out);
  }
  void number(double d) {
    if (d == std::trunc(d) && std::fabs(d) < 9e15) return place(1, integers_, base36(static_cast<int64_t>(d)));
    char s[40];
    place(2, floats_, {s, std::to_chars(s, s + sizeof s, d).ptr});
  }
  void add(base::JsonValue v) {
    if (v.is_text()) return text(v.text());
    if (v.is_number()) return number(v.number());
    if (v.is_bool()) return constant(v.boolean() ? kTrue : kFalse);
    if (!v.is_array() && !v.is_object()) return constant(kNull);
    tokens_.push_back({v.is_array() ? '@' : '$', 0, 0});
    v.each([&](std::string_view key, base::JsonValue item) {
      if (v.is_object()) text(key);
      add(item);
      return true;
    });
    tokens_.push_back({']', 0, 0});
  }

  std::string strings_, integers_, floats_;
  std::array<int64_t, 3> count_{};
  std::vector<Token> tokens_;
};

// ---- reading

std::vector<std::string_view> split(std::string_view s, char by) {
  std::vector<std::string_view> out;
  if (s.empty()) return out;
  for (size_t at = 0;;) {
    size_t end = s.find(by, at);
    out.push_back(s.substr(at, end - at));
    if (end == std::string_view::npos) return out;
    at = end + 1;
  }
}

class Reader {
 public:
  base::Result<std::string> read(std::string_view all) {
    auto parts = split(all, '^');
    if (parts.size() != 5) return wrong("it has not five parts");
    for (std::string_view s : split(parts[0], '|')) {
      std::string json;
      base::json_quote(json, unescaped(s));
      values_.push_back(std::move(json));
    }
    for (std::string_view s : split(parts[1], '|')) values_.push_back(integer(s));
    for (std::string_view s : split(parts[2], '|')) values_.push_back(real(s));
    for (std::string_view s : split(parts[3], '|')) values_.push_back(integer(s));
    rest_ = parts[4];
    if (!value(0) || !rest_.empty()) return wrong(why_ == nullptr ? "something follows the value" : why_);
    return std::move(out_);
  }

 private:
  static base::Error wrong(const char* why) { return {MW_EINVAL, 0, std::string("not serialize-json: ") + why}; }
  bool no(const char* why) {
    why_ = why;
    return false;
  }
  static std::string unescaped(std::string_view s) {
    std::string out;
    for (size_t i = 0; i < s.size(); ++i) {
      if (s[i] == '+') {
        out += ' ';
        continue;
      }
      if (s[i] == '%' && i + 2 < s.size()) {
        const std::string_view code = s.substr(i + 1, 2);
        const char c = code == "2B" ? '+' : code == "7C" ? '|' : code == "5E" ? '^' : code == "25" ? '%' : '\0';
        if (c != '\0') {
          out += c;
          i += 2;
          continue;
        }
      }
      out += s[i];
    }
    return out;
  }
  static std::string printed(double d) {
    if (!std::isfinite(d)) return "null";
    char s[40];
    if (d == std::trunc(d) && std::fabs(d) < 9e15) return std::to_string(static_cast<int64_t>(d));
    return {s, std::to_chars(s, s + sizeof s, d).ptr};
  }
  static std::string integer(std::string_view s) {
    const bool minus = s.starts_with('-');
    double d = 0;
    for (char c : s.substr(minus ? 1 : 0)) {
      int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
      if (digit < 0) return "null";
      d = d * 36 + digit;
    }
    return s.size() > (minus ? 1u : 0u) ? printed(minus ? -d : d) : "null";
  }
  static std::string real(std::string_view s) {
    double d = 0;
    auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), d);
    return ec == std::errc() && end == s.data() + s.size() ? printed(d) : "null";
  }

  bool put(std::string_view json) {
    if (out_.size() + json.size() > kMaxJson) return no("it becomes too large");
    out_ += json;
    return true;
  }
  char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  // A place, or the value that stands here.
  bool place(int64_t* at) {
    auto [end, ec] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), *at, 36);
    if (ec != std::errc()) return no("a place is missing");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    if (*at < kUndefined || *at >= static_cast<int64_t>(values_.size())) return no("a place is outside");
    return true;
  }
  bool value(int depth) {
    const char mark = peek();
    if (mark == '@' || mark == '*') return items(depth, false);
    if (mark == '$' || mark == '#') return items(depth, true);
    int64_t at = 0;
    if (!place(&at)) return false;
    switch (at) {
      case kTrue: return put("true");
      case kFalse: return put("false");
      case kEmpty: return put("\"\"");
      case kNull:
      case kUndefined: return put("null");
      default: return put(values_[static_cast<size_t>(at)]);
    }
  }
  bool items(int depth, bool named) {
    if (depth == kMaxDepth) return no("it is nested too deep");
    rest_.remove_prefix(1);
    if (!put(named ? "{" : "[")) return false;
    for (bool first = true; peek() != ']'; first = false) {
      if (!first) {
        if (peek() != '|' || !put(",")) return why_ != nullptr ? false : no("a separator is missing");
        rest_.remove_prefix(1);
      }
      if (named) {
        int64_t key = 0;
        if (!place(&key)) return false;
        const std::string_view name = key == kEmpty ? std::string_view("\"\"") : key >= 0 ? std::string_view(values_[static_cast<size_t>(key)]) : std::string_view();
        if (!name.starts_with('"')) return no("a key is no text");
        if (!put(name) || !put(":")) return false;
        if (peek() != '|') return no("a value is missing");
        rest_.remove_prefix(1);
      }
      if (!value(depth + 1)) return false;
    }
    rest_.remove_prefix(1);
    return put(named ? "}" : "]");
  }

  std::vector<std::string> values_;  // as JSON
  std::string_view rest_;
  std::string out_;
  const char* why_ = nullptr;
};

}  // namespace

std::string serialize_json(base::JsonValue v) { return Writer().write(v); }

base::Result<std::string> deserialize_json(std::string_view bytes) { return Reader().read(bytes); }

}  // namespace mw::wire
