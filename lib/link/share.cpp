// Who leads a share: the election, the socket and the link to it.
#include "link/share.hpp"

#include "base/choices.hpp"
#include "base/json.hpp"
#include "local/directory.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace mw::link {

using base::Error;
using base::Opt;
using loop::Lane;

namespace {

constexpr uint64_t kRetry = 5;     // ms until the lock is tried again
constexpr uint64_t kWatch = 200;   // ms between a leader's looks at who is bound
constexpr uint64_t kTroubleWait = 1000;  // ms between two tries, and two ERRORs, where something is of no use
const CloseWish kAtOnce{1006, MW_CLOSE_ABORT, MW_OK, {}};

// Whether somebody listens there. A full backlog is somebody.
bool answers(const std::string& file) noexcept {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (file.size() >= sizeof at.sun_path) return false;
  std::memcpy(at.sun_path, file.c_str(), file.size() + 1);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // not known: do not take over
  bool yes = ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 || errno == EAGAIN || errno == EINPROGRESS;
  ::close(fd);
  return yes;
}

}  // namespace

base::Result<mw_handle> Share::open(loop::Runtime& ctx, std::shared_ptr<const base::Conf> conf, uint64_t token) {
  const std::string& name = conf->text(Opt::name);
  if (name.empty()) return Error{MW_EOPTION, 0, "a share needs a name"};
  if (base::share_wire(*conf) == base::ShareWire::meshwork && !local::name_valid(name))
    return Error{MW_EOPTION, 0, "the name of a share has letters, digits, '.', '_' and '-', and does not begin with '.'"};
  auto made = make(ctx, ctx.next_lane(), std::move(conf), token, nullptr, Use::share);
  if (!made) return made.error();
  return (*made)->handle;
}

// Its followers hold on to the leader by a connection; the lease is how long that may be silent.
base::Result<mw_handle> Share::elect(loop::Runtime& ctx, std::string_view name, const base::Conf& conf, uint64_t token) {
  if (!local::name_valid(name))
    return Error{MW_EINVAL, 0, "the name of an election has 1 to 64 letters, digits, '.', '_' or '-', and no dot in front"};
  const int64_t lease = conf.num(Opt::lease);
  base::Conf c(MW_CONF_SHARE);
  for (auto [key, value] : {std::pair<const char*, std::string>{"name", std::string(name)},
                            {"dir", conf.text(Opt::dir)},
                            {"log.level", *conf.get("log.level")},
                            {"events", "error,log,leader"},
                            {"start.timeout", "0"},
                            {"heartbeat.interval", std::to_string(lease / 2)},
                            {"heartbeat.max_strikes", "1"}})
    if (auto ok = c.set(key, value); !ok) return ok.error();
  auto made = make(ctx, ctx.next_lane(), c.freeze(), token, nullptr, Use::election);
  if (!made) return made.error();
  return (*made)->handle;
}

base::Result<Share*> Share::make(loop::Runtime& ctx, Lane& home, std::shared_ptr<const base::Conf> conf, uint64_t token,
                                 loop::Inside* inside) {
  return make(ctx, home, std::move(conf), token, inside, Use::group);
}

base::Result<Share*> Share::make(loop::Runtime& ctx, Lane& home, std::shared_ptr<const base::Conf> conf, uint64_t token,
                                 loop::Inside* inside, Use use) {
  auto* s = new Share(ctx, &home, std::move(conf), use);
  s->target->inside = inside;
  if (auto in = s->enter(use == Use::election ? base::Kind::election : base::Kind::share, token); !in) {
    delete s;
    return in.error();
  }
  return s;
}

Share::Share(loop::Runtime& ctx, Lane* home, std::shared_ptr<const base::Conf> c, Use use)
    : Owner(ctx, home, std::move(c)),
      name_(conf()->text(Opt::name)),
      single_(conf()->num(Opt::single) != 0),
      election_(use == Use::election),
      group_(use == Use::group),
      cluster_(!single_ && base::share_wire(*conf()) == base::ShareWire::cluster_client),
      role_(base::role(*conf())) {
  safe_ = conf()->list(Opt::retry_safe);
  std::sort(safe_.begin(), safe_.end());
}

