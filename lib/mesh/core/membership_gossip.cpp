// How news travel: at once over the six links, and by comparing digests for
// whatever was missed.
#include "mesh/core/membership.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

constexpr size_t kMaxQueue = 4096;
constexpr size_t kMaxGossip = 16 * 1024;
constexpr size_t kMaxPage = 16 * 1024;
constexpr size_t kKeysAtOnce = 512;

uint32_t short_version(const Fact& fact) noexcept { return static_cast<uint32_t>(fact.hash); }

}  // namespace

void Membership::spread(Slot slot, Slot except) {
  if (managed_member() && slot != self_ && view_.alive(slot)) return;
  for (Link& link : links_) {
    if (link.slot == except || (!link.queue.empty() && link.queue.back() == slot)) continue;
    if (link.queue.size() >= kMaxQueue) {
      link.behind = true;
      continue;
    }
    link.queue.push_back(slot);
    flush_at_ = std::min(flush_at_, now_ + config_.gossip_delay);
  }
}

bool Membership::put_record(MessageWriter& message, Slot slot, size_t max) {
  int64_t died = view_.died(slot);
  const Fact* f = fact(slot);
  if (const auto it = disputes_.find(slot); it != disputes_.end() && !config_.managed) {
    f = &roster_[it->second.fact];
    died = it->second.died;
  }
  if (f == nullptr) return true;  // forgotten meanwhile
  if (managed_member() && slot != self_ && !f->version.gone) return true;  // a manager's to say
  if (message.size() + record_room(roster_, *f) > max) return false;
  message.record(roster_, *f, f->version.gone && died < now_ && died != INT64_MIN ? static_cast<uint64_t>(now_ - died) : 0);
  return true;
}

void Membership::put_queue(Link& link, MessageWriter& message, size_t max) {
  size_t n = 0;
  while (n < link.queue.size() && put_record(message, link.queue[n], max)) n++;
  link.queue.erase(link.queue.begin(), link.queue.begin() + static_cast<std::ptrdiff_t>(n));
}

void Membership::flush() {
  flush_at_ = INT64_MAX;
  Link* behind = nullptr;
  for (Link& link : links_) {
    if (!link.queue.empty()) {
      MessageWriter gossip(Kind::gossip);
      put_queue(link, gossip, kMaxGossip);
      out_->sends.push_back({link.slot, gossip.take()});
    }
    if (!link.queue.empty()) {
      flush_at_ = now_ + config_.gossip_delay;
    } else if (link.behind && may_ask(link.slot)) {
      behind = &link;
    }
  }
  if (behind == nullptr || !joined_ || sync_peer_ != kNoSlot) return;
  behind->behind = false;
  sync_with(behind->slot);
}

void Membership::sync_done() noexcept {
  sync_peer_ = kNoSlot;
  for (const Link& link : links_)
    if (link.behind && may_ask(link.slot)) flush_at_ = std::min(flush_at_, now_ + config_.gossip_delay);
}

void Membership::tell(Slot to, Slot about) {
  MessageWriter gossip(Kind::gossip);
  const size_t empty = gossip.size();
  put_record(gossip, about, kMaxMessage);
  if (gossip.size() != empty) send(to, gossip);
}

void Membership::sync_with(Slot peer) {
  sync_peer_ = peer;
  sync_todo_.clear();
  sync_until_ = now_ + config_.sync_interval / 2;
  MessageWriter sync(Kind::sync);
  sync.u64(view_.root());
  put_record(sync, self_, kMaxMessage);
  if (view_.at(peer) != 0 && !view_.alive(peer)) put_record(sync, peer, kMaxMessage);
  send(peer, sync);
}

void Membership::sync_some() {
  const auto interval = static_cast<uint32_t>(joined_ ? config_.sync_interval : 1000);
  sync_at_ = now_ + interval * 3 / 4 + random_.below(interval / 2);
  if (sync_peer_ != kNoSlot) return;
  if (config_.managed) {
    if (managers_.empty()) return;
    auto one = managers_.begin();
    std::advance(one, random_.below(static_cast<uint32_t>(managers_.size())));
    return sync_with(*one);
  }
  Slot peer = kNoSlot;
  // Now and then somebody dead: a partition may have healed.
  if (random_.below(3) == 0 || links_.empty()) peer = view_.some_dead(random_);
  if (peer == kNoSlot && !links_.empty()) peer = links_[random_.below(static_cast<uint32_t>(links_.size()))].slot;
  if (peer == kNoSlot && !met_.empty()) peer = *met_.begin();
  if (peer != kNoSlot) sync_with(peer);
}

