// The own wire's packets for calls: call, reply, part, cancel, credit.
// Layouts: PROTOCOL.md.
// Used by link. Pure; one thread a name table. Views point into the packet.
#pragma once
#include "wire/envelope.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mw::wire {

// Flags of call, reply and part; each packet has its own part of them.
enum CallFlag : uint32_t {
  kMethodMask = 0x03,    // call: the form of the method's name, as a topic's
  kFailed = 0x01,        // reply: a status follows
  kCallText = 0x04,      // the body is UTF-8
  kCallHeaders = 0x08,   // headers follow
  kOneway = 0x10,        // call: nobody waits for an answer
  kTimeLeft = 0x20,      // call: ms left follow
  kWindow = 0x40,        // call: bytes of parts that may be sent at once follow
  kPartsBody = 0x80,     // the body is a list: u32 length and bytes, each
  kCallFlags = 0xFF,
  kReplyFlags = kFailed | kCallText | kCallHeaders | kPartsBody,
  kPartFlags = kCallText | kCallHeaders | kPartsBody,
};

inline constexpr uint64_t kMaxTimeLeft = 31ull * 86'400'000;  // ms
inline constexpr uint64_t kMaxWindow = 1ull << 30;            // bytes, of one call or credit packet
inline constexpr uint64_t kDefaultWindow = 1ull << 20;        // without kWindow
// Of each part beside its body and headers, so that empty ones are bounded too.
inline constexpr uint64_t kPartOverhead = 64;

// What the packets say; which fields count, the packet tells.
struct Talk {
  Packet type = Packet::call;
  uint32_t flags = 0;                // CallFlag
  uint64_t number = 0;               // the caller's, not 0, each above the one before
  int32_t status = 0;                // reply: why it failed, an mw_status below 0
  uint64_t time_left = 0;            // call: ms
  uint64_t window = kDefaultWindow;  // call, credit: bytes
  std::string_view method;           // call
  std::string_view meta;             // packed headers, well formed
};
struct TalkView : Talk {
  const uint8_t* body = nullptr;
  size_t size = 0;
};

// Reads a packet of one of these types. A body longer than max is 1009.
// Whether a text body is UTF-8 is the caller's to check.
bool parse_talk(const PacketView& packet, NameReader& names, size_t max, TalkView& out, Violation& v);

// Bytes that put_talk may write.
inline size_t talk_room(size_t name, std::string_view meta) noexcept {
  return 1 + kMaxVarint + kMaxVarint + 2 + 4 * kMaxVarint + name + meta.size();
}

// Writes everything up to the body of body_len bytes. flags: without those
// that follow from the fields (form of the name, headers, failed, window).
size_t put_talk(uint8_t* out, const Talk& t, const TopicCode& method, size_t body_len) noexcept;

}  // namespace mw::wire
