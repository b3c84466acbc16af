#include "json.hpp"

#include <cstdint>
#include <cstdio>

namespace cli {

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          char code[8];
          std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
          out += code;
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

namespace {

void put_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// A cursor over JSON text that the library wrote, so it is well formed; on
// anything else it stops at the end.
struct Cursor {
  std::string_view text;
  size_t at = 0;

  char peek() const { return at < text.size() ? text[at] : '\0'; }
  void space() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) ++at;
  }
  uint32_t hex4() {
    uint32_t v = 0;
    for (int i = 0; i < 4 && at < text.size(); ++i, ++at) {
      const char c = text[at];
      v = v * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
  }
  std::string string() {
    std::string out;
    ++at;  // the quote
    while (at < text.size() && text[at] != '"') {
      char c = text[at++];
      if (c != '\\') {
        out += c;
        continue;
      }
      c = peek();
      ++at;
      switch (c) {
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case 'r': out += '\r'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'u': {
          uint32_t u = hex4();
          if (u >= 0xD800 && u < 0xDC00 && text.substr(at, 2) == "\\u") {
            at += 2;
            u = 0x10000 + ((u - 0xD800) << 10) + (hex4() - 0xDC00);
          }
          put_utf8(out, u);
          break;
        }
        default: out += c;
      }
    }
    ++at;
    return out;
  }
  // Any value, as written.
  std::string_view skip() {
    const size_t begin = at;
    int depth = 0;
    while (at < text.size()) {
      const char c = text[at];
      if (c == '"') {
        string();
        if (depth == 0) break;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
      if (c == '{' || c == '[') ++depth;
      ++at;
      if ((c == '}' || c == ']') && --depth == 0) break;
    }
    return text.substr(begin, at - begin);
  }
};

}  // namespace

std::optional<std::string> field(std::string_view object, std::string_view key) {
  Cursor c{object};
  c.space();
  if (c.peek() != '{') return std::nullopt;
  ++c.at;
  for (;;) {
    c.space();
    if (c.peek() != '"') return std::nullopt;
    const bool found = c.string() == key;
    c.space();
    ++c.at;  // the colon
    c.space();
    if (found && c.peek() == '"') return c.string();
    const std::string_view value = c.skip();
    if (found) return value == "null" ? std::nullopt : std::optional(std::string(value));
    c.space();
    if (c.peek() != ',') return std::nullopt;
    ++c.at;
  }
}

std::string first_text(std::string_view json) {
  Cursor c{json, json.find('"')};
  return c.at == std::string_view::npos ? std::string() : c.string();
}

std::vector<std::string> keys_of(std::string_view object) {
  std::vector<std::string> keys;
  Cursor c{object};
  c.space();
  if (c.peek() != '{') return keys;
  do {
    ++c.at;
    c.space();
    if (c.peek() != '"') break;
    keys.push_back(c.string());
    c.space();
    ++c.at;  // the colon
    c.space();
    c.skip();
    c.space();
  } while (c.peek() == ',');
  return keys;
}

std::vector<std::string> texts_of(std::string_view list) {
  std::vector<std::string> texts;
  Cursor c{list};
  c.space();
  if (c.peek() != '[') return texts;
  do {
    ++c.at;
    c.space();
    if (c.peek() != '"') break;
    texts.push_back(c.string());
    c.space();
  } while (c.peek() == ',');
  return texts;
}

std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> items;
  Cursor c{list};
  c.space();
  if (c.peek() != '[') return items;
  do {
    ++c.at;
    c.space();
    if (c.peek() == ']' || c.peek() == '\0') break;
    items.emplace_back(c.skip());
    c.space();
  } while (c.peek() == ',');
  return items;
}

std::string indented(std::string_view json) {
  std::string out;
  size_t depth = 0;
  const auto line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (Cursor c{json}; c.space(), c.at < json.size();) {
    const char at = c.peek();
    if (at == '"') {
      const size_t begin = c.at;
      c.string();
      out += json.substr(begin, c.at - begin);
      continue;
    }
    ++c.at;
    if (at == '{' || at == '[') {
      out += at;
      c.space();
      if (c.peek() == '}' || c.peek() == ']') {
        out += c.peek();
        ++c.at;
        continue;
      }
      ++depth;
      line();
    } else if (at == '}' || at == ']') {
      depth -= depth > 0 ? 1 : 0;
      line();
      out += at;
    } else {
      out += at;
      if (at == ',') line();
      if (at == ':') out += ' ';
    }
  }
  return out;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t v = 0;
    for (size_t k = 0; k < 3; ++k)
      v = v << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : kDigits[v >> (18 - 6 * k) & 63];
  }
  return out;
}

std::string json_body(std::string_view body, bool text) {
  return text ? ",\"text\":" + json_text(body) : ",\"base64\":\"" + base64(body) + "\"";
}

bool is_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto c = static_cast<uint8_t>(text[i]);
    size_t more = 0;
    uint32_t value = c, least = 0;
    if (c < 0x80) {
      ++i;
      continue;
    }
    if (c >= 0xC2 && c < 0xE0) more = 1, value = c & 0x1F, least = 0x80;
    else if (c >= 0xE0 && c < 0xF0) more = 2, value = c & 0x0F, least = 0x800;
    else if (c >= 0xF0 && c < 0xF5) more = 3, value = c & 0x07, least = 0x10000;
    else return false;
    if (text.size() - i <= more) return false;
    for (size_t k = 1; k <= more; ++k) {
      const auto d = static_cast<uint8_t>(text[i + k]);
      if ((d & 0xC0) != 0x80) return false;
      value = value << 6 | (d & 0x3F);
    }
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace cli
