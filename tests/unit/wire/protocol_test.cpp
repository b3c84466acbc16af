// The hex dumps of PROTOCOL.md are what the code writes, and every reason the
// code gives is in its tables.
#include "base/message.hpp"
#include "wire/call.hpp"
#include "wire/close.hpp"
#include "wire/deflate.hpp"
#include "wire/event.hpp"
#include "wire/frame.hpp"
#include "wire/heartbeat.hpp"
#include "wire/hello.hpp"
#include "wire/lan.hpp"
#include "wire/packets.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace mw::wire {
namespace {

namespace fs = std::filesystem;

const fs::path kRoom = fs::path(MW_SOURCE) / "lib/wire";

std::string slurp(const fs::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in.good()) << file;
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}

// name -> bytes of the blocks that begin with ```hex name
const std::map<std::string, std::string>& dumps() {
  static const auto all = [] {
    std::map<std::string, std::string> m;
    std::istringstream in(slurp(kRoom / "PROTOCOL.md"));
    std::string line, name;
    while (std::getline(in, line)) {
      if (line.starts_with("```hex ")) {
        name = line.substr(7);
        m[name];
      } else if (line.starts_with("```")) {
        name.clear();
      } else if (!name.empty()) {
        std::istringstream bytes(line);
        unsigned b;
        while (bytes >> std::hex >> b) m[name].push_back(static_cast<char>(b));
      }
    }
    return m;
  }();
  return all;
}