void Membership::on_sync(Slot from, const MessageView& m) {
  if (m.key == view_.root()) {
    MessageWriter same(Kind::records);
    same.byte(kEnd);
    return send(from, same);
  }
  MessageWriter tree(Kind::tree);
  for (size_t i = 0; i < kBuckets; i++) tree.u64(view_.bucket(i));
  send(from, tree);
}

void Membership::on_tree(Slot from, const MessageView& m) {
  if (from != sync_peer_) return;
  sync_todo_.clear();
  for (size_t i = kBuckets; i-- > 0;)
    if (get_u64(m.array + 8 * i) != view_.bucket(i)) sync_todo_.push_back(static_cast<uint8_t>(i));
  sync_next();
}

void Membership::sync_next() {
  if (sync_todo_.empty()) {
    if (!joined_) say(News::joined, self_, view_.at(self_));
    joined_ = true;
    return sync_done();
  }
  sync_until_ = now_ + config_.sync_interval / 2;
  uint8_t buckets[kBuckets / 8] = {};
  std::vector<const Fact*> mine;
  // As many buckets as one answer should bring, guessed by what is known here.
  for (size_t n = 0; !sync_todo_.empty() && n < kMaxBucketsAtOnce && mine.size() < kKeysAtOnce; n++) {
    const size_t bucket = sync_todo_.back();
    sync_todo_.pop_back();
    buckets[bucket / 8] |= static_cast<uint8_t>(1 << bucket % 8);
    for (const Slot slot : roster_.in_bucket(bucket))
      if (view_.alive(slot) && mine.size() < kMaxKeys) mine.push_back(fact(slot));
  }
  MessageWriter keys(Kind::keys);
  keys.bytes(buckets, sizeof buckets).number(mine.size());
  for (const Fact* f : mine) keys.u64(roster_.key(f->slot)).u32(short_version(*f));
  send(sync_peer_, keys);
}

void Membership::on_keys(Slot from, const MessageView& m) {
  std::unordered_map<uint64_t, uint32_t> theirs;
  for (size_t i = 0; i < m.count; i++)
    theirs[get_u64(m.array + kEntryBytes * i)] = get_u32(m.array + kEntryBytes * i + kKeyBytes);
  std::vector<Slot> send_them;
  for (size_t bucket = 0; bucket < kBuckets; bucket++) {
    if ((m.buckets[bucket / 8] & 1 << bucket % 8) == 0) continue;
    for (const Slot slot : roster_.in_bucket(bucket)) {
      if (!view_.alive(slot)) continue;
      const auto it = theirs.find(roster_.key(slot));
      if (it == theirs.end() || it->second != short_version(*fact(slot))) send_them.push_back(slot);
    }
  }
  // Of whom they know otherwise: the one or the other may be later.
  std::vector<uint64_t> want;
  for (size_t i = 0; i < m.count; i++) {
    const uint64_t key = get_u64(m.array + kEntryBytes * i);
    const Slot slot = roster_.find(key);
    const Fact* f = slot == kNoSlot ? nullptr : fact(slot);
    if (f != nullptr && f->version.gone) send_them.push_back(slot);
    if (config_.managed) continue;  // members say nothing of others
    if (f == nullptr || short_version(*f) != theirs[key]) want.push_back(key);
  }
  if (!want.empty()) {
    MessageWriter message(Kind::want);
    message.number(want.size());
    for (const uint64_t key : want) message.u64(key);
    send(from, message);
  }
  send_records(from, send_them, true);
}

void Membership::on_want(Slot from, const MessageView& m) {
  std::vector<Slot> about;
  for (size_t i = 0; i < m.count; i++) {
    const Slot slot = roster_.find(get_u64(m.array + kKeyBytes * i));
    if (slot != kNoSlot && view_.at(slot) != 0) about.push_back(slot);
  }
  if (!about.empty()) send_records(from, about, false);
}

void Membership::send_records(Slot to, const std::vector<Slot>& about, bool end) {
  for (size_t i = 0;;) {
    MessageWriter page(Kind::records);
    size_t n = i;
    size_t size = 2;
    for (; n < about.size(); n++) {
      const Fact* f = fact(about[n]);
      size += f == nullptr ? 0 : record_room(roster_, *f);
      if (size > kMaxPage && n > i) break;
    }
    const bool last = n == about.size();
    page.byte(last && end ? kEnd : 0);
    for (; i < n; i++) put_record(page, about[i], kMaxMessage);
    send(to, page);
    if (last) return;
  }
}

}  // namespace mw::mesh::core
