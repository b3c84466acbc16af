// The Nth allocation of the control thread fails, for every N, while a dialer
// connects; each attempt has exactly one outcome and the next one succeeds.
#include "far.hpp"

#include "kit/certificates.hpp"
#include "unit/net/scarce.hpp"

namespace {

using namespace far;

void connect_without_memory(Server& s, const std::string& url, const std::string& ca) {
  scarce::Spared spared;
  Dial d({{"url", url}, {"tls.ca", ca}, {"parameters", R"({"a":"b"})"}, {"headers", R"({"X-A":"b"})"}});
  d.connect();  // what is made once is made
  bool hit = true;
  int failed = 0;
  for (long n = 1; hit; ++n) {
    scarce::g_left = n;
    d.dialer->start();
    ASSERT_TRUE(d.sink.wait([&] { return !d.sink.up.empty() || !d.sink.no.empty(); })) << "allocation " << n;
    hit = scarce::g_left.exchange(0) <= 0;
    std::lock_guard l(d.sink.m);
    ASSERT_EQ(d.sink.up.size() + d.sink.no.size(), 1u) << "allocation " << n;
    for (auto& r : d.sink.no) EXPECT_EQ(r.error.code, MW_ENOMEM) << n << ": " << r.error.text;
    failed += static_cast<int>(d.sink.no.size());
    d.sink.up.clear();
    d.sink.no.clear();
  }
  EXPECT_GT(failed, 20);
  d.connect();
  d.stop();
  s.finish();
}

TEST(DialerMemory, EveryAllocationOfAPlainAttempt) {
  Server s([](Peer& p) {
    scarce::Spared spared;
    welcome(p);
  });
  connect_without_memory(s, "ws://localhost:" + std::to_string(s.port), "");
}

TEST(DialerMemory, EveryAllocationOfATlsAttempt) {
  kit::Authority authority;
  auto c = authority.issue();
  BIO* kb = ::BIO_new_mem_buf(c.key.data(), -1);
  BIO* cb = ::BIO_new_mem_buf(c.cert.data(), -1);
  EVP_PKEY* key = ::PEM_read_bio_PrivateKey(kb, nullptr, nullptr, nullptr);
  X509* x = ::PEM_read_bio_X509(cb, nullptr, nullptr, nullptr);
  SSL_CTX* ctx = ::SSL_CTX_new(::TLS_server_method());
  ASSERT_EQ(::SSL_CTX_use_cert_and_key(ctx, x, key, nullptr, 1), 1);
  ::X509_free(x);
  ::EVP_PKEY_free(key);
  ::BIO_free(kb);
  ::BIO_free(cb);
  {
    Server s([&](Peer& p) {
      scarce::Spared spared;
      if (p.accept_tls(ctx)) welcome(p);
    });
    connect_without_memory(s, s.wss(), authority.cert());
  }
  ::SSL_CTX_free(ctx);
}

}  // namespace