std::string str(const base::Buffer& b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

std::string framed(uint8_t opcode, const std::string& body, bool rsv1 = false) {
  uint8_t h[kMaxHead];
  size_t n = put_head(h, opcode, true, rsv1, body.size());
  return std::string(reinterpret_cast<char*>(h), n) + body;
}
std::string packed(uint32_t flags, const TopicCode& topic, std::string_view meta, std::string_view body) {
  std::string out(message_head_room(topic, meta), '\0');
  out.resize(put_message_head(reinterpret_cast<uint8_t*>(out.data()), flags, topic, meta, body.size()));
  return out.append(body);
}

std::string said(const Talk& t, std::string_view body, const TopicCode& name = {}) {
  std::string out(talk_room(name.text.size(), t.meta), '\0');
  out.resize(put_talk(reinterpret_cast<uint8_t*>(out.data()), t, name, body.size()));
  return out.append(body);
}
Talk talk(Packet type, uint64_t number, uint32_t flags = 0) {
  Talk t;
  t.type = type;
  t.number = number;
  t.flags = flags;
  return t;
}

TEST(Protocol, EveryDumpIsWhatWeWrite) {
  std::map<std::string, std::string> ours;
  ours["frame-text"] = framed(kText, "Hello");
  {
    uint8_t h[kMaxHead], body[5];
    uint32_t key;
    std::memcpy(&key, "\x37\xfa\x21\x3d", 4);
    size_t n = put_head_masked(h, kText, true, false, 5, key);
    mask_copy(body, reinterpret_cast<const uint8_t*>("Hello"), 5, key);
    ours["frame-text-masked"] =
        std::string(reinterpret_cast<char*>(h), n) + std::string(reinterpret_cast<char*>(body), 5);
  }
  ours["frame-binary-256"] = framed(kBinary, std::string(256, 'x')).substr(0, 4);
  {
    uint8_t p[kMaxControl];
    size_t n = put_close(p, 1001, "bye");
    ours["frame-close"] = framed(kClose, std::string(reinterpret_cast<char*>(p), n));
  }
  {
    Deflator d(15, 8, false);
    base::Buffer b;
    d.compress(reinterpret_cast<const uint8_t*>("Hello"), 5, b);
    ours["frame-text-deflated"] = framed(kText, str(b), true);
  }
  {
    char b[kMaxBeat];
    ours["beat-hello"] = std::string(b, put_beat_hello(b, 10000));
  }
  {
    Hello h;
    for (int i = 0; i < 16; i++) h.uuid[i] = static_cast<uint8_t>(i);
    h.capabilities = kCanAck | kCanSubscribe | kCanDrain | kCanCall;
    h.max_message = 1 << 20;
    h.heartbeat_ms = 10000;
    h.names = 1024;
    base::Buffer b;
    put_hello(b, h);
    ours["hello"] = str(b);
  }
  {
    Hello h;
    for (int i = 0; i < 16; i++) h.uuid[i] = static_cast<uint8_t>(i);
    h.capabilities = kCanChannel;
    h.channel = "A";
    h.epoch = 3;
    base::Buffer b, event, given, all;
    put_hello(b, h);
    ours["hello-channel"] = str(b);
    EventView e;
    e.flags = kEventText;
    e.sequence = 7;
    e.name = "log";
    e.body = reinterpret_cast<const uint8_t*>("hi");
    e.size = 2;
    put_event(event, e);
    ours["event"] = str(event);
    mw_msg* m = base::message_copy("", 0, 0);
    base::message_set(m, "k", "v");
    e.flags = kRelayed;
    e.origin = h.uuid;
    e.meta = *m->meta;
    put_event(given, e);
    ours["event-given"] = str(given);
    base::unref(m);
    put_taken(all, 300);
    ours["taken"] = str(all);
  }
  {
    LanHead head{false, {}, 5, 1'700'000'000'000};
    for (uint8_t i = 0; i < 16; i++) head.sender[i] = i;
    EventView e;
    e.flags = kEventText;
    e.sequence = 7;
    e.origin = head.sender.data();
    e.name = "log";
    e.body = reinterpret_cast<const uint8_t*>("hi");
    e.size = 2;
    base::Buffer whole;
    put_lan_channel(whole, "A");
    put_event(whole, e);
    uint8_t d[kLanDatagram];
    put_lan_head(d, head);
    size_t n = kLanHead + put_lan_fragment(d + kLanHead, {3, 0, 1, whole.data(), whole.size()});
    ours["lan-message"] = std::string(reinterpret_cast<char*>(d), n);
    ++head.counter;
    put_lan_head(d, head);
    ours["lan-beat"] = std::string(reinterpret_cast<char*>(d), kLanHead);
  }
  ours["message-plain"] = packed(kTextBody, {}, "", "Hello");
  {
    mw_msg* m = base::message_copy("", 0, 0);
    base::message_set(m, "k", "vv");
    ours["message-full"] =
        packed(kWantsAck, {TopicMode::define, 3, "a/b"}, *m->meta, std::string_view("\x01\x02", 2));
    base::unref(m);
  }
  ours["message-number"] = packed(0, {TopicMode::number, 3, "a/b"}, "", "");
  ours["message-parts"] =
      packed(kTextBody | kMore, {TopicMode::text, 0, "a/b"}, "", "x") + packed(kContinued, {}, "", "y");
  {
    uint8_t b[kMaxAck];
    ours["ack"] = std::string(reinterpret_cast<char*>(b), put_ack(b, 300));
  }
  ours["call-plain"] = said(talk(Packet::call, 1, kCallText), "x", {TopicMode::text, 0, "C.m"});
  {
    mw_msg* m = base::message_copy("", 0, 0);
    base::message_set(m, "k", "vv");
    Talk t = talk(Packet::call, 2, kTimeLeft);
    t.time_left = 500;
    t.window = 4096;
    t.meta = *m->meta;
    ours["call-full"] = said(t, "", {TopicMode::define, 3, "C.m"});
    base::unref(m);
  }
  ours["call-oneway"] = said(talk(Packet::call, 3, kOneway), "", {TopicMode::number, 3, "C.m"});
  ours["reply"] = said(talk(Packet::reply, 1), "y");
  {
    Talk t = talk(Packet::reply, 2, kCallText);
    t.status = MW_ENOSERVICE;
    ours["reply-failed"] = said(t, "{}");
  }
  ours["part"] = said(talk(Packet::part, 2, kCallText), "z");
  ours["cancel"] = said(talk(Packet::cancel, 2), "");
  {
    Talk t = talk(Packet::credit, 2);
    t.window = 1000;
    ours["credit"] = said(t, "");
  }
  base::Buffer sub, res, uns, dra;
  put_subscribe(sub, {5, 1, "a/#"});
  put_result(res, {Packet::subscribe, 5, MW_EDENIED, "no"});
  put_unsubscribe(uns, {5});
  put_drain(dra, {250, 5000, ""});
  ours["subscribe"] = str(sub);
  ours["result"] = str(res);
  ours["unsubscribe"] = str(uns);
  ours["drain"] = str(dra);

  for (const auto& [name, bytes] : ours) {
    ASSERT_TRUE(dumps().contains(name)) << name;
    EXPECT_EQ(dumps().at(name), bytes) << name;
  }
  for (const auto& [name, bytes] : dumps()) EXPECT_TRUE(ours.contains(name)) << name;
}

TEST(Protocol, EveryDumpIsRead) {
  NameReader names(kMaxNames);
  Violation v;
  for (const char* name : {"hello", "message-plain", "message-full", "message-number", "message-parts", "ack",
                           "subscribe", "result", "unsubscribe", "drain", "call-plain", "call-full", "call-oneway", "reply",
                           "reply-failed", "part", "cancel", "credit", "hello-channel", "event", "event-given", "taken"}) {
    const auto& b = dumps().at(name);
    auto* p = reinterpret_cast<const uint8_t*>(b.data());
    Bytes in{p, p + b.size()};
    PacketView packet;
    int n = 0;
    for (; next_packet(in, packet, v) == PacketRead::ok; n++) {
      MessageView m;
      Hello h;
      Subscribe s;
      Unsubscribe u;
      Answered r;
      Drain d;
      TalkView t;
      EventView e;
      uint64_t through;
      switch (static_cast<Packet>(packet.type)) {
        case Packet::hello: EXPECT_TRUE(parse_hello(packet, h, v)); break;
        case Packet::message: EXPECT_TRUE(parse_message(packet, names, 100, m, v)) << v.reason; break;
        case Packet::ack: EXPECT_TRUE(parse_ack(packet, &through, v)); break;
        case Packet::subscribe: EXPECT_TRUE(parse_subscribe(packet, s, v)); break;
        case Packet::unsubscribe: EXPECT_TRUE(parse_unsubscribe(packet, u, v)); break;
        case Packet::result: EXPECT_TRUE(parse_result(packet, r, v)); break;
        case Packet::drain: EXPECT_TRUE(parse_drain(packet, d, v)); break;
        case Packet::call:
        case Packet::reply:
        case Packet::part:
        case Packet::cancel:
        case Packet::credit: EXPECT_TRUE(parse_talk(packet, names, 100, t, v)) << v.reason; break;
        case Packet::event: EXPECT_TRUE(parse_event(packet, 100, e, v)) << v.reason; break;
        case Packet::taken: EXPECT_TRUE(parse_taken(packet, &through, v)); break;
        default: FAIL();
      }
    }
    EXPECT_EQ(n, std::string(name) == "message-parts" ? 2 : 1) << name;
    EXPECT_EQ(in.left(), 0u) << name;
  }
}

// "1002, "reason"" and, where the code is always 1002, "bad("reason")".
void collect(const std::string& source, std::set<std::string>& rows) {
  for (size_t at = 0; (at = source.find('"', at)) != std::string::npos;) {
    const size_t end = source.find('"', at + 1);
    if (end == std::string::npos) break;
    const std::string text = source.substr(at + 1, end - at - 1);
    size_t from = at;
    if (from >= 2 && source.compare(from - 2, 2, ", ") == 0) {
      size_t digits = 0;
      while (from >= 3 + digits && std::isdigit(static_cast<unsigned char>(source[from - 3 - digits]))) digits++;
      const auto code = source.substr(from - 2 - digits, digits);
      if ((digits == 4 && code.starts_with("10")) || (digits == 3 && code.starts_with("4")))
        rows.insert("| " + code + " | " + text + " |");
    } else if (from >= 4 && source.compare(from - 4, 4, "bad(") == 0) {
      rows.insert("| 1002 | " + text + " |");
    }
    at = end + 1;
  }
}

TEST(Protocol, EveryReasonIsInTheTable) {
  const auto page = slurp(kRoom / "PROTOCOL.md");
  std::set<std::string> rows;
  for (const auto& room : {kRoom, kRoom / "../link"})
    for (const auto& file : fs::directory_iterator(room))
      if (file.path().extension() == ".cpp" || file.path().extension() == ".hpp") collect(slurp(file.path()), rows);
  EXPECT_GT(rows.size(), 50u);
  for (const auto& row : rows) {
    // "A text that is not UTF-8 is the packet's bad reason with 1007."
    if (row == "| 1007 | bad subscribe |" || row == "| 1007 | bad result |" || row == "| 1007 | bad drain |") continue;
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace mw::wire
