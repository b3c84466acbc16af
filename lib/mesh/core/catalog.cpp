#include "mesh/core/catalog.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

constexpr size_t kMaxServiceName = 255;

void put_text(std::string& out, std::string_view s) {
  uint8_t b[wire::kMaxVarint];
  out.append(reinterpret_cast<const char*>(b), wire::put_varint(b, s.size())).append(s);
}
void put_count(std::string& out, size_t n) {
  uint8_t b[wire::kMaxVarint];
  out.append(reinterpret_cast<const char*>(b), wire::put_varint(b, n));
}
bool take_text(wire::Bytes& in, size_t max, std::string_view& out) {
  uint64_t n = 0;
  const uint8_t* at = nullptr;
  if (!in.varint(n, max) || !in.take(static_cast<size_t>(n), at)) return false;
  out = {reinterpret_cast<const char*>(at), static_cast<size_t>(n)};
  return base::utf8_valid(out);
}

bool take_service(wire::Bytes& in, Service& s) {
  std::string_view name, version, method;
  const uint8_t* bits = nullptr;
  uint64_t methods = 0;
  if (!take_text(in, kMaxServiceName, name) || name.empty() || !take_text(in, kMaxSemver, version) || !in.take(2, bits) ||
      bits[0] > 1 || !in.varint(methods, kMaxMethods))
    return false;
  auto v = Semver::parse(version);
  if (!v) return false;
  s.name = name;
  s.version = *v;
  s.mode = static_cast<Mode>(bits[0]);
  s.responds = (bits[1] & 1) != 0;
  s.queued = (bits[1] & 2) != 0;
  for (uint64_t i = 0; i < methods; i++) {
    if (!take_text(in, kMaxServiceName, method) || method.empty()) return false;
    s.methods.emplace_back(method);
  }
  return true;
}

bool serves(const Service& s, std::string_view method) {
  return method.empty() || s.methods.empty() || std::find(s.methods.begin(), s.methods.end(), method) != s.methods.end();
}

}  // namespace

std::string put_announcement(const Announcement& a) {
  std::string out;
  put_text(out, a.role);
  put_count(out, a.services.size());
  for (const Service& s : a.services) {
    put_text(out, s.name);
    put_text(out, s.version.text());
    out += static_cast<char>(s.mode);
    out += static_cast<char>((s.responds ? 1 : 0) | (s.queued ? 2 : 0));
    put_count(out, s.methods.size());
    for (const std::string& m : s.methods) put_text(out, m);
  }
  put_count(out, a.interests.size());
  for (const Interest& i : a.interests) {
    out += static_cast<char>(i.syntax);
    put_text(out, i.pattern);
  }
  if (a.schema != 0 || a.schema_revision != 0) {
    std::string access;
    put_count(access, a.schema_revision);
    for (int i = 0; i < 8; i++) access += static_cast<char>(a.schema >> 8 * i);
    if (out.size() + access.size() <= kMaxMeta) out += access;  // a manager's schema must not silence what just fits
  }
  // What the other end would refuse is not sent.
  Announcement again;
  return out.size() <= kMaxMeta && parse_announcement(out, again) ? out : "";
}

bool parse_announcement(std::string_view meta, Announcement& out) {
  out = {};
  const auto* p = reinterpret_cast<const uint8_t*>(meta.data());
  wire::Bytes in{p, p + meta.size()};
  std::string_view role;
  uint64_t count = 0;
  if (!take_text(in, kMaxName, role) || !in.varint(count, kMaxServices)) return false;
  out.role = role;
  for (uint64_t i = 0; i < count; i++) {
    Service s;
    const auto same = [&](const Service& o) { return o.name == s.name; };
    if (!take_service(in, s) || std::any_of(out.services.begin(), out.services.end(), same)) return false;
    out.services.push_back(std::move(s));
  }
  if (!in.varint(count, kMaxInterests)) return false;
  for (uint64_t i = 0; i < count; i++) {
    const uint8_t* syntax = nullptr;
    std::string_view pattern;
    if (!in.take(1, syntax) || !take_text(in, kMaxPattern, pattern) || pattern.empty()) return false;
    out.interests.push_back({*syntax, std::string(pattern)});
  }
  uint64_t revision = 0;
  const uint8_t* digest = nullptr;
  if (in.varint(revision) && in.take(8, digest)) {
    for (int i = 7; i >= 0; i--) out.schema = out.schema << 8 | digest[i];
    out.schema_revision = revision;
  }
  return true;
}

