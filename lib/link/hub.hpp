// A standing hub: keeps the channels of its options for the whole host, passes
// events on to other channels where they say so. Lives on one lane; the
// functions marked so are for any thread that has a pin.
#pragma once
#include "link/exchange.hpp"
#include "link/hub_plan.hpp"
#include "link/lan.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mw::link {

class Hub final : public Host {
 public:
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);

  // ---- any thread
  mw_status start(uint64_t op);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  mw_status drain(int64_t deadline_ms, uint64_t op);
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  size_t peers() const noexcept { return peers_.load(std::memory_order_relaxed); }
  std::string facts() const;
  // "channel/<name>", "client/<name>/<uuid>" and "lan".
  mw_status gather(std::string_view what, uint64_t op);

  // ---- Host
  void exchange_up(Exchange& e) override;
  void exchange_failed(Exchange& e, const base::Error& why) override;
  void exchange_over(Exchange& e) override;
  void seat_taken(Seat& s) override;
  void seat_left(Seat& s) noexcept override;
  bool relays(const Exchange& e) const override;
  void relay(Exchange& from, mw_msg* frame, uint32_t events) override;
  uint64_t through(Exchange& e) override;
  void look_for_acks(Exchange& e) override;
  void heard(Exchange& e, Seat& s, const wire::EventView& v) override;
  Exchange* of_lan(std::string_view channel) override;
  void lan_sent() override;

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

 private:
  struct Change {
    std::shared_ptr<const base::Conf> conf;
    HubPlan plan;
    std::function<void(const base::Error&)> told;  // once: MW_OK, or why not
  };
  // What a channel's events reach besides.
  struct Kept {
    std::unique_ptr<Exchange> exchange;
    std::vector<Exchange*> targets;
    bool multicast = false, dump = false;
  };
  Hub(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf, HubPlan plan);
  ~Hub();
  // Channels to be opened, all or none: at first their locks, for which members
  // that are hubs by themselves make way.
  struct Wish {
    HubPlan plan;
    std::map<std::string, local::Lock, std::less<>> locks;
    uint64_t until;
    std::shared_ptr<Change> change;  // null: the start
    bool lan_anew = false;           // the group is to be joined, or left
    std::shared_ptr<const net::SharedSecret> secret;
    std::unique_ptr<Lan> lan;
  };
  struct WishTimer final : loop::Timer {
    Hub* h = nullptr;
    void expired() noexcept override {
      try {
        h->pursue();
      } catch (...) {
        h->lane->wheel.set(*this, h->lane->now() + 20);
      }
    }
  };
  void begin_start();
  void prepare(Wish&& w);  // the secret at first, where a LAN needs one; then pursue
  void stretched(base::Result<std::shared_ptr<const net::SharedSecret>> secret);
  void pursue();
  void refuse(const Wish& w, const base::Error& why);
  base::Result<void> join_lan(Wish& w);
  void change_lan(Wish& w);
  base::Result<bool> take_locks(Wish& w);  // false: not all yet
  base::Result<void> open_channels(Wish& w);
  void apply(const std::shared_ptr<Change>& c);
  void applied(const Change& c);
  void aim();  // targets, by the plan
  base::Result<void> change_to(std::shared_ptr<const base::Conf> next, std::function<void(const base::Error&)> told);

  // hub_control.cpp: commands on the channel control, answered to who asked
  static constexpr std::string_view kControl = "control";
  static bool answers(const base::Conf& conf) noexcept { return conf.num(base::Opt::control_enabled) != 0; }
  static base::Result<void> control_kept(const base::Conf& conf, const HubPlan& plan);
  void control(Exchange& e, Seat& s, const wire::EventView& v);
  void reload(std::string_view json, const Uuid& asker);
  void reply(const Uuid& asker, std::string_view command, std::string_view json);
  // What is known of a channel's members, or of one of them; or why there is none.
  base::Result<std::vector<Seat*>> members(std::string_view channel, std::string_view uuid) const;
  static std::string facts_of(const Seat& s);
  void give_up(const base::Error& why);
  void begin_close(const CloseWish& w);
  void close_all();
  void end_if_done();

  std::atomic<mw_status> state_{MW_STATE_IDLE};
  std::atomic<size_t> peers_{0};
  // the lane
  const base::ChannelWire wire_;
  const Uuid uuid_;               // of what the hub says itself
  uint64_t said_ = 0;
  std::string dir_;
  HubPlan plan_;
  std::map<std::string, Kept, std::less<>> channels_;
  std::unique_ptr<Wish> wish_now_;
  WishTimer wish_timer_;
  std::vector<std::unique_ptr<Exchange>> leaving_;  // taken out by a reload or a failed start
  std::unique_ptr<Lan> lan_;  // null: not on one
  CloseWish how_;
  size_t opening_ = 0;
  base::Error failure_{MW_OK, 0, {}};  // of the start under way
  bool stretching_ = false;  // the control thread has us in hand
  bool closing_ = false, retired_ = false;
};

}  // namespace mw::link
