// What a group's host asks for, as calls of the share: messages, calls, patterns.
#include "base/clock.hpp"
#include "base/utf8.hpp"
#include "link/group.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;

namespace {

Share* share_of(const base::Pin& pin) noexcept {
  return static_cast<Share*>(static_cast<loop::Object*>(pin.object()));
}

// What became of an accepted message whose leader, or whose leader's connection, went: nobody knows more.
bool went(mw_status s) noexcept { return s == MW_EDRAINING || s == MW_ECLOSED || s == MW_ENOTCONN; }

}  // namespace

uint64_t Group::ask(Asked a) {
  std::lock_guard lock(mutex_);
  const uint64_t number = ++last_number_;
  asked_.emplace(number, std::move(a));
  return number;
}

void Group::forget(uint64_t number) {
  std::lock_guard lock(mutex_);
  asked_.erase(number);
}

// ---- any thread

mw_status Group::send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  const mw_status st = state();
  if (st == MW_STATE_DRAINING) return MW_EDRAINING;
  if (flags & (MW_F_MORE | MW_F_CONT | MW_F_PING)) return MW_ENOTSUP;
  if (st != MW_STATE_UP) return MW_ENOTCONN;
  if ((flags & MW_F_TEXT) && !base::utf8_check(static_cast<const uint8_t*>(body), len).valid) return MW_EINVAL;
  const auto cost = static_cast<int64_t>(len) + Session::kOverhead;
  const int64_t max = policy.max.load(std::memory_order_relaxed);
  if (cost > max) return MW_ETOOBIG;
  base::Pin pin(share_handle_);
  if (!pin) return MW_ECLOSED;
  auto give_back = [&](mw_status why) {
    outstanding_.fetch_sub(cost, std::memory_order_seq_cst);
    if (wants_.load(std::memory_order_seq_cst)) request(kWritable);
    return why;
  };
  const int64_t before = outstanding_.fetch_add(cost, std::memory_order_seq_cst);
  if (before + cost > max) {
    wants_.store(true, std::memory_order_seq_cst);
    return give_back(MW_EAGAIN);
  }
  const uint64_t number = ask({Asked::What::send, op, cost});
  std::string target(flags & MW_F_COMPRESS ? "sz" : "s");
  if (m != nullptr && m->topic != nullptr) target.append("/").append(*m->topic);
  Order o;
  o.target = target;
  o.body = static_cast<const uint8_t*>(body);
  o.len = len;
  o.m = m;
  o.flags = flags & (MW_F_TEXT | MW_F_PARTS);
  o.op = number;
  o.now = static_cast<uint64_t>(base::mono_ms());
  const mw_status s = share_of(pin)->call(o, false);
  if (s < 0) {
    forget(number);
    if (s == MW_EAGAIN || s == MW_EMEMORY) wants_.store(true, std::memory_order_seq_cst);
    return give_back(s == MW_ESTATE ? mw_status{MW_ENOTCONN} : s);
  }
  if (before + cost <= policy.soft.load(std::memory_order_relaxed)) return MW_OK;
  wants_.store(true, std::memory_order_seq_cst);
  request(kWritable);
  return MW_BUFFERED;
}

mw_status Group::call(const Order& o) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  const mw_status st = state();
  if (st == MW_STATE_DRAINING) return MW_EDRAINING;
  if (!base::speaks(*conf(), base::Wire::meshwork)) return MW_ENOTSUP;
  if (st != MW_STATE_UP) return MW_ENOTCONN;
  base::Pin pin(share_handle_);
  if (!pin) return MW_ECLOSED;
  const std::string target = "c." + std::string(o.target);
  Order inner = o;
  inner.target = target;
  if (o.op != 0) calls_.fetch_add(1, std::memory_order_relaxed);
  const mw_status s = share_of(pin)->call(inner);
  if (s < 0 && o.op != 0) calls_.fetch_sub(1, std::memory_order_relaxed);
  return s;
}

