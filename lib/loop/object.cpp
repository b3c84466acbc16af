#include "loop/object.hpp"

#include "loop/lane.hpp"
#include "loop/runtime.hpp"

namespace mw::loop {

void Object::request(uint32_t bits) noexcept {
  if (requests_.fetch_or(bits, std::memory_order_acq_rel) == 0) lane->post(this);
}

void Object::run(Lane&, bool dead) {
  uint32_t bits = requests_.exchange(0, std::memory_order_acq_rel);
  if (bits & kDisposed)
    destroy();
  else if (!dead)
    attend(bits);
}

// The last pin is gone, but the lane may still be about to attend to us, so
// the memory goes through its queue once more.
void Object::dispose() noexcept { request(kDisposed); }

}  // namespace mw::loop
