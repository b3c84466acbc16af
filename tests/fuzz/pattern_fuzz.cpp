// Lines: patterns, each led by a byte that chooses its syntax; the last line
// is a topic. The set must hear what each pattern for itself matches.
#include "input.hpp"

#include "base/pattern_set.hpp"

#include <set>
#include <vector>

using namespace mw::base;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view left(reinterpret_cast<const char*>(data), size);
  PatternSet set;
  std::vector<Pattern> patterns;
  char people[4];
  const auto who = [&](size_t i) { return static_cast<void*>(&people[i % 4]); };
  for (size_t end; (end = left.find('\n')) != left.npos && patterns.size() < 64; left.remove_prefix(end + 1)) {
    if (end == 0) continue;
    auto p = Pattern::compile(left.substr(1, end - 1), static_cast<Syntax>(static_cast<uint8_t>(left[0]) % 3));
    if (!p) {
      CHECK(p.error().code == MW_EPATTERN);
      continue;
    }
    set.add(*p, who(patterns.size()));
    patterns.push_back(std::move(*p));
  }
  // Half of them leave again.
  const auto stays = [&](size_t i) { return i % 3 != 1; };
  for (size_t i = 0; i < patterns.size(); ++i)
    if (!stays(i)) set.remove(patterns[i], who(i));
  std::set<void*> expect, heard;
  for (size_t i = 0; i < patterns.size(); ++i)
    if (stays(i) && patterns[i].match(left)) expect.insert(who(i));
  const size_t calls = set.each(left, [&](void* p) { heard.insert(p); });
  CHECK(calls == heard.size() && heard == expect);
  CHECK(set.any(left) == !expect.empty());
  for (size_t i = 0; i < patterns.size(); ++i)
    if (stays(i)) set.remove(patterns[i], who(i));
  CHECK(set.empty());
  return 0;
}
