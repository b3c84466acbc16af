// The TLS pump without sockets: two sessions and the bytes between them.
#include "net/tls.hpp"

#include "kit/certificates.hpp"
#include "kit/folder.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace mw;
using net::Tls;
using net::TlsContext;
using Status = Tls::Status;
using Keys = std::initializer_list<std::pair<const char*, std::string>>;

const kit::Authority& authority() {
  static const kit::Authority a;
  return a;
}
const kit::Certificate& localhost() {
  static const kit::Certificate c = authority().issue();
  return c;
}

base::Conf conf(int32_t kind, Keys keys) {
  base::Conf c(kind);
  for (auto& [k, v] : keys) {
    auto r = c.set(k, v);
    EXPECT_TRUE(r) << k << ": " << (r ? "" : r.error().text);
  }
  return c;
}
std::shared_ptr<TlsContext> made(base::Result<std::shared_ptr<TlsContext>> r) {
  EXPECT_TRUE(r) << (r ? "" : r.error().text);
  return r ? *r : nullptr;
}
std::shared_ptr<TlsContext> server(Keys more = {}) {
  base::Conf c = conf(MW_CONF_PROVIDER, {{"tls.key", localhost().key}, {"tls.cert", localhost().cert}});
  for (auto& [k, v] : more) EXPECT_TRUE(c.set(k, v));
  return made(TlsContext::server(c));
}
std::shared_ptr<TlsContext> client(Keys more = {}) {
  base::Conf c = conf(MW_CONF_CONSUMER, {{"tls.ca", authority().cert()}});
  for (auto& [k, v] : more) EXPECT_TRUE(c.set(k, v));
  return made(TlsContext::client(c));
}

// One side: its session and what it wants to send.
struct Side {
  Side(std::shared_ptr<TlsContext> ctx, bool is_server, const std::string& host = "")
      : tls(std::move(ctx), is_server, host) {}
  Tls tls;
  base::Buffer out;
  Status at = Status::want_input;
};

// Everything `from` has to say, lent to `to` in pieces; f is called on each.
template <class F>
void carry(Side& from, Side& to, size_t piece, F f) {
  base::Buffer bytes = std::move(from.out);
  for (size_t i = 0; i < bytes.size(); i += piece) {
    to.tls.give(bytes.data() + i, std::min(piece, bytes.size() - i));
    f();
    to.tls.take_back();
  }
}

// Runs both handshakes to their end; true if both succeeded.
bool shake(Side& c, Side& s, size_t piece = 1 << 20) {
  c.at = c.tls.handshake(c.out);
  for (int i = 0; i < 20 && (c.out.size() > 0 || s.out.size() > 0); ++i) {
    carry(c, s, piece, [&] {
      if (s.at == Status::want_input) s.at = s.tls.handshake(s.out);
    });
    carry(s, c, piece, [&] {
      if (c.at == Status::want_input) c.at = c.tls.handshake(c.out);
      if (c.at == Status::ok) {  // tickets
        uint8_t b[1];
        size_t n;
        (void)c.tls.read(b, 1, &n, c.out);
      }
    });
  }
  return c.at == Status::ok && s.at == Status::ok;
}

std::string read_all(Side& to, Status& end) {
  std::string text;
  uint8_t b[100];
  size_t n;
  while ((end = to.tls.read(b, sizeof b, &n, to.out)) == Status::ok) text.append(reinterpret_cast<char*>(b), n);
  return text;
}
std::string pass(Side& from, Side& to, const std::string& text, size_t piece = 1 << 20) {
  EXPECT_TRUE(from.tls.write(reinterpret_cast<const uint8_t*>(text.data()), text.size(), from.out));
  std::string got;
  Status end = Status::ok;
  carry(from, to, piece, [&] { got += read_all(to, end); });
  EXPECT_EQ(end, Status::want_input);
  return got;
}

