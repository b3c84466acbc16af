// TLS 1.3 with a shared secret instead of certificates: an external pre-shared
// key (RFC 8446 2.2, 4.2.11) with an ephemeral key exchange, so that what was
// recorded stays secret when the key is lost. Both ends prove that they have it.
// Used by net's TLS context. Callbacks: whichever thread runs the handshake.
#pragma once
#include "base/conf.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <mutex>
#include <string>

typedef struct ssl_ctx_st SSL_CTX;

namespace mw::net {

class TlsPsk {
 public:
  static constexpr size_t kKey = 48;  // bytes
  static bool wanted(const base::Conf& conf) noexcept;  // link.secret is set
  explicit TlsPsk(const base::Conf& conf);
  ~TlsPsk();
  // Takes nothing but this key from now on: no certificate, no session ticket.
  // The psk must outlive ctx.
  base::Result<void> apply(SSL_CTX* ctx, bool server);
  const std::string& key_id() const noexcept { return key_id_; }

 private:
  friend struct TlsPskCallbacks;
  // The secret stretched, by the first handshake: it takes some 100 ms, which
  // no caller should wait for. Null without memory.
  const uint8_t* key() noexcept;
  std::string secret_;
  const std::string key_id_;
  std::mutex mutex_;  // of key_
  bool stretched_ = false;
  uint8_t key_[kKey] = {};
};

}  // namespace mw::net
