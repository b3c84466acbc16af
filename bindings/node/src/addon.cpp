// The boundary between JavaScript and the C API: the only file of this
// binding that names a C symbol. A Door is one context and the way its events
// come out: polled by the host's libuv (threads=0), or announced by the waker
// through a thread-safe function. Everything but ring() runs on the thread of
// the environment that opened the door.
#include <fcntl.h>
#include <meshwork/meshwork.h>
#include <node_api.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

// libuv by name only and weak: where the host has none (Bun, Deno) the addon
// loads all the same. Its handles are opaque here, so no header is needed.
extern "C" {
struct uv_handle;
[[gnu::weak]] size_t uv_handle_size(int type);
[[gnu::weak]] void uv_handle_set_data(uv_handle*, void*);
[[gnu::weak]] void* uv_handle_get_data(const uv_handle*);
[[gnu::weak]] int uv_poll_init(uv_loop_s*, uv_handle*, int fd);
[[gnu::weak]] int uv_poll_start(uv_handle*, int events, void (*)(uv_handle*, int, int));
[[gnu::weak]] void uv_close(uv_handle*, void (*)(uv_handle*));
[[gnu::weak]] void uv_ref(uv_handle*);
[[gnu::weak]] void uv_unref(uv_handle*);
}
#pragma weak napi_get_uv_event_loop
#pragma weak napi_add_async_cleanup_hook
#pragma weak napi_remove_async_cleanup_hook

