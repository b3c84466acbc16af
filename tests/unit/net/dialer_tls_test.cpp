// The dialer over TLS: who is believed, what is handed over, when it ends.
#include "far.hpp"

#include "kit/certificates.hpp"

namespace {

using namespace far;

const kit::Authority& authority() {
  static const kit::Authority a;
  return a;
}

// A server's side, made by OpenSSL alone.
class Ctx {
 public:
  explicit Ctx(const kit::Certificate& c, bool mutual = false) : ctx_(::SSL_CTX_new(::TLS_server_method())) {
    BIO* kb = ::BIO_new_mem_buf(c.key.data(), -1);
    BIO* cb = ::BIO_new_mem_buf(c.cert.data(), -1);
    EVP_PKEY* key = ::PEM_read_bio_PrivateKey(kb, nullptr, nullptr, nullptr);
    X509* x = ::PEM_read_bio_X509(cb, nullptr, nullptr, nullptr);
    EXPECT_EQ(::SSL_CTX_use_cert_and_key(ctx_, x, key, nullptr, 1), 1);
    ::X509_free(x);
    ::EVP_PKEY_free(key);
    ::BIO_free(kb);
    ::BIO_free(cb);
    if (mutual) {
      std::string pem = authority().cert();
      BIO* b = ::BIO_new_mem_buf(pem.data(), -1);
      X509* ca = ::PEM_read_bio_X509(b, nullptr, nullptr, nullptr);
      ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(ctx_), ca);
      ::X509_free(ca);
      ::BIO_free(b);
      ::SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      ::SSL_CTX_set_session_id_context(ctx_, reinterpret_cast<const unsigned char*>("t"), 1);
    }
  }
  Ctx(const Ctx&) = delete;
  ~Ctx() { ::SSL_CTX_free(ctx_); }
  operator SSL_CTX*() const { return ctx_; }

 private:
  SSL_CTX* ctx_;
};

// What the carrier's TLS session reads next from its socket.
std::string next(net::Connected& c, size_t size) {
  std::string text = early(c);
  c.carrier.early.clear();
  base::Buffer out;
  while (text.size() < size) {
    uint8_t cipher[4096], plain[4096];
    pollfd p{c.carrier.fd, POLLIN, 0};
    if (::poll(&p, 1, 20000) != 1) return text + " (nothing came)";
    ssize_t got = ::recv(c.carrier.fd, cipher, sizeof cipher, 0);
    if (got <= 0) return text + " (closed)";
    c.carrier.tls->give(cipher, static_cast<size_t>(got));
    size_t n = 0;
    while (c.carrier.tls->read(plain, sizeof plain, &n, out) == net::Tls::Status::ok) {
      text.append(reinterpret_cast<char*>(plain), n);
    }
  }
  return text;
}

