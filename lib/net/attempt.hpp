// One attempt to connect, from the name to the 101: a coroutine with a clock,
// ended from outside at any of its waits.
// For net's dialer (it shows Boost). Control thread.
#pragma once
#include "net/dialer.hpp"
#include "net/task.hpp"
#include "net/target.hpp"
#include "net/stream.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <variant>

namespace mw::net {

class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  using Outcome = std::variant<Connected, Refused>;
  using Log = std::function<void(int level, std::string line)>;

  // tls: needed where the target wants it. bare: spoken at once, without an upgrade.
  Attempt(asio::io_context& io, std::shared_ptr<const base::Conf> conf, std::shared_ptr<TlsContext> tls,
          std::optional<wire::Dialect> bare, Log log);
  // Keeps itself alive until done was called, once, perhaps before this returns.
  void begin(std::function<void(Outcome&&)> done);
  // Ends it with this error; done is called soon.
  void end(base::Error why);

 private:
  // A bound on what happens while it lives.
  class Limit;

  Task<void> run();
  Task<Outcome> steps();
  void settle();
  Task<base::Result<Stream>> connect(const Target& to);
  Task<base::Result<void>> tunnel(Stream& stream, const Target& to, const Proxy& proxy);
  Task<base::Result<void>> encrypt(Stream& stream, const Target& to);
  Task<Outcome> upgrade(Stream stream, const Target& to);
  Task<Outcome> as_it_is(Stream stream);

  asio::io_context& io_;
  std::shared_ptr<const base::Conf> conf_;
  std::shared_ptr<TlsContext> tls_;
  const std::optional<wire::Dialect> bare_;
  Log log_;
  std::function<void(Outcome&&)> done_;
  Outcome outcome_ = Refused{{MW_ENOMEM, 0, ""}};  // unless something else is known
  asio::cancellation_signal stop_;
  std::optional<base::Error> verdict_;  // why it was ended from outside
  std::string stage_ = "starting";
  Address remote_;
  std::string remote_text_;
};

}  // namespace mw::net
