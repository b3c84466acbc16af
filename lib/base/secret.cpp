#include "base/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace mw::base {

void wipe(void* p, size_t n) noexcept { OPENSSL_cleanse(p, n); }

void wipe(std::string& s) noexcept {
  // The bytes behind size() may hold the rest of a longer earlier value.
  // Growing to the capacity allocates nothing.
  s.resize(s.capacity());
  OPENSSL_cleanse(s.data(), s.size());
  s.clear();
}

bool secret_equal(std::string_view a, std::string_view b) noexcept {
  unsigned char da[SHA256_DIGEST_LENGTH], db[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), da);
  SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), db);
  const bool same = CRYPTO_memcmp(da, db, sizeof da) == 0;
  OPENSSL_cleanse(da, sizeof da);
  OPENSSL_cleanse(db, sizeof db);
  return same;
}

std::string fingerprint(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 16; ++i) (out += kHex[digest[i] >> 4]) += kHex[digest[i] & 15];
  return out;
}

}  // namespace mw::base
