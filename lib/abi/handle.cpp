#include <meshwork/handle.h>

#include "abi/argument.hpp"
#include "abi/conf.hpp"
#include "abi/guard.hpp"
#include "abi/reference.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "wire/close.hpp"

using mw::abi::argument;
using mw::abi::guard;
using mw::abi::Reference;
using mw::base::fill;
using mw::base::Kind;
namespace link_ = mw::link;

extern "C" {

mw_status mw_on(mw_handle h, mw_event_fn fn, void* user, mw_free_fn free_user) {
  Reference ref(h);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  if (fn == nullptr) return MW_EINVAL;
  if (auto* p = ref.owner()) return p->on(fn, user, free_user);
  if (auto* r = ref.context()) return r->on(fn, user, free_user);
  return MW_EKIND;
}

mw_status mw_start(mw_handle h, uint64_t op, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    Reference ref(h);
    mw_status s = ref.check();
    if (s == MW_OK) {
      if (auto* p = ref.provider())
        s = p->start(op);
      else if (auto* c = ref.consumer())
        s = c->start(op);
      else if (auto* x = ref.channel())
        s = x->start(op);
      else if (auto* y = ref.hub())
        s = y->start(op);
      else if (auto* sh = ref.share())
        s = sh->start(op);
      else if (auto* e = ref.election())
        s = e->start(op);
      else if (auto* n = ref.member())
        s = n->start(op);
      else if (auto* g = ref.group())
        s = g->start(op);
      else
        s = MW_EKIND;
    }
    return s < 0 ? fill(err, {s, 0, {}}) : s;
  });
}

mw_status mw_update(mw_handle h, const mw_conf* c, uint64_t op, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    if (c == nullptr) return fill(err, {MW_EINVAL, 0, "a conf is needed"});
    int32_t kind = ref.kind() == Kind::context    ? int32_t{MW_CONF_CTX}
                   : ref.kind() == Kind::provider ? int32_t{MW_CONF_PROVIDER}
                   : ref.kind() == Kind::consumer ? int32_t{MW_CONF_CONSUMER}
                   : ref.kind() == Kind::hub      ? int32_t{MW_CONF_HUB}
                   : ref.kind() == Kind::channel  ? int32_t{MW_CONF_CHANNEL}
                   : ref.kind() == Kind::node     ? int32_t{MW_CONF_NODE}
                   : ref.kind() == Kind::group    ? int32_t{MW_CONF_CONSUMER}
                   : ref.kind() == Kind::manager  ? int32_t{MW_CONF_MANAGER}
                                                  : 0;
    if (kind == 0) return fill(err, {MW_EKIND, 0, "only a context, provider, consumer, hub, channel, node or manager has options"});
    auto change = mw::abi::conf_snapshot(c, kind);
    if (!change) return fill(err, change.error());
    mw::base::Result<void> done;
    if (auto* p = ref.provider())
      done = p->update(**change, op);
    else if (auto* s = ref.consumer())
      done = s->update(**change, op);
    else if (auto* x = ref.channel())
      done = x->update(**change, op);
    else if (auto* y = ref.hub())
      done = y->update(**change, op);
    else if (auto* n = ref.member())
      done = n->update(**change, op);
    else if (auto* g = ref.group())
      done = g->update(**change, op);
    else
      done = ref.context()->update(**change, op);
    return done ? MW_OK : fill(err, done.error());
  });
}

mw_status mw_token(mw_handle h, uint64_t token) {
  Reference ref(h);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  ref.object()->token.store(token, std::memory_order_relaxed);
  return MW_OK;
}

mw_status mw_pause(mw_handle h, int on) {
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    if (auto* p = ref.provider()) return p->pause(on != 0);
    if (auto* s = ref.service()) return s->pause(on != 0), MW_OK;
    if (auto* s = ref.share()) return s->pause(on != 0);
    if (auto* g = ref.group()) return g->pause(on != 0);
    if (ref.session() == nullptr) return MW_EKIND;
    ref.session()->pause_wish.store(on != 0, std::memory_order_release);
    ref.object()->request(link_::kPause);
    return MW_OK;
  });
}

