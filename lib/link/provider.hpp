// A listener that admits many peers, spread over the context's lanes. Its home
// lane tells its own events; each lane has a shard with its peers and topics.
#pragma once
#include "base/pattern_set.hpp"
#include "link/party.hpp"
#include "link/peer.hpp"
#include "net/listener.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mw::link {

class Provider final : public Party, public net::ListenerSink {
 public:
  static base::Result<mw_handle> open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token);
  // Another listener than that of the options.
  using Listen = std::function<std::shared_ptr<net::Listener>(net::Control&, net::ListenerSink&)>;
  // One that something of the library uses for itself, on this lane; until its CLOSED.
  static base::Result<Provider*> make(loop::Runtime& ctx, loop::Lane& home, std::shared_ptr<const base::Conf> conf,
                                      uint64_t token, loop::Inside* inside, Listen listen = nullptr);

  // ---- any thread that has a pin
  mw_status start(uint64_t op);
  mw_status publish(std::string_view topic, const mw_msg* m, mw_handle except, uint32_t flags, uint64_t op);
  // On the one lane of a provider with one: to one of its subscribers, at random.
  mw_status publish_to_one(std::string_view topic, const mw_msg* m, uint32_t flags);
  base::Result<mw_handle> subscribe(Peer& peer, std::string_view pattern, base::Syntax syntax, uint64_t token,
                                    uint64_t op, bool want_handle);
  mw_status unsubscribe(Peer& peer, std::string_view pattern, uint64_t op);
  bool subscribed(const Peer& peer, std::string_view topic) const;
  std::string topics(const Peer& peer) const;
  mw_status pause(bool on);
  mw_status drain(int64_t deadline_ms, uint64_t op);
  base::Result<void> update(const base::Conf& change, uint64_t op);
  mw_status state() const noexcept { return state_.load(std::memory_order_acquire); }
  std::string address() const;                   // JSON list of urls
  mw_status gather_peers(uint64_t op);
  mw_status gather_metrics(uint64_t op);
  mw_status cork(bool on);
  std::string metrics() override;
  void queue_metrics(std::string& out) const;
  size_t peers() const noexcept { return peers_.load(std::memory_order_relaxed); }
  void sum(uint64_t* messages_in, uint64_t* messages_out, uint64_t* bytes_in, uint64_t* bytes_out) const noexcept;
  mw_status answer(uint64_t ticket, net::Listener::Answer a);
  void close_subscription(Subscription& s);

  // ---- Party
  void session_ended(Session& s) override;
  wire::SharedDeflate& shared_deflate(loop::Lane& lane) override;
  Counters& counters(loop::Lane& lane) override;
  mw_status remote_subscribe(Session& s, uint64_t number, uint8_t syntax, std::string_view pattern,
                             std::string* why) override;
  mw_status remote_unsubscribe(Session& s, uint64_t number) override;
  bool draining() const noexcept override { return state() == MW_STATE_DRAINING; }
  size_t lanes() const noexcept override { return runtime.lane_count(); }
  bool service_born(Service& s) override;
  void service_gone(Service& s) override;

  // ---- ListenerSink (control thread)
  void listening(base::Result<std::vector<std::string>> urls) override;
  void ask(uint64_t ticket, std::string json) override;
  void ask_over(uint64_t ticket) override;
  void ready(net::Accepted&& a) override;
  void trouble(base::Error e) override;
  void log(int level, std::string line) override;
  bool alive() override;
  void stopped() override;

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

  // ---- the lane of the peer
  void child_gone(loop::Lane& lane);   // a peer or subscription of this lane was freed

 private:
  struct Shard {
    // The way to CLOSED, step by step: on the shard's lane, but `empty` and `back` on the home lane.
    void close() { provider->close_shard(*this, provider->how_); }
    void abort() { provider->close_shard(*this, CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"}); }
    void arrived() {
      last_seen = true;
      provider->check_shard(*this);
    }
    void emptied() { provider->shard_empty(); }
    void round() { provider->lane->post(&back_step); }
    void back() { provider->shard_back(); }
    Step<Shard> close_step{*this, &Shard::close}, abort_step{*this, &Shard::abort}, arrived_step{*this, &Shard::arrived},
        empty_step{*this, &Shard::emptied}, round_step{*this, &Shard::round}, back_step{*this, &Shard::back};
    Provider* provider = nullptr;
    loop::Lane* lane = nullptr;
    std::vector<Peer*> peers;
    base::PatternSet topics;
    std::unique_ptr<wire::SharedDeflate> deflate;
    Counters counters;
    size_t children = 0;       // peers and subscriptions not freed yet
    bool closing = false;      // no more peers
    bool last_seen = false;    // the listener has stopped: nothing more can arrive
    bool told = false;
  };
  struct Question {
    uint64_t ticket;
    mw_handle handle;
  };

  Provider(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);
  ~Provider();
  Shard& shard(const loop::Lane& lane) noexcept { return shards_[static_cast<size_t>(lane.index)]; }
  void begin_start();
  void begin_close(const CloseWish& wish);
  void begin_drain();
  void close_shard(Shard& s, const CloseWish& wish);
  void check_shard(Shard& s);
  void all_arrived();
  void listener_gone();
  void shard_empty();
  void shard_back();
  void end(bool dead) noexcept;
  void admit(Shard& s, net::Accepted&& a);
  Peer* born(Shard& s, net::Accepted& a);
  void publish_here(Shard& s, mw_msg* origin, mw_handle except, uint32_t flags,
                    const std::shared_ptr<struct Published>& told);
  void forget_topics(Shard& s, Peer& p);
  void interest(loop::Lane& lane, Peer& peer, const std::string& topic, int64_t before, int64_t after);
  static constexpr size_t kMaxTopics = 10000;  // a peer may subscribe to by itself

  Listen listen_;
  std::vector<Shard> shards_;
  std::atomic<size_t> lanes_used_{1};
  std::atomic<size_t> peers_{0};
  std::atomic<size_t> next_shard_{0};
  std::atomic<mw_status> state_{MW_STATE_IDLE};
  mutable std::mutex topics_mutex_;
  std::shared_ptr<net::Listener> listener_;   // under mutex_
  std::vector<std::string> urls_;             // under mutex_
  // home lane
  std::vector<Question> questions_;
  CloseWish how_;
  bool opening_ = false, closing_ = false, aborted_ = false, listener_stopped_ = true;
  Step<Provider> stopped_step_{*this, &Provider::listener_gone};
  size_t shards_left_ = 0;
  struct DrainTimer final : loop::Timer {
    Provider* provider = nullptr;
    void expired() noexcept override {
      try {
        provider->drain_tick();
      } catch (...) {
        provider->lane->wheel.set(*this, provider->lane->now() + 20);
      }
    }
  } drain_timer_;
  void drain_tick();
  uint64_t drain_began_ = 0, drain_end_ = 0;
  size_t drain_step_ = 0;
};

// Something asked of the host (auth.ask); settled once.
class Ask final : public loop::Object {
 public:
  Ask(Provider& p, uint64_t t) : Object(p.runtime, p.lane), provider(p), ticket(t) {}
  void attend(uint32_t) override {}
  void destroy(bool) noexcept override;
  Provider& provider;
  const uint64_t ticket;
};

class Subscription final : public loop::Object {
 public:
  Subscription(Provider& p, loop::Lane& lane, mw_handle of, base::Pattern what)
      : Object(p.runtime, &lane), provider(p), peer(of), pattern(std::move(what)) {}
  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;
  Provider& provider;
  const mw_handle peer;
  const base::Pattern pattern;
  bool counted = false;  // among its shard's children
};

}  // namespace mw::link
