#include "mesh/core/access.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace mw::mesh::core {
namespace {

constexpr size_t kMaxRoles = 1024, kMaxListed = 1024, kMaxRoleMethods = 1024;
constexpr std::string_view kAnybody = "anyNode";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string quoted(std::string_view s) { return "\"" + std::string(s.substr(0, 64)) + "\""; }

}  // namespace

bool Access::Less::operator()(std::string_view a, std::string_view b) const noexcept {
  if (!any_case) return a < b;
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return lower(x) < lower(y); });
}

// Reads a schema; the first thing wrong ends it.
class AccessReader {
 public:
  explicit AccessReader(Access& access) : access_(access) {}
  const std::string& error() const noexcept { return error_; }

  bool read(base::JsonValue schema) {
    if (!schema.is_object()) return wrong("", "the schema is an object, a key a role");
    if (schema.size() > kMaxRoles) return wrong("", "more than 1024 roles");
    schema.each([&](std::string_view name, base::JsonValue v) { return role(name, v); });
    return error_.empty();
  }

 private:
  bool wrong(const std::string& path, const std::string& what) {
    if (error_.empty()) error_ = "access" + (path.empty() ? "" : " at " + path) + ": " + what;
    return false;
  }
  bool named(const std::string& path, std::string_view name) {
    if (!name.empty() && name.size() <= kMaxName && name.find('.') == name.npos) return true;
    return wrong(path, "a name has 1 to 255 bytes and no dot");
  }

  bool role(std::string_view name, base::JsonValue v) {
    const std::string path(name);
    if (!named(path, name)) return false;
    if (name == kAnybody) return wrong(path, "no role may have this name, it stands for all");
    if (!v.is_object()) return wrong(path, "a role is an object with _allow, _connect and _commands");
    const auto [it, fresh] = access_.roles_.try_emplace(path);
    if (!fresh) return wrong(path, "this role is there twice, as " + quoted(it->second.name) + ", too");
    Access::Role& role = it->second;
    role.name = path;
    v.each([&](std::string_view key, base::JsonValue part) {
      const std::string at = path + "." + std::string(key);
      if (key == "_allow") return list(at, part, role.allow);
      if (key == "_connect") return list(at, part, role.connect);
      if (key == "_commands") return commands(at, part, role);
      return wrong(at, "unknown key, only _allow, _connect and _commands have a meaning");
    });
    return error_.empty();
  }

  bool list(const std::string& path, base::JsonValue v, Access::List& out) {
    if (v.is_text() && v.text() == kAnybody) {
      out.anybody = true;
      return true;
    }
    if (!v.is_array()) return wrong(path, "this is \"anyNode\" or a list of roles");
    if (v.size() > kMaxListed) return wrong(path, "more than 1024 roles");
    v.each([&](std::string_view, base::JsonValue item) {
      const std::string at = path + "[" + std::to_string(out.names.size()) + "]";
      if (!item.is_text()) return wrong(at, "a role's name is a text");
      if (item.text() == kAnybody) return wrong(at, "\"anyNode\" stands alone and not in a list");
      if (!named(at, item.text())) return false;
      out.names.emplace_back(item.text());
      return true;
    });
    return error_.empty();
  }

  bool commands(const std::string& path, base::JsonValue v, Access::Role& role) {
    if (!v.is_object()) return wrong(path, "this is an object with _balanced and _broadcast");
    v.each([&](std::string_view mode, base::JsonValue methods) {
      const std::string at = path + "." + std::string(mode);
      if (mode != "_balanced" && mode != "_broadcast")
        return wrong(at, "unknown key, only _balanced and _broadcast have a meaning");
      if (!methods.is_object()) return wrong(at, "this is an object, a key a method");
      methods.each([&](std::string_view name, base::JsonValue how) {
        return method(at + "." + std::string(name), name, mode == "_broadcast" ? Mode::broadcast : Mode::balanced, how, role);
      });
      return error_.empty();
    });
    return error_.empty();
  }

  bool method(const std::string& path, std::string_view name, Mode mode, base::JsonValue how, Access::Role& role) {
    if (!named(path, name)) return false;
    if (role.methods.size() >= kMaxRoleMethods) return wrong(path, "more than 1024 methods");
    // Where the seed has a function, JSON has nothing, true or {}.
    const bool bare = how.is_null() || (how.is_bool() && how.boolean());
    if (!bare && !how.is_object()) return wrong(path, "a method is null, true or an object");
    Access::Method m;
    m.mode = mode;
    m.responds = mode == Mode::balanced;
    const auto [it, fresh] = role.methods.try_emplace(std::string(name));
    if (!fresh) return wrong(path, "a method is either balanced or broadcast, and this one is both");
    if (!bare) {
      how.each([&](std::string_view key, base::JsonValue v) {
        const std::string at = path + "." + std::string(key);
        if (key == "method") return true;  // the function's place
        if (key != "responds" && key != "queued") return wrong(at, "unknown key, only responds and queued have a meaning");
        if (!v.is_bool()) return wrong(at, "this is true or false");
        if (key == "queued") m.queued = v.boolean();
        if (key == "responds" && mode == Mode::balanced && !v.boolean())
          return wrong(at, "a balanced method always responds");
        if (key == "responds") m.responds = v.boolean();
        return true;
      });
    }
    it->second = m;
    return error_.empty();
  }

