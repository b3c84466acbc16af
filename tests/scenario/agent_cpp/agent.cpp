// The C++ agent of the scenario table: carries out lines from stdin with the
// classes of meshwork.hpp. ../README.md has the protocol.
//
//   scenario_agent_cpp run|inline|dispatch|turn
//
// run: another thread runs the context (threads=0). inline: library threads
// make the callbacks. dispatch, turn: this thread polls fd() and runs it.
#include "protocol.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace {

// What a name stands for: an object, or a peer or question of one.
struct Named {
  mw_handle id = 0;
  std::string object;
  mw::Provider* provider = nullptr;
  mw::Consumer* consumer = nullptr;
  mw::Service* service = nullptr;
  mw::Channel* channel = nullptr;
  mw::Hub* hub = nullptr;
  mw::Share* share = nullptr;
  mw::Election* election = nullptr;
  mw::Node* node = nullptr;
  mw::Manager* manager = nullptr;

  mw::Endpoint* endpoint() const {
    if (provider != nullptr) return provider;
    if (consumer != nullptr) return consumer;
    if (channel != nullptr) return channel;
    if (share != nullptr) return share;
    if (election != nullptr) return election;
    if (node != nullptr) return node;
    if (manager != nullptr) return manager;
    return hub;
  }
};
using Hook = std::array<std::string, 3>;  // object, kind, line

std::string door;
std::optional<mw::Context> ctx;
std::deque<mw::Provider> providers;
std::deque<mw::Consumer> consumers;
std::deque<mw::Service> services;
std::deque<mw::Channel> channels;
std::deque<mw::Hub> hubs;
std::deque<mw::Share> shares;
std::deque<mw::Election> elections;
std::deque<mw::Node> nodes;
std::deque<mw::Manager> managers;
std::thread turner;
std::atomic<bool> over{false};
std::ptrdiff_t threads_before = 0;

std::mutex lock;  // of what follows
std::map<std::string, Named> names;
std::map<std::string, uint64_t> starts;  // object and op -> number for cancel()
std::vector<Hook> hooks;

// ---- Events -------------------------------------------------------------------

std::string carry(const std::string& line, const mw::Event* inside);

// The next free name of a peer or a question: "p.1", "p.ask2".
std::string number(const std::string& object, const char* infix, mw_handle id) {
  std::lock_guard guard(lock);
  const Named& of = names[object];
  for (int n = 1;; ++n) {
    const std::string name = object + "." + infix + std::to_string(n);
    if (names.try_emplace(name, Named{id, object, of.provider, of.consumer, of.service, of.channel, of.hub}).second) return name;
  }
}

std::string name_of(mw_handle id) {
  std::lock_guard guard(lock);
  for (const auto& [name, named] : names)
    if (named.id == id) return name;
  return "#" + std::to_string(id);
}

void tell(const std::string& object, const mw::Event& e, const std::string& id) {
  const std::string kind = kind_name(e.kind());
  char flags[160];
  flags_text(e.flags() & ~uint32_t{MW_F_REF}, flags, sizeof flags);
  std::string line = "! " + object + " " + kind, hook;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) line += std::string(" ") + key + "=" + value;
  };
  add("status", e.status() != 0 ? answer(e.status()) : "");
  add("code", e.code() != 0 ? std::to_string(e.code()) : "");
  add("id", id);
  add("peer", e.peer() ? name_of(e.peer().id()) : "");
  add("flags", flags);
  add("topic", show(e.topic()));
  add("meta", show(e.meta()));
  add("body", show(e.text(), kind == "MESSAGE" || kind == "DROPPED" || kind == "REQUEST" || kind == "PART" ? 512 : SIZE_MAX));
  say(line);

  {
    std::lock_guard guard(lock);
    for (const Hook& h : hooks)
      if (hook.empty() && h[0] == object && h[1] == kind) hook = h[2];
  }
  if (hook.empty()) return;
  const std::string result = carry(hook, &e);
  const auto first = [](const std::string& s) { return s.substr(0, s.find(' ')); };
  say("! " + object + " HOOK verb=" + first(hook) + " status=" + first(result));
}

