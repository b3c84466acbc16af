// Options of one kind of object: parsed, range-checked, described by options.def.
// Used by abi (mw_conf_*) and, as frozen snapshots, by net and link.
// One thread until frozen; then any.
#pragma once
#include "base/result.hpp"
#include <meshwork/conf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mw::base {

// One id for each key name, whatever the kind.
enum class Opt : uint16_t {
#define MW_OPTION_KEY(id, key) id,
#include "base/options.def"
#undef MW_OPTION_KEY
  count_
};

class Conf {
 public:
  explicit Conf(int32_t kind);
  ~Conf();  // wipes secrets
  Conf(const Conf&);
  Conf& operator=(const Conf&) = delete;

  int32_t kind() const noexcept { return kind_; }
  Result<void> set(std::string_view key, std::string_view value);
  Result<void> load(std::string_view json);  // all or nothing
  // As text; secrets read "***". MW_EOPTION if the kind has no such key.
  Result<std::string> get(std::string_view key) const;
  // The object described by mw_conf_describe, as JSON; false after the last.
  static bool describe(int32_t kind, size_t index, std::string& json);
  // All keys with their values as one JSON object, secrets "***".
  std::string dump() const;

  // Typed reading. The key must belong to the kind (else the process-wide
  // default is 0 / ""). Numbers: bool 0/1, integers, durations in ms, sizes in
  // bytes, enumerations as the index in the row's list of words.
  int64_t num(Opt o) const noexcept;
  const std::string& text(Opt o) const noexcept;
  std::vector<std::string> list(Opt o) const;  // comma separated or JSON array
  bool has(Opt o) const noexcept;              // set explicitly (or by preset)

  // A copy of *this with the keys set in change replaced; refuses to change
  // keys that are not live (MW_EOPTION naming the key).
  Result<std::shared_ptr<const Conf>> updated(const Conf& change) const;
  std::shared_ptr<const Conf> freeze() const;  // a snapshot

 private:
  struct Value;
  struct Table;
  static const Table& table_of(int32_t kind);
  const Value& at(size_t slot) const noexcept;
  Value& own(size_t slot);  // to be written
  void wipe_secrets() noexcept;

  // A conf differs in few rows from its table, and every link of a node has one: only those rows are its own.
  int32_t kind_;
  const Table* table_;
  std::vector<Value> set_;
  std::vector<uint8_t> at_;  // by row of the kind: 0, or 1 + its place in set_
};

}  // namespace mw::base

struct mw_conf;  // abi: reference count + Conf
