// A listener with key and certificate: handshakes good, slow and bad, records
// that hold more than the request, certificates replaced live.
#include "kit/certificates.hpp"
#include "kit/folder.hpp"
#include "kit/process.hpp"
#include "net/tls.hpp"
#include "unit/net/site.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

using namespace site;

namespace {

// A blocking TLS client over a raw one.
class TlsClient {
 public:
  TlsClient(Client raw, const std::string& authority, const kit::Certificate* own = nullptr) : raw_(std::move(raw)) {
    ctx_ = SSL_CTX_new(TLS_client_method());
    BIO* pem = BIO_new_mem_buf(authority.data(), -1);
    X509* ca = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx_), ca);
    X509_free(ca);
    BIO_free(pem);
    SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER, nullptr);
    if (own != nullptr) use(*own);
    ssl_ = SSL_new(ctx_);
    SSL_set_fd(ssl_, raw_.fd());
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(ctx_);
    ERR_clear_error();
  }
  bool connect() { return SSL_connect(ssl_) == 1; }
  bool send(std::string_view s) { return SSL_write(ssl_, s.data(), static_cast<int>(s.size())) == static_cast<int>(s.size()); }
  std::string read(bool all) {
    std::string s;
    char b[4096];
    while (all || s.find("\r\n\r\n") == s.npos) {
      int n = SSL_read(ssl_, b, all ? sizeof b : 1);
      if (n <= 0) break;
      s.append(b, static_cast<size_t>(n));
    }
    return s;
  }
  std::string subject() {
    X509* x = SSL_get1_peer_certificate(ssl_);
    char name[256] = "";
    if (x != nullptr) X509_NAME_oneline(X509_get_subject_name(x), name, sizeof name);
    X509_free(x);
    return name;
  }
  SSL* ssl() { return ssl_; }
  Client& raw() { return raw_; }

 private:
  void use(const kit::Certificate& own) {
    BIO* c = BIO_new_mem_buf(own.cert.data(), -1);
    BIO* k = BIO_new_mem_buf(own.key.data(), -1);
    X509* x = PEM_read_bio_X509(c, nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(k, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(ctx_, x);
    SSL_CTX_use_PrivateKey(ctx_, key);
    X509_free(x);
    EVP_PKEY_free(key);
    BIO_free(c);
    BIO_free(k);
  }
  Client raw_;
  SSL_CTX* ctx_;
  SSL* ssl_;
};

// Decrypted bytes that reached the carrier or still lie in the socket.
std::string read_some(net::Carrier& c, size_t want) {
  std::string got(reinterpret_cast<const char*>(c.early.data()), c.early.size());
  base::Buffer out;
  uint8_t cipher[4096], plain[4096];
  while (got.size() < want) {
    pollfd p{c.fd, POLLIN, 0};
    if (::poll(&p, 1, 20000) != 1) break;
    ssize_t n = ::recv(c.fd, cipher, sizeof cipher, 0);
    if (n <= 0) break;
    c.tls->give(cipher, static_cast<size_t>(n));
    size_t k = 0;
    while (c.tls->read(plain, sizeof plain, &k, out) == net::Tls::Status::ok) got.append(reinterpret_cast<char*>(plain), k);
  }
  return got;
}

class ListenerTls : public testing::Test {
 protected:
  kit::Authority authority;
  kit::Certificate own = authority.issue();
  kit::Certificate issue(const char* name) {
    kit::CertificateWish wish;
    wish.name = name;
    return authority.issue(wish);
  }
};

TEST_F(ListenerTls, upgradesAndHandsOver) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  EXPECT_TRUE(s.url.starts_with("wss://127.0.0.1:")) << s.url;
  TlsClient c(Client(s.port), authority.cert());
  ASSERT_TRUE(c.connect());
  ASSERT_TRUE(c.send(upgrade()));
  EXPECT_EQ(status(c.read(false)), 101);
  auto p = s.sink.peer();
  ASSERT_TRUE(p.carrier.tls);
  EXPECT_TRUE(has(p.facts, "\"identity\":\"\",\"tls\":\"TLSv1.3\"")) << p.facts;
  ASSERT_TRUE(c.send("hello"));
  EXPECT_EQ(read_some(p.carrier, 5), "hello");
}