auto listener(std::string object) {
  return [object = std::move(object)](const mw::Event& e) {
    std::string id = e.id() != 0 ? std::to_string(e.id()) : "";
    if (e.kind() == MW_EVENT_PEER_UP) number(object, "", e.peer().id());
    if (e.kind() == MW_EVENT_ASK) id = number(object, "ask", e.ask().id());
    if (e.kind() == MW_EVENT_REQUEST && e.id() != 0) id = number(object, "r", e.id());
    if (e.kind() == MW_EVENT_CANCEL || (e.kind() == MW_EVENT_WRITABLE && e.id() != 0)) id = name_of(e.id());
    if (e.kind() == MW_EVENT_CLOSED) id = object;
    tell(object, e, id);
    if (e.kind() == MW_EVENT_CLOSED && object == "ctx") {
      over = true;
      over.notify_all();
    }
  };
}

// A verb with an op ends in that DONE; without one nobody waits for it.
mw::Completion done(const Line& l, const std::string& object) {
  if (l.number("op") == 0) return {};
  return [op = l.get("op"), object](mw_status, const mw::Event& e) { tell(object, e, op); };
}

// ---- The door -----------------------------------------------------------------

bool turned_here() { return door == "dispatch" || door == "turn"; }

auto count(const char* folder) { return std::distance(std::filesystem::directory_iterator(folder), {}); }

mw::Conf conf(const Line& l, int32_t kind, std::string_view own = {}) {
  mw::Conf c(kind);
  for (const word& a : l.args())
    if (own.find(" " + std::string(a.key) + " ") == own.npos) c.set(a.key, {a.val, a.len});
  return c;
}

std::string open(const Line& l) {
  mw::Conf c = conf(l, MW_CONF_CTX);
  if (door == "run" || door == "turn") c.set("threads", "0");
  if (door == "inline") c.set("delivery", "inline");
  threads_before = count("/proc/self/task");
  over = false;
  ctx.emplace(c);
  ctx->on_event(listener("ctx"));
  ctx->on_exception([](std::exception_ptr) { say("! agent FAULT status=EXCEPTION"); });
  names["ctx"] = {ctx->id(), "ctx"};
  if (door == "run") turner = std::thread([] { while (ctx->run()) continue; });
  return "OK";
}

std::string end() {
  ctx->close();
  while (turned_here() && ctx->run()) continue;
  over.wait(false);
  if (turner.joinable()) turner.join();
  const mw_status joined = ctx->join(5000);
  services.clear();
  hubs.clear();
  channels.clear();
  consumers.clear();
  shares.clear();
  elections.clear();
  nodes.clear();
  managers.clear();
  providers.clear();
  ctx.reset();
  names.clear(), starts.clear(), hooks.clear();
  // A joined thread stands in /proc a moment longer than in the process.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (count("/proc/self/task") > threads_before && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  return answer(joined) + " fds=" + std::to_string(count("/proc/self/fd") - 1) +
         " threads=" + std::to_string(count("/proc/self/task"));
}

// ---- Verbs --------------------------------------------------------------------

Named find(const std::string& name, const mw::Event* inside) {
  if (inside != nullptr && name == "$peer") return {inside->peer().id(), {}};
  if (inside != nullptr && name == "$id") return {inside->id(), {}};
  if (name.starts_with('#')) return {std::strtoull(name.c_str() + 1, nullptr, 10), {}};
  std::lock_guard guard(lock);
  const auto it = names.find(name);
  return it == names.end() ? Named{} : it->second;
}

template <class Party>
std::string name_it(const Line& l, Party& p, Party* Named::*what) {
  p.on_event(listener(l.name()));
  std::lock_guard guard(lock);
  (names[l.name()] = {p.id(), l.name()}).*what = &p;
  return "OK";
}

template <class Party>
std::string add(const Line& l, int32_t kind, std::deque<Party>& all, Party* Named::*what) {
  return name_it(l, all.emplace_back(*ctx, conf(l, kind, " ctx ")), what);
}

