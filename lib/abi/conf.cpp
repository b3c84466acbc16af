#include "abi/conf.hpp"

#include "abi/argument.hpp"
#include "abi/guard.hpp"
#include "base/message.hpp"
#include "base/option_table.hpp"

#include <cstring>

using mw::abi::argument;
using mw::abi::guard;
using mw::base::Conf;
using mw::base::fill;

namespace {

mw_status bad_argument(mw_error* err, const char* which) {
  return fill(err, {MW_EINVAL, 0, std::string("The argument ") + which + " is missing."});
}

mw_status already_used(mw_error* err) {
  return fill(err, {MW_ESTATE, 0, "The conf was given to an object and is fixed; make a new one."});
}

}  // namespace

namespace mw::abi {

base::Result<std::shared_ptr<const base::Conf>> conf_snapshot(const mw_conf* c, int32_t kind) {
  if (c == nullptr) return std::shared_ptr<const base::Conf>(std::make_shared<base::Conf>(kind));
  if (c->conf.kind() != kind) return base::Error{MW_EKIND, 0, "The conf is of another kind than the object."};
  const_cast<mw_conf*>(c)->used.store(true, std::memory_order_release);
  return c->conf.freeze();
}

}  // namespace mw::abi

mw_conf* mw_conf_new(int32_t kind) {
  if (!mw::base::conf_kind_valid(kind)) return nullptr;
  mw_conf* made = nullptr;
  guard(nullptr, [&] {
    made = new mw_conf(kind);
    return MW_OK;
  });
  return made;
}

mw_conf* mw_conf_ref(const mw_conf* c) {
  auto* mine = const_cast<mw_conf*>(c);
  if (mine != nullptr) mine->refs.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

void mw_conf_unref(mw_conf* c) {
  if (c != nullptr && c->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete c;
}

mw_status mw_conf_set(mw_conf* c, const char* key, size_t klen, const char* val, size_t vlen, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    std::string_view k, v;
    if (c == nullptr) return bad_argument(err, "c");
    if (key == nullptr || !argument(key, klen, k)) return bad_argument(err, "key");
    if (!argument(val, vlen, v)) return bad_argument(err, "val");
    if (c->used.load(std::memory_order_acquire)) return already_used(err);
    const auto r = c->conf.set(k, v);
    return r ? MW_OK : fill(err, r.error());
  });
}

mw_status mw_conf_load(mw_conf* c, const char* json, size_t len, mw_error* err) {
  return guard(err, [&]() -> mw_status {
    std::string_view text;
    if (c == nullptr) return bad_argument(err, "c");
    if (json == nullptr || !argument(json, len, text)) return bad_argument(err, "json");
    if (c->used.load(std::memory_order_acquire)) return already_used(err);
    const auto r = c->conf.load(text);
    return r ? MW_OK : fill(err, r.error());
  });
}

mw_status mw_conf_get(const mw_conf* c, const char* key, size_t klen, char* buf, size_t cap, size_t* need) {
  return guard(nullptr, [&]() -> mw_status {
    std::string_view k;
    if (c == nullptr || key == nullptr || !argument(key, klen, k) || (buf == nullptr && cap != 0)) return MW_EINVAL;
    const auto value = c->conf.get(k);
    if (!value) return value.error().code;
    if (need != nullptr) *need = value->size();
    if (cap <= value->size()) return MW_ETOOBIG;
    std::memcpy(buf, value->c_str(), value->size() + 1);
    return MW_OK;
  });
}

mw_status mw_conf_describe(int32_t kind, size_t index, mw_msg** json) {
  return guard(nullptr, [&]() -> mw_status {
    if (json == nullptr || !mw::base::conf_kind_valid(kind)) return MW_EINVAL;
    *json = nullptr;
    std::string text;
    if (!Conf::describe(kind, index, text)) return MW_EEND;
    *json = mw::base::message_copy(text.data(), text.size(), MW_F_TEXT);
    return MW_OK;
  });
}
