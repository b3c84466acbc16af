#include "link/peer.hpp"

#include "base/json.hpp"
#include "base/uuid.hpp"
#include "link/provider.hpp"
#include "net/tls.hpp"

namespace mw::link {

Peer::Peer(Provider& p, loop::Lane& l, const net::Address& from)
    : Object(p.runtime, &l), session(p, *this), remote(from) {
  base::uuid_make(uuid);
}

Provider& Peer::provider() const noexcept { return static_cast<Provider&>(session.party()); }

Peer::~Peer() { delete wish.load(); }

std::string Peer::facts() const {
  std::string out = "{\"uuid\":\"" + base::uuid_text(uuid) + "\",";
  if (extra) return out + *extra + "}";
  static constexpr const char* kWires[] = {"raw", "network-cluster", "meshwork"};
  std::string rest;
  base::JsonObject o(rest);
  o.text("ip", remote.text()).number("port", remote.port);
  o.text("path", provider().conf()->text(base::Opt::path)).raw("parameters", "{}");
  o.text("wire", kWires[static_cast<size_t>(session.dialect())]).text("subprotocol", "");
  if (tls != Tls::none) o.text("identity", "").text("tls", tls == Tls::v1_3 ? "TLSv1.3" : "TLSv1.2");
  o.end();
  return out + rest.substr(1);
}

void Peer::attend(uint32_t bits) try {
  if (bits & kSlow) session.tell_slow();
  if (bits & kDropped) session.tell_dropped();
  if (bits & kOverflow) session.overflowed();
  if (bits & kWritable) session.look_for_writable();
  if (bits & kPause) session.pause_as_wished();
  if (bits & kFlush) session.uncorked();
  if (bits & kAbort) session.close(CloseWish{1006, MW_CLOSE_ABORT, MW_OK, "closed at once"});
  if (bits & kClose)
    if (CloseWish* w = wish.load(std::memory_order_acquire)) session.close(*w);
} catch (const std::bad_alloc&) {
  session.on_trouble();
}

void Peer::destroy(bool dead) noexcept {
  loop::Lane& l = *lane;
  Provider& p = provider();
  if (!dead) {
    const Ending& e = session.ending();
    std::string meta;
    base::insist([&] { meta = unsent_meta(e.unsent, e.unsent_bytes); });
    mw_event ev{};
    ev.kind = MW_EVENT_PEER_DOWN;
    ev.token = token.load(std::memory_order_relaxed);
    ev.peer = handle;
    ev.status = e.status;
    ev.code = e.code;
    if (!e.reason.empty()) ev.flags = MW_F_TEXT;
    p.emit(l, ev, {}, meta, e.reason);
  }
  loop::Runtime& r = runtime;
  delete this;
  if (!dead) p.child_gone(l);
  r.objects.fetch_sub(1, std::memory_order_release);
}

}  // namespace mw::link
