// A member of a channel: one session to the channel's hub, and the hub itself
// where nobody else of the host is it. Keeps what it sent until the hub has
// given it to all; sends it again to the next hub; drops what it has heard.
// Lives on one lane; the functions marked so are for any thread that has a pin.
#pragma once
#include "base/pattern.hpp"
#include "link/exchange.hpp"
#include "net/dialer.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mw::link {

class Channel final : public Host, public net::DialSink {
 public:
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);

  // ---- any thread
  mw_status start(uint64_t op);
  mw_status cancel(uint64_t op);
  mw_status publish(std::string_view event, const mw_msg* m, uint32_t flags, uint64_t op);
  mw_status subscribe(std::string_view pattern, base::Syntax syntax, int64_t limit, uint64_t op, base::Error* why);
  mw_status unsubscribe(std::string_view pattern, uint64_t op);
  bool subscribed(std::string_view event) const;
  mw_status drain(int64_t deadline_ms, uint64_t op);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  std::string facts() const;
  std::string topics() const;
  mw_status gather_members(uint64_t op);
  int64_t kept_bytes() const noexcept { return kept_bytes_.load(std::memory_order_relaxed); }
  Session& session() noexcept { return session_; }

  // ---- Party: our own session; a seat's goes to Host
  void session_ended(Session& s) override;
  void introduce(Session& s, wire::Hello& h) override;
  const char* met(Session& s, const wire::Hello& h) override;
  void greeted(Session& s) override;
  const char* event_came(Session& s, const wire::EventView& e) override;
  const char* taken(Session& s, uint64_t through) override;
  void message_read(Session& s) override;
  std::string packet_came(Session& s, std::string_view frame) override;
  void written(Session& s) override;

  // ---- Host
  void exchange_up(Exchange& e) override;
  void exchange_failed(Exchange& e, const base::Error& why) override;
  void exchange_over(Exchange& e) override;

  // ---- DialSink (control thread)
  void connected(net::Connected&& c) override;
  void refused(net::Refused&& r) override;
  void log(int level, std::string line) override;
  void stopped() override;

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

 private:
  static constexpr uint32_t kPump = 1u << 16;
  struct Kept {                // ours, until the hub has given it to all
    base::MsgRef m;
    std::string event;
    uint32_t flags = 0;
    uint64_t op = 0;
    int64_t cost = 0;
  };
  struct Heard {               // a sender, as far as we have heard it
    uint64_t last = 0;
    uint64_t when = 0;
    std::string meta;          // its id as a header, packed
  };
  static std::string sender_meta(const Uuid& u);
  struct UuidHash {
    size_t operator()(const Uuid& u) const noexcept;
  };
  struct Wanted {
    base::Pattern pattern;
    int64_t left;              // messages until it ends by itself; 0: never
  };
  struct RetryTimer final : loop::Timer {
    Channel* c = nullptr;
    void expired() noexcept override { c->guarded(*this, &Channel::seek); }
  };
  struct LeaveTimer final : loop::Timer {
    Channel* c = nullptr;
    void expired() noexcept override { c->guarded(*this, &Channel::leave_now); }
  };
  struct YieldTimer final : loop::Timer {
    Channel* c = nullptr;
    void expired() noexcept override { c->guarded(*this, &Channel::look_for_standing); }
  };
  Channel(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);
  ~Channel();
  void guarded(loop::Timer& t, void (Channel::*step)()) noexcept;

  // channel.cpp: finding a hub, leaving
  void begin_start();
  base::Result<void> prepare();
  void seek();
  void up(net::Connected& c);
  void joined();
  void failed(const net::Refused& r);
  void contend();
  void look_for_standing();
  void wait(int64_t ms);
  void tell_silent();
  void trouble(const base::Error& e);
  void lost(mw_status why, int32_t code, std::string_view reason);
  void begin_close(const CloseWish& w);
  void leave_now();
  void dialer_gone();
  void end_if_done();

  // channel_publish.cpp
  void pump();
  void put_kept(base::Buffer& out, const Kept& k, uint64_t sequence) const;
  void taken_through(uint64_t sequence, int32_t code);
  void handed_over();  // wire netcluster: what the kernel has is gone
  void tell_local();
  void look_for_room();
  void drop_kept(mw_status why);
  bool wants(std::string_view event);

  // channel_hear.cpp
  void tell(std::string_view event, std::string_view sender, std::string_view meta, uint32_t flags, const uint8_t* body,
            size_t len);
  Heard& heard_of(const Uuid& u);

  const std::string name_;
  const Uuid uuid_;
  const base::ChannelWire wire_;
  const bool auto_, local_;
  bool bare() const noexcept { return wire_ == base::ChannelWire::netcluster; }
  const std::string uuid_text_;
  std::string meta_;                      // our own id as a header, packed
  Session session_;
  std::atomic<mw_status> state_{MW_STATE_IDLE};
  std::vector<Wanted> wanted_;            // under mutex_
  std::string asked_name_;                // under mutex_: the last name that was asked for, and
  std::optional<bool> asked_any_;         // whether anything wanted it; none: not known
  std::string facts_;                     // under mutex_
  std::deque<Kept> kept_;                 // under mutex_
  uint64_t first_ = 1;                    // under mutex_: sequence of kept_.front()
  std::atomic<int64_t> kept_bytes_{0};
  std::atomic<bool> wants_{false};        // a sender waits for WRITABLE
  std::atomic<bool> refusing_{false};     // leaving: nothing new
  std::atomic<uint64_t> dropped_here_{0};
  // the lane
  std::string dir_;
  std::unique_ptr<local::Roster> roster_;
  std::optional<local::Lock> lock_;
  std::unique_ptr<Exchange> exchange_;
  std::shared_ptr<net::Dialer> dialer_;
  RetryTimer retry_timer_;
  LeaveTimer leave_timer_;
  YieldTimer yield_timer_;
  CloseWish how_;
  uint64_t next_ = 1;                     // sequence to send next on this session
  uint64_t told_ = 1;                     // sequence to tell our own subscriptions next
  uint64_t counted_ = 0;                  // wire netcluster: messages of the session that are gone
  size_t in_output_ = 0;                  // bytes written to the session and not yet with the kernel
  uint64_t epoch_ = 0;                    // of the last hub that took us
  int64_t hub_pid_ = 0;                   // its process
  uint64_t clock_ = 0;
  int attempts_ = 0;
  bool dialing_ = false, dialer_stopped_ = true, dialer_stopping_ = false;
  bool joined_ = false;                   // the hub has said so, on this session
  bool silent_ = false;                   // told that there is a hub which does not answer
  bool leaving_ = false, closing_ = false, retired_ = false;
  uint64_t unsent_ = 0, unsent_bytes_ = 0;
  std::unordered_map<Uuid, Heard, UuidHash> heard_;
  Uuid recent_id_{};
  Heard* recent_ = nullptr;
  std::string scratch_;
  Step<Channel> stopped_step_{*this, &Channel::dialer_gone};
};

}  // namespace mw::link
