// Who may come in: seats (how many, how many of one address) and the questions
// put to the host. For net's listener. Seats: control thread; Asks: as told.
#pragma once
#include "net/address.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

namespace mw::net {

class Seats {
 public:
  enum class Verdict : uint8_t { ok, full, address_full };
  // Limits of 0 do not limit. Peers of unix sockets have no address to count.
  Verdict take(const Address& a, int64_t max, int64_t max_of_address);
  void leave(const Address& a) noexcept;
  size_t taken() const noexcept { return taken_; }

 private:
  size_t taken_ = 0;
  std::map<SeatKey, uint32_t> by_address_;  // ordered: peers choose their keys
};

// Open questions by number. Host, deadline and stop race to settle one; exactly
// one of them wins, by one compare-exchange.
class Asks {
 public:
  explicit Asks(size_t slots) : slots_(slots), words_(new std::atomic<uint64_t>[slots]{}) {}
  // One question a slot at a time. Control thread.
  uint64_t open(size_t slot) noexcept {
    uint64_t ticket = ++serial_ * slots_ + slot;
    words_[slot].store(ticket);
    return ticket;
  }
  // True for the one caller that settles it. Any thread.
  bool settle(uint64_t ticket) noexcept {
    return ticket != 0 && words_[slot(ticket)].compare_exchange_strong(ticket, 0);
  }
  size_t slot(uint64_t ticket) const noexcept { return static_cast<size_t>(ticket % slots_); }

 private:
  size_t slots_;
  uint64_t serial_ = 0;
  std::unique_ptr<std::atomic<uint64_t>[]> words_;
};

}  // namespace mw::net
