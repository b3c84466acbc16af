// Events over the mesh: what each node wants to hear stands in what it
// announces, so a publish goes straight to the members that want it, once each
// however many of their patterns match.
#include "base/json.hpp"
#include "link/session.hpp"
#include "mesh/node.hpp"

#include <algorithm>

namespace mw::mesh {

using base::Error;
using base::Opt;
using base::Pattern;

// ---- any thread

mw_status Node::subscribe(std::string_view pattern, base::Syntax syntax, uint64_t tok, uint64_t op, Error* why) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return (*why = {MW_ECLOSED, 0, {}}).code;
  if (pattern.empty() || pattern.size() > core::kMaxPattern)
    return (*why = {MW_EPATTERN, 0, "a pattern of a node has 1 to 1,024 bytes"}).code;
  auto compiled = Pattern::compile(pattern, syntax);
  if (!compiled) return (*why = compiled.error()).code;
  {
    std::lock_guard lock(mutex_);
    if (wanted_.size() >= core::kMaxInterests)
      return (*why = {MW_EOVERFLOW, 0, "a node has at most 256 subscriptions"}).code;
    wanted_.push_back({std::move(*compiled), syntax, tok});
  }
  link::post(*lane, [this, op, tok, text = std::string(pattern)] {
    const bool told = announce();
    if (!told) {  // nobody would know of it
      std::lock_guard lock(mutex_);
      auto mine = [&](const Wanted& w) { return w.token == tok && w.pattern.text() == text; };
      auto last = std::find_if(wanted_.rbegin(), wanted_.rend(), mine);
      if (last != wanted_.rend()) wanted_.erase(std::next(last).base());
    }
    done(*lane, op, told ? MW_OK : MW_ETOOBIG, 0, {});
  });
  return MW_OK;
}

mw_status Node::unsubscribe(std::string_view pattern, uint64_t op) {
  {
    std::lock_guard lock(mutex_);
    std::erase_if(wanted_, [&](const Wanted& w) { return w.pattern.text() == pattern; });
  }
  link::post(*lane, [this, op] {
    announce();
    done(*lane, op, MW_OK, 0, {});
  });
  return MW_OK;
}

bool Node::subscribed(std::string_view topic) const {
  std::lock_guard lock(mutex_);
  return std::any_of(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.pattern.match(topic); });
}

mw_status Node::publish(std::string_view topic, const mw_msg* m, uint32_t flags, uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  const mw_status st = state();
  if (st == MW_STATE_DRAINING) return MW_EDRAINING;
  if (st == MW_STATE_IDLE) return MW_ENOTCONN;
  base::MsgRef held(base::ref(m));
  flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS);
  // The way to the lane is bounded by the context's budget.
  const auto cost = static_cast<int64_t>(m->len + topic.size()) + link::Session::kOverhead;
  if (!lane->slice.reserve(cost)) return MW_EMEMORY;
  try {
    link::post(*lane, [this, topic = std::string(topic), held, flags, op, cost] {
      int32_t reached = 0;
      mw_status s = MW_OK;
      try {
        reached = publish_here(topic, held, flags);
      } catch (const std::bad_alloc&) {
        s = MW_ENOMEM;  // some may have it
      }
      lane->slice.release(cost);
      done(*lane, op, s, reached, {});
    });
  } catch (const std::bad_alloc&) {
    lane->slice.release(cost);
    throw;
  }
  return MW_OK;
}

// ---- the lane

int32_t Node::publish_here(const std::string& topic, const base::MsgRef& m, uint32_t flags) {
  int32_t reached = 0;
  std::vector<Slot> to;
  if ((flags & MW_F_LOCAL) == 0)
    for (auto& [slot, patterns] : interests_)
      if (std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.match(topic); }) && may_meet(role_of(slot)))
        to.push_back(slot);
  if (!to.empty()) {
    const base::MsgRef told = base::message_with_topic(m.get(), topic);
    for (Slot slot : to) {
      give(slot, told, flags);
      ++reached;
    }
  }
  mw_event ev{};
  ev.flags = (flags & (MW_F_TEXT | MW_F_PARTS)) | MW_F_LOCAL;
  hear(ev, topic, m->meta != nullptr ? std::string_view(*m->meta) : std::string_view(),
       {reinterpret_cast<const char*>(m->body), m->len}, name_);
  return reached;
}

// To a member that wants it; without a link it waits for that.
void Node::give(Slot slot, const base::MsgRef& m, uint32_t flags) {
  Member& to = member(slot);
  if (usable(to.link)) {
    to.link->session->publish(m.get(), flags, nullptr);  // at its bound it is dropped there, and told
    return;
  }
  if (to.events.size() >= kMaxEvents) {
    dropped(to.events.front().first, 1, slot);
    to.events.pop_front();
  }
  to.events.emplace_back(m, flags);
  if (!dial(slot)) drop_events(slot, to);
}

void Node::dropped(const base::MsgRef& last, size_t n, Slot slot) {
  mw_event ev{};
  ev.kind = MW_EVENT_DROPPED;
  ev.status = MW_EPEERGONE;
  ev.code = static_cast<int32_t>(n);
  ev.flags = last->flags & MW_F_TEXT;
  std::string with;
  base::set_header(with, "member", roster_.name(slot));
  pass_on(ev, last->topic != nullptr ? std::string_view(*last->topic) : std::string_view(), with,
          {reinterpret_cast<const char*>(last->body), last->len});
}

void Node::drop_events(Slot slot, Member& m) {
  std::list<std::pair<base::MsgRef, uint32_t>> lost;
  lost.swap(m.events);
  if (!lost.empty()) dropped(lost.back().first, lost.size(), slot);
}

// Once for each subscription that it matches.
void Node::hear(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body, std::string_view from) {
  std::vector<uint64_t> tokens;
  {
    std::lock_guard lock(mutex_);
    for (const Wanted& w : wanted_)
      if (w.pattern.match(topic)) tokens.push_back(w.token);
  }
  if (tokens.empty()) return;
  std::string with(meta);
  base::set_header(with, "member", from);
  ev.kind = MW_EVENT_MESSAGE;
  for (uint64_t tok : tokens) {
    ev.token = tok;
    pass_on(ev, topic, with, body, tok == 0);
  }
}

void Node::learn_interests(Slot slot, const core::Announcement& a) {
  std::vector<Pattern> patterns;
  for (const core::Interest& i : a.interests) {
    if (i.syntax > static_cast<uint8_t>(base::Syntax::path)) continue;  // of a later version
    if (auto p = Pattern::compile(i.pattern, static_cast<base::Syntax>(i.syntax))) patterns.push_back(std::move(*p));
  }
  if (patterns.empty())
    interests_.erase(slot);
  else
    interests_[slot] = std::move(patterns);
}

}  // namespace mw::mesh
