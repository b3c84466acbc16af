#include "base/pattern_set.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace mw::base {

// A place in the tree of patterns: the levels on the way to it are a pattern's.
struct PatternSet::Node {
  std::unordered_map<std::string, std::unique_ptr<Node>, Hash, std::equal_to<>> names;
  std::unique_ptr<Node> one, any;
  Subscribers here;
  bool is_any = false;   // stays while further levels pass
  uint64_t entered = 0;  // the step it was reached in; only an any can be reached twice

  bool bare() const noexcept { return here.all.empty() && names.empty() && one == nullptr && any == nullptr; }
};

PatternSet::PatternSet() = default;
PatternSet::~PatternSet() = default;

namespace {

auto place(std::vector<void*>& v, void* who) noexcept { return std::lower_bound(v.begin(), v.end(), who, std::less<>()); }

bool erase_one(std::vector<void*>& v, void* who) noexcept {
  const auto at = place(v, who);
  if (at == v.end() || *at != who) return false;
  v.erase(at);
  return true;
}

}  // namespace

bool PatternSet::Subscribers::add(void* who) {
  const auto at = place(all, who);
  const bool known = at != all.end() && *at == who;
  if (known)
    again.insert(place(again, who), who);
  else
    all.insert(at, who);
  return !known;
}

bool PatternSet::Subscribers::remove(void* who) noexcept { return !erase_one(again, who) && erase_one(all, who); }

bool PatternSet::add(const Pattern& p, void* who) {
  Subscribers* list = nullptr;
  if (p.exact()) {
    list = &exact_[p.text()];
  } else {
    auto& root = p.hides_dollar_ ? hiding_ : open_;
    if (root == nullptr) root = std::make_unique<Node>();
    Node* n = root.get();
    for (const Pattern::Level& l : p.levels_) {
      auto& next = l.is == Pattern::Level::Is::one   ? n->one
                   : l.is == Pattern::Level::Is::any ? n->any
                                                     : n->names[std::string(p.name(l))];
      if (next == nullptr) {
        next = std::make_unique<Node>();
        next->is_any = l.is == Pattern::Level::Is::any;
      }
      n = next.get();
    }
    list = &n->here;
  }
  const bool added = list->add(who);
  pairs_ += added;
  return added;
}

bool PatternSet::remove(const Pattern& p, void* who) noexcept {
  if (p.exact()) {
    const auto at = exact_.find(p.text());
    if (at == exact_.end() || !at->second.remove(who)) return false;
    if (at->second.all.empty()) exact_.erase(at);
    --pairs_;
    return true;
  }
  // The way down, so that what becomes bare can go on the way up. No memory is
  // asked for: removing is part of closing, which cannot fail.
  std::array<std::unique_ptr<Node>*, Pattern::kMaxLevels + 1> way;
  way[0] = &(p.hides_dollar_ ? hiding_ : open_);
  const size_t depth = p.levels_.size();
  for (size_t i = 0; i < depth; ++i) {
    const Pattern::Level& l = p.levels_[i];
    Node* n = way[i]->get();
    if (n == nullptr) return false;
    if (l.is == Pattern::Level::Is::name) {
      const auto at = n->names.find(p.name(l));
      if (at == n->names.end()) return false;
      way[i + 1] = &at->second;
    } else {
      way[i + 1] = l.is == Pattern::Level::Is::one ? &n->one : &n->any;
    }
  }
  if (*way[depth] == nullptr || !(*way[depth])->here.remove(who)) return false;
  --pairs_;
  for (size_t i = depth + 1; i-- > 0 && (*way[i])->bare();) {
    const bool named = i > 0 && p.levels_[i - 1].is == Pattern::Level::Is::name;
    if (named)
      (*way[i - 1])->names.erase((*way[i - 1])->names.find(p.name(p.levels_[i - 1])));
    else
      way[i]->reset();
  }
  return true;
}

size_t PatternSet::count(const Pattern& p) const {
  if (p.exact()) {
    const auto at = exact_.find(p.text());
    return at == exact_.end() ? 0 : at->second.all.size();
  }
  const Node* n = (p.hides_dollar_ ? hiding_ : open_).get();
  for (const Pattern::Level& l : p.levels_) {
    if (n == nullptr) return 0;
    if (l.is == Pattern::Level::Is::name) {
      const auto at = n->names.find(p.name(l));
      n = at == n->names.end() ? nullptr : at->second.get();
    } else {
      n = l.is == Pattern::Level::Is::one ? n->one.get() : n->any.get();
    }
  }
  return n == nullptr ? 0 : n->here.all.size();
}

const std::vector<void*>* PatternSet::find(std::string_view topic) {
  found_.clear();
  if (const auto at = exact_.find(topic); at != exact_.end() && !at->second.all.empty()) found_.push_back(&at->second.all);
  if (open_ != nullptr) walk(*open_, topic);
  if (hiding_ != nullptr && !topic.starts_with('$')) walk(*hiding_, topic);
  if (found_.empty()) return nullptr;
  return found_.size() == 1 ? found_.front() : merged();
}

// A node is reached, and with it what stands for no level at all behind it.
void PatternSet::enter(Node* n) {
  for (; n != nullptr; n = n->any.get()) {
    if (n->is_any) {
      if (n->entered == step_) return;
      n->entered = step_;
    }
    then_.push_back(n);
  }
}

void PatternSet::walk(Node& root, std::string_view topic) {
  then_.clear();
  ++step_;
  enter(&root);
  Levels levels(topic);
  for (std::string_view level; !then_.empty() && levels.next(level);) {
    now_.swap(then_);
    then_.clear();
    ++step_;
    for (Node* n : now_) {
      if (n->is_any) enter(n);
      enter(n->one.get());
      if (n->names.empty()) continue;
      if (const auto at = n->names.find(level); at != n->names.end()) enter(at->second.get());
    }
  }
  for (const Node* n : then_)
    if (!n->here.all.empty()) found_.push_back(&n->here.all);
}

// The largest list is merged with all others together: one pass over it.
const std::vector<void*>* PatternSet::merged() {
  std::swap(*std::max_element(found_.begin(), found_.end(), [](auto* a, auto* b) { return a->size() < b->size(); }),
            found_.back());
  few_.clear();
  for (size_t i = 0; i + 1 < found_.size(); ++i) few_.insert(few_.end(), found_[i]->begin(), found_[i]->end());
  std::sort(few_.begin(), few_.end(), std::less<>());
  few_.erase(std::unique(few_.begin(), few_.end()), few_.end());
  all_.clear();
  std::set_union(few_.begin(), few_.end(), found_.back()->begin(), found_.back()->end(), std::back_inserter(all_),
                 std::less<>());
  return &all_;
}

}  // namespace mw::base
