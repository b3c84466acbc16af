// What a publish is measured against: --count upgraded connections and, for each line on standard input, one bare
// send of the same frame to every one of them. Prints the wall and CPU nanoseconds of each round.
#include "args.hpp"
#include "socket.hpp"
#include "websocket.hpp"

#include <ctime>
#include <string>
#include <vector>

namespace mw::bench {
namespace {

int64_t clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

int accept_upgraded(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) fail("accept");
  no_delay(fd);
  char request[4096];
  const ssize_t n = recv(fd, request, sizeof request, 0);
  const std::string answer = upgrade_answer(std::string_view(request, n > 0 ? static_cast<size_t>(n) : 0));
  if (answer.empty() || send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) fail("upgrade");
  non_blocking(fd);
  return fd;
}

}  // namespace
}  // namespace mw::bench

int main(int argc, char** argv) {
  using namespace mw::bench;
  const Args args(argc, argv, " count size ");
  const int listener = listen_and_announce(0);
  std::vector<int> fds;
  for (long i = 0; i < args.number("count", 1); ++i) fds.push_back(accept_upgraded(listener));
  uint8_t head[kMaxHead];
  const std::string body(static_cast<size_t>(args.number("size", 20)), 'x');
  const size_t head_size = write_head(head, kBinary, body.size());
  const std::string frame = std::string(head, head + head_size) + body;
  char line[16];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const int64_t wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (const int fd : fds)
      if (send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) fail("send");
    std::printf("%lld %lld\n", static_cast<long long>(clock_ns(CLOCK_MONOTONIC) - wall),
                static_cast<long long>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu));
    std::fflush(stdout);
  }
}