TEST_F(ListenerTls, framesInTheRecordOfTheRequestAreEarly) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  TlsClient c(Client(s.port), authority.cert());
  ASSERT_TRUE(c.connect());
  ASSERT_TRUE(c.send(upgrade() + "frames"));
  EXPECT_EQ(status(c.read(false)), 101);
  auto p = s.sink.peer();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(p.carrier.early.data()), p.carrier.early.size()), "frames");
}

TEST_F(ListenerTls, framesInTheNextRecordArriveToo) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  for (int round = 0; round < 20; ++round) {  // in the same segment or not
    TlsClient c(Client(s.port), authority.cert());
    ASSERT_TRUE(c.connect());
    ASSERT_TRUE(c.send(upgrade()));
    ASSERT_TRUE(c.send("first"));
    ASSERT_TRUE(c.send("second"));
    EXPECT_EQ(status(c.read(false)), 101);
    auto p = s.sink.peer();
    EXPECT_EQ(read_some(p.carrier, 11), "firstsecond");
  }
}

TEST_F(ListenerTls, pagesAndRefusals) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  for (auto& [request, want] : {std::pair(get("/alive"), 200), std::pair(upgrade("/other"), 404)}) {
    TlsClient c(Client(s.port), authority.cert());
    ASSERT_TRUE(c.connect());
    ASSERT_TRUE(c.send(request));
    EXPECT_EQ(status(c.read(true)), want);
    EXPECT_EQ(SSL_get_shutdown(c.ssl()), SSL_RECEIVED_SHUTDOWN);  // told, not cut
  }
}

TEST_F(ListenerTls, plainHttpIsRefused) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  EXPECT_FALSE(has(s.ask(upgrade()), "101"));
  s.ask(std::string(100, '\xff'));
  EXPECT_TRUE(kit::eventually([&] { return s.listener->counters.tls_failed == 2; }));
  EXPECT_EQ(s.listener->counters.upgraded, 0u);
}

TEST_F(ListenerTls, slowHandshakeLoses) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}, {"tls.handshake_timeout", "60ms"}});
  Client silent(s.port), begun(s.port);
  begun.send("\x16\x03\x01");
  EXPECT_EQ(silent.all(), "");
  begun.all();
  EXPECT_EQ(s.listener->counters.handshake_timeout, 2u);
}

TEST_F(ListenerTls, slowRequestLosesAfterAGoodHandshake) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}, {"handshake_timeout", "60ms"}});
  TlsClient c(Client(s.port), authority.cert());
  ASSERT_TRUE(c.connect());
  EXPECT_EQ(status(c.read(true)), 408);
  EXPECT_EQ(s.listener->counters.handshake_timeout, 1u);
}

TEST_F(ListenerTls, resetsDuringTheHandshake) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  for (int i = 0; i < 3; ++i) {
    Client a(s.port), b(s.port);
    if (i > 0) a.send("\x16\x03\x01"), b.send("\x16\x03\x01");
    a.reset();
    b.half_close();
    b.all();
  }
  TlsClient c(Client(s.port), authority.cert());
  ASSERT_TRUE(c.connect());
  ASSERT_TRUE(c.send(upgrade()));
  EXPECT_EQ(status(c.read(false)), 101);
  s.sink.peer();
}

TEST_F(ListenerTls, mutualTellsWhoItIs) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}, {"tls.ca", authority.cert()}, {"tls.verify", "mutual"}, {"auth.ask", "true"}});
  kit::Certificate client = issue("alice");
  TlsClient c(Client(s.port), authority.cert(), &client);
  ASSERT_TRUE(c.connect());
  ASSERT_TRUE(c.send(upgrade()));
  auto q = s.sink.question();
  EXPECT_TRUE(has(q.json, "alice")) << q.json;
  s.listener->answer(q.ticket, {true, 0, "", ""});
  EXPECT_EQ(status(c.read(false)), 101);
  EXPECT_TRUE(has(s.sink.peer().facts, "alice"));

  TlsClient nobody(Client(s.port), authority.cert());
  // TLS 1.3: the client is through before it hears the no.
  EXPECT_FALSE(nobody.connect() && nobody.send(upgrade()) && !nobody.read(false).empty());
  EXPECT_TRUE(kit::eventually([&] { return s.listener->counters.tls_failed == 1; }));
}

