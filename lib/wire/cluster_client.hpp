// The packets of the npm package cluster-client, version 1: a head of 24
// bytes, a JSON object that tells what it is, bytes of the application.
// Layout: PROTOCOL.md. Hides the JSON.
// Used by cluster_bridge and by net's listener and dialer of this wire. Pure.
#pragma once
#include "base/buffer.hpp"
#include "wire/dialect.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mw::wire {

inline constexpr size_t kClusterHead = 24;
inline constexpr size_t kMaxConnObject = 64 << 10;             // bytes
inline constexpr uint64_t kMaxClusterId = (1ull << 53) - 1;    // what a double holds
inline constexpr std::string_view kKeyPrefix = "$$inner$$__";  // of every key

struct ClusterHead {
  bool response = false;
  uint64_t id = 0;
  uint32_t timeout_ms = 0;
  uint32_t conn = 0, app = 0;  // bytes of the two parts
  size_t size() const noexcept { return kClusterHead + size_t{conn} + app; }
};

enum class HeadRead : uint8_t { ok, more, bad };
// max_app: bytes of the application that are taken.
HeadRead read_cluster_head(const uint8_t* p, size_t n, size_t max_app, ClusterHead& h, const char*& why) noexcept;

enum class ClusterType : uint8_t {
  register_channel,
  register_channel_res,
  subscribe,
  unsubscribe,
  subscribe_result,
  subscribe_result_res,
  invoke,
  invoke_result,
  heartbeat,
  heartbeat_res,
  other
};

// The object; which fields count, the type tells.
struct ConnObject {
  ClusterType type = ClusterType::other;
  std::string name;         // channelName, key or method; of other: the type
  std::string reg;          // JSON, without spaces; "" = none
  uint32_t arguments = 0;   // argLength
  bool oneway = false, success = false;
};
// Null, or why it is none.
const char* parse_conn(std::string_view json, ConnObject& out);
std::string print_conn(const ConnObject& c);

void put_cluster(base::Buffer& out, bool response, uint64_t id, uint32_t timeout_ms, std::string_view conn,
                 const void* app, size_t n);

// Arguments: u32 length and bytes each, big endian there, little endian here
// (MW_F_PARTS). swap_parts turns one into the other and counts; false: not a
// whole list.
bool swap_parts(const uint8_t* p, size_t n, bool big_endian, base::Buffer& out, uint32_t* count);

}  // namespace mw::wire
