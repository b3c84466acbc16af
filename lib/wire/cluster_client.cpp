#include "wire/cluster_client.hpp"

#include "base/json.hpp"

#include <bit>
#include <cstring>

namespace mw::wire {

namespace {

constexpr std::string_view kTypes[] = {"register_channel", "register_channel_res", "subscribe",     "unSubscribe",
                                       "subscribe_result", "subscribe_result_res", "invoke",        "invoke_result",
                                       "heartbeat",        "heartbeat_res"};

uint32_t big32(const uint8_t* p) noexcept {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}
uint32_t little32(const uint8_t* p) noexcept {
  return uint32_t{p[3]} << 24 | uint32_t{p[2]} << 16 | uint32_t{p[1]} << 8 | p[0];
}
uint8_t* put_big32(uint8_t* p, uint32_t v) noexcept {
  for (int shift = 24; shift >= 0; shift -= 8) *p++ = static_cast<uint8_t>(v >> shift);
  return p;
}
uint8_t* put_little32(uint8_t* p, uint32_t v) noexcept {
  for (int shift = 0; shift < 32; shift += 8) *p++ = static_cast<uint8_t>(v >> shift);
  return p;
}

}  // namespace

HeadRead read_cluster_head(const uint8_t* p, size_t n, size_t max_app, ClusterHead& h, const char*& why) noexcept {
  auto wrong = [&why](const char* reason) {
    why = reason;
    return HeadRead::bad;
  };
  if (n > 0 && p[0] != 1) return wrong("not a packet of version 1");
  if (n > 1 && p[1] > 1) return wrong("a packet is a request or a response");
  if (n < kClusterHead) return HeadRead::more;
  h.response = p[1] == 1;
  h.id = uint64_t{big32(p + 4)} << 32 | big32(p + 8);
  h.timeout_ms = big32(p + 12);
  h.conn = big32(p + 16);
  h.app = big32(p + 20);
  if (h.id > kMaxClusterId) return wrong("the number of a packet is above 2^53");
  if (h.conn > kMaxConnObject) return wrong("connection object too large");
  if (h.app > max_app) return wrong("message too large");
  return HeadRead::ok;
}

const char* parse_conn(std::string_view json, ConnObject& out) {
  auto parsed = base::Json::parse(json, {kMaxConnObject, 32});
  if (!parsed || !parsed->root().is_object()) return "the connection object is no JSON object";
  const base::JsonValue root = parsed->root();
  const std::string_view type = root.find("type").text();
  out = {};
  out.name = type;
  for (size_t i = 0; i < std::size(kTypes); ++i)
    if (type == kTypes[i]) out.type = static_cast<ClusterType>(i);
  switch (out.type) {
    case ClusterType::register_channel:
      out.name = root.find("channelName").text();
      return out.name.empty() ? "register_channel without channelName" : nullptr;
    case ClusterType::subscribe:
    case ClusterType::unsubscribe:
    case ClusterType::subscribe_result:
      out.name = root.find("key").text();
      if (root.find("reg")) out.reg = root.find("reg").print();
      return out.name.starts_with(kKeyPrefix) ? nullptr : "a key that does not begin like one";
    case ClusterType::invoke: {
      out.name = root.find("method").text();
      const double n = root.find("argLength").number();
      if (out.name.empty()) return "invoke without method";
      if (!(n >= 0 && n <= 65535)) return "argLength is not between 0 and 65535";
      out.arguments = static_cast<uint32_t>(n);
      out.oneway = root.find("oneway").boolean();
      return nullptr;
    }
    case ClusterType::invoke_result:
      out.success = root.find("success").boolean();
      return nullptr;
    default:
      return nullptr;
  }
}

std::string print_conn(const ConnObject& c) {
  std::string out;
  base::JsonObject o(out);
  o.text("type", c.type == ClusterType::other ? std::string_view(c.name) : kTypes[static_cast<size_t>(c.type)]);
  switch (c.type) {
    case ClusterType::register_channel:
      o.text("channelName", c.name);
      break;
    case ClusterType::subscribe:
    case ClusterType::unsubscribe:
    case ClusterType::subscribe_result:
      o.text("key", c.name);
      if (!c.reg.empty()) o.raw("reg", c.reg);
      break;
    case ClusterType::invoke:
      o.text("method", c.name).number("argLength", c.arguments).boolean("oneway", c.oneway);
      break;
    case ClusterType::invoke_result:
      o.boolean("success", c.success);
      break;
    default:
      break;
  }
  o.end();
  return out;
}

void put_cluster(base::Buffer& out, bool response, uint64_t id, uint32_t timeout_ms, std::string_view conn,
                 const void* app, size_t n) {
  uint8_t head[kClusterHead] = {1, static_cast<uint8_t>(response ? 1 : 0), 0, 0};
  uint8_t* p = put_big32(head + 4, static_cast<uint32_t>(id >> 32));
  p = put_big32(p, static_cast<uint32_t>(id));
  p = put_big32(p, timeout_ms);
  p = put_big32(p, static_cast<uint32_t>(conn.size()));
  put_big32(p, static_cast<uint32_t>(n));
  out.room(sizeof head + conn.size() + n);
  out.append(head, sizeof head);
  out.append(conn.data(), conn.size());
  out.append(app, n);
}

bool swap_parts(const uint8_t* p, size_t n, bool big_endian, base::Buffer& out, uint32_t* count) {
  uint8_t* to = out.room(n);
  const uint8_t* const end = p + n;
  *count = 0;
  while (p != end) {
    if (end - p < 4) return false;
    const uint32_t len = big_endian ? big32(p) : little32(p);
    p += 4;
    if (len > static_cast<size_t>(end - p)) return false;
    to = big_endian ? put_little32(to, len) : put_big32(to, len);
    if (len != 0) std::memcpy(to, p, len);
    to += len;
    p += len;
    ++*count;
  }
  out.wrote(n);
  return true;
}

}  // namespace mw::wire
