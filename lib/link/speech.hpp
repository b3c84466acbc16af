// The own wire (meshwork.0) on one connection: hello, envelope, topic names,
// acknowledgements, subscriptions and drain. PROTOCOL.md is normative.
// Used by session. The lane's thread.
#pragma once
#include "link/outbox.hpp"
#include "wire/envelope.hpp"
#include "wire/hello.hpp"
#include "wire/names.hpp"
#include "wire/packets.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace mw::link {

class Session;

class Speech {
 public:
  explicit Speech(Session& s);
  void greet();                                  // our hello
  bool read(const uint8_t* p, size_t n);         // one binary message: packets. False: failed
  // Writes a whole frame for a small message to out; returns its size.
  size_t put(uint8_t* out, const uint8_t* body, size_t len, const mw_msg* m, uint32_t flags);
  void count(OutFrame* f) noexcept {             // its number, where it has none yet
    if (f->number == 0) f->number = ++out_;
  }
  void wrap(OutFrame* f);                        // writes the packet's head before the payload
  bool awaits(OutFrame* f);                      // true: its DONE comes with the other end's ack
  void drain(uint64_t slot_ms, uint64_t deadline_ms);
  // Until its hello says otherwise the other end understands a drain.
  bool drains() const noexcept { return !greeted_ || (theirs_.capabilities & wire::kCanDrain) != 0; }
  void subscribe(uint64_t number, std::string_view pattern, uint8_t syntax);
  void unsubscribe(uint64_t number);
  void end(mw_status status);                    // no acks will come: tells the open ops
  bool greeted() const noexcept { return greeted_; }
  void acknowledge();                            // what came since the last ack

 private:
  // Until its hello says otherwise the other end acknowledges: every one of this version does.
  bool acks() const noexcept { return !greeted_ || (theirs_.capabilities & wire::kCanAck) != 0; }
  bool message(const wire::PacketView& packet);
  void tell_drain();
  Session& s_;
  wire::NameReader names_in_;
  wire::NameWriter names_out_;
  wire::Hello theirs_;
  bool greeted_ = false;
  std::optional<wire::Drain> drain_;             // what the other end is to be told
  uint64_t in_ = 0, acked_ = 0;                  // messages counted from 1
  bool ack_wanted_ = false;
  uint64_t out_ = 0;
  std::deque<std::pair<uint64_t, uint64_t>> waiting_;  // number, op
  base::Buffer parts_;                           // a message of several parts
  std::string parts_topic_, parts_meta_;
  uint32_t parts_flags_ = 0;
  bool in_parts_ = false;
};

}  // namespace mw::link
