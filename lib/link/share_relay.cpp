// What passes through a share: calls and keys on their way to the leader,
// requests and interest on theirs to its host, values back.
// On the inner connection a key is the topic "=key", a value told to a late
// subscriber "~key", the leader's epoch "!"; a method m is called "share.m".
#include "base/choices.hpp"
#include "base/clock.hpp"
#include "link/share.hpp"

#include <algorithm>
#include <charconv>

namespace mw::link {

using base::Opt;
using loop::Lane;

namespace {

constexpr std::string_view kPrefix = "share.";
constexpr size_t kMaxKept = 100'000;       // calls that may be repeated
constexpr size_t kMaxValues = 10'000;      // keys with a value

// A call ended because the leader went, or was about to: it leads, so it serves all.
bool leaderless(mw_status s) noexcept {
  return s == MW_EPEERGONE || s == MW_ENOTCONN || s == MW_EDRAINING || s == MW_ENOSERVICE;
}

Consumer* consumer_of(const base::Pin& pin) noexcept {
  return static_cast<Consumer*>(static_cast<loop::Object*>(pin.object()));
}

}  // namespace

// ---- any thread

// Whether it may run twice: it carries a key, or its method was declared safe.
bool Share::repeatable(const Order& o) const {
  if (o.op == 0) return false;
  bool keyed = false;
  if (o.m != nullptr) base::message_get(o.m, "key", &keyed);
  return keyed || std::binary_search(safe_.begin(), safe_.end(), o.target, std::less<>());
}

mw_status Share::call(const Order& o, bool repeat) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  base::Pin pin(seeker_.load(std::memory_order_acquire));
  if (!pin) return started.load() ? MW_ENOTCONN : MW_ESTATE;
  std::string target = std::string(kPrefix).append(o.target);
  Order inner = o;
  inner.target = target;
  inner.flags &= ~static_cast<uint32_t>(MW_F_REPEAT);
  bool always = (o.flags & MW_F_REPEAT) != 0, safe = !always && repeat && repeatable(o);
  base::MsgRef m;
  if (always || safe) {
    m = base::MsgRef(o.m != nullptr ? base::ref(o.m) : base::message_copy(o.body, o.len, 0));
    std::lock_guard lock(mutex_);
    if (kept_.size() + repeats_.size() >= kMaxKept) return MW_EAGAIN;
    if (always)
      repeats_.push_back({target, m, inner.flags, 0, 0, false});
    else if (!kept_.try_emplace(o.op, Kept{target, m, inner.flags, o.deadline, o.window, false}).second)
      return MW_EINVAL;
  }
  // Only to a leader whose epoch is known: one that was frozen may still be there.
  mw_status s = up_.load(std::memory_order_acquire)
                    ? consumer_of(pin)->call(inner) : MW_ENOTCONN;
  if (s >= 0) return s;
  if (s == MW_ENOTCONN && safe) request(kExpire);
  std::lock_guard lock(mutex_);
  auto at = kept_.find(o.op);
  if (s == MW_ENOTCONN && (always || (safe && at != kept_.end()))) {  // between two leaders: the next one gets it
    if (safe) at->second.waits = true;
    return MW_OK;
  }
  if (always)
    std::erase_if(repeats_, [&](const Kept& k) { return k.m.get() == m.get() && k.target == target; });
  if (safe) kept_.erase(o.op);
  return s;
}

mw_status Share::cancel(uint64_t op) {
  if (base::Pin pin(seeker_.load(std::memory_order_acquire)); pin) {
    bool waited = false;  // for the next leader: no connection knows of it
    {
      std::lock_guard lock(mutex_);
      if (auto at = kept_.find(op); at != kept_.end()) {
        waited = at->second.waits;
        kept_.erase(at);
      }
    }
    if (waited)
      base::insist([&] { post(*lane, [this, op] { call_failed(*lane, op, MW_ECANCELED, 0); }); });
    else
      consumer_of(pin)->cancel(op);
  }
  cancel_start(op);
  return MW_OK;
}

mw_status Share::pause(bool on) {
  base::Pin pin(seeker_.load(std::memory_order_acquire));
  if (!pin) return started.load() ? MW_ENOTCONN : MW_ESTATE;
  consumer_of(pin)->session().pause_wish.store(on, std::memory_order_release);
  consumer_of(pin)->request(kPause);
  return MW_OK;
}

