// Runs the cases and prints a table of targets and what was seen.
//
//   sim [--short] [--seed N] [--members N] [--only CASE]
//
// --short: a few hundred members and several seeds, some seconds: the test.
#include "cases.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/resource.h>

namespace {

using namespace mw::sim;

int g_passed = 0, g_failed = 0;

void run(const Case& c, uint64_t seed, Size size, const char* again) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<Result> results;
  c.run(seed, size, results);
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  bool met = true;
  for (const Result& r : results) {
    std::printf("%-10s %6zu  %-52s %-12s %-28s %s\n", c.name, size.members, r.what.c_str(), r.target.c_str(), r.seen.c_str(),
                r.met ? "met" : "MISSED");
    met &= r.met;
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%-10s %6zu  seed %llu, %.1f s, at most %ld MB so far\n", c.name, size.members,
              static_cast<unsigned long long>(seed), took, usage.ru_maxrss / 1024);
  if (!met)
    std::printf("FAILED: again with: sim%s --only %s --seed %llu\n", again, c.name, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  met ? g_passed++ : g_failed++;
}

}  // namespace

int main(int argc, char** argv) {
  bool small = false;
  uint64_t seed = 0;
  Size size{0, 0};
  std::string only;
  for (int i = 1; i < argc; i++) {
    const std::string arg = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (arg == "--short") {
      small = true;
      continue;
    }
    if (arg == "--seed") seed = std::strtoull(value, nullptr, 10);
    else if (arg == "--members") size.members = std::strtoull(value, nullptr, 10);
    else if (arg == "--stall-seconds") size.stall_ms = std::strtoll(value, nullptr, 10) * 1000;
    else if (arg == "--only") only = value;
    else {
      std::fprintf(stderr, "usage: sim [--short] [--seed N] [--members N] [--stall-seconds N] [--only CASE]\n");
      return 2;
    }
    i++;
  }
  std::string again = small ? " --short" : "";
  if (size.members != 0) again += " --members " + std::to_string(size.members);
  if (size.stall_ms != 0) again += " --stall-seconds " + std::to_string(size.stall_ms / 1000);
  if (size.members == 0) size.members = small ? 200 : 10'000;
  if (size.stall_ms == 0) size.stall_ms = small ? 120'000 : 3'600'000;

  std::printf("%-10s %6s  %-52s %-12s %-28s\n", "case", "size", "what", "target", "seen");
  const uint64_t first = seed != 0 ? seed : 1, last = seed != 0 ? seed : small ? 3 : 1;
  for (uint64_t s = first; s <= last; s++)
    for (const Case& c : kCases)
      if (only.empty() || only == c.name) run(c, s, size, again.c_str());
  std::printf("%d passed, %d failed, 0 skipped\n", g_passed, g_failed);
  return g_failed != 0 || g_passed == 0;
}
