// JSON: reading with limits, and writing by appending. Hides cJSON, which no
// other file includes. Used on the control side only (options, admission,
// facts), never per message. A Json belongs to one thread; views borrow from it.
#pragma once
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

struct cJSON;

namespace mw::base {

struct JsonLimits {
  size_t bytes = 1 << 20;
  size_t depth = 32;
};

// A value inside a Json; absent values answer like null.
class JsonValue {
 public:
  JsonValue() = default;
  explicit operator bool() const noexcept { return v_ != nullptr; }  // present
  bool is_object() const noexcept;
  bool is_array() const noexcept;
  bool is_text() const noexcept;
  bool is_number() const noexcept;
  bool is_bool() const noexcept;
  bool is_null() const noexcept;
  bool is_scalar() const noexcept { return is_text() || is_number() || is_bool(); }

  std::string_view text() const noexcept;  // "" unless text
  double number() const noexcept;          // 0 unless a number
  bool boolean() const noexcept;           // false unless true
  // A scalar as text: itself, 12, 1.5, true; "" for anything else.
  std::string as_text() const;
  // As JSON without spaces.
  std::string print() const;

  size_t size() const noexcept;                             // members or items
  JsonValue find(std::string_view key) const noexcept;      // member of an object
  // Members (with their key) or items (key ""), in order; f answers false to stop.
  void each(const std::function<bool(std::string_view key, JsonValue v)>& f) const;

 private:
  friend class Json;
  explicit JsonValue(const cJSON* v) : v_(v) {}
  const cJSON* v_ = nullptr;
};

// Owns a parsed text; its strings are wiped when it goes (they may be secrets).
class Json {
 public:
  // Strict RFC 8259. Refused besides: repeated keys, NUL characters, numbers
  // that a double would change (whole ones beyond 2^53, 1e999), more than the
  // limits. MW_EINVAL says what and, for the grammar, line and column.
  static Result<Json> parse(std::string_view text, JsonLimits limits = {});
  Json(Json&& o) noexcept : root_(o.root_) { o.root_ = nullptr; }
  Json& operator=(Json&& o) noexcept {
    std::swap(root_, o.root_);
    return *this;
  }
  ~Json();
  JsonValue root() const noexcept { return JsonValue(root_); }

 private:
  explicit Json(cJSON* root) : root_(root) {}
  cJSON* root_ = nullptr;
};

// Appends text as a JSON string, quotes included; bytes that are not UTF-8
// become U+FFFD.
void json_quote(std::string& out, std::string_view text);

// An array of texts: text(item) of each, or the items themselves.
template <class Items, class Text = std::identity>
std::string json_texts(const Items& items, Text text = {}) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    json_quote(out, text(item));
  }
  return out + "]";
}

// Appends one object member by member: JsonObject o(out); o.text("a", "b"); o.end();
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  JsonObject& text(std::string_view key, std::string_view value);
  JsonObject& number(std::string_view key, int64_t value);
  JsonObject& boolean(std::string_view key, bool value);
  JsonObject& raw(std::string_view key, std::string_view json);
  void end() { out_ += '}'; }

 private:
  void key(std::string_view k);
  std::string& out_;
  bool first_ = true;
};

}  // namespace mw::base
