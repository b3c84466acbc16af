#include "base/message.hpp"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace mw::base {
namespace {

constexpr size_t kHeaderMax = 64 * 1024;  // all headers of a message, packed
constexpr size_t kFixed = 6;              // u16 key length, u32 value length

void put_le(std::string& out, uint32_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(v >> (8 * i)));
}

uint32_t get_le(const char* p, int bytes) noexcept {
  uint32_t v = 0;
  for (int i = 0; i < bytes; ++i) v |= static_cast<uint32_t>(static_cast<uint8_t>(p[i])) << (8 * i);
  return v;
}

// One packed header at the front of a block; false at its end or where it is malformed.
struct Header {
  std::string_view key, value;
  size_t size = 0;

  bool read(std::string_view block) noexcept {
    if (block.size() < kFixed) return false;
    const size_t klen = get_le(block.data(), 2);
    const size_t vlen = get_le(block.data() + 2, 4);
    if (block.size() - kFixed < klen || block.size() - kFixed - klen < vlen) return false;
    key = block.substr(kFixed, klen);
    value = block.substr(kFixed + klen, vlen);
    size = kFixed + klen + vlen;
    return true;
  }
};

void dispose_plain(mw_msg* m) noexcept { message_free(m); }

void dispose_wrapped(mw_msg* m) noexcept {
  if (m->release != nullptr) m->release(m->hint);
  message_free(m);
}

mw_msg* make(size_t extra) {
  if (extra > std::numeric_limits<size_t>::max() - sizeof(mw_msg)) throw std::bad_alloc();
  void* p = std::malloc(sizeof(mw_msg) + extra);
  if (p == nullptr) throw std::bad_alloc();
  return new (p) mw_msg;
}

}  // namespace

mw_msg* message_room(size_t len, uint32_t flags, uint8_t** body) {
  mw_msg* m = make(len);
  *body = reinterpret_cast<uint8_t*>(m + 1);
  m->flags = flags;
  m->body = *body;
  m->len = len;
  m->dispose = dispose_plain;
  return m;
}

mw_msg* message_copy(const void* body, size_t len, uint32_t flags) {
  uint8_t* room = nullptr;
  mw_msg* m = message_room(len, flags, &room);
  if (len != 0) std::memcpy(room, body, len);
  return m;
}

mw_msg* message_wrap(const void* body, size_t len, mw_free_fn release, void* hint, uint32_t flags) {
  mw_msg* m = make(0);
  m->flags = flags;
  m->body = static_cast<const uint8_t*>(body);
  m->len = len;
  m->release = release;
  m->hint = hint;
  m->dispose = dispose_wrapped;
  return m;
}

void message_free(mw_msg* m) noexcept {
  delete m->meta;
  delete m->topic;
  m->~mw_msg();
  std::free(m);
}

MsgRef message_with_topic(const mw_msg* m, std::string_view topic) {
  MsgRef held(ref(m));
  if (topic.empty()) return held;
  MsgRef made(message_wrap(m->body, m->len, [](void* p) { unref(static_cast<mw_msg*>(p)); }, held.get(), m->flags));
  held.detach();
  made->topic = new std::string(topic);
  if (m->meta) made->meta = new std::string(*m->meta);
  return made;
}

void put_header(std::string& meta, std::string_view key, std::string_view value) {
  put_le(meta, static_cast<uint32_t>(key.size()), 2);
  put_le(meta, static_cast<uint32_t>(value.size()), 4);
  meta.append(key).append(value);
}

void set_header(std::string& meta, std::string_view key, std::string_view value) {
  std::string next;
  std::string_view left = meta;
  for (Header h; h.read(left); left.remove_prefix(h.size))
    if (h.key != key) next.append(left.data(), h.size);
  put_header(next, key, value);
  meta.swap(next);
}

mw_status message_set(mw_msg* m, std::string_view key, std::string_view value) {
  if (m->used.load(std::memory_order_acquire)) return MW_ESTATE;
  if (key.empty()) return MW_EINVAL;
  if (key.size() > 0xFFFF || value.size() > kHeaderMax) return MW_ETOOBIG;
  // Built aside, so that a refusal or a lack of memory leaves the message as it was.
  std::string next;
  std::string_view left = m->meta != nullptr ? std::string_view(*m->meta) : std::string_view();
  next.reserve(left.size() + kFixed + key.size() + value.size());
  for (Header h; h.read(left); left.remove_prefix(h.size))
    if (h.key != key) next.append(left.data(), h.size);
  if (next.size() + kFixed + key.size() + value.size() > kHeaderMax) return MW_ETOOBIG;
  put_header(next, key, value);
  if (m->meta == nullptr)
    m->meta = new std::string(std::move(next));
  else
    m->meta->swap(next);
  return MW_OK;
}

std::string_view message_get(const mw_msg* m, std::string_view key, bool* found) noexcept {
  return get_header(m->meta != nullptr ? std::string_view(*m->meta) : std::string_view(), key, found);
}

std::string_view get_header(std::string_view left, std::string_view key, bool* found) noexcept {
  for (Header h; h.read(left); left.remove_prefix(h.size)) {
    if (h.key == key) {
      *found = true;
      return h.value;
    }
  }
  *found = false;
  return {};
}

bool meta_valid(std::string_view meta) noexcept {
  for (Header h; !meta.empty(); meta.remove_prefix(h.size))
    if (!h.read(meta)) return false;
  return true;
}

}  // namespace mw::base
