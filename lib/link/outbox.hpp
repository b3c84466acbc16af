// What a connection could not hand to the kernel at once: whole frames in
// order, each with what it reserved and whom to tell. Used by session; the
// lane's thread, except that any thread may make a frame and post it.
#pragma once
#include "base/handle.hpp"
#include "base/message.hpp"
#include "loop/command.hpp"
#include "wire/call.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace mw::link {

class Session;

// What a frame of a call packet is made of; its head is written late, because
// names get their numbers in the order of the wire.
struct Saying {
  wire::Talk talk;
  std::string method;    // call
  uint64_t deadline = 0; // call: ms of the monotonic clock, 0 none
  int64_t cost = 0;      // part: of the credit
  // Posted by another thread: whose answer it is, or the call to be made.
  mw_handle request = 0;
  uint64_t op = 0;
  base::Pin parent;
};

// One frame on its way out: made by the sender, encoded on the lane. Its own
// bytes follow it in one allocation; a large or shared body stays in body.
struct OutFrame final : loop::Command {
  // payload: bytes to copy, or null to leave room for n of them. room: bytes
  // kept free before the payload for heads. Throws std::bad_alloc.
  static OutFrame* make(const void* payload, size_t n, size_t room);
  void free() noexcept;

  void run(loop::Lane& lane, bool dead) override;  // arrives at its session

  uint32_t messages() const noexcept { return events != 0 ? events : 1; }
  uint8_t* payload() noexcept { return reinterpret_cast<uint8_t*>(this + 1) + room; }
  // Writes a head right before what is there already.
  uint8_t* prepend(size_t n) noexcept {
    start -= static_cast<uint32_t>(n);
    return reinterpret_cast<uint8_t*>(this + 1) + start;
  }
  // After encoding: own bytes [own, own + own_len), then body.
  uint8_t* own() noexcept { return reinterpret_cast<uint8_t*>(this + 1) + start; }
  size_t own_len() const noexcept { return room - start + own_payload; }
  size_t length() const noexcept { return own_len() + (body ? body->len : 0); }

  Session* session = nullptr;
  OutFrame* next_out = nullptr;
  base::MsgRef body;        // sent from where it lies
  std::unique_ptr<Saying> saying;  // a call packet, or null
  base::MsgRef origin;      // the message as the host gave it: topic for conflate, body for DROPPED
  uint64_t op = 0;          // DONE when handed over
  uint64_t number = 0;      // of the own wire's message; from here on it must reach the other end
  int64_t cost = 0;         // reserved; 0 = nothing
  size_t own_payload = 0;   // payload bytes in this allocation
  size_t sent = 0;
  uint32_t room = 0;        // bytes before the payload
  uint32_t start = 0;       // where the heads begin in it
  uint32_t flags = 0;       // MW_F_*
  uint32_t events = 0;      // of a channel, in this frame; 0: another frame
  uint8_t opcode = 0;
  bool encoded = false;     // head (and mask) written
  bool control = false;     // never dropped by a policy
};

class Outbox {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  OutFrame* head() const noexcept { return head_; }
  size_t frames() const noexcept { return frames_; }
  void push(OutFrame* f) noexcept {
    f->next_out = nullptr;
    (tail_ != nullptr ? tail_->next_out : head_) = f;
    tail_ = f;
    ++frames_;
  }
  OutFrame* pop() noexcept {
    OutFrame* f = head_;
    head_ = f->next_out;
    if (head_ == nullptr) tail_ = nullptr;
    --frames_;
    return f;
  }
  OutFrame* tail() const noexcept { return tail_; }
  // Takes out the first frame that may be dropped: data, whole, not begun,
  // and not `but`. topic: only one with this topic; null: any.
  OutFrame* steal(const std::string* topic, const OutFrame* but) noexcept;

 private:
  OutFrame* head_ = nullptr;
  OutFrame* tail_ = nullptr;
  uint32_t frames_ = 0;
};

}  // namespace mw::link
