#include "wire/cluster_bridge.hpp"

#include "base/json.hpp"
#include "base/status.hpp"
#include "wire/call.hpp"
#include "wire/close.hpp"
#include "wire/serialize_json.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mw::wire {

namespace {

constexpr std::string_view kMethods = "share.";  // the service that takes all calls
constexpr size_t kMaxBases = 1024;

std::string_view text_of(const void* p, size_t n) noexcept { return {static_cast<const char*>(p), n}; }

// A topic tells the registration as JSON, and the key too where it is not that.
std::string topic_of(std::string_view name, std::string_view reg) {
  auto key = base::Json::parse(name, {kMaxConnObject, 32});
  if (reg.empty() || (key && key->root().print() == reg)) return std::string(name);
  return std::string(reg).append("\n").append(name);
}

}  // namespace

ClusterBridge::ClusterBridge(End end, ClusterRules rules, const uint8_t uuid[16]) : end_(end), rules_(std::move(rules)) {
  std::memcpy(uuid_, uuid, sizeof uuid_);
  if (end_ == End::leader) own_hello();
}

bool ClusterBridge::over(std::string_view why) {
  failed_ = true;
  why_ = why;
  return false;
}

void ClusterBridge::note(std::string line) {
  if (notes.size() < kMaxNotes) notes.push_back(std::move(line));
}

// ---- the side of cluster-client

bool ClusterBridge::from_cluster(const uint8_t* p, size_t n) {
  if (failed_) return false;
  cluster_in_.append(p, n);
  active_ = true;
  if (pinged_) {
    pinged_ = false;
    own_frame(kPong, ping_.data(), ping_.size());
  }
  for (;;) {
    ClusterHead h;
    const char* why = nullptr;
    switch (read_cluster_head(cluster_in_.data(), cluster_in_.size(), rules_.max_message, h, why)) {
      case HeadRead::bad: return over(why);
      case HeadRead::more: return true;
      case HeadRead::ok: break;
    }
    if (cluster_in_.size() < h.size()) return true;
    const uint8_t* conn = cluster_in_.data() + kClusterHead;
    ConnObject c;
    if (const char* no = parse_conn(text_of(conn, h.conn), c)) return over(no);
    if (!cluster_packet(h, c, conn + h.conn)) return false;
    cluster_in_.consume(h.size());
  }
}

bool ClusterBridge::cluster_packet(const ClusterHead& h, const ConnObject& c, const uint8_t* app) {
  return end_ == End::leader ? asked(h, c, app) : told(h, c, app);
}

void ClusterBridge::say(bool response, uint64_t id, const ConnObject& c, const void* app, size_t n) {
  put_cluster(to_cluster, response, id, rules_.timeout_ms, print_conn(c), app, n);
}

std::string ClusterBridge::encoded(std::string_view json) const {
  if (rules_.json) return std::string(json);
  auto v = base::Json::parse(json);
  return serialize_json(v ? v->root() : base::JsonValue());
}

// ---- our own side

void ClusterBridge::own_frame(Opcode op, const void* p, size_t n) {
  // A client masks (RFC 6455 5.3); between two ends of one process with nothing.
  uint8_t head[kMaxHead];
  const size_t h = end_ == End::leader ? put_head_masked(head, op, true, false, n, 0) : put_head(head, op, true, false, n);
  to_own.append(head, h);
  to_own.append(p, n);
}

void ClusterBridge::own_hello() {
  Hello h;
  std::memcpy(h.uuid, uuid_, sizeof uuid_);
  h.capabilities = kCanSubscribe | kCanCall;
  h.max_message = rules_.max_message;
  base::Buffer out;
  put_hello(out, h);
  own(out);
}

