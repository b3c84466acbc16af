#include "base/json_scan.hpp"

#include "base/utf8.hpp"

#include <charconv>

namespace mw::base {
namespace {

bool digit(int c) { return c >= '0' && c <= '9'; }

class Scanner {
 public:
  Scanner(std::string_view text, size_t depth, bool exact) : t_(text), depth_(depth), exact_(exact) {}

  std::string run(const JsonMember* member = nullptr) {
    member_ = member;
    if (member != nullptr) {
      space();
      if (peek() != '{') return "an object is wanted" + where();
    }
    if (value(0)) {
      space();
      if (at_ == t_.size()) return {};
      why_ = "something follows the value";
    }
    return why_ + where();
  }

 private:
  int peek() const { return at_ < t_.size() ? static_cast<uint8_t>(t_[at_]) : -1; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool bad(const char* why) {
    why_ = why;
    return false;
  }
  void space() {
    while (at_ < t_.size() && (t_[at_] == ' ' || t_[at_] == '\t' || t_[at_] == '\n' || t_[at_] == '\r')) ++at_;
  }

  bool value(size_t depth) {
    space();
    switch (peek()) {
      case '{': return depth < depth_ ? members(depth + 1) : bad("too many levels");
      case '[': return depth < depth_ ? items(depth + 1) : bad("too many levels");
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      case -1: return bad("the text ends too early");
      default: return peek() == '-' || digit(peek()) ? number() : bad("a value is missing");
    }
  }
  bool members(size_t depth) {
    ++at_;
    space();
    if (take('}')) return true;
    for (;;) {
      space();
      const size_t key = at_;
      if (peek() != '"') return bad("a key in double quotes is missing");
      if (!string()) return false;
      const size_t key_end = at_;
      space();
      if (!take(':')) return bad("a colon is missing");
      space();
      const size_t begin = at_;
      if (!value(depth)) return false;
      if (depth == 1 && member_ != nullptr) (*member_)(t_.substr(key, key_end - key), t_.substr(begin, at_ - begin));
      space();
      if (take('}')) return true;
      if (!take(',')) return bad("a comma or } is missing");
    }
  }
  bool items(size_t depth) {
    ++at_;
    space();
    if (take(']')) return true;
    for (;;) {
      if (!value(depth)) return false;
      space();
      if (take(']')) return true;
      if (!take(',')) return bad("a comma or ] is missing");
    }
  }
  bool word(std::string_view w) {
    if (t_.substr(at_, w.size()) != w) return bad("an unknown word");
    at_ += w.size();
    return true;
  }
  bool number() {
    const size_t begin = at_;
    take('-');
    if (!take('0') && !digits()) return bad("a digit is missing");
    if (digit(peek())) return bad("a number begins with 0");
    if (take('.') && !digits()) return bad("a digit is missing");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return bad("a digit is missing");
    }
    return !exact_ || representable(t_.substr(begin, at_ - begin));
  }
  // Every number becomes a double; one that would not come out as it went in
  // is refused rather than changed. cJSON reads at most 63 characters of it.
  bool representable(std::string_view n) {
    if (n.size() > 63) return bad("a number has more than 63 characters");
    if (n.find_first_of(".eE") == n.npos) {
      int64_t v = 0;
      const auto r = std::from_chars(n.data(), n.data() + n.size(), v);
      constexpr int64_t kExact = int64_t{1} << 53;
      if (r.ec != std::errc() || v > kExact || v < -kExact) return bad("a whole number beyond 2^53 must be written as a text");
    }
    return true;
  }
  bool digits() {
    if (!digit(peek())) return false;
    while (digit(peek())) ++at_;
    return true;
  }
  bool string() {
    const size_t begin = ++at_;
    for (;;) {
      const int c = peek();
      if (c < 0) return bad("a text is not closed");
      if (c < 0x20) return bad("a control character must be written as \\u00XX");
      ++at_;
      if (c == '"') break;
      if (c == '\\' && !escape()) return false;
    }
    if (!utf8_valid(t_.substr(begin, at_ - begin))) {
      at_ = begin;
      return bad("a text is not UTF-8");
    }
    return true;
  }
  bool escape() {
    const int c = peek();
    ++at_;
    if (c != 'u') return c >= 0 && std::string_view("\"\\/bfnrt").find(static_cast<char>(c)) != t_.npos
                             ? true
                             : bad("an unknown escape");
    int first = 0, second = 0;
    if (!hex(first)) return false;
    if (!exact_) return true;
    if (first == 0) return bad("the character NUL is not allowed");
    if (first >= 0xDC00 && first < 0xE000) return bad("half of a surrogate pair");
    if (first < 0xD800 || first >= 0xE000) return true;
    if (!take('\\') || !take('u')) return bad("half of a surrogate pair");
    if (!hex(second)) return false;
    return second >= 0xDC00 && second < 0xE000 ? true : bad("half of a surrogate pair");
  }
  bool hex(int& v) {
    for (int i = 0; i < 4; ++i, ++at_) {
      const int c = peek(), low = c | 0x20;
      if (digit(c))
        v = v * 16 + c - '0';
      else if (low >= 'a' && low <= 'f')
        v = v * 16 + low - 'a' + 10;
      else
        return bad("four hexadecimal digits are missing");
    }
    return true;
  }
  std::string where() const {
    size_t line = 1, begin = 0;
    for (size_t i = 0; i < at_ && i < t_.size(); ++i)
      if (t_[i] == '\n') ++line, begin = i + 1;
    return " at line " + std::to_string(line) + ", column " + std::to_string(at_ - begin + 1);
  }

  std::string_view t_;
  size_t at_ = 0, depth_;
  const bool exact_;
  const JsonMember* member_ = nullptr;
  std::string why_;
};

std::string too_long(JsonLimits limits) { return "the text is longer than " + std::to_string(limits.bytes) + " bytes"; }

}  // namespace

std::string json_scan(std::string_view text, JsonLimits limits, bool exact) {
  if (text.size() > limits.bytes) return too_long(limits);
  return Scanner(text, limits.depth, exact).run();
}

std::string json_members(std::string_view text, JsonLimits limits, const JsonMember& f) {
  if (text.size() > limits.bytes) return too_long(limits);
  return Scanner(text, limits.depth, false).run(&f);
}

}  // namespace mw::base
