#include "link/provider.hpp"

#include "base/clock.hpp"
#include "base/json.hpp"
#include "link/control.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

base::Result<mw_handle> Provider::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  auto made = make(ctx, ctx.next_lane(), std::move(conf), token, nullptr);
  if (!made) return made.error();
  return (*made)->handle;
}

base::Result<Provider*> Provider::make(loop::Runtime& ctx, Lane& home, std::shared_ptr<const base::Conf> conf,
                                       uint64_t token, loop::Inside* inside, Listen listen) {
  if (auto ok = net::Listener::check(*conf); !ok) return ok.error();
  auto* p = new Provider(ctx, &home, std::move(conf));
  p->target->inside = inside;
  p->listen_ = std::move(listen);
  if (auto in = p->enter(base::Kind::provider, token); !in) {
    delete p;
    return in.error();
  }
  return p;
}

Provider::Provider(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> conf_)
    : Party(ctx, home, std::move(conf_)), shards_(ctx.lane_count()) {
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i].lane = &ctx.lane_at(i);
    shards_[i].provider = this;
  }
  int64_t lanes = conf()->num(Opt::lanes);
  lanes_used_ = lanes <= 0 ? shards_.size() : std::min(static_cast<size_t>(lanes), shards_.size());
  drain_timer_.provider = this;
}

Provider::~Provider() = default;

wire::SharedDeflate& Provider::shared_deflate(Lane& l) {
  Shard& s = shard(l);
  if (!s.deflate) s.deflate = std::make_unique<wire::SharedDeflate>();
  return *s.deflate;
}

Counters& Provider::counters(Lane& l) { return shard(l).counters; }

// ---- starting

mw_status Provider::start(uint64_t op) {
  if (state_.load() == MW_STATE_DRAINING) return MW_EDRAINING;
  return ask_start(op);
}

void Provider::attend(uint32_t bits) {
  if (bits & kClose) begin_close(close_wish());
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kStart) begin_start();
  if (bits & kDrain) begin_drain();
}

void Provider::begin_start() {
  if (closing_) return finish_starts(MW_ECANCELED, 0, {});
  if (state_.load() >= MW_STATE_UP) return finish_starts(MW_OK, 0, {});
  if (opening_ || !listener_stopped_) return;
  opening_ = true;
  listener_stopped_ = false;
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  auto refuse = [this](base::Error why) {
    base::insist([&] { listening(why); });
    stopped();
  };
  try {
    net::Control& control = control_of(runtime);
    if (auto up = control.start(); !up) return refuse(up.error());
    auto l = listen_ ? listen_(control, *this) : net::Listener::open(control, conf(), *this);
    std::lock_guard lock(mutex_);
    listener_ = std::move(l);
  } catch (const std::bad_alloc&) {
    refuse({MW_ENOMEM, 0, ""});  // a longer text would ask for memory
  }
}

void Provider::listening(base::Result<std::vector<std::string>> urls) {
  post(*lane, [this, urls = std::move(urls)] {
    if (urls) {
      std::lock_guard lock(mutex_);
      urls_ = *urls;
    }
    std::string body;
    if (urls) {
      base::JsonObject o(body);
      o.raw("address", address());
      o.end();
    } else {
      body = error_json(urls.error());
    }
    opening_ = false;
    std::vector<uint64_t> ops;
    std::shared_ptr<net::Listener> listener;
    {
      std::lock_guard lock(mutex_);
      ops.swap(start_ops_);
      listener = listener_;
    }
    if (!urls) {
      state_.store(MW_STATE_IDLE, std::memory_order_release);
      for (uint64_t op : ops) done(*lane, op, urls.error().code, urls.error().os, body);
      if (std::all_of(ops.begin(), ops.end(), [](uint64_t op) { return op == 0; }))
        event(*lane, MW_EVENT_ERROR, 0, token.load(), urls.error().code, urls.error().os, 0, urls.error().text);
      if (listener) listener->stop();
      return;
    }
    if (closing_) {
      for (uint64_t op : ops) done(*lane, op, MW_ECANCELED, 0, {});
      return;
    }
    state_.store(MW_STATE_UP, std::memory_order_release);
    event(*lane, MW_EVENT_UP, 0, token.load(), MW_OK, 0, 0, body);
    for (uint64_t op : ops) done(*lane, op, MW_OK, 0, {});
  });
}

std::string Provider::address() const {
  std::lock_guard lock(mutex_);
  return base::json_texts(urls_);
}

// ---- admission (control thread in, home lane out)

