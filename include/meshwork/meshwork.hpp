/* meshwork for C++20: objects instead of handles, lambdas instead of one
 * callback, std::string_view and std::span instead of pointer and length.
 * Header only, on the C API alone; the library never shows a C++ type.
 *
 *   mw::Context ctx({{"threads", 0}});
 *   mw::Provider provider(ctx, {{"port", 8080}});
 *   provider.on_message([](mw::Peer peer, std::string_view text) { peer.send(text); });
 *   provider.start();
 *   ctx.run();
 *
 * Rules
 *  - Opening, and the verbs that configure (start, update, subscribe, drain,
 *    info), throw mw::Error. Sending answers with an mw_status and never throws.
 *  - A verb that takes a Completion calls it once, from the same place as the
 *    handlers, unless the verb itself is refused.
 *  - Handlers are set before start(). They run where the context's door says:
 *    inside run() or dispatch(), or on library threads with delivery=inline.
 *  - A handler that throws does not stop its batch. The first exception of a
 *    batch is thrown again by run() or dispatch() when the library has
 *    finished its bookkeeping. With Context::on_exception set it goes there
 *    instead: set it when delivery=inline, where no caller can catch.
 *  - The destructor of a Provider or Consumer closes it (1001; cut off, while
 *    an exception unwinds) and returns at once; no handler of it runs
 *    afterwards, and completions still open are not called. With library
 *    threads it first waits for a handler that is running on another thread;
 *    with threads=0 destroy it on the thread that turns the context.
 *  - The destructor of a Context closes everything of it, sends what was
 *    accepted, waits for the peers (close.timeout, 5 s, at the longest) and
 *    joins every thread. It may not run inside a handler, and no handler of
 *    the context itself runs afterwards.
 *  - The message path allocates nothing that the C API does not. */
#ifndef MESHWORK_HPP
#define MESHWORK_HPP

