// The listener itself: doors, connections that want to become peers (visits),
// seats, questions. For listener.cpp (its life and its clock), visit.cpp and
// admit.cpp (what one connection goes through) only.
// Control thread, but for the functions of Listener that any thread may call.
#pragma once
#include "net/acceptor.hpp"
#include "net/admission.hpp"
#include "base/insist.hpp"
#include "net/listener.hpp"
#include "net/policy.hpp"
#include "net/reactor.hpp"
#include "net/reply.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace mw::net {

using std::chrono::milliseconds;

// One connection from accept to ready, or to a refusal.
struct Visit {
  Visit(Stream s, const Address& from, size_t index, bool last)
      : stream(std::move(s)), bell(stream.get_executor()), near(from), remote(from), slot(index), tight(last) {}

  Stream stream;
  Bell bell;                         // rung when the question is settled
  boost::beast::flat_buffer buffer;  // the head, and what came with it
  Address near;                      // who is connected to us
  Address remote;                    // who that speaks for
  const size_t slot;
  const bool tight;                  // holds the last descriptor of the process
  bool seated = false;               // has a seat that nobody else gives back

  // The clock: `left` runs down only while we wait, for the peer or the host.
  enum class Waits : uint8_t { peer, host } waits = Waits::peer;
  milliseconds left{0};
  bool late = false;

  // The question put to the host.
  uint64_t ticket = 0;  // 0: none open
  bool settled = false;
  bool host_answered = false;
  bool hung_up = false;  // the peer left meanwhile
  Listener::Answer said;
};

class Reception final : public Listener, public AcceptorOwner {
 public:
  Reception(Control& control, std::shared_ptr<const base::Conf> conf, ListenerSink& sink,
            std::optional<wire::Dialect> bare);

  void start();

  bool answer(uint64_t ticket, Answer a) override;
  void update(std::shared_ptr<const base::Conf> conf) override;
  void gone(const Address& remote) override;
  void drain() override;
  void stop() override;

 private:
  using VisitPtr = std::shared_ptr<Visit>;
  struct Request;  // a parsed head: request.hpp

  // AcceptorOwner
  bool room() const noexcept override;
  void accepted(int fd, const Address& from, bool tight) override;
  void exhausted(int os) override;
  void broken(base::Error e) override;
  std::shared_ptr<void> keep() override { return shared_from_this(); }

  // Life
  std::shared_ptr<Reception> self() { return std::static_pointer_cast<Reception>(shared_from_this()); }
  template <class F>
  void post(const F& f) {  // cannot fail
    base::insist([&] { control_.post(f); });
  }
  Task<void> open_doors();
  Task<base::Result<void>> open_door(const Place& place);
  void opened(const base::Result<void>& r);
  void leave(const VisitPtr& v);
  void wind();  // the clock
  void tick();
  void settle(const VisitPtr& v);
  void finish_if_empty();
  void debug(const char* what, const VisitPtr& v, std::string_view detail);
  void log(std::string line);
  static void count(std::atomic<uint64_t>& n) noexcept { n.fetch_add(1, std::memory_order_relaxed); }

  // One visit
  Task<void> receive(VisitPtr v);
  Task<bool> read_proxy_header(VisitPtr v);
  Task<bool> secure(VisitPtr v);
  Task<bool> read_head(VisitPtr v, Request& q);
  Task<void> route(VisitPtr v, Request& q);
  Task<void> admit(VisitPtr v, Request& q);
  Task<bool> ask(VisitPtr v, const Request& q);
  Task<void> welcome(VisitPtr v, const Request& q);
  Task<void> hand_over(VisitPtr v, Accepted a);
  Task<void> let_in(VisitPtr v);
  Task<void> reply(VisitPtr v, Reply r, bool head_only = false);
  Reply busy(const char* why) const;
  void watch_for_hang_up(const VisitPtr& v, bool readable);

  Control& control_;
  asio::io_context& io_;
  ListenerSink& sink_;
  const std::optional<wire::Dialect> bare_;  // no upgrade: this is spoken at once
  std::shared_ptr<const base::Conf> first_;  // until the doors are open
  std::shared_ptr<const Policy> policy_;     // null: the options were no good
  const size_t max_visits_;
  Acceptor acceptor_;
  std::vector<VisitPtr> visits_;  // by slot, null where free
  std::vector<size_t> free_;
  size_t active_ = 0;
  Seats seats_;
  Asks asks_;
  asio::cancellation_signal give_up_;  // resolving
  asio::steady_timer tick_;
  milliseconds tick_every_{0};
  bool ticking_ = false;
  bool opening_ = true;   // listening() was not told yet
  bool draining_ = false;
  bool stopping_ = false;
  bool told_stopped_ = false;
};

}  // namespace mw::net
