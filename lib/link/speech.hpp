// The own wire (meshwork.1) on one connection: hello, envelope, topic names,
// acknowledgements, subscriptions, calls and drain. PROTOCOL.md is normative.
// Used by session. The lane's thread.
#pragma once
#include "link/callee.hpp"
#include "link/caller.hpp"
#include "link/outbox.hpp"
#include "wire/envelope.hpp"
#include "wire/hello.hpp"
#include "wire/names.hpp"
#include "wire/packets.hpp"

#include <boost/container/deque.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mw::link {

class Session;
struct Order;

// The envelope's flags for MW_F_* of a send.
uint32_t envelope_flags(uint32_t flags) noexcept;

class Speech {
 public:
  explicit Speech(Session& s);
  ~Speech();
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

  // Calls, both ways.
  mw_status call(const Order& o);                // on the lane, perhaps between turns
  mw_status place(OutFrame* f);                  // a call that another thread accepted; below 0: it is still the caller's
  void in_line(OutFrame* f) noexcept;            // sends it, or keeps it until the hello
  size_t put(uint8_t* out, const wire::Talk& t, const uint8_t* body, size_t len);  // a whole frame
  void wrap_talk(OutFrame* f);                   // writes the packet's head before the payload
  bool take_back(uint64_t number) noexcept;      // a call that waits for the hello: true, it will not be sent
  Caller* caller() const noexcept { return caller_.get(); }
  void look_for_writable();
  bool busy() const noexcept;                    // calls or requests wait for answers
  void give_up_calls();                          // the host closes: tells the other end
  void end_calls(mw_status why) noexcept;        // no answers will come, neither way

 private:
  // Until its hello says otherwise the other end acknowledges: every one of this version does.
  bool acks() const noexcept { return !greeted_ || (theirs_.capabilities & wire::kCanAck) != 0; }
  bool message(const wire::PacketView& packet);
  bool talk(const wire::PacketView& packet);
  bool calls() const noexcept { return !greeted_ || (theirs_.capabilities & wire::kCanCall) != 0; }
  mw_status fits(size_t len) const noexcept;
  Caller& make_caller();
  void calls_greeted();
  void tell_drain();
  Session& s_;
  wire::NameReader names_in_;
  wire::NameWriter names_out_;
  wire::Hello theirs_;
  bool greeted_ = false;
  bool channel_ = false;                         // we are a channel's member or its hub
  std::optional<wire::Drain> drain_;             // what the other end is to be told
  uint64_t in_ = 0, acked_ = 0;                  // messages counted from 1
  bool ack_wanted_ = false;
  uint64_t out_ = 0;
  // Number and op. Not of std, whose empty deque takes 576 bytes of each link.
  boost::container::deque<std::pair<uint64_t, uint64_t>> waiting_;
  base::Buffer parts_;                           // a message of several parts
  std::string parts_topic_, parts_meta_;
  uint32_t parts_flags_ = 0;
  bool in_parts_ = false;
  std::unique_ptr<Caller> caller_;               // made by the first call
  std::unique_ptr<Callee> callee_;               // made by the first call of the other end
  Outbox early_;                                 // calls before the other end's hello
};

}  // namespace mw::link
