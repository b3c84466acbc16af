// Keys and certificates out of PEM text, each failure told by option.
// Used by net's tls_context. Any thread.
#pragma once
#include "base/conf.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace mw::net {

struct FreeSsl {
  void operator()(EVP_PKEY* p) const noexcept { ::EVP_PKEY_free(p); }
  void operator()(X509* p) const noexcept { ::X509_free(p); }
  void operator()(BIO* p) const noexcept { ::BIO_free(p); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeSsl>;
using CertPtr = std::unique_ptr<X509, FreeSsl>;

// PEM of an option pair such as tls.key_file and tls.key; the text wins.
// Wiped when it goes.
struct Pem {
  std::string text;
  std::string from;  // "tls.key_file \"x.pem\"" or "tls.key"
  Pem() = default;
  Pem(Pem&&) = default;
  Pem& operator=(Pem&&) = default;
  ~Pem();
  bool empty() const noexcept { return text.empty(); }
};
// MW_EOPTION where the file cannot be read. Empty where neither is set.
// text: Opt::count_ where there is a file only.
base::Result<Pem> read_pem(const base::Conf& conf, base::Opt file, const char* file_key, base::Opt text,
                           const char* text_key);

// MW_ETLS: no key in it, a passphrase is needed, or it is the wrong one.
base::Result<KeyPtr> key_of(const Pem& pem, const std::string& passphrase);
// At least one certificate, in order; MW_ETLS.
base::Result<std::vector<CertPtr>> certificates_of(const Pem& pem);
// Diffie-Hellman parameters; MW_ETLS.
base::Result<KeyPtr> dh_of(const Pem& pem);

}  // namespace mw::net
