// A small host for stress tests, on the public C API only: one context at one
// of the five doors, a thread that empties it, events kept and counted.
// Used by tests/stress. Any thread, except what a test's own handler touches.
#pragma once
#include "kit/process.hpp"

#include <meshwork/meshwork.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <poll.h>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rig {

using namespace std::chrono_literals;
using Options = std::vector<std::pair<std::string, std::string>>;

// Everything ends long before; a test that waits so long has failed.
inline constexpr auto kPatience = 30s;

enum class Door { run, inline_, dispatch, queue, turn };
inline constexpr Door kDoors[] = {Door::run, Door::inline_, Door::dispatch, Door::queue, Door::turn};
inline const char* name(Door d) {
  static const char* const names[] = {"run", "inline", "dispatch", "queue", "turn"};
  return names[static_cast<int>(d)];
}

class Conf {
 public:
  Conf(int32_t kind, const Options& options) : conf_(mw_conf_new(kind)) {
    mw_error err;
    for (auto& [k, v] : options)
      if (mw_conf_set(conf_, k.data(), k.size(), v.data(), v.size(), &err) < 0) ADD_FAILURE() << k << ": " << err.text;
  }
  ~Conf() { mw_conf_unref(conf_); }
  Conf(const Conf&) = delete;
  operator const mw_conf*() const { return conf_; }

 private:
  mw_conf* conf_;
};

class Host {
 public:
  // Called for each event, on the thread it comes out on, without a lock.
  using Handler = std::function<void(const mw_event&, std::string_view body)>;

  explicit Host(Door door, Options options = {}, Handler handler = {}, size_t cap = 64, size_t slab = 64 << 10)
      : door_(door), handler_(std::move(handler)), events_(cap), slab_(slab) {
    if (door == Door::run || door == Door::turn) options.insert(options.begin(), {"threads", "0"});
    if (door == Door::inline_) options.insert(options.begin(), {"delivery", "inline"});
    mw_error err{};
    if (mw_ctx_open(Conf(MW_CONF_CTX, options), &ctx, &err) < 0) ADD_FAILURE() << err.text;
    mw_on(ctx, callback, this, nullptr);
    if (door != Door::inline_) pump_ = std::thread([this] { pump(); });
  }
  ~Host() { end(); }
  Host(const Host&) = delete;

