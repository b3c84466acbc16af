// What members of a mesh answer to `meshwork.stats`, read and put together for
// `top`: two looks at a mesh, and what happened between them. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// Calls of one kind: numbers that rise, and how many took at most so many us.
struct Calls {
  uint64_t ended = 0, failed = 0, open = 0;
  std::map<uint64_t, uint64_t> took;

  void add(std::string_view json);          // of a tally as the library writes it
  Calls since(const Calls& before) const;   // what started anew counts from 0
  int64_t us(double part) const;            // -1: none ended
};

// One member's answer.
struct MemberStats {
  std::string name, role, error;  // error: why there is no answer
  int64_t at_ms = 0;
  Calls made;
  uint64_t requests = 0;          // that its host got
  uint64_t waiting = 0, running = 0, dead = 0;  // its queues
  std::map<std::string, Calls> to, services;    // made, by member and by service
  struct Served {
    uint64_t taken = 0, failed = 0;
  };
  std::map<std::string, Served> serves;
  std::string gone;               // JSON list

  explicit MemberStats(std::string_view json);
  MemberStats(std::string n, std::string why) : name(std::move(n)), error(std::move(why)) {}
};

// All answers of one look.
using Look = std::map<std::string, MemberStats>;

// What happened between two looks, per second.
struct Rates {
  struct Member {
    std::string name, role, error;
    bool known = false;           // there was a look before
    double in = 0, out = 0, failed = 0;
    uint64_t open = 0, waiting = 0, running = 0, dead = 0;
    int64_t p50 = -1, p99 = -1;   // us, of the calls to it; -1: none
  };
  struct Service {
    std::string name;
    size_t members = 0;
    double calls = 0, failed = 0;
    int64_t p50 = -1, p99 = -1;
  };
  std::vector<Member> members;    // by name
  std::vector<Service> services;
  double in = 0, failed = 0;      // of all
};
Rates between(const Look& before, const Look& after);

}  // namespace cli
