// As much of the own wire as the load generator speaks (lib/wire/PROTOCOL.md): a hello, and messages without topic.
// Used by loadgen.cpp; written apart from the library, which it measures.
// Any thread.
#pragma once
#include <cstdint>
#include <string>

namespace mw::bench {

inline const std::string kOwnSubprotocol = "meshwork.1";
constexpr char kHelloPacket = 1, kMessagePacket = 2;

inline std::string packet(char type, const std::string& body) {
  std::string out(1, type);
  size_t n = body.size();
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
  return out + body;
}

// Version 1.0 and field 1, a uuid of 16 bytes.
inline std::string hello_packet() {
  const char head[] = {1, 0, 1, 16};
  return packet(kHelloPacket, std::string(head, sizeof head) + std::string(16, 'b'));
}

// Flags 0: binary, no topic, no headers.
inline std::string message_packet(const std::string& body) {
  return packet(kMessagePacket, std::string(1, '\0') + body);
}

}  // namespace mw::bench
