#include "base/pattern.hpp"

#include "base/utf8.hpp"

#include <re2/re2.h>

namespace mw::base {
namespace {

Error bad(const char* why) { return {MW_EPATTERN, 0, std::string("The topic pattern ") + why + "."}; }

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text, Syntax syntax) {
  if (text.empty()) return bad("is empty");
  if (text.size() > kMaxBytes) return bad("is longer than 65535 bytes");
  if (!utf8_valid(text)) return bad("is not UTF-8");
  if (text.find('\0') != text.npos) return bad("contains a NUL character");

  Pattern p;
  p.text_ = text;
  if (syntax == Syntax::exact) return p;
  if (syntax == Syntax::regex) {
    re2::RE2::Options how;
    how.set_log_errors(false);
    how.set_max_mem(1 << 20);  // of one pattern's program and its caches
    auto regex = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), how);
    if (!regex->ok())
      return Error{MW_EPATTERN, 0, "The topic pattern is no regular expression that matches in linear time: " + regex->error() + "."};
    p.regex_ = std::move(regex);
    return p;
  }

  const bool mqtt = syntax == Syntax::mqtt;
  const std::string_view one = mqtt ? "+" : "*", any = mqtt ? "#" : "**", wild = mqtt ? "+#" : "*";
  if (text.find_first_of(wild) == text.npos) return p;

  Levels levels(text);
  for (std::string_view level; levels.next(level);) {
    const bool ended = mqtt && !p.levels_.empty() && p.levels_.back().is == Level::Is::any;
    if (ended) return bad("has something after #, which stands for all the rest");
    if (level == any) {
      // A second ** right after one adds nothing.
      if (p.levels_.empty() || p.levels_.back().is != Level::Is::any) p.levels_.push_back({Level::Is::any, 0, 0});
    } else if (level == one) {
      p.levels_.push_back({Level::Is::one, 0, 0});
    } else if (level.find_first_of(wild) != level.npos) {
      return bad(mqtt ? "has + or # inside a level; they stand alone between slashes"
                      : "has * inside a segment; * and ** stand alone between slashes");
    } else {
      p.levels_.push_back({Level::Is::name, static_cast<uint32_t>(level.data() - text.data()),
                           static_cast<uint32_t>(level.size())});
    }
    if (p.levels_.size() > kMaxLevels) return bad("has more than 128 levels");
  }
  p.hides_dollar_ = mqtt && p.levels_.front().is != Level::Is::name;
  return p;
}

bool Pattern::match(std::string_view topic) const noexcept {
  if (regex_) return re2::RE2::FullMatch(re2::StringPiece(topic.data(), topic.size()), *regex_);
  if (exact()) return topic == text_;
  if (hides_dollar_ && topic.starts_with('$')) return false;
  // The last "any" passed, and the topic as it was behind what it has taken so
  // far: where a later level fails, that one takes one level more. An earlier
  // one never needs to, so each is tried once.
  constexpr size_t kNone = SIZE_MAX;
  size_t at = 0, any = kNone;
  Levels left(topic), retry(topic);
  std::string_view level;
  for (;;) {
    while (at < levels_.size() && levels_[at].is == Level::Is::any) any = at++, retry = left;
    if (!left.next(level)) return at == levels_.size();
    if (at < levels_.size() && covers(levels_[at], level)) {
      ++at;
      continue;
    }
    if (any == kNone) return false;
    if (any + 1 == levels_.size()) return true;  // takes all that is left
    left = retry;
    left.next(level);
    retry = left;
    at = any + 1;
  }
}

}  // namespace mw::base