void Share::attend(uint32_t bits) {
  if (bits & kStart) begin_start();
  if (bits & kExpire) expire_kept();
  if (bits & kAbort) begin_close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kClose) begin_close(close_wish());
}

// ---- starting

mw_status Share::start(uint64_t op) {
  return ask_start(op);
}

void Share::begin_start() {
  if (!settle_canceled()) return;
  if (closing_) return finish_starts(MW_ECANCELED, {});
  if (up_) return finish_starts(MW_OK, {});
  int64_t limit = conf()->num(Opt::start_timeout);
  if (limit > 0 && !loop::Wheel::pending(start_timer_)) lane->wheel.set(start_timer_, lane->now() + static_cast<uint64_t>(limit));
  if (state_.load() != MW_STATE_IDLE) return;
  if (consumer_ == nullptr)
    if (auto ready = prepare(); !ready) return trouble(ready.error());
  state_.store(MW_STATE_CONNECTING, std::memory_order_release);
  compete();
}

// The directory and the lock's file.
base::Result<void> Share::find_place() {
  auto dir = local::runtime_directory(conf()->text(Opt::dir));
  if (!dir) return dir.error();
  stem_ = *dir + (election_ ? "/elect-" : group_ ? "/group-" : "/share-") + name_;
  if (socket_file(UINT64_MAX).size() >= sizeof(sockaddr_un::sun_path))
    return Error{MW_EOPTION, 0, "the path of the share's socket is too long for the system: choose a shorter name or dir"};
  auto lock = local::Lock::open(stem_ + ".lock");
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  return {};
}

// Where all meet, and the consumer that will seek the leader.
base::Result<void> Share::prepare() {
  if (cluster_) return seek_port();
  if (!single_)
    if (auto place = find_place(); !place) return place.error();
  return seek_by(Consumer::make(runtime, *lane, inner_conf(MW_CONF_CONSUMER, "url", "ws+unix:" + link_file()), kSeeker, this));
}

base::Result<void> Share::seek_by(base::Result<Consumer*> made) {
  if (!made) return made.error();
  consumer_ = *made;
  std::vector<Early> early;
  {
    std::lock_guard guard(mutex_);
    early.swap(early_);
    seeker_.store(consumer_->handle, std::memory_order_release);
  }
  base::Error none;
  for (const Early& e : early) consumer_->subscribe(e.topic, e.syntax, e.op, &none);
  return {};
}

std::shared_ptr<const base::Conf> Share::inner_conf(int32_t kind, std::string_view key, std::string_view where) const {
  auto ours = conf();
  base::Conf c(kind);
  auto set = [&c](std::string_view k, const std::string& v) { (void)c.set(k, v); };
  set(key, std::string(where));
  set("wire", "meshwork");
  for (const char* k : {"send.soft_bytes", "send.max_bytes", "recv.max_message", "heartbeat.interval", "heartbeat.max_strikes",
                        "call.timeout", "close.timeout", "log.level"})
    if (auto v = ours->get(k)) set(k, *v);
  if (kind == MW_CONF_PROVIDER) {
    set("lanes", "1");
    if (group_) set("send.overflow", "disconnect");  // who falls behind is told so
    set("events", "+interest");
  } else {
    // Alone it never dials. A follower may wait long; others find a leader, or lead.
    const bool waits = role_ == base::Role::follower;
    set("reconnect.interval", single_ ? "1d" : "10ms");
    set("reconnect.backoff", waits ? "exponential" : "fixed");
    set("reconnect.max_interval", waits ? "250ms" : "1d");
    set("reconnect.max_attempts", "-1");
    // Of two leaders the frozen one may have been dialled just before the other could be found.
    set("connect.timeout", std::to_string(std::min(ours->num(Opt::connect_timeout), policy.patience())));
  }
  return c.freeze();
}

