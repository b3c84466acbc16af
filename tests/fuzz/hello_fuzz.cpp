// Packets beside the message path: what is read, written again, is read the same.
#include "input.hpp"

#include "wire/hello.hpp"
#include "wire/packets.hpp"

namespace {
using namespace mw::wire;

bool sane(const Violation& v) {
  return (v.code == 1002 || v.code == 1007 || v.code == 1009) && *v.reason != '\0';
}
PacketView only(const mw::base::Buffer& b, uint8_t type) {
  Bytes in{b.data(), b.data() + b.size()};
  PacketView p;
  Violation v;
  CHECK(next_packet(in, p, v) == PacketRead::ok && in.left() == 0 && p.type == type);
  return p;
}

void one(const PacketView& packet) {
  // As each kind in turn: the type byte of the input decides nothing.
  Violation v;
  mw::base::Buffer b;
  if (Hello h; parse_hello(packet, h, v)) {
    put_hello(b, h);
    Hello again;
    CHECK(parse_hello(only(b, 1), again, v));
    CHECK(again.capabilities == h.capabilities && again.max_message == h.max_message &&
          again.heartbeat_ms == h.heartbeat_ms && again.names == h.names && again.role == h.role &&
          std::memcmp(again.uuid, h.uuid, sizeof h.uuid) == 0);
    CHECK(again.channel == h.channel && again.epoch == h.epoch && again.mesh == h.mesh && again.node == h.node &&
          again.role == h.role && again.instance == h.instance);
    CHECK(h.mesh.size() <= kMaxMesh && h.node.size() <= kMaxNode && h.role.size() <= kMaxRole);
  } else {
    CHECK(sane(v));
  }
  b.clear();
  if (Subscribe s; parse_subscribe(packet, s, v)) {
    CHECK(s.number != 0 && s.pattern.size() <= kMaxPattern);
    put_subscribe(b, s);
    Subscribe again;
    CHECK(parse_subscribe(only(b, 4), again, v));
    CHECK(again.number == s.number && again.syntax == s.syntax && again.pattern == s.pattern);
  } else {
    CHECK(sane(v));
  }
  b.clear();
  if (Unsubscribe u; parse_unsubscribe(packet, u, v)) {
    put_unsubscribe(b, u);
    Unsubscribe again;
    CHECK(parse_unsubscribe(only(b, 5), again, v) && again.number == u.number);
  } else {
    CHECK(sane(v));
  }
  b.clear();
  if (Answered r; parse_result(packet, r, v)) {
    CHECK(r.text.size() <= kMaxResultText);
    put_result(b, r);
    Answered again;
    CHECK(parse_result(only(b, 6), again, v));
    CHECK(again.what == r.what && again.number == r.number && again.status == r.status && again.text == r.text);
  } else {
    CHECK(sane(v));
  }
  b.clear();
  if (Drain d; parse_drain(packet, d, v)) {
    CHECK(d.where.size() <= kMaxDrainWhere);
    put_drain(b, d);
    Drain again;
    CHECK(parse_drain(only(b, 7), again, v));
    CHECK(again.slot_ms == d.slot_ms && again.deadline_ms == d.deadline_ms && again.where == d.where);
  } else {
    CHECK(sane(v));
  }
  if (uint64_t through; parse_ack(packet, &through, v)) {
    uint8_t out[kMaxAck];
    b.clear();
    b.append(out, put_ack(out, through));
    uint64_t again = 0;
    CHECK(parse_ack(only(b, 3), &again, v) && again == through);
  } else {
    CHECK(sane(v));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes in{data, data + size};
  PacketView packet;
  Violation v;
  PacketRead r;
  while ((r = next_packet(in, packet, v)) == PacketRead::ok) one(packet);
  if (r == PacketRead::bad) CHECK(sane(v));
  // The rest as one body, so that short inputs reach the parsers too.
  one({0, data, size});
  return 0;
}
