// A secret that all of a mesh, a link's two ends or a LAN's hubs were given
// (option link.secret): stretched once with scrypt (RFC 7914), so that guessing
// it costs, and from there a key for each purpose by HKDF-SHA256 (RFC 5869).
// Hides OpenSSL. Used by net's TLS and LAN. Any thread.
#pragma once
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace mw::net {

class SharedSecret {
 public:
  // Takes some 100 ms of CPU and 32 MiB meanwhile; a secret that was stretched
  // lately in this process, nothing. Who asks for one that another thread
  // stretches now, waits for it. MW_ENOMEM.
  static base::Result<std::shared_ptr<const SharedSecret>> stretch(std::string_view secret);
  ~SharedSecret();

  // n bytes for one purpose and salt; false without memory.
  bool derive(std::string_view purpose, const void* salt, size_t salt_n, uint8_t* key, size_t n) const noexcept;

 private:
  SharedSecret() = default;
  uint8_t stretched_[32] = {};
};

}  // namespace mw::net
