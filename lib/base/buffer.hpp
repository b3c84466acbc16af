// A growing byte array that is not zeroed, consumed from the front.
// Used by wire, net and link for partial frames and output. One thread.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace mw::base {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)),
        head_(std::exchange(o.head_, 0)),
        size_(std::exchange(o.size_, 0)),
        capacity_(std::exchange(o.capacity_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(head_, o.head_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  uint8_t* data() noexcept { return data_ + head_; }
  const uint8_t* data() const noexcept { return data_ + head_; }
  size_t size() const noexcept { return size_ - head_; }
  bool empty() const noexcept { return size_ == head_; }
  size_t capacity() const noexcept { return capacity_; }

  // Room for n more bytes at the end; throws std::bad_alloc.
  uint8_t* room(size_t n) {
    if (capacity_ - size_ < n) grow(n);
    return data_ + size_;
  }
  // n bytes written into room() now count.
  void wrote(size_t n) noexcept { size_ += n; }
  void append(const void* p, size_t n) {
    if (n == 0) return;
    std::memcpy(room(n), p, n);
    size_ += n;
  }
  void push(uint8_t b) { *room(1) = b, ++size_; }
  // Drops n bytes from the front.
  void consume(size_t n) noexcept {
    head_ += n;
    if (head_ == size_) head_ = size_ = 0;
  }
  void clear() noexcept { head_ = size_ = 0; }
  void resize_down(size_t n) noexcept { size_ = head_ + n; }
  // Gives the memory back.
  void release() noexcept {
    std::free(data_);
    data_ = nullptr;
    head_ = size_ = capacity_ = 0;
  }

 private:
  void grow(size_t n) {
    size_t live = size_ - head_;
    if (head_ > 0 && capacity_ - live >= n && head_ >= live) {
      std::memcpy(data_, data_ + head_, live);
    } else {
      size_t cap = capacity_ ? capacity_ : 64;
      while (cap - live < n) cap *= 2;
      auto* d = static_cast<uint8_t*>(std::malloc(cap));
      if (d == nullptr) throw std::bad_alloc();
      if (live) std::memcpy(d, data_ + head_, live);
      std::free(data_);
      data_ = d;
      capacity_ = cap;
    }
    head_ = 0;
    size_ = live;
  }
  uint8_t* data_ = nullptr;
  size_t head_ = 0, size_ = 0, capacity_ = 0;
};

}  // namespace mw::base
