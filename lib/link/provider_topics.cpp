// Who of a provider's peers hears which topic. A peer's list is under a lock,
// so that any thread may ask; the sets that publishes use belong to the lanes.
#include "base/json.hpp"
#include "link/provider.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;
using loop::Lane;

base::Result<mw_handle> Provider::subscribe(Peer& peer, std::string_view text, base::Syntax syntax, uint64_t tok,
                                            uint64_t op, bool want_handle) {
  auto pattern = base::Pattern::compile(text, syntax);
  if (!pattern) return pattern.error();
  mw_handle id = 0;
  Shard& s = shard(*peer.lane);
  if (want_handle) {
    auto* sub = new Subscription(*this, *peer.lane, peer.handle, *pattern);
    sub->token.store(tok);
    runtime.objects.fetch_add(1);
    base::Slots& slots = base::Slots::shared();
    std::lock_guard lock(slots.mutex());
    sub->handle = id = slots.take(base::Kind::subscription, sub);
    if (id == 0) {
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
    try {
      if (!peer.topics) peer.topics = std::make_unique<std::vector<Topic>>();
      peer.topics->push_back({*pattern, id, 0});
    } catch (...) {
      if (id != 0) base::retire(id);
      throw;
    }
  }
  mw_handle who = peer.handle;
  // Publishes see it from its DONE on. Posted even where we are on the lane:
  // its events must not come inside this call.
  auto take_effect = [this, &s, who, id, op, pattern = *pattern] {
    auto* p = static_cast<Peer*>(base::peek(s.lane->slots, who));
    bool open = p != nullptr && p->session.is_open();
    auto before = open ? static_cast<int64_t>(s.topics.count(pattern)) : 0;
    if (open) s.topics.add(pattern, p);  // the only step that may lack memory
    if (id != 0) {
      ++s.children;
      if (base::Slot* slot = base::pin(id)) {
        static_cast<Subscription*>(slot->object.load())->counted = true;
        base::unpin(slot);
      } else {
        --s.children;
      }
    }
    if (!open) {
      if (id != 0) base::retire_once(id);
      return done(*s.lane, op, MW_ECLOSED, 0, {}, who);
    }
    interest(*s.lane, *p, pattern.text(), before, static_cast<int64_t>(s.topics.count(pattern)));
    done(*s.lane, op, MW_OK, 0, {}, who);
  };
  base::insist([&] { post(*s.lane, take_effect); });
  return id;
}

mw_status Provider::unsubscribe(Peer& peer, std::string_view text, uint64_t op) {
  std::vector<Topic> gone;
  {
    std::lock_guard lock(topics_mutex_);
    if (peer.topics) {
      auto& all = *peer.topics;
      gone.reserve(all.size());
      auto keep = std::stable_partition(all.begin(), all.end(), [&](const Topic& t) { return t.pattern.text() != text; });
      gone.assign(std::make_move_iterator(keep), std::make_move_iterator(all.end()));
      all.erase(keep, all.end());
      if (all.empty()) peer.topics.reset();
    }
  }
  Shard& s = shard(*peer.lane);
  mw_handle who = peer.handle;
  // The caller's pin keeps the peer's memory until this has run, also where
  // the connection has ended and no longer knows these topics.
  auto take_effect = [this, &s, &peer, who, op, gone = std::move(gone)] {
    for (const Topic& t : gone) {
      auto before = static_cast<int64_t>(s.topics.count(t.pattern));
      s.topics.remove(t.pattern, &peer);
      interest(*s.lane, peer, t.pattern.text(), before, static_cast<int64_t>(s.topics.count(t.pattern)));
      if (t.subscription != 0) base::retire_once(t.subscription);
    }
    done(*s.lane, op, MW_OK, 0, {}, who);
  };
  base::insist([&] { post(*s.lane, take_effect); });
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
    base::insist([&] { post(*s.lane, [this, &s, p, id = sub.handle, pattern = sub.pattern] {
      auto before = static_cast<int64_t>(s.topics.count(pattern));
      s.topics.remove(pattern, p);
      interest(*s.lane, *p, pattern.text(), before, static_cast<int64_t>(s.topics.count(pattern)));
      base::retire_once(id);
    }); });
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
  if (!p.topics) return "[]";
  return base::json_texts(*p.topics, [](const Topic& t) -> const std::string& { return t.pattern.text(); });
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

}  // namespace mw::link
