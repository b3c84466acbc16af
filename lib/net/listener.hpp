// The listening side of the control thread: sockets, TLS handshake, PROXY v2,
// HTTP head, pages, admission, upgrade. Gives whole connections to a sink.
// Used by link's provider. open/answer/update/gone/stop: any thread; the sink
// is called on the control thread only.
#pragma once
#include "base/conf.hpp"
#include "net/carrier.hpp"
#include "net/control.hpp"
#include "wire/dialect.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mw::net {

// A connection whose upgrade was answered 101, or a bare one. Nothing is pending on the fd
// and it is released from the reactor; carrier.early holds bytes read past
// the request.
struct Accepted {
  Carrier carrier;
  Address remote;               // after trusted proxies
  wire::Dialect dialect = wire::Dialect::raw;
  wire::Deflate deflate;
  std::string facts;            // members of a JSON object without braces:
                                // "ip":..,"port":..,"path":..,"parameters":{..},"wire":"raw",
                                // "subprotocol":..,"identity":..,"tls":..[,"data":<from the answer>]
};

// Counted reasons for connections that never became peers.
struct ListenerCounters {
  std::atomic<uint64_t> accepted{0}, upgraded{0}, rejected_auth{0}, rejected_limit{0}, rejected_origin{0},
      rejected_version{0}, bad_request{0}, header_too_large{0}, handshake_timeout{0}, tls_failed{0},
      fd_exhausted{0}, pages{0};
};

class ListenerSink {
 public:
  virtual ~ListenerSink() = default;
  // Once: every listen address is bound (urls as "ws://127.0.0.1:43121/connect"), or why not.
  virtual void listening(base::Result<std::vector<std::string>> urls) = 0;
  // auth.ask: the host decides; settle with Listener::answer(ticket, ...). json is the ASK body.
  virtual void ask(uint64_t ticket, std::string json) = 0;
  // The ticket's question is void (deadline, connection gone, listener stopped).
  virtual void ask_over(uint64_t ticket) = 0;
  virtual void ready(Accepted&& a) = 0;
  // A background failure to tell (accept failed, descriptors exhausted) or a refused connection to log.
  virtual void trouble(base::Error e) = 0;
  virtual void log(int level, std::string line) = 0;
  // Bodies of pages; 200 for ready.
  virtual std::string metrics() = 0;
  virtual bool alive() = 0;  // /livez
  // After stop(): the last call; every socket of the listener is closed.
  virtual void stopped() = 0;
};

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Conf of kind PROVIDER, checked for contradictions by check(). The sink must live until stopped().
  // bare: connections speak this from their first byte, and come without an upgrade.
  static std::shared_ptr<Listener> open(Control& control, std::shared_ptr<const base::Conf> conf,
                                        ListenerSink& sink, std::optional<wire::Dialect> bare = {});
  // Contradictions between keys, unreadable files: told before anything opens.
  static base::Result<void> check(const base::Conf& conf);
  virtual ~Listener() = default;

  struct Answer {
    bool allow = false;
    int status = 0;          // of a no; 0 = auth.reject_status
    std::string body;        // of a no; "" = auth.reject_body
    std::string data;        // JSON value for PEER_UP, or ""
  };
  // False: too late, the question is void. True for one caller only.
  virtual bool answer(uint64_t ticket, Answer a) = 0;
  // Live options replaced (certificates, auth.parameters, limits).
  virtual void update(std::shared_ptr<const base::Conf> conf) = 0;
  // A peer given by ready() has ended: its seats (max_peers, max_peers_per_address) are free.
  virtual void gone(const Address& remote) = 0;
  // New upgrades get 503 + Retry-After; /readyz turns 503. Sockets stay open.
  virtual void drain() = 0;
  // Closes sockets, refuses handshakes under way, then sink.stopped().
  virtual void stop() = 0;

  ListenerCounters counters;
};

}  // namespace mw::net
