#include "loop/object.hpp"

#include "base/insist.hpp"
#include "loop/lane.hpp"
#include "loop/runtime.hpp"

namespace mw::loop {

void Object::request(uint32_t bits) noexcept {
  if (requests_.fetch_or(bits, std::memory_order_acq_rel) == 0) lane->post(this);
}

void Object::run(Lane& l, bool dead) {
  // The last two stay set: a request without a pin (the context closes its
  // children) must not post us again while we are dying.
  uint32_t bits = requests_.fetch_and(kDisposed | kBuried, std::memory_order_acq_rel);
  if (bits & kBuried) {
    destroy(dead);
  } else if (bits & kDisposed) {
    // Once more to the end of the queue: commands posted under the last pins
    // may stand behind us.
    requests_.fetch_or(kBuried, std::memory_order_relaxed);
    l.post(this);
  } else if (!dead) {
    base::insist([&] { attend(bits); });
  }
}

void Object::dispose() noexcept { request(kDisposed); }

}  // namespace mw::loop
