#include "net/listener.hpp"

#include "base/choices.hpp"
#include "net/reception.hpp"
#include "net/resolver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>

namespace mw::net {

namespace {

using base::Error;
using base::Opt;

void set_port(sockaddr_storage& sa, uint16_t port) noexcept {
  (sa.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(sa).sin6_port
                            : reinterpret_cast<sockaddr_in&>(sa).sin_port) = htons(port);
}

// All addresses of one name on one port. With port 0 the first address draws
// it; the system may have given it to somebody else on the next, so try again.
base::Result<std::vector<Door>> bind_all(std::vector<sockaddr_storage> at, uint16_t port, const base::Conf& conf) {
  constexpr int kDraws = 8;
  for (int draw = 1;; ++draw) {
    std::vector<Door> doors;
    uint16_t drawn = port;
    Error why;
    for (sockaddr_storage& sa : at) {
      set_port(sa, drawn);
      socklen_t len = sa.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
      auto door = Door::tcp(reinterpret_cast<const sockaddr*>(&sa), len, static_cast<int>(conf.num(Opt::backlog)),
                            conf.num(Opt::reuse_port) != 0);
      if (door) {
        drawn = door->port();
        doors.push_back(std::move(*door));
        continue;
      }
      why = door.error();
      // "localhost" has an IPv6 address also where the machine has none.
      if (why.os != EADDRNOTAVAIL && why.os != EAFNOSUPPORT) break;
    }
    bool skipped_only = why.os == 0 || why.os == EADDRNOTAVAIL || why.os == EAFNOSUPPORT;
    if (!doors.empty() && skipped_only) return doors;
    if (port != 0 || doors.empty() || why.code != MW_EADDRINUSE || draw == kDraws) return why;
  }
}

}  // namespace

std::shared_ptr<Listener> Listener::open(Control& control, std::shared_ptr<const base::Conf> conf,
                                         ListenerSink& sink, std::optional<wire::Dialect> bare) {
  auto r = std::make_shared<Reception>(control, std::move(conf), sink, bare);
  control.post([r] { r->start(); });
  return r;
}

base::Result<void> Listener::check(const base::Conf& conf) {
  if (auto p = places(conf); !p) return p.error();
  if (auto p = Policy::make(conf.freeze()); !p) return p.error();
  return {};
}

Reception::Reception(Control& control, std::shared_ptr<const base::Conf> conf, ListenerSink& sink,
                     std::optional<wire::Dialect> bare)
    : control_(control),
      io_(control.impl().io),
      sink_(sink),
      bare_(bare),
      first_(std::move(conf)),
      max_visits_(static_cast<size_t>(first_->num(Opt::handshake_max))),
      acceptor_(io_, *this),
      asks_(max_visits_),
      tick_(io_) {}

// ---- Opening ----------------------------------------------------------------

void Reception::start() {
  try {
    spawn(io_, open_doors(), give_up_, self());
  } catch (const std::bad_alloc&) {
    opened(Error{MW_ENOMEM, 0, ""});
  }
}

Task<void> Reception::open_doors() {
  // Where a resolve was given up or there was no memory, nothing else is said.
  AtEnd end([self = self()] {
    self->post([self] { self->opened(Error{self->stopping_ ? MW_ECANCELED : MW_ENOMEM, 0, ""}); });
  });
  auto policy = Policy::make(first_);
  if (!policy) co_return opened(policy.error());
  policy_ = std::move(*policy);
  auto all = places(*first_);
  if (!all) co_return opened(all.error());
  for (const Place& p : *all) {
    auto r = co_await open_door(p);
    if (stopping_) co_return opened(Error{MW_ECANCELED, 0, ""});
    if (!r) co_return opened(r.error());
  }
  opened(base::Result<void>());
}

Task<base::Result<void>> Reception::open_door(const Place& place) {
  const base::Conf& conf = *policy_->conf;
  if (place.kind != Place::Kind::tcp) {
    auto door = place.kind == Place::Kind::adopted ? Door::adopt(place.fd)
                                                   : Door::local(place.file, static_cast<int>(conf.num(Opt::backlog)));
    if (!door) co_return door.error();
    co_return acceptor_.add(std::move(*door));
  }
  auto found = co_await resolve(place.host, place.port);
  if (!found) co_return found.error();
  std::vector<sockaddr_storage> at;
  for (const auto& a : *found) {
    sockaddr_storage sa{};
    std::memcpy(&sa, a.data(), a.size());
    at.push_back(sa);
  }
  auto doors = bind_all(std::move(at), place.port, conf);
  if (!doors) co_return doors.error();
  for (Door& d : *doors) {
    if (auto r = acceptor_.add(std::move(d)); !r) co_return r.error();
  }
  co_return base::Result<void>();
}

void Reception::opened(const base::Result<void>& r) {
  if (!std::exchange(opening_, false)) return;
  first_.reset();
  if (r && !stopping_) {
    base::insist([&] { sink_.listening(acceptor_.urls(policy_->tls != nullptr, policy_->conf->text(Opt::path))); });
    return acceptor_.pump();
  }
  acceptor_.close();
  base::insist([&] { sink_.listening(r ? Error{MW_ECANCELED, 0, ""} : r.error()); });
  finish_if_empty();
}

// ---- What link asks for -------------------------------------------------------

bool Reception::answer(uint64_t ticket, Answer a) {
  auto said = std::make_shared<Answer>(std::move(a));
  if (!asks_.settle(ticket)) return false;
  post([self = self(), ticket, said] {
    VisitPtr v = self->visits_[self->asks_.slot(ticket)];
    if (v == nullptr || v->ticket != ticket) return;
    v->said = std::move(*said);
    v->host_answered = v->settled = true;
    v->bell.ring();
  });
  return true;
}

void Reception::update(std::shared_ptr<const base::Conf> conf) {
  post([self = self(), conf = std::move(conf)] {
    if (self->opening_) self->first_ = conf;  // what is live has no say in where to listen
    if (!self->policy_) return;
    base::insist([&] {
      auto policy = Policy::make(conf);
      if (!policy) return self->sink_.trouble(policy.error());
      self->policy_ = std::move(*policy);
    });
  });
}

void Reception::gone(const Address& remote) {
  post([self = self(), remote] {
    self->seats_.leave(remote);
    self->acceptor_.retry();
  });
}

void Reception::drain() {
  post([self = self()] { self->draining_ = true; });
}

void Reception::stop() {
  post([self = self()] {
    if (std::exchange(self->stopping_, true)) return;
    self->give_up_.emit(asio::cancellation_type::terminal);
    self->acceptor_.close();
    for (const VisitPtr& v : self->visits_) {
      if (v == nullptr) continue;
      if (v->waits == Visit::Waits::host) {
        self->settle(v);
      } else {
        v->stream.cancel();
      }
    }
    self->finish_if_empty();
  });
}

void Reception::finish_if_empty() {
  if (!stopping_ || opening_ || active_ > 0 || std::exchange(told_stopped_, true)) return;
  tick_.cancel();
  base::insist([&] { sink_.stopped(); });
}

// ---- Visits come and go ---------------------------------------------------------

bool Reception::room() const noexcept { return active_ < max_visits_; }

void Reception::accepted(int fd, const Address& from, bool tight) {
  counters.accepted.fetch_add(1, std::memory_order_relaxed);
  auto stream = Stream::adopt(io_, fd);
  if (!stream) return sink_.trouble(stream.error());
  const bool fresh = free_.empty();
  const size_t slot = fresh ? visits_.size() : free_.back();
  auto v = std::make_shared<Visit>(std::move(*stream), from, slot, tight);
  if (fresh) {
    free_.reserve(slot + 1);  // leave() must not fail
    visits_.push_back(v);
  } else {
    free_.pop_back();
    visits_[slot] = v;
  }
  ++active_;
  try {
    wind();
    asio::co_spawn(io_, receive(v), asio::detached);
  } catch (const std::bad_alloc&) {
    leave(v);
    throw;
  }
}

void Reception::leave(const VisitPtr& v) {
  if (visits_[v->slot] != v) return;
  asks_.settle(v->ticket);  // of a visit that failed for want of memory
  if (std::exchange(v->seated, false)) seats_.leave(v->remote);
  v->stream.close();
  visits_[v->slot] = nullptr;
  free_.push_back(v->slot);
  --active_;
  if (stopping_) return finish_if_empty();
  if (v->tight) acceptor_.retry();
  acceptor_.pump();
}

void Reception::exhausted(int os) {
  counters.fd_exhausted.fetch_add(1, std::memory_order_relaxed);
  sink_.trouble({MW_EIO, os,
                 std::string("accepting pauses until descriptors or memory come back: ") + std::strerror(os) +
                     "; raise the limit of open files or set max_peers"});
}

void Reception::broken(base::Error e) { sink_.trouble(std::move(e)); }

// ---- The clock ------------------------------------------------------------------

// One timer for all visits. What is charged for a tick is its nominal length
// even when this thread came late, so that a storm of handshakes never ends
// one for our own slowness; a peer that is slow itself is charged in full.
void Reception::wind() {
  if (std::exchange(ticking_, true)) return;
  const base::Conf& c = *policy_->conf;
  int64_t shortest = std::min({c.num(Opt::handshake_timeout), c.num(Opt::tls_handshake_timeout), c.num(Opt::auth_timeout)});
  tick_every_ = milliseconds(std::clamp<int64_t>(shortest / 16, 2, 100));
  tick_.expires_after(tick_every_);
  base::insist([&] {
    tick_.async_wait([self = self()](boost::system::error_code ec) {
      self->ticking_ = false;
      if (!ec && self->active_ > 0) self->tick();
    });
  });
}

void Reception::tick() {
  for (const VisitPtr& v : visits_) {
    if (v == nullptr) continue;
    v->left -= tick_every_;
    if (v->left > milliseconds(0) && !stopping_) continue;
    if (v->waits == Visit::Waits::host) {
      settle(v);
    } else {
      v->late |= !stopping_;
      v->stream.cancel();  // again at each tick: it may have been between two operations
    }
  }
  wind();
}

// Ends a question without an answer, unless the host's is already on its way.
void Reception::settle(const VisitPtr& v) {
  if (v->settled || !asks_.settle(v->ticket)) return;
  v->settled = true;
  base::insist([&] { sink_.ask_over(v->ticket); });
  v->bell.ring();
}

}  // namespace mw::net