TEST(Tls, BothVersionsBothWays) {
  for (const char* min : {"1.2", "1.3"}) {
    auto sc = server();
    Side c(client({{"tls.min_version", min}}), false, "localhost"), s(sc, true);
    if (std::string(min) == "1.2") SSL_set_max_proto_version(c.tls.get(), TLS1_2_VERSION);
    ASSERT_TRUE(shake(c, s)) << c.tls.error().text << " / " << s.tls.error().text;
    EXPECT_EQ(c.tls.version(), std::string("TLSv") + min);
    EXPECT_EQ(c.tls.alpn(), "http/1.1");
    EXPECT_EQ(s.tls.alpn(), "http/1.1");
    EXPECT_EQ(c.tls.peer_subject(), "CN=localhost");
    EXPECT_EQ(s.tls.peer_subject(), "");
    std::string big(100000, 'x');
    EXPECT_EQ(pass(c, s, "to the server"), "to the server");
    EXPECT_EQ(pass(s, c, big), big);
  }
}

std::shared_ptr<TlsContext> sharing(bool is_server, const char* secret, const char* id) {
  base::Conf c = conf(is_server ? MW_CONF_PROVIDER : MW_CONF_CONSUMER, {{"link.secret", secret}, {"link.key_id", id}});
  return made(is_server ? TlsContext::server(c) : TlsContext::client(c));
}

TEST(Tls, ASharedSecretIsProvedByBothSides) {
  auto sc = sharing(true, "correct horse battery", "red"), cc = sharing(false, "correct horse battery", "red");
  for (int again = 0; again < 2; ++again) {
    Side c(cc, false, "localhost"), s(sc, true);
    ASSERT_TRUE(shake(c, s)) << c.tls.error().text << " / " << s.tls.error().text;
    EXPECT_EQ(c.tls.version(), "TLSv1.3");
    EXPECT_EQ(c.tls.peer_subject(), "psk:red");
    EXPECT_EQ(s.tls.peer_subject(), "psk:red");
    EXPECT_EQ(SSL_get_negotiated_group(c.tls.get()), SSL_get_negotiated_group(s.tls.get()));
    EXPECT_NE(SSL_get_negotiated_group(c.tls.get()), 0);  // an ephemeral exchange took place
    EXPECT_EQ(pass(c, s, "to the server"), "to the server");
    EXPECT_EQ(pass(s, c, std::string(100000, 'x')), std::string(100000, 'x'));
  }
  auto refuse = [&](std::shared_ptr<TlsContext> from, std::shared_ptr<TlsContext> to, const char* what) {
    Side c(std::move(from), false, "localhost"), s(std::move(to), true);
    EXPECT_FALSE(shake(c, s)) << what;
  };
  refuse(sharing(false, "correct horse batterz", "red"), sc, "another secret");
  refuse(sharing(false, "correct horse battery", "blue"), sc, "another name");
  refuse(client({{"tls.verify", "none"}}), sc, "no secret at the client");
  refuse(cc, server(), "no secret at the server");
}

TEST(Tls, ByteByByte) {
  Side c(client(), false, "localhost"), s(server(), true);
  ASSERT_TRUE(shake(c, s, 1));
  EXPECT_EQ(pass(c, s, "slow", 1), "slow");
}

TEST(Tls, TheWindowIsLeftWhereReadingStops) {
  Side c(client(), false, "localhost"), s(server(), true);
  ASSERT_TRUE(shake(c, s));
  for (const char* text : {"first", "second"}) {
    ASSERT_TRUE(c.tls.write(reinterpret_cast<const uint8_t*>(text), std::strlen(text), c.out));
  }
  size_t all = c.out.size();
  s.tls.give(c.out.data(), all);
  uint8_t b[3];
  size_t n = 0;
  ASSERT_EQ(s.tls.read(b, 3, &n, s.out), Status::ok);
  EXPECT_EQ(n, 3u);
  EXPECT_TRUE(s.tls.pending());           // "st" is inside
  EXPECT_GT(s.tls.input_left(), 0u);      // the second record is not touched
  EXPECT_LT(s.tls.input_left(), all);
  base::Buffer rest;                      // the caller keeps it and lends it again
  rest.append(s.tls.input(), s.tls.input_left());
  s.tls.take_back();
  Status end;
  EXPECT_EQ(read_all(s, end), "st");
  EXPECT_FALSE(s.tls.pending());
  s.tls.give(rest.data(), rest.size());
  EXPECT_EQ(read_all(s, end), "second");
}

