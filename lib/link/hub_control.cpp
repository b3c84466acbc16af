// The channel control: members ask the hub for its configuration, give it
// another one, and ask who is there. The answer goes to who asked, alone.
#include "base/json.hpp"
#include "link/hub.hpp"

#include <algorithm>

namespace mw::link {

using base::Error;
using base::Opt;

namespace {

constexpr std::string_view kPrefix = "nc-control-";

std::string error_answer(const Error& e) {
  std::string out;
  base::JsonObject o(out);
  o.text("error", e.text.empty() ? mw_status_text(e.code) : e.text);
  o.end();
  return out;
}

}  // namespace

base::Result<void> Hub::control_kept(const base::Conf& conf, const HubPlan& plan) {
  if (!conf.has(Opt::control_enabled) || !answers(conf) || plan.contains(kControl)) return {};
  return Error{MW_EOPTION, 0, "control.enabled: channels must name the channel control, too: {\"control\":{}}"};
}

void Hub::control(Exchange& e, Seat& s, const wire::EventView& v) {
  if (!v.name.starts_with(kPrefix)) return;
  const std::string_view command = v.name.substr(kPrefix.size());
  const std::string_view body(reinterpret_cast<const char*>(v.body), v.size);
  auto text_of = [&](const char* key, std::string& out) {  // a text, or one of the object's
    auto json = base::Json::parse(body);
    base::JsonValue value = json ? json->root() : base::JsonValue();
    if (value.is_object()) value = value.find(key);
    out = value.text();
  };
  auto say = [&](std::string_view json) { e.tell(s, uuid_, ++said_, std::string(v.name) + "-response", json); };
  if (command == "showconfig") {
    say(conf()->dump());
  } else if (command == "reloadconfig") {
    reload(body, s.uuid);
  } else if (command == "showchannel") {
    std::string channel;
    text_of("channel", channel);
    auto found = members(channel, {});
    if (!found) return say(error_answer(found.error()));
    std::vector<std::string> names;
    for (const Seat* m : *found) names.push_back(uuid_text(m->uuid));
    say(base::json_texts(names));
  } else if (command == "showclient") {
    std::string channel, client;
    text_of("channel", channel);
    text_of("client", client);
    if (client.empty()) return say(error_answer({MW_EINVAL, 0, "write {\"channel\":NAME,\"client\":UUID}"}));
    auto found = members(channel, client);
    say(found ? facts_of(*found->front()) : error_answer(found.error()));
  }
}

// All or nothing. What is not live must be as it is.
void Hub::reload(std::string_view json, const Uuid& asker) {
  auto told = [this, asker](const Error& why) {
    reply(asker, "reloadconfig", why.code == MW_OK ? "\"done\"" : error_answer(why));
  };
  base::Conf change(MW_CONF_HUB);
  if (auto r = change.load(json); !r) return told(r.error());
  auto next = conf()->updated(change);
  if (!next) return told(next.error());
  if (auto plan = hub_plan((*next)->text(Opt::channels)); plan && !plan->contains(kControl))
    return told({MW_EOPTION, 0, "channels: the channel control must stay, over which this came"});
  if (auto r = change_to(*next, told); !r) told(r.error());
}

void Hub::reply(const Uuid& asker, std::string_view command, std::string_view json) {
  auto found = members(kControl, uuid_text(asker));
  if (!found) return;  // it has left, or the channel has
  Seat& s = *found->front();
  s.exchange.tell(s, uuid_, ++said_, std::string(kPrefix) + std::string(command) + "-response", json);
}

base::Result<std::vector<Seat*>> Hub::members(std::string_view channel, std::string_view uuid) const {
  auto it = channels_.find(channel);
  if (it == channels_.end()) return Error{MW_EINVAL, 0, "no channel is called " + std::string(channel)};
  std::vector<Seat*> found;
  for (Seat* s : it->second.exchange->seats())
    if (s->joined && (uuid.empty() || uuid_text(s->uuid) == uuid)) found.push_back(s);
  if (found.empty() && !uuid.empty())
    return Error{MW_EINVAL, 0, "channel " + std::string(channel) + " has no member " + std::string(uuid)};
  return found;
}

std::string Hub::facts_of(const Seat& s) {
  std::string out;
  base::JsonObject o(out);
  o.text("uuid", uuid_text(s.uuid)).number("pid", s.pid).number("peer", static_cast<int64_t>(s.handle));
  if (!s.emitter.empty()) o.text("emitter", s.emitter);
  o.number("messages_in", static_cast<int64_t>(s.session.stats.messages_in.load()));
  o.number("messages_out", static_cast<int64_t>(s.session.stats.messages_out.load()));
  o.number("dropped", s.session.stats.dropped.load()).number("queued", s.session.queued());
  o.end();
  return out;
}

}  // namespace mw::link
