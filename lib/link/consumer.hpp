// A connection to one provider that always comes back: dials, keeps one
// session, retries by policy, buffers while offline where asked. Lives on one
// lane; the functions marked so are for any thread that has a pin.
#pragma once
#include "base/pattern.hpp"
#include "link/party.hpp"
#include "net/dialer.hpp"

#include <boost/container/deque.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mw::link {

class Consumer final : public Party, public net::DialSink {
 public:
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);
  // Another dialer than that of the options.
  using Dial = std::function<std::shared_ptr<net::Dialer>(net::Control&, net::DialSink&)>;
  // One that something of the library uses for itself, on this lane; until its CLOSED.
  static base::Result<Consumer*> make(loop::Runtime& ctx, loop::Lane& home, std::shared_ptr<const base::Conf> conf,
                                      uint64_t token, loop::Inside* inside, Dial dial = nullptr);

  // ---- any thread
  mw_status start(uint64_t op);
  mw_status cancel(uint64_t op);
  mw_status send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  mw_status call(const Order& o);
  mw_status subscribe(std::string_view pattern, base::Syntax syntax, uint64_t op, base::Error* why);
  mw_status unsubscribe(std::string_view pattern, uint64_t op);
  bool subscribed(std::string_view topic) const;
  mw_status drain(int64_t deadline_ms, uint64_t op);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  std::string facts() const;
  std::string topics() const;
  int64_t offline_bytes() const noexcept { return offline_bytes_.load(std::memory_order_relaxed); }
  Session& session() noexcept { return session_; }

  // ---- Party
  void session_ended(Session& s) override;
  wire::SharedDeflate& shared_deflate(loop::Lane& lane) override;
  Counters& counters(loop::Lane&) override { return counters_; }
  bool keep(mw_msg* m, uint32_t flags, uint64_t op) override;
  void greeted(Session& s) override;
  mw_status remote_subscribe(Session&, uint64_t, uint8_t, std::string_view, std::string* why) override;
  mw_status remote_unsubscribe(Session&, uint64_t) override { return MW_ENOTSUP; }
  void subscribe_result(Session& s, uint64_t number, bool sub, mw_status status, std::string_view text) override;
  void told_to_drain(Session& s, uint64_t slot_ms, uint64_t deadline_ms) override;
  bool draining() const noexcept override { return state() == MW_STATE_DRAINING; }
  size_t lanes() const noexcept override { return 1; }
  bool service_born(Service& s) override;
  void service_gone(Service& s) override;

  // ---- DialSink (control thread)
  void connected(net::Connected&& c) override;
  void refused(net::Refused&& r) override;
  void log(int level, std::string line) override;
  void stopped() override;

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

 private:
  struct Wanted {              // a subscription
    base::Pattern pattern;
    base::Syntax syntax;
    uint64_t number;
    uint64_t op;               // to tell at the provider's answer; 0 = told
  };
  struct RetryTimer final : loop::Timer {
    Consumer* c = nullptr;
    void expired() noexcept override { c->later(*this, &Consumer::retry); }
  };
  struct StartTimer final : loop::Timer {
    Consumer* c = nullptr;
    void expired() noexcept override { c->later(*this, &Consumer::start_late); }
  };
  struct DrainTimer final : loop::Timer {
    Consumer* c = nullptr;
    void expired() noexcept override { c->later(*this, &Consumer::drain_step); }
  };

  Consumer(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);
  ~Consumer();
  // Runs a step; without memory, again a little later.
  void later(loop::Timer& t, void (Consumer::*step)()) noexcept;
  bool busy() const noexcept;  // calls or requests wait for answers
  void begin_start();
  void dial();
  void retry();
  void start_late();
  void drain_step();
  void up(net::Connected& c);
  void failed(const net::Refused& r);
  void dialer_gone();
  void lost(mw_status why, int32_t code, std::string_view reason, int64_t not_before_ms);
  void begin_close(const CloseWish& w);
  void close_dialer();
  void give_up(mw_status why, int32_t code, std::string_view reason);
  void end_if_done();
  void finish_starts(mw_status status, int32_t code, std::string_view body);
  void replay();
  void replay_or_end() noexcept;
  mw_status keep_offline(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  int64_t next_delay();
  void drop_offline(mw_status why);

  Dial dial_;
  Session session_;
  Counters counters_;
  std::unique_ptr<wire::SharedDeflate> deflate_;
  std::atomic<mw_status> state_{MW_STATE_IDLE};
  std::shared_ptr<net::Dialer> dialer_;   // under mutex_
  std::vector<Wanted> wanted_;            // under mutex_
  std::string facts_;                     // under mutex_
  struct Kept {
    base::MsgRef m;
    uint32_t flags;
    uint64_t op;
    int64_t cost;
  };
  boost::container::deque<Kept> offline_;  // under mutex_; takes nothing while it is empty
  std::atomic<int64_t> offline_bytes_{0};
  size_t kept_ = 0;                       // under mutex_: at the front, from the link that was lost
  // the lane
  RetryTimer retry_timer_;
  StartTimer start_timer_;
  DrainTimer drain_timer_;
  CloseWish how_;
  bool dialing_ = false, closing_ = false, dialer_stopped_ = true, retired_ = false;
  bool dialer_stopping_ = false, replaying_ = false, leaving_ = false;
  uint64_t unsent_ = 0, unsent_bytes_ = 0;
  int64_t leave_after_ms_ = -1;
  int attempts_ = 0;                      // since the last UP
  uint64_t next_number_ = 1;
  uint64_t drain_end_ = 0;
  uint64_t leave_end_ = 0;                // a draining provider closes then
  net::Refused last_;
  Step<Consumer> stopped_step_{*this, &Consumer::dialer_gone};
};

}  // namespace mw::link
