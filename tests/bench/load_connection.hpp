// One connection of the load generator: sends masked frames from a prepared ring, checks what comes back.
// Used by loadgen.cpp; sends at most once and receives once for each turn, as the servers it measures do.
// One thread.
#pragma once
#include "own_wire.hpp"
#include "socket.hpp"
#include "tls_session.hpp"
#include "websocket.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace mw::bench {

// The frames that every connection sends round and round, each with a body of its own.
class Frames {
 public:
  Frames(size_t count, size_t size, bool own_wire) : count_(count), own_wire_(own_wire) {
    for (size_t k = 0; k < count; ++k) {
      std::string body(size, '\0');
      for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 131 + k * 29 + 7);
      if (own_wire) body = message_packet(body);
      ring_ += masked_frame(kBinary, body, 0x12345678u * static_cast<uint32_t>(k + 1) | 0x01010101u);
      bodies_.push_back(std::move(body));
    }
    frame_size_ = ring_.size() / count;
    ring_ += ring_;  // so that what is due never wraps
  }
  bool own_wire() const noexcept { return own_wire_; }
  size_t count() const noexcept { return count_; }
  size_t frame_size() const noexcept { return frame_size_; }
  size_t ring_size() const noexcept { return count_ * frame_size_; }
  const uint8_t* data() const noexcept { return reinterpret_cast<const uint8_t*>(ring_.data()); }
  const std::string& body(size_t k) const noexcept { return bodies_[k]; }

 private:
  size_t count_;
  bool own_wire_;
  size_t frame_size_ = 0;
  std::string ring_;
  std::vector<std::string> bodies_;
};

// Buffers that the connections of one loop share.
struct LoadBuffers {
  std::vector<uint8_t> in = std::vector<uint8_t>(1 << 20);
  std::vector<uint8_t> plain = std::vector<uint8_t>(2 << 20);
  Ciphertext wire;
};

[[noreturn]] inline void wrong(const char* what) {
  std::fprintf(stderr, "load: %s\n", what);
  std::exit(3);
}

class LoadConnection {
 public:
  LoadConnection(uint16_t port, SSL_CTX* tls, const Frames& frames, bool verify, size_t ring, LoadBuffers& buffers)
      : frames_(frames), buffers_(buffers), verify_(verify), fd_(connect_loopback(port)), sent_at_(ring) {
    if (tls != nullptr) open_tls(tls);
    put(upgrade_request(frames.own_wire() ? kOwnSubprotocol : ""));
    std::string answer;
    while (answer.find("\r\n\r\n") == std::string::npos) answer.append(receive());
    if (answer.rfind("HTTP/1.1 101", 0) != 0) wrong("the server refused the upgrade");
    if (frames.own_wire()) {
      put(masked_frame(kBinary, hello_packet(), 0x01020304u));
      await(answer.substr(answer.find("\r\n\r\n") + 4),
            [](uint8_t, const std::string& body) { return !body.empty() && body[0] == kHelloPacket; });
    }
    non_blocking(fd_);
  }
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;
  ~LoadConnection() { close(fd_); }

  int fd() const noexcept { return fd_; }
  bool waiting() const noexcept { return waiting_; }

  // Makes n more messages due, sent at `now` as the latency counts it.
  void due(size_t n, int64_t now) {
    if (last_ - first_ + n > sent_at_.size()) wrong("more in flight than remembered: the server stalled");
    for (size_t i = 0; i < n; ++i) sent_at_[last_++ % sent_at_.size()] = now;
    due_ += n * frames_.frame_size();
  }
  // The same where no echo is expected.
  void due_one_way(size_t n) { due_ += n * frames_.frame_size(); }

  // Sends what is due; true when the socket took it all.
  bool flush() {
    while (due_ != 0 && encrypted_.empty()) {
      const size_t n = std::min(due_, 2 * frames_.ring_size() - at_);
      const ssize_t sent = tls_ ? encrypt(frames_.data() + at_, n) : send(fd_, frames_.data() + at_, n, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) fail("load: send");
      if (sent < 0) break;
      due_ -= static_cast<size_t>(sent);
      at_ = (at_ + static_cast<size_t>(sent)) % frames_.ring_size();
    }
    if (!encrypted_.empty()) send_encrypted();
    waiting_ = due_ != 0 || !encrypted_.empty();
    return !waiting_;
  }

  // Receives once; calls whole(sent_at) for each message that is complete. Answers how many were.
  template <class F>
  size_t receive_messages(F&& whole) {
    const std::string_view came = receive();
    const auto* p = reinterpret_cast<const uint8_t*>(came.data());
    const uint8_t* const end = p + came.size();
    size_t messages = 0;
    while (p < end) {
      if (left_ == 0 && !in_body_) {
        p += take_head(p, static_cast<size_t>(end - p));
        if (!in_body_) continue;
      }
      const size_t part = std::min(left_, static_cast<size_t>(end - p));
      if (data_frame_ && verify_) check(p, part);
      p += part;
      left_ -= part;
      if (left_ != 0) break;
      in_body_ = false;
      if (!data_frame_) continue;
      ++messages;
      whole(sent_at_[first_++ % sent_at_.size()]);
      if (++expected_ == frames_.count()) expected_ = 0;
    }
    return messages;
  }

