// One connection of a provider, as the host knows it: a handle, facts,
// subscriptions, around a session. Born on its lane when the upgrade is done;
// ends there with PEER_DOWN. The lane's thread unless marked.
#pragma once
#include "base/pattern.hpp"
#include "link/party.hpp"
#include "link/session.hpp"

#include <memory>
#include <string>
#include <vector>

namespace mw::link {

class Provider;
class Subscription;

// A peer's topics; under the provider's topics lock, so any thread may ask.
struct Topic {
  base::Pattern pattern;
  mw_handle subscription;  // 0: nobody holds it
  uint64_t number;         // of the own wire's subscribe packet, 0: asked for by the host
};

class Peer final : public loop::Object {
 public:
  Peer(Provider& provider, loop::Lane& lane, const net::Address& remote);

  void attend(uint32_t bits) override;
  void destroy(bool dead) noexcept override;

  std::string facts() const;  // any thread that has a pin: the body of PEER_UP

  Provider& provider() const noexcept;

  Session session;
  net::Address remote;
  uint8_t uuid[16];
  uint32_t index = 0;                        // in its shard
  enum class Tls : uint8_t { none, v1_2, v1_3 } tls = Tls::none;
  std::unique_ptr<std::string> extra;        // facts beyond address, path and wire
  std::unique_ptr<std::vector<Topic>> topics;
  std::atomic<CloseWish*> wish{nullptr};

 private:
  ~Peer();
};

}  // namespace mw::link
