#include "net/reply.hpp"

#include <boost/beast/http/status.hpp>

#include <cstdio>

namespace mw::net {

namespace {

// IMF-fixdate (RFC 9110 section 5.6.7); strftime would speak the host's locale.
std::string date(std::time_t now) {
  static constexpr char kDays[] = "SunMonTueWedThuFriSat";
  static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm t{};
  ::gmtime_r(&now, &t);
  char text[64];
  int n = std::snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", kDays + 3 * t.tm_wday, t.tm_mday,
                        kMonths + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return std::string(text, static_cast<size_t>(n));
}

}  // namespace

std::string compose(const Reply& r, bool head, std::time_t now) {
  auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(r.status));
  std::string s = "HTTP/1.1 " + std::to_string(r.status) + " ";
  s.append(reason.data(), reason.size());
  s += "\r\nDate: " + date(now) + "\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Type: " + r.type +
       "\r\nContent-Length: " + std::to_string(r.body.size()) + "\r\n" + r.headers + "\r\n";
  if (!head) s += r.body;
  return s;
}

Reply unavailable(std::string body, long retry_after_s) {
  Reply r;
  r.status = 503;
  r.body = std::move(body);
  r.headers = "Retry-After: " + std::to_string(retry_after_s) + "\r\n";
  return r;
}

}  // namespace mw::net
