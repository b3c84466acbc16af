#include "base/choices.hpp"
#include "base/insist.hpp"
#include "base/json.hpp"
#include "net/address.hpp"
#include "net/bridge.hpp"
#include "net/cluster.hpp"
#include "net/race.hpp"
#include "net/reactor.hpp"
#include "net/target.hpp"

#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace mw::net {

namespace {

// A port of the range the system draws from may be drawn for ourselves: the
// connection is to nobody else then.
bool with_itself(int fd) noexcept {
  sockaddr_storage here{}, there{};
  socklen_t a = sizeof here, b = sizeof there;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &a) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&there), &b) == 0 && a == b && std::memcmp(&here, &there, a) == 0;
}

class ClusterDialer final : public Dialer, public std::enable_shared_from_this<ClusterDialer> {
 public:
  ClusterDialer(Control& control, ClusterPlace place, DialSink& sink)
      : control_(control), io_(control.impl().io), sink_(sink), place_(std::move(place)), late_(io_), again_(io_) {}

  void start() override {
    if (auto r = control_.start(); !r) return sink_.refused(Refused{r.error()});
    post([self = shared_from_this()] { self->begin(); });
  }
  void cancel() override {
    if (control_.start()) post([self = shared_from_this()] { self->refuse({MW_ECANCELED, 0, {}}); });
  }
  void stop() override {
    if (!control_.start()) return sink_.stopped();
    post([self = shared_from_this()] { self->finish(); });
  }
  void update(std::shared_ptr<const base::Conf>) override {}

 private:
  template <class F>
  void post(const F& f) {  // an outcome is owed
    base::insist([&] { control_.post(f); });
  }

  void begin() {
    owed_ = true;
    ++attempt_;
    if (stopping_) return refuse({MW_ECANCELED, 0, {}});
    base::insist([&] {
      late_.expires_after(std::chrono::milliseconds(place_.connect_ms));
      late_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
        if (!ec && self->bridge_ == nullptr) self->refuse({MW_ETIMEDOUT, 0, "connecting took longer than connect.timeout"});
      });
      running_ = std::make_shared<asio::cancellation_signal>();
      spawn(io_, connect(attempt_), *running_, running_);
    });
  }

  Task<void> connect(uint64_t attempt) {
    AtEnd end([self = shared_from_this(), attempt] {
      self->post([self, attempt] {
        if (self->attempt_ == attempt && self->bridge_ == nullptr) self->refuse({MW_ENOMEM, 0, {}});
      });
    });
    auto found = co_await resolve(place_.host, place_.port);
    if (!found) co_return refuse(found.error());
    auto won = co_await race(*found, std::chrono::milliseconds(250), place_.host);
    if (!won) co_return refuse(won.error());
    if (!owed_ || attempt != attempt_) co_return;
    boost::system::error_code ec;
    won->stream.socket().native_non_blocking(true, ec);
    const int fd = won->stream.socket().release(ec);
    if (ec) co_return refuse({MW_EIO, ec.value(), "a connection cannot be taken over: " + ec.message()});
    knock(fd);
  }

  void knock(int fd) {
    if (with_itself(fd)) {
      ::close(fd);
      return refuse({MW_EREFUSED, ECONNREFUSED, "nobody listens there"});
    }
    int own = -1;
    auto made = Bridge::make(io_, fd, wire::ClusterBridge::End::follower, place_.rules, &own);
    if (!made) return refuse(made.error());
    own_ = own;
    late_.cancel();
    bridge_ = *made;
    auto weak = weak_from_this();
    bridge_->listens.log = [weak](std::string line) {
      if (auto self = weak.lock(); self && !self->stopping_) self->sink_.log(static_cast<int>(base::LogLevel::warn), std::move(line));
    };
    bridge_->listens.let_in = [weak] {
      if (auto self = weak.lock()) self->let_in();
    };
    bridge_->listens.over = [weak, b = bridge_.get()](base::Error why) {
      if (auto self = weak.lock(); self && self->bridge_.get() == b) self->refuse(std::move(why));
    };
    ask();
    if (bridge_) bridge_->begin(nullptr, 0);
  }

  void ask() {
    if (!bridge_) return;
    again_.expires_after(std::chrono::milliseconds(place_.again_ms));
    again_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (ec || !self->bridge_) return;
      self->sink_.log(static_cast<int>(base::LogLevel::info), "nobody has let this share in yet: asking again");
      self->ask();
    });
    bridge_->ask_in();
  }

  void let_in() {
    again_.cancel();
    if (!std::exchange(owed_, false)) return;
    bridge_.reset();  // it keeps itself
    Connected c;
    c.carrier.fd = std::exchange(own_, -1);
    c.dialect = wire::Dialect::meshwork;
    base::insist([&] {
      std::string facts;
      base::JsonObject o(facts);
      o.text("address", host_port(place_.host, place_.port)).text("wire", "cluster-client").text("subprotocol", "");
      o.end();
      c.facts = facts.substr(1, facts.size() - 2);
    });
    try {
      sink_.connected(std::move(c));
    } catch (const std::bad_alloc&) {
      base::insist([&] { sink_.refused(Refused{{MW_ENOMEM, 0, {}}}); });
    }
  }

  void refuse(base::Error why) {
    late_.cancel();
    again_.cancel();
    if (auto b = std::exchange(bridge_, nullptr)) b->end({MW_ECANCELED, 0, {}});
    if (own_ >= 0) ::close(std::exchange(own_, -1));
    if (auto r = std::exchange(running_, nullptr)) r->emit(asio::cancellation_type::terminal);
    if (!std::exchange(owed_, false)) return;
    base::insist([&] { sink_.refused(Refused{why}); });
  }

  void finish() {
    if (std::exchange(stopping_, true)) return;
    refuse({MW_ECANCELED, 0, {}});
    base::insist([&] { sink_.stopped(); });
  }

  Control& control_;
  asio::io_context& io_;
  DialSink& sink_;
  const ClusterPlace place_;
  asio::steady_timer late_, again_;
  std::shared_ptr<asio::cancellation_signal> running_;
  std::shared_ptr<Bridge> bridge_;  // until it is let in
  int own_ = -1;
  uint64_t attempt_ = 0;
  bool owed_ = false, stopping_ = false;
};

}  // namespace

std::shared_ptr<Dialer> open_cluster_dialer(Control& control, ClusterPlace place, DialSink& sink) {
  return std::make_shared<ClusterDialer>(control, std::move(place), sink);
}

}  // namespace mw::net
