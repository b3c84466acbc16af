// TLS 1.3 with a shared secret instead of certificates: an external pre-shared
// key (RFC 8446 2.2, 4.2.11) with an ephemeral key exchange, so that what was
// recorded stays secret when the key is lost. Both ends prove that they have it. A server may take several, each by its id.
// Used by net's TLS context. Callbacks: whichever thread runs the handshake.
#pragma once
#include "base/conf.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace mw::net {

class TlsPsk {
 public:
  static constexpr size_t kKey = 48;  // bytes
  static bool wanted(const base::Conf& conf) noexcept;  // link.secret or link.secrets is set
  explicit TlsPsk(const base::Conf& conf);
  ~TlsPsk();
  // Takes nothing but this key from now on: no certificate, no session ticket.
  // The psk must outlive ctx.
  base::Result<void> apply(SSL_CTX* ctx, bool server);
  // The id of the key that both ends of a session proved.
  std::string proved(SSL* ssl) const;

 private:
  friend struct TlsPskCallbacks;
  struct Secret {
    ~Secret();
    std::string id, secret;
    bool stretched = false;
    uint8_t key[kKey] = {};
  };
  // A secret stretched, by its first handshake: it takes some 100 ms, which
  // no caller should wait for. Null without memory.
  const uint8_t* key(Secret& s) noexcept;
  Secret* find(std::string_view id) noexcept;
  std::deque<Secret> secrets_;  // link.secret first, where it is set
  std::mutex mutex_;            // of their keys
};

}  // namespace mw::net
