#include "mesh/core/member_message.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <bit>

namespace mw::mesh::core {
namespace {

bool bad(wire::Violation& v, const char* reason, uint16_t code = 1002) noexcept {
  v = {code, reason};
  return false;
}

bool take_text(wire::Bytes& in, size_t max, std::string_view& out) noexcept {
  uint64_t size = 0;
  const uint8_t* at = nullptr;
  if (!in.varint(size, max) || !in.take(static_cast<size_t>(size), at)) return false;
  out = {reinterpret_cast<const char*>(at), static_cast<size_t>(size)};
  return true;
}
bool take_byte(wire::Bytes& in, uint8_t& out) noexcept {
  const uint8_t* at = nullptr;
  if (!in.take(1, at)) return false;
  out = *at;
  return true;
}
bool take_u64(wire::Bytes& in, uint64_t& out) noexcept {
  const uint8_t* at = nullptr;
  if (!in.take(8, at)) return false;
  out = get_u64(at);
  return true;
}
bool take_array(wire::Bytes& in, size_t each, MessageView& out) noexcept {
  uint64_t count = 0;
  if (!in.varint(count, kMaxKeys)) return false;
  out.count = static_cast<size_t>(count);
  return in.take(out.count * each, out.array);
}

bool take_piece(wire::Bytes& in, MessageView& out) noexcept {
  if (!in.varint(out.seq) || !take_byte(in, out.flags) || !in.varint(out.size, kMaxSchema) || !in.varint(out.at, out.size) ||
      !take_text(in, static_cast<size_t>(out.size - out.at), out.piece))
    return false;
  return !out.piece.empty() || out.size == 0;
}

bool few(const uint8_t* buckets) noexcept {
  int n = 0;
  for (size_t i = 0; i < kBuckets / 8; i++) n += std::popcount(buckets[i]);
  return n <= static_cast<int>(kMaxBucketsAtOnce);
}

bool take_fields(wire::Bytes& in, MessageView& out) noexcept {
  switch (out.kind) {
    case Kind::ping: return in.varint(out.seq) && take_byte(in, out.flags);
    case Kind::ack:
    case Kind::found: return in.varint(out.seq);
    case Kind::probe: return in.varint(out.seq) && take_u64(in, out.key) && take_byte(in, out.flags);
    case Kind::lost: return in.varint(out.seq) && take_byte(in, out.flags);
    case Kind::gossip: return true;
    case Kind::sync: return take_u64(in, out.key);
    case Kind::tree: out.count = kBuckets; return in.take(kBuckets * 8, out.array);
    case Kind::keys: return in.take(kBuckets / 8, out.buckets) && few(out.buckets) && take_array(in, kEntryBytes, out);
    case Kind::want: return take_array(in, kKeyBytes, out);
    case Kind::records: return take_byte(in, out.flags);
    case Kind::schema: return take_piece(in, out);
  }
  return false;
}

}  // namespace

uint64_t get_u64(const uint8_t* p) noexcept {
  uint64_t v = 0;
  for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
  return v;
}
uint32_t get_u32(const uint8_t* p) noexcept {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

bool next_record(wire::Bytes& in, RecordView& out) noexcept {
  uint8_t life = 0, why = 0;
  if (!take_byte(in, life) || life > static_cast<uint8_t>(Life::dead)) return false;
  out.life = static_cast<Life>(life);
  out.version.gone = out.life != Life::alive;
  if (!take_text(in, kMaxName, out.name) || out.name.empty() || !base::utf8_valid(out.name)) return false;
  // One below the end: whoever is told that it is dead has to be able to count on.
  if (!take_u64(in, out.version.instance) || !in.varint(out.version.incarnation, UINT64_MAX - 1) ||
      !in.varint(out.version.revision) ||
      !take_text(in, kMaxAddress, out.address))
    return false;
  if (out.life == Life::alive) return take_text(in, kMaxMeta, out.meta);
  if (!in.varint(out.age_ms, kMaxAge) || !take_byte(in, why) || !in.varint(out.silent_ms, UINT32_MAX) ||
      !in.varint(out.agreed, UINT32_MAX) || !take_text(in, kMaxName, out.by) || !base::utf8_valid(out.by))
    return false;
  out.why = static_cast<Why>(why);
  return true;
}

bool parse_message(std::span<const uint8_t> bytes, MessageView& out, wire::Violation& v) noexcept {
  out = {};
  if (bytes.size() > kMaxMessage) return bad(v, "member message too long", 1009);
  wire::Bytes in{bytes.data(), bytes.data() + bytes.size()};
  uint8_t kind = 0;
  if (!take_byte(in, kind) || kind == 0) return bad(v, "bad member message");
  out.kind = static_cast<Kind>(kind);
  if (out.kind > Kind::schema) return true;
  if (!take_fields(in, out)) return bad(v, "bad member message");
  if (out.kind == Kind::schema) return true;  // it has no records, but perhaps later fields
  out.records = in;
  RecordView record;
  while (in.left() != 0)
    if (!next_record(in, record)) return bad(v, "bad member record");
  return true;
}

MessageWriter& MessageWriter::number(uint64_t v) {
  uint8_t b[wire::kMaxVarint];
  return bytes(b, wire::put_varint(b, v));
}
MessageWriter& MessageWriter::u32(uint32_t v) {
  for (int i = 0; i < 4; i++) byte(static_cast<uint8_t>(v >> 8 * i));
  return *this;
}
MessageWriter& MessageWriter::u64(uint64_t v) {
  for (int i = 0; i < 8; i++) byte(static_cast<uint8_t>(v >> 8 * i));
  return *this;
}

void MessageWriter::record(const Roster& roster, const Fact& fact, uint64_t age_ms) {
  byte(static_cast<uint8_t>(fact.life)).text(roster.name(fact.slot)).u64(fact.version.instance);
  number(fact.version.incarnation).number(fact.version.revision).text(fact.address);
  if (fact.life == Life::alive) {
    text(fact.meta);
    return;
  }
  number(std::min(age_ms, kMaxAge)).byte(static_cast<uint8_t>(fact.verdict.why));
  number(fact.verdict.silent_ms).number(fact.verdict.agreed).text(fact.verdict.by);
}

size_t record_room(const Roster& roster, const Fact& fact) noexcept {
  return 2 + 8 + 9 * wire::kMaxVarint + roster.name(fact.slot).size() + fact.address.size() + fact.meta.size() +
         fact.verdict.by.size();
}

}  // namespace mw::mesh::core
