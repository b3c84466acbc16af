#include "net/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

namespace mw::net {

namespace {

constexpr int64_t kWeek = 7 * 24 * 3600;

// The three formats a recipient must take (RFC 9110 section 5.6.7); names of
// months are English whatever the locale.
std::optional<time_t> date(const char* s) noexcept {
  char month[4] = "";
  tm t{};
  const char* comma = std::strchr(s, ',');
  auto clock = [&] { return t.tm_hour < 24 && t.tm_min < 60 && t.tm_sec < 61; };
  if (comma != nullptr) {
    if (std::sscanf(comma, ", %2d %3s %4d %2d:%2d:%2d GMT", &t.tm_mday, month, &t.tm_year, &t.tm_hour, &t.tm_min,
                    &t.tm_sec) != 6) {
      if (std::sscanf(comma, ", %2d-%3s-%2d %2d:%2d:%2d GMT", &t.tm_mday, month, &t.tm_year, &t.tm_hour, &t.tm_min,
                      &t.tm_sec) != 6) {
        return {};
      }
      t.tm_year += t.tm_year < 70 ? 2000 : 1900;
    }
  } else if (std::sscanf(s, "%*3s %3s %2d %2d:%2d:%2d %4d", month, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec,
                         &t.tm_year) != 6) {
    return {};
  }
  static const char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const char* m = std::strlen(month) == 3 ? std::strstr(kMonths, month) : nullptr;
  if (m == nullptr || (m - kMonths) % 3 != 0 || t.tm_year < 1900 || t.tm_mday < 1 || t.tm_mday > 31 || !clock()) {
    return {};
  }
  t.tm_mon = static_cast<int>(m - kMonths) / 3;
  t.tm_year -= 1900;
  return ::timegm(&t);
}

}  // namespace

int64_t retry_after_ms(std::string_view value, time_t now) noexcept {
  if (value.empty()) return -1;
  int64_t seconds = 0;
  const char* end = value.data() + value.size();
  auto [p, ec] = std::from_chars(value.data(), end, seconds);
  if (ec == std::errc::result_out_of_range && p == end && value[0] != '-') return kWeek * 1000;
  if (p != end || seconds < 0) {
    char z[64] = "";
    if (value.size() >= sizeof z) return -1;
    std::memcpy(z, value.data(), value.size());
    auto t = date(z);
    if (!t) return -1;
    seconds = std::max<int64_t>(*t - now, 0);
  }
  return std::min(seconds, kWeek) * 1000;
}

}  // namespace mw::net
