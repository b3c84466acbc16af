// The schema of a mesh: what is in force here, what managers give to their
// nodes, and who holds another one.
#include "base/clock.hpp"
#include "base/json.hpp"
#include "link/session.hpp"
#include "mesh/node.hpp"
#include "wire/packets.hpp"

#include <algorithm>

namespace mw::mesh {

namespace {

constexpr int64_t kPatience = 2000;  // ms that two may differ, while a new one goes round

}  // namespace

// A node's own schema counts, and without one that of the managers. A manager keeps to none.
void Node::rule() {
  const Schema& held = own_access_ ? own_access_ : given_access_;
  if (!manages_) access_ = held;
  ++line_up_;
  schema_.store(held ? held->digest() : 0, std::memory_order_relaxed);
  for (auto& [slot, other] : schemas_) {
    other.differs_since = 0;
    other.told = false;
  }
  if (!own_access_ || !given_access_ || own_access_->digest() == given_access_->digest()) return;
  log(*lane, base::LogLevel::warn, 0, "access", "this node has another schema than the managers give; its own counts");
}

// The option was set anew.
void Node::new_access(Schema own) {
  own_access_ = std::move(own);
  rule();
  manages_ ? give_access() : static_cast<void>(announce());
}

// ---- a manager's: to its nodes

void Node::give_access() {
  access_revision_ = std::max<uint64_t>(access_revision_ + 1, static_cast<uint64_t>(base::clock_ns(CLOCK_REALTIME) / 1000));
  for (const auto& [slot, held] : schemas_) access_revision_ = std::max(access_revision_, held.revision + 1);
  for (auto& [h, l] : links_)
    if (usable(l.get())) give_access(*l);
}

void Node::give_access(Link& l) {
  if (access_revision_ == 0) return;  // it never had one, and says nothing of that
  const auto c = conf();
  const std::string& text = c->text(base::Opt::access);
  const uint8_t flags = base::access_names(*c) == base::AccessNames::nocase ? core::kAnyCase : 0;
  size_t at = 0;
  do {
    const std::string_view piece = std::string_view(text).substr(at, core::kSchemaPiece);
    core::MessageWriter m(core::Kind::schema);
    m.number(access_revision_).byte(flags).number(text.size()).number(at).text(piece);
    base::Buffer packet;
    wire::put_member(packet, m.take());
    l.session->write_packet(packet.data(), packet.size());
    at += piece.size();
  } while (at < text.size());
}

// ---- a node's: from its managers

void Node::access_came(Link& l, const uint8_t* p, size_t n) {
  if (!l.trusted()) return forged(l.member, " gives a schema");
  core::MessageView m;
  wire::Violation v{};
  if (!core::parse_message({p, n}, m, v)) return;  // it was: the membership has read it
  if (access_news_.take(l.member, m)) {
    const core::AccessNews::Schema& given = access_news_.counts();
    std::vector<std::string> warnings;  // a manager has them
    Schema schema;
    if (!given.text.empty()) {
      auto parsed = core::Access::parse(given.text, given.any_case, warnings);
      if (!parsed)
        return log(*lane, base::LogLevel::error, 0, "access", "what " + l.name + " gives is not taken: " + parsed.error().text);
      schema = std::make_shared<const core::Access>(std::move(*parsed));
      if (!schema->has(role_))
        log(*lane, base::LogLevel::warn, 0, "access",
            "the schema of the managers has no role \"" + role_.substr(0, 64) + "\", which is this node's member.service");
    }
    given_access_ = std::move(schema);
    rule();
    announce();
  }
  const Slot other = access_news_.contradicts();
  if (std::exchange(told_contradiction_, other) == other || other == core::kNoSlot) return;
  log(*lane, base::LogLevel::warn, 0, "access",
      "managers give different schemas: what " + roster_.name(other) + " gives was set earlier than another one, and does not count");
}

// ---- of others

// Told when it lasts: a new one takes a moment to be everywhere.
void Node::look_at_schemas() {
  const uint64_t ours = schema_.load(std::memory_order_relaxed);
  for (auto& [slot, held] : schemas_) {
    if (ours == 0 || held.schema == 0 || held.schema == ours) {
      held.differs_since = 0;
      continue;
    }
    if (held.differs_since == 0) held.differs_since = now();
    if (now() - held.differs_since < kPatience || std::exchange(held.told, true)) continue;
    log(*lane, base::LogLevel::warn, 0, "access",
        roster_.name(slot) + " has another schema than this " +
            (!manages_ ? "node: between the two the stricter one holds"
                       : held.revision == 0 ? "manager gives: its own" : "manager gives: another manager's, set later"));
  }
}

}  // namespace mw::mesh