void ClusterBridge::own_message(std::string_view topic, const void* p, size_t n, bool text) {
  const TopicCode name{TopicMode::text, 0, topic};
  base::Buffer out;
  uint8_t* at = out.room(message_head_room(name, {}) + n);
  const size_t head = put_message_head(at, text ? uint32_t{kTextBody} : 0, name, {}, n);
  if (n != 0) std::memcpy(at + head, p, n);
  out.wrote(head + n);
  own(out);
}

bool ClusterBridge::from_own(const uint8_t* p, size_t n) {
  if (failed_) return false;
  own_in_.append(p, n);
  const bool masked = end_ == End::follower;
  for (;;) {
    Head h;
    Violation v;
    switch (read_head(own_in_.data(), own_in_.size(), masked, false, h, v)) {
      case HeadStatus::bad: return over(v.reason);
      case HeadStatus::more: return true;
      case HeadStatus::ok: break;
    }
    if (!h.fin || h.length > rules_.max_message + kMaxOverhead) return over("a frame of our own that is none");
    if (own_in_.size() - h.size < h.length) return true;
    uint8_t* payload = own_in_.data() + h.size;
    if (masked) mask(payload, h.length, h.key);
    if (!own_frame(h, payload)) return false;
    own_in_.consume(h.size + static_cast<size_t>(h.length));
  }
}

bool ClusterBridge::own_frame(const Head& h, const uint8_t* payload) {
  const std::string_view body = text_of(payload, h.length);
  switch (h.opcode) {
    case kBinary: {
      Bytes in{payload, payload + h.length};
      PacketView packet;
      Violation v;
      for (;;) {
        switch (next_packet(in, packet, v)) {
          case PacketRead::end: return true;
          case PacketRead::bad: return over(v.reason);
          case PacketRead::ok: break;
        }
        if (!own_packet(packet)) return false;
      }
    }
    case kPing:
      if (end_ == End::follower) {  // the leader is asked; its answer is the answer
        beat_ = ++next_id_ * 2 + 1;
        beat_ping_ = body;
        ConnObject c;
        c.type = ClusterType::heartbeat;
        say(false, beat_, c);
      } else if (std::exchange(active_, false)) {
        own_frame(kPong, body.data(), body.size());
      } else {  // answered when it says something
        ping_ = body;
        pinged_ = true;
      }
      return true;
    case kPong: {  // answers the follower's heartbeat, whose number it carries
      uint64_t id = 0;
      if (h.length == sizeof id) std::memcpy(&id, payload, sizeof id);
      ConnObject c;
      c.type = ClusterType::heartbeat_res;
      if (end_ == End::leader && h.length == sizeof id) say(true, id, c);
      return true;
    }
    case kClose:
      own_frame(kClose, payload, h.length);
      return over({});
    default:
      return over("a frame of our own that is none");
  }
}

bool ClusterBridge::own_packet(const PacketView& packet) {
  Violation v;
  NameReader no_names(0);
  const auto type = static_cast<Packet>(packet.type);
  if (!greeted_ && type != Packet::hello) return over("hello expected");
  switch (type) {
    case Packet::hello: {
      Hello h;
      greeted_ = true;
      return parse_hello(packet, h, v) || over(v.reason);
    }
    case Packet::message: {
      MessageView m;
      if (!parse_message(packet, no_names, rules_.max_message, m, v)) return over(v.reason);
      if (end_ == End::leader) value(m.topic, m);
      return true;
    }
    case Packet::call:
    case Packet::reply:
    case Packet::part: {
      TalkView t;
      if (!parse_talk(packet, no_names, rules_.max_message, t, v)) return over(v.reason);
      if (end_ == End::leader)
        answered(t);
      else if (t.type == Packet::call)
        call(t);
      return true;
    }
    case Packet::subscribe: {
      Subscribe s;
      if (!parse_subscribe(packet, s, v)) return over(v.reason);
      if (end_ == End::follower) subscribe(s);
      return true;
    }
    case Packet::unsubscribe: {
      Unsubscribe u;
      if (!parse_unsubscribe(packet, u, v)) return over(v.reason);
      if (end_ == End::follower) unsubscribe(u.number);
      return true;
    }
    case Packet::result: {
      Answered a;
      if (!parse_result(packet, a, v)) return over(v.reason);
      if (a.status < 0) note("a follower's subscription was refused: " + std::string(a.text));
      return true;
    }
    default:  // a cancel, a credit: nobody to tell
      return true;
  }
}

