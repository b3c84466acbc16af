#include "mesh/core/access_news.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace mw::mesh::core {

std::string schema_text(uint64_t digest) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest));
  return text;
}

uint64_t schema_hash(std::string_view text, bool any_case) noexcept { return mix(hash_text(text) + (any_case ? 1 : 0)); }

uint64_t revision_above(uint64_t revision, uint64_t held, uint64_t now_us) noexcept {
  return held > now_us + kFollowedAhead ? revision : std::max(revision, held + 1);
}

AccessNews::Came AccessNews::take(uint64_t link, Slot manager, const MessageView& m, uint64_t now_us) {
  if (m.seq == 0) {
    if (m.size == 0) heard_ = true;
    return Came::nothing;
  }
  if (m.seq > now_us + kTakenAhead) return m.at == 0 ? Came::ahead : Came::nothing;
  Schema& coming = coming_[link];
  if (m.at == 0) coming = {m.seq, 0, (m.flags & kAnyCase) != 0, {}};
  if (coming.revision != m.seq || coming.text.size() != m.at) {  // the beginning did not come
    coming = {};
    return Came::nothing;
  }
  coming.text.append(m.piece);
  if (coming.text.size() < m.size) return Came::nothing;
  Schema whole = std::exchange(coming, {});
  whole.hash = schema_hash(whole.text, whole.any_case);
  if (std::pair(whole.revision, whole.hash) > std::pair(counts_.revision, counts_.hash) && whole.hash != counts_.hash) {
    candidate_ = std::move(whole);
    candidate_of_ = manager;
    return Came::another;
  }
  said_[manager] = whole.hash;
  if (whole.revision <= counts_.revision) return Came::known;
  counts_.revision = whole.revision;
  return Came::renewed;
}

void AccessNews::accept() {
  said_[candidate_of_] = candidate_.hash;
  counts_ = std::exchange(candidate_, {});
  heard_ = true;
}

Slot AccessNews::contradicts() const noexcept {
  for (const auto& [manager, said] : said_)
    if (said != counts_.hash) return manager;
  return kNoSlot;
}

}  // namespace mw::mesh::core
