// A schema: refused with a place, or every question has an answer that agrees
// with the others.
#include "input.hpp"

#include "mesh/core/access.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mw::mesh::core;
  if (size == 0) return 0;
  const std::string_view json(reinterpret_cast<const char*>(data + 1), size - 1);
  std::vector<std::string> warnings;
  const auto access = Access::parse(json, (data[0] & 1) != 0, warnings);
  if (!access) {
    CHECK(access.error().code == MW_EINVAL && access.error().text.starts_with("access"));
    return 0;
  }
  CHECK(warnings.size() <= 100);
  for (const std::string_view a : {"A", "B", "x"}) {
    for (const std::string_view b : {"A", "B", "x"}) {
      const bool may = bool(access->may_connect(a, b));
      CHECK(access->may_link(a, b) == access->may_link(b, a) && (!may || access->may_link(a, b)));
      const auto call = access->may_call(a, std::string(b) + ".m");
      CHECK(bool(call) == (call.method != nullptr) && bool(call) == call.text.empty());
      CHECK(!call || may);
      CHECK(!call || (access->has(b) && access->means(std::string(b) + ".m", b)));
    }
  }
  return 0;
}
