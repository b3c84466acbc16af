#include "kit/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace kit {
namespace {

template <class T, void (*F)(T*)>
struct Free {
  void operator()(T* p) const { F(p); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Free<X509, X509_free>>;

void need(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL refused to make a test certificate");
}

template <class F>
std::string pem(F&& write) {
  std::unique_ptr<BIO, Free<BIO, BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  need(write(bio.get()) == 1);
  char* p = nullptr;
  auto n = BIO_get_mem_data(bio.get(), &p);
  return {p, static_cast<size_t>(n)};
}

void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, cert, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION, X509_EXTENSION_free>> ext(
      X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str()));
  need(ext && X509_add_ext(cert, ext.get(), -1) == 1);
}

// A certificate without its signature; issuer null: it will sign itself.
Cert blank(const std::string& name, EVP_PKEY* key, X509* issuer, int from, int to) {
  constexpr long kDay = 24 * 60 * 60;
  Cert cert(X509_new());
  uint8_t serial[8];
  need(RAND_bytes(serial, sizeof serial) == 1);
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 1);
  std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  need(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert.get())) != nullptr);
  need(X509_set_version(cert.get(), 2) == 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), from * kDay);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), to * kDay);
  X509_NAME* subject = X509_get_subject_name(cert.get());
  need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const uint8_t*>(name.c_str()), -1, -1, 0) == 1);
  need(X509_set_issuer_name(cert.get(), issuer ? X509_get_subject_name(issuer) : subject) == 1);
  need(X509_set_pubkey(cert.get(), key) == 1);
  return cert;
}

}  // namespace

struct Authority::Impl {
  Key key;
  Cert cert;
};

Authority::Authority(const std::string& name) : impl_(std::make_unique<Impl>()) {
  impl_->key.reset(EVP_EC_gen("P-256"));
  need(impl_->key != nullptr);
  impl_->cert = blank(name, impl_->key.get(), nullptr, -2, 365);
  X509* cert = impl_->cert.get();
  extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
  extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(cert, cert, NID_subject_key_identifier, "hash");
  need(X509_sign(cert, impl_->key.get(), EVP_sha256()) > 0);
}

Authority::~Authority() = default;

std::string Authority::cert() const {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, impl_->cert.get()); });
}

Certificate Authority::issue(const CertificateWish& wish) const {
  Key key(EVP_EC_gen("P-256"));
  need(key != nullptr);
  X509* issuer = impl_->cert.get();
  Cert cert = blank(wish.name, key.get(), issuer, wish.days_from, wish.days_to);
  extend(cert.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(cert.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  extend(cert.get(), issuer, NID_authority_key_identifier, "keyid");
  if (!wish.alt.empty()) extend(cert.get(), issuer, NID_subject_alt_name, wish.alt);
  need(X509_sign(cert.get(), impl_->key.get(), EVP_sha256()) > 0);

  Certificate out;
  out.cert = pem([&](BIO* bio) { return PEM_write_bio_X509(bio, cert.get()); });
  out.key = pem([&](BIO* bio) {
    auto* pass = reinterpret_cast<const uint8_t*>(wish.passphrase.data());
    bool plain = wish.passphrase.empty();
    return PEM_write_bio_PrivateKey(bio, key.get(), plain ? nullptr : EVP_aes_256_cbc(), plain ? nullptr : pass,
                                    static_cast<int>(wish.passphrase.size()), nullptr, nullptr);
  });
  return out;
}

}  // namespace kit