void Provider::ask(uint64_t ticket, std::string json) {
  post(*lane, [this, ticket, json = std::move(json)] {
    std::shared_ptr<net::Listener> listener;
    {
      std::lock_guard lock(mutex_);
      listener = listener_;
    }
    if (closing_ || !listener) return;
    questions_.reserve(questions_.size() + 1);
    auto* a = new Ask(*this, ticket);
    runtime.objects.fetch_add(1);
    base::Slots& slots = base::Slots::shared();
    {
      std::lock_guard lock(slots.mutex());
      a->handle = slots.take(base::Kind::ask, a);
    }
    if (a->handle == 0) {
      a->destroy(true);
      listener->answer(ticket, {});
      return;
    }
    ++shard(*lane).children;
    questions_.push_back({ticket, a->handle});
    event(*lane, MW_EVENT_ASK, 0, token.load(), MW_OK, 1, a->handle, json);
  });
}

void Provider::ask_over(uint64_t ticket) {
  post(*lane, [this, ticket] {
    auto it = std::find_if(questions_.begin(), questions_.end(), [&](const Question& q) { return q.ticket == ticket; });
    if (it == questions_.end()) return;
    mw_handle h = it->handle;
    questions_.erase(it);
    base::retire(h);
  });
}

mw_status Provider::answer(uint64_t ticket, net::Listener::Answer a) {
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  if (!listener || !listener->answer(ticket, std::move(a))) return MW_ECLOSED;
  base::insist([&] { ask_over(ticket); });
  return MW_OK;
}

void Ask::destroy(bool dead) noexcept {
  Provider& p = provider;
  Lane& l = *lane;
  loop::Runtime& r = runtime;
  delete this;
  if (!dead) p.child_gone(l);
  r.objects.fetch_sub(1, std::memory_order_release);
}

void Provider::ready(net::Accepted&& a) {
  size_t i = next_shard_.fetch_add(1, std::memory_order_relaxed) % lanes_used_.load(std::memory_order_relaxed);
  // The home lane first, so that one lane means this one.
  Shard& s = shards_[(static_cast<size_t>(lane->index) + i) % shards_.size()];
  // Pinned, because who joins two ends himself has no listener that is waited for.
  post(*s.lane, [this, &s, pin = base::Pin(handle), a = std::move(a)]() mutable {
    if (pin) admit(s, std::move(a));
  });
}

void Provider::admit(Shard& s, net::Accepted&& a) {
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  Peer* p = nullptr;
  if (!s.closing) {
    try {
      p = born(s, a);
    } catch (const std::bad_alloc&) {
      base::insist([&] { trouble({MW_ENOMEM, 0, "no memory for a new peer: its connection was closed"}); });
    }
  }
  if (p == nullptr) {
    if (listener) listener->gone(a.remote);
    return;  // the carrier closes its descriptor
  }
  ++s.children;
  p->index = static_cast<uint32_t>(s.peers.size());
  s.peers.push_back(p);
  peers_.fetch_add(1, std::memory_order_relaxed);
  p->session.greet();
  mw_event ev{};
  ev.kind = MW_EVENT_PEER_UP;
  ev.token = p->token.load(std::memory_order_relaxed);
  ev.peer = p->handle;
  ev.flags = MW_F_TEXT;
  if (policy.wants(MW_EVENT_PEER_UP)) {
    std::string facts;
    base::insist([&] { facts = p->facts(); });
    emit(*s.lane, ev, {}, {}, facts);
  }
  p->session.begin();
}

// A peer around a whole connection; throws std::bad_alloc with nothing changed.
Peer* Provider::born(Shard& s, net::Accepted& a) {
  struct Free {
    void operator()(Peer* p) const noexcept { p->destroy(true); }
  };
  if (s.peers.size() == s.peers.capacity()) s.peers.reserve(2 * s.peers.size() + 16);
  runtime.objects.fetch_add(1);
  std::unique_ptr<Peer, Free> p;
  try {
    p.reset(new Peer(*this, *s.lane, a.remote));
  } catch (...) {
    runtime.objects.fetch_sub(1);
    throw;
  }
  p->token.store(token.load(std::memory_order_relaxed), std::memory_order_relaxed);
  // What every peer has is told from the peer; an idle one keeps no text.
  auto says = [&a](std::string_view what) { return a.facts.find(what) != std::string::npos; };
  p->tls = !says("\"tls\":") ? Peer::Tls::none : says("\"tls\":\"TLSv1.3\"") ? Peer::Tls::v1_3 : Peer::Tls::v1_2;
  bool plain = says("\"parameters\":{}") && says("\"subprotocol\":\"\"") && !says("\"data\":") &&
               (p->tls == Peer::Tls::none || says("\"identity\":\"\""));
  if (!plain) p->extra = std::make_unique<std::string>(std::move(a.facts));
  p->session.adopt(std::move(a.carrier), wire::Role::server, a.dialect, a.deflate);
  p->handle = s.lane->slots->take(base::Kind::peer, p.get());
  return p->handle != 0 ? p.release() : nullptr;
}

