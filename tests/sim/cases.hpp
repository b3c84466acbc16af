// What the mesh promises, each as a case that measures it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mw::sim {

struct Size {
  size_t members;
  int64_t stall_ms;  // how long the case with stalls runs
};
struct Result {
  std::string what, target, seen;
  bool met;
};
struct Case {
  const char* name;
  void (*run)(uint64_t seed, Size size, std::vector<Result>& out);
};
extern const std::vector<Case> kCases;

}  // namespace mw::sim
