#include "loop/object.hpp"

#include "loop/lane.hpp"
#include "loop/runtime.hpp"

namespace mw::loop {

void Object::request(uint32_t bits) noexcept {
  if (requests_.fetch_or(bits, std::memory_order_acq_rel) == 0) lane->post(this);
}

void Object::run(Lane& l, bool dead) {
  uint32_t bits = requests_.exchange(0, std::memory_order_acq_rel);
  if (bits & kBuried) {
    destroy(dead);
  } else if (bits & kDisposed) {
    // Once more to the end of the queue: commands posted under the last pins
    // may stand behind us.
    requests_.store(kBuried, std::memory_order_relaxed);
    l.post(this);
  } else if (!dead) {
    attend(bits);
  }
}

void Object::dispose() noexcept { request(kDisposed); }

}  // namespace mw::loop