#include <meshwork/meshwork.h>

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace mw {

using Bytes = std::span<const std::byte>;

/* Why something could not be opened or configured. */
class Error : public std::runtime_error {
 public:
  Error(mw_status code, const std::string& text) : std::runtime_error(text), code_(code) {}
  Error(mw_status code, const mw_error& e)
      : std::runtime_error(e.text_len != 0 ? std::string(e.text, e.text_len)
                                           : std::string(mw_status_text(code))),
        code_(code),
        os_(e.os) {}
  mw_status code() const noexcept { return code_; }
  const char* name() const noexcept { return mw_status_name(code_); }
  bool retryable() const noexcept { return (mw_status_flags(code_) & MW_SF_RETRY) != 0; }
  int os() const noexcept { return os_; } /* errno, or 0 */

 private:
  mw_status code_;
  int os_ = 0;
};

namespace detail {
inline void check(mw_status s, const mw_error& e) {
  if (s < 0) throw Error(s, e);
}
}  // namespace detail

/* A message: immutable once used; copies share it. */
class Message {
 public:
  explicit Message(std::string_view text, uint32_t flags = MW_F_TEXT)
      : Message(mw_msg_new(text.data(), text.size(), flags)) {}
  explicit Message(Bytes body, uint32_t flags = 0)
      : Message(mw_msg_new(body.data(), body.size(), flags)) {}
  explicit Message(mw_msg* owned) : m_(owned) { /* takes the reference */
    if (m_ == nullptr) throw Error(MW_EINVAL, "no message: out of memory, or text that is not UTF-8");
  }
  Message(const Message& o) noexcept : m_(mw_msg_ref(o.m_)) {}
  Message(Message&& o) noexcept : m_(std::exchange(o.m_, nullptr)) {}
  Message& operator=(Message o) noexcept {
    std::swap(m_, o.m_);
    return *this;
  }
  ~Message() { mw_msg_unref(m_); }

  Message& header(std::string_view key, std::string_view value) { /* before first use */
    if (mw_status s = mw_msg_set(m_, key.data(), key.size(), value.data(), value.size()); s < 0)
      throw Error(s, mw_status_text(s));
    return *this;
  }
  std::optional<std::string_view> header(std::string_view key) const noexcept {
    size_t n = 0;
    const void* v = mw_msg_get(m_, key.data(), key.size(), &n);
    if (v == nullptr) return std::nullopt;
    return std::string_view(static_cast<const char*>(v), n);
  }
  std::string_view text() const noexcept {
    size_t n = 0;
    const void* p = mw_msg_body(m_, &n);
    return {static_cast<const char*>(p), n};
  }
  Bytes bytes() const noexcept { return std::as_bytes(std::span(text())); }
  std::string_view topic() const noexcept {
    size_t n = 0;
    const char* p = mw_msg_topic(m_, &n);
    return {p, n};
  }
  bool is_text() const noexcept { return (mw_msg_flags(m_) & MW_F_TEXT) != 0; }
  const mw_msg* get() const noexcept { return m_; }

 private:
  mw_msg* m_;
};

/* One option: a key and a text, a number or a bool. */
struct Option {
  Option(std::string_view k, std::string_view v) : key(k), value(v) {}
  Option(std::string_view k, const char* v) : key(k), value(v) {}
  Option(std::string_view k, std::same_as<bool> auto v) : key(k), value(v ? "true" : "false") {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Option(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
  std::string_view key;
  std::string value;
};
using Options = std::initializer_list<Option>;

/* Options of one kind (MW_CONF_*); the keys are listed by `meshwork options`. */
class Conf {
 public:
  explicit Conf(int32_t kind, Options options = {}) : c_(mw_conf_new(kind)) {
    if (c_ == nullptr) throw Error(MW_EINVAL, "no such kind of options");
    for (const Option& o : options) set(o.key, o.value);
  }
  Conf& set(std::string_view key, std::string_view value) {
    mw_error e{};
    detail::check(mw_conf_set(c_.get(), key.data(), key.size(), value.data(), value.size(), &e), e);
    return *this;
  }
  Conf& load(std::string_view json) {
    mw_error e{};
    detail::check(mw_conf_load(c_.get(), json.data(), json.size(), &e), e);
    return *this;
  }
  std::string get(std::string_view key) const {
    std::string out;
    size_t need = 0;
    mw_status s = mw_conf_get(c_.get(), key.data(), key.size(), nullptr, 0, &need);
    if (s == MW_ETOOBIG || s >= 0) {
      out.resize(need + 1);
      s = mw_conf_get(c_.get(), key.data(), key.size(), out.data(), out.size(), &need);
      out.resize(need);
    }
    if (s < 0) throw Error(s, mw_status_text(s));
    return out;
  }
  const mw_conf* get() const noexcept { return c_.get(); }
  std::shared_ptr<mw_conf> shared() const { return {mw_conf_ref(c_.get()), mw_conf_unref}; }

 private:
  struct Unref {
    void operator()(mw_conf* c) const noexcept { mw_conf_unref(c); }
  };
  std::unique_ptr<mw_conf, Unref> c_;
};

/* Name of something live, with the verbs every handle has. A value: copies
 * name the same thing; when that is gone, verbs answer MW_ECLOSED. */
class Handle {
 public:
  Handle() = default;
  explicit Handle(mw_handle id) noexcept : id_(id) {}
  mw_handle id() const noexcept { return id_; }
  explicit operator bool() const noexcept { return id_ != 0; }
  friend bool operator==(const Handle&, const Handle&) = default;

  mw_status close(int code = 0, std::string_view reason = {}) const noexcept {
    return mw_close(id_, code, reason.data(), reason.size(), 0);
  }
  mw_status abort() const noexcept { return mw_close(id_, 0, nullptr, 0, MW_CLOSE_ABORT); }
  mw_status pause(bool on = true) const noexcept { return mw_pause(id_, on); }
  mw_status cork(bool on = true) const noexcept { return mw_cork(id_, on); }
  mw_status state() const noexcept { return mw_state(id_); }
  mw_status stat(int32_t what, int64_t& value) const noexcept { return mw_stat(id_, what, &value); }
  int64_t stat(int32_t what) const noexcept { /* 0 where there is no such number */
    int64_t v = 0;
    return stat(what, v) < 0 ? 0 : v;
  }
  /* Facts as JSON: "", "config", "address", "state" or "topics". */
  std::string info(std::string_view what = {}) const {
    mw_error e{};
    mw_msg* m = nullptr;
    detail::check(mw_info(id_, what.data(), what.size(), &m, 0, &e), e);
    return std::string(Message(m).text());
  }

 protected:
  mw_handle id_ = 0;
};

/* Something messages can be sent to: a provider's peer, or a consumer. */
class Sender : public Handle {
 public:
  using Handle::Handle;
  /* MW_OK, MW_BUFFERED (accepted; on_writable follows), MW_EAGAIN (refused,
   * nothing kept; on_writable follows) or another error. */
  mw_status send(std::string_view text, uint32_t flags = MW_F_TEXT) const noexcept {
    return mw_send_bytes(id_, text.data(), text.size(), flags);
  }
  mw_status send(Bytes body, uint32_t flags = 0) const noexcept {
    return mw_send_bytes(id_, body.data(), body.size(), flags);
  }
  mw_status send(const Message& m, uint32_t flags = 0) const noexcept {
    return mw_send(id_, m.get(), flags, 0);
  }
  mw_status ping(std::string_view body = {}) const noexcept { return send(body, MW_F_PING); }
  void subscribe(std::string_view pattern, const Conf* sub = nullptr) const {
    mw_error e{};
    detail::check(mw_subscribe(id_, pattern.data(), pattern.size(), sub ? sub->get() : nullptr, 0,
                               0, nullptr, &e),
                  e);
  }
  mw_status unsubscribe(std::string_view pattern) const noexcept {
    return mw_unsubscribe(id_, pattern.data(), pattern.size(), 0);
  }
  bool subscribed(std::string_view topic) const noexcept {
    return mw_subscribed(id_, topic.data(), topic.size()) == 1;
  }
  /* A call that nobody answers. */
  mw_status oneway(std::string_view target, const Message& m) const noexcept {
    return mw_call(id_, target.data(), target.size(), m.get(), nullptr, 0, 0, MW_F_ONEWAY, 0, nullptr);
  }
};

class Peer : public Sender {
  using Sender::Sender;
};

/* A call that waits for its answer: a value, answered once, at any time and on
 * any thread. False: a oneway call, which takes none. */
class Request {
 public:
  Request() = default;
  explicit Request(mw_handle id) noexcept : id_(id) {}
  mw_handle id() const noexcept { return id_; }
  explicit operator bool() const noexcept { return id_ != 0; }
  friend bool operator==(const Request&, const Request&) = default;

  /* The answer. MW_ECLOSED: answered already, cancelled, or the caller has gone. */
  mw_status reply(const Message& m, uint32_t flags = 0) const noexcept {
    return mw_reply(id_, m.get(), flags, 0);
  }
  mw_status reply(std::string_view text = {}) const { return reply(Message(text)); }
  mw_status reply(Bytes body) const { return reply(Message(body)); }
  /* One part of several; reply() ends them. MW_BUFFERED (kept), MW_EAGAIN
   * (refused): the service's on_writable follows. */
  mw_status part(const Message& m) const noexcept { return mw_reply(id_, m.get(), MW_F_MORE, 0); }
  mw_status part(std::string_view text) const { return part(Message(text)); }
  mw_status part(Bytes body) const { return part(Message(body)); }
  /* json: an object, usually with "message"; empty: made from the code. */
  mw_status fail(std::string_view json = {}, mw_status code = MW_EREMOTE) const noexcept {
    return mw_fail(id_, code, json.data(), json.size(), 0);
  }
  /* Back into its queue, to come again later; code and json are its caller's when that was the last time. */
  mw_status give_back(std::string_view json = {}, mw_status code = MW_EREMOTE) const noexcept {
    return mw_fail(id_, code, json.data(), json.size(), MW_FAIL_RETRY);
  }

 private:
  mw_handle id_ = 0;
};

/* A question of a provider with auth.ask, answered once, at any time before
 * auth.timeout and on any thread. */
class Ask {
 public:
  explicit Ask(mw_handle id) noexcept : id_(id) {}
  mw_handle id() const noexcept { return id_; }
  /* json: {"data":...} with a yes, {"status":401,"body":"..."} with a no. */
  mw_status answer(bool allow, std::string_view json = {}) const noexcept {
    return mw_answer(id_, allow, json.data(), json.size(), nullptr);
  }

 private:
  mw_handle id_;
};

/* One event, borrowed: it and its bytes die when the handler returns. */
class Event {
 public:
  Event(const mw_event* ev, const uint8_t* data) noexcept : ev_(ev), data_(data) {}
  uint32_t kind() const noexcept { return ev_->kind; }
  mw_status status() const noexcept { return ev_->status; }
  int32_t code() const noexcept { return ev_->code; }
  uint64_t id() const noexcept { return ev_->id; }
  uint32_t flags() const noexcept { return ev_->flags; }
  Peer peer() const noexcept { return Peer(ev_->peer); }
  bool is_text() const noexcept { return (ev_->flags & MW_F_TEXT) != 0; }
  std::string_view topic() const noexcept { return {at(0), ev_->topic_len}; }
  std::string_view text() const noexcept {
    if ((ev_->flags & MW_F_REF) != 0) {
      size_t n = 0;
      const void* p = mw_msg_body(reinterpret_cast<const mw_msg*>(uintptr_t{ev_->msg}), &n);
      return {static_cast<const char*>(p), n};
    }
    return {at(ev_->topic_len + ev_->meta_len), ev_->body_len};
  }
  Bytes bytes() const noexcept { return std::as_bytes(std::span(text())); }
  std::optional<std::string_view> header(std::string_view key) const noexcept {
    std::string_view rest = meta();
    while (rest.size() >= 6) { /* u16 key length, u32 value length, key, value */
      auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(rest[i])); };
      const size_t k = byte(0) | byte(1) << 8;
      const size_t v = byte(2) | byte(3) << 8 | byte(4) << 16 | byte(5) << 24;
      if (k + v > rest.size() - 6) break;
      if (rest.substr(6, k) == key) return rest.substr(6 + k, v);
      rest.remove_prefix(6 + k + v);
    }
    return std::nullopt;
  }
  /* All headers, packed as mw_event says. */
  std::string_view meta() const noexcept { return {at(ev_->topic_len), ev_->meta_len}; }
  Message keep() const { return Message(mw_msg_keep(ev_, data_)); }
  Request request() const noexcept { return Request(ev_->id); } /* of a REQUEST or CANCEL */
  Ask ask() const noexcept { return Ask(ev_->id); } /* of an ASK: keep it to answer later */
  mw_status answer(bool allow, std::string_view json = {}) const noexcept {
    return ask().answer(allow, json);
  }
  const mw_event& raw() const noexcept { return *ev_; }

 private:
  const char* at(size_t skip) const noexcept {
    return reinterpret_cast<const char*>(data_) + ev_->offset + skip;
  }
  const mw_event* ev_;
  const uint8_t* data_;
};

/* Called once with the result of a verb. */
using Completion = std::function<void(mw_status, const Event&)>;

namespace detail {

using Handler = std::function<void(const Event&)>;

/* A handler may take what it needs: (Peer, Event), (Peer, string_view),
 * (Peer, Bytes), (Peer), (Event), (string_view), (Bytes) or nothing. */
template <class F>
Handler adapt(F f) {
  using Text = std::string_view;
  if constexpr (std::invocable<F&, Peer, const Event&>)
    return [f = std::move(f)](const Event& e) mutable { f(e.peer(), e); };
  else if constexpr (std::invocable<F&, Peer, Text>)
    return [f = std::move(f)](const Event& e) mutable { f(e.peer(), e.text()); };
  else if constexpr (std::invocable<F&, Peer, Bytes>)
    return [f = std::move(f)](const Event& e) mutable { f(e.peer(), e.bytes()); };
  else if constexpr (std::invocable<F&, Peer>)
    return [f = std::move(f)](const Event& e) mutable { f(e.peer()); };
  else if constexpr (std::invocable<F&, const Event&>)
    return [f = std::move(f)](const Event& e) mutable { f(e); };
  else if constexpr (std::invocable<F&, Text>)
    return [f = std::move(f)](const Event& e) mutable { f(e.text()); };
  else if constexpr (std::invocable<F&, Bytes>)
    return [f = std::move(f)](const Event& e) mutable { f(e.bytes()); };
  else
    return [f = std::move(f)](const Event&) mutable { f(); };
}

/* The same for who serves, with the Request in the place of the Peer. */
template <class F>
Handler adapt_request(F f) {
  using Text = std::string_view;
  if constexpr (std::invocable<F&, Request, const Event&>)
    return [f = std::move(f)](const Event& e) mutable { f(e.request(), e); };
  else if constexpr (std::invocable<F&, Request, Text>)
    return [f = std::move(f)](const Event& e) mutable { f(e.request(), e.text()); };
  else if constexpr (std::invocable<F&, Request, Bytes>)
    return [f = std::move(f)](const Event& e) mutable { f(e.request(), e.bytes()); };
  else if constexpr (std::invocable<F&, Request>)
    return [f = std::move(f)](const Event& e) mutable { f(e.request()); };
  else
    return adapt(std::move(f));
}

/* What a context and its objects share: where exceptions go. */
struct Shared {
  std::mutex mutex;
  std::exception_ptr first;
  std::function<void(std::exception_ptr)> on_exception;
  std::atomic<bool> woken{false};
  bool library_threads = false;
  mw_handle turned = 0; /* the context, where run() turns it: what it throws again ends it */

  void caught(std::exception_ptr e) noexcept {
    if (on_exception) {
      try {
        return on_exception(e);
      } catch (...) {
        e = std::current_exception();
      }
    }
    {
      std::lock_guard lock(mutex);
      if (first == nullptr) first = e;
    }
    if (turned != 0) mw_ctx_wake(turned);
  }
  void rethrow() {
    std::unique_lock lock(mutex);
    if (std::exception_ptr e = std::exchange(first, nullptr)) {
      lock.unlock();
      std::rethrow_exception(e);
    }
  }
};

/* Handlers and open completions of one object. The library holds one
 * reference until CLOSED, the object the other. */
struct State {
  explicit State(std::shared_ptr<Shared> s) : shared(std::move(s)) {}

  /* Makes the library call the handlers of s. */
  static void listen(mw_handle h, const std::shared_ptr<State>& s) {
    auto user = std::make_unique<std::shared_ptr<State>>(s);
    if (mw_status r = mw_on(h, deliver, user.get(), release); r < 0)
      throw Error(r, mw_status_text(r));
    user.release(); /* the library's until CLOSED */
  }

  std::array<Handler, 80> on; /* by event kind */
  Handler rest;
  std::shared_ptr<Shared> shared;
  std::mutex mutex;
  struct Op {
    Completion done;
    Handler part; /* of a streamed answer */
  };
  std::unordered_map<uint64_t, Op> ops;
  uint64_t next_op = 1;
  std::unordered_map<uint64_t, std::shared_ptr<State>> services; /* by token */
  uint64_t next_token = 1;
  std::atomic<int> running{0};
  std::atomic<bool> muted{false};
  inline static thread_local const State* inside = nullptr;

  /* Runs verb(op) and keeps done for its DONE; a refused verb forgets it. */
  template <class Verb>
  mw_status run(Completion done, Verb verb, Handler part = {}) {
    uint64_t op = 0;
    if (done) {
      std::lock_guard lock(mutex);
      op = next_op++;
      ops.emplace(op, Op{std::move(done), std::move(part)});
    }
    const mw_status s = verb(op);
    if (s < 0 && op != 0) {
      std::lock_guard lock(mutex);
      ops.erase(op);
    }
    return s;
  }
  void call(const Event& e) {
    if (e.kind() == MW_EVENT_DONE) {
      std::unique_lock lock(mutex);
      if (auto node = ops.extract(e.id())) {
        lock.unlock();
        return node.mapped().done(e.status(), e);
      }
    }
    if (e.kind() == MW_EVENT_PART) {
      std::unique_lock lock(mutex);
      if (auto it = ops.find(e.id()); it != ops.end() && it->second.part) {
        Op& op = it->second; /* stays where it is until its DONE, which comes after this */
        lock.unlock();
        return op.part(e);
      }
    }
    if (e.kind() < on.size() && on[e.kind()])
      on[e.kind()](e);
    else if (rest)
      rest(e);
  }
  void mute() noexcept { /* after it no handler runs, but the one that calls it */
    muted = true;
    if (!shared->library_threads || inside == this) return;
    for (int n = running; n != 0; n = running) running.wait(n);
  }
  std::shared_ptr<State> service(uint64_t token) noexcept {
    std::lock_guard lock(mutex);
    const auto it = services.find(token);
    return it == services.end() ? nullptr : it->second;
  }
  static void deliver(const mw_event* ev, const uint8_t* data, void* user) noexcept {
    State* s = static_cast<std::shared_ptr<State>*>(user)->get();
    if (ev->token == 0) return enter(s, ev, data);
    const std::shared_ptr<State> service = s->service(ev->token);
    if (service != nullptr) enter(service.get(), ev, data);
    if (ev->kind == MW_EVENT_CLOSED) {
      std::lock_guard lock(s->mutex);
      s->services.erase(ev->token);
    }
  }
  static void enter(State* s, const mw_event* ev, const uint8_t* data) noexcept {
    const bool count = s->shared->library_threads;
    if (count) ++s->running;
    if (!s->muted) {
      const State* outer = std::exchange(inside, s);
      try {
        s->call(Event(ev, data));
      } catch (...) {
        s->shared->caught(std::current_exception());
      }
      inside = outer;
    }
    if (count && --s->running == 0 && s->muted) s->running.notify_all();
  }
  static void release(void* user) noexcept { delete static_cast<std::shared_ptr<State>*>(user); }
};

/* What is done when lent bytes come home. */
struct Lent {
  std::shared_ptr<Shared> shared;
  std::function<void()> released;

  static void release(void* hint) noexcept {
    const std::unique_ptr<Lent> lent(static_cast<Lent*>(hint));
    try {
      lent->released();
    } catch (...) {
      lent->shared->caught(std::current_exception());
    }
  }
};

}  // namespace detail

/* What a context and its objects have in common. */
class Object {
 public:
  mw_handle id() const noexcept { return id_; }
  Handle handle() const noexcept { return Handle(id_); }

  /* Handlers: see detail::adapt for the forms they may have. */
  template <class F> void on(uint32_t kind, F f) { state_->on.at(kind) = detail::adapt(std::move(f)); }
  template <class F> void on_event(F f) { state_->rest = detail::adapt(std::move(f)); } /* all others */
  template <class F> void on_closed(F f) { on(MW_EVENT_CLOSED, std::move(f)); }
  template <class F> void on_log(F f) { on(MW_EVENT_LOG, std::move(f)); }

  void update(const Conf& conf, Completion done = {}) {
    configure(std::move(done),
              [&](uint64_t op, mw_error* e) { return mw_update(id_, conf.get(), op, e); });
  }
  void close(int code = 0, std::string_view reason = {}) const noexcept {
    handle().close(code, reason);
  }

 protected:
  Object() = default;
  Object(Object&&) noexcept = default;
  ~Object() = default;

  /* Runs verb(op, error), which ends in a DONE; the op, 0 without done. */
  template <class Verb>
  uint64_t configure(Completion done, Verb verb) {
    mw_error e{};
    uint64_t number = 0;
    const mw_status s = state_->run(std::move(done), [&](uint64_t op) { return verb(number = op, &e); });
    detail::check(s, e);
    return number;
  }
  mw_handle id_ = 0;
  std::shared_ptr<detail::State> state_;
};

/* The loop, the clock, the memory budget, and the threads if any. */
class Context : public Object {
 public:
  explicit Context(Options options = {}) : Context(Conf(MW_CONF_CTX, options)) {}
  explicit Context(const Conf& conf) {
    state_ = std::make_shared<detail::State>(std::make_shared<detail::Shared>());
    host_turned_ = conf.get("threads") == "0";
    queued_ = !host_turned_ && conf.get("delivery") == "queued";
    state_->shared->library_threads = !host_turned_;
    mw_error e{};
    detail::check(mw_ctx_open(conf.get(), &id_, &e), e);
    if (host_turned_) state_->shared->turned = id_;
    try {
      detail::State::listen(id_, state_);
    } catch (...) {
      end();
      throw;
    }
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    state_->mute();
    end();
  }

  /* Makes callbacks on this thread for ms milliseconds (-1: until wake() or
   * the context is closed; 0: what is there). False when it is closed. Not
   * for delivery=inline, where library threads do this. */
  bool run(int64_t ms = -1) {
    mw_error e{};
    mw_status s = MW_OK;
    if (host_turned_) {
      s = mw_ctx_run(id_, ms, &e);
    } else {
      do {
        if (ms != 0) s = mw_ctx_wait(id_, ms);
        if (s == MW_ETIMEDOUT) s = MW_OK;
        size_t n = 0;
        if (s >= 0) s = mw_ctx_dispatch(id_, 0, &n);
        shared().rethrow();
      } while (ms < 0 && s >= 0 && !shared().woken.exchange(false));
    }
    shared().rethrow();
    if (s != MW_EEND && s != MW_ECLOSED) detail::check(s, e);
    more_ = s == MW_MORE;
    return s >= 0;
  }
  bool more() const noexcept { return more_; } /* the last run() left work: come again at once */
  int fd() const { /* poll it for reading, then run(0) */
    int out = -1;
    mw_error e{};
    detail::check(mw_ctx_fd(id_, &out), e);
    return out;
  }
  void wake() noexcept { /* ends run(); any thread */
    shared().woken = true;
    mw_ctx_wake(id_);
  }
  /* After close(): waits until no thread of it is left. The destructor does
   * both; these are for who wants to see the last events. */
  mw_status join(int64_t ms = -1) noexcept { return mw_ctx_join(id_, ms); }
  void on_exception(std::function<void(std::exception_ptr)> f) {
    shared().on_exception = std::move(f);
  }

  /* A message that lends bytes until released() is called, once, where
   * callbacks run. Only this context takes it. */
  Message lend(Bytes body, std::function<void()> released, uint32_t flags = 0) {
    auto lent = std::make_unique<detail::Lent>(detail::Lent{state_->shared, std::move(released)});
    Message m(mw_msg_wrap(id_, body.data(), body.size(), detail::Lent::release, lent.get(), flags));
    lent.release();
    return m;
  }

 private:
  friend class Endpoint;
  detail::Shared& shared() const noexcept { return *state_->shared; }
  void end() noexcept {
    mw_close(id_, 1001, nullptr, 0, std::uncaught_exceptions() > 0 ? MW_CLOSE_ABORT : 0);
    mw_status s = MW_OK;
    size_t n = 0;
    if (host_turned_)
      while (s >= 0) s = mw_ctx_run(id_, -1, nullptr);
    else if (queued_)
      while (s >= 0 && (s = mw_ctx_wait(id_, -1)) >= 0) s = mw_ctx_dispatch(id_, 0, &n);
    mw_ctx_join(id_, -1);
  }
  bool host_turned_ = false, queued_ = false, more_ = false;
};

/* How a call is made; all may be left out. */
struct CallOptions {
  int64_t timeout_ms = 0;    /* 0: the option call.timeout; -1: none */
  Request parent = {};       /* made for this request: its deadline and cancel count here too */
  uint32_t flags = 0;        /* MW_F_PARTS, MW_F_COMPRESS; a node: MW_F_ALL */
  const Conf* how = nullptr; /* MW_CONF_CALL, prepared once */
  std::function<void(const Event&)> part = {}; /* each part of a streamed answer */
  uint64_t* number = nullptr; /* for cancel() */
};

/* What a provider, a consumer, a channel and a hub have in common: start and end. */
class Endpoint : public Object {
 public:
  Endpoint(Endpoint&&) noexcept = default;
  Endpoint& operator=(Endpoint&&) = delete;
  ~Endpoint() {
    if (state_ == nullptr) return;
    state_->mute();
    mw_close(id_, 1001, nullptr, 0, std::uncaught_exceptions() > 0 ? MW_CLOSE_ABORT : 0);
  }

  template <class F> void on_up(F f) { on(MW_EVENT_UP, std::move(f)); }
  template <class F> void on_down(F f) { on(MW_EVENT_DOWN, std::move(f)); }
  template <class F> void on_message(F f) { on(MW_EVENT_MESSAGE, std::move(f)); }
  template <class F> void on_writable(F f) { on(MW_EVENT_WRITABLE, std::move(f)); }
  template <class F> void on_slow(F f) { on(MW_EVENT_SLOW, std::move(f)); }
  template <class F> void on_dropped(F f) { on(MW_EVENT_DROPPED, std::move(f)); }
  template <class F> void on_error(F f) { on(MW_EVENT_ERROR, std::move(f)); }

  /* Listens or connects; done when usable, or with the reason why not. The
   * number is for cancel(). */
  uint64_t start(Completion done = {}) {
    return configure(std::move(done), [&](uint64_t op, mw_error* e) { return mw_start(id_, op, e); });
  }
  /* Wishes that a start (of a consumer also a call) ends; its done tells (MW_ECANCELED, or what it was). */
  mw_status cancel(uint64_t number) noexcept { return mw_cancel(id_, number); }
  void drain(int64_t deadline_ms, Completion done = {}) {
    configure(std::move(done),
              [&](uint64_t op, mw_error* e) { return mw_drain(id_, deadline_ms, op, e); });
  }
  /* Facts that are gathered, such as "peers", "metrics", "members" or
   * "channel/NAME": text() of done's event. */
  void info(std::string_view what, Completion done) {
    configure(std::move(done), [&](uint64_t op, mw_error* e) {
      mw_msg* none = nullptr;
      return mw_info(id_, what.data(), what.size(), &none, op, e);
    });
  }

 protected:
  friend class Service;
  mw_status call_on(mw_handle h, std::string_view target, const Message& m, Completion done, CallOptions how) {
    if (!done) done = [](mw_status, const Event&) {};
    return state_->run(
        std::move(done),
        [&](uint64_t op) {
          if (how.number != nullptr) *how.number = op;
          return mw_call(h, target.data(), target.size(), m.get(), how.how ? how.how->get() : nullptr, how.timeout_ms,
                         how.parent.id(), how.flags, op, nullptr);
        },
        std::move(how.part));
  }
  using Open = mw_status (*)(mw_handle, const mw_conf*, uint64_t, mw_handle*, mw_error*);
  Endpoint(Context& ctx, const Conf& conf, Open open)
      : Endpoint(ctx, [&](mw_handle* id, mw_error* e) { return open(ctx.id(), conf.get(), 0, id, e); }) {}
  template <class F>
  Endpoint(Context& ctx, F open) {
    state_ = std::make_shared<detail::State>(ctx.state_->shared);
    mw_error e{};
    detail::check(open(&id_, &e), e);
    detail::State::listen(id_, state_);
  }
};

/* What a provider, a consumer or a node serves, under one name: "C" every method
 * "C.x" and "C" itself, "C.m" one. Handlers are set before start(). The
 * destructor ends it: MW_EPEERGONE for who waits. */
class Service : public Object {
 public:
  Service(Endpoint& at, std::string name, const Conf& conf)
      : name_(std::move(name)), conf_(conf.shared()), at_(at.id()), host_(at.state_) {
    state_ = std::make_shared<detail::State>(host_->shared);
  }
  Service(Endpoint& at, std::string name, Options options = {})
      : Service(at, std::move(name), Conf(MW_CONF_SERVICE, options)) {}
  Service(Service&&) noexcept = default;
  Service& operator=(Service&&) = delete;
  ~Service() {
    if (state_ == nullptr) return;
    state_->mute();
    if (id_ != 0) mw_close(id_, 0, nullptr, 0, 0);
  }

  /* (Request, string_view), (Request, Bytes), (Request, Event) or (Request); the Event's topic() is the method. */
  template <class F> void on_request(F f) { state_->on[MW_EVENT_REQUEST] = detail::adapt_request(std::move(f)); }
  /* The request is over; code() is MW_CANCEL_*. */
  template <class F> void on_cancel(F f) { state_->on[MW_EVENT_CANCEL] = detail::adapt_request(std::move(f)); }
  template <class F> void on_writable(F f) { state_->on[MW_EVENT_WRITABLE] = detail::adapt_request(std::move(f)); }
  /* Its queue gave a call up (status() MW_EDEAD), or lost code() oneway ones with the service (MW_ECLOSED). */
  template <class F> void on_dropped(F f) { on(MW_EVENT_DROPPED, std::move(f)); }

  void start() {
    uint64_t token = 0;
    {
      std::lock_guard lock(host_->mutex);
      token = host_->next_token++;
      host_->services.emplace(token, state_);
    }
    mw_error e{};
    const mw_status s = mw_serve(at_, name_.data(), name_.size(), conf_.get(), token, &id_, &e);
    if (s < 0) {
      std::lock_guard lock(host_->mutex);
      host_->services.erase(token);
    }
    detail::check(s, e);
  }
  /* Refuses new calls, finishes what runs, then closes. */
  void drain(int64_t deadline_ms, Completion done = {}) {
    configure(std::move(done),
              [&](uint64_t op, mw_error* e) { return mw_drain(id_, deadline_ms, op, e); });
  }

 private:
  std::string name_;
  std::shared_ptr<mw_conf> conf_;
  mw_handle at_;
  std::shared_ptr<detail::State> host_;
};

class Provider : public Endpoint {
 public:
  Provider(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_provider_open) {}
  Provider(Context& ctx, Options options = {}) : Provider(ctx, Conf(MW_CONF_PROVIDER, options)) {}

  template <class F> void on_peer_up(F f) { on(MW_EVENT_PEER_UP, std::move(f)); }
  template <class F> void on_peer_down(F f) { on(MW_EVENT_PEER_DOWN, std::move(f)); }
  template <class F> void on_ask(F f) { on(MW_EVENT_ASK, std::move(f)); } /* needs auth.ask */

  /* To every peer subscribed to the topic; "" means every peer. */
  mw_status publish(std::string_view topic, const Message& m, Peer except = {}, uint32_t flags = 0) {
    return mw_publish(id_, topic.data(), topic.size(), m.get(), except.id(), flags, 0);
  }
  mw_status publish(std::string_view topic, std::string_view text) {
    return publish(topic, Message(text));
  }
  /* done: code() of its event says how many peers it reached. */
  mw_status publish(std::string_view topic, const Message& m, Completion done, Peer except = {},
                    uint32_t flags = 0) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_publish(id_, topic.data(), topic.size(), m.get(), except.id(), flags, op);
    });
  }
  /* Publishes reach the peer from done on, at the latest. */
  void subscribe(Peer peer, std::string_view pattern, Completion done) {
    configure(std::move(done), [&](uint64_t op, mw_error* e) {
      return mw_subscribe(peer.id(), pattern.data(), pattern.size(), nullptr, 0, op, nullptr, e);
    });
  }
  mw_status unsubscribe(Peer peer, std::string_view pattern, Completion done) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_unsubscribe(peer.id(), pattern.data(), pattern.size(), op);
    });
  }
  /* done: handed to the kernel, or taken by the peer's host (wire meshwork). */
  mw_status send(Peer peer, const Message& m, Completion done, uint32_t flags = 0) {
    return state_->run(std::move(done),
                       [&](uint64_t op) { return mw_send(peer.id(), m.get(), flags, op); });
  }
  /* Calls a method of the peer; done with the answer. Any status but below 0: accepted. */
  mw_status call(Peer peer, std::string_view target, const Message& m, Completion done, CallOptions how = {}) {
    return call_on(peer.id(), target, m, std::move(done), std::move(how));
  }
  mw_status cancel_call(Peer peer, uint64_t number) noexcept { return mw_cancel(peer.id(), number); }
};