namespace mw::node {
namespace {

constexpr int kUvPoll = 8, kUvReadable = 1;  // fixed by libuv's ABI
constexpr size_t kRecords = 1024;            // of a batch, in each direction
constexpr size_t kSlab = 256 << 10;          // bytes of a batch, in each direction
constexpr int kRounds = 16;                  // batches before the host's loop goes on

struct Instance {  // one a thread: main and each worker load the addon anew
  mw_error error{};
  std::string text;  // strings on their way into the core
  bool said = false;  // something was sent one by one, and leaves with the next take
};

struct Door {
  napi_env env;
  Instance* instance;
  mw_handle ctx = 0;
  mw_event* events = nullptr;  // kRecords taken, kRecords to send, one that says how far
                               // JavaScript came
  uint8_t* bytes = nullptr;    // kSlab taken, then kSlab to send
  napi_ref records = nullptr, slab = nullptr;
  napi_ref deliver = nullptr;  // weak unless held, so that a dropped context can be collected
  napi_async_context async = nullptr;
  uv_handle* poll = nullptr;
  int fd = -1;
  uint32_t count = 0, next = 0;  // of the batch that is being delivered
  napi_threadsafe_function bell = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  bool ended = false, torn = false, dropped = false;  // torn: JavaScript is not to be called any more
};

void unless_used(Door* d) {
  if (d->dropped && d->poll == nullptr && d->bell == nullptr) delete d;
}

// Delivers d->count records from d->next on; 0 of 0: the context is over. After
// a DONE JavaScript comes back early, so that what awaits it goes on before the
// next event is told. False: there is no JavaScript any more.
bool deliver(Door* d) {
  napi_handle_scope scope;
  if (napi_open_handle_scope(d->env, &scope) != napi_ok) return false;
  napi_value fn = nullptr, self, args[2], result = nullptr;
  napi_get_reference_value(d->env, d->deliver, &fn);
  napi_get_global(d->env, &self);
  napi_create_uint32(d->env, d->count, &args[0]);
  napi_create_uint32(d->env, d->next, &args[1]);
  napi_status s = fn == nullptr ? napi_cannot_run_js : napi_make_callback(d->env, d->async, self, fn, 2, args, &result);
  if (s == napi_pending_exception) {  // of a handler: surfaces as the host's uncaught exceptions do
    napi_value error;
    s = napi_get_and_clear_last_exception(d->env, &error);
    if (s == napi_ok) s = napi_fatal_exception(d->env, error);
  }
  const bool alive = s == napi_ok;
  d->next = d->events[2 * kRecords].kind;
  napi_close_handle_scope(d->env, scope);
  if (!alive) d->next = d->count;
  return alive;
}

void over(Door* d) {
  d->count = d->next = 0;
  deliver(d);
}

void polled_no_more(uv_handle* h) {
  auto* d = static_cast<Door*>(uv_handle_get_data(h));
  ::close(d->fd);
  free(h);
  d->poll = nullptr;
  if (d->hook != nullptr) napi_remove_async_cleanup_hook(d->hook);
  d->hook = nullptr;
  if (!d->torn) over(d);
  unless_used(d);
}

void cleanup(void* door);

// Takes the context away from the host's loop. After it the context is joined.
void finish(Door* d) {
  if (d->ended) return;
  d->ended = true;
  if (d->poll != nullptr) uv_close(d->poll, polled_no_more);
  if (d->bell != nullptr) {
    mw_ctx_waker(d->ctx, nullptr, nullptr);  // waits for a running call
    napi_remove_env_cleanup_hook(d->env, cleanup, d);
    napi_release_threadsafe_function(d->bell, napi_tsfn_abort);
  }
  mw_ctx_join(d->ctx, 1000);
}

int64_t now_ms() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// The environment goes away, or nobody holds the context any more.
void cut(Door* d) {
  d->torn = true;
  if (d->ended) return;
  mw_close(d->ctx, 0, nullptr, 0, MW_CLOSE_ABORT);
  for (const int64_t until = now_ms() + 500; now_ms() < until;) {
    size_t n = 0;
    const mw_status s = mw_ctx_take(d->ctx, d->events, sizeof(mw_event), kRecords, d->bytes, kSlab, &n);
    for (size_t i = 0; i < n; ++i)
      if (d->events[i].flags & MW_F_REF) mw_msg_unref(reinterpret_cast<mw_msg*>(d->events[i].msg));
    if (s < 0) break;
    if (n == 0 && s != MW_MORE) {
      int fd = d->fd;
      if (fd < 0 && mw_ctx_fd(d->ctx, &fd) < 0) break;
      pollfd p{fd, POLLIN, 0};
      ::poll(&p, 1, 20);
    }
  }
  finish(d);
}

void cleanup(void* door) { cut(static_cast<Door*>(door)); }

void cleanup_async(napi_async_cleanup_hook_handle, void* door) {
  cut(static_cast<Door*>(door));  // the hook is removed when libuv let go
}

void ring(void* door) {  // on a library thread: may only signal
  napi_call_threadsafe_function(static_cast<Door*>(door)->bell, nullptr, napi_tsfn_nonblocking);
}

void pump(Door* d) {
  mw_status s = MW_MORE;
  for (int round = 0; round < kRounds && !d->ended; ++round) {
    if (d->next == d->count) {
      size_t n = 0;
      s = mw_ctx_take(d->ctx, d->events, sizeof(mw_event), kRecords, d->bytes, kSlab, &n);
      d->count = static_cast<uint32_t>(n);
      d->next = 0;
      if (s == MW_EEND) {
        finish(d);
        if (d->bell != nullptr) over(d);
        return;
      }
      if (n == 0 && s != MW_MORE) return;  // all is delivered, and what was sent meanwhile has left
    }
    if (d->next < d->count && !deliver(d)) return;
    // All is told, and records have left: the next event makes the descriptor
    // readable. Behind the context's own CLOSED stands the end.
    if (d->next == d->count && s == MW_OK && !std::exchange(d->instance->said, false) &&
        d->events[d->count - 1].kind != MW_EVENT_CLOSED)
      return;
    // Promises go on when a call of the thread-safe function is over, not before.
    if (d->bell != nullptr && d->next > 0 && d->events[d->next - 1].kind == MW_EVENT_DONE) break;
  }
  if (d->bell != nullptr && !d->ended) ring(d);
}

void readable(uv_handle* h, int, int) { pump(static_cast<Door*>(uv_handle_get_data(h))); }

void rung(napi_env env, napi_value, void* door, void*) {
  if (env != nullptr) pump(static_cast<Door*>(door));
}

void bell_gone(napi_env, void* door, void*) {
  auto* d = static_cast<Door*>(door);
  d->bell = nullptr;
  unless_used(d);
}

void dropped(napi_env env, void* door, void*) {
  auto* d = static_cast<Door*>(door);
  cut(d);
  for (napi_ref r : {d->records, d->slab, d->deliver})
    if (r != nullptr) napi_delete_reference(env, r);
  if (d->async != nullptr) napi_async_destroy(env, d->async);
  d->dropped = true;
  unless_used(d);
}

// ---- Arguments and results ------------------------------------------------

struct Call {
  napi_env env;
  Instance* instance = nullptr;
  napi_value arg[9];

