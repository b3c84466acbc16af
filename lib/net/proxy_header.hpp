// Who really connected, as trusted proxies tell it: the PROXY protocol's
// version 2 header before everything else, and X-Forwarded-For.
// For net's listener. Pure; any thread.
#pragma once
#include "net/address.hpp"

#include <span>
#include <string_view>

namespace mw::net {

// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2.
struct ProxyHeader {
  static constexpr uint8_t kFirst = 0x0d;    // neither TLS nor HTTP begins with it
  static constexpr size_t kFixed = 16;       // signature, command, family, length
  static constexpr size_t kMaxRest = 2048;   // addresses and extensions

  // Bytes that follow the first 16, or nothing if those are no such header.
  static std::optional<size_t> rest(std::span<const uint8_t, kFixed> head) noexcept;
  // The whole header: the client's address; family none where the proxy speaks
  // for itself (health checks) or does not know. Nothing: broken.
  static std::optional<Address> client(std::span<const uint8_t> whole) noexcept;
};

// The right-most address of X-Forwarded-For that is not a trusted proxy's.
// near: who sent the request; only believed where that is trusted. list: the
// header's values, joined by commas in their order.
Address forwarded_for(std::string_view list, const Address& near, const Networks& trusted) noexcept;

}  // namespace mw::net
