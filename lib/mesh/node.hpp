// A member of a mesh. It is made of a provider, at which other nodes find it,
// and of a consumer for each node that it dialled itself; their events come
// here instead of to the host (loop::Inside), what their ends say of
// themselves, too (link::Meeting). Who is there is settled by core::Membership,
// who serves what by core::Catalog, who answers a call by core::Balancer: the
// node brings them their input and carries out what they decide. A manager is
// the same without services and calls: it keeps the list of members. Lives on
// one lane; the functions marked so are for any thread that has a pin.
#pragma once
#include "base/choices.hpp"
#include "base/message.hpp"
#include "base/pattern.hpp"
#include "link/consumer.hpp"
#include "link/provider.hpp"
#include "loop/step.hpp"
#include "mesh/contacts.hpp"
#include "mesh/core/access.hpp"
#include "mesh/core/access_news.hpp"
#include "mesh/core/catalog.hpp"
#include "mesh/core/history.hpp"
#include "mesh/core/membership.hpp"
#include "mesh/errand.hpp"

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mw::mesh {

using core::Slot;

// Its addresses as it tells them, joined by spaces; of null: none. They point into the fact.
std::vector<std::string_view> addresses_of(const core::Fact* fact);

class Node final : public link::Owner, private loop::Inside, private link::Meeting {
 public:
  // A manager where the conf is one's.
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);

  // ---- any thread
  mw_status start(uint64_t op);
  mw_status cancel(uint64_t op);
  mw_status drain(int64_t deadline_ms, uint64_t op);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  base::Result<mw_handle> serve(std::string_view name, const base::Conf& conf, uint64_t token);
  // how: a CALL conf, or null. Below 0: *why, and nothing follows.
  mw_status call(const link::Order& o, const base::Conf* how, base::Error* why);
  mw_status publish(std::string_view topic, const mw_msg* m, uint32_t flags, uint64_t op);
  mw_status subscribe(std::string_view pattern, base::Syntax syntax, uint64_t token, uint64_t op, base::Error* why);
  mw_status unsubscribe(std::string_view pattern, uint64_t op);
  bool subscribed(std::string_view topic) const;
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  std::string facts() const;
  std::string queues() const;
  mw_status gather_metrics(uint64_t op);
  std::string address() const;  // JSON list of URLs
  mw_status gather_members(uint64_t op);
  mw_status gather_stats(uint64_t op);
  size_t others() const noexcept {  // members
    return members_known_.load(std::memory_order_relaxed) - (manages_ ? 0 : 1);
  }
  size_t calls() const noexcept { return open_errands_.load(std::memory_order_relaxed); }

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

 private:
  friend struct Errand;
  static constexpr size_t kMaxErrands = 1 << 20;
  static constexpr size_t kMaxEvents = 256;  // of a member that wait for a link
  static constexpr size_t kMaxMail = 64;   // messages about members that wait for a link
  static constexpr size_t kMaxCalled = 256;  // services counted apart
  static constexpr uint64_t kDiscovery = 1;  // token of that provider
  static constexpr uint16_t kNotHere = 1008;
  static constexpr const char* kNoWord = "access: no manager has said yet what the schema is";
  static constexpr const char* kDuplicate = "another process has this node's name";
  // One connection with another node.
  struct Link {
    link::Session* session = nullptr;
    link::Consumer* consumer = nullptr;  // where we dialled it; until its CLOSED
    std::string url;                     // the same
    Slot target = core::kNoSlot;         // whom we dialled; kNoSlot: whoever is there
    Slot member = core::kNoSlot;         // who is there, once greeted
    std::string name, role;
    uint64_t instance = 0;
    bool greeted = false, own = false;   // own: both ends are ours
    bool first = false;                  // the start waits for it
    bool registry = false;               // dialled as a manager
    bool manager = false;                // the other end is one
    std::string identity;                // that TLS proved, of who dialled us
    bool told = false;                   // that it forged, or was denied
    bool stood = false;                  // at the last look
    bool trusted() const noexcept { return registry && manager; }  // whom there is, it may say
    bool spare = false;                  // another one serves the pair: for nothing new
    uint64_t retire_at = 0;              // the same, until it is drained
    uint64_t seen = 0;                   // bytes that had come when it was last looked at
    uint64_t served = 0;                 // requests of it that the host got
  };
  struct Member {
    Link* link = nullptr;                // the one that is used
    bool dialling = false;
    uint64_t failed_at = 0;              // when it could not be reached
    size_t address = 0;                  // which of its addresses
    std::vector<std::string> mail;
    std::vector<uint64_t> waiting;       // errands
    std::list<std::pair<base::MsgRef, uint32_t>> events;  // that wait for a link, with their flags
    uint32_t in_flight = 0;
    std::unique_ptr<core::Tally> calls;  // to it; null: none yet
    uint64_t served = 0;                 // over links that have ended
    bool suspected = false;
    std::string let_in;                  // a manager's: with which identity
  };
  struct Wanted {
    base::Pattern pattern;
    base::Syntax syntax;
    uint64_t token;                      // 0: the node's
  };
  struct Served {
    mw_handle handle;
    core::Service service;
  };

  Node(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);
  ~Node();

  // node.cpp: its life
  void begin_start();
  void listening(std::string_view body);
  void look_at_start();
  void look_at_gate();
  void gate_late();
  void drain_step();
  void trouble(base::Error why);
  void begin_close(const link::CloseWish& w);
  void end_if_done();
  std::shared_ptr<const base::Conf> inner_conf(int32_t kind, std::string_view url, bool registry = false) const;
  bool announce();  // false: it exceeds what can be told
  using Schema = std::shared_ptr<const core::Access>;  // null: all may call all
  base::Result<Schema> schema_of(const base::Conf& c, std::vector<std::string>& warnings) const;
  void tell_warnings(const std::vector<std::string>& warnings);
  void new_access(Schema own);
  void live_options();

  // node_links.cpp: the connections with others
  void inside(loop::Lane& lane, const mw_event& ev, std::string_view topic, std::string_view meta,
              std::string_view body) override;
  void introduce(link::Session& s, wire::Hello& ours) override;
  const char* met(link::Session& s, const wire::Hello& theirs) override;
  void greeted(link::Session& s) override;
  bool member_came(link::Session& s, const uint8_t* p, size_t n, wire::Violation& v) override;
  std::string_view name_of(link::Session& s) const noexcept override;
  mw_status may_call(link::Session& s, std::string_view target, bool* queued, std::string* rule) override;
  mw_status asked(link::Session& s, std::string_view target, std::string* answer) override;
  Link* link_of(mw_handle h) noexcept;
  bool usable(const Link* l) const noexcept { return l != nullptr && l->greeted && l->session->is_open(); }
  void connect(const std::string& url, Slot target, bool first, bool registry = false);
  bool dial(Slot slot);
  bool dial_next(Slot slot, Member& m);
  void not_reached(Slot slot, bool refused);
  void ended(mw_handle h, mw_status why, int32_t code, std::string_view reason);
  bool better(const Link& a, const Link& than) const noexcept;
  void look_for_others();
  void pass_on(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body, bool ours = true);

  // node_registry.cpp: managers
  static std::string key_of_role(std::string_view role);
  static std::string keys_of_roles(const std::string& json);
  void roles_from_conf();
  void new_secrets(const base::Conf& change);
  bool admits(const core::RecordView& record);
  void deny(link::Session& s, Link& l);
  const char* fit(const Link& l, const wire::Hello& theirs) const;
  void registry_ended(const Link& l, mw_status why, int32_t code, std::string_view reason);
  void look_at_registry();
  void forged(Slot slot, const char* what);
  void discover();

  // node_access.cpp: the schema, as managers give it and as others have it
  void rule();
  void give_access();
  void give_access(Link& l);
  bool awaits_access(const Link* l) const noexcept;  // what comes over it is refused until a manager was heard
  void access_came(Link& l, const uint8_t* p, size_t n);
  bool take_access(const Link& l);
  void look_at_schemas();
  void discovery_came(const mw_event& ev, std::string_view body);

  // node_members.cpp: the machine's inputs and what it decides
  int64_t now() const noexcept { return static_cast<int64_t>(lane->now()); }
  void step(const core::Input& in);
  void deliver(Slot to, std::string&& bytes);
  void said(const core::Outputs::Said& s);
  void known(Slot slot, uint32_t kind, int32_t code);
  void gone(Slot slot, core::FactId fact);
  void tick();
  void arm();
  void look_at_links();
  Member& member(Slot slot);
  void forget_if_idle(Slot slot);
  void tell_services(const std::vector<core::Catalog::Change>& changes);
  std::string_view role_of(Slot slot) const noexcept;
  std::string member_json(Slot slot) const;

  // node_calls.cpp: calls
  void begin(std::unique_ptr<Errand>& e);
  void set_out(Errand& e);
  void begin_whole(Errand& e);
  mw_status route(Errand& e);                 // MW_OK: it is on its way
  mw_status candidates(const Errand& e);      // into candidates_
  mw_status line_up(const Errand& e);         // the same, anew
  void add_candidate(const Errand& e, Slot slot, uint64_t key, uint32_t age);
  mw_status choose(const Errand& e);          // of candidates_, those that it wants
  mw_status hand_over(Errand& e, Slot to);
  mw_status send(Errand& e, Member& m);
  void later(Errand& e, mw_status verdict, std::string rule = {});
  void settle(Errand& e, mw_status status, int32_t code, uint32_t flags, std::string_view meta, std::string_view body);
  void settle(Errand& e, mw_status status);
  void told(const Errand& e, mw_status status, int32_t code, uint32_t flags, std::string_view meta, std::string_view body);
  void part_settled(Errand& part, mw_status status, uint32_t flags, std::string_view meta, std::string_view body);
  void answered(const mw_event& ev, std::string_view meta, std::string_view body);
  void part_came(const mw_event& ev, std::string_view meta, std::string_view body);
  bool again(Errand& e, mw_status status);
  void lose(mw_handle h);
  void left(Errand& e, mw_status status) noexcept;
  void cancel_here(uint64_t op);
  void cancel_one(Errand& e);
  void link_ready(Slot slot);
  void release(Errand& e) noexcept;
  Errand* errand(uint64_t number) noexcept;

  std::optional<Contacts> contacts_;           // from open on
  // node_stats.cpp: what is counted
  core::Tally* tally_of(const std::string& service);
  void counted(const Errand& e, mw_status status) noexcept;
  std::string stats() const;
  std::string metrics() const;
  // node_events.cpp: events
  int32_t publish_here(const std::string& topic, const base::MsgRef& m, uint32_t flags);
  void give(Slot slot, const base::MsgRef& m, uint32_t flags);
  void dropped(const base::MsgRef& last, size_t n, Slot slot);
  void drop_events(Slot slot, Member& m);
  void drop_waiting(Slot slot, Member& m);  // mail, events and calls
  void hear(mw_event ev, std::string_view topic, std::string_view meta, std::string_view body, std::string_view from);
  static mw_status verdict_of(core::Access::Is is) noexcept;
  bool may_meet(std::string_view role) const { return !access_ || access_->may_link(role_, role); }
  void learn_interests(Slot slot, const core::Announcement& a);

  Contacts::Uuid uuid_{};
  const bool manages_;
  const std::string mesh_;                    // deployment/cluster
  const std::string role_;                    // member.service
  std::string name_;
  const uint64_t instance_;
  core::Semver version_;
  mw_handle seat_ = 0;                        // the provider's; from open on
  std::vector<std::pair<std::string, size_t>> gate_;
  static constexpr uint8_t kStillborn = 1, kProviderGone = 2;
  std::atomic<uint8_t> fate_{0};              // both: nobody needs us any more
  std::atomic<mw_status> state_{MW_STATE_IDLE};
  std::atomic<uint32_t> strategy_{0};
  std::atomic<bool> local_first_{true};
  std::atomic<size_t> open_errands_{0};
  std::atomic<size_t> members_known_;         // this one, too, unless it is a manager
  std::vector<std::string> urls_;             // under mutex_
  std::vector<Wanted> wanted_;                // under mutex_

  // the lane
  link::Provider* provider_ = nullptr;        // until its CLOSED
  // Managers: of a manager
  link::Provider* discovery_ = nullptr;       // a second one, the same
  bool discovered_ = false, told_discovery_ = false;
  std::set<std::string, std::less<>> guarded_; // that have a secret
  const Link* receiving_ = nullptr;           // whose message the machine reads
  std::string denied_, denied_role_;          // why that link has to go, or ""
  // of a node
  mw_status registry_told_ = MW_OK;           // that no manager is there, and how
  mw_status registry_status_ = MW_OK;         // what the last manager said, or why it was not reached
  std::string registry_why_;
  std::atomic<int32_t> managers_{0};          // linked
  // of both
  std::atomic<uint64_t> forged_{0};
  std::unordered_map<mw_handle, std::unique_ptr<Link>> links_;
  std::unordered_map<Slot, Member> members_;
  core::Roster roster_;
  std::optional<core::Membership> machine_;   // once it listens
  core::Outputs out_;
  core::Catalog catalog_;
  core::Balancer balancer_;
  core::Random random_;
  std::vector<Served> served_;
  std::unordered_map<Slot, std::vector<base::Pattern>> interests_;  // of the others
  std::unordered_map<Slot, std::string> roles_;  // of the others, as they say
  // What others hold, as they say, and since when it is another one than ours.
  struct Held {
    uint64_t revision, schema;
    int64_t differs_since = 0;
    bool told = false;
  };
  Schema access_;                             // that is in force
  Schema own_access_, given_access_;          // of the option; of the managers
  core::AccessNews access_news_;
  uint64_t access_revision_ = 0;              // a manager's
  core::Slot told_contradiction_ = core::kNoSlot;
  std::unordered_map<Slot, Held> schemas_;
  std::atomic<uint64_t> schema_{0};           // digest of what is in force, or given
  std::vector<std::string> warnings_;         // of it, until it starts
  std::unordered_map<uint64_t, std::unique_ptr<Errand>> errands_;
  std::unordered_map<uint64_t, uint64_t> by_op_;
  // Numbers of errands, told apart from the ops of the host's replies, whose DONE comes the same way.
  static constexpr uint64_t kNumbers = 0xA5ull << 56;
  uint64_t last_number_ = kNumbers;
  std::vector<core::Catalog::Provider> providers_;  // scratch of route()
  std::vector<core::Candidate> candidates_;         // the same
  uint64_t line_up_ = 1;                            // counts what changes who may answer: services, roles, suspicions, the schema
  uint64_t standing_ = 0;                           // line_up_ when candidates_ were found for this target; 0: they are of no use
  std::string standing_for_;
  core::Tally calls_;                         // all of this node
  std::unordered_map<std::string, core::Tally> called_;  // by service; entries stay
  std::pair<std::string_view, core::Tally*> last_called_;
  uint64_t requests_ = 0;                     // that the host got
  core::History history_;
  std::string told_;                          // stats() as members were told, in the turn of told_at_
  uint64_t told_at_ = 0;
  size_t first_links_ = 0;                    // the start waits for
  bool opening_ = false, looked_ = false, joined_ = false, settled_ = false, gate_met_ = false;
  bool closing_ = false, retired_ = false;
  int64_t looked_at_links_ = 0;
  uint64_t drain_end_ = 0;
  using Timer = loop::Step<Node>;
  Timer tick_timer_{this, &Node::tick}, scan_timer_{this, &Node::look_for_others},
      gate_timer_{this, &Node::gate_late}, drain_timer_{this, &Node::drain_step};
  link::CloseWish how_;
};

}  // namespace mw::mesh
