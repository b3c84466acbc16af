// One message: body, headers and topic behind an atomic reference count.
// Used by every room; the C type mw_msg is this struct. Any thread; headers
// may be set by one thread until the first use.
#pragma once
#include <meshwork/base.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

struct mw_msg {
  std::atomic<uint32_t> refs{1};
  uint32_t flags = 0;                // MW_F_*
  const uint8_t* body = nullptr;
  size_t len = 0;
  std::atomic<bool> used{false};     // headers are fixed now
  mw_handle ctx = 0;                 // accepted by this context only; 0 = any
  std::string* meta = nullptr;       // packed headers, or null
  std::string* topic = nullptr;      // received messages only
  // Called with the last reference gone; frees or hands the bytes back.
  void (*dispose)(mw_msg*) noexcept = nullptr;
  mw_free_fn release = nullptr;      // for wrapped bytes
  void* hint = nullptr;
};

namespace mw::base {

// One allocation for struct and body; throws std::bad_alloc.
mw_msg* message_copy(const void* body, size_t len, uint32_t flags);
// Room for len bytes the caller fills before first use.
mw_msg* message_room(size_t len, uint32_t flags, uint8_t** body);
// Lends bytes; release(hint) runs on the thread that drops the last reference.
// ctx and dispose may be changed by the caller before first use.
mw_msg* message_wrap(const void* body, size_t len, mw_free_fn release, void* hint, uint32_t flags);
// Frees the struct itself (what dispose ends with).
void message_free(mw_msg* m) noexcept;

inline mw_msg* ref(const mw_msg* m) noexcept {
  auto* p = const_cast<mw_msg*>(m);
  p->refs.fetch_add(1, std::memory_order_relaxed);
  return p;
}
inline void unref(mw_msg* m) noexcept {
  if (m != nullptr && m->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) m->dispose(m);
}
// The message under another topic, the body shared; itself where topic is "".
class MsgRef message_with_topic(const mw_msg* m, std::string_view topic);
// Appends one header to a packed block: key at most 65,535 bytes.
void put_header(std::string& meta, std::string_view key, std::string_view value);
void set_header(std::string& meta, std::string_view key, std::string_view value);  // in place of those there are
std::string_view get_header(std::string_view meta, std::string_view key, bool* found) noexcept;
mw_status message_set(mw_msg* m, std::string_view key, std::string_view value);
std::string_view message_get(const mw_msg* m, std::string_view key, bool* found) noexcept;
// True if a packed header block is well formed (u16 klen, u32 vlen, key, value; little endian).
bool meta_valid(std::string_view meta) noexcept;

// Owns one reference.
class MsgRef {
 public:
  MsgRef() = default;
  explicit MsgRef(mw_msg* adopt) noexcept : m_(adopt) {}
  MsgRef(MsgRef&& o) noexcept : m_(std::exchange(o.m_, nullptr)) {}
  MsgRef& operator=(MsgRef&& o) noexcept {
    std::swap(m_, o.m_);
    return *this;
  }
  MsgRef(const MsgRef& o) noexcept : m_(o.m_ ? ref(o.m_) : nullptr) {}
  MsgRef& operator=(const MsgRef& o) noexcept {
    MsgRef t(o);
    std::swap(m_, t.m_);
    return *this;
  }
  ~MsgRef() { unref(m_); }
  mw_msg* get() const noexcept { return m_; }
  mw_msg* operator->() const noexcept { return m_; }
  explicit operator bool() const noexcept { return m_ != nullptr; }
  mw_msg* detach() noexcept { return std::exchange(m_, nullptr); }

 private:
  mw_msg* m_ = nullptr;
};

}  // namespace mw::base
