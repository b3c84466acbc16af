// The schema of a mesh: which role may connect to which, and what each one
// serves and how, as socketmesh has it:
//
//   {"Role": {"_allow": "anyNode" | [roles], "_connect": "anyNode" | [roles],
//             "_commands": {"_balanced": {"method": {}}, "_broadcast": {"method": {"responds": true, "queued": true}}}}}
//
// A role may call another one if its _connect lists that one and the other's
// _allow lists it. Used by the node and the manager. Immutable; any thread.
#pragma once
#include "base/result.hpp"
#include "mesh/core/catalog.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mw::mesh::core {

class Access {
 public:
  struct Method {
    Mode mode = Mode::balanced;
    bool responds = true;
    bool queued = false;
  };
  enum class Is : uint8_t { allowed, denied, no_role, no_method };
  struct Answer {
    Is is = Is::allowed;
    std::string text;                // unless allowed: the rule that says no
    const Method* method = nullptr;  // of an allowed call
    explicit operator bool() const noexcept { return is == Is::allowed; }
  };

  // MW_EINVAL names the place and what is wrong. any_case: roles are compared
  // without regard to ASCII case. Warnings: what is allowed and cannot be meant.
  static base::Result<Access> parse(std::string_view json, bool any_case, std::vector<std::string>& warnings);

  // Whether a member of role a may call members of role b at all.
  Answer may_connect(std::string_view a, std::string_view b) const;
  // Whether the two may have a link: one of them may call the other.
  bool may_link(std::string_view a, std::string_view b) const { return may_connect(a, b) || may_connect(b, a); }
  // target: "Role.method".
  Answer may_call(std::string_view a, std::string_view target) const;
  // Whether members of this role are those that a target means.
  bool means(std::string_view target, std::string_view role) const noexcept;
  bool has(std::string_view role) const { return roles_.count(role) != 0; }
  // Equal where two schemas mean the same; never 0.
  uint64_t digest() const;

 private:
  struct Less {
    bool any_case = false;
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept;
  };
  struct List {
    bool anybody = false;
    std::vector<std::string> names;
  };
  struct Role {
    std::string name;
    List allow, connect;
    std::map<std::string, Method, std::less<>> methods;
  };
  friend class AccessReader;
  explicit Access(bool any_case) : less_{any_case}, roles_(less_) {}
  bool lists(const List& list, std::string_view name) const noexcept;
  bool same(std::string_view a, std::string_view b) const noexcept { return !less_(a, b) && !less_(b, a); }
  void warn(std::vector<std::string>& warnings) const;

  Less less_;
  std::map<std::string, Role, Less> roles_;
};

}  // namespace mw::mesh::core
