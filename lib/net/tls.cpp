#include "net/tls.hpp"

#include "net/tls_psk.hpp"
#include "net/tls_text.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <new>

#include <arpa/inet.h>

namespace mw::net {

namespace {

// More than these in a row are an attack on the other side's processor.
constexpr uint8_t kMaxKeyUpdates = 16;

bool is_ip(const std::string& host) {
  in6_addr ip;
  return ::inet_pton(AF_INET, host.c_str(), &ip) == 1 || ::inet_pton(AF_INET6, host.c_str(), &ip) == 1;
}

}  // namespace

// The memory BIO: reads from the lent window, writes to the caller's buffer.
struct TlsBio {
  static Tls* of(BIO* b) { return static_cast<Tls*>(::BIO_get_data(b)); }

  static int read(BIO* b, char* p, size_t cap, size_t* n) {
    Tls* t = of(b);
    ::BIO_clear_retry_flags(b);
    *n = std::min(cap, t->input_left());
    if (*n == 0) {
      ::BIO_set_retry_read(b);
      return 0;
    }
    std::memcpy(p, t->in_, *n);  // copy_n of unlike types goes byte by byte
    t->in_ += *n;
    return 1;
  }

  static int write(BIO* b, const char* p, size_t len, size_t* n) {
    Tls* t = of(b);
    ::BIO_clear_retry_flags(b);
    *n = 0;
    if (t->out_ == nullptr) return 0;
    try {
      t->out_->append(p, len);
    } catch (const std::bad_alloc&) {
      return 0;  // C code is above us
    }
    *n = len;
    return 1;
  }

  static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {  // never freed: no atexit
      BIO_METHOD* m = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "meshwork");
      if (m == nullptr) throw std::bad_alloc();
      ::BIO_meth_set_read_ex(m, read);
      ::BIO_meth_set_write_ex(m, write);
      ::BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }

  // Called for each protocol message; counts KeyUpdate (RFC 8446 section 4.6.3).
  static void message(int sent, int, int type, const void* p, size_t n, SSL*, void* tls) {
    if (sent || type != SSL3_RT_HANDSHAKE || n == 0) return;
    if (*static_cast<const uint8_t*>(p) != SSL3_MT_KEY_UPDATE) return;
    auto* t = static_cast<Tls*>(tls);
    if (t->key_updates_ <= kMaxKeyUpdates) ++t->key_updates_;
  }
};

struct Tls::Call {
  Call(Tls& tls, base::Buffer& out) : t(tls) {
    t.out_ = &out;
    forget();
  }
  ~Call() {
    t.out_ = nullptr;
    forget();  // a host that shares OpenSSL must not find our errors
  }
  // Clearing walks every entry of the queue, about a fifth of what a small message costs; looking does not.
  static void forget() {
    if (::ERR_peek_error() != 0) ::ERR_clear_error();
  }
  Tls& t;
};

Tls::Tls(std::shared_ptr<TlsContext> ctx, bool server, const std::string& host) : ctx_(std::move(ctx)) {
  struct Free {
    void operator()(SSL* s) const noexcept { ::SSL_free(s); }
  };
  std::unique_ptr<SSL, Free> made(::SSL_new(ctx_->get()));
  BIO* bio = made != nullptr ? ::BIO_new(TlsBio::method()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  ::BIO_set_data(bio, this);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(made.get(), bio, bio);
  ::SSL_set_msg_callback(made.get(), TlsBio::message);
  SSL_set_msg_callback_arg(made.get(), this);  // app data would cost an idle connection 96 bytes more
  server ? ::SSL_set_accept_state(made.get()) : ::SSL_set_connect_state(made.get());
  if (!server) check_and_resume(made.get(), host);
  ssl_ = made.release();
}

// A client's: whose certificate is wanted, and the session to go on with.
void Tls::check_and_resume(SSL* ssl, const std::string& host) {
  std::string name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  bool ip = is_ip(name);
  X509_VERIFY_PARAM* param = ::SSL_get0_param(ssl);
  ::X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool set = ip ? ::X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1
                : ::X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1 &&
                      SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;  // RFC 6066: no addresses
  if (!set) throw std::bad_alloc();  // never go on without the check
  ctx_->offer(ssl);
}

Tls::~Tls() {
  // A session whose connection was merely cut may still be resumed (RFC 5246
  // section 7.2.1); OpenSSL would forget it. One that failed is forgotten.
  if (!failed_) ::SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN);
  ::SSL_free(ssl_);
}

