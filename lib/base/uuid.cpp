#include "base/uuid.hpp"

#include <sys/random.h>

#include <cstdio>

namespace mw::base {

void uuid_make(std::span<uint8_t, 16> u) noexcept {
  (void)!getrandom(u.data(), u.size(), 0);
  u[6] = static_cast<uint8_t>((u[6] & 0x0f) | 0x40);  // version 4, variant 1
  u[8] = static_cast<uint8_t>((u[8] & 0x3f) | 0x80);
}

std::string uuid_text(const uint8_t* u) {
  char id[37];
  std::snprintf(id, sizeof id, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
                u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
  return id;
}

}  // namespace mw::base
