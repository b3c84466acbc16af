// Topic names sent once and then by number: one table each direction, bounded
// by what the receiver's hello allows; it dies with the connection.
// Used by envelope (reads) and link (writes). One thread a table.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::wire {

inline constexpr size_t kMaxNames = 1024;
inline constexpr size_t kMaxName = 255;      // bytes of a numbered topic
inline constexpr size_t kMaxTopic = 65535;   // bytes of any topic

// How a message tells its topic.
enum class TopicMode : uint8_t {
  none = 0,
  number = 1,  // known already
  text = 2,    // not to be remembered
  define = 3,  // number and text: known from here on
};

struct TopicCode {
  TopicMode mode = TopicMode::none;
  uint16_t number = 0;
  std::string_view text;
};

// The receiving end.
class NameReader {
 public:
  explicit NameReader(size_t limit) noexcept : limit_(limit < kMaxNames ? limit : kMaxNames) {}
  // False: the number is outside the table.
  bool define(uint64_t number, std::string_view name) {
    if (number >= limit_) return false;
    if (names_.size() <= number) names_.resize(number + 1);
    names_[number].assign(name);
    return true;
  }
  // Null: never defined.
  const std::string* find(uint64_t number) const noexcept {
    return number < names_.size() && !names_[number].empty() ? &names_[number] : nullptr;
  }

 private:
  size_t limit_;
  std::vector<std::string> names_;
};

// The sending end. What code() returns must reach the connection in this
// order and may not be dropped: the other end counts on each definition.
class NameWriter {
 public:
  // limit: the other end's hello.
  explicit NameWriter(size_t limit) noexcept : limit_(limit < kMaxNames ? limit : kMaxNames) {}
  TopicCode code(std::string_view topic) {
    if (topic.empty()) return {};
    if (limit_ == 0 || topic.size() > kMaxName) return {TopicMode::text, 0, topic};
    if (auto it = numbers_.find(topic); it != numbers_.end()) return {TopicMode::number, it->second, topic};
    // A full table begins again: the oldest name gives its number away.
    const auto number = static_cast<uint16_t>(next_);
    next_ = (next_ + 1) % limit_;
    if (number < names_.size()) {
      numbers_.erase(*names_[number]);
      *names_[number] = topic;
    } else {
      names_.push_back(std::make_unique<std::string>(topic));
    }
    numbers_.emplace(*names_[number], number);
    return {TopicMode::define, number, topic};
  }

 private:
  size_t limit_, next_ = 0;
  std::vector<std::unique_ptr<std::string>> names_;  // what the keys below point into
  std::unordered_map<std::string_view, uint16_t> numbers_;
};

}  // namespace mw::wire