std::string_view role_of(std::string_view meta) noexcept {
  const auto* p = reinterpret_cast<const uint8_t*>(meta.data());
  wire::Bytes in{p, p + meta.size()};
  std::string_view role;
  return take_text(in, kMaxName, role) ? role : std::string_view();
}

void Catalog::set(Slot member, uint64_t key, uint64_t incarnation, uint64_t revision, std::vector<Service> services,
                  std::vector<Change>& changes) {
  const auto [it, fresh] = members_.try_emplace(member);
  Entry& entry = it->second;
  if (!fresh && std::pair(incarnation, revision) <= std::pair(entry.incarnation, entry.revision)) return;
  auto among = [](const std::vector<Service>& in, const Service& s) { return std::find(in.begin(), in.end(), s) != in.end(); };
  std::vector<Service> before;
  before.swap(entry.services);
  for (const Service& s : before) take_out(member, s);
  entry = {incarnation, revision, std::move(services)};
  for (const Service& s : entry.services) add(member, key, s);
  // Told once all is as it will be.
  for (const Service& s : before)
    if (!among(entry.services, s)) changes.push_back({false, member, s, count(s.name)});
  for (const Service& s : entry.services)
    if (!among(before, s)) changes.push_back({true, member, s, count(s.name)});
}

void Catalog::remove(Slot member, std::vector<Change>& changes) {
  const auto it = members_.find(member);
  if (it == members_.end()) return;
  for (const Service& s : it->second.services) take_out(member, s);
  for (const Service& s : it->second.services) changes.push_back({false, member, s, count(s.name)});
  members_.erase(it);
}

void Catalog::expect(std::string_view name) {
  if (names_.size() < kMaxNames) names_.try_emplace(std::string(name));
}

void Catalog::add(Slot member, uint64_t key, const Service& service) {
  auto it = names_.find(service.name);
  if (it == names_.end()) {
    if (names_.size() >= kMaxNames) std::erase_if(names_, [](const auto& n) { return n.second.empty(); });
    if (names_.size() >= kMaxNames) return;
    it = names_.try_emplace(service.name).first;
  }
  auto& list = it->second;
  const auto place = std::find_if(list.begin(), list.end(), [&](const Provider& p) {
    const auto order = p.service->version <=> service.version;
    return order < 0 || (order == 0 && p.key > key);
  });
  list.insert(place, {member, key, &service});
}

void Catalog::take_out(Slot member, const Service& service) {
  // The name stays: it is unserved from now on, not unknown.
  if (const auto it = names_.find(service.name); it != names_.end())
    std::erase_if(it->second, [&](const Provider& p) { return p.member == member; });
}

Found Catalog::find(std::string_view target, const Range* range, std::vector<Provider>& out) const {
  out.clear();
  // The longest name wins: C.m before C.
  auto it = names_.find(target);
  std::string_view name = target, method;
  while (it == names_.end()) {
    const size_t dot = name.rfind('.');
    if (dot == name.npos) return Found::no_service;
    name = target.substr(0, dot);
    method = target.substr(dot + 1);
    it = names_.find(name);
  }
  const auto& list = it->second;
  if (list.empty()) return Found::nobody;
  bool method_known = false;
  for (const Provider& p : list) {
    if (!serves(*p.service, method)) continue;
    method_known = true;
    if (range == nullptr || range->match(p.service->version)) out.push_back(p);
  }
  if (!out.empty()) return Found::yes;
  return method_known ? Found::no_version : Found::no_method;
}

size_t Catalog::count(std::string_view name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? 0 : it->second.size();
}

}  // namespace mw::mesh::core
