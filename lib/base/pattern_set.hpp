// Many patterns with their subscribers, and who hears a topic: a hash for
// patterns without wildcards, one walk over a tree for the others. Each
// subscriber is told once, whatever patterns overlap.
// Used by link, one set a lane. One thread.
#pragma once
#include "base/pattern.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::base {

class PatternSet {
 public:
  PatternSet();
  ~PatternSet();
  PatternSet(const PatternSet&) = delete;
  PatternSet& operator=(const PatternSet&) = delete;

  // Each add is undone by one remove, also where two patterns mean the same
  // (a/# and a/**). True if who is new to the pattern, or is with it no more.
  bool add(const Pattern& pattern, void* who);
  bool remove(const Pattern& pattern, void* who) noexcept;
  bool empty() const noexcept { return pairs_ == 0; }
  // Subscribers of a pattern, each counted once.
  size_t count(const Pattern& pattern) const;

  // Calls f(void* who) once for each subscriber of a pattern that matches, in
  // the order of their addresses; answers how many. f must not change the set.
  template <class F>
  size_t each(std::string_view topic, F&& f) {
    const std::vector<void*>* all = find(topic);
    if (all == nullptr) return 0;
    for (void* who : *all) f(who);
    return all->size();
  }
  bool any(std::string_view topic) { return find(topic) != nullptr; }

 private:
  // Sorted, so that one is found fast and several merge in one pass, and
  // contiguous, because a publish reads all of it.
  struct Subscribers {
    std::vector<void*> all;
    std::vector<void*> again;  // one for each add beyond the first

    bool add(void* who);
    bool remove(void* who) noexcept;
  };
  struct Node;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>()(s); }
  };

  // All that hear a topic, or null; valid until the next call.
  const std::vector<void*>* find(std::string_view topic);
  void walk(Node& root, std::string_view topic);
  void enter(Node* n);
  const std::vector<void*>* merged();

  std::unordered_map<std::string, Subscribers, Hash, std::equal_to<>> exact_;
  // Patterns with wildcards; apart those that topics with a leading $ are hidden from.
  std::unique_ptr<Node> open_, hiding_;
  size_t pairs_ = 0;

  // Kept from call to call for their memory.
  std::vector<Node*> now_, then_;          // tree nodes that the topic has reached
  std::vector<const std::vector<void*>*> found_;
  std::vector<void*> few_, all_;
  uint64_t step_ = 0;
};

}  // namespace mw::base
