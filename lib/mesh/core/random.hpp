// Chance and hashing for machines that have to be replayed: a seeded generator
// (splitmix64) and a hash that is the same on every member, because ring
// positions and digests are compared between them. Used by mesh. Pure.
#pragma once
#include <cstdint>
#include <string_view>

namespace mw::mesh::core {

constexpr uint64_t mix(uint64_t x) noexcept {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

// FNV-1a, mixed. Part of the protocol.
constexpr uint64_t hash_text(std::string_view text) noexcept {
  uint64_t h = 0xCBF29CE484222325;
  for (const char c : text) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return mix(h);
}

class Random {
 public:
  explicit Random(uint64_t seed) noexcept : state_(seed) {}
  uint64_t next() noexcept { return mix(state_ += 0x9E3779B97F4A7C15); }
  // 0 to n-1; n is not 0.
  uint32_t below(uint32_t n) noexcept {
    return static_cast<uint32_t>((next() >> 32) * n >> 32);
  }

 private:
  uint64_t state_;
};

}  // namespace mw::mesh::core
