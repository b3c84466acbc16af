// A hub's part in the channels of its LAN: what members of its channels say
// goes to the multicast group, once; what the other hubs say comes to its
// exchanges. Hides datagrams, fragments, sealing, pacing and the counting of
// what is lost; wire/lan.hpp has the layout. Belongs to a hub, lives on its lane.
#pragma once
#include "link/exchange.hpp"
#include "net/lan_cipher.hpp"
#include "net/multicast.hpp"
#include "wire/lan_inbound.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace mw::link {

class Lan final : public loop::Source {
 public:
  static bool wanted(const base::Conf& c) noexcept { return c.num(base::Opt::multicast_enabled) != 0; }
  // Whether the two want the same group and secret.
  static bool same(const base::Conf& a, const base::Conf& b);
  // Joins the group. secret: null for none; the rest of the options from c.
  static base::Result<std::unique_ptr<Lan>> open(Host& host, const base::Conf& c,
                                                 std::shared_ptr<const net::SharedSecret> secret);
  ~Lan();
  // Before the end: what still waits is sent as far as the system takes it at once.
  void finish();

  void tune(const base::Conf& c) noexcept;  // what needs no new group
  // An event of a member, as others get it. mark: of its batch.
  void send(const std::string& channel, const wire::EventView& e, uint64_t mark);
  // The last mark of which all events have left.
  uint64_t through(uint64_t marks) const noexcept;
  std::string facts() const;  // on the lane

  // ---- Source
  void on_ready(uint32_t events) override;
  void on_flush() override;
  void on_resume() override {}
  void on_trouble() noexcept override;

 private:
  struct Message {
    base::Buffer bytes;
    uint64_t number, mark;
    uint32_t events, count;  // count: its pieces
    int64_t cost;
    uint32_t next = 0;       // piece to be made
    bool broken = false;     // one of them could not be sent
  };
  struct Sent {
    uint64_t datagrams = 0, bytes = 0, events = 0, unsent = 0;  // unsent: events
  };
  struct Refused {  // datagrams, but for the last three: messages
    uint64_t malformed = 0, oversized = 0, forged = 0, repeated = 0, stale = 0, too_big = 0, unwanted = 0, no_memory = 0;
    uint64_t all() const noexcept { return malformed + oversized + forged + repeated + stale + too_big + no_memory; }
  };
  struct Tick final : loop::Timer {
    Lan* lan = nullptr;
    void expired() noexcept override;
  };
  struct Pace final : loop::Timer {
    Lan* lan = nullptr;
    void expired() noexcept override { lan->host_.lane->flush_later(lan); }
  };
  Lan(Host& host, net::Multicast&& socket, const wire::LanSender& self, const wire::LanInbound::Limits& limits);
  void second();  // a beat; what was lost since the last time is told
  void tell_lost(uint64_t n, std::string_view meta, std::string_view why);

  // sending
  void close_pack();
  void pump();
  void make(const wire::LanFragment* f);  // the datagram that is held; null: a beat
  enum class Push : uint8_t { sent, failed, later };
  Push push();
  void pop();
  void unsent(uint32_t events) noexcept;

  // hearing
  void take(uint8_t* datagram, size_t n);
  void hear(const uint8_t* message, size_t n);
  std::string refused() const;

  Host& host_;
  net::Multicast socket_;
  std::unique_ptr<net::LanCipher> cipher_;  // null: in the clear
  std::string where_;                       // for people
  const wire::LanSender self_;

  base::Buffer pack_;                       // events of one channel, not a message yet
  std::string pack_channel_;
  uint64_t pack_mark_ = 0;
  uint32_t pack_events_ = 0;
  std::deque<Message> queue_;
  int64_t queued_ = 0;                      // bytes
  uint64_t counter_ = 0, messages_ = 0;
  int64_t rate_ = 0, credit_ = 0;           // bytes a second; bytes that may go now
  uint64_t earned_at_ = 0;                  // ms
  uint8_t held_[wire::kLanDatagram];        // sealed and numbered, and not sent: its number is never used for another
  size_t held_size_ = 0;
  uint64_t blocked_at_ = 0;                 // ms; 0: not
  int trouble_ = 0;                         // errno told last

  wire::LanInbound inbound_;
  uint64_t received_ = 0, untold_ = 0;      // untold: events unsent since the last second
  Sent sent_;
  Refused refused_;
  uint64_t refused_told_ = 0;
  Tick tick_;
  Pace pace_;
};

}  // namespace mw::link
