// permessage-deflate's payloads (RFC 7692 section 7.2) over zlib: one
// compressor or decompressor, message by message, with the bound on expansion.
// Used by link. Pure; one thread an object. What was agreed comes from offer.hpp.
#pragma once
#include "base/buffer.hpp"
#include "wire/dialect.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

struct z_stream_s;

namespace mw::wire {

// What a preset means to zlib: window bits and memory level. The name is the
// total a compressor takes: 2^(bits+2) + 2^(level+9) bytes.
struct CompressMemory {
  int bits;
  int level;
};
CompressMemory compress_memory(Compress preset) noexcept;

class Deflator {
 public:
  // bits 8..15, mem_level 1..9. no_takeover: forget each message at its end.
  // Throws std::bad_alloc.
  Deflator(int bits, int mem_level, bool no_takeover);
  Deflator(Deflator&&) noexcept;
  Deflator& operator=(Deflator&&) noexcept;
  ~Deflator();

  // Appends the compressed form of a whole message, or of one fragment with
  // `last` only for the final one (whose 00 00 ff ff is left out, 7.2.1).
  void compress(const uint8_t* p, size_t n, base::Buffer& out, bool last = true);

 private:
  std::unique_ptr<z_stream_s> z_;
  bool no_takeover_;
  bool begun_ = false;  // a fragmented message is under way
};

// How far one message may expand.
struct InflateLimit {
  size_t max_out;       // bytes of the message: "message too large"
  uint32_t max_ratio;   // out / in above kRatioFloor: "compression bomb"; 0 = no bound
};
inline constexpr size_t kRatioFloor = 64 * 1024;

class Inflator {
 public:
  // bits 8..15: the largest window the other side may use. Throws std::bad_alloc.
  Inflator(int bits, bool no_takeover);
  Inflator(Inflator&&) noexcept;
  Inflator& operator=(Inflator&&) noexcept;
  ~Inflator();

  // Appends what n bytes of a message expand to; last: the message ends with
  // them. False: v tells why (1009 for a limit, 1007 for bad data), and
  // everything is forgotten, so that a shared one can serve the next connection.
  bool inflate(const uint8_t* p, size_t n, bool last, const InflateLimit& limit, base::Buffer& out,
               Violation& v);
  // Forgets everything: a connection ended inside a message.
  void reset() noexcept;

 private:
  bool message(const uint8_t* p, size_t n, bool last, const InflateLimit& limit, base::Buffer& out,
               Violation& v);
  bool run(const uint8_t* p, size_t n, const InflateLimit& limit, base::Buffer& out, Violation& v);
  std::unique_ptr<z_stream_s> z_;
  int bits_;
  bool no_takeover_;
  uint64_t in_ = 0, out_ = 0;  // bytes of this message
  uint8_t finals_ = 0;         // blocks with BFINAL in this message
};

// What connections without takeover share on one lane: at most one compressor
// for each window size and one decompressor, made when first wanted.
class SharedDeflate {
 public:
  Deflator& deflator(int bits);
  // Only for whole messages: nothing may be left inside between two calls.
  Inflator& inflator();

 private:
  std::unique_ptr<Deflator> out_[8];  // by bits - 8
  std::unique_ptr<Inflator> in_;
};

}  // namespace mw::wire
