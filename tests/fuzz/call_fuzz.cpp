// Packets of calls, one name table. First byte: size of the table; then each
// packet, as the input is cut, its type by its first byte. What is read is
// written again and must come out the same.
#include "input.hpp"

#include "base/message.hpp"
#include "wire/call.hpp"

#include <vector>

namespace {
using namespace mw::wire;
using mw::fuzz::Exact;
using mw::fuzz::Input;

constexpr size_t kMax = 5000;

void again(const TalkView& t, NameWriter& writer, NameReader& reader) {
  auto name = t.type == Packet::call ? writer.code(t.method) : TopicCode{};
  Talk out = t;
  out.flags &= ~uint32_t{kCallHeaders | kWindow};
  if (t.type == Packet::call) out.flags &= ~uint32_t{kMethodMask};
  if (t.type == Packet::reply) out.flags &= ~uint32_t{kFailed};
  std::vector<uint8_t> bytes(talk_room(t.method.size(), t.meta));
  size_t n = put_talk(bytes.data(), out, name, t.size);
  CHECK(n <= bytes.size());
  bytes.resize(n);
  if (t.size != 0) bytes.insert(bytes.end(), t.body, t.body + t.size);
  Bytes in{bytes.data(), bytes.data() + bytes.size()};
  PacketView p;
  Violation v;
  TalkView back;
  CHECK(next_packet(in, p, v) == PacketRead::ok && in.left() == 0);
  CHECK(parse_talk(p, reader, kMax, back, v));
  CHECK(back.type == t.type && back.number == t.number && back.status == t.status && back.window == t.window);
  CHECK(back.time_left == t.time_left && back.method == t.method && back.meta == t.meta && back.size == t.size);
  CHECK(t.size == 0 || std::memcmp(back.body, t.body, t.size) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const size_t limit = input.byte() % 8;
  NameReader names(limit), echo(limit);
  NameWriter writer(limit);
  const std::string all(input.text());
  for (size_t at = 0; at < all.size();) {
    const auto type = static_cast<uint8_t>(8 + static_cast<uint8_t>(all[at++]) % 5);
    const size_t n = at < all.size() ? input.cut(all.size() - at) : 0;
    Exact body(std::string_view(all).substr(at, n));
    at += n;
    TalkView t;
    Violation v;
    if (!parse_talk({type, body.data(), body.size()}, names, kMax, t, v)) {
      CHECK((v.code == 1002 || v.code == 1007 || v.code == 1009) && *v.reason != '\0');
      continue;
    }
    CHECK(t.number != 0 && t.size <= kMax && t.method.size() <= kMaxTopic && t.meta.size() <= kMaxHeaders);
    CHECK(t.window <= kMaxWindow && t.time_left <= kMaxTimeLeft && t.status <= 0);
    CHECK(mw::base::meta_valid(t.meta));
    again(t, writer, echo);
  }
  return 0;
}
