// Finding an object that lies elsewhere by a number of its own: chains through
// the objects, no allocation an entry. Used by caller and callee. The lane's thread.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mw::link {

template <class T, uint64_t T::*kKey, T* T::*kNext>
class Index {
 public:
  // odd: unknown to whoever chooses the keys, so that nobody can make them meet.
  explicit Index(uint64_t odd) noexcept : odd_(odd | 1) {}
  size_t size() const noexcept { return size_; }

  // Throws std::bad_alloc with nothing changed.
  void insert(T& t) {
    if (size_ == chains_.size()) resize(chains_.empty() ? 16 : 2 * chains_.size());
    T*& chain = at(t.*kKey);
    t.*kNext = chain;
    chain = &t;
    ++size_;
  }
  T* find(uint64_t key) const noexcept {
    if (size_ == 0) return nullptr;
    T* t = chains_[place(key)];
    while (t != nullptr && t->*kKey != key) t = t->*kNext;
    return t;
  }
  void erase(T& t) noexcept {
    T** link = &at(t.*kKey);
    while (*link != &t) link = &((*link)->*kNext);
    *link = t.*kNext;
    if (--size_ == 0 && chains_.size() > kKept) chains_ = {};
  }

 private:
  static constexpr size_t kKept = 1024;  // chains of an empty index
  size_t place(uint64_t key) const noexcept {
    return static_cast<size_t>((key * odd_) >> (64 - std::countr_zero(chains_.size())));
  }
  T*& at(uint64_t key) noexcept { return chains_[place(key)]; }
  void resize(size_t n) {
    std::vector<T*> old(n);
    old.swap(chains_);
    for (T* t : old)
      while (t != nullptr) {
        T* next = t->*kNext;
        T*& chain = at(t->*kKey);
        t->*kNext = chain;
        chain = t;
        t = next;
      }
  }
  std::vector<T*> chains_;
  size_t size_ = 0;
  const uint64_t odd_;
};

}  // namespace mw::link
