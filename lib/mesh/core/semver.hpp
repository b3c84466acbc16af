// Versions (semver.org 2.0.0) and ranges in the grammar that npm made common:
// ^1.2 ~1.2.3 1.x "1.2 - 2.3" ">=1 <3 || 5". Hides their desugaring.
// Used by the catalog and by who sets an option. Immutable; any thread.
#pragma once
#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mw::mesh::core {

inline constexpr size_t kMaxSemver = 256;  // bytes
inline constexpr size_t kMaxRange = 1024;  // bytes

struct Semver {
  uint64_t major = 0, minor = 0, patch = 0;
  std::string prerelease;  // "alpha.1", "" for a release

  // What stands after a + is checked and left out: it says nothing about order.
  static base::Result<Semver> parse(std::string_view text);
  std::string text() const;
  bool same_triple(const Semver& o) const noexcept {
    return major == o.major && minor == o.minor && patch == o.patch;
  }
};
std::strong_ordering operator<=>(const Semver& a, const Semver& b) noexcept;
inline bool operator==(const Semver& a, const Semver& b) noexcept { return (a <=> b) == 0; }

class Range {
 public:
  // "" and "*" are any release. MW_EINVAL says what is wrong and where.
  static base::Result<Range> parse(std::string_view text);
  // A prerelease matches only where the range names one of the same triple.
  bool match(const Semver& v) const noexcept;
  const std::string& text() const noexcept { return text_; }

 private:
  enum class Op : uint8_t { lt, le, gt, ge, eq };
  struct Bound {
    Op op;
    Semver version;
  };
  struct Partial;
  using All = std::vector<Bound>;  // every one of them holds
  static bool parse_all(std::string_view text, All& out, std::string& error);
  static void add(All& out, std::string_view op, const Partial& p);

  std::string text_;
  std::vector<All> any_;  // one of them holds
};

}  // namespace mw::mesh::core
