#include "net/shared_secret.hpp"

#include "net/tls.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

namespace mw::net {

namespace {

constexpr std::string_view kSalt = "meshwork shared secret 1";
constexpr uint64_t kN = 1 << 15, kR = 8, kP = 1, kMemory = 64 << 20;
constexpr size_t kRemembered = 32;  // secrets, those used last

using Digest = std::array<uint8_t, 32>;

// One secret; the lock is held while it is stretched.
struct Known {
  Digest digest;
  std::mutex mutex;
  std::shared_ptr<const SharedSecret> made;
};

// Each link of a mesh needs the same key: a member dials many, and a link that
// is lost anew. Never destroyed: threads may still run when the process ends.
struct Memory {
  // The digest is of this process alone, so that a guess is not cheaper than to stretch it.
  Memory() { (void)::RAND_bytes(key.data(), static_cast<int>(key.size())); }
  Digest key{};
  std::mutex mutex;
  std::vector<std::shared_ptr<Known>> known;  // the one used last is first
};

std::shared_ptr<Known> known(std::string_view secret) {
  static Memory& memory = *new Memory;
  Digest digest{};
  ::HMAC(::EVP_sha256(), memory.key.data(), static_cast<int>(memory.key.size()), reinterpret_cast<const uint8_t*>(secret.data()),
         secret.size(), digest.data(), nullptr);
  std::lock_guard lock(memory.mutex);
  auto& all = memory.known;
  auto it = std::find_if(all.begin(), all.end(), [&](const auto& k) { return k->digest == digest; });
  if (it == all.end()) {
    auto fresh = std::make_shared<Known>();
    fresh->digest = digest;
    if (all.size() == kRemembered) all.pop_back();
    it = all.insert(all.end(), std::move(fresh));
  }
  std::rotate(all.begin(), it, it + 1);
  return all.front();
}

}  // namespace

base::Result<std::shared_ptr<const SharedSecret>> SharedSecret::stretch(std::string_view secret) {
  init_crypto();
  const auto entry = known(secret);
  std::lock_guard lock(entry->mutex);
  if (entry->made) return entry->made;
  std::shared_ptr<SharedSecret> made(new SharedSecret);
  int ok = ::EVP_PBE_scrypt(secret.data(), secret.size(), reinterpret_cast<const uint8_t*>(kSalt.data()), kSalt.size(),
                            kN, kR, kP, kMemory, made->stretched_, sizeof made->stretched_);
  ::ERR_clear_error();
  if (ok != 1) return base::Error{MW_ENOMEM, 0, "no memory to stretch link.secret"};
  entry->made = std::move(made);
  return entry->made;
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
