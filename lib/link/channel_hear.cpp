// What a member hears: each event once, whatever was sent twice; and its
// subscriptions, which filter here because every member hears all of its channel.
#include "base/insist.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "link/channel.hpp"
#include "wire/netcluster.hpp"

#include <algorithm>
#include <cstring>

namespace mw::link {

using base::Error;

namespace {

constexpr size_t kSenders = 4096;  // remembered; beyond it the one not heard for longest is forgotten
constexpr size_t kSubscriptions = 10000;

}  // namespace

size_t Channel::UuidHash::operator()(const Uuid& u) const noexcept {
  uint64_t h;
  std::memcpy(&h, u.data(), sizeof h);  // random bytes
  return static_cast<size_t>(h);
}

std::string Channel::sender_meta(const Uuid& u) {
  std::string meta;
  base::put_header(meta, "sender", uuid_text(u));
  return meta;
}

Channel::Heard& Channel::heard_of(const Uuid& u) {
  if (recent_ != nullptr && recent_id_ == u) return *recent_;
  auto it = heard_.find(u);
  if (it == heard_.end()) {
    if (heard_.size() >= kSenders)
      heard_.erase(std::min_element(heard_.begin(), heard_.end(),
                                    [](const auto& a, const auto& b) { return a.second.when < b.second.when; }));
    it = heard_.try_emplace(u).first;
    it->second.meta = sender_meta(u);
  }
  recent_id_ = u;
  recent_ = &it->second;
  return *recent_;
}

const char* Channel::event_came(Session& s, const wire::EventView& e) {
  if (&s != &session_) return Host::event_came(s, e);
  if (e.origin == nullptr) return "an event without origin from the hub";
  Uuid from;
  std::memcpy(from.data(), e.origin, from.size());
  if (from == uuid_) return nullptr;
  Heard& h = heard_of(from);
  h.when = ++clock_;
  if (e.sequence <= h.last) return nullptr;  // sent again to a new hub, and heard from the old one
  if (h.last != 0 && e.sequence > h.last + 1 && (e.flags & wire::kRelayed) == 0) {
    const uint64_t gap = e.sequence - h.last - 1;
    count_dropped(gap);
    mw_event ev{};
    ev.kind = MW_EVENT_DROPPED;
    ev.token = token.load(std::memory_order_relaxed);
    ev.status = MW_EDROPPED;
    ev.code = static_cast<int32_t>(std::min<uint64_t>(gap, INT32_MAX));
    if (policy.wants(MW_EVENT_DROPPED)) emit(*lane, ev, {}, h.meta, {});
  }
  h.last = e.sequence;
  uint32_t flags = (e.flags & wire::kEventList) ? uint32_t{MW_F_PARTS} : 0;
  if (e.flags & wire::kEventText) {
    base::Utf8Fact fact = base::utf8_check(e.body, e.size);
    if (!fact.valid) return "an event's text is not UTF-8";
    flags |= MW_F_TEXT | (fact.ascii ? uint32_t{MW_F_ASCII} : 0);
  }
  tell(e.name, h.meta, e.meta, flags, e.body, e.size);
  return nullptr;
}

// Whether a subscription wants it; one with a limit counts it. Names come in
// runs, and a regular expression costs as much as all else: the last is kept.
bool Channel::wants(std::string_view name) {
  std::lock_guard lock(mutex_);
  if (asked_any_ && asked_name_ == name) return *asked_any_;
  bool any = false, counted = false, over = false;
  for (Wanted& w : wanted_) {
    if (!w.pattern.match(name)) continue;
    any = true;
    if (w.left <= 0) continue;
    counted = true;
    if (--w.left > 0) continue;
    w.left = -1;
    over = true;
  }
  if (over) std::erase_if(wanted_, [](const Wanted& w) { return w.left < 0; });
  asked_any_.reset();
  if (counted) return any;
  asked_name_ = name;
  asked_any_ = any;
  return any;
}

std::string Channel::packet_came(Session& s, std::string_view frame) {
  if (&s != &session_) return Host::packet_came(s, frame);
  auto e = wire::parse_netcluster(frame);
  if (!e) return e.error().text;
  if (e->emitter == uuid_text_) return {};
  std::string headers;
  base::put_header(headers, "sender", e->emitter);
  base::put_header(headers, "channel", e->channel);  // another one's, where the hub propagates
  if (e->broadcast) base::put_header(headers, "broadcast", "true");
  const bool ascii = base::utf8_check(reinterpret_cast<const uint8_t*>(e->data.data()), e->data.size()).ascii;
  tell(e->event, headers, {}, MW_F_TEXT | (ascii ? uint32_t{MW_F_ASCII} : 0), reinterpret_cast<const uint8_t*>(e->data.data()),
       e->data.size());
  return {};
}

void Channel::tell(std::string_view name, std::string_view sender, std::string_view meta, uint32_t flags,
                   const uint8_t* body, size_t len) {
  if (!wants(name) || !policy.wants(MW_EVENT_MESSAGE)) return;
  std::string_view headers = sender;
  if (!meta.empty()) {
    scratch_.assign(sender).append(meta);
    headers = scratch_;
  }
  mw_event ev{};
  ev.kind = MW_EVENT_MESSAGE;
  ev.token = token.load(std::memory_order_relaxed);
  ev.flags = flags;
  emit(*lane, ev, name, headers, {reinterpret_cast<const char*>(body), len});
}

mw_status Channel::subscribe(std::string_view text, base::Syntax syntax, int64_t limit, uint64_t op, Error* why) {
  auto pattern = base::Pattern::compile(text, syntax);
  if (!pattern) {
    *why = pattern.error();
    return pattern.error().code;
  }
  {
    std::lock_guard lock(mutex_);
    if (wanted_.size() >= kSubscriptions) {
      *why = {MW_EAGAIN, 0, "10000 subscriptions of one channel are the limit"};
      return MW_EAGAIN;
    }
    wanted_.push_back({std::move(*pattern), limit});
    asked_any_.reset();
  }
  // Counts already; nothing is asked of the hub.
  if (op != 0) base::insist([&] { post(*lane, [this, op] { done(*lane, op, MW_OK, 0, {}); }); });
  return MW_OK;
}

mw_status Channel::unsubscribe(std::string_view text, uint64_t op) {
  {
    std::lock_guard lock(mutex_);
    std::erase_if(wanted_, [&](const Wanted& w) { return w.pattern.text() == text; });
    asked_any_.reset();
  }
  if (op != 0) base::insist([&] { post(*lane, [this, op] { done(*lane, op, MW_OK, 0, {}); }); });
  return MW_OK;
}

bool Channel::subscribed(std::string_view name) const {
  std::lock_guard lock(mutex_);
  return std::any_of(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.pattern.match(name); });
}

std::string Channel::topics() const {
  std::lock_guard lock(mutex_);
  return base::json_texts(wanted_, [](const Wanted& w) -> const std::string& { return w.pattern.text(); });
}

}  // namespace mw::link
