// Who serves what: the services that each member announces with its facts
// (membership's meta), found by name and range of versions.
// Used by the node. Does no I/O; one thread. Services returned stay until the
// member is set or removed.
#pragma once
#include "mesh/core/roster.hpp"
#include "mesh/core/semver.hpp"
#include "wire/varint.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mw::mesh::core {

inline constexpr size_t kMaxServices = 256;  // of a member
inline constexpr size_t kMaxMethods = 256;   // of a service
inline constexpr size_t kMaxInterests = 256; // of a member
inline constexpr size_t kMaxPattern = 1024;  // bytes
inline constexpr size_t kMaxNames = 65'536;  // services known, those that nobody serves now included

enum class Mode : uint8_t { balanced = 0, broadcast = 1 };

struct Service {
  std::string name;  // "C" serves C and every C.x; "C.m" one method
  Semver version;
  Mode mode = Mode::balanced;
  bool responds = true;
  bool queued = false;
  std::vector<std::string> methods;  // what "C" serves; empty = any
  bool operator==(const Service&) const = default;
};

// What came of a search, and why nobody was found.
enum class Found : uint8_t {
  yes,
  no_service,  // a name never heard of
  nobody,      // known, but nobody serves it now
  no_method,   // served, without this method
  no_version,  // served, in other versions only
};

// What a member tells of itself in its meta:
//   meta    := role  count (varint)  service*  count (varint)  interest*  [access]  anything later
//   access  := revision (varint)  digest (8 bytes)
//   service := name  version  mode (1 byte)  flags (1 byte: 1 responds, 2 queued)  count (varint)  method*
//   role, name, version, method := length (varint)  UTF-8
//   interest := syntax (1 byte, as in subscribe)  pattern (length (varint) UTF-8)
// No name stands there twice.
struct Interest {
  uint8_t syntax = 0;
  std::string pattern;
  bool operator==(const Interest&) const = default;
};
struct Announcement {
  std::string role;
  std::vector<Service> services;
  std::vector<Interest> interests;  // topics it wants to hear of
  uint64_t schema_revision = 0;     // of the schema it holds, as its manager said; 0: its own
  uint64_t schema = 0;              // digest; 0: it holds none, of that revision
};
// "" when it does not fit into kMaxMeta or a limit above; the schema is left out where it alone does not.
std::string put_announcement(const Announcement& a);
bool parse_announcement(std::string_view meta, Announcement& out);
// The role alone; "" where it is not readable.
std::string_view role_of(std::string_view meta) noexcept;

class Catalog {
 public:
  struct Change {
    bool up;  // or down
    Slot member;
    Service service;
    size_t left;  // members that serve this name now
  };
  struct Provider {
    Slot member;
    uint64_t key;  // of the member: an order that all agree on
    const Service* service;
  };

  // Replaces what a member serves, unless something later is known.
  void set(Slot member, uint64_t key, uint64_t incarnation, uint64_t revision, std::vector<Service> services,
           std::vector<Change>& changes);
  void remove(Slot member, std::vector<Change>& changes);
  // A name that will be asked for: until somebody serves it, it is unserved and not unknown.
  void expect(std::string_view name);

  // Everybody who serves target, as "C" or "C.m", in a version of the range
  // (nullptr: any), the highest first, those of one version in the order of keys;
  // `out` is empty unless Found::yes.
  Found find(std::string_view target, const Range* range, std::vector<Provider>& out) const;
  // Members that serve this very name.
  size_t count(std::string_view name) const;
  size_t names() const noexcept { return names_.size(); }

 private:
  struct Entry {
    uint64_t incarnation = 0, revision = 0;
    std::vector<Service> services;
  };
  using Names = std::map<std::string, std::vector<Provider>, std::less<>>;  // highest version first, then by key

  void add(Slot member, uint64_t key, const Service& service);
  void take_out(Slot member, const Service& service);

  std::unordered_map<Slot, Entry> members_;
  Names names_;
};

}  // namespace mw::mesh::core