TEST(DialerTls, ConnectsAndBothSidesTalk) {
  Ctx ctx(authority().issue());
  Server s([&](Peer& p) {
    ASSERT_TRUE(p.accept_tls(ctx));
    EXPECT_STREQ(::SSL_get_servername(p.ssl(), TLSEXT_NAMETYPE_host_name), "localhost");
    p.say(switching(p.head()));
    EXPECT_EQ(p.until("ping"), "ping");
    p.say("pong");
    p.all();
  });
  Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
  net::Connected c = d.connect();
  ASSERT_NE(c.carrier.tls, nullptr);
  EXPECT_TRUE(has(c.facts, "\"tls\":\"TLSv1.3\",\"identity\":\"CN=localhost\"")) << c.facts;
  base::Buffer out;
  ASSERT_TRUE(c.carrier.tls->write(reinterpret_cast<const uint8_t*>("ping"), 4, out));
  ASSERT_EQ(::send(c.carrier.fd, out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
  EXPECT_EQ(next(c, 4), "pong");
}

// Nothing the kernel has given is lost, wherever the frames lie.
TEST(DialerTls, FirstFramesAroundThe101) {
  enum Where { same_record, next_record, torn_record };
  for (Where where : {same_record, next_record, torn_record}) {
    Ctx ctx(authority().issue());
    Server s([&](Peer& p) {
      ASSERT_TRUE(p.accept_tls(ctx));
      std::string answer = switching(p.head());
      if (where == same_record) {
        p.say(answer + "one" + "two");
      } else {
        p.stage(answer);
        p.stage("one");
        p.stage("two");
        if (where == torn_record) {  // the last record comes in halves
          char buf[8192];
          int n = ::BIO_read(::SSL_get_wbio(p.ssl()), buf, sizeof buf);
          ASSERT_EQ(::send(p.fd(), buf, static_cast<size_t>(n - 7), MSG_NOSIGNAL), n - 7);
          ASSERT_EQ(::send(p.fd(), buf + n - 7, 7, MSG_NOSIGNAL), 7);
        } else {
          p.flush();
        }
      }
      p.all();
    });
    Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
    net::Connected c = d.connect();
    if (where != torn_record) EXPECT_EQ(early(c), "onetwo") << "one segment, so all was read with the 101";
    EXPECT_EQ(next(c, 6), "onetwo");
  }
}

TEST(DialerTls, LargeFrameAfterThe101IsNotLost) {
  Ctx ctx(authority().issue());
  std::string big;
  for (int i = 0; big.size() < 200000; ++i) big += std::to_string(i) + " ";
  Server s([&](Peer& p) {
    ASSERT_TRUE(p.accept_tls(ctx));
    p.stage(switching(p.head()));
    p.stage(big);
    p.flush();
    p.all();
  });
  Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
  net::Connected c = d.connect();
  EXPECT_EQ(next(c, big.size()), big);
}

TEST(DialerTls, KeyUpdateWithThe101IsAnsweredBeforeTheHandOver) {
  Ctx ctx(authority().issue());
  std::string back;
  Server s([&](Peer& p) {
    ASSERT_TRUE(p.accept_tls(ctx));
    p.stage(switching(p.head()));
    p.stage("one");
    ASSERT_EQ(::SSL_key_update(p.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    p.stage("two");
    p.flush();
    // Only with the client's new key is this readable.
    back = p.until("three");
    p.all();
  });
  Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
  net::Connected c = d.connect();
  EXPECT_EQ(next(c, 6), "onetwo");
  base::Buffer out;
  ASSERT_TRUE(c.carrier.tls->write(reinterpret_cast<const uint8_t*>("three"), 5, out));
  ASSERT_EQ(::send(c.carrier.fd, out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
  c = {};
  s.finish();
  EXPECT_EQ(back, "three");
}

TEST(DialerTls, RefusalsNameTheReason) {
  auto good = authority().issue();
  struct Case {
    kit::Certificate cert;
    const char* host;
    const char* name;  // tls.server_name
    const char* text;
  };
  const Case cases[] = {
      {authority().issue({"x", "DNS:example.org"}), "localhost", "", "for another name"},
      {good, "localhost", "example.org", "for another name"},
      {authority().issue({"localhost", "DNS:localhost", -10, -1}), "localhost", "", "has expired"},
      {kit::Authority("else").issue(), "localhost", "", "set tls.ca_file"},
      {authority().issue({"x", "DNS:localhost"}), "127.0.0.1", "", "for another name"},
  };
  for (const Case& c : cases) {
    Ctx ctx(c.cert);
    Server s([&](Peer& p) { EXPECT_FALSE(p.accept_tls(ctx) && !p.head().empty()); });
    Dial d({{"url", s.wss(c.host)}, {"tls.ca", authority().cert()}, {"tls.server_name", c.name}});
    net::Refused r = d.fail();
    EXPECT_EQ(r.error.code, MW_ETLS);
    EXPECT_TRUE(has(r.error.text, c.text)) << r.error.text;
  }
}

TEST(DialerTls, ServerNameReplacesTheHost) {
  Ctx ctx(authority().issue({"x", "DNS:inside.example"}));
  Server s([&](Peer& p) {
    ASSERT_TRUE(p.accept_tls(ctx));
    EXPECT_STREQ(::SSL_get_servername(p.ssl(), TLSEXT_NAMETYPE_host_name), "inside.example");
    welcome(p);
  });
  Dial d({{"url", s.wss("127.0.0.1")}, {"tls.ca", authority().cert()}, {"tls.server_name", "inside.example"}});
  d.connect();
}

TEST(DialerTls, Mutual) {
  Ctx ctx(authority().issue(), true);
  auto mine = authority().issue({"seven", "DNS:seven"});
  Server s([&](Peer& p) {
    if (p.accept_tls(ctx)) welcome(p);
  });
  {
    Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}, {"tls.verify", "mutual"}, {"tls.key", mine.key}, {"tls.cert", mine.cert}});
    d.connect();
  }
  Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
  net::Refused r = d.fail();
  // The alert may meet the request on its way; then the kernel tells of a reset.
  EXPECT_TRUE(r.error.code == MW_ETLS || r.error.code == MW_ERESET) << r.error.text;
  if (r.error.code == MW_ETLS) EXPECT_TRUE(has(r.error.text, "set tls.cert_file")) << r.error.text;
}

TEST(DialerTls, SecondConnectionResumes) {
  Ctx ctx(authority().issue());
  std::vector<bool> reused;
  Server s([&](Peer& p) {
    ASSERT_TRUE(p.accept_tls(ctx));
    reused.push_back(::SSL_session_reused(p.ssl()) == 1);
    welcome(p);
  });
  Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
  for (int i = 0; i < 3; ++i) d.connect();
  s.finish();
  ASSERT_EQ(reused.size(), 3u);
  EXPECT_EQ(reused, (std::vector<bool>{false, true, true}));
}

TEST(DialerTls, PlainServerIsNamed) {
  Server s([](Peer& p) {
    char c;
    (void)::recv(p.fd(), &c, 1, 0);
    p.say("HTTP/1.1 400 Bad Request\r\n\r\n");
    p.all();
  });
  Dial d({{"url", s.wss()}, {"tls.ca", authority().cert()}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, MW_ETLS);
  EXPECT_TRUE(has(r.error.text, "does not speak TLS")) << r.error.text;
}

TEST(DialerTls, HandshakeTimeoutBites) {
  Server s([](Peer& p) { p.all(); });  // reads the hello and says nothing
  Dial d({{"url", s.wss()}, {"tls.handshake_timeout", "50ms"}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, MW_ETIMEDOUT);
  EXPECT_TRUE(has(r.error.text, "the TLS handshake with localhost")) << r.error.text;
  EXPECT_TRUE(has(r.error.text, "tls.handshake_timeout")) << r.error.text;
}

TEST(DialerTls, CancelledInTheHandshake) {
  std::mutex m;
  std::condition_variable cv;
  bool reached = false;
  Server s([&](Peer& p) {
    char c;
    (void)::recv(p.fd(), &c, 1, 0);
    {
      std::lock_guard l(m);
      reached = true;
      cv.notify_all();
    }
    p.all();
  });
  Dial d({{"url", s.wss()}});
  d.dialer->start();
  {
    std::unique_lock l(m);
    ASSERT_TRUE(cv.wait_for(l, kPatience, [&] { return reached; }));
  }
  d.dialer->cancel();
  EXPECT_EQ(d.refusal().error.code, MW_ECANCELED);
}

TEST(DialerTls, ClosedInTheHandshake) {
  Server s([](Peer& p) {
    char c;
    (void)::recv(p.fd(), &c, 1, MSG_PEEK);
    p.reset();
  });
  Dial d({{"url", s.wss()}});
  EXPECT_EQ(d.fail().error.code, MW_ERESET);
}

TEST(DialerTls, UnreadableAuthorityFailsTheAttempt) {
  Dial d({{"url", "wss://127.0.0.1:9/"}, {"tls.ca_file", "/nowhere.pem"}});
  net::Refused r = d.fail();
  EXPECT_EQ(r.error.code, MW_EOPTION);
  EXPECT_TRUE(has(r.error.text, "/nowhere.pem")) << r.error.text;
}

}  // namespace
