// What every live thing with a handle has: its lane, its token, and requests
// (close, pause, wants ...) that other threads raise as bits and that cannot
// fail. Used by the runtime and by link. Fields: see each; the lane owns the rest.
#pragma once
#include "base/handle.hpp"
#include "loop/command.hpp"

#include <atomic>
#include <cstdint>

namespace mw::loop {

class Runtime;
struct Target;

class Object : public Command, public base::Pinned {
 public:
  Object(Runtime& ctx, Lane* home) noexcept : runtime(ctx), lane(home) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Runtime& runtime;
  Lane* lane;                      // fixed once the handle is known
  mw_handle handle = 0;            // set once, before anybody else can know it
  std::atomic<uint64_t> token{0};

  // Raises request bits; attend() follows on the lane, once for many. Any thread that has a pin.
  void request(uint32_t bits) noexcept;

  // On the lane. Repeated with the same bits where it threw std::bad_alloc.
  virtual void attend(uint32_t bits) = 0;
  // The handle is stale, no pin is left and every command posted under one
  // has run: tells the last event and frees the memory. dead: the lane has
  // ended, only free.
  virtual void destroy(bool dead) noexcept = 0;

  void run(Lane& lane, bool dead) final;
  void dispose() noexcept override;  // comes to the lane; overridden by what may end at once

 protected:
  ~Object() = default;

 private:
  static constexpr uint32_t kDisposed = 1u << 31, kBuried = 1u << 30;
  std::atomic<uint32_t> requests_{0};
};

}  // namespace mw::loop
