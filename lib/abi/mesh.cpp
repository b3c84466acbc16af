#include <meshwork/mesh.h>

#include "abi/argument.hpp"
#include "abi/conf.hpp"
#include "abi/guard.hpp"
#include "abi/reference.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/status.hpp"
#include "base/utf8.hpp"
#include "link/job_queue.hpp"
#include "link/repeats.hpp"
#include "mesh/jobs.hpp"

#include <algorithm>

using mw::abi::argument;
using mw::abi::guard;
using mw::abi::Reference;
using mw::base::fill;
using mw::base::Kind;
using mw::base::Opt;
using mw::link::JobQueue;
using mw::link::Order;
using mw::link::Repeats;
using mw::link::Request;
using mw::link::Session;
using mw::loop::Lane;
namespace wire = mw::wire;

namespace {

constexpr uint32_t kCallFlags = MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS | MW_F_ONEWAY | MW_F_REPEAT | MW_F_ALL;
constexpr uint32_t kReplyFlags = MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS | MW_F_MORE;
constexpr size_t kMaxTarget = wire::kMaxName;

// A body given as a message; NULL is an empty one.
struct Body {
  const uint8_t* bytes = nullptr;
  size_t len = 0;
  mw_msg* m = nullptr;
  uint32_t flags = 0;

  bool take(const mw_msg* given, uint32_t with) noexcept {
    flags = with;
    if (given == nullptr) return true;
    m = const_cast<mw_msg*>(given);
    m->used.store(true, std::memory_order_relaxed);
    bytes = m->body;
    len = m->len;
    flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS);
    if ((with & MW_F_TEXT) == 0 || (m->flags & MW_F_TEXT) != 0) return true;
    return mw::base::utf8_check(bytes, len).valid;
  }
  bool may_go_with(const mw::loop::Object& o) const noexcept {
    return m == nullptr || m->ctx == 0 || m->ctx == o.runtime.handle;  // lent to one context only
  }
};

wire::Talk answer_of(const Body& b, wire::Packet type) noexcept {
  wire::Talk t;
  t.type = type;
  t.flags = ((b.flags & MW_F_TEXT) ? uint32_t{wire::kCallText} : 0) |
            ((b.flags & MW_F_PARTS) ? uint32_t{wire::kPartsBody} : 0);
  if (b.m != nullptr && b.m->meta != nullptr) t.meta = *b.m->meta;
  return t;
}

mw_status answer(mw_handle req, const Body& b, const wire::Talk& t, uint64_t op) {
  if (req == 0) return MW_ESTATE;  // the id of a oneway request
  // On its lane, as in every callback: no pin, no lock.
  if (Lane* l = Lane::current(); l != nullptr && mw::base::kind_of(req) == Kind::request) [[likely]] {
    if (auto* p = mw::base::peek(l->slots, req)) [[likely]] {
      auto& r = *static_cast<Request*>(p);
      if (!l->runtime.alive()) return MW_EFORK;
      if (!b.may_go_with(r)) return MW_EINVAL;
      if (r.once) return Repeats::reply(r, t, b.bytes, b.len, b.m, b.flags, op);
      if (r.jobs != nullptr) return JobQueue::reply(r, t, b.bytes, b.len, b.m, b.flags, op);
      if (r.callee == nullptr) return MW_ECLOSED;
      return r.callee->session().answer(r, t, b.bytes, b.len, b.m, b.flags, op);
    }
  }
  Reference ref(req);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  Request* r = ref.request();
  if (r == nullptr) return MW_EKIND;
  if (!b.may_go_with(*r)) return MW_EINVAL;
  if (r->once) return Repeats::reply(*r, t, b.bytes, b.len, b.m, b.flags, op);
  if (r->jobs != nullptr) return JobQueue::reply(*r, t, b.bytes, b.len, b.m, b.flags, op);
  mw::base::Pin link(r->link);
  if (!link) return MW_ECLOSED;
  return mw::link::session_of(r->link, link.object())->answer(*r, t, b.bytes, b.len, b.m, b.flags, op);
}

// Options that only a node can follow: elsewhere nobody would see that they mean nothing.
bool for_nodes(const mw::base::Conf& c) noexcept {
  for (Opt o : {Opt::version, Opt::mode, Opt::responds, Opt::only, Opt::exclude, Opt::sticky, Opt::retry_safe})
    if (c.has(o)) return true;
  return false;
}

