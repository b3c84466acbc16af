#include "base/result.hpp"

#include "base/status.hpp"

#include <cstring>
#include <string_view>

namespace mw::base {

static_assert(sizeof(mw_error) == 256, "mw_error is frozen");
static_assert(sizeof(mw_event) == 64, "mw_event is frozen");

mw_status fill(mw_error* err, const Error& e) noexcept {
  if (err == nullptr) return e.code;
  std::string_view text = e.text.empty() ? std::string_view(status_text(e.code)) : std::string_view(e.text);
  size_t n = text.size();
  if (n > sizeof err->text - 1) {
    n = sizeof err->text - 1;
    // Cut between characters: never inside a UTF-8 sequence.
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) --n;
  }
  err->code = e.code;
  err->flags = (status_flags(e.code) & ~uint32_t{MW_SF_SYSTEM}) | (e.os != 0 ? uint32_t{MW_SF_SYSTEM} : 0);
  err->os = e.os;
  err->text_len = static_cast<uint32_t>(n);
  std::memcpy(err->text, text.data(), n);
  err->text[n] = '\0';
  return e.code;
}

}  // namespace mw::base
