#include "net/lan_cipher.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstring>
#include <new>

namespace mw::net {

namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* c) const noexcept { ::EVP_CIPHER_CTX_free(c); }
};

// RFC 5116 5.3: 96 bits, here four bytes of zero and the counter.
void put_nonce(uint8_t (&nonce)[12], uint64_t counter) noexcept {
  std::memset(nonce, 0, 4);
  for (int i = 0; i < 8; ++i) nonce[4 + i] = static_cast<uint8_t>(counter >> (56 - 8 * i));
}

}  // namespace

struct LanCipher::Key {
  wire::LanSender sender{};
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher;  // holds the key's schedule
};

LanCipher::LanCipher(std::shared_ptr<const SharedSecret> secret, const wire::LanSender& self)
    : secret_(std::move(secret)), own_(derive(self)) {
  if (!own_) throw std::bad_alloc();
}

LanCipher::~LanCipher() = default;

std::unique_ptr<LanCipher::Key> LanCipher::derive(const wire::LanSender& sender) const noexcept {
  uint8_t bytes[32];
  std::unique_ptr<Key> key(new (std::nothrow) Key);
  bool ok = key && secret_->derive("meshwork lan 1", sender.data(), sender.size(), bytes, sizeof bytes);
  if (ok) {
    key->sender = sender;
    key->cipher.reset(::EVP_CIPHER_CTX_new());
    ok = key->cipher && ::EVP_CipherInit_ex2(key->cipher.get(), ::EVP_aes_256_gcm(), bytes, nullptr, 1, nullptr) == 1;
  }
  ::OPENSSL_cleanse(bytes, sizeof bytes);
  ::ERR_clear_error();
  return ok ? std::move(key) : nullptr;
}

size_t LanCipher::seal(uint8_t* datagram, size_t n, uint64_t counter) noexcept {
  EVP_CIPHER_CTX* c = own_->cipher.get();
  uint8_t nonce[12];
  put_nonce(nonce, counter);
  uint8_t* text = datagram + wire::kLanHead;
  int size = static_cast<int>(n - wire::kLanHead), out = 0;
  bool ok = ::EVP_CipherInit_ex2(c, nullptr, nullptr, nonce, 1, nullptr) == 1 &&
            ::EVP_CipherUpdate(c, nullptr, &out, datagram, wire::kLanHead) == 1 &&
            ::EVP_CipherUpdate(c, text, &out, text, size) == 1 && ::EVP_CipherFinal_ex(c, text + size, &out) == 1 &&
            ::EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, wire::kLanTag, datagram + n) == 1;
  ::ERR_clear_error();
  return ok ? n + wire::kLanTag : 0;
}

bool LanCipher::open(uint8_t* datagram, size_t n, const wire::LanHead& head) noexcept {
  if (n < wire::kLanHead + wire::kLanTag) return false;
  std::unique_ptr<Key> fresh;
  Key* key = nullptr;
  for (auto& k : others_)
    if (k->sender == head.sender) key = k.get();
  if (key == nullptr) {
    fresh = derive(head.sender);
    if (!fresh) return false;
    key = fresh.get();
  }
  EVP_CIPHER_CTX* c = key->cipher.get();
  uint8_t nonce[12];
  put_nonce(nonce, head.counter);
  uint8_t* text = datagram + wire::kLanHead;
  size_t size = n - wire::kLanHead - wire::kLanTag;
  int out = 0;
  bool ok = ::EVP_CipherInit_ex2(c, nullptr, nullptr, nonce, 0, nullptr) == 1 &&
            ::EVP_CipherUpdate(c, nullptr, &out, datagram, wire::kLanHead) == 1 &&
            ::EVP_CipherUpdate(c, text, &out, text, static_cast<int>(size)) == 1 &&
            ::EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, wire::kLanTag, text + size) == 1 &&
            ::EVP_CipherFinal_ex(c, text + size, &out) == 1;
  ::ERR_clear_error();
  if (!ok || !fresh) return ok;
  // Only who proved to hold the secret is remembered.
  try {
    if (others_.size() < kSenders)
      others_.push_back(std::move(fresh));
    else
      others_[next_out_++ % kSenders] = std::move(fresh);
  } catch (const std::bad_alloc&) {
  }
  return true;
}

}  // namespace mw::net