mw_status Group::subscribe(std::string_view text, base::Syntax syntax, uint64_t op, Error* why) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return (*why = {MW_ECLOSED, 0, {}}).code;
  if (!base::speaks(*conf(), base::Wire::meshwork))
    return (*why = {MW_ENOTSUP, 0, "only the wire meshwork can subscribe: this consumer's wire has no topics"}).code;
  if (syntax != base::syntax(*conf()))
    return (*why = {MW_ENOTSUP, 0, "the subscriptions of a group have the pattern.syntax of its consumers"}).code;
  auto pattern = base::Pattern::compile(text, syntax);
  if (!pattern) return (*why = pattern.error()).code;
  base::Pin pin(share_handle_);
  if (!pin) return (*why = {MW_ECLOSED, 0, {}}).code;
  {
    std::lock_guard lock(mutex_);
    wanted_.push_back(*pattern);
  }
  const uint64_t number = ask({Asked::What::want, op, 0, std::string(text)});
  const mw_status s = share_of(pin)->want("/" + std::string(text), syntax, number, why);
  if (s >= 0) return s;
  forget(number);
  std::lock_guard lock(mutex_);
  auto at = std::find_if(wanted_.begin(), wanted_.end(), [&](const base::Pattern& p) { return p.text() == text; });
  if (at != wanted_.end()) wanted_.erase(at);
  return s;
}

mw_status Group::unsubscribe(std::string_view text, uint64_t op) {
  base::Pin pin(share_handle_);
  if (!pin) return MW_ECLOSED;
  std::vector<uint64_t> waiting;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(wanted_, [&](const base::Pattern& p) { return p.text() == text; });
    for (auto& [number, a] : asked_)
      if (a.what == Asked::What::want && a.known && a.pattern == text) waiting.push_back(number);
  }
  for (uint64_t number : waiting) share_of(pin)->cancel(number);
  return share_of(pin)->unwant("/" + std::string(text), ask({Asked::What::plain, op}));
}

bool Group::subscribed(std::string_view topic) const {
  std::lock_guard lock(mutex_);
  return std::any_of(wanted_.begin(), wanted_.end(), [&](const base::Pattern& p) { return p.match(topic); });
}

mw_status Group::pause(bool on) {
  base::Pin pin(share_handle_);
  return pin ? share_of(pin)->pause(on) : MW_ECLOSED;
}

// ---- the lane

// Whether it was of something we asked; its host hears what became of it.
bool Group::asked_done(const mw_event& ev, std::string_view body) {
  Asked a;
  bool over = true;
  {
    std::lock_guard lock(mutex_);
    auto at = asked_.find(ev.id);
    if (at == asked_.end()) return false;
    if (at->second.what == Asked::What::want && !at->second.known && ev.status >= 0 && !closing_) {
      at->second.known = true;  // to the leader
      a = at->second;
      over = false;
    } else {
      a = std::move(at->second);
      asked_.erase(at);
    }
  }
  switch (a.what) {
    case Asked::What::send: {
      const mw_status status = went(ev.status) ? mw_status{MW_EPEERGONE} : ev.status;
      if (status < 0) {
        ++unsent_;
        unsent_bytes_ += static_cast<uint64_t>(a.cost - Session::kOverhead);
      }
      outstanding_.fetch_sub(a.cost, std::memory_order_seq_cst);
      done(*lane, a.op, status, status >= 0 && body == "1" ? 1 : 0, status < 0 ? failure_text(status) : std::string_view());
      look_for_writable();
      return true;
    }
    case Asked::What::want:
      over ? want_done(a, ev.status, body) : want_known(ev.id, a);
      return true;
    case Asked::What::plain:
      done(*lane, a.op, ev.status, 0, body);
      return true;
  }
  return true;
}

// The leader has the pattern: its DONE comes when the provider has it, too.
void Group::want_known(uint64_t number, const Asked& a) {
  Order o;
  o.target = "w";
  o.body = reinterpret_cast<const uint8_t*>(a.pattern.data());
  o.len = a.pattern.size();
  o.op = number;
  o.now = static_cast<uint64_t>(base::mono_ms());
  const mw_status s = share_ != nullptr ? share_->call(o) : mw_status{MW_ECLOSED};
  if (s >= 0) return;
  forget(number);
  want_done(a, s, failure_text(s));
}

void Group::want_done(const Asked& a, mw_status status, std::string_view body) {
  if (status < 0 && status != MW_ECANCELED && !closing_) {
    {
      std::lock_guard lock(mutex_);
      auto at = std::find_if(wanted_.begin(), wanted_.end(), [&](const base::Pattern& p) { return p.text() == a.pattern; });
      if (at != wanted_.end()) wanted_.erase(at);
    }
    if (share_ != nullptr) share_->unwant("/" + a.pattern, 0);
  }
  done(*lane, a.op, status, 0, body);
}

}  // namespace mw::link