mw_status mw_drain(mw_handle h, int64_t deadline_ms, uint64_t op, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    Reference ref(h);
    mw_status s = ref.check();
    if (s == MW_OK) {
      if (deadline_ms < 0)
        return fill(err, {MW_EINVAL, 0, "deadline_ms must not be negative"});
      if (auto* p = ref.provider())
        s = p->drain(deadline_ms, op);
      else if (auto* c = ref.consumer())
        s = c->drain(deadline_ms, op);
      else if (auto* v = ref.service())
        s = v->drain(deadline_ms, op);
      else if (auto* x = ref.channel())
        s = x->drain(deadline_ms, op);
      else if (auto* y = ref.hub())
        s = y->drain(deadline_ms, op);
      else if (auto* n = ref.member())
        s = n->drain(deadline_ms, op);
      else if (auto* g = ref.group())
        s = g->drain(deadline_ms, op);
      else
        s = MW_EKIND;
    }
    return s < 0 ? fill(err, {s, 0, {}}) : s;
  });
}

mw_status mw_close(mw_handle h, int32_t code, const char* reason, size_t rlen, uint32_t flags) {
  std::string_view why;
  if (!argument(reason, rlen, why)) return MW_EINVAL;
  if (code != 0 && !mw::wire::close_code_sendable(code)) return MW_EINVAL;
  if (why.size() > mw::wire::kMaxCloseReason || !mw::base::utf8_valid(why)) return MW_EINVAL;
  if (flags & ~static_cast<uint32_t>(MW_CLOSE_ABORT)) return MW_EINVAL;
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) {
      if (s == MW_EFORK && ref.context() != nullptr) return ref.context()->close_in_child();
      return s;
    }
    if (auto* r = ref.context()) {
      r->begin_close();
      return MW_OK;
    }
    if (auto* a = ref.ask()) {
      mw_status s = a->provider.answer(a->ticket, {});
      return s == MW_ECLOSED ? MW_OK : s;
    }
    if (ref.request() != nullptr) return MW_EKIND;  // it is answered, not closed
    std::atomic<link_::CloseWish*>* wish = nullptr;
    if (auto* p = ref.owner()) wish = &p->wish;
    if (auto* p = ref.peer()) wish = &p->wish;
    if (wish != nullptr)
      link_::wish_close(*ref.object(), *wish, {code == 0 ? 1000 : code, flags, MW_OK, std::string(why)});
    else
      ref.object()->request(link_::kClose);
    return MW_OK;
  });
}

mw_status mw_state(mw_handle h) {
  Reference ref(h);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  if (auto* p = ref.provider()) return p->state();
  if (auto* c = ref.consumer()) return c->state();
  if (auto* x = ref.channel()) return x->state();
  if (auto* y = ref.hub()) return y->state();
  if (auto* s = ref.seat()) return s->session.open() ? MW_STATE_UP : MW_STATE_DRAINING;
  if (auto* s = ref.share()) return s->state();
  if (auto* e = ref.election()) return e->state();
  if (auto* n = ref.member()) return n->state();
  if (auto* g = ref.group()) return g->state();
  if (auto* p = ref.peer()) return p->session.open() && p->wish.load() == nullptr ? MW_STATE_UP : MW_STATE_DRAINING;
  if (auto* s = ref.service()) return s->state();
  if (auto* r = ref.context()) return r->closing() ? MW_STATE_DRAINING : MW_STATE_UP;
  return MW_STATE_UP;
}

