// The way of an event through the hub: packets of one WebSocket message become
// one frame, encoded once, referred to by every other member's output; what the
// kernel has for all of them is acknowledged, once a turn.
#include "base/json.hpp"
#include "link/exchange.hpp"
#include "link/speech.hpp"
#include "wire/event.hpp"
#include "wire/frame.hpp"
#include "wire/netcluster.hpp"

#include <algorithm>
#include <cstring>

namespace mw::link {

namespace {

constexpr uint64_t kStuck = 250;    // ms without a byte taken: such a member is not waited for
constexpr size_t kBatch = 60 << 10;  // beyond it a frame is sent: any receiver takes so much

base::MsgRef frame_of(const base::Buffer& packets) {
  uint8_t head[wire::kMaxHead];
  size_t h = wire::put_head(head, wire::kBinary, true, false, packets.size());
  uint8_t* p = nullptr;
  base::MsgRef f(base::message_room(h + packets.size(), 0, &p));
  std::memcpy(p, head, h);
  std::memcpy(p + h, packets.data(), packets.size());
  return f;
}

base::MsgRef bytes_of(const base::Buffer& packets) {
  return base::MsgRef(base::message_copy(packets.data(), packets.size(), 0));
}

}  // namespace

// Passed on as it is.
std::string Exchange::packet_came(Seat& s, std::string_view frame) {
  auto e = wire::parse_netcluster(frame);
  if (!e) return e.error().text;
  if (closing_) return {};
  if (batch_events_ != 0 && (batch_from_ != &s || batch_.size() + frame.size() >= kBatch)) send_batch();
  batch_.append(frame.data(), frame.size() + 1);
  batch_from_ = &s;
  ++batch_events_;
  s.emitter = std::move(e->emitter);
  wire::EventView v;
  v.flags = wire::kEventText;
  v.sequence = ++s.heard;
  v.origin = s.uuid.data();
  v.name = e->event;
  v.body = reinterpret_cast<const uint8_t*>(e->data.data());
  v.size = e->data.size();
  host.heard(*this, s, v);
  return {};
}

void Exchange::tell(Seat& s, const Uuid& hub, uint64_t sequence, std::string_view event, std::string_view json) {
  base::MsgRef frame;
  if (bare()) {
    std::string packet;
    wire::put_netcluster(packet, {uuid_text(hub), name_, std::string(event), json, false});
    frame = base::MsgRef(base::message_copy(packet.data(), packet.size(), 0));
  } else {
    wire::EventView v;
    v.flags = wire::kEventText | wire::kRelayed;  // others have not heard it: no gap is meant
    v.sequence = sequence;
    v.origin = hub.data();
    v.name = event;
    v.body = reinterpret_cast<const uint8_t*>(json.data());
    v.size = json.size();
    base::Buffer packet;
    wire::put_event(packet, v);
    frame = frame_of(packet);
  }
  if (s.session.forward(frame.get(), 1)) soil(s, host.marks);
}

const char* Exchange::event_came(Seat& s, const wire::EventView& e) {
  if (e.origin != nullptr) return "an event with an origin from a member";
  if (e.sequence <= s.heard) return "an event out of order";
  if (closing_) return nullptr;  // not acknowledged: it is sent again to the next hub
  s.heard = e.sequence;
  wire::EventView on = e;
  on.origin = s.uuid.data();
  pass_on(&s, on);
  host.heard(*this, s, on);
  return nullptr;
}

bool Exchange::has(const uint8_t* uuid) const noexcept {
  return std::any_of(seats_.begin(), seats_.end(),
                     [&](const Seat* s) { return std::memcmp(s->uuid.data(), uuid, s->uuid.size()) == 0; });
}

void Exchange::pass_on(Seat* from, const wire::EventView& e) {
  if (closing_) return;
  if (bare()) return translate(e);
  wire::EventView on = e;
  on.flags &= ~uint32_t{wire::kRelayed};
  if (batch_events_ != 0 && (batch_from_ != from || batch_.size() + wire::event_room(on) > kBatch)) send_batch();
  wire::put_event(batch_, on);
  if (host.relays(*this)) {
    on.flags |= wire::kRelayed;
    wire::put_event(relayed_, on);
  }
  batch_from_ = from;
  ++batch_events_;
}

// What came over the LAN, for members of the wire netcluster: bodies are JSON there.
void Exchange::translate(const wire::EventView& e) {
  std::string_view body(reinterpret_cast<const char*>(e.body), e.size);
  std::string quoted;
  if (body.empty()) {
    body = "null";
  } else if (!wire::check_netcluster_data(body).empty()) {
    base::json_quote(quoted, body);
    body = quoted;
  }
  Uuid from;
  std::memcpy(from.data(), e.origin, from.size());
  std::string packet;
  wire::put_netcluster(packet, {uuid_text(from), name_, std::string(e.name), body, false});
  if (batch_events_ != 0 && (batch_from_ != nullptr || batch_.size() + packet.size() > kBatch)) send_batch();
  batch_.append(packet.data(), packet.size());
  batch_from_ = nullptr;
  ++batch_events_;
}

void Exchange::send_batch() {
  if (batch_events_ == 0) return;
  base::MsgRef frame = bare() ? bytes_of(batch_) : frame_of(batch_), relayed;
  if (bare() && host.relays(*this)) relayed = frame;
  if (!relayed_.empty()) relayed = frame_of(relayed_);
  Seat* from = batch_from_;
  if (from != nullptr && !bare()) from->owed.push_back({host.marks + 1, from->heard});
  // Nothing throws from here on but what concerns one member.
  uint32_t events = std::exchange(batch_events_, 0);
  batch_.clear();
  relayed_.clear();
  batch_from_ = nullptr;
  ++host.marks;
  host.lane->flush_later(this);  // before the seats: flushed after them
  give(frame.get(), events, from);
  if (relayed) host.relay(*this, relayed.get(), events);
}

void Exchange::give(mw_msg* frame, uint32_t events, const Seat* except) {
  for (Seat* s : seats_)
    if (s != except && s->joined && s->session.forward(frame, events)) soil(*s, host.marks - 1);
  if (!settling_ || closing_) return;
  // For those who are still on their way here.
  auto cost = static_cast<int64_t>(frame->len) + Session::kOverhead;
  int64_t max = host.policy.max.load(std::memory_order_relaxed);
  if (past_bytes_ + cost > max || !host.lane->slice.reserve(cost)) {
    host.log(*host.lane, base::LogLevel::warn, 0, "hub",
             "no room to wait longer for the members of the last hub of channel " + name_ + ": send.max_bytes");
    return settled();
  }
  try {
    past_.push_back({base::MsgRef(base::ref(frame)), events, except != nullptr ? except->uuid : Uuid{}});
    past_bytes_ += cost;
  } catch (const std::bad_alloc&) {
    host.lane->slice.release(cost);
    settled();
  }
}

void Exchange::written(Seat& s) {
  if (std::exchange(s.dirty, false)) host.look_for_acks(*this);
}

void Exchange::look_for_acks() {
  if (!closing_) host.lane->flush_later(this);
}

void Exchange::soil(Seat& s, uint64_t clean) noexcept {
  if (std::exchange(s.dirty, true)) return;
  s.clean = clean;
  s.progress_at = host.lane->now();
  s.progress = s.session.stats.bytes_out.load(std::memory_order_relaxed);
}

// Frozen, or as good as that: who waited for it would be stopped by it. Should
// this hub die it sees the gap in the sequences and says so.
bool Exchange::stuck(Seat& s) noexcept {
  const uint64_t now = host.lane->now(), bytes = s.session.stats.bytes_out.load(std::memory_order_relaxed);
  if (std::exchange(s.progress, bytes) != bytes) s.progress_at = now;
  return now >= s.progress_at + kStuck;
}

uint64_t Exchange::through() noexcept {
  if (settling_) return settle_from_;
  uint64_t least = host.marks;
  bool waits = false;
  for (Seat* s : seats_) {
    if (!s->dirty || stuck(*s)) continue;
    least = std::min(least, s->clean);
    waits = true;
  }
  if (waits && !loop::Wheel::pending(ack_timer_)) host.lane->wheel.set(ack_timer_, host.lane->now() + kStuck);
  return least;
}

void Exchange::on_flush() {
  if (closing_) return;
  const uint64_t done = host.through(*this);
  for (Seat* s : seats_) {
    uint64_t through = 0;
    while (!s->owed.empty() && s->owed.front().mark <= done) {
      through = s->owed.front().through;
      s->owed.pop_front();
    }
    if (through == 0 || !s->session.is_open()) continue;
    base::Buffer out;
    wire::put_taken(out, through);
    s->session.write_packet(out.data(), out.size());
  }
}

}  // namespace mw::link
