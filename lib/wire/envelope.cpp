#include "wire/envelope.hpp"

#include "base/message.hpp"
#include "base/utf8.hpp"

namespace mw::wire {

PacketRead next_packet(Bytes& in, PacketView& out, Violation& v) noexcept {
  if (in.left() == 0) return PacketRead::end;
  out.type = *in.p++;
  uint64_t size = 0;
  if (out.type == 0) {
    v = {1002, "packet type 0"};
    return PacketRead::bad;
  }
  if (!in.varint(size, in.left())) {
    v = {1002, "bad packet length"};
    return PacketRead::bad;
  }
  if (!in.take(static_cast<size_t>(size), out.body)) {
    v = {1002, "bad packet length"};
    return PacketRead::bad;
  }
  out.size = static_cast<size_t>(size);
  return PacketRead::ok;
}

bool parse_name(TopicMode mode, Bytes& in, NameReader& names, std::string_view& out, Violation& v) {
  auto bad = [&v](uint16_t code, const char* reason) {
    v = {code, reason};
    return false;
  };
  uint64_t number = 0, size = 0;
  if (mode == TopicMode::number || mode == TopicMode::define)
    if (!in.varint(number)) return bad(1002, "bad topic");
  if (mode == TopicMode::number) {
    auto* name = names.find(number);
    if (name == nullptr) return bad(1002, "unknown topic number");
    out = *name;
    return true;
  }
  const uint8_t* text = nullptr;
  if (!in.varint(size) || size == 0) return bad(1002, "bad topic");
  if (size > (mode == TopicMode::define ? kMaxName : kMaxTopic)) return bad(1009, "topic too long");
  if (!in.take(static_cast<size_t>(size), text)) return bad(1002, "bad topic");
  out = {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
  if (!base::utf8_valid(out)) return bad(1007, "topic not UTF-8");
  if (mode == TopicMode::define && !names.define(number, out))
    return bad(1002, "topic number beyond the table");
  return true;
}

bool parse_headers(Bytes& in, std::string_view& out, Violation& v) noexcept {
  auto bad = [&v](uint16_t code, const char* reason) {
    v = {code, reason};
    return false;
  };
  uint64_t size = 0;
  const uint8_t* block = nullptr;
  if (!in.varint(size) || size == 0) return bad(1002, "bad headers");
  if (size > kMaxHeaders) return bad(1009, "headers too long");
  if (!in.take(static_cast<size_t>(size), block)) return bad(1002, "bad headers");
  out = {reinterpret_cast<const char*>(block), static_cast<size_t>(size)};
  return base::meta_valid(out) || bad(1002, "bad headers");
}

bool parse_message(const PacketView& packet, NameReader& names, size_t max, MessageView& out,
                   Violation& v) {
  auto bad = [&v](uint16_t code, const char* reason) {
    v = {code, reason};
    return false;
  };
  Bytes in{packet.body, packet.body + packet.size};
  uint64_t flags = 0;
  // A flag is used only where both hellos allow it, so an unknown one is a fault.
  if (!in.varint(flags) || (flags & ~uint64_t{kKnownFlags}) != 0) return bad(1002, "unknown message flags");
  out = {};
  out.flags = static_cast<uint32_t>(flags);
  const auto mode = static_cast<TopicMode>(flags & kTopicMask);
  if ((flags & kContinued) != 0 && (flags & ~uint64_t{kContinuedFlags}) != 0)
    return bad(1002, "unknown message flags");
  if (mode != TopicMode::none && !parse_name(mode, in, names, out.topic, v)) return false;
  if ((flags & kHeaders) != 0 && !parse_headers(in, out.meta, v)) return false;
  if (in.left() > max) return bad(1009, "message too large");
  out.body = in.p;
  out.size = in.left();
  return true;
}

size_t put_ack(uint8_t* out, uint64_t through) noexcept {
  out[0] = static_cast<uint8_t>(Packet::ack);
  out[1] = static_cast<uint8_t>(put_varint(out + 2, through));
  return 2u + out[1];
}

bool parse_ack(const PacketView& packet, uint64_t* through, Violation& v) noexcept {
  Bytes in{packet.body, packet.body + packet.size};
  if (in.varint(*through) && *through != 0) return true;
  v = {1002, "bad ack"};
  return false;
}

}  // namespace mw::wire