mw_status mw_stat(mw_handle h, int32_t what, int64_t* value) {
  if (value == nullptr) return MW_EINVAL;
  Reference ref(h);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  *value = 0;
  if (auto* r = ref.context()) {
    switch (what) {
      case MW_STAT_QUEUED: *value = r->inbox() ? static_cast<int64_t>(r->inbox()->events()) : 0; return MW_OK;
      case MW_STAT_BUFFERED: *value = r->budget().used(); return MW_OK;
      default: return MW_EINVAL;
    }
  }
  if (auto* p = ref.provider()) {
    uint64_t mi, mo, bi, bo;
    p->sum(&mi, &mo, &bi, &bo);
    switch (what) {
      case MW_STAT_PEERS: *value = static_cast<int64_t>(p->peers()); return MW_OK;
      case MW_STAT_MESSAGES_IN: *value = static_cast<int64_t>(mi); return MW_OK;
      case MW_STAT_MESSAGES_OUT: *value = static_cast<int64_t>(mo); return MW_OK;
      case MW_STAT_BYTES_IN: *value = static_cast<int64_t>(bi); return MW_OK;
      case MW_STAT_BYTES_OUT: *value = static_cast<int64_t>(bo); return MW_OK;
      case MW_STAT_DROPPED: *value = static_cast<int64_t>(p->dropped.load()); return MW_OK;
      case MW_STAT_BEAT_INTERVAL: *value = p->policy.beat_interval.load(); return MW_OK;
      default: return MW_EINVAL;
    }
  }
  if (auto* n = ref.member()) {
    switch (what) {
      case MW_STAT_PEERS: *value = static_cast<int64_t>(n->others()); return MW_OK;
      case MW_STAT_IN_FLIGHT: *value = static_cast<int64_t>(n->calls()); return MW_OK;
      default: return MW_EINVAL;
    }
  }
  if (auto* v = ref.service()) {
    if (what != MW_STAT_IN_FLIGHT) return MW_EINVAL;
    *value = v->running();
    return MW_OK;
  }
  if (auto* y = ref.hub()) {
    switch (what) {
      case MW_STAT_PEERS: *value = static_cast<int64_t>(y->peers()); return MW_OK;
      case MW_STAT_MESSAGES_IN: *value = static_cast<int64_t>(y->traffic().messages_in.load()); return MW_OK;
      case MW_STAT_MESSAGES_OUT: *value = static_cast<int64_t>(y->traffic().messages_out.load()); return MW_OK;
      case MW_STAT_BYTES_IN: *value = static_cast<int64_t>(y->traffic().bytes_in.load()); return MW_OK;
      case MW_STAT_BYTES_OUT: *value = static_cast<int64_t>(y->traffic().bytes_out.load()); return MW_OK;
      case MW_STAT_DROPPED: *value = static_cast<int64_t>(y->dropped.load()); return MW_OK;
      default: return MW_EINVAL;
    }
  }
  if (auto* x = ref.channel()) {
    if (what == MW_STAT_BUFFERED) return *value = x->kept_bytes(), MW_OK;
    if (what == MW_STAT_DROPPED) return *value = static_cast<int64_t>(x->dropped.load()), MW_OK;
  }
  if (auto* g = ref.group()) return g->stat(what, value);
  link_::Session* s = ref.session();
  if (s == nullptr) return MW_EKIND;
  switch (what) {
    case MW_STAT_BUFFERED: *value = s->queued() + (ref.consumer() ? ref.consumer()->offline_bytes() : 0); return MW_OK;
    case MW_STAT_LAST_BEAT: *value = s->stats.last_beat.load(); return MW_OK;
    case MW_STAT_STRIKES: *value = s->stats.strikes.load(); return MW_OK;
    case MW_STAT_BEAT_INTERVAL: *value = s->beat_interval(); return MW_OK;
    case MW_STAT_BEAT_CUTOFF: *value = s->beat_cutoff(); return MW_OK;
    case MW_STAT_RTT: *value = s->stats.rtt_us.load(); return MW_OK;
    case MW_STAT_IN_FLIGHT: *value = s->stats.calls.load(); return MW_OK;
    case MW_STAT_BYTES_IN: *value = static_cast<int64_t>(s->stats.bytes_in.load()); return MW_OK;
    case MW_STAT_BYTES_OUT: *value = static_cast<int64_t>(s->stats.bytes_out.load()); return MW_OK;
    case MW_STAT_MESSAGES_IN: *value = static_cast<int64_t>(s->stats.messages_in.load()); return MW_OK;
    case MW_STAT_MESSAGES_OUT: *value = static_cast<int64_t>(s->stats.messages_out.load()); return MW_OK;
    case MW_STAT_DROPPED: *value = s->stats.dropped.load(); return MW_OK;
    case MW_STAT_PEERS: return MW_EINVAL;
    default: return MW_EINVAL;
  }
}