mw_status Share::publish(std::string_view key, const mw_msg* m, uint32_t flags, uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  if (!leads_.load(std::memory_order_acquire)) return MW_ENOTLEADER;
  base::MsgRef held(base::ref(m));
  flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS);
  // The way to the lane is bounded by the context's budget.
  auto cost = static_cast<int64_t>(m->len + key.size()) + Session::kOverhead;
  if (!lane->slice.reserve(cost)) return MW_EMEMORY;
  auto send = [this, key = std::string(key), held, flags, op, cost] {
    mw_status s = MW_ENOTLEADER;
    if (linked_ && provider_ != nullptr) {
      if (conf()->num(Opt::retain) != 0) keep_value(key, held, flags);
      s = give(key, held.get(), flags);
    }
    lane->slice.release(cost);
    done(*lane, op, s, 0, {});
  };
  try {
    post(*lane, send);
  } catch (const std::bad_alloc&) {
    lane->slice.release(cost);
    throw;
  }
  return MW_OK;
}

mw_status Share::subscribe(std::string_view key, uint64_t op, base::Error* why) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return (*why = {MW_ECLOSED, 0, {}}).code;
  if (cluster_ && !key_fits(key))
    return (*why = {MW_EINVAL, 0, "with wire=cluster-client a key is a registration as JSON, then perhaps a line feed and its formatted key"}).code;
  return want("=" + std::string(key), base::Syntax::exact, op, why);
}

mw_status Share::want(std::string_view topic, base::Syntax syntax, uint64_t op, base::Error* why) {
  {
    std::lock_guard lock(mutex_);
    if (seeker_.load(std::memory_order_relaxed) == 0) {
      auto fits = base::Pattern::compile(topic, syntax);
      if (!fits) return (*why = fits.error()).code;
      early_.push_back({std::string(topic), syntax, op});
      return MW_OK;
    }
  }
  base::Pin pin(seeker_.load(std::memory_order_acquire));
  if (!pin) return (*why = {MW_ECLOSED, 0, {}}).code;
  return consumer_of(pin)->subscribe(topic, syntax, op, why);
}

mw_status Share::unsubscribe(std::string_view key, uint64_t op) { return unwant("=" + std::string(key), op); }

mw_status Share::unwant(std::string_view topic, uint64_t op) {
  std::vector<uint64_t> ended;
  {
    std::lock_guard lock(mutex_);
    for (const Early& e : early_)
      if (e.topic == topic) ended.push_back(e.op);
    std::erase_if(early_, [&](const Early& e) { return e.topic == topic; });
  }
  base::Pin pin(seeker_.load(std::memory_order_acquire));
  if (pin) return consumer_of(pin)->unsubscribe(topic, op);
  base::insist([&] {
    post(*lane, [this, op, ended] {
      for (uint64_t o : ended) done(*lane, o, MW_ECANCELED, 0, {});
      done(*lane, op, MW_OK, 0, {});
    });
  });
  return MW_OK;
}

bool Share::subscribed(std::string_view key) const {
  const std::string topic = "=" + std::string(key);
  {
    std::lock_guard lock(mutex_);
    if (std::any_of(early_.begin(), early_.end(), [&](const Early& e) { return e.topic == topic; })) return true;
  }
  base::Pin pin(seeker_.load(std::memory_order_acquire));
  return pin && consumer_of(pin)->subscribed(topic);
}

mw_status Share::stat(int32_t what, int64_t* value) const {
  base::Pin pin(seeker_.load(std::memory_order_acquire));
  if (!pin) return MW_OK;
  const Session& s = consumer_of(pin)->session();
  switch (what) {
    case MW_STAT_IN_FLIGHT: *value = s.stats.calls.load(); return MW_OK;
    case MW_STAT_BYTES_IN: *value = static_cast<int64_t>(s.stats.bytes_in.load()); return MW_OK;
    case MW_STAT_BYTES_OUT: *value = static_cast<int64_t>(s.stats.bytes_out.load()); return MW_OK;
    default: return MW_EINVAL;
  }
}

// ---- the lane: what the parties inside tell

void Share::inside(Lane&, const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  if (ev.kind == MW_EVENT_LOG) return pass_on(ev, topic, meta, body);
  ev.token == kSeeker ? told_by_leader(ev, topic, meta, body) : told_by_followers(ev, topic, meta, body);
}

void Share::pass_on(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body) {
  if (target == nullptr || (base::event_bit(ev.kind) >= 0 && !policy.wants(ev.kind))) return;
  ev.token = token.load(std::memory_order_relaxed);
  lane->emit(target, ev, topic, meta, body);
}

