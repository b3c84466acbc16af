#include "net/tls_psk.hpp"

#include "base/json.hpp"
#include "base/secret.hpp"
#include "net/shared_secret.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <new>
#include <string_view>

namespace mw::net {

using base::Opt;

namespace {

// The one cipher suite, so that the key's hash is known before the handshake.
constexpr const char* kSuite = "TLS_AES_256_GCM_SHA384";
constexpr unsigned char kSuiteId[] = {0x13, 0x02};
int psk_index() noexcept {
  static const int index = ::SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
// Of a session: the Secret it was offered.
int proved_index() noexcept {
  static const int index = ::SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

struct TlsPskCallbacks {
  static TlsPsk& of(SSL* ssl) noexcept {
    return *static_cast<TlsPsk*>(::SSL_CTX_get_ex_data(::SSL_get_SSL_CTX(ssl), psk_index()));
  }

  static SSL_SESSION* session(SSL* ssl, TlsPsk& psk, TlsPsk::Secret& secret) noexcept {
    const uint8_t* key = ::SSL_set_ex_data(ssl, proved_index(), &secret) == 1 ? psk.key(secret) : nullptr;
    SSL_SESSION* s = key != nullptr ? ::SSL_SESSION_new() : nullptr;
    const SSL_CIPHER* cipher = ::SSL_CIPHER_find(ssl, kSuiteId);
    if (s != nullptr && cipher != nullptr && ::SSL_SESSION_set1_master_key(s, key, TlsPsk::kKey) == 1 &&
        ::SSL_SESSION_set_cipher(s, cipher) == 1 && ::SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) == 1)
      return s;
    ::SSL_SESSION_free(s);
    return nullptr;
  }

  // A client offers the key.
  static int use(SSL* ssl, const EVP_MD* md, const unsigned char** id, size_t* id_n, SSL_SESSION** out) {
    TlsPsk& psk = of(ssl);
    *out = nullptr;
    if (md != nullptr && ::EVP_MD_get_type(md) != NID_sha384) return 0;
    TlsPsk::Secret& secret = psk.secrets_.front();
    *id = reinterpret_cast<const unsigned char*>(secret.id.data());
    *id_n = secret.id.size();
    *out = session(ssl, psk, secret);
    return *out != nullptr;
  }

  // A server looks for the key that a client named.
  static int find(SSL* ssl, const unsigned char* id, size_t id_n, SSL_SESSION** out) {
    TlsPsk& psk = of(ssl);
    *out = nullptr;
    TlsPsk::Secret* secret = psk.find({reinterpret_cast<const char*>(id), id_n});
    if (secret == nullptr) return 1;
    *out = session(ssl, psk, *secret);
    return *out != nullptr;
  }

  // Whoever shows a certificate has not proved the key.
  static int refuse(X509_STORE_CTX* store, void*) {
    ::X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
};

bool TlsPsk::wanted(const base::Conf& conf) noexcept {
  return !conf.text(Opt::link_secret).empty() || !conf.text(Opt::link_secrets).empty();
}

TlsPsk::TlsPsk(const base::Conf& conf) {
  auto add = [this](std::string_view id, std::string_view secret) {
    if (find(id) != nullptr) return;
    Secret& s = secrets_.emplace_back();
    s.id = id;
    s.secret = secret;
  };
  if (const std::string& one = conf.text(Opt::link_secret); !one.empty()) add(conf.text(Opt::link_key_id), one);
  if (const std::string& more = conf.text(Opt::link_secrets); !more.empty())
    if (auto parsed = base::Json::parse(more))  // was checked when set
      parsed->root().each([&](std::string_view id, base::JsonValue secret) {
        add(id, secret.text());
        return true;
      });
}

TlsPsk::~TlsPsk() = default;

TlsPsk::Secret::~Secret() {
  base::wipe(secret);
  ::OPENSSL_cleanse(key, sizeof key);
}

TlsPsk::Secret* TlsPsk::find(std::string_view id) noexcept {
  for (Secret& s : secrets_)
    if (s.id == id) return &s;
  return nullptr;
}

std::string TlsPsk::proved(SSL* ssl) const {
  const auto* secret = static_cast<const Secret*>(::SSL_get_ex_data(ssl, proved_index()));
  return secret != nullptr ? secret->id : std::string();
}

const uint8_t* TlsPsk::key(Secret& s) noexcept try {
  std::lock_guard lock(mutex_);
  if (!s.stretched) {
    auto secret = SharedSecret::stretch(s.secret);
    if (!secret || !(*secret)->derive("meshwork tls psk 1", s.id.data(), s.id.size(), s.key, kKey)) return nullptr;
    base::wipe(s.secret);
    s.stretched = true;
  }
  return s.key;
} catch (const std::bad_alloc&) {
  return nullptr;
}

base::Result<void> TlsPsk::apply(SSL_CTX* ctx, bool server) {
  if (::SSL_CTX_set_ex_data(ctx, psk_index(), this) != 1) throw std::bad_alloc();
  if (::SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 || ::SSL_CTX_set_ciphersuites(ctx, kSuite) != 1)
    return base::Error{MW_ETLS, 0, "this OpenSSL does not speak TLS 1.3, which link.secret needs"};
  // A ticket would go on proving membership after the secret was changed.
  ::SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  if (server) {
    ::SSL_CTX_set_num_tickets(ctx, 0);
    ::SSL_CTX_set_psk_find_session_callback(ctx, TlsPskCallbacks::find);
  } else {
    ::SSL_CTX_set_psk_use_session_callback(ctx, TlsPskCallbacks::use);
    ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    ::SSL_CTX_set_cert_verify_callback(ctx, TlsPskCallbacks::refuse, nullptr);
  }
  return {};
}

}  // namespace mw::net