// ---- the leader's end: what a follower asks

bool ClusterBridge::asked(const ClusterHead& h, const ConnObject& c, const uint8_t* app) {
  if (h.response) return true;  // subscribe_result_res
  switch (c.type) {
    case ClusterType::register_channel: {
      if (c.name != rules_.name) return over("a second channel on one connection");
      if (knocks_.size() == kMaxKeys) return over("too many registrations");
      knocks_.push_back(h);
      if (let_in_) value("!", {});
      return true;
    }
    case ClusterType::subscribe:
      wanted(c);
      return true;
    case ClusterType::unsubscribe:
      unwanted(c);
      return true;
    case ClusterType::invoke:
      invoked(h, c, app);
      return true;
    case ClusterType::heartbeat:  // answered by the lane that serves, not by us
      own_frame(kPing, &h.id, sizeof h.id);
      return true;
    default:
      note("ClusterRequestTypeError: unsupported type: " + c.name);
      return true;
  }
}

void ClusterBridge::wanted(const ConnObject& c) {
  const std::string_view name = std::string_view(c.name).substr(kKeyPrefix.size());
  if (topics_.contains(name)) return;
  Key k{std::string(name), c.reg, ++next_number_};
  std::string topic = "=" + topic_of(name, c.reg);
  if (topic.size() > kMaxPattern || keys_.size() == kMaxKeys)
    return note("a key was not subscribed: it is longer than 1,023 bytes, or the follower has 10,000");
  topics_.emplace(name, topic);
  base::Buffer out;
  put_subscribe(out, {k.number, 0, topic});
  own(out);
  keys_.emplace(std::move(topic), std::move(k));
}

void ClusterBridge::unwanted(const ConnObject& c) {
  auto at = topics_.find(std::string_view(c.name).substr(kKeyPrefix.size()));
  if (at == topics_.end()) return;
  auto key = keys_.find(at->second);
  base::Buffer out;
  put_unsubscribe(out, {key->second.number});
  own(out);
  keys_.erase(key);
  topics_.erase(at);
}

// Numbers of calls rise for ever, those of packets begin again at 2^30.
uint64_t ClusterBridge::number_of(uint64_t id) {
  if (bases_.empty() || bases_.back().second + id + 1 <= last_number_) {
    if (bases_.size() == kMaxBases) bases_.pop_front();
    bases_.emplace_back(last_number_ + 1, last_number_);
  }
  return last_number_ = bases_.back().second + id + 1;
}

uint64_t ClusterBridge::id_of(uint64_t number) const {
  for (auto b = bases_.rbegin(); b != bases_.rend(); ++b)
    if (number >= b->first) return number - b->second - 1;
  return 0;
}

void ClusterBridge::invoked(const ClusterHead& h, const ConnObject& c, const uint8_t* app) {
  auto refuse = [&](const char* why) {
    if (c.oneway) return note("a call was left out: " + std::string(why));
    std::string json;
    base::JsonObject o(json);
    o.text("message", why);
    o.end();
    say_failed(h.id, json);
  };
  if (c.name.size() > kMaxMethod) return refuse("the name of the method is longer than 249 bytes");
  base::Buffer parts;
  uint32_t count = 0;
  if (!swap_parts(app, h.app, true, parts, &count) || count != c.arguments) return refuse("the arguments are not those of argLength");
  TalkView t;
  t.type = Packet::call;
  t.flags = kPartsBody | (c.oneway ? uint32_t{kOneway} : 0);
  if (h.timeout_ms != 0 && !c.oneway) {
    t.flags |= kTimeLeft;
    t.time_left = h.timeout_ms;
  }
  const std::string method = std::string(kMethods) + c.name;
  t.number = number_of(h.id);
  base::Buffer out;
  uint8_t* at = out.room(talk_room(method.size(), {}) + parts.size());
  const size_t n = put_talk(at, t, {TopicMode::text, 0, method}, parts.size());
  if (!parts.empty()) std::memcpy(at + n, parts.data(), parts.size());
  out.wrote(n + parts.size());
  own(out);
}

