#include "net/pem.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <unistd.h>

namespace mw::net {

namespace {

constexpr size_t kMaxFile = 4 * 1024 * 1024;

using BioPtr = std::unique_ptr<BIO, FreeSsl>;

BioPtr reader(const std::string& text) {
  BioPtr b(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (b == nullptr) throw std::bad_alloc();
  return b;
}

struct Ask {
  const std::string& passphrase;
  bool asked = false;
};

// Always given to OpenSSL, whose own one would ask on the terminal.
int answer(char* buf, int cap, int, void* p) {
  auto* ask = static_cast<Ask*>(p);
  ask->asked = true;
  size_t n = ask->passphrase.size();
  if (n == 0 || n > static_cast<size_t>(cap)) return -1;
  std::memcpy(buf, ask->passphrase.data(), n);
  return static_cast<int>(n);
}

base::Result<std::string> file_text(const std::string& path, const std::string& from) {
  auto bad = [&](const std::string& why, int os) {
    return base::Error{MW_EOPTION, os, from + " cannot be read: " + why};
  };
  std::string text(kMaxFile + 1, '\0');  // first: nothing throws while the file is open
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return bad(std::strerror(errno), errno);
  size_t n = 0;
  ssize_t r = 1;
  while (n < text.size() && (r = ::read(fd, text.data() + n, text.size() - n)) != 0) {
    if (r > 0) n += static_cast<size_t>(r);
    if (r < 0 && errno != EINTR) break;
  }
  int os = errno;
  ::close(fd);
  std::string got = text.substr(0, n);
  ::OPENSSL_cleanse(text.data(), n);
  if (r < 0) return bad(std::strerror(os), os);
  if (n > kMaxFile) return bad("it is larger than 4 MiB", 0);
  if (n == 0) return bad("it is empty", 0);
  return got;
}

}  // namespace

Pem::~Pem() { ::OPENSSL_cleanse(text.data(), text.size()); }

base::Result<Pem> read_pem(const base::Conf& conf, base::Opt file, const char* file_key, base::Opt text,
                           const char* text_key) {
  Pem pem;
  if (text != base::Opt::count_ && !conf.text(text).empty()) {
    pem.text = conf.text(text);
    pem.from = text_key;
  } else if (const std::string& path = conf.text(file); !path.empty()) {
    pem.from = std::string(file_key) + " \"" + path + "\"";
    auto r = file_text(path, pem.from);
    if (!r) return r.error();
    pem.text = std::move(*r);
  }
  return pem;
}

base::Result<KeyPtr> key_of(const Pem& pem, const std::string& passphrase) {
  Ask ask{passphrase};
  auto bio = reader(pem.text);
  KeyPtr key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, answer, &ask));
  ::ERR_clear_error();
  if (key != nullptr) return key;
  if (!ask.asked) return base::Error{MW_ETLS, 0, pem.from + " holds no private key in PEM form"};
  return base::Error{MW_ETLS, 0,
                     passphrase.empty() ? pem.from + " is encrypted; set tls.passphrase"
                                        : "tls.passphrase is not the passphrase of " + pem.from};
}

base::Result<std::vector<CertPtr>> certificates_of(const Pem& pem) {
  std::vector<CertPtr> all;
  std::string none;
  Ask ask{none};
  auto bio = reader(pem.text);
  while (X509* x = ::PEM_read_bio_X509(bio.get(), nullptr, answer, &ask)) all.emplace_back(x);
  bool whole = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ::ERR_clear_error();
  if (all.empty()) return base::Error{MW_ETLS, 0, pem.from + " holds no certificate in PEM form"};
  if (!whole) return base::Error{MW_ETLS, 0, pem.from + " holds a damaged certificate after number " + std::to_string(all.size())};
  return all;
}

base::Result<KeyPtr> dh_of(const Pem& pem) {
  auto bio = reader(pem.text);
  KeyPtr dh(::PEM_read_bio_Parameters(bio.get(), nullptr));
  ::ERR_clear_error();
  if (dh == nullptr || ::EVP_PKEY_is_a(dh.get(), "DH") != 1) {
    return base::Error{MW_ETLS, 0, pem.from + " holds no Diffie-Hellman parameters in PEM form"};
  }
  return dh;
}

}  // namespace mw::net
