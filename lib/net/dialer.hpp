// The connecting side of the control thread: resolve, race the addresses,
// proxy, TLS, upgrade. One attempt at a time; when to try again is link's.
// Used by link's consumer. All functions: any thread; the sink is called on
// the control thread only, or inside start() and stop() where the system
// refuses that thread.
#pragma once
#include "base/conf.hpp"
#include "net/carrier.hpp"
#include "net/control.hpp"
#include "wire/dialect.hpp"

#include <memory>
#include <optional>
#include <string>

namespace mw::net {

struct Connected {
  Carrier carrier;
  Address remote;
  wire::Dialect dialect = wire::Dialect::raw;
  wire::Deflate deflate;
  std::string facts;  // as Accepted::facts: "address":"127.0.0.1:8080","wire":..,"subprotocol":..,"tls":..
};

struct Refused {
  base::Error error;            // MW_ERESOLVE EREFUSED EUNREACH ETIMEDOUT ETLS EPROTO EVERSION EAUTH ...
  int http_status = 0;          // where there was an answer
  int64_t retry_after_ms = -1;  // from Retry-After, seconds or date
};

class DialSink {
 public:
  virtual ~DialSink() = default;
  // Exactly one of these two for each start().
  virtual void connected(Connected&& c) = 0;
  virtual void refused(Refused&& r) = 0;
  virtual void log(int level, std::string line) = 0;
  // After stop(): the last call.
  virtual void stopped() = 0;
};

class Dialer {
 public:
  // Conf of kind CONSUMER, checked by check(). The sink must live until stopped().
  // bare: this is spoken from the first byte, without an upgrade.
  static std::shared_ptr<Dialer> open(Control& control, std::shared_ptr<const base::Conf> conf,
                                      DialSink& sink, std::optional<wire::Dialect> bare = {});
  static base::Result<void> check(const base::Conf& conf);
  virtual ~Dialer() = default;
  virtual void start() = 0;
  virtual void cancel() = 0;  // the attempt under way ends with refused(MW_ECANCELED), soon
  virtual void update(std::shared_ptr<const base::Conf> conf) = 0;
  virtual void stop() = 0;
};

}  // namespace mw::net
