// The own wire's packets inside a binary WebSocket message: type, length,
// body; and the two on the message path, message and ack. Calls: call.hpp.
// Layouts: PROTOCOL.md.
// Used by link. Pure; one thread a name table.
#pragma once
#include "base/buffer.hpp"
#include "wire/dialect.hpp"
#include "wire/names.hpp"
#include "wire/varint.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mw::wire {

// Numbers for ever. 13 to 15 are kept for the mesh: resume, member, event.
enum class Packet : uint8_t {
  hello = 1,
  message = 2,
  ack = 3,
  subscribe = 4,
  unsubscribe = 5,
  result = 6,
  drain = 7,
  call = 8,
  reply = 9,
  part = 10,
  cancel = 11,
  credit = 12,
  member = 14,
  event = 15,
  taken = 16,
};

// Flags of a message packet; the two low bits are its TopicMode.
enum MessageFlag : uint32_t {
  kTopicMask = 0x03,
  kTextBody = 0x04,   // MW_F_TEXT
  kHeaders = 0x08,    // a header block follows
  kWantsAck = 0x10,   // tell when the host took it
  kMore = 0x20,       // a part of a message, not its last
  kContinued = 0x40,  // a part of a message, not its first: no topic, headers, text, list flag
  kListBody = 0x80,   // the body is a list: u32 length and bytes, each
  kKnownFlags = 0xFF,
  kContinuedFlags = kContinued | kMore | kWantsAck,  // all that a later part may have
};

inline constexpr size_t kMaxHeaders = 64 * 1024;  // bytes of a header block
// What packets may add to the body of a message inside one WebSocket message.
inline constexpr size_t kMaxOverhead = kMaxTopic + kMaxHeaders + 64;

struct PacketView {
  uint8_t type = 0;
  const uint8_t* body = nullptr;
  size_t size = 0;
};

enum class PacketRead : uint8_t { ok, end, bad };
// The next packet of a WebSocket message; end: there is none left.
PacketRead next_packet(Bytes& in, PacketView& out, Violation& v) noexcept;

struct MessageView {
  uint32_t flags = 0;      // MessageFlag
  std::string_view topic;  // into the packet or the name table
  std::string_view meta;   // packed headers, well formed
  const uint8_t* body = nullptr;
  size_t size = 0;
};
// A body longer than max is 1009. Whether a text body is UTF-8 is the
// caller's to check, as for raw frames: parts may cut a character.
bool parse_message(const PacketView& packet, NameReader& names, size_t max, MessageView& out,
                   Violation& v);

// A name as its two low flags tell it, and a header block: what message and call share.
bool parse_name(TopicMode mode, Bytes& in, NameReader& names, std::string_view& out, Violation& v);
bool parse_headers(Bytes& in, std::string_view& out, Violation& v) noexcept;

// Writes a name and a header block; what put_message_head and put_call_head share.
inline size_t name_size(const TopicCode& name) noexcept {
  size_t n = 0;
  if (name.mode == TopicMode::number || name.mode == TopicMode::define) n += varint_size(name.number);
  if (name.mode == TopicMode::text || name.mode == TopicMode::define)
    n += varint_size(name.text.size()) + name.text.size();
  return n;
}
inline size_t headers_size(std::string_view meta) noexcept {
  return meta.empty() ? 0 : varint_size(meta.size()) + meta.size();
}
inline size_t put_name(uint8_t* out, const TopicCode& name) noexcept {
  size_t n = 0;
  if (name.mode == TopicMode::number || name.mode == TopicMode::define) n += put_varint(out + n, name.number);
  if (name.mode == TopicMode::text || name.mode == TopicMode::define) {
    n += put_varint(out + n, name.text.size());
    std::memcpy(out + n, name.text.data(), name.text.size());
    n += name.text.size();
  }
  return n;
}
inline size_t put_headers(uint8_t* out, std::string_view meta) noexcept {
  if (meta.empty()) return 0;
  size_t n = put_varint(out, meta.size());
  std::memcpy(out + n, meta.data(), meta.size());
  return n + meta.size();
}

// Bytes that put_message_head may write.
inline size_t message_head_room(const TopicCode& topic, std::string_view meta) noexcept {
  return 1 + kMaxVarint + 2 + kMaxVarint + 2 * kMaxVarint + topic.text.size() + meta.size();
}

// Writes everything of a message packet up to its body of body_len bytes,
// which follows from wherever it lies. flags: kTextBody, kListBody, kWantsAck,
// kMore, kContinued (then without topic and meta). Returns the bytes written.
inline size_t put_message_head(uint8_t* out, uint32_t flags, const TopicCode& topic,
                               std::string_view meta, size_t body_len) noexcept {
  if ((flags & kContinued) != 0) flags &= kContinuedFlags;
  out[0] = static_cast<uint8_t>(Packet::message);
  flags |= static_cast<uint32_t>(topic.mode) | (meta.empty() ? 0u : kHeaders);
  size_t n = 1 + put_varint(out + 1, varint_size(flags) + name_size(topic) + headers_size(meta) + body_len);
  n += put_varint(out + n, flags);
  n += put_name(out + n, topic);
  n += put_headers(out + n, meta);
  return n;
}

// Tells that the host took every message up to number `through`. Messages of
// one direction count 1, 2, 3 ... from the start of the connection (a message
// of several parts once); the number itself is not sent.
inline constexpr size_t kMaxAck = 2 + kMaxVarint;
size_t put_ack(uint8_t* out, uint64_t through) noexcept;
bool parse_ack(const PacketView& packet, uint64_t* through, Violation& v) noexcept;

}  // namespace mw::wire