  Call(napi_env e, napi_callback_info info) : env(e) {
    size_t n = 9;
    void* data;
    napi_get_cb_info(e, info, &n, arg, nullptr, &data);
    instance = static_cast<Instance*>(data);
  }
  double number(int i) const {
    double v = 0;
    napi_get_value_double(env, arg[i], &v);
    return v;
  }
  mw_handle handle(int i) const { return static_cast<mw_handle>(number(i)); }
  uint32_t bits(int i) const {
    uint32_t v = 0;
    napi_get_value_uint32(env, arg[i], &v);
    return v;
  }
  napi_valuetype type(int i) const {
    napi_valuetype t = napi_undefined;
    napi_typeof(env, arg[i], &t);
    return t;
  }
  // A string as UTF-8, into a store that the next one may share (append).
  std::string_view text(napi_value v, bool append = false) const {
    std::string& s = instance->text;
    const size_t from = append ? s.size() : 0;
    size_t n = 0;
    if (s.size() < from + 4096) s.resize(from + 4096);
    napi_get_value_string_utf8(env, v, s.data() + from, s.size() - from, &n);
    if (n + 8 > s.size() - from) {
      napi_get_value_string_utf8(env, v, nullptr, 0, &n);
      s.resize(from + n + 1);
      napi_get_value_string_utf8(env, v, s.data() + from, n + 1, &n);
    }
    return {s.data() + from, n};
  }
  std::string_view text(int i) const { return text(arg[i]); }
  std::string copy(int i) const { return type(i) == napi_string ? std::string(text(i)) : std::string(); }
  // Text or bytes. Sets MW_F_TEXT for a string.
  std::string_view body(napi_value v, uint32_t& flags) const {
    napi_valuetype t = napi_undefined;
    napi_typeof(env, v, &t);
    if (t == napi_string) {
      flags |= MW_F_TEXT;
      return text(v);
    }
    void* p = nullptr;
    size_t n = 0;
    if (napi_get_buffer_info(env, v, &p, &n) != napi_ok) napi_get_arraybuffer_info(env, v, &p, &n);
    return {static_cast<char*>(p), n};
  }
  Door* door(int i) const {
    void* p = nullptr;
    napi_get_value_external(env, arg[i], &p);
    return static_cast<Door*>(p);
  }
  mw_error* error() const {
    instance->error = {};
    return &instance->error;
  }
  napi_value make(double v) const {
    napi_value r;
    napi_create_double(env, v, &r);
    return r;
  }
  napi_value make(std::string_view s) const {
    napi_value r = nullptr;
    napi_create_string_utf8(env, s.data(), s.size(), &r);
    return r;
  }
  napi_value taken(mw_msg* m) const {  // the text of a message, which is given back
    size_t n = 0;
    const void* p = mw_msg_body(m, &n);
    napi_value r = make(std::string_view(static_cast<const char*>(p), n));
    mw_msg_unref(m);
    return r;
  }
};

class Conf {
 public:
  Conf(const Call& c, int32_t kind, napi_value json) : conf_(mw_conf_new(kind)) {
    if (conf_ == nullptr) {
      status_ = MW_EINVAL;
      return;
    }
    const std::string_view text = c.text(json);
    status_ = mw_conf_load(conf_, text.data(), text.size(), c.error());
  }
  ~Conf() { mw_conf_unref(conf_); }
  Conf(const Conf&) = delete;
  mw_status status() const { return status_; }
  mw_conf* get() const { return conf_; }