class Consumer : public Endpoint {
 public:
  Consumer(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_consumer_open) {}
  Consumer(Context& ctx, Options options = {}) : Consumer(ctx, Conf(MW_CONF_CONSUMER, options)) {}

  /* With share=group: whether this process has the connection now (code() 1) or another (0). */
  template <class F> void on_leader(F f) { on(MW_EVENT_LEADER, std::move(f)); }
  Sender link() const noexcept { return Sender(id_); } /* a value to send with, from anywhere */
  mw_status send(std::string_view text) const noexcept { return link().send(text); }
  mw_status send(Bytes body) const noexcept { return link().send(body); }
  mw_status send(const Message& m) const noexcept { return link().send(m); }
  mw_status send(const Message& m, Completion done, uint32_t flags = 0) {
    return state_->run(std::move(done), [&](uint64_t op) { return mw_send(id_, m.get(), flags, op); });
  }
  /* Calls a method of the provider; done with the answer. cancel(number) ends it. */
  mw_status call(std::string_view target, const Message& m, Completion done, CallOptions how = {}) {
    return call_on(id_, target, m, std::move(done), std::move(how));
  }
  void subscribe(std::string_view pattern) const { link().subscribe(pattern); }
  void subscribe(std::string_view pattern, Completion done) { /* done: the provider knows of it */
    configure(std::move(done), [&](uint64_t op, mw_error* e) {
      return mw_subscribe(id_, pattern.data(), pattern.size(), nullptr, 0, op, nullptr, e);
    });
  }
  mw_status unsubscribe(std::string_view pattern, Completion done) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_unsubscribe(id_, pattern.data(), pattern.size(), op);
    });
  }
};

