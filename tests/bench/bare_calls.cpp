// What calls are measured against: the same bytes over bare blocking sockets,
// one read and one write for all that is there.
//   bare_calls serve | call PORT IN_FLIGHT SIZE SECONDS     prints {"rate":...,"client_us":...}
#include "socket.hpp"

#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace mw::bench {
namespace {

double now(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

bool all(int fd, const char* p, size_t n) {  // false: the other end has gone
  while (n != 0) {
    const ssize_t r = send(fd, p, n, MSG_NOSIGNAL);
    if (r <= 0) return false;
    p += r;
    n -= static_cast<size_t>(r);
  }
  return true;
}

int serve() {
  const int listener = listen_and_announce(0);
  std::vector<char> buffer(512 << 10);
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) fail("accept");
    no_delay(fd);
    for (ssize_t n; (n = recv(fd, buffer.data(), buffer.size(), 0)) > 0 && all(fd, buffer.data(), static_cast<size_t>(n));)
      continue;
    close(fd);
  }
}

int call(uint16_t port, size_t in_flight, size_t size, double seconds) {
  const int fd = connect_loopback(port);
  no_delay(fd);
  const std::string some(in_flight * size, 'x');
  std::vector<char> buffer(512 << 10);
  if (!all(fd, some.data(), some.size())) fail("send");
  size_t answered = 0, part = 0;
  const auto run = [&](double s) {
    for (const double end = now(CLOCK_MONOTONIC) + s; now(CLOCK_MONOTONIC) < end;) {
      const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
      if (n <= 0) fail("recv");
      part += static_cast<size_t>(n);
      const size_t whole = part / size;
      part %= size;
      answered += whole;
      if (whole != 0 && !all(fd, some.data(), whole * size)) fail("send");
    }
  };
  run(seconds / 10);
  answered = 0;
  const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  run(seconds);
  const auto n = static_cast<double>(answered);
  std::printf("{\"rate\":%.0f,\"client_us\":%.3f}\n", n / (now(CLOCK_MONOTONIC) - wall), (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n * 1e6);
  return 0;
}

}  // namespace
}  // namespace mw::bench

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "serve") return mw::bench::serve();
  if (argc == 6)
    return mw::bench::call(static_cast<uint16_t>(std::atoi(argv[2])), static_cast<size_t>(std::atoi(argv[3])),
                           static_cast<size_t>(std::atoi(argv[4])), std::atof(argv[5]));
  std::fprintf(stderr, "usage: bare_calls serve | call PORT IN_FLIGHT SIZE SECONDS\n");
  return 2;
}