 private:
  mw_conf* conf_;
  mw_status status_;
};

// ---- The door ---------------------------------------------------------------

// open(json, polled, deliver) -> {door, handle, records, slab} or a status
napi_value open(napi_env env, napi_callback_info info) {
  Call c(env, info);
  bool polled = false;
  napi_get_value_bool(env, c.arg[1], &polled);
  Conf conf(c, MW_CONF_CTX, c.arg[0]);
  if (conf.status() < 0) return c.make(conf.status());
  auto* d = new Door{.env = env, .instance = c.instance};
  if (mw_status s = mw_ctx_open(conf.get(), &d->ctx, c.error()); s < 0) {
    delete d;
    return c.make(s);
  }
  napi_value result, external, records, slab, name;
  void* p = nullptr;
  napi_create_arraybuffer(env, (2 * kRecords + 1) * sizeof(mw_event), &p, &records);
  d->events = static_cast<mw_event*>(p);
  napi_create_arraybuffer(env, 2 * kSlab, &p, &slab);
  d->bytes = static_cast<uint8_t*>(p);
  napi_create_reference(env, records, 1, &d->records);
  napi_create_reference(env, slab, 1, &d->slab);
  napi_create_reference(env, c.arg[2], 0, &d->deliver);
  napi_create_string_utf8(env, "meshwork", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &d->async);
  if (polled) {
    uv_loop_s* loop = nullptr;
    int fd = -1;
    napi_get_uv_event_loop(env, &loop);
    mw_ctx_fd(d->ctx, &fd);
    d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    d->poll = static_cast<uv_handle*>(calloc(1, uv_handle_size(kUvPoll)));
    uv_poll_init(loop, d->poll, d->fd);
    uv_handle_set_data(d->poll, d);
    uv_poll_start(d->poll, kUvReadable, readable);
    uv_unref(d->poll);
    napi_add_async_cleanup_hook(env, cleanup_async, d, &d->hook);
  } else {
    napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, d, bell_gone, d, rung, &d->bell);
    napi_unref_threadsafe_function(env, d->bell);
    napi_add_env_cleanup_hook(env, cleanup, d);
    mw_ctx_waker(d->ctx, ring, d);
  }
  napi_create_external(env, d, dropped, nullptr, &external);
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "door", external);
  napi_set_named_property(env, result, "handle", c.make(static_cast<double>(d->ctx)));
  napi_set_named_property(env, result, "records", records);
  napi_set_named_property(env, result, "slab", slab);
  return result;
}

// hold(door, on): whether it keeps the process alive
napi_value hold(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Door* d = c.door(0);
  bool on = false;
  napi_get_value_bool(env, c.arg[1], &on);
  if (d->ended) return nullptr;
  uint32_t count;
  (on ? napi_reference_ref : napi_reference_unref)(env, d->deliver, &count);
  if (d->poll != nullptr) (on ? uv_ref : uv_unref)(d->poll);
  if (d->bell != nullptr)
    (on ? napi_ref_threadsafe_function : napi_unref_threadsafe_function)(env, d->bell);
  return nullptr;
}

// flush(door, n): sends n records; each one's status is written into it
napi_value flush(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Door* d = c.door(0);
  return c.make(mw_send_records(d->ctx, d->events + kRecords, sizeof(mw_event), c.bits(1), d->bytes));
}

// body(low, high): the message of a record, copied, and given back
napi_value body(napi_env env, napi_callback_info info) {
  Call c(env, info);
  auto* m = reinterpret_cast<mw_msg*>(uint64_t{c.bits(1)} << 32 | c.bits(0));
  size_t n = 0;
  const void* p = mw_msg_body(m, &n);
  napi_value r = nullptr;
  napi_create_buffer_copy(env, n, p, nullptr, &r);
  mw_msg_unref(m);
  return r;
}

// ---- Verbs: numbers and texts in, a status, number or text out ---------------

