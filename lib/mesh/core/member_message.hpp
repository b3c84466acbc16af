// What members say to each other about members: the body of the packet
// `member`. Layout: PROTOCOL.md 8.11.
// Used by mesh/core. Pure; views point into the message.
#pragma once
#include "mesh/core/roster.hpp"
#include "wire/dialect.hpp"
#include "wire/varint.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mw::mesh::core {

enum class Kind : uint8_t {
  ping = 1,
  ack = 2,
  probe = 3,
  found = 4,
  lost = 5,
  gossip = 6,
  sync = 7,
  tree = 8,
  keys = 9,
  want = 10,
  records = 11,
  schema = 12,  // of a manager to its nodes
};
enum MessageFlag : uint8_t { kSuspected = 1, kClosed = 2, kRefused = 4, kEnd = 1, kAnyCase = 1 };

inline constexpr size_t kMaxMessage = 32 * 1024;
inline constexpr size_t kMaxKeys = 2048;                // in one keys or want
inline constexpr size_t kMaxBucketsAtOnce = 16;         // in one keys
inline constexpr uint64_t kMaxAge = 30ull * 86'400'000;  // a month
inline constexpr uint64_t kMaxSchema = 256 * 1024;
inline constexpr size_t kKeyBytes = 8, kEntryBytes = 12;

struct MessageView {
  Kind kind = Kind::ping;
  uint64_t seq = 0;   // of schema: its revision
  uint64_t key = 0;   // of probe; the root of sync
  uint8_t flags = 0;
  const uint8_t* buckets = nullptr;  // of keys: 32 bytes
  const uint8_t* array = nullptr;    // of tree, keys and want
  size_t count = 0;
  uint64_t size = 0, at = 0;         // of schema: bytes in all, where its piece belongs
  std::string_view piece;            // the same
  wire::Bytes records{nullptr, nullptr};
};

uint64_t get_u64(const uint8_t* p) noexcept;
uint32_t get_u32(const uint8_t* p) noexcept;

// Checks all of the message, its records too; false says what is wrong. A kind
// of a later version passes with no fields and no records.
bool parse_message(std::span<const uint8_t> bytes, MessageView& out, wire::Violation& v) noexcept;
// The next record of a checked message.
bool next_record(wire::Bytes& in, RecordView& out) noexcept;

// A message that is being written; records follow its fields.
class MessageWriter {
 public:
  explicit MessageWriter(Kind kind) { out_.push_back(static_cast<char>(kind)); }
  MessageWriter& byte(uint8_t v) {
    out_.push_back(static_cast<char>(v));
    return *this;
  }
  MessageWriter& number(uint64_t v);
  MessageWriter& u32(uint32_t v);
  MessageWriter& u64(uint64_t v);
  MessageWriter& bytes(const void* p, size_t n) {
    out_.append(static_cast<const char*>(p), n);
    return *this;
  }
  MessageWriter& text(std::string_view s) { return number(s.size()).bytes(s.data(), s.size()); }
  // age_ms: since a member that is gone went.
  void record(const Roster& roster, const Fact& fact, uint64_t age_ms);
  size_t size() const noexcept { return out_.size(); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};
// What record() may write for this fact.
size_t record_room(const Roster& roster, const Fact& fact) noexcept;

}  // namespace mw::mesh::core
