#include "wire/call.hpp"

#include "wire/varint.hpp"

namespace mw::wire {
namespace {

bool bad(Violation& v, const Violation& why) noexcept {
  v = why;
  return false;
}

uint64_t zigzag(int64_t v) noexcept { return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63); }
int64_t unzigzag(uint64_t v) noexcept { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

struct Faults {
  Violation broken, flags;
  uint32_t known;
};

// call, reply, part
constexpr Faults kFaults[] = {
    {{1002, "bad call"}, {1002, "unknown call flags"}, kCallFlags},
    {{1002, "bad reply"}, {1002, "unknown reply flags"}, kReplyFlags},
    {{1002, "bad part"}, {1002, "unknown part flags"}, kPartFlags},
};

}  // namespace

bool parse_talk(const PacketView& packet, NameReader& names, size_t max, TalkView& out, Violation& v) {
  Bytes in{packet.body, packet.body + packet.size};
  out = {};
  out.type = static_cast<Packet>(packet.type);
  if (out.type == Packet::cancel) {
    if (!in.varint(out.number) || out.number == 0) return bad(v, {1002, "bad cancel"});
    return true;
  }
  if (out.type == Packet::credit) {
    if (!in.varint(out.number) || out.number == 0 || !in.varint(out.window, kMaxWindow) || out.window == 0)
      return bad(v, {1002, "bad credit"});
    return true;
  }
  const Faults& faults = kFaults[packet.type - static_cast<uint8_t>(Packet::call)];
  uint64_t flags = 0;
  if (!in.varint(out.number) || out.number == 0 || !in.varint(flags)) return bad(v, faults.broken);
  if ((flags & ~uint64_t{faults.known}) != 0) return bad(v, faults.flags);
  out.flags = static_cast<uint32_t>(flags);
  if (out.type == Packet::reply && (flags & kFailed) != 0) {
    uint64_t status = 0;
    if (!in.varint(status, UINT32_MAX)) return bad(v, faults.broken);
    out.status = static_cast<int32_t>(unzigzag(status));
    if (out.status >= 0) return bad(v, faults.broken);
  }
  if (out.type == Packet::call) {
    const auto mode = static_cast<TopicMode>(flags & kMethodMask);
    if (mode == TopicMode::none) return bad(v, faults.broken);
    if ((flags & kTimeLeft) != 0 && !in.varint(out.time_left, kMaxTimeLeft)) return bad(v, faults.broken);
    if ((flags & kWindow) != 0 && !in.varint(out.window, kMaxWindow)) return bad(v, faults.broken);
    if (!parse_name(mode, in, names, out.method, v)) return false;
  }
  if ((flags & kCallHeaders) != 0 && !parse_headers(in, out.meta, v)) return false;
  if (in.left() > max) return bad(v, {1009, "message too large"});
  out.body = in.p;
  out.size = in.left();
  return true;
}

size_t put_talk(uint8_t* out, const Talk& t, const TopicCode& method, size_t body_len) noexcept {
  uint8_t head[2 + 5 * kMaxVarint];
  size_t n = put_varint(head, t.number);
  uint32_t flags = t.flags;
  if (t.type == Packet::credit) {
    n += put_varint(head + n, t.window);
  } else if (t.type != Packet::cancel) {
    if (!t.meta.empty()) flags |= kCallHeaders;
    if (t.type == Packet::reply && t.status < 0) flags |= kFailed;
    if (t.type == Packet::call) {
      flags |= static_cast<uint32_t>(method.mode);
      if (t.window != kDefaultWindow) flags |= kWindow;
    }
    n += put_varint(head + n, flags);
    if (t.type == Packet::reply && t.status < 0) n += put_varint(head + n, zigzag(t.status));
    if (t.type == Packet::call) {
      if ((flags & kTimeLeft) != 0) n += put_varint(head + n, t.time_left);
      if ((flags & kWindow) != 0) n += put_varint(head + n, t.window);
    }
  }
  out[0] = static_cast<uint8_t>(t.type);
  size_t at = 1 + put_varint(out + 1, n + (t.type == Packet::call ? name_size(method) : 0) + headers_size(t.meta) + body_len);
  std::memcpy(out + at, head, n);
  at += n;
  if (t.type == Packet::call) at += put_name(out + at, method);
  return at + put_headers(out + at, t.meta);
}

}  // namespace mw::wire