/* A member of a channel: hears what the other processes of the host publish in
 * it. The event's topic() is its name, header("sender") who sent it. */
class Channel : public Endpoint {
 public:
  Channel(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_channel_open) {}
  Channel(Context& ctx, Options options) : Channel(ctx, Conf(MW_CONF_CHANNEL, options)) {}

  /* To every other member; flags MW_F_NOQUEUE: only while there is a hub. */
  mw_status publish(std::string_view event, const Message& m, uint32_t flags = 0) {
    return mw_publish(id_, event.data(), event.size(), m.get(), 0, flags, 0);
  }
  mw_status publish(std::string_view event, std::string_view text) {
    return publish(event, Message(text));
  }
  /* done: every member that was there has it, or why not. */
  mw_status publish(std::string_view event, const Message& m, Completion done, uint32_t flags = 0) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_publish(id_, event.data(), event.size(), m.get(), 0, flags, op);
    });
  }
  void subscribe(std::string_view pattern, const Conf* sub = nullptr, Completion done = {}) {
    configure(std::move(done), [&](uint64_t op, mw_error* e) {
      return mw_subscribe(id_, pattern.data(), pattern.size(), sub ? sub->get() : nullptr, 0, op,
                          nullptr, e);
    });
  }
  void once(std::string_view pattern) { /* the next event that matches, and no more */
    const Conf one(MW_CONF_SUB, {{"limit", 1}});
    subscribe(pattern, &one);
  }
  mw_status unsubscribe(std::string_view pattern, Completion done = {}) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_unsubscribe(id_, pattern.data(), pattern.size(), op);
    });
  }
  bool subscribed(std::string_view event) const noexcept {
    return mw_subscribed(id_, event.data(), event.size()) == 1;
  }
};

