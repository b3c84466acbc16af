// TLS without I/O of its own: an SSL whose BIO reads and writes the buffers of the loop that owns it.
// Used by the TLS ceiling and the load generator, so that neither end makes a system call a record.
// One thread.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace mw::bench {

inline SSL_CTX* tls_context(bool server, const std::string& cert = "", const std::string& key = "") {
  SSL_CTX* ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
  if (server && (SSL_CTX_use_certificate_chain_file(ctx, cert.c_str()) != 1 ||
                 SSL_CTX_use_PrivateKey_file(ctx, key.c_str(), SSL_FILETYPE_PEM) != 1)) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  return ctx;
}

// Ciphertext of one loop: what recv gave, and what send shall take.
struct Ciphertext {
  const uint8_t* in = nullptr;
  size_t left = 0;
  std::string out;
};

class TlsSession {
 public:
  TlsSession(SSL_CTX* ctx, bool server, Ciphertext& wire) : ssl_(SSL_new(ctx)) {
    BIO* bio = BIO_new(method());
    BIO_set_data(bio, &wire);
    SSL_set_bio(ssl_, bio, bio);
    server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
  }
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession() { SSL_free(ssl_); }

  // 1: done; 0: more ciphertext is needed; -1: failed.
  int handshake() { return verdict(SSL_do_handshake(ssl_)); }

  // Decrypts all there is, at most room bytes; -1: the session is over.
  ssize_t read(uint8_t* p, size_t room) {
    size_t have = 0;
    while (have < room) {
      const int n = SSL_read(ssl_, p + have, static_cast<int>(room - have));
      if (n <= 0) return verdict(n) == 0 ? static_cast<ssize_t>(have) : -1;
      have += static_cast<size_t>(n);
    }
    return static_cast<ssize_t>(have);
  }

  // Encrypts all of it, in records as large as they may be.
  bool write(const uint8_t* p, size_t n) { return n == 0 || SSL_write(ssl_, p, static_cast<int>(n)) > 0; }

 private:
  int verdict(int result) {
    if (result > 0) return 1;
    return SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ ? 0 : -1;
  }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "loop buffers");
      BIO_meth_set_create(m, [](BIO* b) { return BIO_set_init(b, 1), 1; });
      BIO_meth_set_ctrl(m, [](BIO*, int what, long, void*) -> long { return what == BIO_CTRL_FLUSH; });
      BIO_meth_set_read(m, [](BIO* b, char* p, int room) -> int {
        auto* wire = static_cast<Ciphertext*>(BIO_get_data(b));
        BIO_clear_retry_flags(b);
        if (wire->left == 0) return BIO_set_retry_read(b), -1;
        const size_t n = std::min(wire->left, static_cast<size_t>(room));
        std::memcpy(p, wire->in, n);
        wire->in += n;
        wire->left -= n;
        return static_cast<int>(n);
      });
      BIO_meth_set_write(m, [](BIO* b, const char* p, int n) -> int {
        static_cast<Ciphertext*>(BIO_get_data(b))->out.append(p, static_cast<size_t>(n));
        return n;
      });
      return m;
    }();
    return made;
  }

  SSL* ssl_;
};

}  // namespace mw::bench
