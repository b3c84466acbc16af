#include <meshwork/channel.h>
#include <meshwork/mesh.h>
#include <meshwork/share.h>

#include "abi/argument.hpp"
#include "abi/conf.hpp"
#include "abi/guard.hpp"
#include "abi/reference.hpp"

using mw::abi::argument;
using mw::abi::guard;
using mw::abi::Reference;
using mw::base::fill;
using mw::base::Kind;
using mw::loop::Lane;

namespace {

constexpr uint32_t kSendFlags = MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS | MW_F_MORE | MW_F_CONT | MW_F_PING |
                                MW_F_NOQUEUE;

// Of a channel or a hub, see channel.cpp, too.
template <class Object>
mw_status open(mw_handle ctx, const mw_conf* c, int32_t kind, uint64_t token, mw_handle* h, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    if (h == nullptr) return fill(err, {MW_EINVAL, 0, "h must not be NULL"});
    *h = 0;
    Reference ref(ctx);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    auto* r = ref.context();
    if (r == nullptr) return fill(err, {MW_EKIND, 0, "ctx must be a context"});
    auto conf = mw::abi::conf_snapshot(c, kind);
    if (!conf) return fill(err, conf.error());
    auto made = Object::open(*r, std::move(*conf), token);
    if (!made) return fill(err, made.error());
    *h = *made;
    return MW_OK;
  });
}

// With share=group it is one of several that use one connection.
struct AnyConsumer {
  static mw::base::Result<mw_handle> open(mw::loop::Runtime& ctx, std::shared_ptr<const mw::base::Conf> conf, uint64_t token) {
    return mw::base::sharing(*conf) == mw::base::Sharing::group ? mw::link::Group::open(ctx, std::move(conf), token)
                                                                : mw::link::Consumer::open(ctx, std::move(conf), token);
  }
};

mw_status send(mw_handle h, const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op) {
  // On the lane of the peer, as in every callback: no pin, no lock.
  if (Lane* l = Lane::current(); l != nullptr && mw::base::kind_of(h) == Kind::peer) [[likely]] {
    if (auto* o = mw::base::peek(l->slots, h)) [[likely]] {
      if (!l->runtime.alive()) return MW_EFORK;
      return static_cast<mw::link::Peer*>(o)->session.send(body, len, m, flags, op);
    }
  }
  Reference ref(h);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  if (auto* p = ref.peer()) return p->wish.load(std::memory_order_relaxed) ? MW_ECLOSED : p->session.send(body, len, m, flags, op);
  if (auto* c = ref.consumer()) return c->send(body, len, m, flags, op);
  if (auto* g = ref.group()) return g->send(body, len, m, flags, op);
  return MW_EKIND;
}

}  // namespace

extern "C" {

mw_status mw_provider_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<mw::link::Provider>(ctx, c, MW_CONF_PROVIDER, token, h, err);
}

mw_status mw_consumer_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<AnyConsumer>(ctx, c, MW_CONF_CONSUMER, token, h, err);
}

mw_status mw_share_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<mw::link::Share>(ctx, c, MW_CONF_SHARE, token, h, err);
}

mw_status mw_elect(mw_handle h, const char* name, size_t nlen, const mw_conf* c, uint64_t token, mw_handle* id,
                   mw_error* err) {
  return guard(err, [&]() -> mw_status {
    std::string_view n;
    if (id == nullptr || !argument(name, nlen, n)) return fill(err, {MW_EINVAL, 0, "name and id are needed"});
    *id = 0;
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    if (ref.context() == nullptr) return fill(err, {MW_EKIND, 0, "elections are held on a context: those of this host"});
    auto conf = mw::abi::conf_snapshot(c, MW_CONF_ELECT);
    if (!conf) return fill(err, conf.error());
    auto made = mw::link::Share::elect(*ref.context(), n, **conf, token);
    if (!made) return fill(err, made.error());
    *id = *made;
    return MW_OK;
  });
}

mw_status mw_node_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<mw::mesh::Node>(ctx, c, MW_CONF_NODE, token, h, err);
}

mw_status mw_manager_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<mw::mesh::Node>(ctx, c, MW_CONF_MANAGER, token, h, err);
}

mw_status mw_send_bytes(mw_handle h, const void* body, size_t len, uint32_t flags) {
  if ((body == nullptr && len != 0) || (flags & ~kSendFlags)) return MW_EINVAL;
  return guard(nullptr, [&] { return send(h, body, len, nullptr, flags, 0); });
}

