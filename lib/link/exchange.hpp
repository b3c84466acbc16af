// The hub of one channel: the lock, the listening socket, and the members that
// came to it. Gives each event to all other members, and tells its sender when
// the kernel has it for every one. Belongs to a hub the host opened, or to a
// member that became hub by itself. On its host's lane, but for ListenerSink.
#pragma once
#include "base/uuid.hpp"
#include "link/party.hpp"
#include "local/lock.hpp"
#include "local/roster.hpp"
#include "net/listener.hpp"

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace mw::link {

class Exchange;
using Uuid = std::array<uint8_t, 16>;
inline std::string uuid_text(const Uuid& u) { return base::uuid_text(u.data()); }
Uuid new_uuid() noexcept;

// A member, seen from the hub: a session with its other end's name.
class Seat final : public loop::Object {
 public:
  Seat(Exchange& e, loop::Lane& lane, int64_t process);
  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;
  std::string facts() const;  // any thread that has a pin

  Exchange& exchange;
  Session session;
  const int64_t pid;
  Uuid uuid{};                 // set by its hello
  uint64_t resumes = 0;        // epoch of the hub it had before
  bool joined = false;
  uint64_t heard = 0;          // the last sequence it sent
  // Marks count the batches of all exchanges of one host.
  bool dirty = false;          // given something that the kernel does not have
  uint64_t clean = 0;          // where dirty: all up to this mark is with the kernel
  uint64_t progress_at = 0;    // ms, where dirty: when the kernel last took a byte
  uint64_t progress = 0;       // bytes it had taken then
  struct Owed {
    uint64_t mark, through;
  };
  std::deque<Owed> owed;       // acknowledgements
  std::string emitter;         // wire netcluster: what it called itself last

 private:
  ~Seat() = default;
};

// What an exchange belongs to.
class Host : public Party {
 public:
  using Party::Party;
  // A seat's session.
  void session_ended(Session& s) override;
  void introduce(Session& s, wire::Hello& h) override;
  const char* met(Session& s, const wire::Hello& h) override;
  void greeted(Session& s) override;
  const char* event_came(Session& s, const wire::EventView& e) override;
  const char* taken(Session& s, uint64_t through) override;
  void message_read(Session& s) override;
  std::string packet_came(Session& s, std::string_view frame) override;
  void written(Session& s) override;
  mw_status remote_subscribe(Session&, uint64_t, uint8_t, std::string_view, std::string* why) override;
  mw_status remote_unsubscribe(Session&, uint64_t) override { return MW_ENOTSUP; }
  wire::SharedDeflate& shared_deflate(loop::Lane& lane) override;
  Counters& counters(loop::Lane&) override { return counters_; }
  // No calls on channels.
  bool draining() const noexcept override { return true; }
  size_t lanes() const noexcept override { return 1; }
  bool service_born(Service&) override { return false; }
  void service_gone(Service&) override {}

  virtual void exchange_up(Exchange& e) = 0;
  virtual void exchange_failed(Exchange& e, const base::Error& why) = 0;  // exchange_over follows
  virtual void exchange_over(Exchange& e) = 0;                           // it may be freed
  virtual void seat_taken(Seat&) {}
  virtual void seat_left(Seat&) noexcept {}
  // Whether events of e go to other channels, and the way there.
  virtual bool relays(const Exchange&) const { return false; }
  virtual void relay(Exchange&, mw_msg* /*frame*/, uint32_t /*events*/) {}
  // The last mark that is with the kernel for all who get what e hears.
  virtual uint64_t through(Exchange& e);
  virtual void look_for_acks(Exchange& e);
  virtual void heard(Exchange&, Seat&, const wire::EventView&) {}
  // The exchange that hears the LAN's events of this channel, or null; some of ours have left.
  virtual Exchange* of_lan(std::string_view /*channel*/) { return nullptr; }
  virtual void lan_sent() {}

  const Counters& traffic() const noexcept { return counters_; }

  uint64_t marks = 0;

 protected:
  Counters counters_;

 private:
  std::unique_ptr<wire::SharedDeflate> deflate_;
};

class Exchange final : public net::ListenerSink, public loop::Source {
 public:
  // Where the files of a channel are.
  static std::string file(const std::string& dir, const std::string& name, const char* what);
  static std::string socket_file(const std::string& dir, const std::string& name, base::ChannelWire wire);
  static std::string lock_file(const std::string& dir, const std::string& name, base::ChannelWire wire);
  // Why a socket cannot have this name, or nothing.
  static base::Result<void> fits(const std::string& socket);
  // Holds the lock; raises the epoch, clears away what a dead hub left, listens.
  static base::Result<std::unique_ptr<Exchange>> open(Host& host, const std::string& dir, const std::string& name,
                                                      local::Lock&& lock);
  ~Exchange();

  void close();  // exchange_over follows
  bool listening() const noexcept { return listening_; }
  bool closing() const noexcept { return closing_; }
  uint64_t epoch() const noexcept { return epoch_; }
  bool wanted() const noexcept { return lock_.reserved(); }  // by a standing hub
  const std::string& name() const noexcept { return name_; }
  const std::vector<Seat*>& seats() const noexcept { return seats_; }
  uint64_t through() noexcept;
  void look_for_acks();
  bool has(const uint8_t* uuid) const noexcept;  // a member of ours
  // An event with its origin for the members, but for the one it came from
  // (null: from elsewhere); goes with the batch.
  void pass_on(Seat* from, const wire::EventView& e);
  // A frame of events to everybody but one (null: to everybody).
  void give(mw_msg* frame, uint32_t events, const Seat* except);

  // ---- for Host
  void ended(Seat& s);
  const char* met(Seat& s, const wire::Hello& h);
  void joined(Seat& s);
  const char* event_came(Seat& s, const wire::EventView& e);
  std::string packet_came(Seat& s, std::string_view frame);
  // One event of the hub's own, to one member.
  void tell(Seat& s, const Uuid& hub, uint64_t sequence, std::string_view event, std::string_view json);
  void send_batch();
  void written(Seat& s);
  void seat_freed(Seat& s);

  // ---- ListenerSink (control thread)
  void listening(base::Result<std::vector<std::string>> urls) override;
  void ask(uint64_t, std::string) override {}
  void ask_over(uint64_t) override {}
  void ready(net::Accepted&& a) override;
  void trouble(base::Error e) override;
  void log(int level, std::string line) override;
  std::string metrics() override { return {}; }
  bool alive() override { return true; }
  void stopped() override;

  // ---- Source: acknowledgements, once the seats have written
  void on_ready(uint32_t) override {}
  void on_flush() override;
  void on_resume() override {}

  Host& host;

 private:
  struct SettleTimer final : loop::Timer {
    Exchange* e = nullptr;
    void expired() noexcept override;
  };
  struct AckTimer final : loop::Timer {
    Exchange* e = nullptr;
    void expired() noexcept override { e->look_for_acks(); }
  };
  // What came while members of the last hub were still missing.
  struct Past {
    base::MsgRef frame;
    uint32_t events;
    Uuid from;
  };
  Exchange(Host& h, std::string dir, std::string name, local::Lock&& lock);
  void admit(net::Accepted&& a);
  void translate(const wire::EventView& e);
  bool bare() const noexcept { return wire_ == base::ChannelWire::netcluster; }
  void soil(Seat& s, uint64_t clean) noexcept;  // it was given something
  bool stuck(Seat& s) noexcept;
  void listener_gone();
  void over_if_done();
  void settle(bool late);
  void settled();

  const base::ChannelWire wire_;
  const std::string dir_, name_, file_;
  local::Lock lock_;
  uint64_t epoch_ = 0;
  std::shared_ptr<net::Listener> listener_;
  std::vector<Seat*> seats_;
  size_t unfreed_ = 0;
  base::Buffer batch_, relayed_;  // events of batch_from_, of one WebSocket message
  Seat* batch_from_ = nullptr;
  uint32_t batch_events_ = 0;
  std::unique_ptr<local::Roster> roster_;  // while settling
  std::vector<Uuid> missing_;
  std::deque<Past> past_;
  int64_t past_bytes_ = 0;
  uint64_t settle_from_ = 0, settle_end_ = 0;
  SettleTimer settle_timer_;
  AckTimer ack_timer_;
  void over() { host.exchange_over(*this); }
  Step<Exchange> stopped_step_{*this, &Exchange::listener_gone}, over_step_{*this, &Exchange::over};
  bool settling_, listening_ = false, closing_ = false, listener_stopped_ = false, told_ = false;
};

}  // namespace mw::link