/* A standing hub of a host's channels. */
class Hub : public Endpoint {
 public:
  Hub(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_hub_open) {}
  Hub(Context& ctx, Options options = {}) : Hub(ctx, Conf(MW_CONF_HUB, options)) {}

  template <class F> void on_peer_up(F f) { on(MW_EVENT_PEER_UP, std::move(f)); }
  template <class F> void on_peer_down(F f) { on(MW_EVENT_PEER_DOWN, std::move(f)); }
};

/* One of the processes of a host that share what their leader holds; see
 * mw_share_open. on_leader says who leads: code() 1 this one, 0 another; id()
 * the epoch. What the leader has to do for the others comes to its on_request
 * and on_interest. */
class Share : public Endpoint {
 public:
  Share(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_share_open) {}
  Share(Context& ctx, Options options) : Share(ctx, Conf(MW_CONF_SHARE, options)) {}

  template <class F> void on_leader(F f) { on(MW_EVENT_LEADER, std::move(f)); }
  template <class F> void on_interest(F f) { on(MW_EVENT_INTEREST, std::move(f)); } /* topic() the key */
  /* As a service's; the Event's topic() is the method. */
  template <class F> void on_request(F f) { state_->on[MW_EVENT_REQUEST] = detail::adapt_request(std::move(f)); }
  template <class F> void on_cancel(F f) { state_->on[MW_EVENT_CANCEL] = detail::adapt_request(std::move(f)); }