  // Asks a counting server for its count, blocking: its answer as text.
  std::string ask() {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
    while (!flush()) continue;
    put(masked_frame(kText, "?", 0x01020304u));
    return await("", [](uint8_t opcode, const std::string&) { return opcode == kText; });
  }

 private:
  void open_tls(SSL_CTX* tls) {
    tls_ = std::make_unique<TlsSession>(tls, false, buffers_.wire);
    for (;;) {
      const int verdict = tls_->handshake();
      if (verdict < 0) wrong("the TLS handshake failed");
      keep_encrypted();
      send_encrypted();
      if (verdict == 1) return;
      const ssize_t n = recv(fd_, buffers_.in.data(), buffers_.in.size(), 0);
      if (n <= 0) fail("load: handshake");
      buffers_.wire.in = buffers_.in.data();
      buffers_.wire.left = static_cast<size_t>(n);
    }
  }

  // Blocks until a frame comes that is wanted; answers its body. got: bytes that are here already.
  template <class F>
  std::string await(std::string got, F&& wanted) {
    for (;;) {
      const Head head = read_head(reinterpret_cast<const uint8_t*>(got.data()), got.size());
      if (!head.complete || got.size() < head.size + head.body) {
        got.append(receive());
        continue;
      }
      const std::string body = got.substr(head.size, head.body);
      if (wanted(head.first & 15, body)) return body;
      got.erase(0, head.size + head.body);
    }
  }

  void put(const std::string& text) {
    const auto* p = reinterpret_cast<const uint8_t*>(text.data());
    if (tls_) {
      encrypt(p, text.size());
      send_encrypted();
    } else if (send(fd_, p, text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
      fail("load: send");
    }
  }

  ssize_t encrypt(const uint8_t* p, size_t n) {
    if (!tls_->write(p, n)) wrong("TLS refused to encrypt");
    keep_encrypted();
    return static_cast<ssize_t>(n);
  }

  void keep_encrypted() { std::swap(encrypted_, buffers_.wire.out); }

  void send_encrypted() {
    const ssize_t sent = send(fd_, encrypted_.data(), encrypted_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("load: send");
    encrypted_.erase(0, sent < 0 ? 0 : static_cast<size_t>(sent));
    if (encrypted_.empty()) std::swap(encrypted_, buffers_.wire.out);  // the capacity goes round, too
  }

  // Plaintext of one recv, in a shared buffer.
  std::string_view receive() {
    const ssize_t n = recv(fd_, buffers_.in.data(), buffers_.in.size(), 0);
    if (n == 0) wrong("the server closed a connection");
    if (n < 0 && errno != EAGAIN) fail("load: recv");
    if (n < 0) return {};
    if (!tls_) return {reinterpret_cast<char*>(buffers_.in.data()), static_cast<size_t>(n)};
    buffers_.wire.in = buffers_.in.data();
    buffers_.wire.left = static_cast<size_t>(n);
    const ssize_t plain = tls_->read(buffers_.plain.data(), buffers_.plain.size());
    if (plain < 0) wrong("the server closed a TLS session");
    return {reinterpret_cast<char*>(buffers_.plain.data()), static_cast<size_t>(plain)};
  }

  // Reads a head, whole or the rest of one; answers the bytes used.
  size_t take_head(const uint8_t* p, size_t n) {
    Head head;
    size_t used;
    if (partial_.empty()) {
      head = read_head(p, n);
      used = head.size;
      if (!head.complete) return partial_.assign(p, p + n), n;
    } else {
      used = 0;
      while (!head.complete && used < n) {
        partial_.push_back(p[used++]);
        head = read_head(partial_.data(), partial_.size());
      }
      if (!head.complete) return used;
      partial_.clear();
    }
    data_frame_ = (head.first & 15) < kClose;
    if (head.masked || (head.first & 15) == kClose) wrong("a close or a masked frame came");
    if (data_frame_ && (head.first != (0x80 | kBinary) || head.body != frames_.body(0).size()))
      wrong("an answer differs from its request in kind or length");
    in_body_ = true;
    left_ = head.body;
    return used;
  }

  void check(const uint8_t* p, size_t n) {
    const std::string& body = frames_.body(expected_);
    if (std::memcmp(body.data() + (body.size() - left_), p, n) != 0) wrong("an answer differs from its request");
  }

  const Frames& frames_;
  LoadBuffers& buffers_;
  bool verify_;
  int fd_;
  std::unique_ptr<TlsSession> tls_;
  bool waiting_ = false;
  size_t due_ = 0;  // bytes
  size_t at_ = 0;   // in the ring
  std::string encrypted_;

  std::vector<int64_t> sent_at_;
  uint64_t first_ = 0, last_ = 0;

  std::vector<uint8_t> partial_;  // head
  size_t left_ = 0;               // of a body
  bool in_body_ = false;
  bool data_frame_ = false;
  size_t expected_ = 0;
};

}  // namespace mw::bench