TEST(Tls, CloseNotify) {
  Side c(client(), false, "localhost"), s(server(), true);
  ASSERT_TRUE(shake(c, s));
  c.tls.shutdown(c.out);
  Status end = Status::ok;
  carry(c, s, 1 << 20, [&] { read_all(s, end); });
  EXPECT_EQ(end, Status::closed);
  // And again, so that a lane sees what the control thread saw.
  uint8_t b[1];
  size_t n;
  EXPECT_EQ(s.tls.read(b, 1, &n, s.out), Status::closed);
}

TEST(Tls, KeyUpdatesAreAnsweredAndBounded) {
  Side c(client(), false, "localhost"), s(server(), true);
  ASSERT_TRUE(shake(c, s));
  auto update = [&] {
    ASSERT_EQ(SSL_key_update(c.tls.get(), SSL_KEY_UPDATE_REQUESTED), 1);
    c.at = c.tls.handshake(c.out);
  };
  Status end = Status::ok;
  update();
  carry(c, s, 1 << 20, [&] { read_all(s, end); });
  EXPECT_EQ(end, Status::want_input);
  // RFC 8446 section 4.6.3: the answer comes before the next data at the latest.
  EXPECT_EQ(pass(s, c, "with the new key"), "with the new key");
  for (int i = 0; i < 100; ++i) {  // data in between counts anew
    update();
    carry(c, s, 1 << 20, [&] { read_all(s, end); });
    ASSERT_EQ(end, Status::want_input) << i << ": " << s.tls.error().text;
    EXPECT_EQ(pass(c, s, "x"), "x");
    EXPECT_EQ(pass(s, c, "y"), "y");
  }
  int passed = 0;
  while (end == Status::want_input && passed < 100) {
    update();
    carry(c, s, 1 << 20, [&] { read_all(s, end); });
    ++passed;
  }
  EXPECT_EQ(end, Status::failed);
  EXPECT_EQ(passed, 17);
  EXPECT_EQ(s.tls.error().code, MW_ETLS);
  EXPECT_NE(s.tls.error().text.find("changed keys"), std::string::npos) << s.tls.error().text;
}

TEST(Tls, DamagedRecordFailsForGood) {
  Side c(client(), false, "localhost"), s(server(), true);
  ASSERT_TRUE(shake(c, s));
  ASSERT_TRUE(c.tls.write(reinterpret_cast<const uint8_t*>("x"), 1, c.out));
  c.out.data()[c.out.size() - 1] ^= 1;
  Status end = Status::ok;
  carry(c, s, 1 << 20, [&] { read_all(s, end); });
  EXPECT_EQ(end, Status::failed);
  EXPECT_EQ(s.tls.error().code, MW_ETLS);
  EXPECT_GT(s.out.size(), 0u) << "an alert is due";
  uint8_t b[1];
  size_t n;
  EXPECT_EQ(s.tls.read(b, 1, &n, s.out), Status::failed);
  EXPECT_FALSE(s.tls.write(b, 1, s.out));
  EXPECT_EQ(ERR_peek_error(), 0u) << "the host's error queue is left clean";
}

TEST(Tls, NotTls) {
  Side s(server(), true);
  const std::string http = "GET / HTTP/1.1\r\n\r\n";
  s.tls.give(reinterpret_cast<const uint8_t*>(http.data()), http.size());
  EXPECT_EQ(s.tls.handshake(s.out), Status::failed);
  EXPECT_NE(s.tls.error().text.find("does not speak TLS"), std::string::npos) << s.tls.error().text;
}

// ---- who is believed --------------------------------------------------------

struct Trust {
  const char* name;
  kit::CertificateWish wish;
  const char* host;
  bool foreign;      // signed by somebody else
  const char* text;  // of the refusal; "" = accepted
};

class Trusted : public testing::TestWithParam<Trust> {};