  /* Calls a method of the leader; done with the answer. cancel(number) ends it. */
  mw_status call(std::string_view target, const Message& m, Completion done, CallOptions how = {}) {
    return call_on(id_, target, m, std::move(done), std::move(how));
  }
  /* Without an answer; always: again to each new leader. */
  mw_status tell(std::string_view target, const Message& m, bool always = false) const noexcept {
    return mw_call(id_, target.data(), target.size(), m.get(), nullptr, 0, 0,
                   MW_F_ONEWAY | (always ? uint32_t{MW_F_REPEAT} : 0), 0, nullptr);
  }
  /* In the leader: to all who subscribed to the key. */
  mw_status publish(std::string_view key, const Message& m, Completion done = {}, uint32_t flags = 0) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_publish(id_, key.data(), key.size(), m.get(), 0, flags, op);
    });
  }
  void subscribe(std::string_view key, Completion done = {}) {
    configure(std::move(done), [&](uint64_t op, mw_error* e) {
      return mw_subscribe(id_, key.data(), key.size(), nullptr, 0, op, nullptr, e);
    });
  }
  mw_status unsubscribe(std::string_view key, Completion done = {}) {
    return state_->run(std::move(done), [&](uint64_t op) { return mw_unsubscribe(id_, key.data(), key.size(), op); });
  }
};