// The end of a call: the smaller of its own and its parent's.
mw_status deadline_of(Order& o, int64_t timeout_ms, int64_t usual_ms, mw_error* err) {
  o.began = mw::base::mono_ns();
  o.now = static_cast<uint64_t>(o.began / 1'000'000);
  int64_t ms = timeout_ms != 0 ? timeout_ms : usual_ms;
  if (ms > 0) o.deadline = o.now + std::min(static_cast<uint64_t>(ms), wire::kMaxTimeLeft);
  if (o.parent == 0) return MW_OK;
  Reference parent(o.parent);
  mw_status s = parent.check();
  if (s == MW_OK && parent.request() == nullptr) s = MW_EKIND;
  if (s != MW_OK) return fill(err, {s, 0, s == MW_ECLOSED ? "the request it is made for is over" : "parent must be a request"});
  if (uint64_t end = parent.request()->deadline; end != 0 && (o.deadline == 0 || end < o.deadline)) o.deadline = end;
  return MW_OK;
}

const char* explain(mw_status s) noexcept {
  switch (s) {
    case MW_ENOTSUP: return "only the wire meshwork can call, and the other end must understand calls";
    case MW_ETOOBIG: return "the other end takes no body of this size, or send.max_bytes is smaller";
    default: return "";
  }
}

}  // namespace

extern "C" {

mw_status mw_serve(mw_handle h, const char* name, size_t nlen, const mw_conf* service, uint64_t token, mw_handle* id,
                   mw_error* err) {
  return guard(err, [&]() -> mw_status {
    std::string_view n;
    if (id == nullptr || !argument(name, nlen, n)) return fill(err, {MW_EINVAL, 0, "name and id are needed"});
    *id = 0;
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    auto* node = ref.node();
    if (ref.group() != nullptr) return fill(err, {MW_ENOTSUP, 0, "with share=group a consumer serves nothing: the provider would not know which process it asks"});
    auto* party = ref.provider() != nullptr || ref.consumer() != nullptr ? ref.party() : nullptr;
    if (party == nullptr && node == nullptr) return fill(err, {MW_EKIND, 0, "a provider, a consumer or a node serves"});
    auto conf = mw::abi::conf_snapshot(service, MW_CONF_SERVICE);
    if (!conf) return fill(err, conf.error());
    if (node == nullptr && for_nodes(**conf)) return fill(err, {MW_EOPTION, 0, "version, mode and responds are for the services of a node"});
    // On a node its schema may say of any method that its calls wait for their turn.
    std::unique_ptr<JobQueue> jobs;
    if (node == nullptr && mw::base::queue(**conf) != mw::base::QueueEngine::none) jobs = std::make_unique<mw::mesh::Jobs>(**conf);
    auto made = node != nullptr ? node->serve(n, **conf, token)
                                : mw::link::Service::open(*party, n, **conf, token, std::move(jobs));
    if (!made) return fill(err, made.error());
    *id = *made;
    return MW_OK;
  });
}

mw_status mw_call(mw_handle h, const char* target, size_t tlen, const mw_msg* m, const mw_conf* how, int64_t timeout_ms,
                  mw_handle parent, uint32_t flags, uint64_t op, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    Order o;
    Body b;
    if (!argument(target, tlen, o.target) || o.target.empty() || o.target.size() > kMaxTarget ||
        !mw::base::utf8_valid(o.target))
      return fill(err, {MW_EINVAL, 0, "a target is 1 to 255 bytes of UTF-8"});
    if ((flags & ~kCallFlags) != 0 || timeout_ms < -1) return fill(err, {MW_EINVAL, 0, {}});
    if (!b.take(m, flags)) return fill(err, {MW_EINVAL, 0, "the body is not UTF-8"});
    if (op == 0 && (flags & MW_F_ONEWAY) == 0)
      return fill(err, {MW_EINVAL, 0, "a call needs an op for its DONE, or the flag ONEWAY"});
    o.body = b.bytes;
    o.len = b.len;
    o.m = b.m;
    o.flags = b.flags;
    o.op = op;
    o.parent = parent;
    if (how != nullptr) {
      if (how->conf.kind() != MW_CONF_CALL) return fill(err, {MW_EKIND, 0, "how must be a conf of a call"});
      const_cast<mw_conf*>(how)->used.store(true, std::memory_order_release);  // prepared once, read by many calls
      o.window = static_cast<uint64_t>(how->conf.num(Opt::credit));
    }
    if ((how != nullptr && for_nodes(how->conf)) || (flags & MW_F_ALL) != 0)
      if (mw::base::kind_of(h) != Kind::node)
        return fill(err, {MW_EINVAL, 0, "version, only, exclude, sticky, retry.safe and MW_F_ALL are for the calls of a node"});
    auto made = [&](mw_status s) { return s < 0 ? fill(err, {s, 0, explain(s)}) : s; };
    // On the lane of the peer, as in every callback: no pin, no lock.
    if (Lane* l = Lane::current(); l != nullptr && mw::base::kind_of(h) == Kind::peer) {
      if (auto* p = mw::base::peek(l->slots, h)) {
        auto& peer = *static_cast<mw::link::Peer*>(p);
        if ((flags & MW_F_REPEAT) != 0) return fill(err, {MW_EINVAL, 0, "MW_F_REPEAT is for the calls of a share"});
        if (!l->runtime.alive()) return made(MW_EFORK);
        if (!b.may_go_with(peer)) return made(MW_EINVAL);
        if (mw_status s = deadline_of(o, timeout_ms, peer.provider().policy.call_timeout.load(std::memory_order_relaxed), err);
            s != MW_OK)
          return s;
        return made(peer.session.call(o));
      }
    }
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return made(s);
    if (!b.may_go_with(*ref.object())) return made(MW_EINVAL);
    if (auto* share = ref.share()) {
      if ((flags & MW_F_REPEAT) != 0 && (flags & MW_F_ONEWAY) == 0)
        return fill(err, {MW_EINVAL, 0, "only a oneway call is repeated to each new leader"});
      if (mw_status s = deadline_of(o, timeout_ms, share->policy.call_timeout.load(std::memory_order_relaxed), err); s != MW_OK)
        return s;
      return made(share->call(o));
    }
    if ((flags & MW_F_REPEAT) != 0) return fill(err, {MW_EINVAL, 0, "MW_F_REPEAT is for the calls of a share"});
    if (auto* node = ref.node()) {
      if (mw_status s = deadline_of(o, timeout_ms, node->policy.call_timeout.load(std::memory_order_relaxed), err); s != MW_OK)
        return s;
      mw::base::Error why;
      mw_status s = node->call(o, how != nullptr ? &how->conf : nullptr, &why);
      return s < 0 ? fill(err, why) : s;
    }
    if (auto* group = ref.group()) {
      if (mw_status s = deadline_of(o, timeout_ms, group->policy.call_timeout.load(std::memory_order_relaxed), err); s != MW_OK)
        return s;
      return made(group->call(o));
    }
    mw::link::Session* session = ref.consumer() != nullptr || ref.peer() != nullptr ? ref.session() : nullptr;
    if (session == nullptr) return fill(err, {MW_EKIND, 0, "call from a consumer, or to a provider's peer"});
    if (mw_status s = deadline_of(o, timeout_ms, session->party().policy.call_timeout.load(std::memory_order_relaxed), err);
        s != MW_OK)
      return s;
    if (auto* c = ref.consumer()) return made(c->call(o));
    return made(ref.peer()->wish.load(std::memory_order_relaxed) != nullptr ? MW_ECLOSED : session->call(o));
  });
}

