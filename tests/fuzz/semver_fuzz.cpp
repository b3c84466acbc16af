// Versions and ranges: a parsed version prints itself, the order is one, and a
// range that is a version matches that version alone.
#include "input.hpp"

#include "mesh/core/semver.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mw::mesh::core;
  // Up to three lines: a version, another one, a range.
  std::string_view text(reinterpret_cast<const char*>(data), size), lines[3];
  for (auto& line : lines) {
    const size_t n = std::min(text.find('\n'), text.size());
    line = text.substr(0, n);
    text.remove_prefix(std::min(n + 1, text.size()));
  }
  const auto a = Semver::parse(lines[0]), b = Semver::parse(lines[1]);
  const auto range = Range::parse(lines[2]);
  if (!range) CHECK(!range.error().text.empty());
  if (!a) return 0;
  const auto again = Semver::parse(a->text());
  CHECK(again && *again == *a && again->text() == a->text());
  const auto exact = Range::parse(a->text());
  CHECK(exact && exact->match(*a));
  const auto above = Range::parse(">=" + a->text()), below = Range::parse("<" + a->text());
  CHECK(above && below && above->match(*a) && !below->match(*a));
  if (!b) return 0;
  CHECK((*a <=> *b) == (0 <=> (*b <=> *a)));
  CHECK(exact->match(*b) == (*a == *b));
  CHECK(!(above->match(*b) && below->match(*b)));
  if (range) range->match(*a);
  return 0;
}
