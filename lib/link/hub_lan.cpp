// A standing hub on its LAN: joins the group with its channels, all or nothing,
// and changes it live.
#include "link/hub.hpp"

#include "link/control.hpp"

namespace mw::link {

using base::Opt;
using Secret = std::shared_ptr<const net::SharedSecret>;

// To stretch a secret takes too long for a lane.
void Hub::prepare(Wish&& w) {
  const auto c = w.change ? w.change->conf : conf();
  wish_now_ = std::make_unique<Wish>(std::move(w));
  if (!wish_now_->lan_anew || !Lan::wanted(*c) || c->text(Opt::link_secret).empty()) return pursue();
  net::Control& control = control_of(runtime);
  if (auto up = control.start(); !up) return stretched(up.error());
  stretching_ = true;
  control.post([this, c] {
    auto made = std::make_shared<base::Result<Secret>>(net::SharedSecret::stretch(c->text(Opt::link_secret)));
    base::insist([&] {
      post(*lane, [this, made] {
        stretching_ = false;
        stretched(std::move(*made));
      });
    });
  });
}

void Hub::stretched(base::Result<Secret> secret) {
  if (closing_) return end_if_done();
  if (!secret) return refuse(*std::exchange(wish_now_, nullptr), secret.error());
  wish_now_->secret = std::move(*secret);
  pursue();
}

base::Result<void> Hub::join_lan(Wish& w) {
  const auto c = w.change ? w.change->conf : conf();
  if (!w.lan_anew || !Lan::wanted(*c)) return {};
  auto made = Lan::open(*this, *c, w.secret);
  if (!made) return made.error();
  w.lan = std::move(*made);
  return {};
}

void Hub::change_lan(Wish& w) {
  if (!w.lan_anew) return;
  if (lan_) lan_->finish();
  lan_ = std::move(w.lan);
}

Exchange* Hub::of_lan(std::string_view channel) {
  auto it = channels_.find(channel);
  return it != channels_.end() && it->second.multicast ? it->second.exchange.get() : nullptr;
}

void Hub::lan_sent() {
  if (!channels_.empty()) look_for_acks(*channels_.begin()->second.exchange);
}

}  // namespace mw::link