void Share::start_late() { finish_starts(MW_ETIMEDOUT, last_.text.empty() ? std::string() : error_json(last_)); }

void Share::finish_starts(mw_status status, std::string_view body) {
  loop::Wheel::cancel(start_timer_);
  Owner::finish_starts(status, 0, body);
}

void Share::trouble(Error why) {
  last_ = std::move(why);
  pause_ = kTroubleWait;
  if (lane->now() >= quiet_until_)
    event(*lane, MW_EVENT_ERROR, 0, token.load(std::memory_order_relaxed), last_.code, last_.os, 0, last_.text);
  quiet_until_ = lane->now() + kTroubleWait;
  if (state_.load() == MW_STATE_CONNECTING && provider_ == nullptr && (consumer_ == nullptr || consumer_->state() == MW_STATE_IDLE))
    state_.store(MW_STATE_IDLE, std::memory_order_release);  // it may be started again
  finish_starts(last_.code, error_json(last_));
}

// ---- who leads

uint64_t Share::bound_epoch() const {
  char to[4096];
  ssize_t n = ::readlink(link_file().c_str(), to, sizeof to);
  if (n <= 0) return 0;
  std::string_view file(to, static_cast<size_t>(n));
  if (!file.ends_with(".sock")) return 0;
  file.remove_suffix(5);
  file.remove_prefix(std::min(file.size(), file.rfind('.') + 1));
  uint64_t epoch = 0;
  auto [end, ec] = std::from_chars(file.data(), file.data() + file.size(), epoch);
  return ec == std::errc() && end == file.data() + file.size() ? epoch : 0;
}

// Nobody leads that we can reach: take the lock, see whether that is so, and
// lead. The lock is held from here until the socket can be found.
void Share::compete() {
  if (closing_ || runtime.closing() || provider_ != nullptr || consumer_ == nullptr) return;
  if (single_) return lead(epoch_);
  if (role_ == base::Role::follower) return seek();
  if (cluster_) return compete_for_port();
  auto taken = lock_->take();
  if (!taken) return trouble(taken.error());
  if (!*taken) {  // somebody competes, or is about to listen
    lane->wheel.set(compete_timer_, lane->now() + kRetry);
    return;
  }
  uint64_t bound = bound_epoch();
  bool silent = suspect_ && bound == epoch_;
  if (bound != 0 && !silent && answers(link_file())) {
    lock_->give_back();
    if (role_ == base::Role::leader && consumer_->state() == MW_STATE_IDLE)
      return trouble({MW_EBUSY, 0, "another process leads this share"});
    return seek();
  }
  lead(bound);
}

// Later it comes back by itself.
void Share::seek() {
  if (consumer_->state() == MW_STATE_IDLE) consumer_->start(0);
}

void Share::lead(uint64_t before) {
  auto raised = single_ ? base::Result<uint64_t>(before + 1) : lock_->raise_epoch();
  base::Result<Provider*> made = raised ? [&]() -> base::Result<Provider*> {
    ours_ = std::max(*raised, before + 1);
    if (single_) return Provider::make(runtime, *lane, inner_conf(MW_CONF_PROVIDER, "port", "0"), kSeat, this);
    std::string file = socket_file(ours_);
    ::unlink(file.c_str());  // of a dead one, from an epoch that was lost with its file
    return Provider::make(runtime, *lane, inner_conf(MW_CONF_PROVIDER, "listen", "unix:" + file), kSeat, this);
  }() : base::Result<Provider*>(raised.error());
  if (!made) {
    if (lock_) lock_->give_back();
    return trouble(made.error());
  }
  serve(*made);
}

void Share::serve(Provider* made) {
  provider_ = made;
  if (election_) {
    listen();
    return;
  }
  if (auto calls = Service::open(*provider_, kCalls, base::Conf(MW_CONF_SERVICE), kSeat, nullptr); !calls) {
    provider_->close_as(kAtOnce);
    return trouble(calls.error());
  }
  if (!single_) {
    listen();
    return;
  }
  linked_ = true;
  epoch_ = ours_;
  tell_leader(1);
  join_ends();
}

