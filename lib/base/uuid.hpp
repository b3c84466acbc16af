// Random identifiers: RFC 9562, version 4. Used by net, link and mesh for peers and members.
// Any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace mw::base {

void uuid_make(std::span<uint8_t, 16> out) noexcept;
std::string uuid_text(const uint8_t* uuid);  // 16 bytes, as 8-4-4-4-12 hexadecimal digits

}  // namespace mw::base
