#include "net/tls.hpp"

#include "base/choices.hpp"
#include "net/pem.hpp"
#include "net/tls_psk.hpp"
#include "net/tls_text.hpp"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <mutex>
#include <new>
#include <span>

namespace mw::net {

using base::Opt;

void init_crypto() noexcept {
  static std::once_flag once;
  std::call_once(once, [] {
    // The system's openssl.cnf by its path, so that OPENSSL_CONF is not asked
    // for; a file that is missing or broken is passed over.
    OPENSSL_INIT_SETTINGS* settings = ::OPENSSL_INIT_new();
    if (const char* dir = ::OPENSSL_info(OPENSSL_INFO_CONFIG_DIR); settings != nullptr && dir != nullptr) {
      char path[4096];
      std::snprintf(path, sizeof path, "%s/openssl.cnf", dir);
      ::OPENSSL_INIT_set_config_filename(settings, path);
      ::OPENSSL_INIT_set_config_file_flags(settings, CONF_MFLAGS_IGNORE_MISSING_FILE | CONF_MFLAGS_IGNORE_ERRORS);
    }
    ::OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_CONFIG, settings);
    ::OPENSSL_INIT_free(settings);
  });
}

// The tls.* options put into an SSL_CTX, step by step.
struct TlsPolicy {
  using Made = base::Result<std::shared_ptr<TlsContext>>;
  using Done = base::Result<void>;

  static Made make(const base::Conf& conf, bool server) {
    init_crypto();
    std::shared_ptr<TlsContext> made(new TlsContext);
    made->ctx_ = ::SSL_CTX_new(::TLS_method());
    if (made->ctx_ == nullptr) return base::Error{MW_ENOMEM, 0, "no memory for TLS"};
    TlsPolicy p{conf, *made, made->ctx_, server};
    using Step = Done (TlsPolicy::*)();
    static constexpr Step kCertified[] = {&TlsPolicy::basics, &TlsPolicy::versions, &TlsPolicy::own, &TlsPolicy::trust,
                                          &TlsPolicy::dh,     &TlsPolicy::alpn,     &TlsPolicy::sessions};
    static constexpr Step kShared[] = {&TlsPolicy::basics, &TlsPolicy::secret, &TlsPolicy::alpn};
    for (Step step : TlsPsk::wanted(conf) ? std::span<const Step>(kShared) : std::span<const Step>(kCertified)) {
      Done d = (p.*step)();
      ::ERR_clear_error();
      if (!d) return d.error();
    }
    return made;
  }

  // A shared secret instead of certificates.
  Done secret() {
    for (Opt id : {Opt::tls_key_file, Opt::tls_key, Opt::tls_cert_file, Opt::tls_cert, Opt::tls_ca_file, Opt::tls_ca}) {
      if (!conf.text(id).empty())
        return base::Error{MW_EOPTION, 0, "link.secret takes the place of keys and certificates: set one or the other"};
    }
    context.psk_ = std::make_unique<TlsPsk>(conf);
    return context.psk_->apply(ctx, server);
  }

  Done basics() {
    if (conf.num(Opt::tls_low_memory) != 0) ::SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    ::SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Of TLS 1.2 only what is authenticated and forward secret.
    if (::SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20") != 1) {
      return base::Error{MW_ETLS, 0, "this OpenSSL has none of the ciphers needed"};
    }
    return {};
  }

