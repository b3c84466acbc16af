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

uint64_t wall_us() noexcept { return static_cast<uint64_t>(base::clock_ns(CLOCK_REALTIME) / 1000); }

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
  const uint64_t now_us = wall_us();
  access_revision_ = std::max(access_revision_ + 1, now_us);
  for (const auto& [slot, held] : schemas_) access_revision_ = core::revision_above(access_revision_, held.revision, now_us);
  for (auto& [h, l] : links_)
    if (usable(l.get())) give_access(*l);
}

// Revision 0 and no text: it never had one. Nodes wait for this word.
void Node::give_access(Link& l) {
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

// A node without a schema of its own is open to nobody before a manager has said that it is.
bool Node::awaits_access(const Link* l) const noexcept {
  return !access_ && !manages_ && contacts_->managed() && !access_news_.heard() && (l == nullptr || !l->own);
}

void Node::access_came(Link& l, const uint8_t* p, size_t n) {
  using Came = core::AccessNews::Came;
  if (!l.trusted()) return forged(l.member, " gives a schema");
  core::MessageView m;
  wire::Violation v{};
  if (!core::parse_message({p, n}, m, v)) return;  // it was: the membership has read it
  switch (access_news_.take(l.session->self().handle, l.member, m, wall_us())) {
    case Came::nothing:
      return;
    case Came::ahead:
      return log(*lane, base::LogLevel::error, 0, "access",
                 "what " + l.name + " gives is not taken: it was set over a day from now, by its clock or this one's");
    case Came::known:
      break;
    case Came::renewed:
      announce();  // who gives the next one must go above this
      break;
    case Came::another:
      if (!take_access(l)) return;
  }
  const Slot other = access_news_.contradicts();
  if (std::exchange(told_contradiction_, other) == other || other == core::kNoSlot) return;
  log(*lane, base::LogLevel::warn, 0, "access",
      "managers give different schemas: what " + roster_.name(other) + " gives was set earlier than another one, and does not count");
}

// It counts once it is read: what could not be must come again.
bool Node::take_access(const Link& l) {
  const core::AccessNews::Schema& given = access_news_.candidate();
  std::vector<std::string> warnings;  // a manager has them
  Schema schema;
  if (!given.text.empty()) {
    auto parsed = core::Access::parse(given.text, given.any_case, warnings);
    if (!parsed) {
      log(*lane, base::LogLevel::error, 0, "access", "what " + l.name + " gives is not taken: " + parsed.error().text);
      return false;
    }
    schema = std::make_shared<const core::Access>(std::move(*parsed));
  }
  access_news_.accept();
  given_access_ = std::move(schema);
  rule();
  if (given_access_ && !given_access_->has(role_))
    log(*lane, base::LogLevel::warn, 0, "access",
        "the schema of the managers has no role \"" + role_.substr(0, 64) + "\", which is this node's member.service");
  announce();
  return true;
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
