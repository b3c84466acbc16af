// Life of a hub's part in a LAN, what it hears, and what it tells of both.
#include "link/lan.hpp"

#include "base/clock.hpp"
#include "base/insist.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "link/speech.hpp"
#include "wire/event.hpp"

#include <algorithm>
#include <cstring>

namespace mw::link {

using base::Opt;
using Verdict = wire::LanInbound::Verdict;
using Outcome = wire::LanInbound::Outcome;

namespace {

constexpr uint64_t kSecond = 1000;  // ms between two beats
constexpr int kAtOnce = 64;         // datagrams read before others have their turn
constexpr std::string_view kUnsent = "events did not go to the LAN";

uint64_t wall() noexcept { return static_cast<uint64_t>(base::wall_ms()); }

}  // namespace

bool Lan::same(const base::Conf& a, const base::Conf& b) {
  for (Opt o : {Opt::multicast_enabled, Opt::multicast_port, Opt::multicast_ttl})
    if (a.num(o) != b.num(o)) return false;
  for (Opt o : {Opt::multicast_address, Opt::multicast_interface, Opt::link_secret})
    if (a.text(o) != b.text(o)) return false;
  return true;
}

base::Result<std::unique_ptr<Lan>> Lan::open(Host& host, const base::Conf& c,
                                             std::shared_ptr<const net::SharedSecret> secret) {
  auto socket = net::Multicast::join({c.text(Opt::multicast_address), static_cast<uint16_t>(c.num(Opt::multicast_port)),
                                      c.text(Opt::multicast_interface), static_cast<int>(c.num(Opt::multicast_ttl))});
  if (!socket) return socket.error();
  wire::LanInbound::Limits limits;
  limits.max_message = host.policy.max_message + wire::kMaxOverhead;
  std::unique_ptr<Lan> made(new Lan(host, std::move(*socket), new_uuid(), limits));
  if (secret) made->cipher_ = std::make_unique<net::LanCipher>(std::move(secret), made->self_);
  made->where_ = c.text(Opt::multicast_address) + " port " + std::to_string(c.num(Opt::multicast_port));
  made->tune(c);
  if (!host.lane->poller.add(made->socket_.fd(), EPOLLIN, made.get()))
    return base::Error{MW_EIO, errno, "the poller takes no socket for multicast"};
  if (!made->cipher_)
    host.log(*host.lane, base::LogLevel::warn, 0, "lan", "channels go over the network unsealed: link.secret is not set");
  made->second();
  return made;
}

Lan::Lan(Host& host, net::Multicast&& socket, const wire::LanSender& self, const wire::LanInbound::Limits& limits)
    : host_(host), socket_(std::move(socket)), self_(self), inbound_(self, limits, wall()) {
  tick_.lan = pace_.lan = this;
  credit_ = wire::kLanDatagram;
  earned_at_ = host.lane->now();
}

Lan::~Lan() {
  for (const Message& m : queue_) host_.lane->slice.release(m.cost);
  loop::Wheel::cancel(tick_);
  loop::Wheel::cancel(pace_);
  host_.lane->poller.del(socket_.fd());
  host_.lane->forget(this);
}

void Lan::finish() {
  credit_ = INT64_MAX;
  close_pack();
  pump();
  for (const Message& m : queue_) unsent(m.events);
  if (untold_ != 0) tell_lost(std::exchange(untold_, 0), {}, kUnsent);
}

void Lan::Tick::expired() noexcept {
  try {
    lan->second();
  } catch (const std::bad_alloc&) {
    lan->host_.lane->wheel.set(*this, lan->host_.lane->now() + kSecond);
  }
}

void Lan::second() {
  loop::Lane& lane = *host_.lane;
  lane.wheel.set(tick_, lane.now() + kSecond);
  if (held_size_ == 0) {
    make(nullptr);
    if (push() == Push::later) lane.flush_later(this);
  }
  inbound_.settle(lane.now(), [&](const wire::LanInbound::Facts& f, uint64_t n) {
    std::string meta;
    base::put_header(meta, "sender", base::uuid_text(f.id.data()));
    tell_lost(n, meta, "datagrams of a hub of the LAN did not come");
  });
  if (untold_ != 0) tell_lost(std::exchange(untold_, 0), {}, kUnsent);
  if (const uint64_t all = refused_.all(); all != refused_told_) {
    refused_told_ = all;
    host_.log(lane, base::LogLevel::warn, 0, "lan", "refused from the LAN so far: " + refused());
  }
}

void Lan::tell_lost(uint64_t n, std::string_view meta, std::string_view why) {
  host_.count_dropped(n);
  if (!host_.policy.wants(MW_EVENT_DROPPED)) return;
  mw_event ev{};
  ev.kind = MW_EVENT_DROPPED;
  ev.token = host_.token.load(std::memory_order_relaxed);
  ev.status = MW_EDROPPED;
  ev.code = static_cast<int32_t>(std::min<uint64_t>(n, INT32_MAX));
  ev.flags = MW_F_TEXT;
  host_.emit(*host_.lane, ev, {}, meta, why);
}

// ---- hearing

void Lan::on_ready(uint32_t) {
  uint8_t datagram[wire::kLanDatagram];
  for (int i = 0; i < kAtOnce; ++i) {
    const ssize_t n = socket_.receive(datagram, sizeof datagram);
    if (n < 0) return;  // none, or a fault of sending, which sending tells
    if (static_cast<size_t>(n) > sizeof datagram)
      ++refused_.oversized;
    else
      take(datagram, static_cast<size_t>(n));
  }
  host_.lane->come_again();
}

void Lan::on_trouble() noexcept {
  ++refused_.no_memory;
  host_.lane->wheel.set(pace_, host_.lane->now() + 20);
}

void Lan::take(uint8_t* datagram, size_t n) {
  wire::LanHead head;
  if (!wire::parse_lan_head(datagram, n, head)) {
    ++refused_.malformed;
    return;
  }
  switch (inbound_.judge(head, wall())) {
    case Verdict::fresh: break;
    case Verdict::own: return;
    case Verdict::stale: ++refused_.stale; return;
    case Verdict::repeated: ++refused_.repeated; return;
  }
  if (head.sealed != (cipher_ != nullptr) || (cipher_ && !cipher_->open(datagram, n, head))) {
    ++refused_.forged;
    return;
  }
  ++received_;
  const size_t text = n - wire::kLanHead - (cipher_ ? wire::kLanTag : 0);
  const uint8_t* message = nullptr;
  size_t size = 0;
  switch (inbound_.accept(head, datagram + wire::kLanHead, text, host_.lane->now(), &message, &size)) {
    case Outcome::whole: return hear(message, size);
    case Outcome::part:
    case Outcome::beat: return;
    case Outcome::malformed: ++refused_.malformed; return;
    case Outcome::too_big: ++refused_.too_big; return;
  }
}

void Lan::hear(const uint8_t* message, size_t n) {
  wire::Bytes in{message, message + n};
  std::string_view channel;
  if (!wire::parse_lan_channel(in, channel)) {
    ++refused_.malformed;
    return;
  }
  Exchange* e = host_.of_lan(channel);
  if (e == nullptr) {
    ++refused_.unwanted;
    return;
  }
  wire::PacketView packet;
  wire::Violation why;
  wire::PacketRead read;
  while ((read = wire::next_packet(in, packet, why)) == wire::PacketRead::ok) {
    wire::EventView v;
    // A member must find nothing wrong with it: that would end its connection.
    if (packet.type != static_cast<uint8_t>(wire::Packet::event) ||
        !wire::parse_event(packet, host_.policy.max_message, v, why) || v.origin == nullptr ||
        (v.flags & wire::kRelayed) != 0 || ((v.flags & wire::kEventText) != 0 && !base::utf8_check(v.body, v.size).valid) ||
        e->has(v.origin)) {
      ++refused_.malformed;
      break;
    }
    e->pass_on(nullptr, v);
  }
  if (read == wire::PacketRead::bad) ++refused_.malformed;
  e->send_batch();
}

// ---- facts

namespace {

void count(base::JsonObject& o, const char* key, uint64_t v) { o.number(key, static_cast<int64_t>(v)); }

}  // namespace

std::string Lan::refused() const {
  std::string out;
  base::JsonObject o(out);
  count(o, "malformed", refused_.malformed);
  count(o, "oversized", refused_.oversized);
  count(o, "forged", refused_.forged);
  count(o, "repeated", refused_.repeated);
  count(o, "stale", refused_.stale);
  count(o, "too_big", refused_.too_big);
  count(o, "no_memory", refused_.no_memory);
  count(o, "unwanted", refused_.unwanted);
  o.end();
  return out;
}

std::string Lan::facts() const {
  std::string out, sent, senders = "[";
  {
    base::JsonObject o(sent);
    count(o, "datagrams", sent_.datagrams);
    count(o, "bytes", sent_.bytes);
    count(o, "events", sent_.events);
    count(o, "unsent", sent_.unsent);
    o.number("queued", queued_);
    o.end();
  }
  for (const auto& f : inbound_.senders()) {
    if (senders.size() > 1) senders += ',';
    base::JsonObject o(senders);
    o.text("id", base::uuid_text(f.id.data()));
    count(o, "received", f.came);
    count(o, "lost", f.lost);
    count(o, "silent_ms", host_.lane->now() - f.heard_ms);
    o.end();
  }
  base::JsonObject o(out);
  o.boolean("enabled", true).text("group", where_).boolean("sealed", cipher_ != nullptr);
  o.text("id", base::uuid_text(self_.data())).raw("sent", sent);
  count(o, "received", received_);
  count(o, "lost", inbound_.lost());
  o.raw("refused", refused()).raw("senders", senders + "]");
  o.end();
  return out;
}

}  // namespace mw::link
