#include "link/speech.hpp"

#include "base/insist.hpp"
#include "base/utf8.hpp"
#include "link/party.hpp"
#include "link/session.hpp"
#include "wire/frame.hpp"
#include "wire/packets.hpp"

#include <sys/random.h>

namespace mw::link {

using wire::Violation;

namespace {

constexpr uint64_t kOurs = wire::kCanAck | wire::kCanSubscribe | wire::kCanDrain | wire::kCanCall;

std::string_view meta_of(const mw_msg* m) noexcept {
  return m != nullptr && m->meta != nullptr ? std::string_view(*m->meta) : std::string_view();
}

}  // namespace

uint32_t envelope_flags(uint32_t flags) noexcept {
  return ((flags & MW_F_TEXT) ? uint32_t{wire::kTextBody} : 0) | ((flags & MW_F_PARTS) ? uint32_t{wire::kListBody} : 0) |
         ((flags & MW_F_MORE) ? uint32_t{wire::kMore} : 0) | ((flags & MW_F_CONT) ? uint32_t{wire::kContinued} : 0);
}

Speech::~Speech() {
  while (!early_.empty()) early_.pop()->free();
}

Speech::Speech(Session& s) : s_(s), names_in_(wire::kMaxNames), names_out_(0) {}

void Speech::greet() {
  wire::Hello h;
  (void)!getrandom(h.uuid, sizeof h.uuid, 0);
  h.capabilities = kOurs;
  h.max_message = s_.party().policy.max_message;
  h.heartbeat_ms = static_cast<uint64_t>(s_.party().policy.beat_interval.load(std::memory_order_relaxed));
  h.names = wire::kMaxNames;
  s_.party().introduce(s_, h);
  channel_ = (h.capabilities & wire::kCanChannel) != 0;
  base::Buffer out;
  wire::put_hello(out, h);
  s_.write_packet(out.data(), out.size());
}

bool Speech::read(const uint8_t* p, size_t n) {
  wire::Bytes in{p, p + n};
  wire::PacketView packet;
  Violation v;
  for (;;) {
    switch (wire::next_packet(in, packet, v)) {
      case wire::PacketRead::end:
        if (ack_wanted_) acknowledge();
        if (channel_) s_.party().message_read(s_);
        return true;
      case wire::PacketRead::bad:
        return s_.fail(v);
      case wire::PacketRead::ok:
        break;
    }
    auto type = static_cast<wire::Packet>(packet.type);
    if (!greeted_ && type != wire::Packet::hello) return s_.fail({1002, "hello expected"});
    switch (type) {
      case wire::Packet::hello:
        if (greeted_) return s_.fail({1002, "second hello"});
        if (!wire::parse_hello(packet, theirs_, v)) return s_.fail(v);
        if (const char* no = s_.party().met(s_, theirs_)) return s_.fail({1002, no});
        theirs_.channel = theirs_.mesh = theirs_.node = theirs_.role = {};  // they were in the packet
        greeted_ = true;
        names_out_ = wire::NameWriter(static_cast<size_t>(theirs_.names));
        if (!acks()) end(MW_OK);  // nobody will tell: handed over is all there is to know
        if (theirs_.max_message != 0) s_.their_max.store(theirs_.max_message, std::memory_order_relaxed);
        if (drain_) tell_drain();
        calls_greeted();
        s_.party().greeted(s_);
        if (Meeting* m = s_.party().meeting; m != nullptr && !s_.over()) m->greeted(s_);
        break;
      case wire::Packet::message:
        if (channel_) return s_.fail({1002, "message in a channel"});
        if (!message(packet)) return false;
        break;
      case wire::Packet::call:
      case wire::Packet::reply:
      case wire::Packet::part:
      case wire::Packet::cancel:
      case wire::Packet::credit:
        if (!channel_ && calls() && !talk(packet)) return false;
        break;
      case wire::Packet::ack: {
        uint64_t through = 0;
        if (!wire::parse_ack(packet, &through, v)) return s_.fail(v);
        if (through > out_) return s_.fail({1002, "acknowledgement of what was not sent"});
        while (!waiting_.empty() && waiting_.front().first <= through) {
          s_.party().done(s_.lane(), waiting_.front().second, MW_OK, 1, {}, s_.self().handle);
          waiting_.pop_front();
        }
        break;
      }
      case wire::Packet::subscribe: {
        wire::Subscribe sub;
        if (!wire::parse_subscribe(packet, sub, v)) return s_.fail(v);
        std::string why;
        mw_status st = s_.party().remote_subscribe(s_, sub.number, sub.syntax, sub.pattern, &why);
        base::Buffer out;
        wire::put_result(out, {wire::Packet::subscribe, sub.number, st, why});
        s_.write_packet(out.data(), out.size());
        break;
      }
      case wire::Packet::unsubscribe: {
        wire::Unsubscribe un;
        if (!wire::parse_unsubscribe(packet, un, v)) return s_.fail(v);
        mw_status st = s_.party().remote_unsubscribe(s_, un.number);
        base::Buffer out;
        wire::put_result(out, {wire::Packet::unsubscribe, un.number, st, {}});
        s_.write_packet(out.data(), out.size());
        break;
      }
      case wire::Packet::result: {
        wire::Answered r;
        if (!wire::parse_result(packet, r, v)) return s_.fail(v);
        s_.party().subscribe_result(s_, r.number, r.what == wire::Packet::subscribe, r.status, r.text);
        break;
      }
      case wire::Packet::drain: {
        wire::Drain d;
        if (!wire::parse_drain(packet, d, v)) return s_.fail(v);
        s_.party().told_to_drain(s_, d.slot_ms, d.deadline_ms);
        break;
      }
      case wire::Packet::event: {
        if (!channel_) break;
        wire::EventView e;
        if (!wire::parse_event(packet, s_.party().policy.max_message, e, v)) return s_.fail(v);
        s_.count_message_in();
        if (const char* no = s_.party().event_came(s_, e)) return s_.fail({1002, no});
        break;
      }
      case wire::Packet::member:
        if (Meeting* m = s_.party().meeting; m != nullptr && !m->member_came(s_, packet.body, packet.size, v)) return s_.fail(v);
        break;
      case wire::Packet::taken: {
        if (!channel_) break;
        uint64_t through = 0;
        if (!wire::parse_taken(packet, &through, v)) return s_.fail(v);
        if (const char* no = s_.party().taken(s_, through)) return s_.fail({1002, no});
        break;
      }
      default:
        break;  // of a later version: skipped
    }
    if (s_.over()) return false;
  }
}

bool Speech::message(const wire::PacketView& packet) {
  wire::MessageView m;
  Violation v;
  if (!wire::parse_message(packet, names_in_, s_.party().policy.max_message, m, v)) return s_.fail(v);
  bool more = (m.flags & wire::kMore) != 0, cont = (m.flags & wire::kContinued) != 0;
  if (cont != in_parts_) return s_.fail({1002, cont ? "continuation of nothing" : "new message inside a fragmented one"});
  if (more || cont) {
    if (!cont) {
      parts_.clear();
      parts_topic_ = m.topic;
      parts_meta_ = m.meta;
      parts_flags_ = m.flags;
    }
    if (parts_.size() + m.size > s_.party().policy.max_message) return s_.fail({1009, "message too large"});
    parts_.append(m.body, m.size);
    in_parts_ = more;
    if (m.flags & wire::kWantsAck) parts_flags_ |= wire::kWantsAck;
    if (more) return true;
    m.topic = parts_topic_;
    m.meta = parts_meta_;
    m.flags = parts_flags_;
    m.body = parts_.data();
    m.size = parts_.size();
  }
  ++in_;
  uint32_t flags = (m.flags & wire::kListBody) ? uint32_t{MW_F_PARTS} : 0;
  if (m.flags & wire::kTextBody) {
    base::Utf8Fact fact = base::utf8_check(m.body, m.size);
    if (!fact.valid) return s_.fail({1007, "text not UTF-8"});
    flags |= MW_F_TEXT | (fact.ascii ? uint32_t{MW_F_ASCII} : 0);
  }
  if (m.flags & wire::kWantsAck) ack_wanted_ = true;
  s_.message(m, flags, m.body, m.size);
  if (cont) parts_.release();
  return true;
}

// Everything up to here is with the host (in its callback, its buffers or its inbox).
void Speech::acknowledge() {
  ack_wanted_ = false;
  if (in_ == acked_ || !s_.is_open()) return;
  acked_ = in_;
  uint8_t p[wire::kMaxAck];
  s_.write_packet(p, wire::put_ack(p, in_));
}

size_t Speech::put(uint8_t* out, const uint8_t* body, size_t len, const mw_msg* m, uint32_t flags) {
  ++out_;
  uint8_t head[64];
  std::string_view meta = meta_of(m);
  wire::TopicCode topic;  // of a message that is passed on
  if (m != nullptr && m->topic != nullptr) [[unlikely]] topic = names_out_.code(*m->topic);
  uint8_t* h = head;
  base::Buffer large;
  if (size_t room = wire::message_head_room(topic, meta); room > sizeof head) h = large.room(room);
  size_t n = wire::put_message_head(h, envelope_flags(flags), topic, meta, len);
  if (s_.role() == wire::Role::server) {
    size_t w = wire::put_head(out, wire::kBinary, true, false, n + len);
    std::memcpy(out + w, h, n);
    std::memcpy(out + w + n, body, len);
    return w + n + len;
  }
  uint32_t key = s_.lane().masking_key();
  size_t w = wire::put_head_masked(out, wire::kBinary, true, false, n + len, key);
  std::memcpy(out + w, h, n);
  std::memcpy(out + w + n, body, len);
  wire::mask(out + w, n + len, key);
  return w + n + len;
}

void Speech::wrap(OutFrame* f) {
  uint32_t flags = envelope_flags(f->flags);
  if ((f->flags & MW_F_CONT) == 0) ++out_;
  if (f->op != 0 && acks() && (f->flags & MW_F_MORE) == 0) flags |= wire::kWantsAck;
  f->number = out_;
  const mw_msg* m = (f->flags & MW_F_CONT) ? nullptr : f->origin.get();
  std::string_view meta = meta_of(m);
  wire::TopicCode topic;
  if (m != nullptr && m->topic != nullptr) topic = names_out_.code(*m->topic);
  base::Buffer large;
  uint8_t small[96];
  size_t room = wire::message_head_room(topic, meta);
  uint8_t* h = room > sizeof small ? large.room(room) : small;
  size_t n = wire::put_message_head(h, flags, topic, meta, f->length());
  std::memcpy(f->prepend(n), h, n);
}

bool Speech::awaits(OutFrame* f) {
  if (!acks() || f->number == 0) return false;
  base::insist([&] { waiting_.emplace_back(f->number, f->op); });  // it has gone; its DONE must not be lost
  return true;
}

void Speech::drain(uint64_t slot_ms, uint64_t deadline_ms) {
  drain_ = {slot_ms, deadline_ms, {}};
  if (greeted_) tell_drain();  // else with its hello: nothing may come before that
}

void Speech::tell_drain() {
  if (!drains()) return;
  base::Buffer out;
  wire::put_drain(out, *drain_);
  s_.write_packet(out.data(), out.size());
}

void Speech::subscribe(uint64_t number, std::string_view pattern, uint8_t syntax) {
  base::Buffer out;
  wire::put_subscribe(out, {number, syntax, pattern});
  s_.write_packet(out.data(), out.size());
}

void Speech::unsubscribe(uint64_t number) {
  base::Buffer out;
  wire::put_unsubscribe(out, {number});
  s_.write_packet(out.data(), out.size());
}

// Open acknowledgements will not come: what was sent may or may not have arrived.
void Speech::end(mw_status status) {
  for (auto& [number, op] : waiting_) s_.party().done(s_.lane(), op, status, 0, {}, s_.self().handle);
  waiting_.clear();
}

}  // namespace mw::link
