#include "link/outbox.hpp"

#include "link/session.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace mw::link {

OutFrame* OutFrame::make(const void* payload, size_t n, size_t room) {
  void* p = std::malloc(sizeof(OutFrame) + room + n);
  if (p == nullptr) throw std::bad_alloc();
  auto* f = new (p) OutFrame;
  f->room = f->start = static_cast<uint32_t>(room);
  f->own_payload = n;
  if (payload != nullptr && n != 0) std::memcpy(f->payload(), payload, n);
  return f;
}

void OutFrame::free() noexcept {
  this->~OutFrame();
  std::free(this);
}

void OutFrame::run(loop::Lane&, bool dead) {
  if (dead)
    free();
  else
    session->arrive(this);
}

OutFrame* Outbox::steal(const std::string* topic, const OutFrame* but) noexcept {
  OutFrame* before = nullptr;
  for (OutFrame* f = head_; f != nullptr; before = f, f = f->next_out) {
    if (f == but || f->control || f->sent != 0 || f->number != 0 || (f->flags & (MW_F_MORE | MW_F_CONT))) continue;
    if (topic != nullptr && (!f->origin || f->origin->topic == nullptr || *f->origin->topic != *topic)) continue;
    (before != nullptr ? before->next_out : head_) = f->next_out;
    if (tail_ == f) tail_ = before;
    --frames_;
    return f;
  }
  return nullptr;
}

}  // namespace mw::link