std::string on_endpoint(mw::Endpoint& it, const Line& l) {
  std::lock_guard guard(lock);
  const std::string start = l.name() + " " + l.get("op");
  if (l.verb() == "drain") it.drain(l.number("ms", 5000), done(l, l.name()));
  if (l.verb() == "update") it.update(conf(l, conf_kind_of(l.get("kind").c_str()), " op kind "), done(l, l.name()));
  if (l.verb() == "start") starts[start] = it.start(done(l, l.name()));
  return l.verb() == "cancel" ? answer(it.cancel(starts[start])) : "OK";
}

mw::Message message(const Line& l, std::string_view body) {
  mw::Message m(body, l.flags() & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS));
  for (const word& a : l.args())
    if (std::string_view(a.key).starts_with("meta.")) m.header(a.key + 5, {a.val, a.len});
  return m;
}

std::string on_channel(mw::Channel& it, const Line& l) {
  const std::string pattern = l.get("pattern");
  const mw::Completion then = done(l, l.name());
  if (l.verb() == "subscribed") return answer_value(MW_OK, it.subscribed(l.get("topic")));
  if (l.verb() == "unsubscribe") return answer(it.unsubscribe(pattern, then));
  if (l.verb() == "subscribe") {
    const mw::Conf sub = conf(l, MW_CONF_SUB, " pattern as op ");
    return it.subscribe(pattern, &sub, then), "OK";
  }
  if (l.verb() != "publish") return "ENOTSUP error=not%20expressed";
  return answer(it.publish(l.get("topic"), message(l, l.get("body")), then, l.flags()));
}

std::string on_link(const Named& to, const Line& l, const mw::Event* inside) {
  const mw::Peer peer(to.id);
  const uint32_t flags = l.flags();
  const std::string pattern = l.get("pattern"), given = l.get("body");
  const std::string_view body = inside != nullptr && given == "$body" ? inside->text() : given;
  const mw::Completion then = done(l, to.object);
  if (l.verb() == "bytes") return answer(peer.send(body, flags));
  if (l.verb() == "subscribed") return answer_value(MW_OK, peer.subscribed(l.get("topic")));
  if (l.verb() == "wrap") {
    static const std::string lent = "lent bytes";
    const std::string released = "! ctx RELEASED id=" + std::to_string(l.number("hint", 1));
    return answer(peer.send(ctx->lend(std::as_bytes(std::span(lent)), [=] { say(released); }), flags));
  }
  if (l.verb() == "subscribe" && to.node != nullptr) return to.node->subscribe(pattern, then), "OK";
  if (l.verb() == "unsubscribe" && to.node != nullptr) return answer(to.node->unsubscribe(pattern, then));
  if (l.verb() == "subscribe" && to.share != nullptr) return to.share->subscribe(pattern, then), "OK";
  if (l.verb() == "unsubscribe" && to.share != nullptr) return answer(to.share->unsubscribe(pattern, then));
  if (l.verb() == "subscribe" && to.provider == nullptr && to.consumer == nullptr) return peer.subscribe(pattern), "OK";
  if (l.verb() == "subscribe" && to.consumer != nullptr) return to.consumer->subscribe(pattern, then), "OK";
  if (l.verb() == "subscribe") return to.provider->subscribe(peer, pattern, then), "OK";
  if (l.verb() == "unsubscribe" && to.consumer != nullptr) return answer(to.consumer->unsubscribe(pattern, then));
  if (l.verb() == "unsubscribe") return answer(to.provider->unsubscribe(peer, pattern, then));
  const mw::Message m = message(l, body);
  if (l.verb() == "publish" && to.provider != nullptr) {
    const mw::Peer except(find(l.get("except"), inside).id);
    return answer(to.provider->publish(l.get("topic"), m, then, except, flags));
  }
  if (l.verb() == "publish" && to.node != nullptr) return answer(to.node->publish(l.get("topic"), m, then, flags));
  if (l.verb() == "publish" && to.share != nullptr) return answer(to.share->publish(l.get("topic"), m, then, flags));
  if (l.verb() != "send") return "ENOTSUP error=not%20expressed";
  if (to.consumer != nullptr) return answer(to.consumer->send(m, then, flags));
  return answer(to.provider != nullptr ? to.provider->send(peer, m, then, flags) : peer.send(m, flags));
}

