// WebSocket messages of the own wire, cut as the input says, one name table.
// First byte: size of the table. Messages that are read are written again
// and must come out the same.
#include "input.hpp"

#include "base/message.hpp"
#include "wire/envelope.hpp"

#include <vector>

namespace {
using namespace mw::wire;
using mw::fuzz::Exact;
using mw::fuzz::Input;

constexpr size_t kMax = 5000;

void again(const MessageView& m, NameWriter& writer, NameReader& reader) {
  const bool continued = (m.flags & kContinued) != 0;
  auto topic = continued ? TopicCode{} : writer.code(m.topic);
  std::vector<uint8_t> out(message_head_room(topic, m.meta));
  const uint32_t flags = m.flags & ~uint32_t{kTopicMask | kHeaders};
  size_t n = put_message_head(out.data(), flags, topic, m.meta, m.size);
  CHECK(n <= out.size());
  out.resize(n);
  if (m.size != 0) out.insert(out.end(), m.body, m.body + m.size);
  Bytes in{out.data(), out.data() + out.size()};
  PacketView p;
  Violation v;
  MessageView back;
  CHECK(next_packet(in, p, v) == PacketRead::ok && in.left() == 0);
  CHECK(parse_message(p, reader, kMax, back, v));
  CHECK(back.topic == m.topic && back.meta == m.meta && back.size == m.size);
  CHECK((back.flags & ~uint32_t{kTopicMask}) == (m.flags & ~uint32_t{kTopicMask}));
  CHECK(m.size == 0 || std::memcmp(back.body, m.body, m.size) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const size_t limit = input.byte() % 8;
  NameReader names(limit), echo(limit);
  NameWriter writer(limit);
  const std::string all(input.text());
  for (size_t at = 0; at < all.size();) {
    const size_t n = input.cut(all.size() - at);
    Exact message(std::string_view(all).substr(at, n));
    at += n;
    Bytes in{message.data(), message.data() + message.size()};
    PacketView packet;
    Violation v;
    PacketRead r;
    while ((r = next_packet(in, packet, v)) == PacketRead::ok) {
      MessageView m;
      if (!parse_message(packet, names, kMax, m, v)) {
        CHECK((v.code == 1002 || v.code == 1007 || v.code == 1009) && *v.reason != '\0');
        continue;
      }
      CHECK(m.size <= kMax && m.topic.size() <= kMaxTopic && m.meta.size() <= kMaxHeaders);
      CHECK(mw::base::meta_valid(m.meta));
      again(m, writer, echo);
    }
    if (r == PacketRead::bad) CHECK(v.code == 1002 && *v.reason != '\0');
  }
  return 0;
}
