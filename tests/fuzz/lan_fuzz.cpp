// Datagrams of a LAN, as they come from anybody: nothing beyond the limits is
// kept, and a whole message has the size its pieces had.
#include "input.hpp"

#include "wire/lan_inbound.hpp"

using namespace mw::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mw::fuzz::Input in(data, size);
  LanInbound::Limits limits;
  limits.senders = 3;
  limits.max_message = 4 * kLanPiece;
  limits.partial_bytes = 8 * kLanPiece;
  uint64_t now = 1000;
  LanInbound ear({}, limits, 0);
  while (in.left() > 0) {
    // A datagram of chosen sender, counter and fragment, padded to a piece
    // where the input says so; or the input's own bytes.
    uint8_t how = in.byte();
    now += how >> 4;
    LanHead head{false, {}, 0, now};
    uint8_t text[kLanFragmentHead + kLanPiece] = {};
    size_t n = 0;
    if ((how & 1) != 0) {
      head.sender[0] = in.byte() & 7;
      head.counter = in.byte();
      LanFragment f{in.byte(), in.byte() & 7u, in.byte() & 7u, text, 0};
      static const uint8_t kZeros[kLanPiece] = {};
      f.piece = kZeros;
      f.size = (how & 2) != 0 ? kLanPiece : in.byte();
      n = put_lan_fragment(text, f);
    } else {
      std::string_view rest = in.text().substr(0, kLanHead + in.left() % 64);
      mw::fuzz::Exact exact(rest);
      bool ours = exact.size() >= kLanHead && parse_lan_head(exact.data(), exact.size(), head);
      if (ours) {
        uint8_t again[kLanHead];
        put_lan_head(again, head);
        CHECK(std::memcmp(again, exact.data(), kLanHead) == 0);
        n = exact.size() - kLanHead;
        std::memcpy(text, exact.data() + kLanHead, n);
      }
      for (size_t i = 0; i < rest.size(); ++i) in.byte();
      if (!ours) continue;
    }
    if (ear.judge(head, now) != LanInbound::Verdict::fresh) continue;
    mw::fuzz::Exact exact(text, n);
    const uint8_t* message = nullptr;
    size_t whole = 0;
    if (ear.accept(head, exact.data(), n, now, &message, &whole) == LanInbound::Outcome::whole) {
      CHECK(whole <= limits.max_message);
      volatile uint8_t last = whole != 0 ? message[whole - 1] : 0;
      (void)last;
    }
    CHECK(ear.judge(head, now) != LanInbound::Verdict::fresh);
    CHECK(ear.senders().size() <= limits.senders && ear.partial_bytes() <= limits.partial_bytes);
    if ((how & 4) != 0) ear.settle(now, [](const LanInbound::Facts& f, uint64_t lost) { CHECK(lost != 0 && f.lost >= lost); });
  }
  return 0;
}
