#include "wire/hello.hpp"

#include "wire/varint.hpp"

#include <cstring>

namespace mw::wire {
namespace {

// Keys of the fields; PROTOCOL.md lists them.
enum Key : uint64_t { kUuid = 1, kCapabilities, kMaxMessage, kHeartbeat, kNames, kChannel, kEpoch, kMesh, kNode, kInstance, kRole, kKeys };

size_t put_text(uint8_t* out, Key key, std::string_view text, size_t max) noexcept {
  text = text.substr(0, max);
  if (text.empty()) return 0;
  out[0] = static_cast<uint8_t>(key);
  const size_t n = 1 + put_varint(out + 1, text.size());
  std::memcpy(out + n, text.data(), text.size());
  return n + text.size();
}

size_t put_number(uint8_t* out, Key key, uint64_t value) noexcept {
  if (value == 0) return 0;
  out[0] = static_cast<uint8_t>(key);
  out[1] = static_cast<uint8_t>(put_varint(out + 2, value));
  return 2u + out[1];
}

}  // namespace

void put_hello(base::Buffer& out, const Hello& h) {
  uint8_t b[kMaxHello];
  size_t n = put_varint(b, h.major);
  n += put_varint(b + n, h.minor);
  b[n++] = kUuid;
  b[n++] = sizeof h.uuid;
  std::memcpy(b + n, h.uuid, sizeof h.uuid);
  n += sizeof h.uuid;
  n += put_number(b + n, kCapabilities, h.capabilities);
  n += put_number(b + n, kMaxMessage, h.max_message);
  n += put_number(b + n, kHeartbeat, h.heartbeat_ms);
  n += put_number(b + n, kNames, h.names);
  n += put_text(b + n, kChannel, h.channel, kMaxChannel);
  n += put_number(b + n, kEpoch, h.epoch);
  n += put_text(b + n, kMesh, h.mesh, kMaxMesh);
  n += put_text(b + n, kNode, h.node, kMaxNode);
  n += put_number(b + n, kInstance, h.instance);
  n += put_text(b + n, kRole, h.role, kMaxRole);
  out.push(static_cast<uint8_t>(Packet::hello));
  uint8_t size[kMaxVarint];
  out.append(size, put_varint(size, n));
  out.append(b, n);
}

bool parse_hello(const PacketView& packet, Hello& out, Violation& v) noexcept {
  auto bad = [&v](uint16_t code, const char* reason) {
    v = {code, reason};
    return false;
  };
  if (packet.size > kMaxHello) return bad(1009, "hello too long");
  Bytes in{packet.body, packet.body + packet.size};
  uint64_t major = 0, minor = 0;
  if (!in.varint(major, UINT32_MAX) || !in.varint(minor, UINT32_MAX)) return bad(1002, "bad hello");
  out = {};
  out.major = static_cast<uint32_t>(major);
  out.minor = static_cast<uint32_t>(minor);
  if (out.major != kMajor) return bad(1002, "other major version");
  uint32_t seen = 0;
  while (in.left() != 0) {
    uint64_t key = 0, size = 0;
    const uint8_t* at = nullptr;
    if (!in.varint(key) || !in.varint(size, in.left()) || !in.take(static_cast<size_t>(size), at))
      return bad(1002, "bad hello");
    if (key == 0 || key >= kKeys) continue;
    if (seen & 1u << key) return bad(1002, "hello field twice");
    seen |= 1u << key;
    if (key == kUuid) {
      if (size != sizeof out.uuid) return bad(1002, "bad hello");
      std::memcpy(out.uuid, at, sizeof out.uuid);
      continue;
    }
    if (key == kChannel || key == kMesh || key == kNode || key == kRole) {
      const size_t most = key == kChannel ? kMaxChannel : key == kMesh ? kMaxMesh : key == kNode ? kMaxNode : kMaxRole;
      if (size == 0 || size > most) return bad(1002, "bad hello");
      std::string_view& text = key == kChannel ? out.channel : key == kMesh ? out.mesh : key == kNode ? out.node : out.role;
      text = {reinterpret_cast<const char*>(at), static_cast<size_t>(size)};
      continue;
    }
    uint64_t* number = key == kCapabilities ? &out.capabilities
                       : key == kMaxMessage ? &out.max_message
                       : key == kHeartbeat  ? &out.heartbeat_ms
                       : key == kEpoch      ? &out.epoch
                       : key == kInstance   ? &out.instance
                                            : &out.names;
    Bytes value{at, at + size};
    if (!value.varint(*number) || value.left() != 0) return bad(1002, "bad hello");
  }
  if (!(seen & 1u << kUuid)) return bad(1002, "hello without uuid");
  return true;
}

}  // namespace mw::wire
