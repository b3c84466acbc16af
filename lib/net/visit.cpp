// From accept to a request, and every answer that is no.
#include "base/choices.hpp"
#include "net/pages.hpp"
#include "net/proxy_header.hpp"
#include "net/request.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include <cerrno>
#include <ctime>
#include <new>

#include <sys/socket.h>

namespace mw::net {

namespace http = boost::beast::http;
using base::Opt;

namespace {

constexpr milliseconds kParting{1000};          // for a refusal to arrive
constexpr size_t kPartingBytes = 256 * 1024;    // read and forgotten meanwhile
constexpr size_t kReadAhead = 4096;             // of the connection's data, with the head

std::string_view view(boost::beast::string_view s) { return {s.data(), s.size()}; }

}  // namespace

// ---- From accept to the head ------------------------------------------------------

Task<void> Reception::receive(VisitPtr v) {
  AtEnd end([self = self(), v] { self->post([self, v] { self->leave(v); }); });
  Request q;
  bool head = false;
  try {
    co_await asio::post(asio::use_awaitable);  // accepting goes on before this connection does
    v->left = limit(*policy_->conf, policy_->tls ? Opt::tls_handshake_timeout : Opt::handshake_timeout);
    if (policy_->trusted.contain(v->near) && !co_await read_proxy_header(v)) co_return;
    if (policy_->tls && !co_await secure(v)) co_return;
    if (bare_) co_return co_await let_in(v);
    v->left = limit(*policy_->conf, Opt::handshake_timeout);
    head = co_await read_head(v, q);
    if (head) co_await route(v, q);
  } catch (const std::bad_alloc&) {
    // Nothing here may need memory.
    count(counters.rejected_limit);
    static constexpr char kBusy[] =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    if (head && v->stream.tls() == nullptr && v->stream.fd() >= 0) {
      (void)::send(v->stream.fd(), kBusy, sizeof kBusy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
}

// False: the connection is of no use. Without a header it is as it was.
Task<bool> Reception::read_proxy_header(VisitPtr v) {
  auto& socket = v->stream.socket();
  uint8_t whole[ProxyHeader::kFixed + ProxyHeader::kMaxRest];
  for (;;) {  // the first byte tells, and stays where it is
    ssize_t n = ::recv(v->stream.fd(), whole, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 1 && whole[0] != ProxyHeader::kFirst) co_return true;
    if (n == 1) break;
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) co_return false;
    auto [ec] = co_await socket.async_wait(asio::socket_base::wait_read, kValue);
    if (ec) {
      if (v->late) count(counters.handshake_timeout);
      co_return false;
    }
  }
  size_t have = 0, want = ProxyHeader::kFixed;
  while (have < want) {
    auto [ec, n] = co_await socket.async_read_some(asio::buffer(whole + have, want - have), kValue);
    if (ec) {
      count(v->late ? counters.handshake_timeout : counters.bad_request);
      co_return false;
    }
    have += n;
    if (have != ProxyHeader::kFixed) continue;
    auto rest = ProxyHeader::rest(std::span<const uint8_t, ProxyHeader::kFixed>(whole, ProxyHeader::kFixed));
    want = rest ? want + *rest : 0;
  }
  auto client = ProxyHeader::client({whole, have});
  if (!client) {
    count(counters.bad_request);
    debug("BAD_REQUEST", v, "PROXY header");
    co_return false;
  }
  if (client->family != Address::Family::none) v->remote = *client;
  co_return true;
}

Task<bool> Reception::secure(VisitPtr v) {
  v->stream.start_tls(std::make_unique<Tls>(policy_->tls, true, ""));
  auto r = co_await v->stream.handshake();
  if (r) co_return true;
  if (stopping_) co_return false;
  count(v->late ? counters.handshake_timeout : counters.tls_failed);
  if (v->late) {
    debug("HANDSHAKE_TIMEOUT", v, "TLS");
  } else {
    debug("TLS_FAILED", v, r.error().text);
  }
  co_return false;
}

Task<bool> Reception::read_head(VisitPtr v, Request& q) {
  const auto max = static_cast<uint32_t>(policy_->conf->num(Opt::http_max_header));
  q.parser.header_limit(max);
  v->buffer.max_size(max + kReadAhead);
  auto [ec, n] = co_await http::async_read_header(v->stream, v->buffer, q.parser, kValue);
  if (!ec) {
    auto& m = q.parser.get();
    q.fields.method = view(m.method_string());
    q.fields.target = view(m.target());
    q.fields.version = static_cast<int>(m.version());
    for (auto& f : m) q.fields.fields.emplace_back(view(f.name_string()), view(f.value()));
    auto target = wire::split_target(q.fields.target);
    q.path = target.path;
    q.query = target.query;
    co_return true;
  }
  if (stopping_ || ec == http::error::end_of_stream) co_return false;
  Reply r;
  r.status = 400;
  if (v->late) {
    count(counters.handshake_timeout);
    debug("HANDSHAKE_TIMEOUT", v, "request");
    r.status = 408;
    r.body = "The request did not arrive in time.\n";
  } else if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
    count(counters.header_too_large);
    debug("HEADER_TOO_LARGE", v, "");
    r.status = 431;
    r.body = "The request's head is larger than " + std::to_string(max) + " bytes.\n";
  } else if (ec.category() == http::make_error_code(http::error::bad_method).category()) {
    count(counters.bad_request);
    debug("BAD_REQUEST", v, ec.message());
    r.body = "Bad request: " + ec.message() + ".\n";
  } else {
    count(counters.bad_request);
    co_return false;  // reset, or TLS broke: nobody listens
  }
  co_await reply(v, std::move(r));
  co_return false;
}

// ---- What is asked for --------------------------------------------------------------

Task<void> Reception::route(VisitPtr v, Request& q) {
  if (policy_->trusted.contain(v->remote)) {
    v->remote = forwarded_for(q.joined("X-Forwarded-For"), v->remote, policy_->trusted);
  }
  if (v->tight) {
    count(counters.rejected_limit);
    debug("REJECT_CONNECTION", v, q.path);
    co_return co_await reply(v, busy("no descriptor is left"));
  }
  const bool head = q.fields.method == "HEAD";
  if ((head || q.fields.method == "GET") && q.joined("Upgrade").empty()) {
    if (auto r = page(*policy_->conf, q.path, q.joined("Authorization"), draining_, sink_)) {
      count(counters.pages);
      co_return co_await reply(v, std::move(*r), head);
    }
  }
  q.verdict = wire::judge_upgrade(q.fields, policy_->upgrade);
  if (q.verdict.status == 101) co_return co_await admit(v, q);

  const int status = q.verdict.status;
  count(status == 403 ? counters.rejected_origin : status == 426 ? counters.rejected_version : counters.bad_request);
  debug("REJECT_CONNECTION", v, q.path);
  Reply r;
  r.status = status;
  r.body = std::string(q.verdict.reason) + "\n";
  if (status == 426) r.body = "Connect here with a WebSocket client: " + r.body;
  for (auto& [name, value] : q.verdict.fields) r.headers += name + ": " + value + "\r\n";
  co_await reply(v, std::move(r), head);
}

// ---- Saying no ------------------------------------------------------------------------

// Sends an answer and closes. What the peer still sends is read and forgotten
// for a moment: a close with unread input would make its system drop the answer.
Task<void> Reception::reply(VisitPtr v, Reply r, bool head_only) {
  v->left = kParting;
  v->late = false;
  const std::string text = compose(r, head_only, std::time(nullptr));
  auto [ec, n] = co_await asio::async_write(v->stream, asio::buffer(text), kValue);
  if (ec || stopping_) co_return;
  auto& socket = v->stream.socket();
  if (Tls* tls = v->stream.tls()) {
    base::Buffer bye;
    tls->shutdown(bye);
    auto [failed, sent] = co_await asio::async_write(socket, asio::buffer(bye.data(), bye.size()), kValue);
    if (failed) co_return;
  }
  ::shutdown(v->stream.fd(), SHUT_WR);
  char scratch[2048];
  for (size_t total = 0; total < kPartingBytes && !v->late && !stopping_;) {
    auto [over, got] = co_await socket.async_read_some(asio::buffer(scratch), kValue);
    if (over) co_return;
    total += got;
  }
}

void Reception::debug(const char* what, const VisitPtr& v, std::string_view detail) {
  if (base::log_level(*policy_->conf) < base::LogLevel::debug) return;
  std::string line = std::string(what) + "|" + v->remote.text();
  if (!detail.empty()) line.append("|").append(detail);
  log(std::move(line));
}

void Reception::log(std::string line) { sink_.log(static_cast<int>(base::LogLevel::debug), std::move(line)); }

}  // namespace mw::net