mw_status mw_reply(mw_handle req, const mw_msg* m, uint32_t flags, uint64_t op) {
  return guard(nullptr, [&]() -> mw_status {
    Body b;
    if ((flags & ~kReplyFlags) != 0 || !b.take(m, flags)) return MW_EINVAL;
    return answer(req, b, answer_of(b, (flags & MW_F_MORE) ? wire::Packet::part : wire::Packet::reply), op);
  });
}

mw_status mw_fail(mw_handle req, mw_status code, const char* json, size_t len, uint32_t flags) {
  return guard(nullptr, [&]() -> mw_status {
    std::string_view text;
    if ((flags & ~uint32_t{MW_FAIL_RETRY}) != 0 || code > 0 || !argument(json, len, text)) return MW_EINVAL;
    if (code == 0) code = MW_EREMOTE;
    if (std::string_view(mw::base::status_name(code)) == "MW_EUNKNOWN") return MW_EINVAL;
    if (!text.empty()) {
      auto parsed = mw::base::Json::parse(text);
      if (!parsed || !parsed->root().is_object()) return MW_EINVAL;
    } else {
      text = mw::link::failure_text(code);
    }
    if (flags & MW_FAIL_RETRY) {
      Reference ref(req);
      if (mw_status s = req == 0 ? MW_ESTATE : ref.check(); s != MW_OK) return s;
      Request* r = ref.request();
      if (r == nullptr) return MW_EKIND;
      return r->jobs != nullptr ? JobQueue::give_back(*r, code, text) : MW_EINVAL;
    }
    Body b;
    b.bytes = reinterpret_cast<const uint8_t*>(text.data());
    b.len = text.size();
    b.flags = MW_F_TEXT;
    wire::Talk t = answer_of(b, wire::Packet::reply);
    t.status = code;
    return answer(req, b, t, 0);
  });
}

}  // extern "C"
