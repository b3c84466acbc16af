#include "mesh/core/semver.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace mw::mesh::core {
namespace {

constexpr uint64_t kMaxNumber = (uint64_t{1} << 53) - 1;  // what every language's number holds

bool digits(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool number(std::string_view s, uint64_t& out) noexcept {
  if (!digits(s) || (s.size() > 1 && s[0] == '0')) return false;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
  return error == std::errc() && end == s.data() + s.size() && out <= kMaxNumber;
}

std::string_view cut(std::string_view& rest, char at) noexcept {
  const size_t n = std::min(rest.find(at), rest.size());
  const std::string_view first = rest.substr(0, n);
  rest.remove_prefix(std::min(n + 1, rest.size()));
  return first;
}

// Identifiers between dots; numeric ones of a prerelease have no leading zero.
bool identifiers(std::string_view s, bool zeros) noexcept {
  for (bool more = true; more;) {
    more = s.find('.') != s.npos;
    const std::string_view id = cut(s, '.');
    const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    if (id.empty() || !plain || (!zeros && digits(id) && id.size() > 1 && id[0] == '0')) return false;
  }
  return true;
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) noexcept {
  while (!a.empty() && !b.empty()) {
    const std::string_view x = cut(a, '.'), y = cut(b, '.');
    const bool nx = digits(x), ny = digits(y);
    if (nx != ny) return nx ? std::strong_ordering::less : std::strong_ordering::greater;
    // Without leading zeros the longer number is the greater one.
    if (nx && x.size() != y.size()) return x.size() <=> y.size();
    if (const auto order = x.compare(y) <=> 0; order != 0) return order;
  }
  return !a.empty() <=> !b.empty();
}

base::Error wrong(std::string_view what, std::string_view text) {
  return {MW_EINVAL, 0, "\"" + std::string(text.substr(0, 64)) + "\" is no " + std::string(what)};
}

}  // namespace

std::strong_ordering operator<=>(const Semver& a, const Semver& b) noexcept {
  if (a.major != b.major) return a.major <=> b.major;
  if (a.minor != b.minor) return a.minor <=> b.minor;
  if (a.patch != b.patch) return a.patch <=> b.patch;
  if (a.prerelease.empty() || b.prerelease.empty()) return a.prerelease.empty() <=> b.prerelease.empty();
  return compare_identifiers(a.prerelease, b.prerelease);
}

std::string Semver::text() const {
  std::string s = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  return prerelease.empty() ? s : s + "-" + prerelease;
}

// 1, 1.2, 1.2.3-a.1, 1.x: what a range is made of. A number is missing where
// it is x, X, * or left out; then so are those after it.
struct Range::Partial {
  std::optional<uint64_t> major, minor, patch;
  std::string prerelease;