// link(kind, context, json, token, name of an election) -> handle or status
napi_value link(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const int32_t kind = c.bits(0);
  Conf conf(c, kind, c.arg[2]);
  if (conf.status() < 0) return c.make(conf.status());
  mw_handle h = 0;
  if (kind == MW_CONF_ELECT) {
    const std::string name = c.copy(4);
    const mw_status s = mw_elect(c.handle(1), name.data(), name.size(), conf.get(), c.handle(3), &h, c.error());
    return c.make(s < 0 ? s : static_cast<double>(h));
  }
  auto* make = kind == MW_CONF_PROVIDER  ? mw_provider_open
               : kind == MW_CONF_HUB     ? mw_hub_open
               : kind == MW_CONF_CHANNEL ? mw_channel_open
               : kind == MW_CONF_SHARE   ? mw_share_open
               : kind == MW_CONF_NODE    ? mw_node_open
               : kind == MW_CONF_MANAGER ? mw_manager_open
                                         : mw_consumer_open;
  const mw_status s = make(c.handle(1), conf.get(), c.handle(3), &h, c.error());
  return c.make(s < 0 ? s : static_cast<double>(h));
}

napi_value start(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_start(c.handle(0), c.handle(1), c.error()));
}

// update(handle, kind, json, op)
napi_value update(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Conf conf(c, static_cast<int32_t>(c.bits(1)), c.arg[2]);
  if (conf.status() < 0) return c.make(conf.status());
  return c.make(mw_update(c.handle(0), conf.get(), c.handle(3), c.error()));
}

napi_value token(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_token(c.handle(0), c.handle(1)));
}

napi_value pause(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_pause(c.handle(0), static_cast<int>(c.bits(1))));
}

napi_value cork(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_cork(c.handle(0), static_cast<int>(c.bits(1))));
}

napi_value drain(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_drain(c.handle(0), static_cast<int64_t>(c.number(1)), c.handle(2), c.error()));
}

// close(handle, code, reason, flags)
napi_value close(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string_view reason = c.text(2);
  return c.make(mw_close(c.handle(0), static_cast<int32_t>(c.number(1)), reason.data(), reason.size(), c.bits(3)));
}

napi_value state(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_state(c.handle(0)));
}

// stat(handle, what) -> number, or null with the status in detail()
napi_value stat(napi_env env, napi_callback_info info) {
  Call c(env, info);
  int64_t v = 0;
  mw_error* e = c.error();
  e->code = mw_stat(c.handle(0), static_cast<int32_t>(c.bits(1)), &v);
  return e->code < 0 ? nullptr : c.make(static_cast<double>(v));
}

// info(handle, what, op) -> text, or status
napi_value info(napi_env env, napi_callback_info i) {
  Call c(env, i);
  mw_msg* now = nullptr;
  const std::string_view what = c.text(1);
  const mw_status s = mw_info(c.handle(0), what.data(), what.size(), &now, c.handle(2), c.error());
  return now != nullptr ? c.taken(now) : c.make(s);
}

// answer(ask, allow, json)
napi_value answer(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string_view json = c.text(2);
  return c.make(mw_answer(c.handle(0), static_cast<int>(c.bits(1)), json.data(), json.size(), c.error()));
}

napi_value cancel(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return c.make(mw_cancel(c.handle(0), c.handle(1)));
}

// send(handle, data, flags)
napi_value send(napi_env env, napi_callback_info info) {
  Call c(env, info);
  uint32_t flags = c.bits(2);
  const std::string_view b = c.body(c.arg[1], flags);
  c.instance->said = true;
  return c.make(mw_send_bytes(c.handle(0), b.data(), b.size(), flags));
}

