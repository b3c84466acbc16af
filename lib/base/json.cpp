#include "base/json.hpp"

#include "base/json_scan.hpp"
#include "base/secret.hpp"
#include "base/utf8.hpp"

#include <cjson/cJSON.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <unordered_set>

namespace mw::base {
namespace {

// What the grammar allows and we do not: a repeated key, of which one reader
// sees the first and another the last, and numbers that overflow. Empty = none.
std::string flaw(const cJSON* v) {
  if (cJSON_IsNumber(v) && !std::isfinite(v->valuedouble)) return "a number is too large";
  std::unordered_set<std::string_view> seen;
  for (const cJSON* m = v->child; m != nullptr; m = m->next) {
    if (m->string != nullptr && !seen.insert(m->string).second)
      return "an object holds the key \"" + std::string(m->string).substr(0, 64) + "\" twice";
    if (std::string deeper = flaw(m); !deeper.empty()) return deeper;
  }
  return {};
}

void wipe_texts(cJSON* v) noexcept {
  for (; v != nullptr; v = v->next) {
    if (v->valuestring != nullptr) wipe(v->valuestring, std::strlen(v->valuestring));
    wipe_texts(v->child);
  }
}

void append(std::string& out, const cJSON* v);

void append_all(std::string& out, const cJSON* v, char open, char close) {
  out += open;
  for (const cJSON* m = v->child; m != nullptr; m = m->next) {
    if (m != v->child) out += ',';
    if (open == '{') {
      json_quote(out, m->string);
      out += ':';
    }
    append(out, m);
  }
  out += close;
}

void append_number(std::string& out, double n) {
  // The shortest text that reads back the same: whole numbers as such, beyond
  // 2^53 with an exponent, since they are not exact there.
  char buf[40];
  const bool whole = n == std::trunc(n), exact = std::abs(n) <= 9007199254740992.0;
  const auto end = whole && exact ? std::to_chars(buf, std::end(buf), static_cast<int64_t>(n))
                   : whole        ? std::to_chars(buf, std::end(buf), n, std::chars_format::scientific)
                                  : std::to_chars(buf, std::end(buf), n);
  out.append(buf, end.ptr);
}

void append(std::string& out, const cJSON* v) {
  if (cJSON_IsObject(v)) return append_all(out, v, '{', '}');
  if (cJSON_IsArray(v)) return append_all(out, v, '[', ']');
  if (cJSON_IsString(v)) return json_quote(out, v->valuestring);
  if (cJSON_IsNumber(v)) return append_number(out, v->valuedouble);
  out += cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : "null";
}

}  // namespace

bool JsonValue::is_object() const noexcept { return v_ != nullptr && cJSON_IsObject(v_); }
bool JsonValue::is_array() const noexcept { return v_ != nullptr && cJSON_IsArray(v_); }
bool JsonValue::is_text() const noexcept { return v_ != nullptr && cJSON_IsString(v_); }
bool JsonValue::is_number() const noexcept { return v_ != nullptr && cJSON_IsNumber(v_); }
bool JsonValue::is_bool() const noexcept { return v_ != nullptr && cJSON_IsBool(v_); }
bool JsonValue::is_null() const noexcept { return v_ == nullptr || cJSON_IsNull(v_); }

std::string_view JsonValue::text() const noexcept { return is_text() ? v_->valuestring : std::string_view(); }
double JsonValue::number() const noexcept { return is_number() ? v_->valuedouble : 0; }
bool JsonValue::boolean() const noexcept { return v_ != nullptr && cJSON_IsTrue(v_); }

std::string JsonValue::as_text() const {
  if (is_text()) return std::string(text());
  return is_scalar() ? print() : std::string();
}

std::string JsonValue::print() const {
  std::string out;
  if (v_ == nullptr) return "null";
  append(out, v_);
  return out;
}

size_t JsonValue::size() const noexcept {
  size_t n = 0;
  if (is_object() || is_array())
    for (const cJSON* m = v_->child; m != nullptr; m = m->next) ++n;
  return n;
}

JsonValue JsonValue::find(std::string_view key) const noexcept {
  if (is_object())
    for (const cJSON* m = v_->child; m != nullptr; m = m->next)
      if (key == m->string) return JsonValue(m);
  return {};
}

void JsonValue::each(const std::function<bool(std::string_view, JsonValue)>& f) const {
  if (!is_object() && !is_array()) return;
  for (const cJSON* m = v_->child; m != nullptr; m = m->next)
    if (!f(m->string != nullptr ? m->string : std::string_view(), JsonValue(m))) return;
}

Result<Json> Json::parse(std::string_view text, JsonLimits limits) {
  if (std::string why = json_scan(text, limits); !why.empty())
    return Error{MW_EINVAL, 0, "The JSON is not valid: " + why + "."};
  Json json(cJSON_ParseWithLength(text.data(), text.size()));
  if (json.root_ == nullptr) throw std::bad_alloc();  // the grammar was checked above
  if (std::string why = flaw(json.root_); !why.empty())
    return Error{MW_EINVAL, 0, "The JSON is not valid: " + why + "."};
  return json;
}

Json::~Json() {
  wipe_texts(root_);
  cJSON_Delete(root_);
}

void json_quote(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const uint8_t c = static_cast<uint8_t>(text[0]);
    size_t n = 1;
    if (c >= 0x80) {
      // A whole character, or one byte that belongs to none.
      n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
      if (n > text.size() || !utf8_valid(text.substr(0, n))) {
        out += "\xEF\xBF\xBD";
        n = 1;
      } else {
        out.append(text.data(), n);
      }
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c >= 0x20 && c != 0x7F) {
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      constexpr char hex[] = "0123456789abcdef";
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    }
    text.remove_prefix(n);
  }
  out += '"';
}

void JsonObject::key(std::string_view k) {
  if (!first_) out_ += ',';
  first_ = false;
  json_quote(out_, k);
  out_ += ':';
}

JsonObject& JsonObject::text(std::string_view k, std::string_view value) {
  key(k);
  json_quote(out_, value);
  return *this;
}
JsonObject& JsonObject::number(std::string_view k, int64_t value) {
  key(k);
  out_ += std::to_string(value);
  return *this;
}
JsonObject& JsonObject::boolean(std::string_view k, bool value) {
  key(k);
  out_ += value ? "true" : "false";
  return *this;
}
JsonObject& JsonObject::raw(std::string_view k, std::string_view json) {
  key(k);
  out_ += json;
  return *this;
}

}  // namespace mw::base
