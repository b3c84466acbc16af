#include "wire/parameters.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace mw::wire {
namespace {

int hex(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

const char* decode(std::string_view in, std::string& out) {
  for (size_t i = 0; i < in.size(); i++) {
    char c = in[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%') {
      if (in.size() - i < 3) return "a parameter has a broken % escape";
      const int hi = hex(in[i + 1]), lo = hex(in[i + 2]);
      if (hi < 0 || lo < 0) return "a parameter has a broken % escape";
      c = static_cast<char>(hi << 4 | lo);
      i += 2;
    }
    if (c == '\0') return "a parameter holds a NUL byte";
    out.push_back(c);
  }
  return base::utf8_valid(out) ? nullptr : "a parameter is not UTF-8";
}

void encode(std::string_view in, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (char c : in) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      auto b = static_cast<uint8_t>(c);
      out.push_back('%');
      out.push_back(kDigits[b >> 4]);
      out.push_back(kDigits[b & 15]);
    }
  }
}

}  // namespace

base::Result<Parameters> parse_parameters(std::string_view encoded) {
  auto refuse = [](const char* text) { return base::Error{MW_EPROTO, 0, text}; };
  Parameters out;
  while (!encoded.empty()) {
    size_t end = std::min(encoded.find('&'), encoded.size());
    auto part = encoded.substr(0, end);
    encoded.remove_prefix(std::min(end + 1, encoded.size()));
    if (part.empty()) continue;
    if (out.size() == kMaxParameters) return refuse("more than 64 parameters");
    size_t eq = std::min(part.find('='), part.size());
    auto raw_key = part.substr(0, eq);
    auto raw_value = part.substr(std::min(eq + 1, part.size()));
    // An escape makes three bytes of one: longer ones cannot fit decoded.
    if (raw_key.size() > 3 * kMaxParameterKey || raw_value.size() > 3 * kMaxParameterValue)
      return refuse("a parameter is too long");
    std::string key, value;
    if (auto why = decode(raw_key, key)) return refuse(why);
    if (auto why = decode(raw_value, value)) return refuse(why);
    if (key.empty()) return refuse("a parameter has no name");
    if (key.size() > kMaxParameterKey || value.size() > kMaxParameterValue)
      return refuse("a parameter is too long");
    for (const auto& [k, v] : out)
      if (k == key) return refuse("a parameter is given twice");
    out.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

std::string encode_parameters(const Parameters& p) {
  std::string out;
  for (const auto& [key, value] : p) {
    if (!out.empty()) out.push_back('&');
    encode(key, out);
    out.push_back('=');
    encode(value, out);
  }
  return out;
}

}  // namespace mw::wire