void Share::told_by_leader(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  switch (ev.kind) {
    case MW_EVENT_MESSAGE: {
      if (topic == "!") {
        uint64_t epoch = 0;
        std::from_chars(body.data(), body.data() + body.size(), epoch);
        // That of a port is not told: whoever lets us in is another one.
        return met_leader(!cluster_ ? epoch : linked_ ? ours_ : epoch_ + 1);
      }
      if ((topic.empty() && !group_) || !up_) return;
      mw_event out = ev;
      out.peer = 0;
      if (group_) return pass_on(out, topic, meta, body);
      if (topic[0] == '~') out.flags |= MW_F_RETAINED;
      return pass_on(out, topic.substr(1), meta, body);
    }
    case MW_EVENT_DOWN:
      return lost_leader(ev, body);
    case MW_EVENT_DONE: {
      const bool theirs = group_ && meta.starts_with(kTheirs);
      std::unique_lock lock(mutex_);
      if (auto at = kept_.find(ev.id); at != kept_.end()) {
        if (leaderless(ev.status) && !theirs && !closing_) {
          at->second.waits = true;  // the next leader gets it
          lock.unlock();
          return up_ ? repeat_calls(false) : expire_kept();
        }
        kept_.erase(at);
      }
      if (!theirs) break;
      lock.unlock();
      return pass_on(ev, topic, meta.substr(kTheirs.size()), body);
    }
    case MW_EVENT_CLOSED:
      consumer_ = nullptr;
      seeker_.store(0, std::memory_order_release);
      return end_if_done();
    case MW_EVENT_UP:  // it is usable when the leader has told its epoch
    case MW_EVENT_INTEREST:
      return;
    default:
      break;
  }
  mw_event out = ev;
  out.peer = 0;
  if (ev.kind == MW_EVENT_DONE && ev.status == MW_ENOSERVICE) {
    out.status = MW_EDRAINING;
    body = failure_text(MW_EDRAINING);
  }
  pass_on(out, topic, meta, body);
}

void Share::told_by_followers(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body) {
  switch (ev.kind) {
    case MW_EVENT_DONE:
      if (ev.id != kListen || !std::exchange(starting_, false))  // of an answer of the host's
        return pass_on(ev, topic, meta, body);
      if (closing_) return;
      if (ev.status == MW_OK) return leading();
      if (cluster_ && ev.status == MW_EADDRINUSE) {
        taken_ = true;
        return provider_->close_as(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, {}});
      }
      if (lock_) lock_->give_back();
      provider_->close_as(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, {}});
      return trouble({ev.status, ev.code, std::string(body)});
    case MW_EVENT_PEER_UP: {
      std::string epoch = std::to_string(ours_);
      base::MsgRef m(base::message_copy(epoch.data(), epoch.size(), MW_F_TEXT));
      tell(ev.peer, "!", m.get(), MW_F_TEXT);
      if (group_) pass_on(ev, topic, meta, body);
      return;
    }
    case MW_EVENT_PEER_DOWN:
      if (group_) pass_on(ev, topic, meta, body);
      return;
    case MW_EVENT_INTEREST:
      if (group_) return pass_on(ev, topic, {}, {});
      if (topic.empty() || topic[0] != '=') return;
      if (ev.code > static_cast<int64_t>(ev.id)) tell_value(ev.peer, topic.substr(1));
      return pass_on(ev, topic.substr(1), {}, {});
    case MW_EVENT_REQUEST:
      if (topic.starts_with(kPrefix)) topic.remove_prefix(kPrefix.size());
      return pass_on(ev, topic, meta, body);
    case MW_EVENT_CANCEL:
    case MW_EVENT_WRITABLE:
      return pass_on(ev, topic, meta, body);
    case MW_EVENT_CLOSED:
      if (ev.id != provider_->handle) return;  // of its service
      provider_ = nullptr;
      linked_ = false;
      if (closing_) return end_if_done();
      if (std::exchange(taken_, false)) return port_taken();
      return lane->wheel.set(compete_timer_, lane->now() + pause_);
    default:
      return;
  }
}

// ---- the leader found and lost

void Share::met_leader(uint64_t epoch) {
  if (epoch < epoch_) {  // one that was frozen and does not know yet
    consumer_->session().close(CloseWish{1000, 0, MW_OK, "another leads"});
    return;
  }
  bool other = epoch != met_;
  epoch_ = met_ = epoch;
  suspect_ = false;
  up_ = true;
  if (other && !linked_) tell_leader(0);
  state_.store(MW_STATE_UP, std::memory_order_release);
  event(*lane, MW_EVENT_UP, 0, token.load(std::memory_order_relaxed), MW_OK, 0, 0, {});
  finish_starts(MW_OK, {});
  repeat_calls(other);
}