void ClusterBridge::answered(const TalkView& t) {
  const uint64_t id = id_of(t.number);
  if (t.type == Packet::part) return note("an answer of several parts cannot be told to a follower on this wire");
  if (t.status < 0) {
    std::string json;
    auto given = base::Json::parse(text_of(t.body, t.size));
    base::JsonObject o(json);
    bool named = false, coded = false;
    if (given && given->root().is_object())
      given->root().each([&](std::string_view key, base::JsonValue v) {
        named |= key == "name";
        coded |= key == "code";
        o.raw(key, v.print());
        return true;
      });
    else
      o.text("message", base::status_text(t.status));
    if (!named) o.text("name", "Error");
    if (!coded && t.status != MW_EREMOTE) o.text("code", base::status_name(t.status));
    o.end();
    return say_failed(id, json);
  }
  ConnObject c;
  c.type = ClusterType::invoke_result;
  c.success = true;
  say(true, id, c, t.body, t.size);
}

void ClusterBridge::say_failed(uint64_t id, std::string_view json) {
  ConnObject c;
  c.type = ClusterType::invoke_result;
  const std::string app = encoded(json);
  say(true, id, c, app.data(), app.size());
}

// What the leader publishes; its epoch means that it serves.
void ClusterBridge::value(std::string_view topic, const MessageView& m) {
  if (topic == "!") {
    let_in_ = true;
    ConnObject c;
    c.type = ClusterType::register_channel_res;
    const std::string app = encoded("{\"success\":true}");
    for (const ClusterHead& k : std::exchange(knocks_, {})) say(true, k.id, c, app.data(), app.size());
    return;
  }
  if (topic.empty()) return;
  auto at = keys_.find(std::string("=").append(topic.substr(1)));
  if (at == keys_.end()) return;
  ConnObject c;
  c.type = ClusterType::subscribe_result;
  c.name = std::string(kKeyPrefix) + at->second.name;
  say(false, ++next_id_, c, m.body, m.size);
}

// ---- a follower's end: what the leader says

void ClusterBridge::ask_in() {
  ConnObject c;
  c.type = ClusterType::register_channel;
  c.name = rules_.name;
  say(false, ++next_id_ * 2 + 1, c);
}

bool ClusterBridge::told(const ClusterHead& h, const ConnObject& c, const uint8_t* app) {
  switch (c.type) {
    case ClusterType::register_channel_res: {
      if (let_in_) return true;
      std::string json(text_of(app, h.app));
      if (!rules_.json) {
        auto v = deserialize_json(json);
        if (!v) return over("the leader's transcode is another one: " + v.error().text);
        json = std::move(*v);
      }
      auto v = base::Json::parse(json);
      if (!v) return over("the leader's transcode is another one");
      if (!v->root().find("success").boolean())
        return over(std::string("the leader refuses: ").append(v->root().find("error").find("message").text()));
      let_in_ = true;
      own_hello();
      own_message("!", "1", 1, true);
      return true;
    }
    case ClusterType::subscribe_result: {
      ConnObject res;
      res.type = ClusterType::subscribe_result_res;
      say(true, h.id, res);
      if (auto at = topics_.find(std::string_view(c.name).substr(kKeyPrefix.size())); at != topics_.end())
        own_message(at->second, app, h.app, false);
      return true;
    }
    case ClusterType::invoke_result: {
      if (!h.response || (h.id & 1) != 0) return true;
      Talk t;
      t.type = Packet::reply;
      t.number = h.id / 2;
      std::string failure;
      if (!c.success) {
        t.status = MW_EREMOTE;
        t.flags = kCallText;
        auto json = rules_.json ? base::Result<std::string>(std::string(text_of(app, h.app))) : deserialize_json(text_of(app, h.app));
        failure = json ? *json : "{\"message\":\"the leader failed, in an encoding that is not ours\"}";
      }
      const void* body = c.success ? static_cast<const void*>(app) : failure.data();
      const size_t size = c.success ? h.app : failure.size();
      base::Buffer out;
      uint8_t* at = out.room(talk_room(0, {}) + size);
      const size_t n = put_talk(at, t, {}, size);
      if (size != 0) std::memcpy(at + n, body, size);
      out.wrote(n + size);
      own(out);
      return true;
    }
    case ClusterType::heartbeat_res:
      if (h.id == beat_) own_frame(kPong, beat_ping_.data(), beat_ping_.size());
      return true;
    default:
      note("ClusterRequestTypeError: unsupported type: " + c.name);
      return true;
  }
}