// A message of data, flags and headers ([key, value, ...] or undefined).
mw_msg* message(const Call& c, napi_value data, uint32_t& flags, napi_value headers) {
  const std::string_view b = c.body(data, flags);
  mw_msg* m = mw_msg_new(b.data(), b.size(), flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS));
  uint32_t n = 0;
  if (m == nullptr || napi_get_array_length(c.env, headers, &n) != napi_ok) return m;
  for (uint32_t i = 0; i + 1 < n; i += 2) {
    napi_value k, v;
    napi_get_element(c.env, headers, i, &k);
    napi_get_element(c.env, headers, i + 1, &v);
    const std::string key(c.text(k));
    uint32_t ignored = 0;
    const std::string_view value = c.body(v, ignored);
    const mw_status s = mw_msg_set(m, key.data(), key.size(), value.data(), value.size());
    if (s >= 0) continue;
    c.error()->code = s;
    mw_msg_unref(m);
    return nullptr;
  }
  return m;
}

// sendMessage(handle, data, flags, headers, op)
napi_value send_message(napi_env env, napi_callback_info info) {
  Call c(env, info);
  uint32_t flags = c.bits(2);
  c.error()->code = MW_EINVAL;
  mw_msg* m = message(c, c.arg[1], flags, c.arg[3]);
  if (m == nullptr) return c.make(c.instance->error.code);
  const mw_status s = mw_send(c.handle(0), m, flags, c.handle(4));
  mw_msg_unref(m);
  return c.make(s);
}

// publish(handle, topic, data, flags, headers, except, op)
napi_value publish(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string topic = c.copy(1);
  uint32_t flags = c.bits(3);
  c.error()->code = MW_EINVAL;
  mw_msg* m = message(c, c.arg[2], flags, c.arg[4]);
  if (m == nullptr) return c.make(c.instance->error.code);
  const mw_status s = mw_publish(c.handle(0), topic.data(), topic.size(), m, c.handle(5), flags, c.handle(6));
  mw_msg_unref(m);
  return c.make(s);
}

// subscribe(handle, pattern, json, op)
napi_value subscribe(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string pattern = c.copy(1);
  Conf conf(c, MW_CONF_SUB, c.arg[2]);
  if (conf.status() < 0) return c.make(conf.status());
  return c.make(mw_subscribe(c.handle(0), pattern.data(), pattern.size(), conf.get(), 0, c.handle(3), nullptr, c.error()));
}

napi_value unsubscribe(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string_view pattern = c.text(1);
  return c.make(mw_unsubscribe(c.handle(0), pattern.data(), pattern.size(), c.handle(2)));
}

napi_value subscribed(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string_view topic = c.text(1);
  return c.make(mw_subscribed(c.handle(0), topic.data(), topic.size()));
}

// ---- Calls --------------------------------------------------------------------

// serve(handle, name, json, token) -> handle or status
napi_value serve(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string name = c.copy(1);
  Conf conf(c, MW_CONF_SERVICE, c.arg[2]);
  if (conf.status() < 0) return c.make(conf.status());
  mw_handle id = 0;
  const mw_status s = mw_serve(c.handle(0), name.data(), name.size(), conf.get(), c.handle(3), &id, c.error());
  return c.make(s < 0 ? s : static_cast<double>(id));
}

// call(handle, target, data, flags, headers, json or '', timeout, parent, op)
napi_value call(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string target = c.copy(1), how = c.copy(5);
  Conf conf(c, MW_CONF_CALL, c.arg[5]);
  if (!how.empty() && conf.status() < 0) return c.make(conf.status());
  uint32_t flags = c.bits(3);
  c.error()->code = MW_EINVAL;
  mw_msg* m = message(c, c.arg[2], flags, c.arg[4]);
  if (m == nullptr) return c.make(c.instance->error.code);
  c.instance->said = true;
  const mw_status s = mw_call(c.handle(0), target.data(), target.size(), m, how.empty() ? nullptr : conf.get(),
                              static_cast<int64_t>(c.number(6)), c.handle(7), flags, c.handle(8), c.error());
  mw_msg_unref(m);
  return c.make(s);
}

