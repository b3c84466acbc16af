#include "base/process.hpp"

#include <new>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace mw::base {

namespace {
std::atomic<uint64_t> g_fallback{0};  // where the kernel cannot wipe: fork is not told
}

std::atomic<uint64_t>* g_birth = &g_fallback;

uint64_t process_birth() noexcept {
  static bool once = [] {
    size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* p = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED && madvise(p, page, MADV_WIPEONFORK) == 0)
      g_birth = new (p) std::atomic<uint64_t>(0);
    else if (p != MAP_FAILED)
      munmap(p, page);
    return true;
  }();
  (void)once;
  uint64_t now = g_birth->load(std::memory_order_relaxed);
  if (now == 0) {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t made = ((static_cast<uint64_t>(getpid()) << 40) ^ (static_cast<uint64_t>(t.tv_nsec) << 8) ^
                     static_cast<uint64_t>(t.tv_sec)) |
                    1;
    g_birth->compare_exchange_strong(now, made, std::memory_order_relaxed);
    now = g_birth->load(std::memory_order_relaxed);
  }
  return now;
}

}  // namespace mw::base