mw_status mw_send(mw_handle h, const mw_msg* m, uint32_t flags, uint64_t op) {
  if (m == nullptr || (flags & ~kSendFlags)) return MW_EINVAL;
  auto* msg = const_cast<mw_msg*>(m);
  msg->used.store(true, std::memory_order_relaxed);
  if (m->ctx != 0) {  // lent to one context only
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    if (ref.object()->runtime.handle != m->ctx) return MW_EINVAL;
  }
  flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS);
  return guard(nullptr, [&] { return send(h, m->body, m->len, msg, flags, op); });
}

mw_status mw_send_records(mw_handle ctx, mw_event* ev, size_t stride, size_t n, const void* base) {
  if (stride < sizeof(mw_event) || stride % 8 != 0 || (ev == nullptr && n != 0)) return MW_EINVAL;
  Reference ref(ctx);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  if (ref.context() == nullptr) return MW_EKIND;
  Lane& home = ref.context()->home();
  Lane::Hold hold(home);  // a host-turned lane, for all of them
  auto* p = reinterpret_cast<uint8_t*>(ev);
  for (size_t i = 0; i < n; ++i, p += stride) {
    auto* e = reinterpret_cast<mw_event*>(p);
    if (e->flags & MW_F_REF) {
      auto* m = reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(e->msg));
      e->status = m == nullptr ? MW_EINVAL : mw_send(e->peer, m, e->flags & kSendFlags, 0);
    } else {
      e->status = mw_send_bytes(e->peer, e->body_len ? static_cast<const uint8_t*>(base) + e->offset : nullptr,
                                e->body_len, e->flags & kSendFlags);
    }
  }
  if (hold) mw::link::Session::hand_over_cork(home);  // they leave before we return
  return MW_OK;
}

mw_status mw_publish(mw_handle h, const char* topic, size_t tlen, const mw_msg* m, mw_handle except, uint32_t flags,
                     uint64_t op) {
  std::string_view t;
  if (m == nullptr || !argument(topic, tlen, t) || t.size() > mw::base::Pattern::kMaxBytes ||
      (flags & ~(kSendFlags | MW_F_LOCAL)))
    return MW_EINVAL;
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    auto* p = ref.provider();
    auto* c = ref.channel();
    auto* share = ref.share();
    auto* node = ref.node();
    if (p == nullptr && c == nullptr && share == nullptr && node == nullptr) return MW_EKIND;
    if (node == nullptr && (flags & MW_F_LOCAL) != 0) return MW_EINVAL;
    if (m->ctx != 0 && m->ctx != ref.object()->runtime.handle) return MW_EINVAL;
    if (p == nullptr && except != 0) return MW_EINVAL;
    const_cast<mw_msg*>(m)->used.store(true, std::memory_order_relaxed);
    if (node != nullptr) return t.empty() ? MW_EINVAL : node->publish(t, m, flags, op);
    if (share != nullptr) return t.empty() ? MW_EINVAL : share->publish(t, m, flags, op);
    return p != nullptr ? p->publish(t, m, except, flags, op) : c->publish(t, m, flags, op);
  });
}

