// Keys and certificates made at test time (P-256): an authority and what it
// signs. Nothing secret or expiring is kept in the repository. Any thread.
#pragma once
#include <memory>
#include <string>

namespace kit {

struct Certificate {
  std::string cert;  // PEM
  std::string key;   // PEM
};

struct CertificateWish {
  std::string name = "localhost";     // common name
  std::string alt = "DNS:localhost,IP:127.0.0.1,IP:::1";
  int days_from = -1, days_to = 30;   // validity, from today
  std::string passphrase{};           // of the key; "" = plain
};

class Authority {
 public:
  explicit Authority(const std::string& name = "meshwork test authority");
  ~Authority();
  std::string cert() const;  // PEM
  Certificate issue(const CertificateWish& wish = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kit
