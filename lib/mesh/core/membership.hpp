// Who is in the mesh: SWIM (Das et al. 2002) with Lifeguard (Dadgar et al.
// 2018), adapted to members that stand on links:
// - a member is watched by its few predecessors in a ring, which suspect it
//   among themselves; only verdicts go round, so faults cost the same in a
//   mesh of any size. A suspicion is refuted by an answer to a probe, a
//   verdict by the member's next incarnation;
// - news go once over each of six links along three rings, not a number of
//   times that grows with the mesh; what is lost is found by digests;
// - an old verdict that comes with a digest (a partition healed) is first
//   passed on, so that the condemned can object, and believed after a while;
// - in a managed mesh who is there comes from managers alone. They are no
//   members; each member reports itself to them. Members tell one another
//   verdicts only, which are asked back at the condemned before they count.
// Whoever drives it keeps a link to all that outputs name as wanted, dials for
// a message to anybody else, tells of every link Met at its start and Lost at
// its end or when it cannot be made, and gives a Tick when next() says so.
// Used by the node and the simulation. Does no I/O, knows no clock: step()
// takes an input and the time, and adds to the outputs. One thread a roster.
#pragma once
#include "mesh/core/member_message.hpp"
#include "mesh/core/random.hpp"
#include "mesh/core/view.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace mw::mesh::core {

struct MembershipConfig {
  std::string name;
  std::string address;
  std::string meta;
  uint64_t instance = 0;     // of this process: later ones greater, two never the same
  uint64_t incarnation = 1;  // to begin with; the wall clock's seconds save a round after a restart
  uint64_t seed = 0;
  // All in ms.
  int64_t probe_interval = 500;
  int64_t probe_timeout = 500;
  int64_t suspect = 5000;        // from suspicion to verdict, 0.8 of it if all watchers agree, else up to 1.2
  int64_t gossip_delay = 100;    // news wait for company
  int64_t sync_interval = 10'000;
  int64_t remember = 600'000;    // the dead
  int64_t dispute = 5000;        // old verdicts wait for the condemned
  uint32_t watch = 3;            // members that watch one
  uint32_t max_members = 65'536; // known, the dead included
  bool managed = false;          // who is there is for managers to say
  bool manager = false;          // this is one (with managed)
  // A manager's: whether a member may be what its record, which it sent itself, says. Null: any.
  std::function<bool(Slot member, const RecordView& record)> admits;
};

namespace input {
struct Tick {};
// From a member with a link here. Of a stranger: after its Met.
struct Received {
  Slot from;
  std::span<const uint8_t> bytes;
  bool manager = false;  // over a link that was made to a manager
};
// A link to somebody who said at its start who it is. Its slot means this
// member until Lost.
struct Met {
  std::string_view name;
  bool manager = false;  // as in Received
};
// The last link there broke, or none could be made. refused: nobody listens there.
struct Lost {
  Slot member;
  bool refused;
};
// Who uses a link there finds it silent: have a look. Of few at a time.
struct Doubt {
  Slot member;
};
// What others should know of this member has changed.
struct Change {
  std::string_view address, meta;
};
struct Leave {};
}  // namespace input
using Input = std::variant<input::Tick, input::Received, input::Met, input::Lost, input::Doubt, input::Change,
                           input::Leave>;

enum class News : uint8_t {
  up,        // a member is there
  changed,   // it has another address, meta or process
  suspect,   // it does not answer; by here only
  trusted,   // it answered after all
  down,      // verdict: gone; the fact says why. Without one: this member slept too long to know
  joined,    // this member knows what another one knew; not told where there is no other
  alone,     // nobody answers here; no verdicts meanwhile
  refuted,   // this member was told that it is gone, and objected
  replaced,  // a newer process has this member's name: it has to go
  stalled,   // this member itself stood still
  full,      // a member was not taken: max_members
  forged,    // this one, no manager, said of others what is not its to say: ignored
};

struct Outputs {
  struct Send {
    Slot to;
    std::string bytes;
  };
  struct Said {
    News news;
    Slot member;
    FactId fact;   // or 0; valid until the next step
    int64_t ms;    // suspect: silent for; stalled: for how long
  };
  struct Link {
    Slot member;
    bool wanted;  // links that watching and gossip stand on
  };
  std::vector<Send> sends;
  std::vector<Said> said;
  std::vector<Link> links;
  bool violation = false;  // of a Received: end that link
  wire::Violation why{};

  void clear() {
    sends.clear();
    said.clear();
    links.clear();
    violation = false;
  }
};

class Membership {
 public:
  Membership(Roster& roster, const MembershipConfig& config, int64_t now);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership();

  void step(const Input& in, int64_t now, Outputs& out);
  // When the next Tick is due.
  int64_t next() const noexcept { return due_; }

  Slot self() const noexcept { return self_; }
  const View& view() const noexcept { return view_; }
  const Fact* fact(Slot slot) const noexcept;
  bool suspects(Slot slot) const noexcept;
  bool joined() const noexcept { return joined_; }
  bool left() const noexcept { return left_; }
  // Who watches a member, as far as this one knows; at most `watch`.
  std::vector<Slot> watchers(Slot slot) const;