/* Stands in an election of the host; see mw_elect. After start() on_leader
 * says who leads: code() 1 this process, 0 another, -1 none; id() the epoch. */
class Election : public Endpoint {
 public:
  Election(Context& ctx, std::string_view name, const Conf& conf)
      : Endpoint(ctx, [&](mw_handle* id, mw_error* e) {
          return mw_elect(ctx.id(), name.data(), name.size(), conf.get(), 0, id, e);
        }) {}
  Election(Context& ctx, std::string_view name, Options options = {}) : Election(ctx, name, Conf(MW_CONF_ELECT, options)) {}

  template <class F> void on_leader(F f) { on(MW_EVENT_LEADER, std::move(f)); }
};

/* Where nodes of a mesh report; see mw_manager_open. */
class Manager : public Endpoint {
 public:
  Manager(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_manager_open) {}
  Manager(Context& ctx, Options options) : Manager(ctx, Conf(MW_CONF_MANAGER, options)) {}

  /* As of a Node. */
  template <class F> void on_member_up(F f) { on(MW_EVENT_MEMBER_UP, std::move(f)); }
  template <class F> void on_member_down(F f) { on(MW_EVENT_MEMBER_DOWN, std::move(f)); }
  template <class F> void on_member_changed(F f) { on(MW_EVENT_MEMBER_CHANGED, std::move(f)); }
};

