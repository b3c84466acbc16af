#include "link/provider.hpp"

#include "base/clock.hpp"
#include "base/json.hpp"
#include "link/control.hpp"
#include "link/speech.hpp"
#include "wire/frame.hpp"

#include <algorithm>
#include <cstring>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

// One publish on its way to every lane.
struct Published {
  std::atomic<int> lanes_left{0};
  std::atomic<int32_t> reached{0};
  uint64_t op = 0;
};

namespace {

// The frame as every raw peer gets it, encoded once.
mw_msg* encode_raw(const mw_msg* m, uint32_t flags) {
  uint8_t head[wire::kMaxHead];
  size_t h = wire::put_head(head, (flags & MW_F_TEXT) ? wire::kText : wire::kBinary, true, false, m->len);
  uint8_t* p = nullptr;
  mw_msg* f = base::message_room(h + m->len, 0, &p);
  std::memcpy(p, head, h);
  if (m->len) std::memcpy(p + h, m->body, m->len);
  return f;
}

// The same with an envelope: the topic as text, so that no name table is needed.
mw_msg* encode_own(const mw_msg* m, uint32_t flags) {
  wire::TopicCode topic;
  if (m->topic) topic = {wire::TopicMode::text, 0, *m->topic};
  std::string_view meta = m->meta ? std::string_view(*m->meta) : std::string_view();
  std::vector<uint8_t> packet(wire::message_head_room(topic, meta));
  size_t n = wire::put_message_head(packet.data(), (flags & MW_F_TEXT) ? uint32_t{wire::kTextBody} : 0, topic, meta, m->len);
  uint8_t head[wire::kMaxHead];
  size_t h = wire::put_head(head, wire::kBinary, true, false, n + m->len);
  uint8_t* p = nullptr;
  mw_msg* f = base::message_room(h + n + m->len, 0, &p);
  std::memcpy(p, head, h);
  std::memcpy(p + h, packet.data(), n);
  if (m->len) std::memcpy(p + h + n, m->body, m->len);
  return f;
}

// The message with its topic attached; the body is shared.
base::MsgRef with_topic(const mw_msg* m, std::string_view topic) {
  if (topic.empty()) return base::MsgRef(base::ref(m));
  mw_msg* held = base::ref(m);
  mw_msg* w = base::message_wrap(m->body, m->len, [](void* p) { base::unref(static_cast<mw_msg*>(p)); }, held, m->flags);
  w->topic = new std::string(topic);
  if (m->meta) w->meta = new std::string(*m->meta);
  return base::MsgRef(w);
}

std::string error_json(const Error& e) {
  std::string out;
  base::JsonObject o(out);
  o.number("code", e.code).number("os", e.os).text("text", e.text);
  o.end();
  return out;
}

}  // namespace

base::Result<mw_handle> Provider::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  if (auto ok = net::Listener::check(*conf); !ok) return ok.error();
  auto* p = new Provider(ctx, &ctx.next_lane(), std::move(conf));
  p->token.store(token);
  if (!ctx.add_child(p)) {
    delete p;
    return Error{MW_ECLOSED, 0, "the context is closing"};
  }
  base::Slots& slots = base::Slots::shared();
  {
    std::lock_guard lock(slots.mutex());
    p->handle = slots.take(base::Kind::provider, p);
  }
  if (p->handle == 0) {
    ctx.child_gone(p);
    ctx.objects.fetch_sub(1);
    delete p;
    return Error{MW_ENOMEM, 0, "the table of handles is full"};
  }
  return p->handle;
}

Provider::Provider(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> conf_)
    : Party(ctx, home, std::move(conf_)), shards_(ctx.lane_count()) {
  for (size_t i = 0; i < shards_.size(); ++i) shards_[i].lane = &ctx.lane_at(i);
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
  {
    std::lock_guard lock(mutex_);
    if (state_.load() == MW_STATE_DRAINING) return MW_EDRAINING;
    if (wish.load() != nullptr || runtime.closing()) return MW_ECLOSED;
    started.store(true, std::memory_order_release);
    start_ops_.push_back(op);
  }
  request(kStart);
  return MW_OK;
}

void Provider::attend(uint32_t bits) {
  if (bits & kClose) {
    CloseWish* w = wish.load(std::memory_order_acquire);
    begin_close(w != nullptr ? *w : CloseWish{1001, 0, MW_OK, "context closed"});
  }
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kStart) begin_start();
  if (bits & kDrain) begin_drain();
}