mw_status mw_info(mw_handle h, const char* what, size_t wlen, mw_msg** now, uint64_t op, mw_error* err) {
  if (now != nullptr) *now = nullptr;
  return guard(err, [&]() -> mw_status {
    std::string_view w;
    if (!argument(what, wlen, w)) return fill(err, {MW_EINVAL, 0, {}});
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    auto give = [&](const std::string& json) -> mw_status {
      if (now == nullptr) return fill(err, {MW_EINVAL, 0, "now must not be NULL: these facts are there at once"});
      *now = mw::base::message_copy(json.data(), json.size(), MW_F_TEXT);
      return MW_OK;
    };
    if (w == "state") {
      static constexpr const char* kNames[] = {"idle", "connecting", "up", "ready", "waiting", "draining"};
      mw_status s = mw_state(h);
      std::string json;
      mw::base::json_quote(json, s >= 0 && s < 6 ? kNames[s] : "closed");
      return give(json);
    }
    if (w == "config") {
      if (auto* p = ref.owner()) return give(p->conf()->dump());
      if (auto* r = ref.context()) return give(r->conf().dump());
    }
    if (w == "queues") {
      if (auto* n = ref.node()) return give(n->queues());
      if (ref.provider() != nullptr || ref.consumer() != nullptr) return give(ref.party()->queues());
    }
    if (auto* p = ref.provider()) {
      if (w.empty() || w == "address") {
        std::string json;
        mw::base::JsonObject o(json);
        o.raw("address", p->address());
        if (w.empty()) o.number("peers", static_cast<int64_t>(p->peers()));
        o.end();
        return give(json);
      }
      if (w == "peers" || w == "metrics") {
        if (op == 0) return fill(err, {MW_EINVAL, 0, "this is answered by DONE: give an op"});
        return w == "peers" ? p->gather_peers(op) : p->gather_metrics(op);
      }
    }
    if (auto* s = ref.share(); s != nullptr && w.empty()) return give(s->facts());
    if (auto* e = ref.election(); e != nullptr && w.empty()) return give(e->facts());
    if (auto* n = ref.member()) {
      if (w.empty()) return give(n->facts());
      if (w == "address") return give(n->address());
      if (w == "members" || w == "metrics" || (w == "stats" && ref.node() != nullptr)) {
        if (op == 0) return fill(err, {MW_EINVAL, 0, "this is answered by DONE: give an op"});
        return w == "members" ? n->gather_members(op) : w == "stats" ? n->gather_stats(op) : n->gather_metrics(op);
      }
    }
    if (auto* c = ref.consumer()) {
      if (w.empty() || w == "address") return give(c->facts());
      if (w == "topics") return give(c->topics());
    }
    if (auto* g = ref.group()) {
      if (w.empty() || w == "address") return give(g->facts());
      if (w == "topics") return give(g->topics());
    }
    if (auto* x = ref.channel()) {
      if (w.empty()) return give(x->facts());
      if (w == "topics") return give(x->topics());
      if (w == "members") return op == 0 ? fill(err, {MW_EINVAL, 0, "this is answered by DONE: give an op"}) : x->gather_members(op);
    }
    if (auto* y = ref.hub()) {
      if (w.empty()) return give(y->facts());
      if (w == "lan" || w.starts_with("channel/") || w.starts_with("client/")) {
        if (op == 0) return fill(err, {MW_EINVAL, 0, "this is answered by DONE: give an op"});
        mw_status s = y->gather(w, op);
        return s < 0 ? fill(err, {s, 0, "write channel/NAME or client/NAME/UUID"}) : s;
      }
    }
    if (auto* s = ref.seat(); s != nullptr && w.empty()) return give(s->facts());
    if (auto* p = ref.peer()) {
      if (w.empty() || w == "address") return give(p->facts());
      if (w == "topics") return give(p->provider().topics(*p));
    }
    return fill(err, {MW_EINVAL, 0, "no such facts here: \"\", state, config, address, topics, queues, peers, members, stats, metrics, lan, channel/NAME or client/NAME/UUID"});
  });
}

mw_status mw_answer(mw_handle ask, int allow, const char* json, size_t len, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    std::string_view text;
    if (!argument(json, len, text)) return fill(err, {MW_EINVAL, 0, {}});
    Reference ref(ask);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    auto* a = ref.ask();
    if (a == nullptr) return fill(err, {MW_EKIND, 0, {}});
    mw::net::Listener::Answer answer;
    answer.allow = allow != 0;
    if (!text.empty()) {
      auto parsed = mw::base::Json::parse(text);
      if (!parsed || !parsed->root().is_object())
        return fill(err, {MW_EINVAL, 0, "the answer must be a JSON object"});
      mw::base::JsonValue root = parsed->root();
      if (mw::base::JsonValue data = root.find("data")) answer.data = data.print();
      if (mw::base::JsonValue status = root.find("status")) {
        double n = status.number();
        if (n < 400 || n > 599 || n != static_cast<int>(n))
          return fill(err, {MW_EINVAL, 0, "status must be 400 to 599"});
        answer.status = static_cast<int>(n);
      }
      answer.body = std::string(root.find("body").text());
    }
    mw_status s = a->provider.answer(a->ticket, std::move(answer));
    return s < 0 ? fill(err, {s, 0, {}}) : s;
  });
}

}  // extern "C"