TEST_F(ListenerTls, certificateIsReplacedLive) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  TlsClient before(Client(s.port), authority.cert());
  ASSERT_TRUE(before.connect());
  EXPECT_TRUE(has(before.subject(), "localhost"));
  kit::Certificate next = issue("replaced");
  s.update({{"tls.key", next.key}, {"tls.cert", next.cert}});
  // Who is connected stays so and is served.
  ASSERT_TRUE(before.send(upgrade()));
  EXPECT_EQ(status(before.read(false)), 101);
  auto p = s.sink.peer();
  TlsClient after(Client(s.port), authority.cert());
  ASSERT_TRUE(after.connect());
  EXPECT_TRUE(has(after.subject(), "replaced")) << after.subject();
  ASSERT_TRUE(before.send("x"));
  EXPECT_EQ(read_some(p.carrier, 1), "x");
}

TEST_F(ListenerTls, aBadReplacementIsToldAndTheOldOneStays) {
  kit::Folder f;
  Site s({{"tls.key_file", f.write("key", own.key)}, {"tls.cert_file", f.write("cert", own.cert)}});
  f.write("cert", "this is no certificate");
  s.listener->update(s.now);
  EXPECT_TRUE(s.sink.wait([&] { return s.sink.troubles.size() == 1; }));
  TlsClient c(Client(s.port), authority.cert());
  EXPECT_TRUE(c.connect());
}

TEST_F(ListenerTls, proxyHeaderComesBeforeTls) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}, {"http.trusted_proxies", "127.0.0.1"}});
  Client raw(s.port);
  raw.send(std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\xc0\x00\x02\x01\xca\xfe\x01\xbb", 28));
  TlsClient c(std::move(raw), authority.cert());
  ASSERT_TRUE(c.connect());
  ASSERT_TRUE(c.send(upgrade()));
  EXPECT_EQ(status(c.read(false)), 101);
  EXPECT_EQ(s.sink.peer().remote.text(), "203.0.113.7");
}

TEST_F(ListenerTls, stopDuringHandshakes) {
  Site s({{"tls.key", own.key}, {"tls.cert", own.cert}});
  TlsClient done(Client(s.port), authority.cert());
  ASSERT_TRUE(done.connect());
  Client begun(s.port);
  begun.send("\x16\x03\x01");
  s.stop();
  EXPECT_EQ(done.read(true), "");
  begun.all();
}

TEST_F(ListenerTls, halfOfAPairIsAnError) {
  for (auto key : {"tls.key", "tls.cert"}) {
    base::Conf c(MW_CONF_PROVIDER);
    ASSERT_TRUE(c.set(key, key == std::string("tls.key") ? own.key : own.cert));
    auto r = net::Listener::check(c);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, MW_EOPTION);
  }
  base::Conf c(MW_CONF_PROVIDER);
  ASSERT_TRUE(c.set("tls.key", own.key));
  ASSERT_TRUE(c.set("tls.cert", own.cert));
  EXPECT_TRUE(net::Listener::check(c));
  base::Conf missing(MW_CONF_PROVIDER);
  ASSERT_TRUE(missing.set("tls.key_file", "/no/such/key"));
  ASSERT_TRUE(missing.set("tls.cert_file", "/no/such/cert"));
  EXPECT_FALSE(net::Listener::check(missing));
}

TEST(ListenerCheck, contradictions) {
  base::Conf c(MW_CONF_PROVIDER);
  EXPECT_TRUE(net::Listener::check(c));
  if (c.set("wire", "raw,network-cluster")) {
    auto r = net::Listener::check(c);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, MW_EOPTION);
    EXPECT_TRUE(has(r.error().text, "wire"));
  }
  base::Conf d(MW_CONF_PROVIDER);
  if (d.set("http.trusted_proxies", "10.0.0.0/40")) {
    auto r = net::Listener::check(d);
    ASSERT_FALSE(r);
    EXPECT_TRUE(has(r.error().text, "http.trusted_proxies")) << r.error().text;
  }
}

}  // namespace
