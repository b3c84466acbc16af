#include "inject.h"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

std::atomic<int> g_what{FAULT_NONE};
std::atomic<long> g_left{0}, g_row{1};
std::atomic<const char*> g_hit{nullptr};

bool hit(fault what, const char* name) {
  if (g_what.load(std::memory_order_relaxed) != what) return false;
  long left = g_left.fetch_sub(1);
  if (left > 1 || left <= 1 - g_row) return false;
  g_hit = name;
  return true;
}

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void fault_arm(fault what, long nth, long row) {
  g_hit = nullptr;
  g_row = row;
  g_left = nth;
  g_what = what;
}

const char* fault_disarm() {
  g_what = FAULT_NONE;
  return g_hit;
}

// ---- Memory ----
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The sanitizer owns malloc; what C++ asks for can still fail.
void* operator new(size_t n) {
  if (hit(FAULT_MEMORY, "operator new")) throw std::bad_alloc();
  void* p = std::malloc(n > 0 ? n : 1);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new(size_t n, const std::nothrow_t&) noexcept {
  return hit(FAULT_MEMORY, "operator new") ? nullptr : std::malloc(n > 0 ? n : 1);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
#else
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t n) {
  if (hit(FAULT_MEMORY, "malloc")) return errno = ENOMEM, nullptr;
  return __libc_malloc(n);
}
void* calloc(size_t n, size_t size) {
  if (hit(FAULT_MEMORY, "calloc")) return errno = ENOMEM, nullptr;
  return __libc_calloc(n, size);
}
void* realloc(void* p, size_t n) {
  if (hit(FAULT_MEMORY, "realloc")) return errno = ENOMEM, nullptr;
  return __libc_realloc(p, n);
}
void* aligned_alloc(size_t align, size_t n) {
  if (hit(FAULT_MEMORY, "aligned_alloc")) return errno = ENOMEM, nullptr;
  return __libc_memalign(align, n);
}
int posix_memalign(void** p, size_t align, size_t n) {
  if (hit(FAULT_MEMORY, "posix_memalign")) return ENOMEM;
  *p = __libc_memalign(align, n);
  return *p != nullptr ? 0 : ENOMEM;
}
}
#endif

// ---- System calls, each with the error it is most likely to have ----
#define FAULT_WRAP(result, name, error, parameters, arguments)             \
  extern "C" result name parameters {                                      \
    static auto real = next<result parameters>(#name);                     \
    if (hit(FAULT_CALL, #name)) return errno = error, static_cast<result>(-1); \
    return real arguments;                                                 \
  }

FAULT_WRAP(int, socket, EMFILE, (int a, int b, int c), (a, b, c))
FAULT_WRAP(int, bind, EADDRINUSE, (int fd, const sockaddr* a, socklen_t n), (fd, a, n))
FAULT_WRAP(int, listen, EADDRINUSE, (int fd, int n), (fd, n))
FAULT_WRAP(int, accept4, EMFILE, (int fd, sockaddr* a, socklen_t* n, int flags), (fd, a, n, flags))
FAULT_WRAP(int, connect, ECONNREFUSED, (int fd, const sockaddr* a, socklen_t n), (fd, a, n))
FAULT_WRAP(int, getsockname, ENOBUFS, (int fd, sockaddr* a, socklen_t* n) noexcept, (fd, a, n))
FAULT_WRAP(int, getpeername, ENOTCONN, (int fd, sockaddr* a, socklen_t* n) noexcept, (fd, a, n))
FAULT_WRAP(int, setsockopt, ENOMEM, (int fd, int l, int o, const void* p, socklen_t n) noexcept, (fd, l, o, p, n))
FAULT_WRAP(int, getsockopt, ENOBUFS, (int fd, int l, int o, void* p, socklen_t* n) noexcept, (fd, l, o, p, n))
FAULT_WRAP(int, epoll_create1, EMFILE, (int flags) noexcept, (flags))
FAULT_WRAP(int, eventfd, EMFILE, (unsigned n, int flags) noexcept, (n, flags))
FAULT_WRAP(int, timerfd_create, EMFILE, (clockid_t id, int flags) noexcept, (id, flags))
FAULT_WRAP(ssize_t, recv, ECONNRESET, (int fd, void* p, size_t n, int flags), (fd, p, n, flags))
FAULT_WRAP(ssize_t, recvmsg, ECONNRESET, (int fd, msghdr* m, int flags), (fd, m, flags))
FAULT_WRAP(ssize_t, send, ECONNRESET, (int fd, const void* p, size_t n, int flags), (fd, p, n, flags))
FAULT_WRAP(ssize_t, sendmsg, EPIPE, (int fd, const msghdr* m, int flags), (fd, m, flags))
FAULT_WRAP(ssize_t, writev, EPIPE, (int fd, const iovec* v, int n), (fd, v, n))
FAULT_WRAP(ssize_t, getrandom, EINTR, (void* p, size_t n, unsigned flags), (p, n, flags))
FAULT_WRAP(int, getentropy, EIO, (void* p, size_t n), (p, n))

extern "C" int open(const char* path, int flags, ...) {
  static auto real = next<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{};
  va_end(rest);
  if (hit(FAULT_CALL, "open")) return errno = EMFILE, -1;
  return real(path, flags, mode);
}

// Of files only: reading an eventfd cannot fail so.
extern "C" ssize_t read(int fd, void* p, size_t n) {
  static auto real = next<ssize_t(int, void*, size_t)>("read");
  struct stat what{};
  if (fstat(fd, &what) == 0 && S_ISREG(what.st_mode) && hit(FAULT_CALL, "read")) return errno = EIO, -1;
  return real(fd, p, n);
}

// Only adding asks the kernel for anything. Asio's reactor does not look
// whether its own waker and timer were added, so these are spared.
extern "C" int epoll_ctl(int fd, int op, int other, epoll_event* e) noexcept {
  static auto real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
  bool asio_itself = e != nullptr && (e->events & ~EPOLLET) == (EPOLLIN | EPOLLERR);
  if (op == EPOLL_CTL_ADD && !asio_itself && hit(FAULT_CALL, "epoll_ctl")) return errno = ENOSPC, -1;
  return real(fd, op, other, e);
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attr, void* (*fn)(void*), void* arg) noexcept {
  static auto real = next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  if (hit(FAULT_CALL, "pthread_create")) return EAGAIN;
  return real(thread, attr, fn, arg);
}
