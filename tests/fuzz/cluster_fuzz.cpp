// One end of a bridge between cluster-client's wire and our own. First byte:
// which end, and which side the bytes come from; then they come, as the input
// is cut. What it says to our own side must be frames of our own.
#include "input.hpp"

#include "wire/cluster_bridge.hpp"
#include "wire/serialize_json.hpp"

namespace {
using namespace mw::wire;
using mw::fuzz::Exact;
using mw::fuzz::Input;

constexpr size_t kMax = 5000;

void check_own(ClusterBridge& b, bool masked) {
  while (!b.to_own.empty()) {
    Head h;
    Violation v;
    CHECK(read_head(b.to_own.data(), b.to_own.size(), masked, false, h, v) == HeadStatus::ok);
    CHECK(h.fin && h.size + h.length <= b.to_own.size());
    Bytes in{b.to_own.data() + h.size, b.to_own.data() + h.size + h.length};
    PacketView p;
    if (h.opcode == kBinary)
      while (in.left() != 0) CHECK(next_packet(in, p, v) == PacketRead::ok);
    b.to_own.consume(h.size + h.length);
  }
}

void check_cluster(ClusterBridge& b) {
  while (!b.to_cluster.empty()) {
    ClusterHead h;
    const char* why = nullptr;
    ConnObject c;
    CHECK(read_cluster_head(b.to_cluster.data(), b.to_cluster.size(), 1 << 20, h, why) == HeadRead::ok);
    CHECK(h.size() <= b.to_cluster.size());
    b.to_cluster.consume(h.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t how = input.byte();
  const bool leader = (how & 1) != 0, own = (how & 2) != 0;
  const uint8_t uuid[16] = {};
  ClusterBridge b(leader ? ClusterBridge::End::leader : ClusterBridge::End::follower, {"C", kMax, 3000, (how & 4) != 0}, uuid);
  const std::string_view all = input.text();
  (void)deserialize_json(all);
  for (size_t at = 0; at < all.size();) {
    const size_t n = input.cut(all.size() - at);
    Exact piece(all.substr(at, n));
    at += n;
    const bool on = own ? b.from_own(piece.data(), piece.size()) : b.from_cluster(piece.data(), piece.size());
    check_own(b, leader);
    check_cluster(b);
    CHECK(b.notes.size() <= 16);
    b.notes.clear();
    if (!on) break;
  }
  return 0;
}
