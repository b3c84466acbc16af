// What fuzz targets share: the input eaten from the front, cut sizes from its
// end, and a check that a fuzzer takes for a crash.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#define CHECK(x)                                                                  \
  do {                                                                            \
    if (!(x)) {                                                                   \
      std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #x);  \
      std::abort();                                                               \
    }                                                                             \
  } while (0)

namespace mw::fuzz {

class Input {
 public:
  Input(const uint8_t* p, size_t n) : p_(p), n_(n) {}
  size_t left() const { return n_; }
  uint8_t byte() {
    if (n_ == 0) return 0;
    n_--;
    return *p_++;
  }
  // The size of the next piece of `rest` bytes, chosen by the last byte.
  size_t cut(size_t rest) {
    if (n_ == 0 || rest == 0) return rest;
    size_t want = p_[--n_];
    want = want < 128 ? want + 1 : (want - 127) * 97;  // short and long ones
    return want < rest ? want : rest;
  }
  std::string_view text() const { return {reinterpret_cast<const char*>(p_), n_}; }

 private:
  const uint8_t* p_;
  size_t n_;
};

// Bytes alone in memory of their exact size, so that a read past them is seen.
class Exact {
 public:
  Exact(const uint8_t* p, size_t n) : p_(new uint8_t[n]), n_(n) {
    if (n != 0) std::memcpy(p_.get(), p, n);
  }
  explicit Exact(std::string_view s) : Exact(reinterpret_cast<const uint8_t*>(s.data()), s.size()) {}
  uint8_t* data() const { return p_.get(); }
  size_t size() const { return n_; }

 private:
  std::unique_ptr<uint8_t[]> p_;
  size_t n_;
};

}  // namespace mw::fuzz
