// The ceiling: a raw epoll echo with nothing around it, plain or over TLS through memory BIOs. One receive into a
// buffer shared by all, frames parsed where they lie, one send for each connection and turn.
#include "args.hpp"
#include "socket.hpp"
#include "tls_session.hpp"
#include "websocket.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mw::bench {
namespace {

constexpr size_t kRoom = 768 * 1024;     // of each buffer
constexpr size_t kReceive = 512 * 1024;  // at most, at once

struct Peer {
  explicit Peer(int descriptor) : fd(descriptor) {}
  int fd;
  bool open = false;        // upgraded
  bool waiting = false;     // for room in the socket
  std::string rest;         // of a frame that came in part
  std::string unsent;
  std::unique_ptr<TlsSession> tls;
};

class Echo {
 public:
  Echo(int listener, SSL_CTX* tls)
      : listener_(listener), tls_(tls), epoll_(epoll_create1(EPOLL_CLOEXEC)), in_(kRoom), out_(kRoom),
        wire_in_(kReceive) {
    wire_.out.reserve(2 * kRoom);
    watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[1024];
    for (;;) {
      const int n = epoll_wait(epoll_, events, 1024, -1);
      for (int i = 0; i < n; ++i) {
        auto* peer = static_cast<Peer*>(events[i].data.ptr);
        if (peer == nullptr) {
          accept_all();
          continue;
        }
        bool alive = true;
        if ((events[i].events & EPOLLOUT) != 0) alive = send_rest(*peer);
        if (alive && (events[i].events & ~EPOLLOUT) != 0) alive = receive(*peer);
        if (!alive) {
          close(peer->fd);
          delete peer;
        }
      }
    }
  }

 private:
  void watch(int verb, int fd, Peer* peer, uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.ptr = peer;
    if (epoll_ctl(epoll_, verb, fd, &event) != 0) fail("epoll_ctl");
  }

  void accept_all() {
    int fd;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      no_delay(fd);
      auto* peer = new Peer(fd);
      if (tls_ != nullptr) peer->tls = std::make_unique<TlsSession>(tls_, true, wire_);
      watch(EPOLL_CTL_ADD, fd, peer, EPOLLIN);
    }
  }

  bool receive(Peer& peer) {
    const size_t kept = peer.rest.size();
    if (kept > kRoom - kReceive) return false;
    std::memcpy(in_.data(), peer.rest.data(), kept);
    ssize_t n = peer.tls ? recv(peer.fd, wire_in_.data(), kReceive, 0) : recv(peer.fd, in_.data() + kept, kReceive, 0);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    if (peer.tls) {
      wire_.in = wire_in_.data();
      wire_.left = static_cast<size_t>(n);
      n = peer.tls->read(in_.data() + kept, kRoom - kept);
      if (n < 0) return false;
    }
    const size_t have = kept + static_cast<size_t>(n);
    used_ = 0;
    if (!(peer.open || upgrade(peer, have)) || !echo(have)) return false;
    peer.rest.assign(reinterpret_cast<char*>(in_.data()) + used_, have - used_);
    const size_t filled = std::exchange(filled_, 0);
    if (!peer.tls) return send_out(peer, reinterpret_cast<char*>(out_.data()), filled);
    const bool sent = peer.tls->write(out_.data(), filled) && send_out(peer, wire_.out.data(), wire_.out.size());
    wire_.out.clear();
    return sent;
  }

  bool upgrade(Peer& peer, size_t have) {
    const std::string_view text(reinterpret_cast<char*>(in_.data()), have);
    const size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      used_ = 0;
      return true;
    }
    const std::string answer = upgrade_answer(text);
    std::memcpy(out_.data(), answer.data(), answer.size());
    filled_ = answer.size();
    used_ = end + 4;
    return peer.open = !answer.empty();
  }

  // An answer is never longer than its request, so out_ holds what in_ asked for.
  bool echo(size_t have) {
    while (used_ < have) {
      uint8_t* frame = in_.data() + used_;
      const Head head = read_head(frame, have - used_);
      if (!head.complete || have - used_ - head.size < head.body) break;
      const uint8_t opcode = head.first & 15;
      if (!head.masked || (head.first & 0xf0) != 0x80 || opcode == kClose) return false;
      uint8_t* body = frame + head.size;
      mask(body, head.body, body - 4);
      filled_ += write_head(out_.data() + filled_, opcode == kPing ? kPong : opcode, head.body);
      std::memcpy(out_.data() + filled_, body, head.body);
      filled_ += head.body;
      used_ += head.size + head.body;
    }
    return true;
  }

  bool send_out(Peer& peer, const char* p, size_t n) {
    size_t done = 0;
    if (n != 0 && peer.unsent.empty()) {
      const ssize_t sent = send(peer.fd, p, n, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      done = sent < 0 ? 0 : static_cast<size_t>(sent);
    }
    if (done < n) {
      peer.unsent.append(p + done, n - done);
      if (!std::exchange(peer.waiting, true)) watch(EPOLL_CTL_MOD, peer.fd, &peer, EPOLLIN | EPOLLOUT);
    }
    return true;
  }

  bool send_rest(Peer& peer) {
    const ssize_t sent = send(peer.fd, peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    peer.unsent.erase(0, static_cast<size_t>(sent));
    if (peer.unsent.empty() && std::exchange(peer.waiting, false)) watch(EPOLL_CTL_MOD, peer.fd, &peer, EPOLLIN);
    return true;
  }

  int listener_;
  SSL_CTX* tls_;
  int epoll_;
  std::vector<uint8_t> in_, out_, wire_in_;
  size_t used_ = 0;    // of in_
  size_t filled_ = 0;  // of out_
  Ciphertext wire_;
};

}  // namespace
}  // namespace mw::bench

int main(int argc, char** argv) {
  using namespace mw::bench;
  const Args args(argc, argv, " cert key ");
  SSL_CTX* tls = args.has("cert") ? tls_context(true, args.text("cert"), args.text("key")) : nullptr;
  Echo(listen_and_announce(SOCK_NONBLOCK), tls).run();
}
