// One message to many peers: encoded once for each wire, one reference a peer.
#include "link/provider.hpp"
#include "link/speech.hpp"
#include "wire/frame.hpp"

#include <algorithm>
#include <cstring>

namespace mw::link {

using loop::Lane;

// One publish on its way to every lane.
struct Published {
  std::atomic<int> lanes_left{0};
  std::atomic<int32_t> reached{0};
  uint64_t op = 0;
};

namespace {

// The frame as every raw peer gets it, encoded once.
mw_msg* encode_raw(const mw_msg* m, uint32_t flags) {
  uint8_t head[wire::kMaxHead];
  size_t h = wire::put_head(head, (flags & MW_F_TEXT) ? wire::kText : wire::kBinary, true, false, m->len);
  uint8_t* p = nullptr;
  mw_msg* f = base::message_room(h + m->len, 0, &p);
  std::memcpy(p, head, h);
  if (m->len) std::memcpy(p + h, m->body, m->len);
  return f;
}

// The same with an envelope: the topic as text, so that no name table is needed.
mw_msg* encode_own(const mw_msg* m, uint32_t flags) {
  wire::TopicCode topic;
  if (m->topic) topic = {wire::TopicMode::text, 0, *m->topic};
  std::string_view meta = m->meta ? std::string_view(*m->meta) : std::string_view();
  std::vector<uint8_t> packet(wire::message_head_room(topic, meta));
  size_t n = wire::put_message_head(packet.data(), envelope_flags(flags), topic, meta, m->len);
  uint8_t head[wire::kMaxHead];
  size_t h = wire::put_head(head, wire::kBinary, true, false, n + m->len);
  uint8_t* p = nullptr;
  mw_msg* f = base::message_room(h + n + m->len, 0, &p);
  std::memcpy(p, head, h);
  std::memcpy(p + h, packet.data(), n);
  if (m->len) std::memcpy(p + h + n, m->body, m->len);
  return f;
}

}  // namespace

mw_status Provider::publish(std::string_view topic, const mw_msg* m, mw_handle except, uint32_t flags, uint64_t op) {
  if (wish.load(std::memory_order_relaxed) != nullptr || runtime.closing()) return MW_ECLOSED;
  if (flags & (MW_F_MORE | MW_F_CONT | MW_F_PING)) return MW_EINVAL;
  flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS);
  base::MsgRef origin = base::message_with_topic(m, topic);
  auto told = std::make_shared<Published>();
  told->op = op;
  size_t lanes = std::min(lanes_used_.load(std::memory_order_relaxed), shards_.size());
  told->lanes_left.store(static_cast<int>(lanes));
  auto cost = static_cast<int64_t>(m->len) + 64;
  for (size_t i = 0; i < lanes; ++i) {
    Shard& s = shards_[(static_cast<size_t>(lane->index) + i) % shards_.size()];
    if (s.lane->here()) {
      publish_here(s, origin.get(), except, flags, told);
      continue;
    }
    if (Lane::Hold hold(*s.lane, false); hold) {  // a subscription counts from its DONE
      publish_here(s, origin.get(), except, flags, told);
      continue;
    }
    // The way to the lane is bounded by the context's budget.
    if (!s.lane->slice.reserve(cost)) {
      if (i == 0) return MW_EMEMORY;
      s.lane->slice.force(cost);  // others have it already: all or nothing
    }
    auto send = [this, &s, origin, except, flags, told, cost] {
      publish_here(s, origin.get(), except, flags, told);
      s.lane->slice.release(cost);
    };
    try {
      post(*s.lane, send);
    } catch (const std::bad_alloc&) {
      if (i == 0) {
        s.lane->slice.release(cost);
        throw;
      }
      base::insist([&] { post(*s.lane, send); });
    }
  }
  return MW_OK;
}

mw_status Provider::publish_to_one(std::string_view topic, const mw_msg* m, uint32_t flags) {
  Shard& s = shard(*lane);
  std::vector<Peer*> all;
  s.topics.each(topic, [&](void* p) {
    if (auto* peer = static_cast<Peer*>(p); peer->session.is_open()) all.push_back(peer);
  });
  if (all.empty()) return MW_OK;  // as a publish that reaches nobody
  flags |= m->flags & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS);
  base::MsgRef origin = base::message_with_topic(m, topic);
  Peer* p = all[lane->masking_key() % all.size()];
  base::MsgRef frame(p->session.deflates() ? nullptr : encode_own(origin.get(), flags));
  return p->session.publish(origin.get(), flags, frame.get()) ? MW_OK : MW_EDROPPED;
}

void Provider::publish_here(Shard& s, mw_msg* origin, mw_handle except, uint32_t flags,
                            const std::shared_ptr<Published>& told) {
  base::MsgRef raw, own;
  int32_t reached = 0;
  auto give = [&](Peer* p) {
    if (p->handle == except || !p->session.is_open()) return;
    bool mesh = p->session.dialect() == wire::Dialect::meshwork;
    base::MsgRef& frame = mesh ? own : raw;
    try {
      if (!frame && !p->session.deflates())
        frame = base::MsgRef(mesh ? encode_own(origin, flags) : encode_raw(origin, flags));
    } catch (const std::bad_alloc&) {
      return p->session.drop_published();
    }
    if (p->session.publish(origin, flags, p->session.deflates() ? nullptr : frame.get())) ++reached;
  };
  if (origin->topic == nullptr) {
    for (Peer* p : s.peers) give(p);
  } else {
    s.topics.each(*origin->topic, [&](void* p) { give(static_cast<Peer*>(p)); });
  }
  told->reached.fetch_add(reached, std::memory_order_relaxed);
  if (told->lanes_left.fetch_sub(1, std::memory_order_acq_rel) == 1 && told->op != 0)
    base::insist([&] { post(*lane, [this, told] { done(*lane, told->op, MW_OK, told->reached.load(), {}); }); });
}

}  // namespace mw::link