TEST_P(Trusted, OrNot) {
  const Trust& t = GetParam();
  kit::Authority other("somebody else");
  kit::Certificate cert = (t.foreign ? other : authority()).issue(t.wish);
  // Made by hand: our own context refuses a certificate that has expired.
  auto sc = server();
  Side s(sc, true);
  BIO* kb = BIO_new_mem_buf(cert.key.data(), -1);
  BIO* cb = BIO_new_mem_buf(cert.cert.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(kb, nullptr, nullptr, nullptr);
  X509* x = PEM_read_bio_X509(cb, nullptr, nullptr, nullptr);
  ASSERT_EQ(SSL_use_cert_and_key(s.tls.get(), x, key, nullptr, 1), 1);
  EVP_PKEY_free(key);
  X509_free(x);
  BIO_free(kb);
  BIO_free(cb);

  Side c(client(), false, t.host);
  bool ok = shake(c, s);
  if (*t.text == 0) {
    EXPECT_TRUE(ok) << c.tls.error().text;
    return;
  }
  EXPECT_EQ(c.at, Status::failed);
  EXPECT_NE(c.tls.error().text.find(t.text), std::string::npos) << c.tls.error().text;
  EXPECT_NE(s.tls.error().text.find("our certificate"), std::string::npos) << s.tls.error().text;
}

INSTANTIATE_TEST_SUITE_P(
    Tls, Trusted,
    testing::Values(Trust{"name", {}, "localhost", false, ""}, Trust{"dot", {}, "localhost.", false, ""},
                    Trust{"ipv4", {}, "127.0.0.1", false, ""}, Trust{"ipv6", {}, "::1", false, ""},
                    Trust{"other_name", {}, "example.org", false, "for another name"},
                    Trust{"other_ip", {}, "127.0.0.2", false, "for another name"},
                    Trust{"ip_is_no_name", {"127.0.0.1", "DNS:127.0.0.1"}, "127.0.0.1", false, "for another name"},
                    Trust{"wildcard", {"w", "DNS:*.example.org"}, "a.example.org", false, ""},
                    Trust{"wildcard_one_level", {"w", "DNS:*.example.org"}, "a.b.example.org", false, "for another name"},
                    Trust{"partial_wildcard", {"w", "DNS:a*.example.org"}, "ab.example.org", false, "for another name"},
                    Trust{"expired", {"localhost", "DNS:localhost", -10, -1}, "localhost", false, "has expired"},
                    Trust{"future", {"localhost", "DNS:localhost", 2, 9}, "localhost", false, "not valid yet"},
                    Trust{"stranger", {}, "localhost", true, "tls.ca_file"}),
    [](const auto& which) { return which.param.name; });

TEST(Tls, VerifyNoneBelievesAnybody) {
  auto nobody = kit::Authority("nobody").cert();
  Side c(client({{"tls.ca", nobody}, {"tls.verify", "none"}}), false, "example.org"), s(server(), true);
  EXPECT_TRUE(shake(c, s));
  EXPECT_EQ(c.tls.peer_subject(), "") << "not verified is nobody";
}

TEST(Tls, SystemAuthoritiesAreTheDefault) {
  base::Conf plain(MW_CONF_CONSUMER);
  auto ctx = made(TlsContext::client(plain));
  Side c(ctx, false, "localhost"), s(server(), true);
  EXPECT_FALSE(shake(c, s));
  EXPECT_NE(c.tls.error().text.find("is not trusted"), std::string::npos) << c.tls.error().text;
}

TEST(Tls, Mutual) {
  auto mine = authority().issue({"client seven", "DNS:seven"});
  auto stranger = kit::Authority("else").issue({"stranger", "DNS:s"});
  Keys must = {{"tls.verify", "mutual"}, {"tls.ca", authority().cert()}};
  {
    Side c(client({{"tls.key", mine.key}, {"tls.cert", mine.cert}}), false, "localhost"), s(server(must), true);
    ASSERT_TRUE(shake(c, s)) << s.tls.error().text;
    EXPECT_EQ(s.tls.peer_subject(), "CN=client seven");
  }
  {
    Side c(client(), false, "localhost"), s(server(must), true);
    EXPECT_FALSE(shake(c, s));
    EXPECT_NE(s.tls.error().text.find("showed no certificate"), std::string::npos) << s.tls.error().text;
    // TLS 1.3: the client learns it with its first read.
    Status end = Status::ok;
    carry(s, c, 1 << 20, [&] { read_all(c, end); });
    EXPECT_NE(c.tls.error().text.find("set tls.cert_file"), std::string::npos) << c.tls.error().text;
  }
  {
    Side c(client({{"tls.key", stranger.key}, {"tls.cert", stranger.cert}}), false, "localhost"), s(server(must), true);
    EXPECT_FALSE(shake(c, s));
    EXPECT_NE(s.tls.error().text.find("the client's certificate is not trusted"), std::string::npos) << s.tls.error().text;
  }
}

TEST(Tls, MinVersionBites) {
  Side c(client(), false, "localhost"), s(server({{"tls.min_version", "1.3"}}), true);
  SSL_set_max_proto_version(c.tls.get(), TLS1_2_VERSION);
  EXPECT_FALSE(shake(c, s));
  EXPECT_NE(s.tls.error().text.find("share no TLS version"), std::string::npos) << s.tls.error().text;
}

TEST(Tls, AlpnByTheServersOrderOrNotAtAll) {
  Side c(client({{"tls.alpn", "a,b,c"}}), false, "localhost"), s(server({{"tls.alpn", "c,b"}}), true);
  ASSERT_TRUE(shake(c, s));
  EXPECT_EQ(c.tls.alpn(), "c");
  Side c2(client({{"tls.alpn", "h2"}}), false, "localhost"), s2(server(), true);
  EXPECT_FALSE(shake(c2, s2));
  EXPECT_NE(s2.tls.error().text.find("tls.alpn"), std::string::npos) << s2.tls.error().text;
}

TEST(Tls, SessionsAreResumedForTheSameHostOnly) {
  for (int max : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto cc = client();
    auto sc = server();
    auto once = [&](const char* host) {
      Side c(cc, false, host), s(sc, true);
      SSL_set_max_proto_version(c.tls.get(), max);
      EXPECT_TRUE(shake(c, s)) << c.tls.error().text;
      EXPECT_EQ(c.tls.resumed(), s.tls.resumed());
      EXPECT_EQ(c.tls.peer_subject(), "CN=localhost");
      return c.tls.resumed();
    };
    EXPECT_FALSE(once("localhost"));
    EXPECT_TRUE(once("localhost"));
    EXPECT_FALSE(once("127.0.0.1"));
    EXPECT_TRUE(once("127.0.0.1"));
    sc = server();  // another key for tickets
    EXPECT_FALSE(once("127.0.0.1"));
  }
}

TEST(Tls, DhParametersFromAFile) {
  kit::Folder folder;
  EVP_PKEY_CTX* gen = EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr);
  EVP_PKEY* dh = nullptr;
  char group[] = "ffdhe2048";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("group", group, 0), OSSL_PARAM_construct_end()};
  ASSERT_EQ(EVP_PKEY_paramgen_init(gen), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_params(gen, params), 1);
  ASSERT_EQ(EVP_PKEY_paramgen(gen, &dh), 1);
  BIO* out = BIO_new(BIO_s_mem());
  ASSERT_EQ(PEM_write_bio_Parameters(out, dh), 1);
  char* p;
  long n = BIO_get_mem_data(out, &p);
  std::string file = folder.write("dh.pem", {p, static_cast<size_t>(n)});
  BIO_free(out);
  EVP_PKEY_free(dh);
  EVP_PKEY_CTX_free(gen);

  Side c(client(), false, "localhost"), s(server({{"tls.dh_file", file}}), true);
  SSL_set_max_proto_version(c.tls.get(), TLS1_2_VERSION);
  ASSERT_TRUE(shake(c, s)) << s.tls.error().text;
  base::Conf bad = conf(MW_CONF_PROVIDER, {{"tls.key", localhost().key}, {"tls.cert", localhost().cert},
                                           {"tls.dh_file", folder.write("no.pem", localhost().cert)}});
  auto r = TlsContext::server(bad);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, MW_ETLS);
}

