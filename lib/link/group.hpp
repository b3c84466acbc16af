// The consumers of a host that use one connection to a provider (share=group).
// Made of a share, which settles who holds the connection and carries what
// the others want of it, and in the leader's process of the consumer that is
// the connection; both tell us instead of the host (loop::Inside). What goes
// up is a call of the share: "s" a message (behind '/' its topic), "w" waits
// until a pattern is known to the provider, "c." a call. What comes down is
// published there: under no topic what has none, under '/' and its topic what
// has one, under "=up" how the connection is. Lives on one lane; the functions
// marked so are for any thread that has a pin.
#pragma once
#include "base/message.hpp"
#include "base/pattern.hpp"
#include "link/consumer.hpp"
#include "link/share.hpp"
#include "loop/step.hpp"
#include "wire/call.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::link {

class Group final : public Owner, private loop::Inside {
 public:
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);

  // ---- any thread: as a consumer's
  mw_status start(uint64_t op);
  mw_status cancel(uint64_t op);
  mw_status send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  mw_status call(const Order& o);
  mw_status subscribe(std::string_view pattern, base::Syntax syntax, uint64_t op, base::Error* why);
  mw_status unsubscribe(std::string_view pattern, uint64_t op);
  bool subscribed(std::string_view topic) const;
  mw_status pause(bool on);
  mw_status drain(int64_t deadline_ms, uint64_t op);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  mw_status stat(int32_t what, int64_t* value) const;
  std::string facts() const;
  std::string topics() const;

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

 private:
  static constexpr uint64_t kShare = 1;  // token of the share; those of the connections follow
  // Numbers of what we asked of the share, told apart from the ops of the host's calls.
  static constexpr uint64_t kNumbers = 0xA6ull << 56;
  static constexpr uint64_t kStartUp = kNumbers;
  // Something the share was asked for, by number.
  struct Asked {
    enum class What : uint8_t { send, want, plain } what = What::plain;
    uint64_t op = 0;          // the host's; 0: none
    int64_t cost = 0;         // send
    std::string pattern = {}; // want
    bool known = false;       // want: to the leader; now to the provider
  };
  // The leader: a part, or the end, of an answer that a follower had no room for.
  struct Piece {
    wire::Packet type;
    mw_status status;
    uint32_t flags;
    std::string meta, body;
  };
  // The leader: something asked of the provider for a follower.
  struct Errand {
    mw_handle request;
    bool message;               // or a call
    std::deque<Piece> held = {};
  };
  // The leader: a message or call that waits, for room or for the connection.
  struct Waiting {
    mw_handle request;
    std::string target;
    base::MsgRef m;
    uint32_t flags;
    uint64_t deadline;          // call: ms, monotonic; 0: none
  };
  struct Member {               // the leader: a connection of one, ours too
    mw_handle peer;
    uint64_t bytes = 0;         // it had taken
    uint64_t since = 0;         // ms: behind, with as many bytes; 0: not behind
  };
  struct Wish {                 // the leader: a pattern told to the provider
    uint64_t number;
    bool known = false;
    std::vector<mw_handle> waiting = {};  // requests
  };

  Group(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);
  ~Group() = default;
  std::shared_ptr<const base::Conf> share_conf() const;
  static void for_upstream(base::Conf& c);

  // group.cpp: its life
  void begin_start();
  void start_late();
  void finish_starts(mw_status status, int32_t code, std::string_view body);
  void leave_step();
  void begin_close(const CloseWish& w);
  void end_if_done();
  void inside(loop::Lane& lane, const mw_event& ev, std::string_view topic, std::string_view meta,
              std::string_view body) override;
  void told_by_share(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body);
  void pass_on(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body);
  void connection_is(std::string_view told);
  void lost(const mw_event& ev, std::string_view reason);
  bool asked_done(const mw_event& ev, std::string_view body);
  void look_for_writable();

  // group_send.cpp: what the host asks of the share
  uint64_t ask(Asked a);
  void forget(uint64_t number);
  void want_known(uint64_t number, const Asked& a);
  void want_done(const Asked& a, mw_status status, std::string_view body);

  // group_pace.cpp: no faster than the members
  void member_came(mw_handle peer);
  void member_went(mw_handle peer);
  void spread(std::string_view topic, const mw_msg* m);
  void look_at_members();

  // group_lead.cpp: the connection, in the leader
  void lead();
  void give_up_lead();
  void told_by_provider(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body);
  void tell_members(uint32_t kind, mw_status status, int32_t code, uint64_t id, std::string_view text);
  void interest(const mw_event& ev, std::string_view topic);
  void asked_by(const mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body);
  void send_up(Waiting w);
  bool try_send(Waiting& w);
  void call_up(const Waiting& w);
  void go_on();
  void refuse_waiting();
  void wait_for_pattern(mw_handle request, std::string_view pattern);
  void wish_done(uint64_t number, mw_status status, std::string_view body);
  void answered(uint64_t number, Piece p);
  mw_status answer(mw_handle request, const Piece& p);
  void refuse(mw_handle request, mw_status why, std::string_view body = {});
  void room_for(mw_handle request);
  void hold(uint64_t number, bool on);

  mw_handle share_handle_ = 0;              // fixed from open on
  std::atomic<mw_status> state_{MW_STATE_IDLE};
  std::atomic<int64_t> outstanding_{0};     // bytes of messages whose fate is not known
  std::atomic<int64_t> calls_{0};           // of the host
  std::atomic<bool> wants_{false};          // a sender waits for WRITABLE
  std::atomic<bool> opened_{false};         // share_ is there
  std::atomic<bool> leads_{false};
  std::atomic<uint64_t> epoch_{0};
  std::unordered_map<uint64_t, Asked> asked_;   // under mutex_
  std::vector<base::Pattern> wanted_;           // under mutex_
  std::string facts_;                           // under mutex_
  uint64_t last_number_ = kNumbers;             // under mutex_

  // the lane
  Share* share_ = nullptr;                  // until its CLOSED
  bool starting_ = false, up_ = false;
  bool closing_ = false, retired_ = false;
  std::atomic<bool> stillborn_{false};      // never told to the host
  bool drains_ = false;                     // leaves when its calls are answered, too
  uint64_t leave_at_ = 0;                   // ms; 0: it does not leave
  uint64_t unsent_ = 0, unsent_bytes_ = 0;
  CloseWish how_;
  using Timer = loop::Step<Group>;
  Timer start_timer_{this, &Group::start_late}, leave_timer_{this, &Group::leave_step},
      pace_timer_{this, &Group::look_at_members};
  // the leader
  Consumer* upstream_ = nullptr;
  uint64_t generation_ = kShare;            // token of upstream_
  size_t connections_ = 0;                  // consumers whose CLOSED has not come
  bool was_up_ = false;                     // upstream_
  bool slowed_ = false;                     // upstream_ is paused for a member
  size_t unseen_ = 0;                       // bytes spread since the members were looked at
  std::vector<Member> members_;
  std::string told_;                        // of the connection, last
  uint64_t last_errand_ = 0;
  std::unordered_map<uint64_t, Errand> errands_;        // by the op at upstream_
  std::unordered_map<mw_handle, uint64_t> held_;        // request -> errand that has pieces
  std::unordered_map<std::string, Wish> wishes_;        // by pattern
  std::unordered_map<uint64_t, std::string> wish_of_;   // by number
  std::deque<Waiting> messages_;                        // wait for room
  std::vector<Waiting> early_calls_;                    // wait for the first UP
};

}  // namespace mw::link