  static bool parse(std::string_view text, Partial& p) {
    if (!text.empty() && text[0] == 'v') text.remove_prefix(1);
    if (const size_t plus = text.find('+'); plus != text.npos) {
      if (!identifiers(text.substr(plus + 1), true)) return false;
      text = text.substr(0, plus);
    }
    std::string_view tag;
    const size_t dash = text.find('-');
    if (dash != text.npos) {
      tag = text.substr(dash + 1);
      text = text.substr(0, dash);
      if (!identifiers(tag, false)) return false;
    }
    if (text.empty() || text.back() == '.') return false;
    std::optional<uint64_t>* parts[] = {&p.major, &p.minor, &p.patch};
    bool open = false;
    size_t n = 0;
    for (; !text.empty(); n++) {
      if (n == 3) return false;
      const std::string_view part = cut(text, '.');
      if (part == "x" || part == "X" || part == "*") {
        open = true;
        continue;
      }
      uint64_t v = 0;
      if (!number(part, v)) return false;
      if (!open) *parts[n] = v;
    }
    if (dash != std::string_view::npos && n != 3) return false;
    if (p.patch) p.prerelease = tag;
    return true;
  }
  Semver low() const { return {major.value_or(0), minor.value_or(0), patch.value_or(0), prerelease}; }
  // The first that no longer has the numbers given: 1.2 -> 1.3.0-0.
  Semver after() const { return minor ? Semver{*major, *minor + 1, 0, "0"} : Semver{major.value_or(0) + 1, 0, 0, "0"}; }
};

base::Result<Semver> Semver::parse(std::string_view text) {
  std::string_view rest = text;
  if (text.empty() || text.size() > kMaxSemver) return wrong("version (as 1.2.3)", text);
  if (const size_t plus = rest.find('+'); plus != rest.npos) {
    if (!identifiers(rest.substr(plus + 1), true)) return wrong("version (as 1.2.3)", text);
    rest = rest.substr(0, plus);
  }
  Semver v;
  if (const size_t dash = rest.find('-'); dash != rest.npos) {
    v.prerelease = rest.substr(dash + 1);
    rest = rest.substr(0, dash);
    if (!identifiers(v.prerelease, false)) return wrong("version (as 1.2.3)", text);
  }
  const bool three = std::count(rest.begin(), rest.end(), '.') == 2;
  if (!three || !number(cut(rest, '.'), v.major) || !number(cut(rest, '.'), v.minor) || !number(rest, v.patch))
    return wrong("version (as 1.2.3)", text);
  return v;
}

void Range::add(All& out, std::string_view op, const Partial& p) {
  const Semver low = p.low();
  const Semver nothing{0, 0, 0, "0"};
  if (op == "^") {
    if (!p.major) return;
    out.push_back({Op::ge, low});
    Semver end{*p.major + 1, 0, 0, "0"};
    if (*p.major == 0 && p.minor) {
      end = {0, *p.minor + 1, 0, "0"};
      if (*p.minor == 0 && p.patch) end = {0, 0, *p.patch + 1, "0"};
    }
    out.push_back({Op::lt, end});
  } else if (op == "~" || op == "~>") {
    if (!p.major) return;
    out.push_back({Op::ge, low});
    out.push_back({Op::lt, p.after()});
  } else if (op == ">") {
    if (!p.major) out.push_back({Op::lt, nothing});
    else if (p.patch) out.push_back({Op::gt, low});
    else out.push_back({Op::ge, {p.after().major, p.after().minor, 0, ""}});
  } else if (op == ">=") {
    if (p.major) out.push_back({Op::ge, low});
  } else if (op == "<") {
    if (!p.major) out.push_back({Op::lt, nothing});
    else out.push_back({Op::lt, p.patch ? low : Semver{low.major, low.minor, 0, "0"}});
  } else if (op == "<=") {
    if (!p.major) return;
    if (p.patch) out.push_back({Op::le, low});
    else out.push_back({Op::lt, p.after()});
  } else {
    if (!p.major) return;
    if (p.patch) {
      out.push_back({Op::eq, low});
    } else {
      out.push_back({Op::ge, low});
      out.push_back({Op::lt, p.after()});
    }
  }
}

bool Range::parse_all(std::string_view text, All& out, std::string& error) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\t') {
      i++;
      continue;
    }
    size_t end = std::min(text.find_first_of(" \t", i), text.size());
    words.push_back(text.substr(i, end - i));
    i = end;
  }
  for (size_t i = 0; i < words.size(); i++) {
    const std::string_view word = words[i];
    if (i + 2 < words.size() && words[i + 1] == "-") {
      Partial from, to;
      if (words.size() != 3 || !Partial::parse(word, from) || !Partial::parse(words[2], to)) {
        error = text;
        return false;
      }
      add(out, ">=", from);
      add(out, "<=", to);
      return true;
    }
    const size_t n = std::min(word.find_first_not_of("<>=~^"), word.size());
    const std::string_view op = word.substr(0, n);
    std::string_view version = word.substr(n);
    if (version.empty() && i + 1 < words.size()) version = words[++i];  // ">= 1.2.3"
    static constexpr std::string_view kOps[] = {"", "=", "<", "<=", ">", ">=", "~", "~>", "^"};
    Partial p;
    if (std::find(std::begin(kOps), std::end(kOps), op) == std::end(kOps) || !Partial::parse(version, p)) {
      error = word;
      return false;
    }
    add(out, op, p);
  }
  return true;
}

base::Result<Range> Range::parse(std::string_view text) {
  if (text.size() > kMaxRange) return wrong("range of versions (too long)", text);
  Range range;
  range.text_ = text;
  for (std::string_view rest = text;;) {
    const size_t n = rest.find("||");
    std::string error;
    if (!parse_all(rest.substr(0, n), range.any_.emplace_back(), error))
      return wrong("range of versions (as ^1.2.3, 1.x, >=1 <3)", error);
    if (n == rest.npos) return range;
    rest.remove_prefix(n + 2);
  }
}

bool Range::match(const Semver& v) const noexcept {
  return std::any_of(any_.begin(), any_.end(), [&](const All& all) {
    bool named = v.prerelease.empty();
    for (const Bound& b : all) {
      const auto order = v <=> b.version;
      const bool holds = b.op == Op::lt   ? order < 0
                         : b.op == Op::le ? order <= 0
                         : b.op == Op::gt ? order > 0
                         : b.op == Op::ge ? order >= 0
                                          : order == 0;
      if (!holds) return false;
      named |= !b.version.prerelease.empty() && b.version.same_triple(v);
    }
    return named;
  });
}

}  // namespace mw::mesh::core
