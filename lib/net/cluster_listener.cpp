#include "base/choices.hpp"
#include "base/insist.hpp"
#include "base/json.hpp"
#include "net/bridge.hpp"
#include "net/cluster.hpp"
#include "net/cluster_port.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"

#include <cstring>
#include <utility>

#include <unistd.h>

namespace mw::net {

namespace {

class ClusterListener final : public Listener, public ClusterMember {
 public:
  ClusterListener(Control& control, ClusterPlace place, ListenerSink& sink)
      : ClusterMember(place.rules.name), control_(control), io_(control.impl().io), sink_(sink), place_(std::move(place)) {}

  void start() {
    spawn(io_, open_port(), give_up_, self());
  }
  bool answer(uint64_t, Answer) override { return false; }
  void update(std::shared_ptr<const base::Conf>) override {}
  void gone(const Address&) override {}
  void drain() override {}
  void stop() override {
    post([self = self()] { self->leave(); });
  }

  // ---- ClusterMember
  void take(int fd, const Address& from, base::Buffer&& early) override {
    auto bytes = std::make_shared<base::Buffer>(std::move(early));
    post([self = self(), fd, from, bytes] { self->arrived(fd, from, *bytes); });
  }
  void watch(std::shared_ptr<ClusterPort> port) override {
    post([self = self(), port = std::move(port)] { self->begin_watch(port); });
  }
  void look() override {
    post([self = self()] {
      if (self->watch_) self->watch_->look();
    });
  }

 private:
  std::shared_ptr<ClusterListener> self() { return std::static_pointer_cast<ClusterListener>(Listener::shared_from_this()); }
  template <class F>
  void post(const F& f) {
    base::insist([&] { control_.post(f); });
  }

  Task<void> open_port() {
    AtEnd end([self = self()] {
      self->post([self] { self->opened(base::Error{self->stopping_ ? MW_ECANCELED : MW_ENOMEM, 0, {}}); });
    });
    auto found = co_await resolve(place_.host, place_.port);
    if (!found) co_return opened(found.error());
    if (stopping_) co_return opened(base::Error{MW_ECANCELED, 0, {}});
    sockaddr_storage at{};
    std::memcpy(&at, found->front().data(), found->front().size());
    where_ = text_of(found->front());
    auto joined = ClusterPort::join(where_, at, self());
    if (!joined) co_return opened(joined.error());
    port_ = std::move(*joined);
    opened({});
  }

  void opened(const base::Result<void>& r) {
    if (!std::exchange(opening_, false)) return;
    base::insist([&] {
      if (r)
        sink_.listening(std::vector<std::string>{"cluster-client://" + where_ + "/" + place_.rules.name});
      else
        sink_.listening(r.error());
    });
    if (stopping_) leave();
  }

  void begin_watch(const std::shared_ptr<ClusterPort>& port) {
    if (stopping_) return;  // leave() gives it to the next one
    base::insist([&] { watch_ = std::make_shared<Watch>(io_, port, place_.rules.max_message); });
    base::insist([&] { watch_->begin(); });
  }

  void arrived(int fd, const Address& from, base::Buffer& early) {
    if (stopping_) {
      ::close(fd);
      return;
    }
    int own = -1;
    auto made = Bridge::make(io_, fd, wire::ClusterBridge::End::leader, place_.rules, &own);
    if (!made) return base::insist([&] { sink_.trouble(made.error()); });
    Accepted a;
    a.carrier.fd = own;
    a.remote = from;
    a.dialect = wire::Dialect::meshwork;
    try {
      std::string facts;
      base::JsonObject o(facts);
      o.text("ip", from.text()).number("port", from.port).text("wire", "cluster-client");
      o.end();
      a.facts = facts.substr(1, facts.size() - 2);
      (*made)->listens.log = [weak = std::weak_ptr(self())](std::string line) {
        if (auto self = weak.lock(); self && !self->stopping_) self->sink_.log(static_cast<int>(base::LogLevel::warn), std::move(line));
      };
      (*made)->begin(early.data(), early.size());
      sink_.ready(std::move(a));
    } catch (const std::bad_alloc&) {
      (*made)->end({MW_ENOMEM, 0, {}});
    }
  }

  void leave() {
    stopping_ = true;
    give_up_.emit(asio::cancellation_type::terminal);
    if (opening_ || std::exchange(told_, true)) return;
    if (watch_) std::exchange(watch_, nullptr)->end();
    if (port_) ClusterPort::leave(std::exchange(port_, nullptr), *this);
    base::insist([&] { sink_.stopped(); });
  }

  Control& control_;
  asio::io_context& io_;
  ListenerSink& sink_;
  const ClusterPlace place_;
  std::string where_;
  std::shared_ptr<ClusterPort> port_;
  std::shared_ptr<Watch> watch_;
  asio::cancellation_signal give_up_;
  bool opening_ = true, stopping_ = false, told_ = false;
};

}  // namespace

std::shared_ptr<Listener> open_cluster_listener(Control& control, ClusterPlace place, ListenerSink& sink) {
  auto l = std::make_shared<ClusterListener>(control, std::move(place), sink);
  control.post([l] { l->start(); });
  return l;
}

}  // namespace mw::net
