// What a provider, a consumer and a share have in common: options, callback, the
// way events and log lines are made; and what has sessions. Fields: see each.
#pragma once
#include "base/insist.hpp"
#include "link/job_queue.hpp"
#include "link/policy.hpp"
#include <meshwork/link.h>
#include "link/service.hpp"
#include "link/session.hpp"
#include "link/step.hpp"
#include "wire/event.hpp"
#include "wire/hello.hpp"
#include "loop/runtime.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mw::link {

// Request bits of peers and parties; bit 0 is loop::kCloseRequest.
inline constexpr uint32_t kClose = loop::kCloseRequest;
inline constexpr uint32_t kWritable = 2, kDropped = 4, kPause = 8, kStart = 32, kDrain = 64,
                          kOverflow = 128, kSlow = 256, kAbort = 512, kFlush = 1024;

// Traffic of one lane; written there, read anywhere.
struct alignas(64) Counters {
  std::atomic<uint64_t> messages_in{0}, messages_out{0}, bytes_in{0}, bytes_out{0};
};

// As mw_close does: the first wish counts. Any thread that has a pin.
void wish_close(loop::Object& o, std::atomic<CloseWish*>& wish, const CloseWish& w);

// The body of a DONE or ERROR that says why.
std::string error_json(const base::Error& e);

// What has options and a callback of the host's: its events and log lines.
class Owner : public loop::Object {
 public:
  Owner(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);

  // Events. On a lane.
  void emit(loop::Lane& lane, mw_event& ev, std::string_view topic, std::string_view meta, std::string_view body);
  void event(loop::Lane& lane, uint32_t kind, mw_handle peer, uint64_t token, mw_status status, int32_t code,
             uint64_t id, std::string_view body);
  void log(loop::Lane& lane, base::LogLevel level, mw_handle peer, std::string_view area, std::string_view line);
  void done(loop::Lane& lane, uint64_t op, mw_status status, int32_t code, std::string_view body,
            mw_handle peer = 0);
  // The DONE of a call that got no answer; its body says why.
  void call_failed(loop::Lane& lane, uint64_t op, mw_status status, mw_handle peer, int32_t parts = 0);

  // Any thread, before start.
  mw_status on(mw_event_fn fn, void* user, mw_free_fn free_user);
  // Any thread.
  std::shared_ptr<const base::Conf> conf() const;
  void set_conf(std::shared_ptr<const base::Conf> c);
  void close_as(const CloseWish& w) { wish_close(*this, wish, w); }

  Policy policy;
  loop::Target* target;                      // until CLOSED
  std::atomic<bool> started{false};
  std::atomic<CloseWish*> wish{nullptr};     // the first mw_close

 protected:
  ~Owner();
  // Among the children of its context, with a handle and a token. An error: delete it.
  base::Result<void> enter(base::Kind kind, uint64_t token);
  // mw_start, where nothing stands against it: kStart follows. Any thread.
  mw_status ask_start(uint64_t op);
  // mw_cancel of a start: false, there is none with this op. Any thread.
  bool cancel_start(uint64_t op);
  bool settle_canceled();                    // home lane; whether starts are left
  void finish_starts(mw_status status, int32_t code, std::string_view body);  // home lane
  // mw_drain, where nothing stands against it: state, when given, is draining then; kDrain follows. Any thread.
  mw_status ask_drain(int64_t deadline_ms, uint64_t op, std::atomic<mw_status>* state);
  uint64_t drain_ms() const;                 // at least 1
  void finish_drains();                      // home lane
  // Why it is closed: mw_close, or its context is.
  CloseWish close_wish() const;
  // Home lane; the last event. With how many messages and bytes of what was accepted were not sent.
  void tell_closed(const CloseWish& how, uint64_t unsent = 0, uint64_t unsent_bytes = 0);
  mutable std::mutex mutex_;                 // conf, start ops, facts
  std::vector<uint64_t> start_ops_, cancels_, drain_ops_;  // under mutex_
  int64_t drain_ms_ = 0;                     // under mutex_

 private:
  std::shared_ptr<const base::Conf> conf_;
  bool told_ = false;
};

// What a node adds to the connections of its provider and its consumers. Their
// lane's thread.
class Meeting {
 public:
  virtual void introduce(Session& s, wire::Hello& ours) = 0;
  virtual const char* met(Session& s, const wire::Hello& theirs) = 0;  // why it is a violation, or null
  virtual void greeted(Session& s) = 0;                                // after met: it may be spoken to
  virtual bool member_came(Session& s, const uint8_t* p, size_t n, wire::Violation& v) = 0;
  virtual std::string_view name_of(Session& s) const noexcept = 0;     // who the other end is
  // Targets that the library itself answers: MW_OK and the answer, or why not and the rule that says so.
  static constexpr std::string_view kOwn = "meshwork";
  static bool is_own(std::string_view target) noexcept {
    return target.starts_with(kOwn) && (target.size() == kOwn.size() || target[kOwn.size()] == '.');
  }
  virtual mw_status asked(Session& s, std::string_view target, std::string* answer) = 0;
  // Whether the other end may call this: MW_OK, or why not and the rule that says so. queued: it waits for its turn.
  virtual mw_status may_call(Session& s, std::string_view target, bool* queued, std::string* rule) = 0;

