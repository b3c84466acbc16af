#include <meshwork/ctx.h>

#include "abi/conf.hpp"
#include "abi/guard.hpp"
#include "abi/reference.hpp"

using mw::abi::guard;
using mw::abi::Reference;
using mw::base::fill;

extern "C" {

mw_status mw_ctx_open(const mw_conf* c, mw_handle* ctx, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    if (ctx == nullptr) return fill(err, {MW_EINVAL, 0, "ctx must not be NULL"});
    *ctx = 0;
    auto conf = mw::abi::conf_snapshot(c, MW_CONF_CTX);
    if (!conf) return fill(err, conf.error());
    auto h = mw::loop::Runtime::open(std::move(*conf));
    if (!h) return fill(err, h.error());
    *ctx = *h;
    return MW_OK;
  });
}

mw_status mw_ctx_run(mw_handle ctx, int64_t timeout_ms, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    Reference ref(ctx);
    if (mw_status s = ref.check(); s != MW_OK) return fill(err, {s, 0, {}});
    auto* r = ref.context();
    if (r == nullptr) return fill(err, {MW_EKIND, 0, {}});
    mw_status s = r->run(timeout_ms);
    return s < 0 ? fill(err, {s, 0, {}}) : s;
  });
}

mw_status mw_ctx_fd(mw_handle ctx, int* fd) {
  Reference ref(ctx);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  auto* r = ref.context();
  if (r == nullptr) return MW_EKIND;
  return fd == nullptr ? MW_EINVAL : r->fd(fd);
}

mw_status mw_ctx_waker(mw_handle ctx, mw_wake_fn fn, void* user) {
  Reference ref(ctx);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  auto* r = ref.context();
  return r == nullptr ? MW_EKIND : r->waker(fn, user);
}

mw_status mw_ctx_wait(mw_handle ctx, int64_t timeout_ms) {
  Reference ref(ctx);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  auto* r = ref.context();
  return r == nullptr ? MW_EKIND : r->wait(timeout_ms);
}

mw_status mw_ctx_wake(mw_handle ctx) {
  Reference ref(ctx);
  if (mw_status s = ref.check(); s != MW_OK) return s;
  auto* r = ref.context();
  return r == nullptr ? MW_EKIND : r->wake();
}

mw_status mw_ctx_dispatch(mw_handle ctx, size_t max, size_t* n) {
  size_t done = 0;
  mw_status s = guard(nullptr, [&]() -> mw_status {
    Reference ref(ctx);
    if (mw_status st = ref.check(); st != MW_OK) return st;
    auto* r = ref.context();
    return r == nullptr ? MW_EKIND : r->dispatch(max, &done);
  });
  if (n != nullptr) *n = done;
  return s;
}

mw_status mw_ctx_take(mw_handle ctx, mw_event* ev, size_t stride, size_t cap, void* slab, size_t slab_len, size_t* n) {
  if (n != nullptr) *n = 0;
  if (n == nullptr || ev == nullptr || cap == 0 || stride < sizeof(mw_event) || stride % 8 != 0 ||
      (slab == nullptr && slab_len != 0))
    return MW_EINVAL;
  mw::loop::Slab s;
  s.events = reinterpret_cast<uint8_t*>(ev);
  s.stride = stride;
  s.cap = cap;
  s.bytes = static_cast<uint8_t*>(slab);
  s.size = slab_len;
  mw_status result = guard(nullptr, [&]() -> mw_status {
    Reference ref(ctx);
    if (mw_status st = ref.check(); st != MW_OK) return st;
    auto* r = ref.context();
    return r == nullptr ? MW_EKIND : r->take(s);
  });
  *n = s.n;
  return s.n != 0 && result < 0 ? MW_MORE : result;
}

mw_status mw_ctx_join(mw_handle ctx, int64_t timeout_ms) {
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(ctx);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    auto* r = ref.context();
    return r == nullptr ? MW_EKIND : r->join(ref.release(), timeout_ms);
  });
}

mw_status mw_cancel(mw_handle h, uint64_t op) {
  return guard(nullptr, [&]() -> mw_status {
    Reference ref(h);
    if (mw_status s = ref.check(); s != MW_OK) return s;
    if (auto* c = ref.consumer()) return c->cancel(op);
    if (auto* s = ref.share()) return s->cancel(op);
    if (auto* g = ref.group()) return g->cancel(op);
    if (auto* e = ref.election()) return e->cancel(op);
    if (auto* n = ref.member()) return n->cancel(op);
    if (auto* p = ref.peer()) return p->session.cancel_call(op);
    if (auto* c = ref.channel()) return c->cancel(op);
    return MW_OK;  // a wish: other ops end by themselves at once
  });
}

}  // extern "C"
