#include "net/shared_secret.hpp"

#include "net/tls.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

namespace mw::net {

namespace {

constexpr std::string_view kSalt = "meshwork shared secret 1";
constexpr uint64_t kN = 1 << 15, kR = 8, kP = 1, kMemory = 64 << 20;

}  // namespace

base::Result<std::shared_ptr<const SharedSecret>> SharedSecret::stretch(std::string_view secret) {
  init_crypto();
  std::shared_ptr<SharedSecret> made(new SharedSecret);
  int ok = ::EVP_PBE_scrypt(secret.data(), secret.size(), reinterpret_cast<const uint8_t*>(kSalt.data()), kSalt.size(),
                            kN, kR, kP, kMemory, made->stretched_, sizeof made->stretched_);
  ::ERR_clear_error();
  if (ok != 1) return base::Error{MW_ENOMEM, 0, "no memory to stretch link.secret"};
  return std::shared_ptr<const SharedSecret>(std::move(made));
}

SharedSecret::~SharedSecret() { ::OPENSSL_cleanse(stretched_, sizeof stretched_); }

bool SharedSecret::derive(std::string_view purpose, const void* salt, size_t salt_n, uint8_t* key,
                          size_t n) const noexcept {
  EVP_KDF* kdf = ::EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* ctx = kdf != nullptr ? ::EVP_KDF_CTX_new(kdf) : nullptr;
  ::EVP_KDF_free(kdf);
  bool done = false;
  if (ctx != nullptr) {
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<uint8_t*>(stretched_), sizeof stretched_),
        ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<void*>(salt), salt_n),
        ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(purpose.data()), purpose.size()),
        ::OSSL_PARAM_construct_end()};
    done = ::EVP_KDF_derive(ctx, key, n, params) > 0;
  }
  ::EVP_KDF_CTX_free(ctx);
  ::ERR_clear_error();
  return done;
}

}  // namespace mw::net