mw_status mw_subscribe(mw_handle h, const char* pat, size_t plen, const mw_conf* sub, uint64_t token, uint64_t op,
                       mw_handle* id, mw_error* err) {
  if (id != nullptr) *id = 0;
  return guard(err, [&]() -> mw_status {
    std::string_view pattern;
    if (!argument(pat, plen, pattern)) return fill(err, {MW_EINVAL, 0, {}});
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    if (auto* share = ref.share()) {
      if (id != nullptr || pattern.empty() || (sub != nullptr && sub->conf.has(mw::base::Opt::pattern_syntax)))
        return fill(err, {MW_EINVAL, 0, "a share's subscription is a key: no pattern, and no handle of its own"});
      mw::base::Error why;
      mw_status s = share->subscribe(pattern, op, &why);
      return s < 0 ? fill(err, why) : s;
    }
    if (auto* node = ref.node()) {
      mw::base::Syntax syntax = mw::base::Syntax::path;
      if (id != nullptr || (sub != nullptr && sub->conf.num(mw::base::Opt::limit) != 0))
        return fill(err, {MW_ENOTSUP, 0, "a node's subscriptions have no limit and no handle: pass NULL as id and end them with mw_unsubscribe"});
      if (sub != nullptr && sub->conf.has(mw::base::Opt::pattern_syntax)) syntax = mw::base::syntax(sub->conf);
      if (syntax == mw::base::Syntax::regex) return fill(err, {MW_ENOTSUP, 0, "pattern.syntax=regex is for a channel's subscriptions"});
      mw::base::Error why;
      mw_status s = node->subscribe(pattern, syntax, token, op, &why);
      return s < 0 ? fill(err, why) : s;
    }
    mw::link::Owner* owner = ref.election() != nullptr ? nullptr : ref.owner();
    if (auto* p = ref.peer()) owner = &p->provider();
    if (owner == nullptr) return fill(err, {MW_EKIND, 0, {}});
    mw::base::Syntax syntax = mw::base::syntax(*owner->conf());
    int64_t limit = 0;
    if (sub != nullptr) {
      auto conf = mw::abi::conf_snapshot(sub, MW_CONF_SUB);
      if (!conf) return fill(err, conf.error());
      if ((*conf)->has(mw::base::Opt::pattern_syntax)) syntax = mw::base::syntax(**conf);
      limit = (*conf)->num(mw::base::Opt::limit);
    }
    if (auto* c = ref.channel()) {
      if (id != nullptr) return fill(err, {MW_ENOTSUP, 0, "a channel's subscriptions have no handle: pass NULL as id and end them with mw_unsubscribe"});
      mw::base::Error why;
      mw_status s = c->subscribe(pattern, syntax, limit, op, &why);
      return s < 0 ? fill(err, why) : s;
    }
    if (syntax == mw::base::Syntax::regex || limit != 0)
      return fill(err, {MW_ENOTSUP, 0, "pattern.syntax=regex and limit are for a channel's subscriptions"});
    if (auto* p = ref.peer()) {
      auto made = p->provider().subscribe(*p, pattern, syntax, token, op, id != nullptr);
      if (!made) return fill(err, made.error());
      if (id != nullptr) *id = *made;
      return MW_OK;
    }
    if (ref.consumer() != nullptr || ref.group() != nullptr) {
      if (id != nullptr) return fill(err, {MW_ENOTSUP, 0, "a consumer's subscriptions have no handle: pass NULL as id and end them with mw_unsubscribe"});
      mw::base::Error why;
      auto* g = ref.group();
      mw_status s = g != nullptr ? g->subscribe(pattern, syntax, op, &why) : ref.consumer()->subscribe(pattern, syntax, op, &why);
      return s < 0 ? fill(err, why) : s;
    }
    return fill(err, {MW_EKIND, 0, "subscribe a peer, a consumer or a channel"});
  });
}

mw_status mw_unsubscribe(mw_handle h, const char* pat, size_t plen, uint64_t op) {
  std::string_view pattern;
  if (!argument(pat, plen, pattern)) return MW_EINVAL;
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    if (auto* p = ref.peer()) return p->provider().unsubscribe(*p, pattern, op);
    if (auto* c = ref.consumer()) return c->unsubscribe(pattern, op);
    if (auto* g = ref.group()) return g->unsubscribe(pattern, op);
    if (auto* c = ref.channel()) return c->unsubscribe(pattern, op);
    if (auto* s = ref.share()) return s->unsubscribe(pattern, op);
    if (auto* n = ref.node()) return n->unsubscribe(pattern, op);
    return MW_EKIND;
  });
}

mw_status mw_subscribed(mw_handle h, const char* topic, size_t tlen) {
  std::string_view t;
  if (!argument(topic, tlen, t)) return MW_EINVAL;
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    if (auto* p = ref.peer()) return p->provider().subscribed(*p, t) ? 1 : 0;
    if (auto* c = ref.consumer()) return c->subscribed(t) ? 1 : 0;
    if (auto* g = ref.group()) return g->subscribed(t) ? 1 : 0;
    if (auto* c = ref.channel()) return c->subscribed(t) ? 1 : 0;
    if (auto* s = ref.share()) return s->subscribed(t) ? 1 : 0;
    if (auto* n = ref.node()) return n->subscribed(t) ? 1 : 0;
    return MW_EKIND;
  });
}

mw_status mw_cork(mw_handle h, int on) {
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    if (auto* p = ref.provider()) return p->cork(on != 0);
    if (auto* s = ref.session()) {
      s->cork(on != 0);
      return MW_OK;
    }
    return MW_EKIND;
  });
}

mw_status mw_hub_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<mw::link::Hub>(ctx, c, MW_CONF_HUB, token, h, err);
}

mw_status mw_channel_open(mw_handle ctx, const mw_conf* c, uint64_t token, mw_handle* h, mw_error* err) {
  return open<mw::link::Channel>(ctx, c, MW_CONF_CHANNEL, token, h, err);
}

}  // extern "C"