  Access& access_;
  std::string error_;
};

base::Result<Access> Access::parse(std::string_view json, bool any_case, std::vector<std::string>& warnings) {
  auto parsed = base::Json::parse(json);
  if (!parsed) return base::Error{MW_EINVAL, 0, "access: " + parsed.error().text};
  Access access(any_case);
  AccessReader reader(access);
  if (!reader.read(parsed->root())) return base::Error{MW_EINVAL, 0, reader.error()};
  access.warn(warnings);
  return access;
}

bool Access::lists(const List& list, std::string_view name) const noexcept {
  return list.anybody ||
         std::any_of(list.names.begin(), list.names.end(), [&](const std::string& n) { return same(n, name); });
}

void Access::warn(std::vector<std::string>& warnings) const {
  constexpr size_t kMaxWarnings = 100;
  auto add = [&](const std::string& text) {
    if (warnings.size() < kMaxWarnings) warnings.push_back("access at " + text);
  };
  auto unknown = [&](const std::string& path, const List& list) {
    for (size_t i = 0; i < list.names.size(); i++) {
      if (roles_.count(list.names[i]) != 0) continue;
      std::string text = path + "[" + std::to_string(i) + "]: there is no role " + quoted(list.names[i]);
      for (const auto& [name, role] : roles_)
        if (!Less{true}(name, list.names[i]) && !Less{true}(list.names[i], name)) text += ", only " + quoted(name);
      add(text);
    }
  };
  for (const auto& [key, role] : roles_) {
    const std::string& name = key;
    unknown(name + "._allow", role.allow);
    unknown(name + "._connect", role.connect);
    for (size_t i = 0; i < role.connect.names.size(); i++) {
      const auto other = roles_.find(role.connect.names[i]);
      if (other != roles_.end() && !lists(other->second.allow, name))
        add(name + "._connect[" + std::to_string(i) + "]: " + other->second.name + "._allow does not list " + quoted(name));
    }
    const bool callable =
      std::any_of(roles_.begin(), roles_.end(), [&](const auto& r) { return bool(may_connect(r.first, name)); });
    if (!role.methods.empty() && !callable)
      add(name + "._commands: nobody may call them, no role that _allow lists has " + quoted(name) + " in its _connect");
  }
}

Access::Answer Access::may_connect(std::string_view a, std::string_view b) const {
  const auto from = roles_.find(a), to = roles_.find(b);
  if (from == roles_.end()) return {Is::denied, "access has no role " + quoted(a), nullptr};
  if (to == roles_.end()) return {Is::no_role, "access has no role " + quoted(b), nullptr};
  const std::string &caller = from->first, &callee = to->first;
  if (!lists(from->second.connect, b))
    return {Is::denied, "access: " + caller + "._connect does not list " + quoted(callee), nullptr};
  if (!lists(to->second.allow, a))
    return {Is::denied, "access: " + callee + "._allow does not list " + quoted(caller), nullptr};
  return {};
}

Access::Answer Access::may_call(std::string_view a, std::string_view target) const {
  const size_t dot = std::min(target.find('.'), target.size());
  const std::string_view role = target.substr(0, dot), method = target.substr(std::min(dot + 1, target.size()));
  Answer answer = may_connect(a, role);
  if (!answer) return answer;
  const Role& to = roles_.find(role)->second;
  const auto it = to.methods.find(method);
  if (it == to.methods.end())
    return {Is::no_method, "access: " + to.name + "._commands has no method " + quoted(method), nullptr};
  answer.method = &it->second;
  return answer;
}

bool Access::means(std::string_view target, std::string_view role) const noexcept {
  return same(target.substr(0, target.find('.')), role);
}

uint64_t Access::digest() const {
  std::string all(less_.any_case ? "nocase" : "exact");
  auto add = [&](char what, std::string_view name) { all.append(1, what).append(name); };
  auto folded = [&](std::string role) {
    if (less_.any_case) std::transform(role.begin(), role.end(), role.begin(), lower);
    return role;
  };
  auto list = [&](char what, const List& l) {
    std::vector<std::string> names;
    for (const std::string& n : l.names) names.push_back(folded(n));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    add(what, l.anybody ? kAnybody : "");
    for (const std::string& n : names) add('\5', n);
  };
  for (const auto& [name, role] : roles_) {
    add('\1', folded(name));
    list('\2', role.allow);
    list('\3', role.connect);
    for (const auto& [method, how] : role.methods) {
      add('\4', method);
      add('\6', how.mode == Mode::broadcast ? "all" : "one");
      add('\6', how.responds ? "answers" : "silent");
      add('\6', how.queued ? "waits" : "runs");
    }
  }
  const uint64_t hash = hash_text(all);
  return hash != 0 ? hash : 1;
}

}  // namespace mw::mesh::core
