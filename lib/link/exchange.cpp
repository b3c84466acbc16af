// An exchange's life: opening, members that come and go, settling after a
// take-over, closing.
#include "link/exchange.hpp"

#include "base/json.hpp"
#include "link/control.hpp"
#include "link/speech.hpp"
#include "local/directory.hpp"
#include "wire/event.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

namespace mw::link {

using base::Error;
using loop::Lane;

namespace {

constexpr uint64_t kSettleLook = 20;    // ms between two looks at who is still alive
constexpr uint64_t kSettleMost = 5000;  // ms that a member which does not come back can hold up acknowledgements

Seat& seat_of(Session& s) noexcept { return static_cast<Seat&>(s.self()); }

}  // namespace

Uuid new_uuid() noexcept {
  uint8_t u[16];
  base::uuid_make(u);
  return std::to_array(u);
}

// ---- a seat

Seat::Seat(Exchange& e, Lane& l, int64_t process)
    : Object(e.host.runtime, &l), exchange(e), session(e.host, *this), pid(process) {
  session.transit();
}

std::string Seat::facts() const {
  std::string out;
  base::JsonObject o(out);
  o.text("channel", exchange.name()).text("uuid", uuid_text(uuid)).number("pid", pid);
  o.end();
  return out;
}

void Seat::attend(uint32_t bits) try {
  if (bits & kSlow) session.tell_slow();
  if (bits & kDropped) session.tell_dropped();
  if (bits & kOverflow) session.overflowed();
  if (bits & kWritable) session.look_for_writable();
  if (bits & kPause) session.pause_as_wished();
  if (bits & (kClose | kAbort)) session.close(CloseWish{1001, bits & kAbort ? uint32_t{MW_CLOSE_ABORT} : 0, MW_OK, "told to leave"});
} catch (const std::bad_alloc&) {
  session.on_trouble();
}

void Seat::destroy(bool dead) noexcept {
  loop::Runtime& r = runtime;
  Exchange& e = exchange;
  if (!dead) {
    e.host.seat_left(*this);
    e.seat_freed(*this);
  }
  delete this;
  r.objects.fetch_sub(1, std::memory_order_release);
}

// ---- a host passes on what its seats' sessions tell

void Host::session_ended(Session& s) { seat_of(s).exchange.ended(seat_of(s)); }
const char* Host::met(Session& s, const wire::Hello& h) { return seat_of(s).exchange.met(seat_of(s), h); }
void Host::greeted(Session& s) { seat_of(s).exchange.joined(seat_of(s)); }
const char* Host::event_came(Session& s, const wire::EventView& e) { return seat_of(s).exchange.event_came(seat_of(s), e); }
const char* Host::taken(Session&, uint64_t) { return "a member acknowledges nothing"; }
std::string Host::packet_came(Session& s, std::string_view frame) { return seat_of(s).exchange.packet_came(seat_of(s), frame); }
void Host::message_read(Session& s) { seat_of(s).exchange.send_batch(); }
void Host::written(Session& s) { seat_of(s).exchange.written(seat_of(s)); }

void Host::introduce(Session& s, wire::Hello& h) {
  const Exchange& e = seat_of(s).exchange;
  h.capabilities = wire::kCanChannel;
  h.channel = e.name();
  h.epoch = e.epoch();
}

mw_status Host::remote_subscribe(Session&, uint64_t, uint8_t, std::string_view, std::string* why) {
  *why = "everybody hears all of a channel";
  return MW_ENOTSUP;
}

wire::SharedDeflate& Host::shared_deflate(Lane&) {
  if (!deflate_) deflate_ = std::make_unique<wire::SharedDeflate>();
  return *deflate_;
}

uint64_t Host::through(Exchange& e) { return e.through(); }
void Host::look_for_acks(Exchange& e) { e.look_for_acks(); }

// ---- opening

std::string Exchange::file(const std::string& dir, const std::string& name, const char* what) {
  return dir + "/" + name + "." + what;
}

std::string Exchange::socket_file(const std::string& dir, const std::string& name, base::ChannelWire wire) {
  return wire == base::ChannelWire::netcluster ? dir + "/netcluster-" + name : file(dir, name, "sock");
}

std::string Exchange::lock_file(const std::string& dir, const std::string& name, base::ChannelWire wire) {
  return wire == base::ChannelWire::netcluster ? file(dir, "netcluster-" + name, "lock") : file(dir, name, "lock");
}

base::Result<void> Exchange::fits(const std::string& socket) {
  if (socket.size() >= sizeof(sockaddr_un::sun_path))
    return Error{MW_EOPTION, 0, "dir: " + socket + " is longer than the 107 bytes a unix socket can have"};
  if (socket.find(':') != socket.npos) return Error{MW_EOPTION, 0, "dir: a colon in " + socket + " cannot be part of a socket's url"};
  return {};
}

Exchange::Exchange(Host& h, std::string dir, std::string name, local::Lock&& lock)
    : host(h),
      wire_(base::channel_wire(*h.conf())),
      dir_(std::move(dir)),
      name_(std::move(name)),
      file_(socket_file(dir_, name_, wire_)),
      lock_(std::move(lock)),
      settling_(!bare()) {  // members of that wire do not say that they come back
  settle_timer_.e = ack_timer_.e = this;
}

Exchange::~Exchange() {
  loop::Wheel::cancel(settle_timer_);
  loop::Wheel::cancel(ack_timer_);
}

base::Result<std::unique_ptr<Exchange>> Exchange::open(Host& host, const std::string& dir, const std::string& name,
                                                       local::Lock&& lock) {
  std::unique_ptr<Exchange> e(new Exchange(host, dir, name, std::move(lock)));
  auto epoch = e->lock_.raise_epoch();
  if (!epoch) return epoch.error();
  e->epoch_ = *epoch;
  if (!e->bare()) {
    auto roster = local::Roster::open(file(dir, name, "members"));
    if (!roster) return roster.error();
    e->roster_ = std::make_unique<local::Roster>(std::move(*roster));
    for (const local::Present& p : e->roster_->read()) e->missing_.push_back(p.uuid);
    // With the lock ours this is the socket of a hub that is gone. (An original's hub takes no lock; the listener looks.)
    if (::unlink(e->file_.c_str()) != 0 && errno != ENOENT)
      return local::file_error("removing the socket of a hub that is gone,", e->file_, errno);
  }

  base::Conf c(MW_CONF_PROVIDER);
  std::string where = "[";
  base::json_quote(where, "unix:" + e->file_);
  for (auto [key, value] : {std::pair<const char*, std::string>{"listen", where + "]"}, {"path", "/channel"},
                            {"wire", "meshwork"}, {"http.alive_path", ""}})
    if (auto ok = c.set(key, value); !ok) return ok.error();
  net::Control& control = control_of(host.runtime);
  if (auto up = control.start(); !up) return up.error();
  std::optional<wire::Dialect> speaks;
  if (e->bare()) speaks = wire::Dialect::netcluster;
  e->listener_ = net::Listener::open(control, c.freeze(), *e, speaks);
  return e;
}

void Exchange::listening(base::Result<std::vector<std::string>> urls) {
  post(*host.lane, [this, urls = std::move(urls)] {
    if (closing_) return;
    if (!urls) {
      closing_ = true;
      host.exchange_failed(*this, urls.error());
      listener_->stop();
      return;
    }
    listening_ = true;
    settle_from_ = host.marks;
    settle_end_ = host.lane->now() + kSettleMost;
    settle(false);
    host.exchange_up(*this);
  });
}

void Exchange::trouble(Error e) {
  post(*host.lane, [this, e = std::move(e)] {
    host.event(*host.lane, MW_EVENT_ERROR, 0, host.token.load(), e.code, e.os, 0, e.text);
  });
}

void Exchange::log(int level, std::string line) {
  if (!host.policy.logs(static_cast<base::LogLevel>(level))) return;
  post(*host.lane, [this, level, line = std::move(line)] {
    host.log(*host.lane, static_cast<base::LogLevel>(level), 0, "hub", line);
  });
}

// ---- members come

void Exchange::ready(net::Accepted&& a) {
  post(*host.lane, [this, a = std::move(a)]() mutable { admit(std::move(a)); });
}

void Exchange::admit(net::Accepted&& a) {
  if (closing_) return;  // the carrier closes its descriptor
  ucred who{};
  socklen_t len = sizeof who;
  if (::getsockopt(a.carrier.fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || who.uid != ::geteuid()) {
    host.violations.fetch_add(1, std::memory_order_relaxed);
    host.log(*host.lane, base::LogLevel::warn, 0, "hub",
             "refused process " + std::to_string(who.pid) + " of user " + std::to_string(who.uid) + " on channel " + name_);
    return;
  }
  if (seats_.size() == seats_.capacity()) seats_.reserve(2 * seats_.size() + 16);
  host.runtime.objects.fetch_add(1);
  struct Free {
    void operator()(Seat* s) const noexcept { s->destroy(true); }
  };
  std::unique_ptr<Seat, Free> made;
  try {
    made.reset(new Seat(*this, *host.lane, who.pid));
  } catch (...) {
    host.runtime.objects.fetch_sub(1);
    throw;
  }
  made->token.store(host.token.load(std::memory_order_relaxed), std::memory_order_relaxed);
  made->session.adopt(std::move(a.carrier), wire::Role::server, a.dialect, a.deflate);
  made->handle = host.lane->slots->take(base::Kind::seat, made.get());
  if (made->handle == 0) return;
  Seat* s = made.release();
  ++unfreed_;
  seats_.push_back(s);
  s->session.greet();
  if (bare()) {  // it has nothing to introduce itself with
    s->uuid = new_uuid();
    s->joined = true;
    host.seat_taken(*s);
  }
  s->session.begin();
}

const char* Exchange::met(Seat& s, const wire::Hello& h) {
  if ((h.capabilities & wire::kCanChannel) == 0 || h.channel != name_) return "not a member of this channel";
  std::copy(h.uuid, h.uuid + s.uuid.size(), s.uuid.begin());
  s.resumes = h.epoch;
  return nullptr;
}

void Exchange::joined(Seat& s) {
  // The same member again: its old connection has died without our noticing.
  for (Seat* other : seats_)
    if (other != &s && other->joined && other->uuid == s.uuid) other->request(kAbort);
  s.joined = true;
  base::Buffer out;
  wire::put_taken(out, 0);
  s.session.write_packet(out.data(), out.size());
  // What a member of the last hub may have missed. Others began after it.
  if (settling_ && s.resumes != 0)
    for (const Past& p : past_)
      if (p.from != s.uuid && s.session.forward(p.frame.get(), p.events)) soil(s, settle_from_);
  std::erase(missing_, s.uuid);
  host.seat_taken(s);
  if (settling_ && missing_.empty()) settled();
}

void Exchange::ended(Seat& s) {
  seats_.erase(std::find(seats_.begin(), seats_.end(), &s));
  if (batch_from_ == &s) send_batch();
  if (listener_) listener_->gone(net::Address{});
  look_for_acks();  // nobody waits for it any more
  base::retire(s.handle);
}

void Exchange::seat_freed(Seat&) {
  --unfreed_;
  over_if_done();
}

// ---- settling: the members that the last hub had come to this one

void Exchange::SettleTimer::expired() noexcept {
  try {
    e->settle(e->host.lane->now() >= e->settle_end_);
  } catch (...) {
    e->host.lane->wheel.set(*this, e->host.lane->now() + kSettleLook);
  }
}

void Exchange::settle(bool late) {
  if (!settling_ || closing_) return;
  if (!missing_.empty()) {
    std::vector<local::Present> alive = roster_->read();
    std::erase_if(missing_, [&](const Uuid& u) {
      return std::none_of(alive.begin(), alive.end(), [&](const local::Present& p) { return p.uuid == u; });
    });
  }
  if (missing_.empty()) return settled();
  if (late) {
    host.log(*host.lane, base::LogLevel::warn, 0, "hub",
             std::to_string(missing_.size()) + " members of the last hub of channel " + name_ + " did not come back in time");
    return settled();
  }
  host.lane->wheel.set(settle_timer_, host.lane->now() + kSettleLook);
}

void Exchange::settled() {
  settling_ = false;
  loop::Wheel::cancel(settle_timer_);
  missing_.clear();
  past_.clear();
  host.lane->slice.release(std::exchange(past_bytes_, 0));
  roster_.reset();
  host.look_for_acks(*this);
}

// ---- closing

void Exchange::close() {
  if (closing_) return;
  closing_ = true;
  loop::Wheel::cancel(settle_timer_);
  loop::Wheel::cancel(ack_timer_);
  if (past_bytes_ != 0) host.lane->slice.release(std::exchange(past_bytes_, 0));
  past_.clear();
  listener_->stop();
  for (size_t i = seats_.size(); i-- > 0;) seats_[i]->session.close(CloseWish{1012, 0, MW_OK, "the hub leaves"});
}

void Exchange::stopped() { host.lane->post(&stopped_step_); }

void Exchange::listener_gone() {
  listener_stopped_ = true;
  listener_.reset();
  lock_.give_back();  // the next hub need not wait until our members have left
  over_if_done();
}

void Exchange::over_if_done() {
  if (!closing_ || !listener_stopped_ || unfreed_ != 0 || std::exchange(told_, true)) return;
  host.lane->post(&over_step_);  // this turn may still flush us
}

}  // namespace mw::link