std::string serve_on(const Named& at, const Line& l) {
  mw::Endpoint* to = at.consumer;
  if (at.node != nullptr) to = at.node;
  if (to == nullptr && at.provider != nullptr && at.object == l.name()) to = at.provider;
  if (to == nullptr) return at.id == 0 ? "ECLOSED" : "EKIND";
  const std::string alias = l.get("as");
  mw::Service& s = services.emplace_back(*to, l.get("name"), conf(l, MW_CONF_SERVICE, " name as "));
  s.on_event(listener(alias));
  {
    std::lock_guard guard(lock);
    names[alias] = {0, alias, nullptr, nullptr, &s};
  }
  s.start();
  std::lock_guard guard(lock);
  names[alias].id = s.id();
  return "OK";
}

std::string call_on(const Named& to, const Line& l, const mw::Event* inside) {
  const mw::Message m = message(l, l.get("body"));
  mw::Conf how(MW_CONF_CALL);
  for (const char* key : {"credit", "version", "only", "exclude", "sticky", "retry.safe"})
    if (!l.get(key).empty()) how.set(key, l.get(key));
  uint64_t number = 0;
  mw::CallOptions o{l.number("ms"), mw::Request(find(l.get("parent"), inside).id), l.flags() & ~uint32_t{MW_F_TEXT}, &how,
                    [op = l.get("op"), to](const mw::Event& e) { tell(to.object, e, op); }, &number};
  mw_status s = MW_EKIND;
  if (to.share != nullptr)
    s = to.share->call(l.get("target"), m, done(l, to.object), std::move(o));
  else if (to.node != nullptr && l.number("op") != 0)
    s = to.node->call(l.get("target"), m, done(l, to.object), std::move(o));
  else if (to.node != nullptr)
    s = to.node->oneway(l.get("target"), m);
  else if (l.number("op") == 0)
    s = mw::Peer(to.id).oneway(l.get("target"), m);
  else if (to.consumer != nullptr)
    s = to.consumer->call(l.get("target"), m, done(l, to.object), std::move(o));
  else if (to.provider != nullptr)
    s = to.provider->call(mw::Peer(to.id), l.get("target"), m, done(l, to.object), std::move(o));
  std::lock_guard guard(lock);
  starts[l.name() + " " + l.get("op")] = number;
  return answer(s);
}

std::string answer_to(const mw::Request& r, const Line& l, const mw::Event* inside) {
  if (l.verb() == "fail" && l.get("retry") == "true")
    return answer(r.give_back(l.get("json"), status_of(l.get("code").empty() ? "OK" : l.get("code").c_str())));
  if (l.verb() == "fail") return answer(r.fail(l.get("json"), status_of(l.get("code").empty() ? "OK" : l.get("code").c_str())));
  const std::string given = l.get("body");
  const mw::Message m = message(l, inside != nullptr && given == "$body" ? inside->text() : given);
  return answer((l.flags() & MW_F_MORE) != 0 ? r.part(m) : r.reply(m, l.flags() & ~uint32_t{MW_F_TEXT}));
}

