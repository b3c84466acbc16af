#include "mesh/core/history.hpp"

#include <algorithm>

namespace mw::mesh::core {

void History::add(Story& s, const char* state, const char* why, int64_t now) {
  if (s.changes.size() == kChanges) s.changes.erase(s.changes.begin());
  s.changes.push_back({now, state, why});
}

void History::note(Slot slot, const char* state, const char* why, int64_t now) noexcept try {
  if (auto at = here_.find(slot); at != here_.end()) add(at->second, state, why, now);
} catch (const std::bad_alloc&) {
}

void History::up(Slot slot, const std::string& name, uint64_t instance, int64_t now) noexcept try {
  const auto [at, fresh] = here_.try_emplace(slot);
  Story& s = at->second;
  if (fresh)
    if (auto was = std::find_if(gone_.begin(), gone_.end(), [&](const Gone& g) { return g.name == name; }); was != gone_.end()) {
      s.changes = std::move(was->story.changes);
      gone_.erase(was);
    }
  if (!fresh && s.instance == instance) return;
  add(s, "well", fresh ? (s.changes.empty() ? "it is there" : "it came back") : "another process has its name now", now);
  s.instance = instance;
} catch (const std::bad_alloc&) {
}

const char* History::why(const Verdict* verdict) noexcept {
  return verdict != nullptr ? why_text(verdict->why) : "this node slept too long to know";
}

void History::gone(Slot slot, const std::string& name, std::string_view role, const Verdict* verdict, int64_t now) noexcept try {
  Gone g{name, std::string(role), verdict != nullptr ? verdict->by : std::string(), verdict != nullptr && verdict->why == Why::left, {}};
  if (auto at = here_.find(slot); at != here_.end()) {
    g.story = std::move(at->second);
    here_.erase(at);
  }
  add(g.story, "gone", why(verdict), now);
  gone_.push_front(std::move(g));
  if (gone_.size() <= kGone) return;
  const auto left = std::find_if(gone_.rbegin(), gone_.rend(), [](const Gone& one) { return one.left; });
  gone_.erase(left != gone_.rend() ? std::prev(left.base()) : std::prev(gone_.end()));
} catch (const std::bad_alloc&) {
}

void History::put(base::JsonObject& o, const Story& s) {
  if (s.changes.empty()) return;  // there was no memory to note them
  const Change& last = s.changes.back();
  o.text("state", last.state).number("since_ms", last.at).text("reason", last.why);
  std::string all = "[";
  for (const Change& c : s.changes) {
    if (all.size() > 1) all += ',';
    base::JsonObject one(all);
    one.number("at_ms", c.at).text("state", c.state).text("reason", c.why).end();
  }
  o.raw("changes", all + "]");
}

void History::put(base::JsonObject& o, Slot slot) const {
  if (auto at = here_.find(slot); at != here_.end()) put(o, at->second);
}

std::string History::went() const {
  std::string all = "[";
  for (const Gone& g : gone_) {
    if (all.size() > 1) all += ',';
    base::JsonObject o(all);
    o.text("name", g.name).text("service", g.role);
    put(o, g.story);
    if (!g.by.empty()) o.text("by", g.by);
    o.end();
  }
  return all + "]";
}

}  // namespace mw::mesh::core