// reply(request, data, flags, headers, op)
napi_value reply(napi_env env, napi_callback_info info) {
  Call c(env, info);
  uint32_t flags = c.bits(2);
  c.error()->code = MW_EINVAL;
  mw_msg* m = message(c, c.arg[1], flags, c.arg[3]);
  if (m == nullptr) return c.make(c.instance->error.code);
  c.instance->said = true;
  const mw_status s = mw_reply(c.handle(0), m, flags, c.handle(4));
  mw_msg_unref(m);
  return c.make(s);
}

// fail(request, code, json or '', flags)
napi_value fail(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const std::string_view json = c.text(2);
  c.instance->said = true;
  return c.make(mw_fail(c.handle(0), static_cast<mw_status>(c.number(1)), json.empty() ? nullptr : json.data(), json.size(),
                        c.bits(3)));
}

// describe(kind) -> [json, ...]
napi_value describe(napi_env env, napi_callback_info info) {
  Call c(env, info);
  napi_value list;
  napi_create_array(env, &list);
  mw_msg* m = nullptr;
  for (uint32_t i = 0; mw_conf_describe(static_cast<int32_t>(c.bits(0)), i, &m) >= 0; ++i)
    napi_set_element(env, list, i, c.taken(m));
  return list;
}

// check(kind, json, key) -> the key's value as text, or a status
napi_value check(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Conf conf(c, static_cast<int32_t>(c.bits(0)), c.arg[1]);
  if (conf.status() < 0) return c.make(conf.status());
  const std::string key = c.copy(2);
  std::string value(1, '\0');
  size_t need = 0;
  mw_status s = mw_conf_get(conf.get(), key.data(), key.size(), value.data(), value.size(), &need);
  if (s == MW_ETOOBIG) {
    value.resize(need + 1);
    s = mw_conf_get(conf.get(), key.data(), key.size(), value.data(), value.size(), &need);
  }
  return s < 0 ? c.make(s) : c.make(std::string_view(value.data(), need));
}

// detail() -> [code, os, text] of the last failure
napi_value detail(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const mw_error& e = c.instance->error;
  napi_value list;
  napi_create_array(env, &list);
  napi_set_element(env, list, 0, c.make(e.code));
  napi_set_element(env, list, 1, c.make(e.os));
  napi_set_element(env, list, 2, c.make(std::string_view(e.text, e.text_len)));
  return list;
}

napi_value version(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const uint32_t v = mw_version();
  return c.make(std::string_view(std::to_string(v >> 16) + "." + std::to_string(v >> 8 & 255) + "." + std::to_string(v & 255)));
}

// Whether the host has a libuv whose loop can be had.
napi_value has_uv(napi_env env, napi_callback_info) {
  napi_value r;
  napi_get_boolean(env, uv_poll_init != nullptr && napi_get_uv_event_loop != nullptr, &r);
  return r;
}

}  // namespace

napi_value exports_of(napi_env env, napi_value exports) {
  auto* instance = new Instance;
  napi_set_instance_data(env, instance, [](napi_env, void* p, void*) { delete static_cast<Instance*>(p); }, nullptr);
  const struct {
    const char* name;
    napi_callback fn;
  } table[] = {{"open", open}, {"hold", hold}, {"flush", flush}, {"body", body}, {"link", link}, {"start", start},
               {"update", update}, {"token", token}, {"pause", pause}, {"cork", cork}, {"drain", drain},
               {"close", close}, {"state", state}, {"stat", stat}, {"info", info}, {"answer", answer},
               {"cancel", cancel}, {"send", send}, {"sendMessage", send_message}, {"publish", publish},
               {"subscribe", subscribe}, {"unsubscribe", unsubscribe}, {"subscribed", subscribed},
               {"serve", serve}, {"call", call}, {"reply", reply}, {"fail", fail},
               {"describe", describe}, {"check", check}, {"detail", detail}, {"version", version}, {"hasUv", has_uv}};
  for (const auto& row : table) {
    napi_value fn;
    napi_create_function(env, row.name, NAPI_AUTO_LENGTH, row.fn, instance, &fn);
    napi_set_named_property(env, exports, row.name, fn);
  }
  return exports;
}

}  // namespace mw::node

NAPI_MODULE_INIT() { return mw::node::exports_of(env, exports); }
