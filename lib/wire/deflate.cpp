#include "wire/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <utility>

namespace mw::wire {
namespace {

// zlib counts in unsigned int.
constexpr size_t kMaxStep = size_t{1} << 30;
constexpr uint8_t kMaxFinals = 16;
constexpr uint8_t kTail[4] = {0x00, 0x00, 0xff, 0xff};

}  // namespace

CompressMemory compress_memory(Compress preset) noexcept {
  switch (preset) {
    case Compress::k3: return {9, 1};     // 2 + 1 KiB
    case Compress::k4: return {9, 2};     // 2 + 2
    case Compress::k8: return {10, 3};    // 4 + 4
    case Compress::k16: return {11, 4};   // 8 + 8
    case Compress::k32: return {12, 5};   // 16 + 16
    case Compress::k64: return {13, 6};   // 32 + 32
    case Compress::k128: return {14, 7};  // 64 + 64
    default: return {15, 8};              // 128 + 128
  }
}

Deflator::Deflator(int bits, int mem_level, bool no_takeover)
    : z_(std::make_unique<z_stream_s>()), no_takeover_(no_takeover) {
  // zlib's raw deflate has no 256-byte window: it refuses 8 or takes 9. With
  // Z_RLE every distance is 1, so a window of 9 bits emits what fits in 8.
  int strategy = bits < 9 ? Z_RLE : Z_DEFAULT_STRATEGY;
  if (deflateInit2(z_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -std::max(bits, 9), mem_level,
                   strategy) != Z_OK)
    throw std::bad_alloc();
}
Deflator::Deflator(Deflator&&) noexcept = default;
Deflator& Deflator::operator=(Deflator&& o) noexcept {
  std::swap(z_, o.z_);
  std::swap(no_takeover_, o.no_takeover_);
  std::swap(begun_, o.begun_);
  return *this;
}
Deflator::~Deflator() {
  if (z_) deflateEnd(z_.get());
}

void Deflator::compress(const uint8_t* p, size_t n, base::Buffer& out, bool last) {
  if (n == 0) {
    // zlib has nothing to flush twice; an empty stored block says the same (7.2.3.6).
    if (last) {
      out.push(0x00);
      if (begun_ && no_takeover_) deflateReset(z_.get());
      begun_ = false;
    }
    return;
  }
  size_t given = 0;
  do {
    size_t step = std::min(n - given, kMaxStep);
    z_->next_in = const_cast<uint8_t*>(p + given);
    z_->avail_in = static_cast<uInt>(step);
    given += step;
    int flush = given == n ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    // Most messages shrink: half is enough for one call.
    size_t room = step / 2 + 64;
    for (bool full = true; full; room *= 2) {
      z_->next_out = out.room(room);
      z_->avail_out = static_cast<uInt>(room);
      ::deflate(z_.get(), flush);
      out.wrote(room - z_->avail_out);
      full = z_->avail_out == 0;
    }
  } while (given < n);
  if (!last) {
    begun_ = true;
    return;
  }
  out.resize_down(out.size() - sizeof kTail);
  begun_ = false;
  if (no_takeover_) deflateReset(z_.get());
}

Inflator::Inflator(int bits, bool no_takeover)
    : z_(std::make_unique<z_stream_s>()), bits_(std::max(bits, 9)), no_takeover_(no_takeover) {
  if (inflateInit2(z_.get(), -bits_) != Z_OK) throw std::bad_alloc();
}
Inflator::Inflator(Inflator&&) noexcept = default;
Inflator& Inflator::operator=(Inflator&& o) noexcept {
  std::swap(z_, o.z_);
  std::swap(bits_, o.bits_);
  std::swap(no_takeover_, o.no_takeover_);
  std::swap(in_, o.in_);
  std::swap(out_, o.out_);
  std::swap(finals_, o.finals_);
  return *this;
}
Inflator::~Inflator() {
  if (z_) inflateEnd(z_.get());
}

void Inflator::reset() noexcept {
  inflateReset(z_.get());
  in_ = out_ = finals_ = 0;
}

bool Inflator::inflate(const uint8_t* p, size_t n, bool last, const InflateLimit& limit,
                       base::Buffer& out, Violation& v) {
  if (message(p, n, last, limit, out, v)) return true;
  reset();
  return false;
}

bool Inflator::message(const uint8_t* p, size_t n, bool last, const InflateLimit& limit,
                       base::Buffer& out, Violation& v) {
  in_ += n;
  if (!run(p, n, limit, out, v)) return false;
  if (!last) return true;
  // No byte at all is no DEFLATE data, but some ends send their empty messages so.
  if (in_ == 0) return true;
  const uint64_t made = out_;
  if (!run(kTail, sizeof kTail, limit, out, v)) return false;
  // The tail is an empty stored block: a whole message makes nothing more of
  // it and leaves zlib between two blocks (bit 7) on a byte boundary (bits 0-2).
  if (out_ != made || (z_->data_type & 0x87) != 0x80) {
    v = {1007, "bad compressed data"};
    return false;
  }
  in_ = out_ = finals_ = 0;
  if (no_takeover_) inflateReset(z_.get());
  return true;
}

bool Inflator::run(const uint8_t* p, size_t n, const InflateLimit& limit, base::Buffer& out,
                   Violation& v) {
  size_t given = 0;
  size_t want = std::min(n, kMaxStep / 8) * 4 + 256;
  z_->avail_in = 0;
  for (;;) {
    if (z_->avail_in == 0 && given < n) {
      size_t step = std::min(n - given, kMaxStep);
      z_->next_in = const_cast<uint8_t*>(p + given);
      z_->avail_in = static_cast<uInt>(step);
      given += step;
    }
    // One byte above the limit shows that it is exceeded; no more is asked for.
    size_t room = std::min(limit.max_out - static_cast<size_t>(out_), want - 1) + 1;
    want = std::min(want * 2, kMaxStep);
    z_->next_out = out.room(room);
    z_->avail_out = static_cast<uInt>(room);
    int r = ::inflate(z_.get(), Z_SYNC_FLUSH);
    size_t made = room - z_->avail_out;
    out.wrote(made);
    out_ += made;
    if (out_ > limit.max_out) {
      v = {1009, "message too large"};
      return false;
    }
    if (limit.max_ratio != 0 && out_ > kRatioFloor && out_ / limit.max_ratio > in_) {
      v = {1009, "compression bomb"};
      return false;
    }
    if (r == Z_MEM_ERROR) throw std::bad_alloc();
    if (r == Z_STREAM_END) {
      // A block with BFINAL (7.2.3.4): what follows begins on the next byte
      // and may still refer back, so the window is carried over.
      // One a message is what senders need; copying windows for every two
      // bytes would be an attack.
      if (++finals_ > kMaxFinals) {
        v = {1007, "bad compressed data"};
        return false;
      }
      uint8_t window[1 << 15];
      uInt len = 0;
      inflateGetDictionary(z_.get(), window, &len);
      inflateReset(z_.get());
      inflateSetDictionary(z_.get(), window, len);
      if (z_->avail_in == 0 && given == n) return true;
      continue;
    }
    if (r != Z_OK && r != Z_BUF_ERROR) {
      v = {1007, "bad compressed data"};
      return false;
    }
    // Room left over means zlib wants input.
    if (z_->avail_out != 0 && z_->avail_in == 0 && given == n) return true;
    if (made == 0 && z_->avail_in != 0 && z_->avail_out != 0) {
      v = {1007, "bad compressed data"};
      return false;
    }
  }
}

Deflator& SharedDeflate::deflator(int bits) {
  auto& d = out_[bits - 8];
  if (!d) d = std::make_unique<Deflator>(bits, compress_memory(Compress::shared).level, true);
  return *d;
}

Inflator& SharedDeflate::inflator() {
  if (!in_) in_ = std::make_unique<Inflator>(15, true);
  return *in_;
}

}  // namespace mw::wire
