// Seals and opens the datagrams of a LAN (wire/lan.hpp) with AES-256-GCM. Each
// sender has a key of its own, made from the shared secret and its id, which is
// random and new with every start; so the counter of its datagrams is a nonce
// that never comes twice. Hides OpenSSL. Used by link. One thread.
#pragma once
#include "net/shared_secret.hpp"
#include "wire/lan.hpp"

#include <memory>
#include <vector>

namespace mw::net {

class LanCipher {
 public:
  static constexpr size_t kSenders = 256;  // whose keys are remembered; others are derived again
  LanCipher(std::shared_ptr<const SharedSecret> secret, const wire::LanSender& self);
  ~LanCipher();

  // Of a whole datagram: head and text lie there, n bytes; the tag is written
  // behind them. Answers n + kLanTag, 0 without memory.
  size_t seal(uint8_t* datagram, size_t n, uint64_t counter) noexcept;
  // Opens a datagram of n bytes in place: its text then has n - kLanHead -
  // kLanTag bytes from datagram + kLanHead. False: forged, damaged or of
  // another secret.
  bool open(uint8_t* datagram, size_t n, const wire::LanHead& head) noexcept;

 private:
  struct Key;
  std::unique_ptr<Key> derive(const wire::LanSender& sender) const noexcept;
  std::shared_ptr<const SharedSecret> secret_;
  std::unique_ptr<Key> own_;
  std::vector<std::unique_ptr<Key>> others_;
  size_t next_out_ = 0;  // of others_, when it is full
};

}  // namespace mw::net
