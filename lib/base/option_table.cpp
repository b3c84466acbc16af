#include "base/option_table.hpp"

#include <algorithm>
#include <array>

namespace mw::base {
namespace {

constexpr int kKinds = 13;  // MW_CONF_* begin at 1
constexpr size_t kKeys = static_cast<size_t>(Opt::count_);

constexpr uint32_t CTX = 1u << MW_CONF_CTX, PROVIDER = 1u << MW_CONF_PROVIDER,
                   CONSUMER = 1u << MW_CONF_CONSUMER, SUB = 1u << MW_CONF_SUB,
                   SERVICE = 1u << MW_CONF_SERVICE, CALL = 1u << MW_CONF_CALL,
                   HUB = 1u << MW_CONF_HUB, CHANNEL = 1u << MW_CONF_CHANNEL,
                   SHARE = 1u << MW_CONF_SHARE, ELECT = 1u << MW_CONF_ELECT,
                   NODE = 1u << MW_CONF_NODE, MANAGER = 1u << MW_CONF_MANAGER;
constexpr int64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB, TiB = 1024 * GiB;
constexpr int64_t s = 1000, h = 3600 * s, d = 24 * h;

constexpr std::string_view kKeyNames[] = {
#define MW_OPTION_KEY(id, key) key,
#include "base/options.def"
#undef MW_OPTION_KEY
};

constexpr OptionRow kRows[] = {
#define MW_OPTION(kinds, id, type, def, lo, hi, words, live, secret, doc) \
  {kinds, Opt::id, OptionType::type, def, lo, hi, words, live, secret, doc},
#include "base/options.def"
#undef MW_OPTION
};

constexpr PresetRow kPresets[] = {
#define MW_PRESET(preset, kinds, id, value) {preset, kinds, Opt::id, value},
#include "base/options.def"
#undef MW_PRESET
};

// For each kind: which row each slot is, and which slot each key has.
struct Index {
  std::array<std::array<int16_t, kKeys>, kKinds> row{}, slot{};
  std::array<size_t, kKinds> count{};

  constexpr Index() {
    for (int k = 0; k < kKinds; ++k) {
      for (auto& v : slot[k]) v = -1;
      for (size_t r = 0; r < std::size(kRows); ++r) {
        if (!kRows[r].of(k)) continue;
        auto& at = slot[k][static_cast<size_t>(kRows[r].id)];
        if (at >= 0) throw "two rows of one kind for one key";
        at = static_cast<int16_t>(count[k]);
        row[k][count[k]++] = static_cast<int16_t>(r);
      }
    }
  }
};
constexpr Index kIndex;

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> line(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) line[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(line[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = line[j + 1];
      line[j + 1] = std::min({above + 1, line[j] + 1, diagonal + (a[i] != b[j] ? 1u : 0u)});
      diagonal = above;
    }
  }
  return line[b.size()];
}

std::string article(int32_t kind) { return "a " + std::string(conf_kind_name(kind)); }

}  // namespace

std::span<const OptionRow> option_rows() noexcept { return kRows; }
std::span<const PresetRow> preset_rows() noexcept { return kPresets; }
std::string_view option_key(Opt id) noexcept { return kKeyNames[static_cast<size_t>(id)]; }

bool conf_kind_valid(int32_t kind) noexcept { return !conf_kind_name(kind).empty(); }

std::string_view conf_kind_name(int32_t kind) noexcept {
  switch (kind) {
    case MW_CONF_CTX: return "context";
    case MW_CONF_PROVIDER: return "provider";
    case MW_CONF_CONSUMER: return "consumer";
    case MW_CONF_SUB: return "subscription";
    case MW_CONF_SERVICE: return "service";
    case MW_CONF_CALL: return "call";
    case MW_CONF_HUB: return "hub";
    case MW_CONF_CHANNEL: return "channel";
    case MW_CONF_SHARE: return "share";
    case MW_CONF_ELECT: return "election";
    case MW_CONF_NODE: return "node";
    case MW_CONF_MANAGER: return "manager";
    default: return "";
  }
}

std::string_view option_type_name(OptionType t) noexcept {
  constexpr std::string_view names[] = {"boolean", "integer", "duration", "size",
                                        "text",    "word",    "list",     "json"};
  return names[static_cast<size_t>(t)];
}

size_t option_count(int32_t kind) noexcept {
  return conf_kind_valid(kind) ? kIndex.count[static_cast<size_t>(kind)] : 0;
}

const OptionRow* option_at(int32_t kind, size_t slot) noexcept {
  if (slot >= option_count(kind)) return nullptr;
  return &kRows[kIndex.row[static_cast<size_t>(kind)][slot]];
}

int option_slot(int32_t kind, Opt id) noexcept {
  if (!conf_kind_valid(kind) || id >= Opt::count_) return -1;
  return kIndex.slot[static_cast<size_t>(kind)][static_cast<size_t>(id)];
}

int option_slot(int32_t kind, std::string_view key) noexcept {
  for (size_t i = 0; i < kKeys; ++i)
    if (kKeyNames[i] == key) return option_slot(kind, static_cast<Opt>(i));
  return -1;
}

Error option_unknown(int32_t kind, std::string_view key) {
  const std::string shown = "\"" + std::string(key.substr(0, 64)) + "\"";
  for (int32_t other = MW_CONF_CTX; other < kKinds; ++other)
    if (other != kind && option_slot(other, key) >= 0)
      return {MW_EOPTION, 0, shown + " is an option of " + article(other) + ", not of " + article(kind) + "."};
  std::string_view nearest;
  size_t best = key.size() / 2 + 1;  // farther away is no likeness
  if (key.size() <= 64) {
    for (size_t i = 0; i < option_count(kind); ++i) {
      const std::string_view have = option_key(option_at(kind, i)->id);
      const size_t far = distance(key, have);
      if (far < best) best = far, nearest = have;
    }
  }
  std::string text = shown + " is not an option of " + article(kind);
  text += nearest.empty() ? "." : "; the nearest is \"" + std::string(nearest) + "\".";
  return {MW_EOPTION, 0, std::move(text)};
}

}  // namespace mw::base