 protected:
  ~Meeting() = default;
};

class Party : public Owner {
 public:
  Party(loop::Runtime& ctx, loop::Lane* home, std::shared_ptr<const base::Conf> conf);

  virtual void session_ended(Session& s) = 0;                       // on the lane; its carrier is gone
  virtual wire::SharedDeflate& shared_deflate(loop::Lane& lane) = 0;
  // A message accepted and not begun when the link was lost. True: it waits for the next one.
  virtual bool keep(mw_msg*, uint32_t /*flags*/, uint64_t /*op*/) { return false; }
  virtual Counters& counters(loop::Lane& lane) = 0;
  // The own wire, on the lane of the session.
  virtual void greeted(Session&) {}
  virtual mw_status remote_subscribe(Session& s, uint64_t number, uint8_t syntax, std::string_view pattern,
                                     std::string* why) = 0;
  virtual mw_status remote_unsubscribe(Session& s, uint64_t number) = 0;
  virtual void subscribe_result(Session&, uint64_t, bool, mw_status, std::string_view) {}
  virtual void told_to_drain(Session&, uint64_t, uint64_t) {}
  // A channel: what our hello says besides; whether theirs will do; what comes
  // (both answer why it is a violation, or null); the end of a WebSocket
  // message; all output is with the kernel.
  virtual void introduce(Session& s, wire::Hello& ours) {
    if (meeting != nullptr) meeting->introduce(s, ours);
  }
  virtual const char* met(Session& s, const wire::Hello& theirs) {
    return meeting != nullptr ? meeting->met(s, theirs) : nullptr;
  }
  virtual const char* event_came(Session&, const wire::EventView&) { return nullptr; }
  virtual const char* taken(Session&, uint64_t /*through*/) { return nullptr; }
  virtual void message_read(Session&) {}
  // A frame of a bare stream, its NUL behind it. Why it is a violation, or "".
  virtual std::string packet_came(Session&, std::string_view /*frame*/) { return {}; }
  virtual void written(Session&) {}

  // Calls. Any thread; the first one makes it.
  Services& services();
  Services* served() const noexcept {
    return serves_for != nullptr ? serves_for->served() : services_.load(std::memory_order_acquire);
  }
  virtual bool draining() const noexcept = 0;      // any thread: takes no new calls
  std::string queues() const;                      // any thread: how those of its services stand, as a JSON list
  template <class F>
  void each_service(F f) const {                   // any thread
    if (const Services* all = served()) all->each(f);
  }
  template <class F>
  void each_queue(F f) const {                     // any thread: f(name of its service, numbers)
    each_service([&](const Service& s) {
      if (const JobQueue* q = s.jobs(); q != nullptr)
        if (const JobQueue::Numbers n = q->numbers(); q->all || n.taken != 0) f(s.name, n);
    });
  }
  virtual size_t lanes() const noexcept = 0;       // its connections are on: 1 (home), or all of the context
  // The home lane. False: it is closing and counts no more.
  virtual bool service_born(Service& s) = 0;
  virtual void service_gone(Service& s) = 0;       // after its CLOSED
  void end_services() {
    for (size_t i = serving_.size(); i-- > 0;) serving_[i]->end();
  }

  void violation(loop::Lane& lane, mw_handle peer, const wire::Violation& v);
  void count_dropped(uint64_t n) noexcept { dropped.fetch_add(n, std::memory_order_relaxed); }
  std::atomic<uint64_t> dropped{0}, violations{0};

  // Set by a node before its parties start.
  Meeting* meeting = nullptr;
  const Party* serves_for = nullptr;  // whose services the other end finds here, too

 protected:
  ~Party();
  std::vector<Service*> serving_;            // home lane

 private:
  std::atomic<Services*> services_{nullptr};
};

// {"message":"..."} of a status, made once.
std::string_view failure_text(mw_status s) noexcept;

// The headers of PEER_DOWN and CLOSED: what was accepted and never sent.
std::string unsent_meta(uint64_t messages, uint64_t bytes);

// A text that an event can do without where there is no memory.
template <class F>
std::string text_or_none(F f) noexcept {
  try {
    return std::string(f());
  } catch (const std::bad_alloc&) {
    return {};
  }
}

// Posts a function to a lane. Throws std::bad_alloc; f does not run then.
template <class F>
void post(loop::Lane& lane, F f) {
  struct Call final : loop::Command {
    F f;
    explicit Call(F&& g) : f(std::move(g)) {}
    void run(loop::Lane&, bool dead) override {
      if (!dead) f();
      delete this;
    }
  };
  lane.post(new Call(std::move(f)));
}

}  // namespace mw::link