void ClusterBridge::call(const TalkView& t) {
  ConnObject c;
  c.type = ClusterType::invoke;
  c.name = t.method.substr(t.method.starts_with(kMethods) ? kMethods.size() : 0);
  c.oneway = (t.flags & kOneway) != 0;
  base::Buffer arguments;
  if (t.flags & kPartsBody) {
    if (!swap_parts(t.body, t.size, false, arguments, &c.arguments)) {
      if (c.oneway) return note("a call was left out: its body is no list of parts");
      Talk no;
      no.type = Packet::reply;
      no.number = t.number;
      no.status = MW_EINVAL;
      base::Buffer out;
      out.wrote(put_talk(out.room(talk_room(0, {})), no, {}, 0));
      return own(out);
    }
  } else if (t.size != 0) {  // one argument
    uint8_t* at = arguments.room(4 + t.size);
    for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(t.size >> (24 - 8 * i));
    std::memcpy(at + 4, t.body, t.size);
    arguments.wrote(4 + t.size);
    c.arguments = 1;
  }
  const uint64_t ms = (t.flags & kTimeLeft) != 0 ? t.time_left : rules_.timeout_ms;
  put_cluster(to_cluster, false, t.number * 2, static_cast<uint32_t>(std::min<uint64_t>(ms, INT32_MAX)), print_conn(c),
              arguments.data(), arguments.size());
}

void ClusterBridge::subscribe(const Subscribe& s) {
  const std::string_view topic = s.pattern;
  const std::string_view text = topic.substr(1);
  const size_t line = text.find('\n');
  Key k;
  k.reg = text.substr(0, line);
  k.name = line == std::string_view::npos ? text : text.substr(line + 1);
  k.number = s.number;
  base::Buffer out;
  put_result(out, {Packet::subscribe, s.number, MW_OK, {}});
  own(out);
  ConnObject c;
  c.type = ClusterType::subscribe;
  c.name = std::string(kKeyPrefix) + k.name;
  c.reg = k.reg;
  say(false, ++next_id_ * 2 + 1, c);
  topics_.insert_or_assign(k.name, std::string(topic));
  keys_.insert_or_assign(std::string(topic), std::move(k));
}

void ClusterBridge::unsubscribe(uint64_t number) {
  base::Buffer out;
  put_result(out, {Packet::unsubscribe, number, MW_OK, {}});
  own(out);
  for (auto at = keys_.begin(); at != keys_.end(); ++at) {
    if (at->second.number != number) continue;
    ConnObject c;
    c.type = ClusterType::unsubscribe;
    c.name = std::string(kKeyPrefix) + at->second.name;
    c.reg = at->second.reg;
    say(false, ++next_id_ * 2 + 1, c);
    topics_.erase(at->second.name);
    keys_.erase(at);
    return;
  }
}

}  // namespace mw::wire