void Provider::session_ended(Session& session) {
  auto& p = static_cast<Peer&>(session.self());
  Shard& s = shard(*p.lane);
  s.peers[p.index] = s.peers.back();
  s.peers[p.index]->index = p.index;
  s.peers.pop_back();
  peers_.fetch_sub(1, std::memory_order_relaxed);
  forget_topics(s, p);
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  if (listener) listener->gone(p.remote);
  base::retire(p.handle);  // PEER_DOWN follows when nobody can hold it any more
}

void Provider::trouble(Error e) {
  post(*lane, [this, e = std::move(e)] { event(*lane, MW_EVENT_ERROR, 0, token.load(), e.code, e.os, 0, e.text); });
}


void Provider::log(int level, std::string line) {
  if (!policy.logs(static_cast<base::LogLevel>(level))) return;
  post(*lane, [this, level, line = std::move(line)] {
    Party::log(*lane, static_cast<base::LogLevel>(level), 0, "listener", line);
  });
}

bool Provider::alive() {
  // A lane that nobody has turned for 10 s serves no one.
  for (Shard& s : shards_)
    if (!s.lane->awake(10000)) return false;
  return true;
}

// ---- changing

mw_status Provider::cork(bool on) {
  for (Shard& s : shards_)
    post(*s.lane, [&s, on] {
      for (Peer* p : s.peers) p->session.cork(on);
    });
  return MW_OK;
}

mw_status Provider::pause(bool on) {
  for (Shard& s : shards_)
    post(*s.lane, [&s, on] {
      for (Peer* p : s.peers) p->session.pause(on);
    });
  return MW_OK;
}

base::Result<void> Provider::update(const base::Conf& change, uint64_t op) {
  auto next = conf()->updated(change);
  if (!next) return next.error();
  if (auto ok = net::Listener::check(**next); !ok) return ok;
  set_conf(*next);
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  if (listener) listener->update(*next);
  for (Shard& s : shards_)
    post(*s.lane, [&s] {
      for (Peer* p : s.peers) p->session.beat_changed();
    });
  if (op != 0) post(*lane, [this, op] { done(*lane, op, MW_OK, 0, {}); });
  return {};
}

// ---- closing

void Provider::begin_close(const CloseWish& w) {
  if (closing_) {
    if (w.flags & MW_CLOSE_ABORT)
      if (!std::exchange(aborted_, true))
        for (Shard& s : shards_) s.lane->post(&s.abort_step);
    return;
  }
  how_ = w;
  closing_ = true;
  loop::Wheel::cancel(drain_timer_);
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  finish_starts(MW_ECANCELED, 0, {});
  end_services();
  shards_left_ = shards_.size();
  for (Shard& s : shards_) s.lane->post(&s.close_step);
  if (listener_stopped_)
    all_arrived();
  else
    listener->stop();
}

void Provider::stopped() { lane->post(&stopped_step_); }

void Provider::listener_gone() {
  listener_stopped_ = true;
  for (const Question& q : questions_) base::retire(q.handle);
  questions_.clear();
  bool again;
  {
    std::lock_guard lock(mutex_);
    listener_.reset();
    again = !start_ops_.empty();
  }
  if (closing_)
    all_arrived();
  else if (again)
    request(kStart);  // asked for while the failed one was being cleared away
}

// The listener has stopped: what it gave is on the lanes.
void Provider::all_arrived() {
  for (Shard& s : shards_) s.lane->post(&s.arrived_step);
}

void Provider::close_shard(Shard& s, const CloseWish& w) {
  s.closing = true;
  // Closing may end a peer at once: the last one takes its place, already told.
  for (size_t i = s.peers.size(); i-- > 0;) s.peers[i]->session.close(w);
  check_shard(s);
}

void Provider::child_gone(Lane& l) {
  Shard& s = shard(l);
  --s.children;
  check_shard(s);
}

bool Provider::service_born(Service& s) {
  if (closing_) return false;
  serving_.push_back(&s);
  ++shard(*lane).children;
  return true;
}

void Provider::service_gone(Service& s) {
  std::erase(serving_, &s);
  child_gone(*lane);
}

void Provider::check_shard(Shard& s) {
  if (!s.closing || !s.last_seen || s.children != 0 || s.told) return;
  s.told = true;
  s.lane->push_events();  // before the home lane may tell CLOSED
  lane->post(&s.empty_step);
}

void Provider::shard_empty() {
  if (--shards_left_ == 0) base::retire(handle);
}

// Nobody can reach us any more, but commands that named us may still wait on
// other lanes: one more round over all of them.
void Provider::destroy(bool dead) noexcept {
  if (dead || shards_.size() == 1) return end(dead);
  shards_left_ = shards_.size();
  for (Shard& s : shards_) s.lane->post(&s.round_step);
}

void Provider::shard_back() {
  if (--shards_left_ == 0) end(false);
}

void Provider::end(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    finish_drains();
    finish_starts(MW_OK, 0, {});
    tell_closed(how_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

}  // namespace mw::link
