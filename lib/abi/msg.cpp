#include <meshwork/msg.h>

#include "abi/argument.hpp"
#include "abi/guard.hpp"
#include "abi/reference.hpp"
#include "base/message.hpp"
#include "base/utf8.hpp"

using mw::abi::argument;
using mw::abi::guard;
using mw::abi::Reference;

namespace {

bool acceptable(const void* body, size_t len, uint32_t flags) noexcept {
  if ((body == nullptr && len != 0) || (flags & ~static_cast<uint32_t>(MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS))) return false;
  return (flags & MW_F_TEXT) == 0 || mw::base::utf8_check(static_cast<const uint8_t*>(body), len).valid;
}

// The last reference to bytes lent to a context: they go home where its
// callbacks run, or here where the context is gone.
void go_home(mw_msg* m) noexcept {
  mw_free_fn release = m->release;
  void* hint = m->hint;
  mw_handle ctx = m->ctx;
  mw::base::message_free(m);
  Reference ref(ctx);
  if (ref.check() == MW_OK && ref.context()->release(release, hint)) return;
  if (release != nullptr) release(hint);
}

}  // namespace

extern "C" {

mw_msg* mw_msg_new(const void* body, size_t len, uint32_t flags) {
  if (!acceptable(body, len, flags)) return nullptr;
  mw_msg* m = nullptr;
  guard(nullptr, [&]() -> mw_status {
    m = mw::base::message_copy(body, len, flags);
    return MW_OK;
  });
  return m;
}

mw_msg* mw_msg_wrap(mw_handle ctx, const void* body, size_t len, mw_free_fn release, void* hint, uint32_t flags) {
  if (!acceptable(body, len, flags)) return nullptr;
  mw_msg* m = nullptr;
  guard(nullptr, [&]() -> mw_status {
    if (ctx != 0) {
      Reference ref(ctx);
      if (ref.check() != MW_OK || ref.context() == nullptr) return MW_ECLOSED;
    }
    m = mw::base::message_wrap(body, len, release, hint, flags);
    if (ctx != 0) {
      m->ctx = ctx;
      m->dispose = go_home;
    }
    return MW_OK;
  });
  return m;
}

mw_msg* mw_msg_ref(const mw_msg* m) { return m == nullptr ? nullptr : mw::base::ref(m); }

void mw_msg_unref(mw_msg* m) { mw::base::unref(m); }

mw_msg* mw_msg_keep(const mw_event* ev, const uint8_t* data) {
  if (ev == nullptr) return nullptr;
  // Body in a message already: one more reference.
  if (ev->msg != 0) return mw::base::ref(reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(ev->msg)));
  mw_msg* m = nullptr;
  guard(nullptr, [&]() -> mw_status {
    const uint8_t* p = data + ev->offset;
    mw::base::MsgRef made(mw::base::message_copy(p + ev->topic_len + ev->meta_len, ev->body_len, ev->flags & (MW_F_TEXT | MW_F_PARTS)));
    if (ev->topic_len) made->topic = new std::string(reinterpret_cast<const char*>(p), ev->topic_len);
    if (ev->meta_len) made->meta = new std::string(reinterpret_cast<const char*>(p) + ev->topic_len, ev->meta_len);
    m = made.detach();
    return MW_OK;
  });
  return m;
}

mw_status mw_msg_set(mw_msg* m, const char* key, size_t klen, const void* val, size_t vlen) {
  std::string_view k, v;
  if (m == nullptr || !argument(key, klen, k) || !argument(val, vlen, v) || k.empty()) return MW_EINVAL;
  return guard(nullptr, [&] { return mw::base::message_set(m, k, v); });
}

const void* mw_msg_get(const mw_msg* m, const char* key, size_t klen, size_t* vlen) {
  if (vlen != nullptr) *vlen = 0;
  std::string_view k;
  if (m == nullptr || !argument(key, klen, k)) return nullptr;
  bool found = false;
  std::string_view v = mw::base::message_get(m, k, &found);
  if (!found) return nullptr;
  if (vlen != nullptr) *vlen = v.size();
  return v.data();
}

const char* mw_msg_topic(const mw_msg* m, size_t* len) {
  bool has = m != nullptr && m->topic != nullptr;
  if (len != nullptr) *len = has ? m->topic->size() : 0;
  return has ? m->topic->c_str() : "";
}

const void* mw_msg_body(const mw_msg* m, size_t* len) {
  if (len != nullptr) *len = m == nullptr ? 0 : m->len;
  return m == nullptr ? nullptr : m->body;
}

const void* mw_msg_meta(const mw_msg* m, size_t* len) {
  bool has = m != nullptr && m->meta != nullptr;
  if (len != nullptr) *len = has ? m->meta->size() : 0;
  return has ? m->meta->data() : nullptr;
}

uint32_t mw_msg_flags(const mw_msg* m) { return m == nullptr ? 0 : m->flags; }

}  // extern "C"
