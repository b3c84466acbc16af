// Messages about members: what is parsed, written again, is parsed the same;
// and a member among others bears whatever they say, at any time.
#include "input.hpp"

#include "mesh/core/access_news.hpp"
#include "mesh/core/membership.hpp"

#include <string>
#include <vector>

namespace {
using namespace mw::mesh::core;

bool same(const RecordView& a, const Fact& b, const Roster& roster) {
  return a.life == b.life && a.version == b.version && a.name == roster.name(b.slot) && a.address == b.address &&
         (a.version.gone ? a.by == b.verdict.by && a.why == b.verdict.why : a.meta == b.meta);
}

void records_again(mw::wire::Bytes in) {
  for (RecordView r; in.left() != 0;) {
    Roster roster;
    CHECK(next_record(in, r));
    const FactId id = roster.intern(roster.slot(r.name), r);
    MessageWriter w(Kind::gossip);
    w.record(roster, roster[id], r.age_ms);
    CHECK(w.size() <= 1 + record_room(roster, roster[id]));
    const std::string bytes = w.take();
    MessageView m;
    mw::wire::Violation v;
    RecordView again;
    CHECK(parse_message({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, m, v));
    CHECK(next_record(m.records, again) && same(again, roster[id], roster) && again.age_ms == (r.version.gone ? r.age_ms : 0));
  }
}

// Everything that is sent has to be what a member takes.
void check(Outputs& out) {
  MessageView m;
  mw::wire::Violation v;
  for (const auto& s : out.sends)
    CHECK(parse_message({reinterpret_cast<const uint8_t*>(s.bytes.data()), s.bytes.size()}, m, v));
}

void run(const uint8_t* data, size_t size, int as) {
  mw::fuzz::Input in(data, size);
  Roster roster;
  MembershipConfig config;
  config.name = "a";
  config.address = "a:1";
  config.max_members = 64;
  config.managed = as != 0;
  config.manager = as == 2;
  int64_t now = 0;
  Membership machine(roster, config, now);
  Outputs out;
  AccessNews news;
  const std::string names[] = {"b", "c", "d", "e"};
  for (const auto& name : names) machine.step(mw::mesh::core::input::Met{name, as == 1 && name == "e"}, now, out);
  while (in.left() != 0) {
    const uint8_t op = in.byte();
    const Slot who = roster.slot(names[op & 3]);
    now += (op >> 4) * (op >> 4) * 40;
    out.clear();
    switch (op >> 2 & 3) {
      case 0: machine.step(mw::mesh::core::input::Tick{}, now, out); break;
      case 1: machine.step(mw::mesh::core::input::Lost{who, (op & 0x10) != 0}, now, out); break;
      case 2: machine.step(mw::mesh::core::input::Doubt{who}, now, out); break;
      case 3: {
        std::string piece;
        for (size_t n = in.byte(); n > 0 && in.left() != 0; n--) piece.push_back(static_cast<char>(in.byte()));
        const mw::fuzz::Exact bytes(piece);
        MessageView m;
        mw::wire::Violation v{};
        if (parse_message({bytes.data(), bytes.size()}, m, v) && m.kind == Kind::schema) {
          const uint64_t before = news.counts().revision;
          if (news.take(op >> 4 & 3, who, m, 1'000'000) == AccessNews::Came::another) news.accept();
          CHECK(news.counts().revision >= before && news.counts().text.size() <= kMaxSchema);
          CHECK(news.counts().revision <= 1'000'000 + kTakenAhead);
        }
        machine.step(mw::mesh::core::input::Received{who, {bytes.data(), bytes.size()}, as == 1 && (op & 3) == 3}, now, out);
      }
    }
    check(out);
    CHECK(machine.view().known() <= config.max_members && machine.view().alive(machine.self()) == (as != 2));
    CHECK(machine.next() >= now || machine.next() == INT64_MAX);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  {
    const mw::fuzz::Exact all(data, size);
    MessageView m;
    mw::wire::Violation v{};
    if (parse_message({all.data(), all.size()}, m, v)) records_again(m.records);
    else CHECK((v.code == 1002 || v.code == 1009) && *v.reason != '\0');
  }
  // The same bytes as a run: who speaks, when, and how much of it; in a mesh without managers, as a member of one with
  // them, and as its manager.
  for (const int as : {0, 1, 2}) run(data, size, as);
  return 0;
}