  Done versions() {
    bool only13 = base::tls_min_version(conf) == base::TlsVersion::v1_3;
    if (::SSL_CTX_set_min_proto_version(ctx, only13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1) {
      return base::Error{MW_ETLS, 0, "this OpenSSL does not speak tls.min_version"};
    }
    return {};
  }

  // Key and certificate: a server must have both, a client both or none.
  Done own() {
    auto key_pem = read_pem(conf, Opt::tls_key_file, "tls.key_file", Opt::tls_key, "tls.key");
    if (!key_pem) return key_pem.error();
    auto cert_pem = read_pem(conf, Opt::tls_cert_file, "tls.cert_file", Opt::tls_cert, "tls.cert");
    if (!cert_pem) return cert_pem.error();
    if (key_pem->empty() && cert_pem->empty()) {
      if (server) return base::Error{MW_EOPTION, 0, "TLS needs tls.key_file and tls.cert_file"};
      if (base::tls_verify(conf) == base::Verify::mutual) {
        return base::Error{MW_EOPTION, 0, "tls.verify=mutual needs tls.key_file and tls.cert_file of our own"};
      }
      return {};
    }
    if (cert_pem->empty()) return base::Error{MW_EOPTION, 0, key_pem->from + " is set without tls.cert_file"};
    if (key_pem->empty()) return base::Error{MW_EOPTION, 0, cert_pem->from + " is set without tls.key_file"};

    auto chain = certificates_of(*cert_pem);
    if (!chain) return chain.error();
    auto key = key_of(*key_pem, conf.text(Opt::tls_passphrase));
    if (!key) return key.error();
    X509* leaf = chain->front().get();
    if (::X509_check_private_key(leaf, key->get()) != 1) {
      return base::Error{MW_ETLS, 0, key_pem->from + " is not the key of " + cert_pem->from};
    }
    if (::X509_cmp_current_time(::X509_get0_notAfter(leaf)) < 0) {
      return base::Error{MW_ETLS, 0, cert_pem->from + " has expired; renew it"};
    }
    if (::SSL_CTX_use_certificate(ctx, leaf) != 1) {
      return base::Error{MW_ETLS, 0, cert_pem->from + " is refused: " + reason()};
    }
    for (size_t i = 1; i < chain->size(); ++i) {
      if (::SSL_CTX_add1_chain_cert(ctx, (*chain)[i].get()) != 1) throw std::bad_alloc();
    }
    if (::SSL_CTX_use_PrivateKey(ctx, key->get()) != 1) {
      return base::Error{MW_ETLS, 0, key_pem->from + " is refused: " + reason()};
    }
    return {};
  }

  Done trust() {
    auto verify = base::tls_verify(conf);
    int mode = SSL_VERIFY_NONE;
    if (server && verify == base::Verify::mutual) mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (!server && verify != base::Verify::none) mode = SSL_VERIFY_PEER;
    ::SSL_CTX_set_verify(ctx, mode, nullptr);

    auto pem = read_pem(conf, Opt::tls_ca_file, "tls.ca_file", Opt::tls_ca, "tls.ca");
    if (!pem) return pem.error();
    if (pem->empty()) {
      if (mode == SSL_VERIFY_NONE) return {};
      if (server) return base::Error{MW_EOPTION, 0, "tls.verify=mutual needs tls.ca_file: whose certificates are believed"};
      // By path: the default functions ask the environment.
      ::SSL_CTX_load_verify_file(ctx, ::X509_get_default_cert_file());
      ::SSL_CTX_load_verify_dir(ctx, ::X509_get_default_cert_dir());
      return {};
    }
    auto all = certificates_of(*pem);
    if (!all) return all.error();
    for (auto& x : *all) {
      if (::X509_STORE_add_cert(::SSL_CTX_get_cert_store(ctx), x.get()) != 1) throw std::bad_alloc();
      if (server && ::SSL_CTX_add_client_CA(ctx, x.get()) != 1) throw std::bad_alloc();
    }
    return {};
  }

  Done dh() {
    if (!server) return {};
    auto pem = read_pem(conf, Opt::tls_dh_file, "tls.dh_file", Opt::count_, "");
    if (!pem) return pem.error();
    if (pem->empty()) {
      ::SSL_CTX_set_dh_auto(ctx, 1);
      return {};
    }
    auto params = dh_of(*pem);
    if (!params) return params.error();
    if (::SSL_CTX_set0_tmp_dh_pkey(ctx, params->get()) != 1) {
      return base::Error{MW_ETLS, 0, pem->from + " is refused: " + reason()};
    }
    params->release();
    return {};
  }

  Done alpn() {
    std::string wire;  // RFC 7301: each name after its length
    for (const std::string& name : conf.list(Opt::tls_alpn)) {
      if (name.empty() || name.size() > 255) return base::Error{MW_EOPTION, 0, "tls.alpn: a name has 1 to 255 bytes"};
      wire += static_cast<char>(name.size());
      wire += name;
    }
    context.alpn_ = wire;
    if (wire.empty()) return {};
    auto* p = reinterpret_cast<const unsigned char*>(wire.data());
    if (server) {
      ::SSL_CTX_set_alpn_select_cb(ctx, select, &context);
    } else if (::SSL_CTX_set_alpn_protos(ctx, p, static_cast<unsigned>(wire.size())) != 0) {
      throw std::bad_alloc();
    }
    return {};
  }

  Done sessions() {
    if (SSL_CTX_set_app_data(ctx, &context) != 1) throw std::bad_alloc();
    if (server) {
      // Tickets only: a table of sessions would grow with the clients. One is
      // enough, ours keep the last.
      ::SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
      ::SSL_CTX_set_num_tickets(ctx, 1);
      static const unsigned char kId[] = "meshwork";  // needed for resuming with client certificates
      ::SSL_CTX_set_session_id_context(ctx, kId, sizeof kId - 1);
    } else {
      ::SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
      ::SSL_CTX_sess_set_new_cb(ctx, keep);
    }
    return {};
  }

  // The server's order decides (RFC 7301 section 3.2).
  static int select(SSL*, const unsigned char** out, unsigned char* n, const unsigned char* in, unsigned len, void* p) {
    const std::string& ours = static_cast<TlsContext*>(p)->alpn_;
    auto* o = reinterpret_cast<const unsigned char*>(ours.data());
    unsigned char* chosen = nullptr;
    int r = ::SSL_select_next_proto(&chosen, n, o, static_cast<unsigned>(ours.size()), in, len);
    *out = chosen;
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  // On whichever thread pumps; only stores.
  static int keep(SSL* ssl, SSL_SESSION* session) {
    auto* context = static_cast<TlsContext*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
    try {
      context->keep(session, checked_name(ssl));
    } catch (const std::bad_alloc&) {
      return 0;
    }
    return 1;
  }

  static std::string reason() {
    const char* text = ::ERR_reason_error_string(::ERR_peek_last_error());
    return text != nullptr ? text : "unknown";
  }

  const base::Conf& conf;
  TlsContext& context;
  SSL_CTX* ctx;
  bool server;
};

TlsPolicy::Made TlsContext::server(const base::Conf& conf) { return TlsPolicy::make(conf, true); }
TlsPolicy::Made TlsContext::client(const base::Conf& conf) { return TlsPolicy::make(conf, false); }

TlsContext::~TlsContext() {
  ::SSL_SESSION_free(session_);
  ::SSL_CTX_free(ctx_);
}

void TlsContext::keep(SSL_SESSION* session, std::string host) noexcept {
  std::lock_guard lock(mutex_);
  std::swap(session_, session);
  session_host_ = std::move(host);
  ::SSL_SESSION_free(session);  // the one before
}

void TlsContext::offer(SSL* ssl) {
  std::string host = checked_name(ssl);
  std::lock_guard lock(mutex_);
  if (session_ != nullptr && session_host_ == host && ::SSL_SESSION_is_resumable(session_)) {
    ::SSL_set_session(ssl, session_);
  }
}

}  // namespace mw::net
