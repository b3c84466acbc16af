#include "net/shared_secret.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mw::net {
namespace {

std::string hex(const uint8_t* p, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", p[i]);
    out += two;
  }
  return out;
}

std::string key(std::string_view secret, std::string_view purpose, std::string_view salt) {
  auto shared = SharedSecret::stretch(secret);
  if (!shared) return shared.error().text;
  uint8_t bytes[48];
  return (*shared)->derive(purpose, salt.data(), salt.size(), bytes, sizeof bytes) ? hex(bytes, sizeof bytes) : "no memory";
}

// Computed by another implementation of RFC 7914 and RFC 5869 (Python's hashlib and hmac).
TEST(SharedSecret, IsWhatThePageSays) {
  EXPECT_EQ(key("correct horse battery", "meshwork tls psk 1", "meshwork"), "e3fb083f4fe614fe837212474bfb541f7fe6724ba10812b40652f7fedd5947a69df07dc2ece5657c0a494412e604163b");
}

TEST(SharedSecret, EveryPartCounts) {
  std::string one = key("correct horse battery", "purpose", "salt");
  EXPECT_NE(one, key("correct horse batterz", "purpose", "salt"));
  EXPECT_NE(one, key("correct horse battery", "Purpose", "salt"));
  EXPECT_NE(one, key("correct horse battery", "purpose", "Salt"));
  EXPECT_EQ(one, key("correct horse battery", "purpose", "salt"));
}

TEST(SharedSecret, IsStretchedOnceInAProcess) {
  constexpr size_t kThreads = 4;
  std::vector<std::shared_ptr<const SharedSecret>> made(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&made, i] { made[i] = *SharedSecret::stretch(i < kThreads - 1 ? "many threads want it" : "and one another"); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(made[0], made[1]);
  EXPECT_EQ(made[0], made[2]);
  EXPECT_NE(made[0], made[3]);
  EXPECT_EQ(made[0], *SharedSecret::stretch("many threads want it"));
}

}  // namespace
}  // namespace mw::net
