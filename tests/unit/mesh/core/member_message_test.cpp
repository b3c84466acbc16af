#include "mesh/core/member_message.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

bool parse(const std::string& bytes, MessageView& m) {
  wire::Violation v{};
  const bool ok = parse_message({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, m, v);
  if (!ok) EXPECT_TRUE((v.code == 1002 || v.code == 1009) && *v.reason != '\0');
  return ok;
}

struct Facts {
  Roster roster;
  FactId alive, dead;
  Facts() {
    RecordView r;
    r.version = {7, false, 0x1122334455667788, 3};
    r.address = "10.0.0.1:55000";
    r.meta = std::string_view("\0\xFF", 2);
    const Slot a = roster.slot("a"), b = roster.slot("b");
    alive = roster.intern(a, r);
    r.life = Life::dead;
    r.version.gone = true;
    r.why = Why::closed;
    r.silent_ms = 1234;
    r.agreed = 2;
    r.by = "judge";
    dead = roster.intern(b, r);
  }
};

TEST(MemberMessage, Bytes) {
  // The layout of the header, byte by byte.
  EXPECT_EQ(MessageWriter(Kind::ping).number(300).byte(kSuspected).take(), std::string("\x01\xAC\x02\x01", 4));
  EXPECT_EQ(MessageWriter(Kind::ack).number(5).take(), std::string("\x02\x05", 2));
  EXPECT_EQ(MessageWriter(Kind::probe).number(1).u64(0x0807060504030201).byte(kClosed).take(),
            std::string("\x03\x01\x01\x02\x03\x04\x05\x06\x07\x08\x02", 11));
  EXPECT_EQ(MessageWriter(Kind::want).number(0).take(), std::string("\x0A\x00", 2));
  EXPECT_EQ(MessageWriter(Kind::schema).number(300).byte(kAnyCase).number(2).number(0).text("{}").take(),
            std::string("\x0C\xAC\x02\x01\x02\x00\x02{}", 9));
  Facts f;
  MessageWriter gossip(Kind::gossip);
  gossip.record(f.roster, f.roster[f.alive], 0);
  EXPECT_EQ(gossip.take(), std::string("\x06\x00\x01" "a" "\x88\x77\x66\x55\x44\x33\x22\x11\x07\x03\x0E" "10.0.0.1:55000" "\x02\x00\xFF", 32));
}

TEST(MemberMessage, RoundTrip) {
  Facts f;
  MessageWriter w(Kind::probe);
  w.number(UINT64_MAX).u64(99).byte(3);
  w.record(f.roster, f.roster[f.alive], 5);
  w.record(f.roster, f.roster[f.dead], 60'000);
  MessageView m;
  const std::string bytes = w.take();
  ASSERT_TRUE(parse(bytes, m));
  EXPECT_EQ(m.kind, Kind::probe);
  EXPECT_EQ(m.seq, UINT64_MAX);
  EXPECT_EQ(m.key, 99u);
  EXPECT_EQ(m.flags, 3);
  RecordView r;
  ASSERT_TRUE(next_record(m.records, r));
  EXPECT_EQ(r.name, "a");
  EXPECT_EQ(r.version, f.roster[f.alive].version);
  EXPECT_EQ(r.meta, std::string_view("\0\xFF", 2));
  ASSERT_TRUE(next_record(m.records, r));
  EXPECT_EQ(r.name, "b");
  EXPECT_EQ(r.life, Life::dead);
  EXPECT_TRUE(r.version.gone);
  EXPECT_EQ(r.age_ms, 60'000u);
  EXPECT_EQ(r.why, Why::closed);
  EXPECT_EQ(r.silent_ms, 1234u);
  EXPECT_EQ(r.agreed, 2u);
  EXPECT_EQ(r.by, "judge");
  EXPECT_EQ(m.records.left(), 0u);
}

TEST(MemberMessage, EveryCutIsRefusedOrShorter) {
  Facts f;
  MessageWriter w(Kind::keys);
  const uint8_t buckets[32] = {1};
  w.bytes(buckets, 32).number(2).u64(1).u32(2).u64(3).u32(4);
  const size_t fields = w.size();
  w.record(f.roster, f.roster[f.dead], 1);
  const std::string bytes = w.take();
  MessageView m;
  for (size_t n = 0; n < bytes.size(); n++) EXPECT_EQ(parse(bytes.substr(0, n), m), n == fields) << n;
  ASSERT_TRUE(parse(bytes, m));
  EXPECT_EQ(m.count, 2u);
}

TEST(MemberMessage, Refuses) {
  MessageView m;
  EXPECT_FALSE(parse("", m));
  EXPECT_FALSE(parse(std::string(1, '\0'), m));
  EXPECT_TRUE(parse("\x63whatever", m));  // of a later version
  EXPECT_FALSE(parse(std::string(kMaxMessage + 1, '\x63'), m));
  EXPECT_FALSE(parse("\x06\x03\x01" "a" "12345678\x01\x01\x00\x00", m));  // a life that is none
  EXPECT_FALSE(parse(MessageWriter(Kind::want).number(kMaxKeys + 1).bytes(std::string(8 * (kMaxKeys + 1), 'k').data(), 8 * (kMaxKeys + 1)).take(), m));
  const std::string all(32, '\xFF'), some = std::string(2, '\xFF') + std::string(30, '\0');
  EXPECT_TRUE(parse(MessageWriter(Kind::keys).bytes(some.data(), 32).number(0).take(), m));
  EXPECT_FALSE(parse(MessageWriter(Kind::keys).bytes(all.data(), 32).number(0).take(), m));
  auto record = [](std::string_view name, std::string_view address, std::string_view meta) {
    return MessageWriter(Kind::gossip).byte(0).text(name).u64(1).number(1).number(1).text(address).text(meta).take();
  };
  EXPECT_TRUE(parse(record(std::string(kMaxName, 'n'), std::string(kMaxAddress, 'a'), std::string(kMaxMeta, 'm')), m));
  EXPECT_FALSE(parse(record("", "a", "m"), m));
  EXPECT_FALSE(parse(record("\xFF", "a", "m"), m));
  EXPECT_FALSE(parse(record(std::string(kMaxName + 1, 'n'), "a", "m"), m));
  EXPECT_FALSE(parse(record("n", std::string(kMaxAddress + 1, 'a'), "m"), m));
  EXPECT_FALSE(parse(record("n", "a", std::string(kMaxMeta + 1, 'm')), m));
  // The last incarnation could not be outbid.
  EXPECT_FALSE(parse(MessageWriter(Kind::gossip).byte(0).text("n").u64(1).number(UINT64_MAX).number(1).text("").text("").take(), m));
}

}  // namespace
}  // namespace mw::mesh::core
