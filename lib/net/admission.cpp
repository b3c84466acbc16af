#include "net/admission.hpp"

namespace mw::net {

Seats::Verdict Seats::take(const Address& a, int64_t max, int64_t max_of_address) {
  if (max > 0 && taken_ >= static_cast<size_t>(max)) return Verdict::full;
  if (a.family != Address::Family::local) {
    auto [it, fresh] = by_address_.try_emplace(seat_key(a), 0);
    if (max_of_address > 0 && it->second >= static_cast<uint64_t>(max_of_address)) return Verdict::address_full;
    ++it->second;
  }
  ++taken_;
  return Verdict::ok;
}

void Seats::leave(const Address& a) noexcept {
  if (taken_ > 0) --taken_;
  if (a.family == Address::Family::local) return;
  auto it = by_address_.find(seat_key(a));
  if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
}

}  // namespace mw::net
