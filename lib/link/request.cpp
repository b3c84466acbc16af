#include "link/request.hpp"

#include "link/callee.hpp"
#include "link/repeats.hpp"
#include "loop/runtime.hpp"

namespace mw::link {

Request::Request(loop::Runtime& ctx, loop::Lane& home) : Object(ctx, &home) {}

Request* Request::find(loop::Lane& l, mw_handle h) noexcept {
  return h != 0 ? static_cast<Request*>(base::peek(l.slots, h)) : nullptr;
}

Request* Request::make(loop::Runtime& ctx, loop::Lane& home, mw_status* why) noexcept {
  constexpr auto kCost = static_cast<int64_t>(sizeof(Request));
  if (!home.slice.reserve(kCost)) return *why = MW_EMEMORY, nullptr;
  auto* r = new (std::nothrow) Request(ctx, home);
  if (r == nullptr) return home.slice.release(kCost), *why = MW_ENOMEM, nullptr;
  ctx.objects.fetch_add(1, std::memory_order_relaxed);
  return r;
}

bool Request::enter() noexcept {
  handle = lane->slots->take(base::Kind::request, this);
  if (handle != 0) return true;
  destroy(false);
  return false;
}

Request::~Request() {
  while (!held.empty()) held.pop()->free();
}

// Who gives credit looks at `wants` afterwards; here it is set before the credit is looked at.
mw_status Request::spend(int64_t cost) noexcept {
  int64_t have = credit.load(std::memory_order_relaxed);
  for (bool again = false;;) {
    if (have <= -window) {
      if (again) return MW_EAGAIN;
      wants.store(true, std::memory_order_seq_cst);
      have = credit.load(std::memory_order_seq_cst);
      again = true;
      continue;
    }
    const bool last = have <= cost;
    if (last) wants.store(true, std::memory_order_seq_cst);
    if (credit.compare_exchange_weak(have, have - cost, std::memory_order_seq_cst, std::memory_order_relaxed))
      return last ? MW_BUFFERED : MW_OK;
  }
}

void Request::adopt(Child& c) noexcept {
  c.parent = this;
  c.prev = nullptr;
  c.next = children;
  if (children != nullptr) children->prev = &c;
  children = &c;
}

void Request::leave(Child& c) noexcept {
  if (c.parent == nullptr) return;
  (c.prev != nullptr ? c.prev->next : c.parent->children) = c.next;
  if (c.next != nullptr) c.next->prev = c.prev;
  c.parent = nullptr;
}

void Request::end_children() noexcept {
  while (children != nullptr) {
    Child& c = *children;
    leave(c);
    if (state == State::canceled) cancel_child(c);
  }
}

void Request::end(State how) noexcept {
  state = how;
  loop::Wheel::cancel(*this);
  end_children();
  base::retire(handle);
}

void Request::expired() noexcept { once ? Repeats::expired(*this) : callee->too_late(*this); }

// Nobody posts a request, so on its lane it ends at once; from elsewhere it comes there first.
void Request::dispose() noexcept {
  if (!lane->here()) return Object::dispose();
  if (gone != nullptr)
    *gone = true;
  else
    destroy(false);
}

void Request::destroy(bool) noexcept {
  loop::Runtime& r = runtime;
  lane->slice.release(static_cast<int64_t>(sizeof(Request)));
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

}  // namespace mw::link