// ---- options that are wrong ---------------------------------------------------

TEST(TlsOptions, EachFailureHasItsSentence) {
  kit::Folder folder;
  auto other = authority().issue();
  auto locked = authority().issue({.passphrase = "open sesame"});
  auto old = authority().issue({"localhost", "DNS:localhost", -10, -1});
  std::string chain_cut = localhost().cert + authority().cert().substr(0, 200);
  const std::string& key = localhost().key;
  const std::string& cert = localhost().cert;
  struct Case {
    std::vector<std::pair<const char*, std::string>> keys;
    mw_status code;
    std::string text;
  };
  const Case cases[] = {
      {{}, MW_EOPTION, "TLS needs tls.key_file and tls.cert_file"},
      {{{"tls.key", key}}, MW_EOPTION, "tls.key is set without tls.cert_file"},
      {{{"tls.cert", cert}}, MW_EOPTION, "tls.cert is set without tls.key_file"},
      {{{"tls.key_file", folder.file("none")}, {"tls.cert", cert}}, MW_EOPTION, "cannot be read: No such file"},
      {{{"tls.key_file", folder.file("")}, {"tls.cert", cert}}, MW_EOPTION, "cannot be read: Is a directory"},
      {{{"tls.key_file", folder.write("empty", "")}, {"tls.cert", cert}}, MW_EOPTION, "it is empty"},
      {{{"tls.key", cert}, {"tls.cert", cert}}, MW_ETLS, "tls.key holds no private key"},
      {{{"tls.key", key}, {"tls.cert", key}}, MW_ETLS, "tls.cert holds no certificate"},
      {{{"tls.key", key}, {"tls.cert", chain_cut}}, MW_ETLS, "damaged certificate after number 1"},
      {{{"tls.key", other.key}, {"tls.cert", cert}}, MW_ETLS, "tls.key is not the key of tls.cert"},
      {{{"tls.key", locked.key}, {"tls.cert", locked.cert}}, MW_ETLS, "tls.key is encrypted; set tls.passphrase"},
      {{{"tls.key", locked.key}, {"tls.cert", locked.cert}, {"tls.passphrase", "wrong"}}, MW_ETLS,
       "tls.passphrase is not the passphrase of tls.key"},
      {{{"tls.key", old.key}, {"tls.cert", old.cert}}, MW_ETLS, "tls.cert has expired"},
      {{{"tls.key", key}, {"tls.cert", cert}, {"tls.verify", "mutual"}}, MW_EOPTION, "needs tls.ca_file"},
      {{{"tls.key", key}, {"tls.cert", cert}, {"tls.ca", "junk"}}, MW_ETLS, "tls.ca holds no certificate"},
  };
  for (const Case& c : cases) {
    base::Conf conf(MW_CONF_PROVIDER);
    for (auto& [k, v] : c.keys) {
      auto set = conf.set(k, v);
      ASSERT_TRUE(set) << k << ": " << set.error().text;
    }
    auto r = TlsContext::server(conf);
    ASSERT_FALSE(r) << c.text;
    EXPECT_EQ(r.error().code, c.code) << r.error().text;
    EXPECT_NE(r.error().text.find(c.text), std::string::npos) << r.error().text;
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST(TlsOptions, FilesPassphraseAndChain) {
  kit::Folder folder;
  auto locked = authority().issue({.passphrase = "open sesame"});
  auto ctx = made(TlsContext::server(conf(
      MW_CONF_PROVIDER, {{"tls.key_file", folder.write("k.pem", locked.key)},
                         {"tls.cert_file", folder.write("c.pem", locked.cert + authority().cert())},
                         {"tls.passphrase", "open sesame"}})));
  auto cc = made(TlsContext::client(conf(MW_CONF_CONSUMER, {{"tls.ca_file", folder.write("ca.pem", authority().cert())}})));
  Side c(cc, false, "localhost"), s(ctx, true);
  EXPECT_TRUE(shake(c, s)) << c.tls.error().text;
}

TEST(TlsOptions, MutualConsumerNeedsItsOwn) {
  auto r = TlsContext::client(conf(MW_CONF_CONSUMER, {{"tls.verify", "mutual"}}));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, MW_EOPTION);
}

}  // namespace
