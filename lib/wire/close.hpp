// Close frames and their codes (RFC 6455 5.5.1 and 7.4).
// Used by link and abi (mw_close checks codes). Pure; any thread.
// Codes we send and their named reasons are listed in PROTOCOL.md.
#pragma once
#include "base/utf8.hpp"
#include "wire/dialect.hpp"
#include "wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mw::wire {

inline constexpr size_t kMaxCloseReason = kMaxControl - 2;
inline constexpr uint16_t kNoStatus = 1005;  // a close frame without a code; never on the wire
inline constexpr uint16_t kAbnormal = 1006;  // no close frame came; never on the wire

// What may stand on the wire: 1000-1003 and 1007-1011 of the RFC, 1012-1014
// of the IANA registry, 3000-4999 for libraries and applications.
constexpr bool close_code_sendable(int32_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}
constexpr bool close_code_receivable(uint16_t code) noexcept { return close_code_sendable(code); }

// Splits the payload of a close frame; an empty one gives kNoStatus. The
// reason points into p. False: v tells why.
inline bool parse_close(const uint8_t* p, size_t n, uint16_t* code, std::string_view* reason,
                        Violation& v) noexcept {
  *code = kNoStatus;
  *reason = {};
  if (n == 0) return true;
  if (n == 1) {
    v = {1002, "close payload of one byte"};
    return false;
  }
  auto c = static_cast<uint16_t>(p[0] << 8 | p[1]);
  if (!close_code_receivable(c)) {
    v = {1002, "bad close code"};
    return false;
  }
  std::string_view text(reinterpret_cast<const char*>(p) + 2, n - 2);
  if (!base::utf8_valid(text)) {
    v = {1007, "close reason not UTF-8"};
    return false;
  }
  *code = c;
  *reason = text;
  return true;
}

// Writes the payload of a close frame to out (room for kMaxControl); its
// size. kNoStatus and 0 give an empty one. A longer reason is cut between
// characters.
inline size_t put_close(uint8_t* out, uint16_t code, std::string_view reason) noexcept {
  if (code == 0 || code == kNoStatus) return 0;
  size_t n = reason.size();
  if (n > kMaxCloseReason) {
    n = kMaxCloseReason;
    while (n > 0 && (static_cast<uint8_t>(reason[n]) & 0xC0) == 0x80) n--;
  }
  out[0] = static_cast<uint8_t>(code >> 8);
  out[1] = static_cast<uint8_t>(code);
  if (n != 0) std::memcpy(out + 2, reason.data(), n);
  return n + 2;
}

}  // namespace mw::wire
