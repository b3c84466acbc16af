// The first packet of each end of the own wire: who it is, which version, what
// it can do and how much it takes. Layout: PROTOCOL.md.
// Used by link. Pure; any thread.
#pragma once
#include "base/buffer.hpp"
#include "wire/envelope.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mw::wire {

inline constexpr uint32_t kMajor = 1;
inline constexpr uint32_t kMinor = 0;

// What an end can do, over what every one must (message). Used only where both name it.
enum Capability : uint64_t {
  kCanAck = 0x1,        // answers kWantsAck
  kCanSubscribe = 0x2,  // answers subscribe and unsubscribe
  kCanDrain = 0x4,      // understands drain
  kCanCall = 0x8,       // takes calls: call, cancel, credit; sends reply, part
  kCanChannel = 0x10,   // speaks event and taken: a channel's member or its hub
  kCanMember = 0x20,    // speaks member: a node of a mesh
  kCanManage = 0x40,    // with member: no node, but a manager that nodes report to
};

inline constexpr size_t kMaxHello = 1024;
inline constexpr size_t kMaxChannel = 64;  // bytes of a channel's name
inline constexpr size_t kMaxMesh = 129;    // bytes of a mesh's name: deployment/cluster
inline constexpr size_t kMaxNode = 255;    // bytes of a node's name
inline constexpr size_t kMaxRole = 255;    // bytes of its role

struct Hello {
  uint32_t major = kMajor, minor = kMinor;
  uint8_t uuid[16] = {};
  uint64_t capabilities = 0;
  uint64_t max_message = 0;    // bytes of a body this end takes; 0 = not told
  uint64_t heartbeat_ms = 0;   // interval of this end's pings; 0 = none
  uint64_t names = 0;          // topic names this end remembers
  std::string_view channel;    // of which this end is the hub or a member; into the packet
  uint64_t epoch = 0;          // the hub's; or of the hub the member had before, 0 = none
  std::string_view mesh;       // of which this end is a node; into the packet
  std::string_view node;       // its name there; into the packet
  uint64_t instance = 0;       // of its process: later ones greater
  std::string_view role;       // of a node; into the packet
};

void put_hello(base::Buffer& out, const Hello& h);
// Fields this version does not know are skipped. Another major version is a violation.
bool parse_hello(const PacketView& packet, Hello& out, Violation& v) noexcept;

}  // namespace mw::wire