 private:
  // One member under watch. A guest is somebody else's to judge.
  struct Watch {
    explicit Watch(Slot s) noexcept : slot(s) {}
    enum class Phase : uint8_t { idle, direct, indirect, suspect };
    Slot slot;
    Phase phase = Phase::idle;
    bool guest = false;
    bool closed = false;    // its link broke
    bool refused = false;   // and it does not listen any more
    bool witness = false;   // somebody else was heard since the suspicion began
    bool wanted = true;     // by its place in the ring
    int64_t heard = 0;      // last sign of life
    int64_t since = 0;      // of the suspicion
    int64_t deadline = INT64_MAX;  // of the phase
    uint64_t seq = 0;              // of the probes that helpers were asked for
    std::vector<Slot> helpers;     // who was asked last
    std::vector<Slot> answered;    // of them: who did not reach it
    std::vector<Slot> closed_too;  // of them: whose link it closed
    std::vector<Slot> accusers;    // other watchers that suspect it
  };
  // A probe done for somebody else.
  struct Errand {
    Slot target, asker;
    uint64_t asked_seq;
    int64_t deadline;
  };
  // A neighbour that news go to.
  struct Link {
    Slot slot;
    std::vector<Slot> queue;  // whose fact it has to be told
    bool behind = true;       // it is new, or its queue was full: digests tell
  };
  // An old verdict that waits for the condemned to object.
  struct Dispute {
    FactId fact;  // one reference is ours
    int64_t died, until;
  };

  // membership.cpp
  void on(const input::Tick&);
  void on(const input::Received& in);
  void on(const input::Met& in);
  void on(const input::Lost& in);
  void on(const input::Doubt& in);
  void on(const input::Change& in);
  void on(const input::Leave&);
  void answer(Slot from, const MessageView& m);
  void stalled(int64_t late);
  void start_over();
  void reschedule() noexcept;
  void say(News news, Slot slot, FactId fact, int64_t ms = 0) { out_->said.push_back({news, slot, fact, ms}); }
  void send(Slot to, MessageWriter& message);

  // membership_merge.cpp: what is believed
  void merge(const RecordView& record, Slot from);
  void merge_own(const RecordView& record, Slot from);
  bool may_say(const RecordView& record, Slot slot, Slot from);
  bool managed_member() const noexcept { return config_.managed && !config_.manager; }
  bool takes_one_more();
  void apply(Slot slot, FactId fact, Slot from, int64_t died);
  void dispute(Slot slot, FactId fact, Slot from, int64_t died);
  void tell_condemned(Slot slot);
  void settle_disputes();
  bool hears(Slot slot) noexcept;
  void set_own(Life life, uint64_t incarnation, uint64_t revision);

  // membership_watch.cpp: who is watched, and how it is judged
  void neighbours();
  Watch* watched(Slot slot) noexcept;
  void probe_all();
  void ask_directly(Watch& w);
  void ask_helpers(Watch& w, bool again = false);
  void suspect(Watch& w);
  void set_patience(Watch& w) noexcept;
  void judge(Watch& w);
  void judge_closed(const Watch& w);
  void condemn(const Watch& w, Why why);
  void alive_after_all(Watch& w);
  void heard_from(Slot from);
  void watch_deadlines();
  void on_ping(Slot from, const MessageView& m);
  void on_ack(Slot from);
  void on_probe(Slot from, const MessageView& m);
  void on_found(const MessageView& m);
  void on_lost(Slot from, const MessageView& m);
  size_t others() const noexcept { return view_.alive_count() - (view_.alive(self_) ? 1 : 0); }
  int64_t probe_patience() const noexcept { return config_.probe_timeout * (2 + health_) / 2; }

  // membership_gossip.cpp: how news and digests travel
  void spread(Slot slot, Slot except);
  void flush();
  void put_queue(Link& link, MessageWriter& message, size_t max);
  bool put_record(MessageWriter& message, Slot slot, size_t max);
  void tell(Slot to, Slot about);
  bool may_ask(Slot peer) const noexcept { return !config_.managed || managers_.contains(peer); }
  void sync_with(Slot peer);
  void sync_some();
  void sync_next();
  void sync_done() noexcept;
  void on_sync(Slot from, const MessageView& m);
  void on_tree(Slot from, const MessageView& m);
  void on_keys(Slot from, const MessageView& m);
  void on_want(Slot from, const MessageView& m);
  void send_records(Slot to, const std::vector<Slot>& about, bool end);

  Roster& roster_;
  MembershipConfig config_;
  View view_;
  Random random_;
  Slot self_;
  int64_t now_;
  int64_t due_;
  Outputs* out_ = nullptr;  // of the step that runs

  std::vector<Watch> watches_;
  std::vector<Errand> errands_;
  std::vector<Link> links_;
  std::unordered_map<Slot, Dispute> disputes_;
  int64_t dispute_at_ = INT64_MAX;
  std::vector<Slot> linked_;  // whom the outputs asked to link with
  std::vector<Slot> back_;    // what the sender of a message does not know yet
  uint64_t seq_ = 0;
  int health_ = 0;  // Lifeguard's local health: 0 good, each point makes probes more patient
  int64_t probe_at_, flush_at_ = INT64_MAX, sync_at_;
  bool joined_ = false, left_ = false, yielded_ = false, alone_ = false, full_ = false;
  bool moved_ = true;   // neighbours have to be found anew
  bool quiet_ = false;  // what is learnt while joining is no news to others

  // A managed mesh.
  struct Vouched {
    uint64_t instance;
    std::string role;
  };
  std::unordered_set<Slot> managers_;           // met, and not lost
  std::unordered_map<Slot, Vouched> vouched_;   // who they said there is, the dead included
  bool from_manager_ = false;                   // the message that is read
  bool told_forged_ = false;                    // of it

  // The digest exchange that runs, if any.
  Slot sync_peer_ = kNoSlot;
  std::unordered_set<Slot> met_;  // and not lost; pinned
  int64_t sync_until_ = INT64_MAX;
  std::vector<uint8_t> sync_todo_;  // buckets, last first

  // Another process that has this member's name.
  uint64_t rival_ = 0, rival_incarnation_ = 0;
};

}  // namespace mw::mesh::core
