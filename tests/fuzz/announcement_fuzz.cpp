// What members serve: what is parsed, written again, is parsed the same, and
// is found in the catalog afterwards.
#include "input.hpp"

#include "mesh/core/catalog.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mw::mesh::core;
  const mw::fuzz::Exact bytes(data, size);
  Announcement a, b;
  if (!parse_announcement({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, a)) return 0;
  CHECK(a.services.size() <= kMaxServices);
  const std::string meta = put_announcement(a);
  if (size <= kMaxMeta) CHECK(!meta.empty() && meta.size() <= size);
  if (meta.empty()) return 0;
  CHECK(parse_announcement(meta, b) && a.role == b.role && a.services == b.services && a.interests == b.interests && a.schema == b.schema &&
        a.schema_revision == b.schema_revision);
  CHECK(role_of(meta) == a.role);
  Catalog catalog;
  std::vector<Catalog::Change> changes;
  catalog.set(1, 7, 1, 1, a.services, changes);
  std::vector<Catalog::Provider> found;
  for (const Service& s : a.services) {
    CHECK(catalog.count(s.name) != 0);
    CHECK(catalog.find(s.name, nullptr, found) == Found::yes);
    for (const auto& m : s.methods) catalog.find(s.name + "." + m, nullptr, found);
  }
  catalog.set(1, 7, 1, 2, {}, changes);
  for (const Service& s : a.services) CHECK(catalog.find(s.name, nullptr, found) == Found::nobody && catalog.count(s.name) == 0);
  return 0;
}
