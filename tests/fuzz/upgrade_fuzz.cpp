// A request and an answer as lines: method, target, version, status, then
// "name: value". First two bytes: the two ends' options.
#include "input.hpp"

#include "wire/field.hpp"
#include "wire/offer.hpp"
#include "wire/parameters.hpp"
#include "wire/upgrade.hpp"

#include <algorithm>

namespace {
using namespace mw::wire;
using mw::fuzz::Exact;
using mw::fuzz::Input;

std::string_view line(std::string_view& rest) {
  size_t end = std::min(rest.find('\n'), rest.size());
  auto l = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return l;
}
int number(std::string_view s) {
  int n = 0;
  for (char c : s.substr(0, 4))
    if (c >= '0' && c <= '9') n = n * 10 + (c - '0');
  return n;
}
Wires wires(uint8_t bits) { return {(bits & 3) == 1, (bits & 3) == 2, (bits & 4) != 0 || (bits & 3) % 3 == 0}; }
Compress preset(uint8_t bits) { return static_cast<Compress>((bits >> 4) % 10); }

void parameters(std::string_view s) {
  auto p = parse_parameters(s);
  if (!p) return;
  CHECK(p->size() <= kMaxParameters);
  for (const auto& [k, v] : *p) CHECK(!k.empty() && k.size() <= kMaxParameterKey && v.size() <= kMaxParameterValue);
  auto again = parse_parameters(encode_parameters(*p));
  CHECK(again && *again == *p);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  const uint8_t server = in.byte(), client = in.byte();
  Exact exact(in.text());
  std::string_view rest(reinterpret_cast<const char*>(exact.data()), exact.size());

  UpgradeRequest r;
  r.method = line(rest);
  r.target = line(rest);
  r.version = number(line(rest));
  const int status = number(line(rest));
  while (!rest.empty()) {
    auto l = line(rest);
    size_t colon = std::min(l.find(':'), l.size());
    r.fields.emplace_back(l.substr(0, colon), l.substr(std::min(colon + 1, l.size())));
  }
  UpgradePolicy policy{server & 8 ? "" : "/connect", {"same", "https://app.example"}, wires(server), {"chat", "v2"}, preset(server)};
  UpgradePlan plan{wires(client), {}, preset(client)};
  if (client & 8) plan.subprotocols = {"chat"};
  parameters(split_target(r.target).query);
  for (const auto& [k, v] : r.fields) parameters(v);

  auto verdict = judge_upgrade(r, policy);
  if (verdict.status == 101) {
    CHECK(*verdict.reason == '\0');
    CHECK(verdict.fields.size() >= 3);
    // What we answer breaks no rule a client of ours checks, but for what it did not offer.
    std::string key;
    for (const auto& [k, v] : r.fields)
      if (same_text(k, "Sec-WebSocket-Key")) key = trim(v);
    FieldViews answer;
    for (const auto& [k, v] : verdict.fields) {
      CHECK(v.find_first_of("\r\n") == std::string::npos);
      if (k != "Sec-WebSocket-Protocol" && k != "Sec-WebSocket-Extensions") answer.emplace_back(k, v);
    }
    UpgradePlan raw{{true, false, false}, {}, Compress::off};
    CHECK(judge_answer(raw, key, 101, answer));
    if (verdict.deflate.on) {
      const auto& d = verdict.deflate;
      CHECK(policy.compress != Compress::off);
      CHECK(d.server_bits >= 8 && d.server_bits <= 15 && d.client_bits >= 8 && d.client_bits <= 15);
    }
  } else {
    const int known[] = {400, 403, 404, 405, 426};
    CHECK(std::count(std::begin(known), std::end(known), verdict.status) == 1);
    CHECK(*verdict.reason != '\0');
  }

  auto agreed = judge_answer(plan, "dGhlIHNhbXBsZSBub25jZQ==", status, r.fields);
  if (agreed) {
    CHECK(status == 101);
    if (agreed->deflate.on) CHECK(plan.compress != Compress::off);
    if (agreed->dialect == Dialect::meshwork) CHECK(plan.wires.meshwork);
  } else {
    CHECK(agreed.error().code < 0 && !agreed.error().text.empty());
  }
  return 0;
}
