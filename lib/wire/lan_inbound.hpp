// What a hub keeps of the senders on its LAN: which datagrams came already,
// which are missing, and messages of which not all fragments are here yet.
// Everything is bounded: senders, bytes in parts, time. Used by link; pure, no
// clock of its own; one thread.
#pragma once
#include "base/buffer.hpp"
#include "wire/lan.hpp"

#include <memory>
#include <vector>

namespace mw::wire {

class LanInbound {
 public:
  struct Limits {
    size_t senders = 256;              // remembered; of more, the longest unheard goes
    size_t max_message = 1 << 20;      // bytes
    size_t partial_bytes = 16 << 20;   // of incomplete messages, all senders together
    uint64_t partial_ms = 2000;        // an incomplete message is given up after
    uint64_t late_ms = 1000;           // after which a missing datagram is lost
    uint64_t skew_ms = 30'000;         // by which clocks may differ, or a datagram be late
  };
  enum class Verdict : uint8_t {
    fresh,
    own,     // sent by ourselves
    stale,   // its time is not now, or from before we listened
    repeated // was here, or is too far behind
  };
  enum class Outcome : uint8_t {
    whole,      // a message is complete
    part,       // wait for more
    beat,       // no message: says only how far the sender has counted
    malformed,  // not a fragment, or one that contradicts those before it
    too_big     // its message exceeds a limit
  };
  // What is known of a sender.
  struct Facts {
    LanSender id{};
    uint64_t came = 0, lost = 0;     // datagrams, since it was heard first
    uint64_t heard_ms = 0;           // our clock
  };

  // wall_ms: wall clock. Nothing sent before is taken, so that what somebody
  // recorded before a restart cannot be played back after it.
  LanInbound(const LanSender& self, Limits limits, uint64_t wall_ms);
  ~LanInbound();

  // Whether a datagram is worth opening. Changes nothing: its head may be forged.
  Verdict judge(const LanHead& head, uint64_t wall_ms) const noexcept;

  // A fresh and genuine datagram. whole: message points to the bytes until the
  // next call. now_ms: monotonic clock.
  Outcome accept(const LanHead& head, const uint8_t* text, size_t n, uint64_t now_ms, const uint8_t** message,
                 size_t* size);

  // What has been missing for late_ms is lost now, what is incomplete for
  // partial_ms given up. Call every second or so: told(sender's facts, lost
  // since the last time).
  template <class F>
  void settle(uint64_t now_ms, F told) {
    for (size_t i = 0; i < senders_.size(); ++i) {
      Facts f;
      if (uint64_t n = settle(i, now_ms, f); n != 0) told(f, n);
    }
  }

  std::vector<Facts> senders() const;
  uint64_t lost() const noexcept { return lost_; }  // datagrams of all senders
  size_t partial_bytes() const noexcept { return partial_bytes_; }

 private:
  struct Sender;
  struct Partial;
  Sender* find(const LanSender& id) const noexcept;
  Sender& enter(const LanHead& head, uint64_t now_ms);
  uint64_t settle(size_t at, uint64_t now_ms, Facts& facts);
  void lose(Sender& s, uint64_t n) noexcept;
  void give_up(Sender& s, size_t at) noexcept;

  const LanSender self_;
  const Limits limits_;
  uint64_t floor_ms_;  // of senders we do not know, nothing older is taken
  std::vector<std::unique_ptr<Sender>> senders_;
  size_t partial_bytes_ = 0;
  uint64_t lost_ = 0;
  base::Buffer whole_;
};

}  // namespace mw::wire
