#include "wire/packets.hpp"

#include "base/utf8.hpp"
#include "wire/varint.hpp"

#include <algorithm>
#include <initializer_list>

namespace mw::wire {
namespace {

// Numbers, then one length-prefixed text if it is given.
void put(base::Buffer& out, Packet type, std::initializer_list<uint64_t> numbers,
         const std::string_view* text = nullptr) {
  uint8_t head[5 * kMaxVarint];
  size_t n = 0;
  for (auto v : numbers) n += put_varint(head + n, v);
  if (text != nullptr) n += put_varint(head + n, text->size());
  const size_t size = n + (text != nullptr ? text->size() : 0);
  uint8_t* p = out.room(1 + kMaxVarint + size);
  p[0] = static_cast<uint8_t>(type);
  out.wrote(1 + put_varint(p + 1, size));
  out.append(head, n);
  if (text != nullptr) out.append(text->data(), text->size());
}

bool bad(Violation& v, uint16_t code, const char* reason) noexcept {
  v = {code, reason};
  return false;
}

bool take_text(Bytes& in, size_t max, std::string_view& out, Violation& v, const char* broken,
               const char* too_long) noexcept {
  uint64_t size = 0;
  const uint8_t* at = nullptr;
  if (!in.varint(size)) return bad(v, 1002, broken);
  if (size > max) return bad(v, 1009, too_long);
  if (!in.take(static_cast<size_t>(size), at)) return bad(v, 1002, broken);
  out = {reinterpret_cast<const char*>(at), static_cast<size_t>(size)};
  if (!base::utf8_valid(out)) return bad(v, 1007, broken);
  return true;
}

Bytes bytes(const PacketView& packet) noexcept { return {packet.body, packet.body + packet.size}; }

// A signed number: 0, -1, 1, -2 ... as 0, 1, 2, 3 ...
uint64_t zigzag(int64_t v) noexcept { return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63); }
int64_t unzigzag(uint64_t v) noexcept { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

}  // namespace

void put_subscribe(base::Buffer& out, const Subscribe& s) {
  put(out, Packet::subscribe, {s.number, s.syntax}, &s.pattern);
}
void put_unsubscribe(base::Buffer& out, const Unsubscribe& u) { put(out, Packet::unsubscribe, {u.number}); }
void put_result(base::Buffer& out, const Answered& r) {
  auto text = r.text;
  if (text.size() > kMaxResultText) {
    size_t n = kMaxResultText;
    while (n > 0 && (static_cast<uint8_t>(text[n]) & 0xC0) == 0x80) n--;
    text = text.substr(0, n);
  }
  put(out, Packet::result, {static_cast<uint64_t>(r.what), r.number, zigzag(r.status)}, &text);
}
void put_member(base::Buffer& out, std::string_view message) {
  uint8_t head[1 + kMaxVarint] = {static_cast<uint8_t>(Packet::member)};
  out.append(head, 1 + put_varint(head + 1, message.size()));
  out.append(message.data(), message.size());
}

void put_drain(base::Buffer& out, const Drain& d) {
  put(out, Packet::drain, {std::min(d.slot_ms, kMaxDrainMs), std::min(d.deadline_ms, kMaxDrainMs)}, &d.where);
}

bool parse_subscribe(const PacketView& packet, Subscribe& out, Violation& v) noexcept {
  auto in = bytes(packet);
  uint64_t syntax = 0;
  if (!in.varint(out.number) || out.number == 0 || !in.varint(syntax, UINT8_MAX))
    return bad(v, 1002, "bad subscribe");
  out.syntax = static_cast<uint8_t>(syntax);
  return take_text(in, kMaxPattern, out.pattern, v, "bad subscribe", "pattern too long");
}

bool parse_unsubscribe(const PacketView& packet, Unsubscribe& out, Violation& v) noexcept {
  auto in = bytes(packet);
  if (!in.varint(out.number) || out.number == 0) return bad(v, 1002, "bad unsubscribe");
  return true;
}

bool parse_result(const PacketView& packet, Answered& out, Violation& v) noexcept {
  auto in = bytes(packet);
  uint64_t what = 0, status = 0;
  if (!in.varint(what, UINT8_MAX) || !in.varint(out.number) || out.number == 0 ||
      !in.varint(status, UINT32_MAX))
    return bad(v, 1002, "bad result");
  out.what = static_cast<Packet>(what);
  out.status = static_cast<int32_t>(unzigzag(status));
  return take_text(in, kMaxResultText, out.text, v, "bad result", "result text too long");
}

bool parse_drain(const PacketView& packet, Drain& out, Violation& v) noexcept {
  auto in = bytes(packet);
  if (!in.varint(out.slot_ms, kMaxDrainMs) || !in.varint(out.deadline_ms, kMaxDrainMs))
    return bad(v, 1002, "bad drain");
  return take_text(in, kMaxDrainWhere, out.where, v, "bad drain", "drain text too long");
}

}  // namespace mw::wire
