// One TLS session over a memory BIO: bytes in, bytes out, no I/O. The control
// thread runs the handshake with it, then a lane the same pump.
// Used by net and link. One thread at a time; ERR_clear_error before each call.
#pragma once
#include "base/buffer.hpp"
#include "base/conf.hpp"
#include "base/result.hpp"

#include <memory>
#include <mutex>
#include <string>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;

namespace mw::net {

class TlsPsk;

// Prepares OpenSSL without an atexit handler and without reading environment
// variables. Must come before the process's first use of OpenSSL through us
// (Control does it); harmless when repeated.
void init_crypto() noexcept;

// Key, certificates and policy of one side, made from the tls.* options. A
// live change makes a new one; sessions keep the one they began with.
class TlsContext {
 public:
  // Errors: MW_EOPTION (a key is missing, a file unreadable, no number fits),
  // MW_ETLS (what was read is no good: mismatch, passphrase, expired).
  static base::Result<std::shared_ptr<TlsContext>> server(const base::Conf& conf);
  static base::Result<std::shared_ptr<TlsContext>> client(const base::Conf& conf);
  ~TlsContext();
  SSL_CTX* get() const noexcept { return ctx_; }

 private:
  friend class Tls;
  friend struct TlsPolicy;
  TlsContext() = default;
  // The client's last session, offered for resumption to the same host. Given
  // by whichever thread runs a pump.
  void keep(SSL_SESSION* session, std::string host) noexcept;
  void offer(SSL* ssl);

  SSL_CTX* ctx_ = nullptr;
  std::unique_ptr<TlsPsk> psk_;  // null: certificates
  std::string alpn_;  // a server's, as on the wire
  std::mutex mutex_;
  SSL_SESSION* session_ = nullptr;
  std::string session_host_;
};

class Tls {
 public:
  enum class Status : int8_t { ok, want_input, closed /* close_notify */, failed };
  // host: the name checked and sent (client); "" on a server.
  Tls(std::shared_ptr<TlsContext> ctx, bool server, const std::string& host);
  ~Tls();

  // Lends ciphertext to the session: a window that read() and handshake()
  // consume. Legal only when input_left() == 0.
  void give(const uint8_t* p, size_t n) noexcept { in_ = p, in_end_ = p + n; }
  size_t input_left() const noexcept { return static_cast<size_t>(in_end_ - in_); }
  const uint8_t* input() const noexcept { return in_; }
  void take_back() noexcept { in_ = in_end_ = nullptr; }  // the rest stays with the caller

  // Each call appends whatever the session wants to send to out, also on failure (alerts).
  Status handshake(base::Buffer& out);
  // Decrypts at most cap bytes to p; *n of them with ok.
  Status read(uint8_t* p, size_t cap, size_t* n, base::Buffer& out);
  // Encrypts all n bytes.
  bool write(const uint8_t* p, size_t n, base::Buffer& out);
  // Sends close_notify.
  void shutdown(base::Buffer& out);
  // Decrypted bytes inside the session that a poller cannot see.
  bool pending() const noexcept;

  base::Error error() const;            // why failed: MW_ETLS and a sentence
  bool resumed() const noexcept;
  // Of a verified certificate (RFC 2253), or "psk:" and the id of a shared secret, or "".
  std::string peer_subject() const;
  std::string alpn() const;
  std::string version() const;          // "TLSv1.3"
  SSL* get() const noexcept { return ssl_; }

 private:
  friend struct TlsBio;
  struct Call;                   // around each call into OpenSSL
  void check_and_resume(SSL* ssl, const std::string& host);
  Status verdict(int result);
  Status fail() noexcept;

  SSL* ssl_ = nullptr;
  const uint8_t* in_ = nullptr;
  const uint8_t* in_end_ = nullptr;
  base::Buffer* out_ = nullptr;  // during a call only
  std::shared_ptr<TlsContext> ctx_;
  uint8_t key_updates_ = 0;      // without data in between; more than 16 fail
  bool failed_ = false;          // for good
  unsigned long why_ = 0;        // OpenSSL's code of the failure
};

}  // namespace mw::net