std::string carry_out(const Line& l, const mw::Event* inside) {
  const std::string_view verb = l.verb();
  if (verb == "ctx") return open(l);
  if (verb == "end") return end();
  if (verb == "provider") return add(l, MW_CONF_PROVIDER, providers, &Named::provider);
  if (verb == "consumer") return add(l, MW_CONF_CONSUMER, consumers, &Named::consumer);
  if (verb == "channel") return add(l, MW_CONF_CHANNEL, channels, &Named::channel);
  if (verb == "hub") return add(l, MW_CONF_HUB, hubs, &Named::hub);
  if (verb == "share") return add(l, MW_CONF_SHARE, shares, &Named::share);
  if (verb == "elect")
    return name_it(l, elections.emplace_back(*ctx, l.get("name"), conf(l, MW_CONF_ELECT, " name ")), &Named::election);
  if (verb == "node") return add(l, MW_CONF_NODE, nodes, &Named::node);
  if (verb == "manager") return add(l, MW_CONF_MANAGER, managers, &Named::manager);
  if (verb == "conf") {
    const mw::Conf c = conf(l, conf_kind_of(l.name().c_str()), " get ");
    return l.get("get").empty() ? "OK" : "OK value=" + show(c.get(l.get("get")));
  }
  if (verb == "hook") {
    std::lock_guard guard(lock);
    hooks.push_back({l.name(), l.get("kind"), l.get("do")});
    return "OK";
  }
  const Named it = find(l.name(), inside);
  const mw::Handle handle(it.id);
  if (l.name() == "ctx" && verb == "run") return ctx->run(l.number("ms")), "OK";
  if (l.name() == "ctx" && verb == "fd") return ctx->fd(), "OK";
  if (l.name() == "ctx" && verb == "join") return answer(ctx->join(l.number("ms")));
  if (verb == "close" && l.get("flags") == "ABORT") return answer(handle.abort());
  if (verb == "close") return answer(handle.close(static_cast<int>(l.number("code")), l.get("reason")));
  if (verb == "pause") return answer(handle.pause(l.number("on", 1) != 0));
  if (verb == "cork") return answer(handle.cork(l.number("on", 1) != 0));
  if (verb == "answer") return answer(mw::Ask(it.id).answer(l.number("allow", 1) != 0, l.get("json")));
  if (verb == "state") {
    const mw_status s = handle.state();
    return answer_value(s, s);
  }
  if (verb == "stat") {
    int64_t v = 0;
    const mw_status s = handle.stat(stat_of(l.get("what").c_str()), v);
    return answer_value(s, v);
  }
  if (verb == "serve") return serve_on(it, l);
  if (verb == "call") return call_on(it, l, inside);
  if (verb == "reply" || verb == "fail") return answer_to(mw::Request(it.id), l, inside);
  if (verb == "drain" && it.service != nullptr) return it.service->drain(l.number("ms", 5000), done(l, l.name())), "OK";
  if (verb == "cancel" && it.provider != nullptr && it.object != l.name())
    return answer(it.provider->cancel_call(mw::Peer(it.id), starts[l.name() + " " + l.get("op")]));
  if (verb == "info" && l.number("op") == 0) return "OK body=" + show(handle.info(l.get("what")));
  if (verb == "info" && it.endpoint() != nullptr) return it.endpoint()->info(l.get("what"), done(l, l.name())), "OK";
  if (verb == "start" || verb == "cancel" || verb == "drain" || verb == "update") {
    return it.endpoint() != nullptr && it.object == l.name() ? on_endpoint(*it.endpoint(), l) : "EKIND";
  }
  if (it.channel != nullptr) return on_channel(*it.channel, l);
  return on_link(it, l, inside);
}

std::string carry(const std::string& line, const mw::Event* inside) {
  try {
    return carry_out(Line(line), inside);
  } catch (const mw::Error& e) {
    return answer(e.code()) + " error=" + show(e.what());
  }
}

void serve() {
  std::string input;
  for (std::array<char, 65536> buf;;) {
    const bool ours = ctx && !over && turned_here(), more = ours && ctx->more();
    std::array<pollfd, 2> p{{{0, POLLIN, 0}, {ours ? ctx->fd() : -1, POLLIN, 0}}};
    if (poll(p.data(), p.size(), more ? 0 : -1) < 0) continue;
    if (more || p[1].revents != 0) ctx->run(0);
    if (p[0].revents == 0) continue;
    const ssize_t n = read(0, buf.data(), buf.size());
    if (n <= 0) return;
    input.append(buf.data(), static_cast<size_t>(n));
    for (size_t nl; (nl = input.find('\n')) != std::string::npos; input.erase(0, nl + 1)) {
      if (input.starts_with("quit\n")) std::exit(0);  // with everything open that is open
      say("= " + carry(input.substr(0, nl), nullptr));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  door = argc == 2 ? argv[1] : "";
  if (door != "run" && door != "inline" && !turned_here()) {
    std::cerr << "usage: " << argv[0] << " run|inline|dispatch|turn\n";
    return 2;
  }
  const uint32_t v = mw_version();
  const auto part = [v](int shift) { return std::to_string(v >> shift & 255); };
  say("hello cpp " + door + " " + part(16) + "." + part(8) + "." + part(0));
  serve();
}
