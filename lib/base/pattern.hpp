// One topic pattern, compiled: exact, mqtt (+ one level, # the rest), path
// (* one segment, ** any number of segments, none included) or regex (of the
// whole topic; hides RE2, which matches in linear time).
// Used by link and by PatternSet. Immutable; any thread.
#pragma once
#include "base/choices.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace mw::base {

class Pattern {
 public:
  static constexpr size_t kMaxBytes = 65535;  // as a topic on the wire
  static constexpr size_t kMaxLevels = 128;   // of a pattern with wildcards: bounds the work of a match

  // MW_EPATTERN says what is wrong.
  static Result<Pattern> compile(std::string_view text, Syntax syntax);

  // At most topic length x levels steps, no memory.
  bool match(std::string_view topic) const noexcept;
  // Matches its own text only.
  bool exact() const noexcept { return levels_.empty() && !regex_; }
  const std::string& text() const noexcept { return text_; }

 private:
  friend class PatternSet;
  struct Level {
    enum class Is : uint8_t { name, one, any } is;
    uint32_t offset, size;  // of a name, in text_
  };
  Pattern() = default;
  std::string_view name(const Level& l) const noexcept { return std::string_view(text_).substr(l.offset, l.size); }
  bool covers(const Level& l, std::string_view level) const noexcept {
    return l.is == Level::Is::one || (l.is == Level::Is::name && name(l) == level);
  }

  std::string text_;
  std::vector<Level> levels_;  // empty: exact, or a regex
  std::shared_ptr<const re2::RE2> regex_;
  // MQTT 5 section 4.7.2: a leading wildcard does not match topics that begin with $.
  bool hides_dollar_ = false;
};

// The levels of a topic, one after the other: "a//b" has three.
class Levels {
 public:
  explicit Levels(std::string_view topic) noexcept : left_(topic) {}
  bool next(std::string_view& level) noexcept {
    if (end_) return false;
    const size_t slash = left_.find('/');
    level = left_.substr(0, slash);
    end_ = slash == left_.npos;
    if (!end_) left_.remove_prefix(slash + 1);
    return true;
  }

 private:
  std::string_view left_;
  bool end_ = false;
};

}  // namespace mw::base