  mw_handle open(int32_t kind, const Options& options, uint64_t token) {
    mw_handle h = 0;
    mw_error err{};
    Conf conf(kind, options);
    mw_status s = kind == MW_CONF_PROVIDER ? mw_provider_open(ctx, conf, token, &h, &err)
                  : kind == MW_CONF_SHARE  ? mw_share_open(ctx, conf, token, &h, &err)
                  : kind == MW_CONF_NODE   ? mw_node_open(ctx, conf, token, &h, &err)
                                           : mw_consumer_open(ctx, conf, token, &h, &err);
    EXPECT_GE(s, 0) << err.text;
    if (s >= 0) mw_on(h, callback, this, nullptr);
    return h;
  }
  mw_handle provider(Options options = {}, uint64_t token = 1) {
    options.insert(options.begin(), {{"port", "0"}, {"host", "127.0.0.1"}, {"wire", "raw"}});
    return open(MW_CONF_PROVIDER, options, token);
  }
  mw_handle consumer(const std::string& url, Options options = {}, uint64_t token = 2) {
    options.insert(options.begin(), {{"wire", "raw"}, {"reconnect.interval", "20ms"}, {"reconnect.jitter", "0"}});
    if (!url.empty()) options.insert(options.begin(), {"url", url});
    return open(MW_CONF_CONSUMER, options, token);
  }
  // Listens; the url.
  std::string listen(mw_handle p) {
    EXPECT_EQ(mw_start(p, 0, nullptr), MW_OK);
    EXPECT_TRUE(wait([&] { return !url_.empty(); }));
    std::lock_guard lock(mutex_);
    return url_;
  }
  // Waits until yes() under the lock, which every event wakes.
  bool wait(const std::function<bool()>& yes, std::chrono::milliseconds limit = kPatience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, yes);
  }
  bool wait_kind(uint32_t kind, uint64_t n, std::chrono::milliseconds limit = kPatience) {
    return wait([&] { return counts_[kind & 127] >= n; }, limit);
  }
  uint64_t count(uint32_t kind) {
    std::lock_guard lock(mutex_);
    return counts_[kind & 127];
  }
  mw_handle peer(size_t i) {  // the i-th that came
    std::lock_guard lock(mutex_);
    return i < peers_.size() ? peers_[i] : 0;
  }
  std::mutex& mutex() { return mutex_; }

  // Closes the context, waits for its CLOSED and its threads.
  void end() {
    if (ctx == 0) return;
    mw_close(ctx, 0, nullptr, 0, 0);
    EXPECT_TRUE(wait([&] { return closed_; })) << "no CLOSED of the context, door " << name(door_);
    if (pump_.joinable()) pump_.join();
    EXPECT_EQ(mw_ctx_join(ctx, 10000), MW_OK);
    ctx = 0;
  }

  mw_handle ctx = 0;

 private:
  static void callback(const mw_event* ev, const uint8_t* data, void* user) {
    static_cast<Host*>(user)->event(*ev, data);
  }
  void event(const mw_event& ev, const uint8_t* data) {
    std::string_view body;
    auto* m = reinterpret_cast<mw_msg*>(static_cast<uintptr_t>(ev.msg));
    if (ev.flags & MW_F_REF) {
      size_t n = 0;
      auto* p = static_cast<const char*>(mw_msg_body(m, &n));
      body = {p, n};
    } else if (ev.body_len) {
      body = {reinterpret_cast<const char*>(data) + ev.offset + ev.topic_len + ev.meta_len, ev.body_len};
    }
    if (handler_) handler_(ev, body);
    std::lock_guard lock(mutex_);
    counts_[ev.kind & 127]++;
    if (ev.kind == MW_EVENT_PEER_UP) peers_.push_back(ev.peer);
    if (ev.kind == MW_EVENT_UP && ev.peer == 0 && url_.empty()) {
      size_t at = body.find("ws");
      if (at != body.npos) url_ = body.substr(at, body.find('"', at) - at);
    }
    if (ev.kind == MW_EVENT_CLOSED && ev.token == 0) closed_ = true;
    changed_.notify_all();
    if (door_ == Door::queue || door_ == Door::turn) mw_msg_unref(m);  // taken: ours; in a callback it is lent
  }
  void pump() {
    int fd = -1;
    if (door_ == Door::turn && mw_ctx_fd(ctx, &fd) != MW_OK) ADD_FAILURE() << "no fd";
    for (mw_status s = MW_OK; s >= 0 && !closed();) {  // nothing speaks after CLOSED
      size_t n = 0;
      switch (door_) {
        case Door::run: s = mw_ctx_run(ctx, -1, nullptr); break;
        case Door::dispatch:
          mw_ctx_wait(ctx, -1);
          s = mw_ctx_dispatch(ctx, 0, &n);
          break;
        case Door::queue:
          mw_ctx_wait(ctx, -1);
          s = take(&n);
          break;
        case Door::turn: {
          pollfd p{fd, POLLIN, 0};
          poll(&p, 1, -1);
          s = take(&n);
          break;
        }
        case Door::inline_: return;
      }
      if (s < 0 && s != MW_EEND) ADD_FAILURE() << "door " << name(door_) << ": " << mw_status_name(s);
    }
  }
  bool closed() {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  mw_status take(size_t* n) {
    mw_status s = mw_ctx_take(ctx, events_.data(), sizeof(mw_event), events_.size(), slab_.data(), slab_.size(), n);
    for (size_t i = 0; i < *n; i++) event(events_[i], slab_.data());
    return s;
  }

  const Door door_;
  Handler handler_;
  std::vector<mw_event> events_;
  std::vector<uint8_t> slab_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t counts_[128] = {};
  std::vector<mw_handle> peers_;
  std::string url_;
  bool closed_ = false;
  std::thread pump_;  // last: it uses the others
};

// Threads that begin together and are joined at the end of the scope.
class Crowd {
 public:
  ~Crowd() { join(); }
  template <class F>
  void add(F f) {
    threads_.emplace_back([this, f = std::move(f)]() mutable {
      while (!go_.load(std::memory_order_acquire)) std::this_thread::yield();
      f();
    });
  }
  void go() { go_.store(true, std::memory_order_release); }
  void join() {
    go();
    for (auto& t : threads_) t.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> go_{false};
  std::vector<std::thread> threads_;
};

// A cheap source of varied numbers, the same on every run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : x_(seed * 2654435769u + 1) {}
  uint32_t operator()(uint32_t below) {
    x_ ^= x_ << 13, x_ ^= x_ >> 7, x_ ^= x_ << 17;
    return static_cast<uint32_t>(x_ >> 11) % below;
  }

 private:
  uint64_t x_;
};

}  // namespace rig