Tls::Status Tls::handshake(base::Buffer& out) {
  if (failed_) return Status::failed;
  Call call(*this, out);
  return verdict(::SSL_do_handshake(ssl_));
}

Tls::Status Tls::read(uint8_t* p, size_t cap, size_t* n, base::Buffer& out) {
  *n = 0;
  if (failed_) return Status::failed;
  if (cap == 0) return Status::ok;
  Call call(*this, out);
  int result = ::SSL_read_ex(ssl_, p, cap, n);
  if (key_updates_ > kMaxKeyUpdates) {
    why_ = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TOO_MANY_KEY_UPDATES);
    return fail();
  }
  if (result == 1) key_updates_ = 0;
  return verdict(result);
}

bool Tls::write(const uint8_t* p, size_t n, base::Buffer& out) {
  if (failed_) return false;
  if (n == 0) return true;
  Call call(*this, out);
  size_t done = 0;
  int result = ::SSL_write_ex(ssl_, p, n, &done);
  return verdict(result) == Status::ok;
}

void Tls::shutdown(base::Buffer& out) {
  if (failed_ || ::SSL_in_init(ssl_)) return;
  Call call(*this, out);
  ::SSL_shutdown(ssl_);
}

bool Tls::pending() const noexcept { return ::SSL_pending(ssl_) > 0; }

Tls::Status Tls::verdict(int result) {
  if (result == 1) return Status::ok;
  switch (::SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Status::want_input;
    case SSL_ERROR_ZERO_RETURN: return Status::closed;
    default:
      // The first one of the TLS layer itself tells most.
      while (unsigned long e = ::ERR_get_error()) {
        if (why_ == 0 || (ERR_GET_LIB(why_) != ERR_LIB_SSL && ERR_GET_LIB(e) == ERR_LIB_SSL)) why_ = e;
      }
      return fail();
  }
}

Tls::Status Tls::fail() noexcept {
  failed_ = true;
  return Status::failed;
}

base::Error Tls::error() const {
  // The alerts that tell it are many: no key of this name, another key, a certificate instead.
  if (ctx_->psk_ && !::SSL_is_init_finished(ssl_) && ERR_GET_LIB(why_) == ERR_LIB_SSL)
    return {MW_ETLS, 0, "the two sides do not share link.secret and link.key_id"};
  return {MW_ETLS, 0, tls_failure_text(why_, ::SSL_get_verify_result(ssl_), ::SSL_is_server(ssl_) != 0, checked_name(ssl_))};
}

bool Tls::resumed() const noexcept { return ::SSL_session_reused(ssl_) == 1; }

std::string Tls::peer_subject() const {
  if (ctx_->psk_ && ::SSL_is_init_finished(ssl_)) return "psk:" + ctx_->psk_->proved(ssl_);
  X509* x = ::SSL_get0_peer_certificate(ssl_);
  if (x == nullptr || ::SSL_get_verify_mode(ssl_) == SSL_VERIFY_NONE || ::SSL_get_verify_result(ssl_) != X509_V_OK) {
    return {};
  }
  BIO* text = ::BIO_new(::BIO_s_mem());
  if (text == nullptr) throw std::bad_alloc();
  ::X509_NAME_print_ex(text, ::X509_get_subject_name(x), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* p = nullptr;
  long n = BIO_get_mem_data(text, &p);
  std::string subject(p, static_cast<size_t>(std::max(n, 0L)));
  ::BIO_free(text);
  return subject;
}

std::string Tls::alpn() const {
  const unsigned char* p = nullptr;
  unsigned n = 0;
  ::SSL_get0_alpn_selected(ssl_, &p, &n);
  return {reinterpret_cast<const char*>(p), n};
}

std::string Tls::version() const { return ::SSL_get_version(ssl_); }

}  // namespace mw::net
