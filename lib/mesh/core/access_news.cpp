#include "mesh/core/access_news.hpp"

#include <cstdio>
#include <utility>

namespace mw::mesh::core {

std::string schema_text(uint64_t digest) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest));
  return text;
}

uint64_t schema_hash(std::string_view text, bool any_case) noexcept { return mix(hash_text(text) + (any_case ? 1 : 0)); }

bool AccessNews::take(Slot manager, const MessageView& m) {
  if (m.seq == 0) return false;
  Said& said = said_[manager];
  if (m.at == 0) said.coming = {m.seq, 0, (m.flags & kAnyCase) != 0, {}};
  if (said.coming.revision != m.seq || said.coming.text.size() != m.at) {  // the beginning did not come
    said.coming = {};
    return false;
  }
  said.coming.text.append(m.piece);
  if (said.coming.text.size() < m.size) return false;
  Schema whole = std::exchange(said.coming, {});
  whole.hash = said.hash = schema_hash(whole.text, whole.any_case);
  if (std::pair(whole.revision, whole.hash) <= std::pair(counts_.revision, counts_.hash)) return false;
  const bool other = whole.hash != counts_.hash;
  counts_ = std::move(whole);
  return other;
}

void AccessNews::lost(Slot manager) { said_.erase(manager); }

Slot AccessNews::contradicts() const noexcept {
  for (const auto& [manager, said] : said_)
    if (said.hash != 0 && said.hash != counts_.hash) return manager;
  return kNoSlot;
}

}  // namespace mw::mesh::core
