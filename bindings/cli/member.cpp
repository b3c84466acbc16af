#include "member.hpp"

namespace cli {

namespace {

mw::Conf conf_of(const MeshOptions& o, mw::Conf& context) {
  mw::Conf c(MW_CONF_NODE, {{"member.service", o.role}});
  if (!o.mesh.empty()) c.set("cluster.deployment", o.mesh);
  if (!o.name.empty()) c.set("member.name", o.name);
  std::string seeds;
  for (const std::string& s : o.seeds) seeds += (seeds.empty() ? "" : ",") + s;
  if (!seeds.empty()) {
    c.set("registry", "gossip");
    c.set("seeds", seeds);
  }
  if (o.common.verbose) c.set("log.level", "debug");
  apply(o.common.sets, c, context);
  if (c.get("cluster.deployment").empty()) throw Failure(kUsage, "which mesh? --mesh NAME says it, as its nodes do by cluster.deployment");
  return c;
}

}  // namespace

Member::Member(const MeshOptions& o)
    : o_(o), remarks_(o.common.quiet), conf_(conf_of(o, context_)), ctx_(context_), node_(ctx_, conf_), loop_(ctx_) {
  node_.on(MW_EVENT_CLOSED, [this](const mw::Event& e) {
    closed_ = true;
    if (e.status() < 0 && !failed_) failed_.emplace(said(e.status(), e, "mesh " + o_.mesh));
  });
  node_.on_error([this](const mw::Event& e) { remarks_.say("error: " + std::string(e.text())); });
  node_.on(MW_EVENT_LOG, [this](const mw::Event& e) { remarks_.say(std::string(e.topic()) + ": " + std::string(e.text())); });
}

bool Member::join() {
  bool joined = false;
  node_.start([&](mw_status s, const mw::Event& e) {
    joined = s >= 0;
    if (s < 0 && s != MW_ECANCELED && !failed_) failed_.emplace(said(s, e, "mesh " + o_.mesh));
  });
  while (!joined && !failed_ && turn()) {
  }
  if (failed_) leave();
  return joined;
}

bool Member::turn(int timeout_ms) {
  bool readable = false;
  return turn(timeout_ms, -1, readable);
}

bool Member::turn(int timeout_ms, int watched, bool& readable) {
  readable = loop_.turn(timeout_ms, watched, output_);
  return !closed_ && !failed_ && loop_.interrupts() == 0 && !output_.closed();
}

void Member::leave() {
  node_.close();
  while (!closed_) loop_.turn(-1, nullptr, output_);
  output_.flush_all();
  if (failed_) throw *failed_;
}

}  // namespace cli
