// What goes to the LAN: events packed into messages that fit a datagram where
// they can, so that one loss costs little; cut, numbered, sealed, and sent no
// faster than multicast.max_rate.
#include "link/lan.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mw::link {

using base::Opt;

namespace {

constexpr int64_t kBurstMs = 20;     // of the rate, what may go at once
constexpr uint64_t kRetry = 2;       // ms until the system is asked again
constexpr uint64_t kBlocked = 250;   // ms that it may take nothing before we drop: members wait for us

}  // namespace

void Lan::tune(const base::Conf& c) noexcept {
  rate_ = c.num(Opt::multicast_max_rate);
}

void Lan::send(const std::string& channel, const wire::EventView& event, uint64_t mark) {
  wire::EventView e = event;
  e.flags &= ~uint32_t{wire::kRelayed};
  const size_t room = wire::event_room(e);
  if (pack_events_ != 0 && (pack_channel_ != channel || pack_.size() + room > wire::kLanPiece)) close_pack();
  if (pack_events_ == 0) {
    pack_.clear();
    pack_channel_ = channel;
    pack_mark_ = mark;
    wire::put_lan_channel(pack_, channel);
  }
  wire::put_event(pack_, e);
  ++pack_events_;
  host_.lane->flush_later(this);
}

uint64_t Lan::through(uint64_t marks) const noexcept {
  if (!queue_.empty()) return queue_.front().mark - 1;
  return pack_events_ != 0 ? pack_mark_ - 1 : marks;
}

// A message for the queue, or told as unsent where there is no room.
void Lan::close_pack() {
  if (pack_events_ == 0) return;
  const uint64_t pieces = wire::lan_pieces(pack_.size());
  const auto cost = static_cast<int64_t>(pack_.size() + sizeof(Message));
  const bool room = pieces <= wire::kMaxLanPieces && (queue_.empty() || queued_ + cost <= host_.policy.max.load(std::memory_order_relaxed)) &&
                    host_.lane->slice.reserve(cost);
  if (room) {
    try {
      queue_.push_back({{}, messages_ + 1, pack_mark_, pack_events_, static_cast<uint32_t>(pieces), cost});
    } catch (...) {
      host_.lane->slice.release(cost);
      throw;
    }
    queue_.back().bytes = std::move(pack_);
    queued_ += cost;
    ++messages_;
  } else {
    unsent(pack_events_);
  }
  pack_.clear();
  pack_events_ = 0;
}

void Lan::unsent(uint32_t events) noexcept {
  sent_.unsent += events;
  untold_ += events;
}

void Lan::on_flush() {
  close_pack();
  const bool waited = !queue_.empty();
  pump();
  if (waited) host_.lan_sent();
}

void Lan::pump() {
  loop::Lane& lane = *host_.lane;
  const int64_t burst = std::max(rate_ * kBurstMs / 1000, int64_t{wire::kLanDatagram});
  if (credit_ < burst) {
    const auto ms = static_cast<int64_t>(std::min<uint64_t>(lane.now() - earned_at_, kBurstMs));
    credit_ = std::min(burst, credit_ + rate_ * ms / 1000);
  }
  earned_at_ = lane.now();
  while (credit_ > 0) {
    if (held_size_ == 0) {
      if (queue_.empty()) return;
      const Message& m = queue_.front();
      const size_t at = size_t{m.next} * wire::kLanPiece;
      const wire::LanFragment f{m.number, m.next, m.count, m.bytes.data() + at, std::min(wire::kLanPiece, m.bytes.size() - at)};
      make(&f);
      ++queue_.front().next;
    }
    const Push done = push();
    if (done == Push::later) break;
    if (queue_.empty()) continue;  // it was a beat
    if (done == Push::failed) queue_.front().broken = true;
    if (queue_.front().next == queue_.front().count) pop();
  }
  if (held_size_ != 0 || !queue_.empty()) lane.wheel.set(pace_, lane.now() + kRetry);
}

void Lan::pop() {
  const Message& m = queue_.front();
  if (m.broken) unsent(m.events);
  else sent_.events += m.events;
  queued_ -= m.cost;
  host_.lane->slice.release(m.cost);
  queue_.pop_front();
}

void Lan::make(const wire::LanFragment* f) {
  wire::put_lan_head(held_, {cipher_ != nullptr, self_, counter_ + 1, static_cast<uint64_t>(base::wall_ms())});
  size_t n = wire::kLanHead;
  if (f != nullptr) n += wire::put_lan_fragment(held_ + n, *f);
  ++counter_;  // whatever becomes of it
  if (cipher_) n = cipher_->seal(held_, n, counter_);
  if (n == 0) throw std::bad_alloc();
  held_size_ = n;
}

Lan::Push Lan::push() {
  const int err = socket_.send(held_, held_size_);
  const uint64_t now = host_.lane->now();
  if (err == EAGAIN || err == ENOBUFS || err == EINTR) {
    if (blocked_at_ == 0) blocked_at_ = now;
    if (now - blocked_at_ < kBlocked) return Push::later;
  }
  blocked_at_ = 0;
  credit_ -= static_cast<int64_t>(held_size_);
  const size_t size = std::exchange(held_size_, 0);
  if (err == 0) {
    ++sent_.datagrams;
    sent_.bytes += size;
  } else if (err != trouble_) {
    host_.event(*host_.lane, MW_EVENT_ERROR, 0, host_.token.load(), MW_EIO, err, 0,
                "sending to multicast " + where_ + ": " + std::strerror(err));
  }
  trouble_ = err;
  return err == 0 ? Push::sent : Push::failed;
}

}  // namespace mw::link
