// From a good request to a peer: parameters, seats, the host's opinion, 101.
#include "base/choices.hpp"
#include "base/json.hpp"
#include "net/request.hpp"

#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <map>

#include <poll.h>

namespace mw::net {

using base::Opt;

Task<void> Reception::admit(VisitPtr v, Request& q) {
  q.policy = policy_;
  const base::Conf& conf = *q.policy->conf;
  auto take = [&q](std::string_view encoded) -> base::Result<void> {
    auto more = wire::parse_parameters(encoded);
    if (!more) return more.error();
    for (auto& [key, value] : *more) {
      for (auto& [k, ignored] : q.parameters) {
        if (k == key) return base::Error{MW_EPROTO, 0, "a parameter is given both in the header and in the query"};
      }
      q.parameters.emplace_back(std::move(key), std::move(value));
    }
    return {};
  };
  base::Result<void> parsed;
  if (base::parameters_from(conf, base::ParametersIn::header)) {
    for (auto& [name, value] : q.fields.fields) {
      if (parsed && wire::same_text(name, wire::kParametersField)) parsed = take(value);
    }
  }
  if (parsed && base::parameters_from(conf, base::ParametersIn::query)) parsed = take(q.query);
  if (!parsed) {
    count(counters.bad_request);
    debug("REJECT_CONNECTION", v, q.path);
    Reply r;
    r.status = 400;
    r.body = "Bad parameters: " + parsed.error().text + "\n";
    co_return co_await reply(v, std::move(r));
  }

  auto no = [&](int status, std::string body) {
    count(counters.rejected_auth);
    debug("REJECT_CONNECTION", v, q.path);
    Reply r;
    r.status = status >= 400 && status <= 599 ? status : static_cast<int>(conf.num(Opt::auth_reject_status));
    r.body = body.empty() ? conf.text(Opt::auth_reject_body) : std::move(body);
    if (r.status == 401) r.headers = "WWW-Authenticate: Meshwork\r\n";  // RFC 9110 section 15.5.2 wants one
    return r;
  };
  auto later = [&](const char* why) {
    count(counters.rejected_limit);
    debug("REJECT_CONNECTION", v, q.path);
    return busy(why);
  };

  if (!parameters_match(q.policy->expected, q.parameters)) co_return co_await reply(v, no(0, ""));
  if (draining_) co_return co_await reply(v, later("the provider is being drained"));
  switch (seats_.take(v->remote, conf.num(Opt::max_peers), conf.num(Opt::max_peers_per_address))) {
    case Seats::Verdict::full: co_return co_await reply(v, later("too many peers"));
    case Seats::Verdict::address_full: co_return co_await reply(v, later("too many peers from this address"));
    case Seats::Verdict::ok: v->seated = true;
  }
  if (conf.num(Opt::auth_ask)) {
    if (!co_await ask(v, q)) {
      if (!v->hung_up) co_await reply(v, later(stopping_ ? "the provider is closing" : "admission was not decided in time"));
      co_return;
    }
    if (!v->said.allow) co_return co_await reply(v, no(v->said.status, std::move(v->said.body)));
    if (draining_ || stopping_) co_return co_await reply(v, later("the provider is closing"));
  }
  co_await welcome(v, q);
}

// True: the host said something.
Task<bool> Reception::ask(VisitPtr v, const Request& q) {
  std::string json, part;
  base::JsonObject o(json);
  o.text("method", q.fields.method).text("path", q.path).text("query", q.query);
  base::JsonObject parameters(part);
  for (auto& [key, value] : q.parameters) parameters.text(key, value);
  parameters.end();
  o.raw("parameters", part);
  std::map<std::string, std::string> fields;  // by lower case name, repeated ones joined
  for (auto& [key, value] : q.fields.fields) {
    std::string name(key);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string& all = fields[name];
    if (!all.empty()) all += name == "cookie" ? "; " : ", ";
    all += value;
  }
  part.clear();
  base::JsonObject headers(part);
  for (auto& [key, value] : fields) headers.text(key, value);
  headers.end();
  o.raw("headers", part).text("ip", v->remote.text()).number("port", v->remote.port).text("origin", fields["origin"]);
  part = "[";
  if (auto offered = wire::token_list(fields["sec-websocket-protocol"])) {
    for (auto name : *offered) {
      if (part.size() > 1) part += ',';
      base::json_quote(part, name);
    }
  }
  part += ']';
  o.raw("subprotocols", part).text("tls_subject", v->stream.tls() ? v->stream.tls()->peer_subject() : "");
  o.end();

  v->ticket = asks_.open(v->slot);
  v->left = limit(*policy_->conf, Opt::auth_timeout);
  v->waits = Visit::Waits::host;
  watch_for_hang_up(v, true);
  sink_.ask(v->ticket, std::move(json));
  while (!v->settled) co_await v->bell.wait();
  v->waits = Visit::Waits::peer;
  v->stream.cancel();  // the watch
  co_return v->host_answered;
}

// A client that gives up while the host thinks frees its place. Early frames
// are not a farewell, but hide one: then only a reset is seen.
void Reception::watch_for_hang_up(const VisitPtr& v, bool readable) {
  v->stream.socket().async_wait(readable ? asio::socket_base::wait_read : asio::socket_base::wait_error,
                                [self = self(), v](boost::system::error_code ec) {
    if (ec || v->settled) return;
    pollfd p{v->stream.fd(), POLLIN | POLLRDHUP, 0};
    (void)::poll(&p, 1, 0);
    if (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) {
      v->hung_up = true;
      return self->settle(v);
    }
    self->watch_for_hang_up(v, !(p.revents & POLLIN));
  });
}

Task<void> Reception::welcome(VisitPtr v, const Request& q) {
  Accepted a;
  a.remote = v->remote;
  a.dialect = q.verdict.dialect;
  a.deflate = q.verdict.deflate;
  std::string part;
  base::JsonObject parameters(part);
  for (auto& [key, value] : q.parameters) {
    auto& secrets = q.policy->expected;
    bool secret = std::any_of(secrets.begin(), secrets.end(), [&key](auto& e) { return e.first == key; });
    parameters.text(key, secret ? "***" : value);
  }
  parameters.end();
  static constexpr const char* kWires[] = {"raw", "network-cluster", "meshwork"};
  base::JsonObject facts(a.facts);
  facts.text("ip", v->remote.text()).number("port", v->remote.port).text("path", q.path).raw("parameters", part);
  facts.text("wire", kWires[static_cast<size_t>(a.dialect)]).text("subprotocol", q.verdict.subprotocol);
  if (Tls* tls = v->stream.tls()) facts.text("identity", tls->peer_subject()).text("tls", tls->version());
  if (!v->said.data.empty()) facts.raw("data", v->said.data);
  a.facts.erase(0, 1);  // members only: link adds its own

  std::string answer = "HTTP/1.1 101 Switching Protocols\r\n";
  for (auto& [name, value] : q.verdict.fields) answer += name + ": " + value + "\r\n";
  answer += "\r\n";
  v->left = limit(*policy_->conf, Opt::handshake_timeout);
  auto [ec, n] = co_await asio::async_write(v->stream, asio::buffer(answer), kValue);
  if (ec) {
    count(v->late ? counters.handshake_timeout : counters.bad_request);
    co_return;
  }
  co_await hand_over(v, std::move(a));
}

// No upgrade: the seats count, nothing is asked, and a no is the end of the connection.
Task<void> Reception::let_in(VisitPtr v) {
  const base::Conf& conf = *policy_->conf;
  const bool full = v->tight || draining_ ||
                    seats_.take(v->remote, conf.num(Opt::max_peers), conf.num(Opt::max_peers_per_address)) != Seats::Verdict::ok;
  if (full) {
    count(counters.rejected_limit);
    co_return debug("REJECT_CONNECTION", v, "");
  }
  v->seated = true;
  Accepted a;
  a.remote = v->remote;
  a.dialect = *bare_;
  base::JsonObject facts(a.facts);
  facts.text("ip", v->remote.text()).number("port", v->remote.port);
  a.facts.erase(0, 1);
  co_await hand_over(v, std::move(a));
}

Task<void> Reception::hand_over(VisitPtr v, Accepted a) {
  auto early = v->buffer.data();
  auto carrier = co_await v->stream.release(early.data(), early.size());
  if (!carrier) co_return debug("CONNECTION_LOST", v, carrier.error().text);
  if (stopping_) co_return;  // a close that came meanwhile wins
  a.carrier = std::move(*carrier);
  count(counters.upgraded);
  if (base::log_level(*policy_->conf) >= base::LogLevel::debug) {
    const std::string ip = v->remote.text();
    log("CONNECTION_UPGRADE|" + ip + ":" + std::to_string(v->remote.port) + "|" + ip);
  }
  sink_.ready(std::move(a));
  v->seated = false;  // gone() gives the seat back
}

Reply Reception::busy(const char* why) const {
  int64_t seconds = draining_ ? (policy_->conf->num(Opt::drain_stagger) + 999) / 1000 : 1;
  return unavailable(std::string(why) + "\n", static_cast<long>(std::max<int64_t>(1, seconds)));
}

}  // namespace mw::net
