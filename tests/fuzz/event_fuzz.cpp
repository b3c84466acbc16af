// Packets of a channel: what is read, written again, is read the same.
#include "input.hpp"

#include "wire/event.hpp"

namespace {
using namespace mw::wire;

void one(const PacketView& packet) {
  Violation v;
  mw::base::Buffer b;
  EventView e;
  constexpr size_t kMax = 4096;
  if (parse_event(packet, kMax, e, v)) {
    CHECK(e.sequence != 0 && !e.name.empty() && e.name.size() <= kMaxEventName && e.size <= kMax);
    put_event(b, e);
    CHECK(b.size() <= event_room(e));
    Bytes in{b.data(), b.data() + b.size()};
    PacketView p;
    EventView again;
    CHECK(next_packet(in, p, v) == PacketRead::ok && in.left() == 0);
    CHECK(parse_event(p, kMax, again, v));
    CHECK(again.flags == e.flags && again.sequence == e.sequence && again.name == e.name && again.meta == e.meta &&
          again.size == e.size && std::memcmp(again.body, e.body, e.size) == 0);
    CHECK((again.origin == nullptr) == (e.origin == nullptr));
    CHECK(e.origin == nullptr || std::memcmp(again.origin, e.origin, kOrigin) == 0);
  } else {
    CHECK((v.code == 1002 || v.code == 1007 || v.code == 1009) && *v.reason != '\0');
  }
  if (uint64_t through; parse_taken(packet, &through, v)) {
    b.clear();
    put_taken(b, through);
    Bytes in{b.data(), b.data() + b.size()};
    PacketView p;
    uint64_t again = 0;
    CHECK(next_packet(in, p, v) == PacketRead::ok && parse_taken(p, &again, v) && again == through);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes in{data, data + size};
  PacketView packet;
  Violation v;
  while (next_packet(in, packet, v) == PacketRead::ok) one(packet);
  one({0, data, size});
  return 0;
}
