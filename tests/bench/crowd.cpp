// Many connections that only listen. Opens --count of them one after another and prints "ready"; then, with --frame=N,
// prints "round" each time every one of them has received N more bytes; without, it just keeps them open. With --own-wire
// each says hello first.
#include "args.hpp"
#include "own_wire.hpp"
#include "socket.hpp"
#include "tls_session.hpp"
#include "websocket.hpp"

#include <sys/epoll.h>

#include <string>
#include <vector>

namespace mw::bench {
namespace {

void upgrade(int fd, const std::string& request) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("crowd: send");
  std::string answer;
  char byte;
  while (!answer.ends_with("\r\n\r\n")) {  // not one byte of what follows
    if (recv(fd, &byte, 1, 0) != 1) fail("crowd: upgrade");
    answer += byte;
  }
  if (!answer.starts_with("HTTP/1.1 101")) fail("crowd: refused");
}

// The session ends here without a word, so the other side keeps its half and the crowd itself stays small.
void upgrade_tls(int fd, SSL_CTX* ctx, const std::string& request) {
  SSL* ssl = SSL_new(ctx);
  SSL_set_fd(ssl, fd);
  char answer[1024] = {};
  if (SSL_connect(ssl) != 1 || SSL_write(ssl, request.data(), static_cast<int>(request.size())) <= 0 ||
      SSL_read(ssl, answer, sizeof answer - 1) <= 0 || std::strncmp(answer, "HTTP/1.1 101", 12) != 0)
    fail("crowd: TLS");
  SSL_free(ssl);
}

[[noreturn]] void count_rounds(const std::vector<int>& fds, size_t frame) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (const int fd : fds) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }
  std::vector<char> buffer(1 << 20);
  size_t received = 0;
  for (;;) {
    epoll_event events[1024];
    const int n = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < n; ++i) {
      const ssize_t got = recv(events[i].data.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) std::exit(3);  // the server ended, or a figure would be wrong
      received += static_cast<size_t>(got);
    }
    for (; received >= frame * fds.size(); received -= frame * fds.size()) {
      std::puts("round");
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace mw::bench

int main(int argc, char** argv) {
  using namespace mw::bench;
  const Args args(argc, argv, " port count frame tls own-wire ");
  const bool own_wire = args.has("own-wire");
  const std::string request = upgrade_request(own_wire ? kOwnSubprotocol : "");
  const std::string hello = own_wire ? masked_frame(kBinary, hello_packet(), 0x01020304u) : "";
  SSL_CTX* ctx = args.has("tls") ? tls_context(false) : nullptr;
  std::vector<int> fds;
  for (long i = 0; i < args.number("count", 1); ++i) {
    const int fd = connect_loopback(static_cast<uint16_t>(args.number("port", 0)));
    ctx != nullptr ? upgrade_tls(fd, ctx, request) : upgrade(fd, request);
    if (own_wire && send(fd, hello.data(), hello.size(), MSG_NOSIGNAL) < 0) fail("crowd: send");
    fds.push_back(fd);
  }
  std::puts("ready");
  std::fflush(stdout);
  if (args.has("frame")) count_rounds(fds, static_cast<size_t>(args.number("frame", 0)));
  pause();
}