/* A member of a mesh; see mw_node_open. Its services are Service objects. */
class Node : public Endpoint {
 public:
  Node(Context& ctx, const Conf& conf) : Endpoint(ctx, conf, mw_node_open) {}
  Node(Context& ctx, Options options) : Node(ctx, Conf(MW_CONF_NODE, options)) {}

  /* text() is JSON: name, address ...; topic() its service. */
  template <class F> void on_member_up(F f) { on(MW_EVENT_MEMBER_UP, std::move(f)); }
  template <class F> void on_member_down(F f) { on(MW_EVENT_MEMBER_DOWN, std::move(f)); }
  template <class F> void on_member_changed(F f) { on(MW_EVENT_MEMBER_CHANGED, std::move(f)); }
  /* topic() the service, code() how many other members serve it now. */
  template <class F> void on_service_up(F f) { on(MW_EVENT_SERVICE_UP, std::move(f)); }
  template <class F> void on_service_down(F f) { on(MW_EVENT_SERVICE_DOWN, std::move(f)); }
  template <class F> void on_ready(F f) { on(MW_EVENT_READY, std::move(f)); } /* code() 1 met, 0 lost */

  /* Calls a member that serves it; done with the answer. cancel(number) ends it. */
  mw_status call(std::string_view target, const Message& m, Completion done, CallOptions how = {}) {
    return call_on(id_, target, m, std::move(done), std::move(how));
  }
  /* Calls all of them: how.part with what each says, then done. */
  mw_status call_all(std::string_view target, const Message& m, Completion done, CallOptions how = {}) {
    how.flags |= MW_F_ALL;
    return call_on(id_, target, m, std::move(done), std::move(how));
  }
  mw_status oneway(std::string_view target, const Message& m) const noexcept {
    return mw_call(id_, target.data(), target.size(), m.get(), nullptr, 0, 0, MW_F_ONEWAY, 0, nullptr);
  }
  /* To every member that subscribed, this one too: on_message. Flags: MW_F_LOCAL, to this one only. */
  mw_status publish(std::string_view topic, const Message& m, Completion done = {}, uint32_t flags = 0) {
    return state_->run(std::move(done), [&](uint64_t op) {
      return mw_publish(id_, topic.data(), topic.size(), m.get(), 0, flags, op);
    });
  }
  void subscribe(std::string_view pattern, Completion done = {}) {
    configure(std::move(done), [&](uint64_t op, mw_error* e) {
      return mw_subscribe(id_, pattern.data(), pattern.size(), nullptr, 0, op, nullptr, e);
    });
  }
  mw_status unsubscribe(std::string_view pattern, Completion done = {}) {
    return state_->run(std::move(done), [&](uint64_t op) { return mw_unsubscribe(id_, pattern.data(), pattern.size(), op); });
  }
};

}  // namespace mw
#endif
