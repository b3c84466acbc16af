// A storm: --count TLS connections begun at once, each through handshake and upgrade, then held until the end.
// Prints one line of JSON when the last one is through; a failed connection is counted, not tried again.
#include "args.hpp"
#include "socket.hpp"
#include "tls_session.hpp"
#include "websocket.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace mw::bench {
namespace {

class Storm {
 public:
  explicit Storm(uint16_t port, size_t count) : epoll_(epoll_create1(EPOLL_CLOEXEC)), guests_(count) {
    SSL_CTX_set_mode(tls_, SSL_MODE_RELEASE_BUFFERS);
    const sockaddr_in address = loopback(port);
    for (Guest& guest : guests_) {
      guest.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (guest.fd < 0) fail("storm: socket");
      no_delay(guest.fd);
      no_linger(guest.fd);
      if (connect(guest.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
        fail("storm: connect");
      watch(EPOLL_CTL_ADD, guest, EPOLLOUT);
    }
  }

  void run() {
    epoll_event events[512];
    while (through_ + failed_ < guests_.size()) {
      const int n = epoll_wait(epoll_, events, 512, -1);
      for (int i = 0; i < n; ++i) advance(*static_cast<Guest*>(events[i].data.ptr));
    }
  }

  size_t through() const noexcept { return through_; }
  size_t failed() const noexcept { return failed_; }

 private:
  struct Guest {
    int fd = -1;
    SSL* ssl = nullptr;
    bool asked = false;
  };

  void watch(int verb, Guest& guest, uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.ptr = &guest;
    if (epoll_ctl(epoll_, verb, guest.fd, &event) != 0) fail("epoll_ctl");
  }

  void advance(Guest& guest) {
    ERR_clear_error();
    if (guest.ssl == nullptr) {
      guest.ssl = SSL_new(tls_);
      SSL_set_fd(guest.ssl, guest.fd);
      SSL_set_connect_state(guest.ssl);
    }
    if (!guest.asked) {
      const int done = SSL_write(guest.ssl, request_.data(), static_cast<int>(request_.size()));
      if (done <= 0) return wait_or_end(guest, done);
      guest.asked = true;
    }
    char answer[1024] = {};
    const int got = SSL_read(guest.ssl, answer, sizeof answer - 1);
    if (got <= 0) return wait_or_end(guest, got);
    end(guest, std::strncmp(answer, "HTTP/1.1 101", 12) == 0);
  }

  void wait_or_end(Guest& guest, int result) {
    const int why = SSL_get_error(guest.ssl, result);
    if (why == SSL_ERROR_WANT_READ)
      watch(EPOLL_CTL_MOD, guest, EPOLLIN);
    else if (why == SSL_ERROR_WANT_WRITE)
      watch(EPOLL_CTL_MOD, guest, EPOLLOUT);
    else
      end(guest, false);
  }

  // The descriptor stays open: the server keeps the connection.
  void end(Guest& guest, bool well) {
    ++(well ? through_ : failed_);
    watch(EPOLL_CTL_DEL, guest, 0);
    SSL_free(guest.ssl);
  }

  int epoll_;
  SSL_CTX* tls_ = tls_context(false);
  const std::string request_ = upgrade_request();
  std::vector<Guest> guests_;
  size_t through_ = 0;
  size_t failed_ = 0;
};

}  // namespace
}  // namespace mw::bench

int main(int argc, char** argv) {
  using namespace mw::bench;
  const Args args(argc, argv, " port count ");
  alarm(120);  // never longer
  timespec from{}, to{};
  clock_gettime(CLOCK_MONOTONIC, &from);
  Storm storm(static_cast<uint16_t>(args.number("port", 0)), static_cast<size_t>(args.number("count", 1)));
  storm.run();
  clock_gettime(CLOCK_MONOTONIC, &to);
  std::printf("{\"through\":%zu,\"failed\":%zu,\"seconds\":%.3f}\n", storm.through(), storm.failed(),
              static_cast<double>(to.tv_sec - from.tv_sec) + static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e9);
}
