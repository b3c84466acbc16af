#include "wire/event.hpp"

#include "base/message.hpp"
#include "base/utf8.hpp"

namespace mw::wire {

namespace {

bool bad(Violation& v, uint16_t code, const char* reason) noexcept {
  v = {code, reason};
  return false;
}

}  // namespace

void put_event(base::Buffer& out, const EventView& e) {
  uint32_t flags = e.flags & (kRelayed | kEventText | kEventList);
  if (e.origin != nullptr) flags |= kHasOrigin;
  if (!e.meta.empty()) flags |= kEventMeta;
  size_t n = 1 + varint_size(e.sequence) + (e.origin != nullptr ? kOrigin : 0) + varint_size(e.name.size()) +
             e.name.size() + (e.meta.empty() ? 0 : varint_size(e.meta.size()) + e.meta.size()) + e.size;
  uint8_t* p = out.room(1 + kMaxVarint + n);
  uint8_t* at = p;
  auto text = [&at](std::string_view s) {
    at += put_varint(at, s.size());
    std::memcpy(at, s.data(), s.size());
    at += s.size();
  };
  *at++ = static_cast<uint8_t>(Packet::event);
  at += put_varint(at, n);
  *at++ = static_cast<uint8_t>(flags);
  at += put_varint(at, e.sequence);
  if (e.origin != nullptr) {
    std::memcpy(at, e.origin, kOrigin);
    at += kOrigin;
  }
  text(e.name);
  if (!e.meta.empty()) text(e.meta);
  if (e.size != 0) std::memcpy(at, e.body, e.size);
  at += e.size;
  out.wrote(static_cast<size_t>(at - p));
}

bool parse_event(const PacketView& packet, size_t max, EventView& out, Violation& v) noexcept {
  Bytes in{packet.body, packet.body + packet.size};
  uint64_t flags = 0, size = 0;
  const uint8_t* at = nullptr;
  out = {};
  if (!in.varint(flags) || (flags & ~uint64_t{kEventFlags}) != 0) return bad(v, 1002, "unknown event flags");
  out.flags = static_cast<uint32_t>(flags);
  if (!in.varint(out.sequence) || out.sequence == 0) return bad(v, 1002, "bad event");
  if ((flags & kHasOrigin) != 0 && !in.take(kOrigin, out.origin)) return bad(v, 1002, "bad event");
  if (!in.varint(size) || size == 0) return bad(v, 1002, "bad event");
  if (size > kMaxEventName) return bad(v, 1009, "event name too long");
  if (!in.take(static_cast<size_t>(size), at)) return bad(v, 1002, "bad event");
  out.name = {reinterpret_cast<const char*>(at), static_cast<size_t>(size)};
  if (!base::utf8_valid(out.name)) return bad(v, 1007, "event name not UTF-8");
  if ((flags & kEventMeta) != 0) {
    if (!in.varint(size) || size == 0) return bad(v, 1002, "bad headers");
    if (size > kMaxHeaders) return bad(v, 1009, "headers too long");
    if (!in.take(static_cast<size_t>(size), at)) return bad(v, 1002, "bad headers");
    out.meta = {reinterpret_cast<const char*>(at), static_cast<size_t>(size)};
    if (!base::meta_valid(out.meta)) return bad(v, 1002, "bad headers");
  }
  if (in.left() > max) return bad(v, 1009, "message too large");
  out.body = in.p;
  out.size = in.left();
  return true;
}

void put_taken(base::Buffer& out, uint64_t through) {
  uint8_t p[2 + kMaxVarint];
  p[0] = static_cast<uint8_t>(Packet::taken);
  p[1] = static_cast<uint8_t>(put_varint(p + 2, through));
  out.append(p, 2u + p[1]);
}

bool parse_taken(const PacketView& packet, uint64_t* through, Violation& v) noexcept {
  Bytes in{packet.body, packet.body + packet.size};
  if (in.varint(*through)) return true;
  return bad(v, 1002, "bad taken");
}

}  // namespace mw::wire
