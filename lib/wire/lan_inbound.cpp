#include "wire/lan_inbound.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace mw::wire {

namespace {

constexpr uint64_t kWindow = 64;      // datagrams that may overtake each other
constexpr size_t kMaxPartials = 16;   // incomplete messages of one sender

}  // namespace

struct LanInbound::Partial {
  uint64_t message = 0;
  uint32_t count = 0, have = 0;
  uint64_t since_ms = 0;
  size_t size = 0;                     // bytes, exact once the last piece is here
  std::vector<bool> here;
  std::unique_ptr<uint8_t[]> bytes;    // count * kLanPiece
  size_t room() const noexcept { return size_t{count} * kLanPiece; }
};

struct LanInbound::Sender {
  Facts facts;
  uint64_t highest = 0;             // counter
  uint64_t seen = 0;                // bit i: highest - i came
  uint64_t mark = 0, mark_ms = 0;   // the highest some time ago
  uint64_t untold = 0;              // lost, and not told yet
  uint64_t time_ms = 0;             // the newest of its own clock
  std::vector<Partial> partials;

  bool fresh(uint64_t counter) const noexcept {
    if (counter > highest) return true;
    uint64_t back = highest - counter;
    return back < kWindow && (seen >> back & 1) == 0;
  }

  // Notes a fresh counter; how many leave the window without having come.
  uint64_t note(uint64_t counter) noexcept {
    if (counter <= highest) {
      seen |= uint64_t{1} << (highest - counter);
      return 0;
    }
    uint64_t step = counter - highest;
    uint64_t out = step >= kWindow ? ~seen : ~seen >> (kWindow - step);
    uint64_t missing = static_cast<uint64_t>(std::popcount(out)) + (step > kWindow ? step - kWindow : 0);
    seen = (step >= kWindow ? 0 : seen << step) | 1;
    highest = counter;
    return missing;
  }

  // Nothing up to there that is missing will be taken any more; how many.
  uint64_t close_up_to(uint64_t counter) noexcept {
    uint64_t back = highest - counter;
    if (back >= kWindow) return 0;
    uint64_t old = ~uint64_t{0} << back, missing = ~seen & old;
    seen |= old;
    return static_cast<uint64_t>(std::popcount(missing));
  }
};

LanInbound::LanInbound(const LanSender& self, Limits limits, uint64_t wall_ms)
    : self_(self), limits_(limits), floor_ms_(wall_ms) {}

LanInbound::~LanInbound() = default;

LanInbound::Sender* LanInbound::find(const LanSender& id) const noexcept {
  for (auto& s : senders_)
    if (s->facts.id == id) return s.get();
  return nullptr;
}

LanInbound::Verdict LanInbound::judge(const LanHead& head, uint64_t wall_ms) const noexcept {
  if (head.sender == self_) return Verdict::own;
  uint64_t apart = head.time_ms > wall_ms ? head.time_ms - wall_ms : wall_ms - head.time_ms;
  if (apart > limits_.skew_ms) return Verdict::stale;
  if (const Sender* s = find(head.sender)) return s->fresh(head.counter) ? Verdict::fresh : Verdict::repeated;
  return head.time_ms < floor_ms_ ? Verdict::stale : Verdict::fresh;
}

LanInbound::Sender& LanInbound::enter(const LanHead& head, uint64_t now_ms) {
  if (Sender* s = find(head.sender)) return *s;
  auto fresh = std::make_unique<Sender>();
  if (senders_.size() >= limits_.senders) {
    auto longest = std::min_element(senders_.begin(), senders_.end(),
                                    [](auto& a, auto& b) { return a->facts.heard_ms < b->facts.heard_ms; });
    // What this one sent must not be taken again when it is forgotten.
    floor_ms_ = std::max(floor_ms_, (*longest)->time_ms + 1);
    while (!(*longest)->partials.empty()) give_up(**longest, 0);
    senders_.erase(longest);
  }
  fresh->facts.id = head.sender;
  fresh->highest = fresh->mark = head.counter;
  fresh->seen = ~uint64_t{0} << 1;  // what it said before we heard of it is not missing
  fresh->mark_ms = now_ms;
  senders_.push_back(std::move(fresh));
  return *senders_.back();
}

void LanInbound::give_up(Sender& s, size_t at) noexcept {
  partial_bytes_ -= s.partials[at].room();
  s.partials.erase(s.partials.begin() + static_cast<std::ptrdiff_t>(at));
}

void LanInbound::lose(Sender& s, uint64_t n) noexcept {
  s.facts.lost += n;
  s.untold += n;
  lost_ += n;
}

uint64_t LanInbound::settle(size_t at, uint64_t now_ms, Facts& facts) {
  Sender& s = *senders_[at];
  for (size_t i = s.partials.size(); i-- > 0;)
    if (now_ms - s.partials[i].since_ms >= limits_.partial_ms) give_up(s, i);
  if (now_ms - s.mark_ms >= limits_.late_ms) {
    lose(s, s.close_up_to(s.mark));
    s.mark = s.highest;
    s.mark_ms = now_ms;
  }
  facts = s.facts;
  return std::exchange(s.untold, 0);
}

std::vector<LanInbound::Facts> LanInbound::senders() const {
  std::vector<Facts> out;
  for (auto& s : senders_) out.push_back(s->facts);
  return out;
}

LanInbound::Outcome LanInbound::accept(const LanHead& head, const uint8_t* text, size_t n, uint64_t now_ms,
                                       const uint8_t** message, size_t* size) {
  Sender& s = enter(head, now_ms);
  lose(s, s.note(head.counter));
  ++s.facts.came;
  s.facts.heard_ms = now_ms;
  s.time_ms = std::max(s.time_ms, head.time_ms);
  if (n == 0) return Outcome::beat;
  LanFragment f;
  if (!parse_lan_fragment(text, n, f)) return Outcome::malformed;
  if (f.count == 1) {
    if (f.size > limits_.max_message) return Outcome::too_big;
    *message = f.piece;
    *size = f.size;
    return Outcome::whole;
  }
  auto p = std::find_if(s.partials.begin(), s.partials.end(), [&](auto& x) { return x.message == f.message; });
  if (p == s.partials.end()) {
    size_t room = size_t{f.count} * kLanPiece;
    if (room - kLanPiece >= limits_.max_message || room > limits_.partial_bytes) return Outcome::too_big;
    if (s.partials.size() >= kMaxPartials) give_up(s, 0);
    if (partial_bytes_ + room > limits_.partial_bytes) return Outcome::too_big;
    Partial fresh;
    fresh.message = f.message;
    fresh.count = f.count;
    fresh.since_ms = now_ms;
    fresh.here.resize(f.count);
    fresh.bytes.reset(new uint8_t[room]);
    s.partials.push_back(std::move(fresh));
    partial_bytes_ += room;
    p = s.partials.end() - 1;
  }
  if (p->count != f.count || p->here[f.index]) return Outcome::malformed;
  std::memcpy(p->bytes.get() + size_t{f.index} * kLanPiece, f.piece, f.size);
  p->here[f.index] = true;
  p->size += f.size;
  if (++p->have < p->count) return Outcome::part;
  bool fits = p->size <= limits_.max_message;
  if (fits) {
    whole_.clear();
    whole_.append(p->bytes.get(), p->size);
    *message = whole_.data();
    *size = p->size;
  }
  give_up(s, static_cast<size_t>(p - s.partials.begin()));
  return fits ? Outcome::whole : Outcome::too_big;
}

}  // namespace mw::wire
