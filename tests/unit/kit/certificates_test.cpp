#include "kit/certificates.hpp"

#include "kit/folder.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace {

X509* parse(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* cert = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return cert;
}

int verify(const std::string& authority, const std::string& cert) {
  X509 *root = parse(authority), *leaf = parse(cert);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, root);
  X509_STORE_CTX* ctx = X509_STORE_CTX_new();
  X509_STORE_CTX_init(ctx, store, leaf, nullptr);
  X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
  X509_verify_cert(ctx);
  int why = X509_STORE_CTX_get_error(ctx);
  X509_STORE_CTX_free(ctx);
  X509_STORE_free(store);
  X509_free(leaf);
  X509_free(root);
  return why;
}

TEST(Certificates, VerifyAgainstTheirAuthorityOnly) {
  kit::Authority ours, other;
  auto leaf = ours.issue();
  EXPECT_EQ(verify(ours.cert(), leaf.cert), X509_V_OK);
  EXPECT_NE(verify(other.cert(), leaf.cert), X509_V_OK);
}

TEST(Certificates, Expire) {
  kit::Authority ours;
  kit::CertificateWish wish;
  wish.days_from = -10;
  wish.days_to = -1;
  EXPECT_EQ(verify(ours.cert(), ours.issue(wish).cert), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificates, KeyIsEncryptedWithAPassphrase) {
  kit::Authority ours;
  kit::CertificateWish wish;
  wish.passphrase = "open";
  EXPECT_NE(ours.issue(wish).key.find("ENCRYPTED"), std::string::npos);
}

TEST(Folder, IsGoneAfterwards) {
  std::string file;
  {
    kit::Folder folder;
    file = folder.write("a", "text");
    EXPECT_TRUE(std::filesystem::exists(file));
  }
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
