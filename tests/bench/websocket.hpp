// As much WebSocket as a baseline needs (RFC 6455): upgrade texts, frame heads, masked frames.
// Used by the programs of this folder; written apart from the library, which it measures.
// Any thread.
#pragma once
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mw::bench {

constexpr uint8_t kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

// Section 4.1. The key is not random: nothing here caches.
inline std::string upgrade_request(const std::string& subprotocol = "") {
  return "GET /connect HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: bWVzaHdvcmsgYmVuY2ghIQ==\r\nSec-WebSocket-Version: 13\r\n" +
         (subprotocol.empty() ? "" : "Sec-WebSocket-Protocol: " + subprotocol + "\r\n") + "\r\n";
}

// Section 4.2.2. Empty when the request has no key.
inline std::string upgrade_answer(std::string_view request) {
  constexpr std::string_view name = "Sec-WebSocket-Key: ";
  const size_t at = request.find(name);
  if (at == std::string_view::npos) return {};
  std::string_view key = request.substr(at + name.size());
  const std::string seed = std::string(key.substr(0, key.find("\r\n"))) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  unsigned char accept[32];
  SHA1(reinterpret_cast<const unsigned char*>(seed.data()), seed.size(), digest);
  EVP_EncodeBlock(accept, digest, sizeof digest);
  return std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: ") +
         reinterpret_cast<char*>(accept) + "\r\n\r\n";
}

constexpr size_t kMaxHead = 10;  // of an unmasked frame

// Section 5.2: writes the head of a whole, unmasked message; answers its length.
inline size_t write_head(uint8_t* out, uint8_t opcode, size_t length) {
  out[0] = static_cast<uint8_t>(0x80 | opcode);
  if (length < 126) {
    out[1] = static_cast<uint8_t>(length);
    return 2;
  }
  const size_t bytes = length < 65536 ? 2 : 8;
  out[1] = bytes == 2 ? 126 : 127;
  for (size_t i = 0; i < bytes; ++i) out[2 + i] = static_cast<uint8_t>(length >> (8 * (bytes - 1 - i)));
  return 2 + bytes;
}

// Head of a frame in p[0..n). complete is false while bytes are missing.
struct Head {
  bool complete = false;
  uint8_t first = 0;  // FIN, reserved bits, opcode
  bool masked = false;
  size_t size = 0;  // of the head itself, with the key
  uint64_t body = 0;
};

inline Head read_head(const uint8_t* p, size_t n) {
  Head h;
  if (n < 2) return h;
  h.first = p[0];
  h.masked = (p[1] & 0x80) != 0;
  h.body = p[1] & 0x7f;
  const size_t extra = h.body == 126 ? 2 : h.body == 127 ? 8 : 0;
  h.size = 2 + extra + (h.masked ? 4 : 0);
  if (n < h.size) return h;
  if (extra != 0) {
    h.body = 0;
    for (size_t i = 0; i < extra; ++i) h.body = h.body << 8 | p[2 + i];
  }
  h.complete = true;
  return h;
}

// Section 5.3; masking and unmasking are the same.
inline void mask(uint8_t* p, size_t n, const uint8_t* key) {
  uint32_t word;
  std::memcpy(&word, key, 4);
  const uint64_t wide = static_cast<uint64_t>(word) << 32 | word;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t v;
    std::memcpy(&v, p + i, 8);
    v ^= wide;
    std::memcpy(p + i, &v, 8);
  }
  for (; i < n; ++i) p[i] ^= key[i & 3];
}

// A whole message as a client sends it.
inline std::string masked_frame(uint8_t opcode, std::string body, uint32_t key) {
  uint8_t head[kMaxHead];
  const size_t size = write_head(head, opcode, body.size());
  head[1] |= 0x80;
  uint8_t bytes[4];
  std::memcpy(bytes, &key, 4);
  mask(reinterpret_cast<uint8_t*>(body.data()), body.size(), bytes);
  return std::string(reinterpret_cast<char*>(head), size) + std::string(reinterpret_cast<char*>(bytes), 4) + body;
}

}  // namespace mw::bench