void Share::lost_leader(const mw_event& ev, std::string_view reason) {
  if (up_.exchange(false, std::memory_order_acq_rel)) {
    state_.store(MW_STATE_WAITING, std::memory_order_release);
    mw_event out = ev;
    pass_on(out, {}, {}, reason);
    if (election_ && !linked_ && !closing_) tell_leader(-1);
  }
  suspect_ = ev.status == MW_ETIMEDOUT;
  expire_kept();
  if (single_ && linked_ && !closing_) return join_ends();
  compete();
}

void Share::tell_leader(int32_t mine) {
  leads_.store(mine == 1, std::memory_order_release);
  epoch_seen_.store(epoch_, std::memory_order_relaxed);
  if (!policy.wants(MW_EVENT_LEADER)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_LEADER;
  ev.token = token.load(std::memory_order_relaxed);
  ev.code = mine;
  ev.id = epoch_;
  emit(*lane, ev, name_, {}, {});
}

// Calls that wait for a leader too long.
void Share::expire_kept() {
  auto now = static_cast<uint64_t>(base::mono_ms());
  std::vector<uint64_t> late;
  bool waiting = false;
  {
    std::lock_guard lock(mutex_);
    for (auto& [op, k] : kept_) {
      if (!k.waits) continue;
      if (k.deadline != 0 && now >= k.deadline) late.push_back(op);
      waiting = true;
    }
    for (uint64_t op : late) kept_.erase(op);
  }
  for (uint64_t op : late) call_failed(*lane, op, MW_ETIMEDOUT, 0);
  if (waiting && !up_ && !closing_) lane->wheel.set(expire_timer_, lane->now() + 50);
}

// What waits for a leader, in the order of its numbers; to a new one also what each is told.
void Share::repeat_calls(bool other) {
  std::vector<std::pair<uint64_t, Kept>> again;
  {
    std::lock_guard lock(mutex_);
    if (other)
      for (const Kept& k : repeats_) again.emplace_back(0, k);
    for (auto& [op, k] : kept_)
      if (std::exchange(k.waits, false)) again.emplace_back(op, k);
  }
  std::stable_sort(again.begin(), again.end(), [](auto& a, auto& b) { return a.first < b.first; });
  for (auto& [op, k] : again) {
    Order o;
    o.target = k.target;
    o.carry(k.m.get());
    o.flags = k.flags;
    o.op = op;
    o.now = static_cast<uint64_t>(base::mono_ms());
    o.deadline = k.deadline;
    o.window = k.window;
    mw_status s = k.deadline != 0 && o.now >= k.deadline ? MW_ETIMEDOUT : consumer_->call(o);
    if (s >= 0 || op == 0) continue;
    {
      std::lock_guard lock(mutex_);
      auto at = kept_.find(op);
      if (at == kept_.end()) {
        s = MW_ECANCELED;  // meanwhile
      } else if (leaderless(s) && !closing_) {
        at->second.waits = true;  // this one has gone, too
        continue;
      } else {
        kept_.erase(at);
      }
    }
    call_failed(*lane, op, s, 0);
  }
}

// ---- values, in the leader

void Share::spread(std::string_view topic, const mw_msg* m, uint32_t flags) {
  if (linked_ && provider_ != nullptr) provider_->publish(topic, m, 0, flags, 0);
}

mw_status Share::give(const std::string& key, mw_msg* m, uint32_t flags) {
  if (base::fanout(*conf()) == base::Fanout::all) return provider_->publish("=" + key, m, 0, flags, 0);
  return provider_->publish_to_one("=" + key, m, flags);
}

void Share::tell(mw_handle peer, std::string_view topic, mw_msg* m, uint32_t flags) {
  base::Pin pin(peer);
  if (!pin) return;
  auto* p = static_cast<Peer*>(static_cast<loop::Object*>(pin.object()));
  base::MsgRef told = base::message_with_topic(m, topic);
  p->session.send(told->body, told->len, told.get(), flags, 0);
}

void Share::tell_value(mw_handle peer, std::string_view key) {
  auto at = values_.find(std::string(key));
  if (at != values_.end()) tell(peer, "~" + at->first, at->second.m.get(), at->second.flags);
}

void Share::keep_value(const std::string& key, const base::MsgRef& m, uint32_t flags) {
  auto at = values_.find(key);
  if (at == values_.end()) {
    if (values_.size() >= kMaxValues) values_.erase(values_.begin());
    values_.emplace(key, Value{m, flags});
  } else {
    at->second = {m, flags};
  }
}

}  // namespace mw::link