void Provider::begin_start() {
  if (closing_) {
    std::vector<uint64_t> ops;
    {
      std::lock_guard lock(mutex_);
      ops.swap(start_ops_);
    }
    for (uint64_t op : ops) done(*lane, op, MW_ECANCELED, 0, {});
    return;
  }
  if (state_.load() >= MW_STATE_UP) {
    std::vector<uint64_t> ops;
    {
      std::lock_guard lock(mutex_);
      ops.swap(start_ops_);
    }
    for (uint64_t op : ops) done(*lane, op, MW_OK, 0, {});
    return;
  }
  if (opening_ || !listener_stopped_) return;
  opening_ = true;
  listener_stopped_ = false;
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  auto l = net::Listener::open(control_of(runtime), conf(), *this);
  std::lock_guard lock(mutex_);
  listener_ = std::move(l);
}

void Provider::listening(base::Result<std::vector<std::string>> urls) {
  post(*lane, [this, urls = std::move(urls)]() mutable {
    opening_ = false;
    std::vector<uint64_t> ops;
    std::shared_ptr<net::Listener> listener;
    {
      std::lock_guard lock(mutex_);
      ops.swap(start_ops_);
      listener = listener_;
      if (urls) urls_ = *urls;
    }
    if (!urls) {
      state_.store(MW_STATE_IDLE, std::memory_order_release);
      for (uint64_t op : ops) done(*lane, op, urls.error().code, urls.error().os, error_json(urls.error()));
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
    std::string body;
    base::JsonObject o(body);
    o.raw("address", address());
    o.end();
    event(*lane, MW_EVENT_UP, 0, token.load(), MW_OK, 0, 0, body);
    for (uint64_t op : ops) done(*lane, op, MW_OK, 0, {});
  });
}

std::string Provider::address() const {
  std::lock_guard lock(mutex_);
  std::string out = "[";
  for (const std::string& u : urls_) {
    if (out.size() > 1) out += ',';
    base::json_quote(out, u);
  }
  return out + "]";
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
  ask_over(ticket);
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
  post(*s.lane, [this, &s, a = std::move(a)]() mutable { admit(s, std::move(a)); });
}

void Provider::admit(Shard& s, net::Accepted&& a) {
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  Peer* p = nullptr;
  if (!s.closing) {
    p = new Peer(*this, *s.lane, a.remote);
    p->token.store(token.load(std::memory_order_relaxed), std::memory_order_relaxed);
    p->handle = s.lane->slots->take(base::Kind::peer, p);
    runtime.objects.fetch_add(1);
    if (p->handle == 0) {
      ++s.children;
      p->destroy(true);
      --s.children;
      p = nullptr;
    }
  }
  if (p == nullptr) {
    if (listener) listener->gone(a.remote);
    return;  // the carrier closes its descriptor
  }
  bool plain = a.facts.find("\"parameters\":{}") != std::string::npos &&
               a.facts.find("\"subprotocol\":\"\"") != std::string::npos &&
               a.facts.find("\"tls\":") == std::string::npos && a.facts.find("\"data\":") == std::string::npos;
  if (!plain) p->extra = std::make_unique<std::string>(std::move(a.facts));
  ++s.children;
  p->index = static_cast<uint32_t>(s.peers.size());
  s.peers.push_back(p);
  peers_.fetch_add(1, std::memory_order_relaxed);
  p->session.adopt(std::move(a.carrier), wire::Role::server, a.dialect, a.deflate);
  mw_event ev{};
  ev.kind = MW_EVENT_PEER_UP;
  ev.token = p->token.load(std::memory_order_relaxed);
  ev.peer = p->handle;
  ev.flags = MW_F_TEXT;
  if (policy.wants(MW_EVENT_PEER_UP)) emit(*s.lane, ev, {}, {}, p->facts());
  p->session.begin();
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

// ---- topics

base::Result<mw_handle> Provider::subscribe(Peer& peer, std::string_view text, base::Syntax syntax, uint64_t tok,
                                            uint64_t op, bool want_handle) {
  auto pattern = base::Pattern::compile(text, syntax);
  if (!pattern) return pattern.error();
  mw_handle id = 0;
  if (want_handle) {
    auto* sub = new Subscription(*this, *peer.lane, peer.handle, *pattern);
    sub->token.store(tok);
    runtime.objects.fetch_add(1);
    base::Slots& slots = base::Slots::shared();
    std::lock_guard lock(slots.mutex());
    sub->handle = id = slots.take(base::Kind::subscription, sub);
    if (id == 0) {
      runtime.objects.fetch_sub(1);
      sub->destroy(true);
      return Error{MW_ENOMEM, 0, "the table of handles is full"};
    }
  }
  {
    std::lock_guard lock(topics_mutex_);
    if (!peer.session.open()) {
      if (id != 0) base::retire(id);
      return Error{MW_ECLOSED, 0, {}};
    }
    if (!peer.topics) peer.topics = std::make_unique<std::vector<Topic>>();
    peer.topics->push_back({*pattern, id, 0});
  }
  Shard& s = shard(*peer.lane);
  mw_handle who = peer.handle;
  // Posted even where we are on the lane: its events must not come inside this call.
  post(*s.lane, [this, &s, who, id, op, pattern = *pattern] {
    auto* p = static_cast<Peer*>(base::peek(s.lane->slots, who));
    if (id != 0) {
      ++s.children;
      if (base::Slot* slot = base::pin(id)) {
        static_cast<Subscription*>(slot->object.load())->counted = true;
        base::unpin(slot);
      } else {
        --s.children;
      }
    }
    if (p == nullptr || !p->session.is_open()) {
      if (id != 0) base::retire(id);
      return done(*s.lane, op, MW_ECLOSED, 0, {}, who);
    }
    auto before = static_cast<int64_t>(s.topics.count(pattern));
    s.topics.add(pattern, p);
    interest(*s.lane, *p, pattern.text(), before, static_cast<int64_t>(s.topics.count(pattern)));
    done(*s.lane, op, MW_OK, 0, {}, who);
  });
  return id;
}

mw_status Provider::unsubscribe(Peer& peer, std::string_view text, uint64_t op) {
  std::vector<Topic> gone;
  {
    std::lock_guard lock(topics_mutex_);
    if (peer.topics) {
      auto& all = *peer.topics;
      auto keep = std::stable_partition(all.begin(), all.end(), [&](const Topic& t) { return t.pattern.text() != text; });
      gone.assign(std::make_move_iterator(keep), std::make_move_iterator(all.end()));
      all.erase(keep, all.end());
      if (all.empty()) peer.topics.reset();
    }
  }
  Shard& s = shard(*peer.lane);
  mw_handle who = peer.handle;
  post(*s.lane, [this, &s, who, op, gone = std::move(gone)] {
    auto* p = static_cast<Peer*>(base::peek(s.lane->slots, who));
    for (const Topic& t : gone) {
      if (p != nullptr) {
        auto before = static_cast<int64_t>(s.topics.count(t.pattern));
        s.topics.remove(t.pattern, p);
        interest(*s.lane, *p, t.pattern.text(), before, static_cast<int64_t>(s.topics.count(t.pattern)));
      }
      if (t.subscription != 0) base::retire_once(t.subscription);
    }
    done(*s.lane, op, MW_OK, 0, {}, who);
  });
  return MW_OK;
}

void Provider::close_subscription(Subscription& sub) {
  base::Slot* slot = base::pin(sub.peer);
  if (slot == nullptr) return;  // the peer's end retires it
  auto* p = static_cast<Peer*>(slot->object.load());
  bool found = false;
  {
    std::lock_guard lock(topics_mutex_);
    if (p->topics) {
      auto& all = *p->topics;
      auto it = std::find_if(all.begin(), all.end(), [&](const Topic& t) { return t.subscription == sub.handle; });
      if (it != all.end()) {
        found = true;
        all.erase(it);
      }
    }
  }
  if (found) {
    Shard& s = shard(*p->lane);
    post(*s.lane, [this, &s, who = sub.peer, id = sub.handle, pattern = sub.pattern] {
      if (auto* peer = static_cast<Peer*>(base::peek(s.lane->slots, who))) {
        auto before = static_cast<int64_t>(s.topics.count(pattern));
        s.topics.remove(pattern, peer);
        interest(*s.lane, *peer, pattern.text(), before, static_cast<int64_t>(s.topics.count(pattern)));
      }
      base::retire_once(id);
    });
  }
  base::unpin(slot);
}

void Subscription::attend(uint32_t bits) {
  if (bits & kClose) provider.close_subscription(*this);
}

void Subscription::destroy(bool dead) noexcept {
  Provider& p = provider;
  Lane& l = *lane;
  loop::Runtime& r = runtime;
  bool was_counted = counted;
  if (!dead && was_counted) {
    mw_event ev{};
    ev.kind = MW_EVENT_CLOSED;
    ev.token = token.load(std::memory_order_relaxed);
    ev.id = handle;
    ev.peer = peer;
    ev.code = 1000;
    p.emit(l, ev, {}, {}, {});
  }
  delete this;
  if (!dead && was_counted) p.child_gone(l);
  r.objects.fetch_sub(1, std::memory_order_release);
}

void Provider::forget_topics(Shard& s, Peer& p) {
  std::unique_ptr<std::vector<Topic>> all;
  {
    std::lock_guard lock(topics_mutex_);
    all = std::move(p.topics);
  }
  if (!all) return;
  for (const Topic& t : *all) {
    auto before = static_cast<int64_t>(s.topics.count(t.pattern));
    s.topics.remove(t.pattern, &p);
    interest(*s.lane, p, t.pattern.text(), before, static_cast<int64_t>(s.topics.count(t.pattern)));
    if (t.subscription != 0) base::retire_once(t.subscription);
  }
}

void Provider::interest(Lane& l, Peer& p, const std::string& topic, int64_t before, int64_t after) {
  if (before == after || !policy.wants(MW_EVENT_INTEREST)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_INTEREST;
  ev.token = token.load(std::memory_order_relaxed);
  ev.peer = p.handle;
  ev.id = static_cast<uint64_t>(before);
  ev.code = static_cast<int32_t>(after);
  emit(l, ev, topic, {}, {});
}

bool Provider::subscribed(const Peer& p, std::string_view topic) const {
  std::lock_guard lock(topics_mutex_);
  return p.topics && std::any_of(p.topics->begin(), p.topics->end(), [&](const Topic& t) { return t.pattern.match(topic); });
}

std::string Provider::topics(const Peer& p) const {
  std::lock_guard lock(topics_mutex_);
  std::string out = "[";
  if (p.topics)
    for (const Topic& t : *p.topics) {
      if (out.size() > 1) out += ',';
      base::json_quote(out, t.pattern.text());
    }
  return out + "]";
}

mw_status Provider::remote_subscribe(Session& session, uint64_t number, uint8_t syntax, std::string_view text,
                                     std::string* why) {
  auto& p = static_cast<Peer&>(session.self());
  auto pattern = base::Pattern::compile(text, static_cast<base::Syntax>(syntax));
  if (!pattern) {
    *why = pattern.error().text;
    return MW_EPATTERN;
  }
  {
    std::lock_guard lock(topics_mutex_);
    if (!p.topics) p.topics = std::make_unique<std::vector<Topic>>();
    if (p.topics->size() >= kMaxTopics) {
      *why = "too many subscriptions on this connection";
      return MW_EOVERFLOW;
    }
    p.topics->push_back({*pattern, 0, number});
  }
  Shard& s = shard(*p.lane);
  auto before = static_cast<int64_t>(s.topics.count(*pattern));
  s.topics.add(*pattern, &p);
  interest(*s.lane, p, pattern->text(), before, static_cast<int64_t>(s.topics.count(*pattern)));
  return MW_OK;
}

mw_status Provider::remote_unsubscribe(Session& session, uint64_t number) {
  auto& p = static_cast<Peer&>(session.self());
  std::vector<Topic> gone;
  {
    std::lock_guard lock(topics_mutex_);
    if (p.topics) {
      auto it = std::find_if(p.topics->begin(), p.topics->end(), [&](const Topic& t) { return t.number == number; });
      if (it != p.topics->end()) {
        gone.push_back(std::move(*it));
        p.topics->erase(it);
      }
    }
  }
  if (gone.empty()) return MW_EINVAL;
  Shard& s = shard(*p.lane);
  auto before = static_cast<int64_t>(s.topics.count(gone[0].pattern));
  s.topics.remove(gone[0].pattern, &p);
  interest(*s.lane, p, gone[0].pattern.text(), before, static_cast<int64_t>(s.topics.count(gone[0].pattern)));
  return MW_OK;
}

// ---- publishing

mw_status Provider::publish(std::string_view topic, const mw_msg* m, mw_handle except, uint32_t flags, uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  if (flags & (MW_F_MORE | MW_F_CONT | MW_F_PING)) return MW_EINVAL;
  flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS);
  base::MsgRef origin = with_topic(m, topic);
  auto told = std::make_shared<Published>();
  told->op = op;
  size_t lanes = std::min(lanes_used_.load(std::memory_order_relaxed), shards_.size());
  told->lanes_left.store(static_cast<int>(lanes));
  auto cost = static_cast<int64_t>(m->len) + 64;
  for (size_t i = 0; i < lanes; ++i) {
    Shard& s = shards_[(static_cast<size_t>(lane->index) + i) % shards_.size()];
    if (s.lane->here()) {
      publish_here(s, origin.get(), except, flags, told);
      continue;
    }
    if (Lane::Hold hold(*s.lane); hold) {
      publish_here(s, origin.get(), except, flags, told);
      continue;
    }
    // The way to the lane is bounded by the context's budget.
    if (!s.lane->slice.reserve(cost)) {
      if (i == 0) return MW_EMEMORY;
      s.lane->slice.force(cost);  // others have it already: all or nothing
    }
    post(*s.lane, [this, &s, origin, except, flags, told, cost] {
      publish_here(s, origin.get(), except, flags, told);
      s.lane->slice.release(cost);
    });
  }
  return MW_OK;
}

void Provider::publish_here(Shard& s, mw_msg* origin, mw_handle except, uint32_t flags,
                            const std::shared_ptr<Published>& told) {
  base::MsgRef raw, own;
  int32_t reached = 0;
  auto give = [&](Peer* p) {
    if (p->handle == except || !p->session.is_open()) return;
    bool mesh = p->session.dialect() == wire::Dialect::meshwork;
    base::MsgRef& frame = mesh ? own : raw;
    if (!frame && !p->session.deflates())
      frame = base::MsgRef(mesh ? encode_own(origin, flags) : encode_raw(origin, flags));
    if (p->session.publish(origin, flags, p->session.deflates() ? nullptr : frame.get())) ++reached;
  };
  if (origin->topic == nullptr) {
    for (Peer* p : s.peers) give(p);
  } else {
    s.topics.each(*origin->topic, [&](void* p) { give(static_cast<Peer*>(p)); });
  }
  told->reached.fetch_add(reached, std::memory_order_relaxed);
  if (told->lanes_left.fetch_sub(1, std::memory_order_acq_rel) == 1 && told->op != 0)
    post(*lane, [this, told] { done(*lane, told->op, MW_OK, told->reached.load(), {}); });
}

// ---- facts

mw_status Provider::gather_peers(uint64_t op) {
  struct Gather {
    std::mutex mutex;
    std::string json = "[";
    size_t left;
  };
  auto g = std::make_shared<Gather>();
  g->left = shards_.size();
  for (Shard& s : shards_)
    post(*s.lane, [this, &s, g, op] {
      std::lock_guard lock(g->mutex);
      for (Peer* p : s.peers) {
        if (g->json.size() > 1) g->json += ',';
        std::string f = p->facts();
        f.pop_back();
        f += ",\"id\":" + std::to_string(p->handle);
        f += ",\"buffered\":" + std::to_string(p->session.queued());
        f += ",\"strikes\":" + std::to_string(p->session.stats.strikes.load()) + "}";
        g->json += f;
      }
      if (--g->left == 0) post(*lane, [this, g, op] { done(*lane, op, MW_OK, 0, g->json + "]"); });
    });
  return MW_OK;
}

void Provider::sum(uint64_t* messages_in, uint64_t* messages_out, uint64_t* bytes_in, uint64_t* bytes_out) const noexcept {
  *messages_in = *messages_out = *bytes_in = *bytes_out = 0;
  for (const Shard& s : shards_) {
    *messages_in += s.counters.messages_in.load(std::memory_order_relaxed);
    *messages_out += s.counters.messages_out.load(std::memory_order_relaxed);
    *bytes_in += s.counters.bytes_in.load(std::memory_order_relaxed);
    *bytes_out += s.counters.bytes_out.load(std::memory_order_relaxed);
  }
}

std::string Provider::metrics() {
  uint64_t mi, mo, bi, bo;
  sum(&mi, &mo, &bi, &bo);
  std::string out;
  auto line = [&](const char* name, const char* type, const char* help, uint64_t v) {
    out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " +
           std::to_string(v) + "\n";
  };
  line("meshwork_peers", "gauge", "Connected peers.", peers());
  line("meshwork_messages_received_total", "counter", "Messages received from peers.", mi);
  line("meshwork_messages_sent_total", "counter", "Messages handed to the kernel.", mo);
  line("meshwork_received_bytes_total", "counter", "Bytes read from sockets.", bi);
  line("meshwork_sent_bytes_total", "counter", "Bytes written to sockets, before encryption.", bo);
  line("meshwork_dropped_messages_total", "counter", "Messages dropped by an overflow policy.", dropped.load());
  line("meshwork_protocol_violations_total", "counter", "Connections closed for breaking the protocol.", violations.load());
  line("meshwork_memory_bytes", "gauge", "Bytes of the context's budget in use.", static_cast<uint64_t>(runtime.budget().used()));
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
  }
  if (listener) {
    const net::ListenerCounters& c = listener->counters;
    line("meshwork_accepted_total", "counter", "Connections accepted.", c.accepted.load());
    line("meshwork_upgraded_total", "counter", "Connections upgraded to WebSocket.", c.upgraded.load());
    out += "# HELP meshwork_rejected_total Connections that never became peers, by reason.\n"
           "# TYPE meshwork_rejected_total counter\n";
    auto why = [&](const char* reason, const std::atomic<uint64_t>& n) {
      out += std::string("meshwork_rejected_total{reason=\"") + reason + "\"} " + std::to_string(n.load()) + "\n";
    };
    why("auth", c.rejected_auth);
    why("limit", c.rejected_limit);
    why("origin", c.rejected_origin);
    why("version", c.rejected_version);
    why("bad_request", c.bad_request);
    why("header_too_large", c.header_too_large);
    why("handshake_timeout", c.handshake_timeout);
    why("tls", c.tls_failed);
    line("meshwork_descriptors_exhausted_total", "counter", "Times accepting paused for lack of descriptors.", c.fd_exhausted.load());
  }
  return out;
}

mw_status Provider::gather_metrics(uint64_t op) {
  post(*lane, [this, op] { done(*lane, op, MW_OK, 0, metrics()); });
  return MW_OK;
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

// ---- draining: new peers are sent elsewhere, present ones told, in slots

mw_status Provider::drain(int64_t deadline_ms, uint64_t op) {
  {
    std::lock_guard lock(mutex_);
    if (wish.load() != nullptr || runtime.closing()) return MW_ECLOSED;
    drain_ops_.push_back(op);
    drain_deadline_ = deadline_ms;
  }
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  request(kDrain);
  return MW_OK;
}

void Provider::begin_drain() {
  if (closing_ || drain_end_ != 0) return;
  std::shared_ptr<net::Listener> listener;
  int64_t deadline;
  {
    std::lock_guard lock(mutex_);
    listener = listener_;
    deadline = drain_deadline_;
  }
  if (listener) listener->drain();
  drain_began_ = lane->now();
  drain_end_ = drain_began_ + static_cast<uint64_t>(std::max<int64_t>(deadline, 1));
  auto stagger = static_cast<uint64_t>(std::min(conf()->num(Opt::drain_stagger), deadline));
  for (Shard& s : shards_)
    post(*s.lane, [&s, stagger, deadline] {
      size_t n = s.peers.size(), i = 0;
      for (Peer* p : s.peers)
        if (Speech* speech = p->session.speech()) speech->drain(stagger * i++ / n, static_cast<uint64_t>(deadline));
    });
  drain_step_ = 0;
  lane->wheel.set(drain_timer_, lane->now() + 1);
}

void Provider::drain_tick() {
  if (closing_) return;
  constexpr size_t kSteps = 20;
  auto stagger = static_cast<uint64_t>(conf()->num(Opt::drain_stagger));
  uint64_t now = lane->now();
  if (peers_.load() == 0 || now >= drain_end_) {
    CloseWish w{1001, 0, MW_OK, "drained"};
    return begin_close(w);
  }
  // Peers that cannot be told (any RFC 6455 client) are closed with 1012, a
  // part of them each step, so that they do not all come back at once.
  ++drain_step_;
  for (Shard& s : shards_)
    post(*s.lane, [&s, step = drain_step_] {
      size_t left = kSteps > step ? kSteps - step + 1 : 1, n = s.peers.size() / left;
      if (step >= kSteps) n = s.peers.size();
      CloseWish w{1012, 0, MW_OK, "draining"};
      for (size_t i = s.peers.size(); i-- > 0 && n > 0;)
        if (s.peers[i]->session.speech() == nullptr && s.peers[i]->session.is_open()) {
          s.peers[i]->session.close(w);
          --n;
        }
    });
  uint64_t step_ms = std::max<uint64_t>(1, stagger / kSteps);
  lane->wheel.set(drain_timer_, std::min(drain_end_, now + (drain_step_ < kSteps ? step_ms : 20)));
}

// ---- closing

void Provider::begin_close(const CloseWish& w) {
  if (closing_) {
    if (w.flags & MW_CLOSE_ABORT)
      for (Shard& s : shards_) post(*s.lane, [this, &s, w] { close_shard(s, w); });
    return;
  }
  closing_ = true;
  how_ = w;
  loop::Wheel::cancel(drain_timer_);
  state_.store(MW_STATE_DRAINING, std::memory_order_release);
  std::vector<uint64_t> ops;
  std::shared_ptr<net::Listener> listener;
  {
    std::lock_guard lock(mutex_);
    ops.swap(start_ops_);
    listener = listener_;
  }
  for (uint64_t op : ops) done(*lane, op, MW_ECANCELED, 0, {});
  shards_left_ = shards_.size();
  for (Shard& s : shards_) post(*s.lane, [this, &s, w2 = how_] { close_shard(s, w2); });
  if (listener_stopped_)
    all_arrived();
  else
    listener->stop();
}

void Provider::stopped() {
  post(*lane, [this] {
    listener_stopped_ = true;
    for (const Question& q : questions_) base::retire(q.handle);
    questions_.clear();
    {
      std::lock_guard lock(mutex_);
      listener_.reset();
    }
    if (closing_)
      all_arrived();
    else
      begin_start();  // a start that failed may be tried again
  });
}

// The listener has stopped: what it gave is on the lanes.
void Provider::all_arrived() {
  for (Shard& s : shards_)
    post(*s.lane, [this, &s] {
      s.last_seen = true;
      check_shard(s);
    });
}

void Provider::close_shard(Shard& s, const CloseWish& w) {
  s.closing = true;
  std::vector<Peer*> all = s.peers;  // closing may end them at once
  for (Peer* p : all) p->session.close(w);
  check_shard(s);
}

void Provider::child_gone(Lane& l) {
  Shard& s = shard(l);
  --s.children;
  check_shard(s);
}

void Provider::check_shard(Shard& s) {
  if (!s.closing || !s.last_seen || s.children != 0 || s.told) return;
  s.told = true;
  s.lane->push_events();  // before the home lane may tell CLOSED
  post(*lane, [this] {
    if (--shards_left_ == 0) base::retire(handle);
  });
}

// Nobody can reach us any more, but commands that named us may still wait on
// other lanes: one more round over all of them.
void Provider::destroy(bool dead) noexcept {
  if (dead || shards_.size() == 1) return end(dead);
  shards_left_ = shards_.size();
  for (Shard& s : shards_)
    post(*s.lane, [this] {
      post(*lane, [this] {
        if (--shards_left_ == 0) end(false);
      });
    });
}

void Provider::end(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    std::vector<uint64_t> ops;
    {
      std::lock_guard lock(mutex_);
      ops.swap(drain_ops_);
      ops.insert(ops.end(), start_ops_.begin(), start_ops_.end());
    }
    for (uint64_t op : ops) done(*lane, op, MW_OK, 0, {});
    mw_event ev{};
    ev.kind = MW_EVENT_CLOSED;
    ev.token = token.load(std::memory_order_relaxed);
    ev.id = handle;
    ev.status = how_.status;
    ev.code = how_.code;
    if (!how_.reason.empty()) ev.flags = MW_F_TEXT;
    lane->emit(std::exchange(target, nullptr), ev, {}, {}, how_.reason, true);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

}  // namespace mw::link
