#include "wire/netcluster.hpp"

#include "base/json_scan.hpp"
#include "wire/event.hpp"

#include <cstring>

namespace mw::wire {

namespace {

constexpr size_t kDepth = 512;  // levels of the application's data

base::Error no(const std::string& why) { return {MW_EPROTO, 0, "not a netcluster packet: " + why}; }

// A text as it stands in the JSON. False: not one, or too long.
bool text_of(std::string_view json, size_t max, std::string& out) {
  if (json.size() < 2 || json[0] != '"' || json.size() > 6 * max + 2) return false;
  if (json.find('\\') == json.npos) {
    out = json.substr(1, json.size() - 2);
  } else {
    auto parsed = base::Json::parse(json);
    if (!parsed) return false;  // \u0000, or half of a surrogate pair
    out = parsed->root().text();
  }
  return out.size() <= max;
}

}  // namespace

NetclusterCut cut_netcluster(const uint8_t* p, size_t n, size_t looked, size_t max_frame) noexcept {
  const void* end = n > looked ? std::memchr(p + looked, 0, n - looked) : nullptr;
  const size_t size = end != nullptr ? static_cast<size_t>(static_cast<const uint8_t*>(end) - p) : n;
  if (size > max_frame) return {NetclusterCut::Is::too_long, size};
  return {end != nullptr ? NetclusterCut::Is::frame : NetclusterCut::Is::part, size};
}

base::Result<NetclusterEvent> parse_netcluster(std::string_view frame) {
  std::string_view emitter, channel, event, data = "null", broadcast;
  std::string why = base::json_members(frame, {frame.size(), kDepth}, [&](std::string_view key, std::string_view value) {
    if (key == "\"emmiteruuid\"") emitter = value;
    else if (key == "\"channel\"") channel = value;
    else if (key == "\"event\"") event = value;
    else if (key == "\"data\"") data = value;
    else if (key == "\"broadcast\"") broadcast = value;
  });
  if (!why.empty()) return no(why);
  NetclusterEvent e;
  if (!text_of(channel, kMaxNetclusterName, e.channel)) return no("channel is no text of at most 255 bytes");
  if (!text_of(event, kMaxEventName, e.event) || e.event.empty()) return no("event is no text of 1 to 1024 bytes");
  if (!emitter.empty() && emitter != "null" && !text_of(emitter, kMaxNetclusterName, e.emitter))
    return no("emmiteruuid is no text of at most 255 bytes");
  e.data = data;
  e.broadcast = broadcast == "true";
  return e;
}

std::string check_netcluster_data(std::string_view json) { return base::json_scan(json, {json.size(), kDepth}, false); }

void put_netcluster(std::string& out, const NetclusterEvent& e) {
  base::JsonObject o(out);
  o.text("emmiteruuid", e.emitter).text("channel", e.channel).boolean("broadcast", e.broadcast);
  o.text("event", e.event).raw("data", e.data);
  o.end();
  out += '\0';
}

}  // namespace mw::wire
