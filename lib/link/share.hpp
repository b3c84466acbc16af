// One process of a host holds a connection, the others use it through that
// one. A share is always a consumer at the leader's socket; in the leader's
// process it is the provider behind it, too. Who leads is settled by a lock
// with an epoch (local/lock.hpp): the socket is bound under the epoch and found
// by a symbolic link of a fixed name, so that followers come back to whoever
// leads. Alone (option single) both ends of a socket pair are ours and nothing
// has a name. A group (link/group.hpp) uses one for itself: patterns instead of
// keys, and it hears what leads to followers. Lives on one lane; the functions marked so are for any thread that has
// a pin.
#pragma once
#include "base/choices.hpp"
#include "base/message.hpp"
#include "link/consumer.hpp"
#include "link/provider.hpp"
#include "local/lock.hpp"
#include "loop/step.hpp"
#include "net/cluster.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::link {

class Share final : public Owner, private loop::Inside {
 public:
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);
  // A share that only says who leads.
  static base::Result<mw_handle> elect(loop::Runtime& ctx, std::string_view name, const base::Conf& conf, uint64_t token);
  // One that a group uses, on this lane; until its CLOSED. Its topics keep their first letter: '=' of a key, '/' of
  // what is heard by pattern, none of what goes to all; it also gets PEER_UP, PEER_DOWN and INTEREST of each follower.
  static base::Result<Share*> make(loop::Runtime& ctx, loop::Lane& home, std::shared_ptr<const base::Conf> conf,
                                   uint64_t token, loop::Inside* inside);

  // Headers that begin so, of an answer: what the leader was told elsewhere, not its own. In a group.
  static constexpr std::string_view kTheirs{"\x01\x00\x00\x00\x00\x00\x01", 7};

  // ---- any thread
  mw_status start(uint64_t op);
  mw_status cancel(uint64_t op);
  mw_status pause(bool on);
  // repeat: where it may run twice, it is given to the next leader.
  mw_status call(const Order& o, bool repeat = true);
  mw_status publish(std::string_view key, const mw_msg* m, uint32_t flags, uint64_t op);
  mw_status subscribe(std::string_view key, uint64_t op, base::Error* why);
  mw_status unsubscribe(std::string_view key, uint64_t op);
  bool subscribed(std::string_view key) const;
  // The same with a topic's first letter, and with patterns.
  mw_status want(std::string_view topic, base::Syntax syntax, uint64_t op, base::Error* why);
  mw_status unwant(std::string_view topic, uint64_t op);
  mw_status stat(int32_t what, int64_t* value) const;  // of the connection with the leader
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  std::string facts() const;

  // ---- the lane, in the leader
  // To all who want the topic; "": to all.
  void spread(std::string_view topic, const mw_msg* m, uint32_t flags);
  void tell(mw_handle peer, std::string_view topic, mw_msg* m, uint32_t flags);

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

 private:
  static constexpr uint32_t kExpire = 1u << 16;      // request bit
  enum class Use : uint8_t { share, election, group };
  static constexpr uint64_t kSeeker = 1, kSeat = 2;  // tokens of the parties inside
  static constexpr uint64_t kListen = 1;             // op of the provider's start
  static constexpr const char* kCalls = "share";     // the service at the leader that takes all calls
  // A call that may run twice, kept until it is answered; or one that each new leader gets.
  struct Kept {
    std::string target;
    base::MsgRef m;
    uint32_t flags;
    uint64_t deadline;   // ms, monotonic; 0 none
    uint64_t window;
    bool waits;          // for the next leader
  };
  struct Early {         // wanted before the consumer was made
    std::string topic;
    base::Syntax syntax;
    uint64_t op;
  };
  struct Value {         // the last of a key
    base::MsgRef m;
    uint32_t flags;
  };

  Share(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf, Use use);
  ~Share() = default;
  static base::Result<Share*> make(loop::Runtime& ctx, loop::Lane& home, std::shared_ptr<const base::Conf> conf,
                                   uint64_t token, loop::Inside* inside, Use use);
  void trouble(base::Error why);

  // share.cpp: who leads
  void begin_start();
  base::Result<void> find_place();
  base::Result<void> prepare();
  void compete();
  void seek();
  base::Result<void> seek_by(base::Result<Consumer*> made);
  void lead(uint64_t before);
  void serve(Provider* made);
  void listen();
  void leading();
  bool be_found();
  void join_ends();
  void watch();
  void step_down();
  void start_late();
  void finish_starts(mw_status status, std::string_view body);
  void begin_close(const CloseWish& w);
  void end_if_done();
  std::string link_file() const { return stem_ + ".sock"; }
  std::string socket_file(uint64_t epoch) const { return stem_ + "." + std::to_string(epoch) + ".sock"; }
  uint64_t bound_epoch() const;  // that the link leads to; 0: none
  std::shared_ptr<const base::Conf> inner_conf(int32_t kind, std::string_view key, std::string_view where) const;

  // share_cluster.cpp: the wire of cluster-client, where who binds the port leads
  net::ClusterPlace place() const;
  base::Result<void> seek_port();
  void compete_for_port();
  void port_taken();
  bool key_fits(std::string_view key) const;

  // share_relay.cpp: what the consumer and the provider inside tell
  void inside(loop::Lane& lane, const mw_event& ev, std::string_view topic, std::string_view meta,
              std::string_view body) override;
  void told_by_leader(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body);
  void told_by_followers(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body);
  void pass_on(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body);
  void met_leader(uint64_t epoch);
  void lost_leader(const mw_event& ev, std::string_view reason);
  void tell_leader(int32_t mine);
  bool repeatable(const Order& o) const;
  void repeat_calls(bool other);
  void expire_kept();
  mw_status give(const std::string& key, mw_msg* m, uint32_t flags);
  void tell_value(mw_handle peer, std::string_view key);
  void keep_value(const std::string& key, const base::MsgRef& m, uint32_t flags);

  const std::string name_;
  const bool single_, election_, group_;
  const bool cluster_;                    // the wire of cluster-client
  const base::Role role_;
  std::string stem_;                      // of our files, with the directory
  std::atomic<mw_status> state_{MW_STATE_IDLE};
  std::atomic<mw_handle> seeker_{0};      // the consumer inside
  std::unordered_map<uint64_t, Kept> kept_;  // under mutex_, by op
  std::vector<Kept> repeats_;             // under mutex_
  std::vector<Early> early_;              // under mutex_
  std::vector<std::string> safe_;         // methods that may run twice, sorted
  std::atomic<bool> leads_{false}, up_{false};  // up: the leader was met
  std::atomic<uint64_t> epoch_seen_{0};
  // the lane
  std::optional<local::Lock> lock_;
  Consumer* consumer_ = nullptr;          // until its CLOSED
  Provider* provider_ = nullptr;          // the same
  uint64_t epoch_ = 0;                    // of the leader we know
  uint64_t met_ = 0;                      // the last one we met
  uint64_t ours_ = 0;                     // where we lead, or are about to
  bool starting_ = false;                 // our provider is about to listen
  bool taken_ = false;                    // the port was, as our provider found
  bool suspect_ = false;                  // the leader of epoch_ was silent for too long
  bool linked_ = false;                   // ours_ can be found
  bool closing_ = false, retired_ = false;
  uint64_t pause_ = 1;                    // ms until it competes again after its provider has gone
  uint64_t quiet_until_ = 0;              // no ERROR before
  using Timer = loop::Step<Share>;
  Timer compete_timer_{this, &Share::compete}, watch_timer_{this, &Share::watch},
      start_timer_{this, &Share::start_late}, expire_timer_{this, &Share::expire_kept};
  std::unordered_map<std::string, Value> values_;
  CloseWish how_;
  base::Error last_;
};

}  // namespace mw::link
