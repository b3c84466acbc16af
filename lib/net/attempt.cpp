#include "net/attempt.hpp"

#include "base/choices.hpp"
#include "base/insist.hpp"
#include "base/json.hpp"
#include "net/address.hpp"
#include "net/head.hpp"
#include "net/own_fields.hpp"
#include "net/race.hpp"
#include "net/retry_after.hpp"
#include "wire/field.hpp"
#include "wire/parameters.hpp"
#include "wire/upgrade.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>

#include <sys/un.h>

namespace mw::net {

using base::Opt;

namespace {

SocketAddress unix_address(const std::string& file) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::memcpy(a.sun_path, file.data(), file.size());
  return {&a, offsetof(sockaddr_un, sun_path) + file.size() + 1};
}

wire::UpgradePlan plan_of(const base::Conf& conf) {
  wire::UpgradePlan p;
  p.wires.raw = base::speaks(conf, base::Wire::raw);
  p.wires.network_cluster = base::speaks(conf, base::Wire::network_cluster);
  p.wires.meshwork = base::speaks(conf, base::Wire::meshwork);
  p.subprotocols = conf.list(Opt::subprotocols);
  p.compress = static_cast<wire::Compress>(conf.num(Opt::compress));
  return p;
}

const char* name_of(wire::Dialect d) {
  switch (d) {
    case wire::Dialect::raw: return "raw";
    case wire::Dialect::network_cluster: return "network-cluster";
    case wire::Dialect::meshwork: return "meshwork";
    case wire::Dialect::netcluster: return "netcluster";
  }
  return "";
}

std::string facts_of(const std::string& address, const wire::Agreed& agreed, const Tls* tls) {
  std::string json;
  base::JsonObject o(json);
  o.text("address", address).text("wire", name_of(agreed.dialect)).text("subprotocol", agreed.subprotocol);
  if (tls != nullptr) o.text("tls", tls->version()).text("identity", tls->peer_subject());
  o.end();
  return json.substr(1, json.size() - 2);
}

std::string seconds(int64_t ms) {
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

class Attempt::Limit {
 public:
  Limit(Attempt& a, int64_t ms, const char* option) : timer_(a.io_, std::chrono::milliseconds(ms)) {
    timer_.async_wait([weak = a.weak_from_this(), ms, option](boost::system::error_code ec) {
      auto self = weak.lock();
      if (ec || self == nullptr) return;
      base::Error why{MW_ETIMEDOUT, 0, ""};
      try {
        why.text = self->stage_ + " took longer than " + seconds(ms) + " (" + option + ")";
      } catch (const std::bad_alloc&) {
        // The code says it, too.
      }
      self->end(std::move(why));
    });
  }

 private:
  asio::steady_timer timer_;
};

Attempt::Attempt(asio::io_context& io, std::shared_ptr<const base::Conf> conf, std::shared_ptr<TlsContext> tls,
                 std::optional<wire::Dialect> bare, Log log)
    : io_(io), conf_(std::move(conf)), tls_(std::move(tls)), bare_(bare), log_(std::move(log)) {}

void Attempt::begin(std::function<void(Outcome&&)> done) {
  done_ = std::move(done);
  spawn(io_, run(), stop_, shared_from_this());
}

// Ended from outside is the answer even where the attempt was just succeeding.
void Attempt::settle() {
  if (verdict_) outcome_ = Refused{std::move(*verdict_)};
  std::exchange(done_, nullptr)(std::move(outcome_));
}

void Attempt::end(base::Error why) {
  if (verdict_) return;
  verdict_ = std::move(why);
  stop_.emit(asio::cancellation_type::terminal);
}

Task<void> Attempt::run() {
  // Where there was no memory for a wait, nothing else is said.
  AtEnd end([self = shared_from_this()] {
    base::insist([&] { asio::post(self->io_, [self] { self->settle(); }); });
  });
  try {
    outcome_ = co_await steps();
  } catch (const std::bad_alloc&) {
  } catch (const boost::system::system_error& x) {  // a service of Asio without its descriptors
    outcome_ = Refused{{MW_EIO, x.code().value(), ""}};
  } catch (...) {
    outcome_ = Refused{{MW_EINTERNAL, 0, ""}};
  }
}

Task<Attempt::Outcome> Attempt::steps() {
  Limit limit(*this, conf_->num(Opt::connect_timeout), "connect.timeout");
  auto to = target_of(*conf_);
  if (!to) co_return Refused{to.error()};
  auto stream = co_await connect(*to);
  if (!stream) co_return Refused{stream.error()};
  if (to->tls) {
    if (auto r = co_await encrypt(*stream, *to); !r) co_return Refused{r.error()};
  }
  if (bare_) co_return co_await as_it_is(std::move(*stream));
  co_return co_await upgrade(std::move(*stream), *to);
}

Task<Attempt::Outcome> Attempt::as_it_is(Stream stream) {
  Connected c;
  c.remote = remote_;
  c.dialect = *bare_;
  auto carrier = co_await stream.release(nullptr, 0);
  if (!carrier) co_return Refused{carrier.error()};
  c.carrier = std::move(*carrier);
  co_return c;
}

Task<base::Result<Stream>> Attempt::connect(const Target& to) {
  auto proxy = base::Result<Proxy>(Proxy{});
  if (to.file.empty() && !conf_->text(Opt::proxy).empty()) {
    proxy = proxy_of(conf_->text(Opt::proxy));
    if (!proxy) co_return proxy.error();
  }
  const std::string& host = proxy->host.empty() ? to.host : proxy->host;
  uint16_t port = proxy->host.empty() ? to.port : proxy->port;

  std::vector<SocketAddress> addresses;
  if (to.file.empty()) {
    stage_ = "resolving " + host;
    auto found = co_await resolve(host, port);
    if (!found) co_return found.error();
    addresses = std::move(*found);
  } else {
    addresses.push_back(unix_address(to.file));
  }
  stage_ = "connecting to " + (to.file.empty() ? host_port(host, port) : to.file);
  auto won = co_await race(addresses, std::chrono::milliseconds(conf_->num(Opt::connect_stagger)), host);
  if (!won) co_return won.error();
  sockaddr_storage sa{};
  std::memcpy(&sa, won->remote.data(), won->remote.size());
  remote_ = address_of(sa);
  remote_text_ = text_of(won->remote);
  log_(4, "connected to " + remote_text_ + ", one of " + std::to_string(addresses.size()) + " addresses of " + host);
  if (!proxy->host.empty()) {
    if (auto r = co_await tunnel(won->stream, to, *proxy); !r) co_return r.error();
  }
  co_return std::move(won->stream);
}

// RFC 9110 section 9.3.6. The proxy is asked for ws:// too: one that only
// forwards requests would not understand the upgrade.
Task<base::Result<void>> Attempt::tunnel(Stream& stream, const Target& to, const Proxy& proxy) {
  stage_ = "asking the proxy " + host_port(proxy.host, proxy.port);
  std::string target = host_port(to.host, to.port);
  wire::Fields fields = {{"Host", target}};
  if (!proxy.user.empty()) fields.emplace_back("Proxy-Authorization", basic_credentials(proxy.user));
  std::string text = request("CONNECT", target, fields);
  auto [ec, n] = co_await asio::async_write(stream, asio::buffer(text), kValue);
  if (ec) co_return stream.error(ec, "the request to the proxy");
  base::Buffer rest;
  auto head = co_await read_head(stream, rest, "the proxy");
  if (!head) co_return head.error();
  if (head->status == 407) {
    co_return base::Error{MW_EAUTH, 0, "the proxy wants other credentials (HTTP 407); write http://user:password@host:port"};
  }
  if (head->status / 100 != 2) {
    co_return base::Error{MW_EREFUSED, 0, "the proxy answered HTTP " + std::to_string(head->status) + " about " + target};
  }
  // Neither TLS nor HTTP lets the server speak first.
  if (!rest.empty()) co_return base::Error{MW_EPROTO, 0, "the proxy sent bytes of its own into the tunnel"};
  co_return base::Result<void>();
}

Task<base::Result<void>> Attempt::encrypt(Stream& stream, const Target& to) {
  Limit limit(*this, conf_->num(Opt::tls_handshake_timeout), "tls.handshake_timeout");
  stage_ = "the TLS handshake with " + to.authority();
  const std::string& name = conf_->text(Opt::tls_server_name);
  stream.start_tls(std::make_unique<Tls>(tls_, false, name.empty() ? to.host : name));
  co_return co_await stream.handshake();
}

Task<Attempt::Outcome> Attempt::upgrade(Stream stream, const Target& to) {
  stage_ = "the upgrade at " + to.shown();
  wire::Fields own = members(conf_->text(Opt::headers));
  wire::Fields parameters = members(conf_->text(Opt::parameters));
  uint8_t random[16];
  if (::RAND_bytes(random, sizeof random) != 1) co_return Refused{{MW_EINTERNAL, 0, "no random bytes to be had"}};
  std::string key = wire::upgrade_key(random);
  wire::UpgradePlan plan = plan_of(*conf_);

  std::string resource = to.resource;
  wire::Fields fields = {{"Host", to.authority()}};
  for (auto& f : wire::upgrade_fields(plan, key)) fields.push_back(std::move(f));
  if (!to.user.empty()) fields.emplace_back("Authorization", basic_credentials(to.user));
  if (!parameters.empty()) {
    std::string encoded = wire::encode_parameters(parameters);
    if (base::parameters_in(*conf_) == base::ParametersIn::query) {
      resource += (resource.find('?') == resource.npos ? '?' : '&') + encoded;
    } else {
      fields.emplace_back(wire::kParametersField, encoded);
    }
  }
  // An own Host or Authorization replaces ours.
  for (const auto& [name, value] : own) {
    std::erase_if(fields, [&name = name](const auto& f) { return wire::same_text(f.first, name); });
  }
  fields.insert(fields.end(), own.begin(), own.end());

  std::string text = request("GET", resource, fields);
  auto [ec, n] = co_await asio::async_write(stream, asio::buffer(text), kValue);
  if (ec) co_return Refused{stream.error(ec, "the upgrade request")};
  base::Buffer rest;
  auto head = co_await read_head(stream, rest, "the provider");
  if (!head) co_return Refused{head.error()};

  auto agreed = wire::judge_answer(plan, key, head->status, head->views());
  if (head->version < 11 && head->status == 101) {
    agreed = base::Error{MW_EPROTO, 0, "the provider upgraded with HTTP/1.0, which has no upgrades"};
  }
  if (!agreed) {
    Refused no{agreed.error()};
    if (head->status != 101) {
      no.http_status = head->status;
      no.retry_after_ms = retry_after_ms(head->field("Retry-After"), std::time(nullptr));
      if (head->status == 404) no.error.text += "; nothing is served at " + to.shown();
    }
    co_return no;
  }

  Connected c;
  c.remote = remote_;
  c.dialect = agreed->dialect;
  c.deflate = agreed->deflate;
  c.facts = facts_of(remote_text_, *agreed, stream.tls());
  auto carrier = co_await stream.release(rest.data(), rest.size());
  if (!carrier) co_return Refused{carrier.error()};
  c.carrier = std::move(*carrier);
  co_return c;
}

}  // namespace mw::net