void Share::listen() {
  starting_ = true;
  provider_->start(kListen);
}

// Our consumer and our provider, at the two ends of a pair.
void Share::join_ends() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    int os = errno;
    provider_->close_as(kAtOnce);
    return trouble({MW_EIO, os, std::string("making a socket pair: ") + std::strerror(os)});
  }
  net::Accepted seat;
  net::Connected seeker;
  seat.carrier.fd = ends[0];
  seeker.carrier.fd = ends[1];
  seat.dialect = seeker.dialect = wire::Dialect::meshwork;
  seat.facts = R"("parameters":{},"subprotocol":"")";
  provider_->ready(std::move(seat));
  consumer_->connected(std::move(seeker));
}

// Our socket listens: let it be found, in one step.
void Share::leading() {
  if (!cluster_ && !be_found()) return;
  linked_ = true;
  suspect_ = false;
  pause_ = 1;
  epoch_ = ours_;
  tell_leader(1);
  if (!cluster_) lane->wheel.set(watch_timer_, lane->now() + kWatch);
  seek();
}

bool Share::be_found() {
  uint64_t before = bound_epoch();
  std::string file = socket_file(ours_), fresh = stem_ + ".new";
  std::string target = file.substr(file.rfind('/') + 1);
  ::unlink(fresh.c_str());
  bool bound = ::symlink(target.c_str(), fresh.c_str()) == 0 && ::rename(fresh.c_str(), link_file().c_str()) == 0;
  int os = errno;
  lock_->give_back();
  if (!bound) {
    provider_->close_as(kAtOnce);
    trouble(local::file_error("linking the share's socket", link_file(), os));
    return false;
  }
  if (before != 0 && before != ours_) ::unlink(socket_file(before).c_str());
  return true;
}

// A leader that was frozen finds that others went on without it.
void Share::watch() {
  if (!linked_ || closing_) return;
  if (bound_epoch() == ours_) {
    lane->wheel.set(watch_timer_, lane->now() + kWatch);
    return;
  }
  step_down();
}

void Share::step_down() {
  loop::Wheel::cancel(watch_timer_);
  linked_ = false;
  tell_leader(0);
  values_.clear();
  if (provider_ != nullptr) provider_->close_as(kAtOnce);
}

// ---- closing

void Share::begin_close(const CloseWish& w) {
  if (!closing_) {
    how_ = w;
    if (how_.code == 0) how_.code = 1000;
    closing_ = true;
    state_.store(MW_STATE_DRAINING, std::memory_order_release);
    finish_starts(MW_ECANCELED, {});
    for (Timer* t : {&compete_timer_, &watch_timer_, &expire_timer_}) loop::Wheel::cancel(*t);
    if (linked_ && !single_ && !cluster_ && bound_epoch() == ours_) ::unlink(link_file().c_str());
    linked_ = false;
    if (lock_) lock_->give_back();
  }
  if (consumer_ != nullptr) consumer_->close_as(w);
  if (provider_ != nullptr) provider_->close_as(w);
  end_if_done();
}

void Share::end_if_done() {
  if (!closing_ || consumer_ != nullptr || provider_ != nullptr || retired_) return;
  retired_ = true;
  base::retire(handle);
}

void Share::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  if (!dead) {
    finish_starts(MW_ECANCELED, {});
    for (const Early& e : early_) done(*lane, e.op, MW_ECANCELED, 0, {});
    for (auto& [op, k] : kept_) call_failed(*lane, op, MW_ECANCELED, 0);  // waited for the next leader
    tell_closed(how_);
    r.child_gone(this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

std::string Share::facts() const {
  std::string out;
  base::JsonObject o(out);
  o.text("name", name_).boolean("leader", leads_.load(std::memory_order_acquire));
  o.number("epoch", static_cast<int64_t>(epoch_seen_.load(std::memory_order_relaxed)));
  o.end();
  return out;
}

}  // namespace mw::link
