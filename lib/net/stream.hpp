// A connected socket (TCP or unix) with or without TLS, as an Asio stream that
// Beast can read and write, and that gives the connection up to a lane whole.
// For net's listener and dialer. Control thread only; one operation at a time.
#pragma once
#include "base/result.hpp"
#include "net/carrier.hpp"
#include "net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <memory>
#include <type_traits>

namespace mw::net {

namespace asio = boost::asio;

class Stream {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  using executor_type = Socket::executor_type;

  explicit Stream(Socket socket) noexcept : socket_(std::move(socket)) {}
  Stream(Stream&&) noexcept = default;  // only while no operation is pending
  ~Stream() = default;                  // closes

  // Takes over a connected or listening-accepted descriptor (non-blocking,
  // close-on-exec). It is closed when this fails (no memory in the poller).
  static base::Result<Stream> adopt(asio::io_context& io, int fd);

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  Socket& socket() noexcept { return socket_; }
  int fd() noexcept { return socket_.is_open() ? socket_.native_handle() : -1; }
  Tls* tls() noexcept { return tls_.get(); }

  // From here on bytes are encrypted; handshake() comes next.
  void start_tls(std::unique_ptr<Tls> tls) { tls_ = std::move(tls); }
  // Whatever TLS wants to say (an alert, too) has been sent when this returns.
  asio::awaitable<base::Result<void>> handshake();

  // Ends the pending operation with operation_aborted; the stream stays usable for close().
  void cancel() noexcept;
  // Says close_notify where TLS is up and the socket takes it at once, then closes.
  void close() noexcept;

  // Gives the connection up to a lane: no operation may be pending. Ciphertext
  // already read from the kernel is decrypted into carrier.early (at most
  // kWindow bytes), what TLS answers to it is sent first, the descriptor is
  // taken out of Asio's poller. head: plaintext read by the caller past the
  // HTTP head; it comes first in early. The stream is empty afterwards.
  asio::awaitable<base::Result<Carrier>> release(const void* head, size_t head_len);

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_compose<Token, void(boost::system::error_code, size_t)>(
        ReadOp<Buffers>{*this, buffers}, token, socket_);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_compose<Token, void(boost::system::error_code, size_t)>(
        WriteOp<Buffers>{*this, buffers}, token, socket_);
  }

  // Turns an error of an operation into ours; knows what TLS said.
  base::Error error(const boost::system::error_code& ec, const char* doing) const;

  static constexpr size_t kWindow = 16 * 1024;  // ciphertext read at once
  static constexpr size_t kPlain = 16 * 1024;   // plaintext encrypted at once

 private:
  using Code = boost::system::error_code;

  // Decrypts into p; what TLS wants to send is left in out_.
  Tls::Status decrypt(void* p, size_t cap, size_t* n);
  bool encrypt(const void* p, size_t n);
  asio::mutable_buffer window();           // where ciphertext is read to
  void filled(size_t n) noexcept;          // n bytes of it were read
  asio::const_buffer out() const noexcept { return {out_.data(), out_.size()}; }

  template <class Buffers>
  struct ReadOp {
    Stream& s;
    Buffers buffers;
    enum : char { begin, plain, filled, flushed, posted } at = begin;
    Tls::Status status = Tls::Status::ok;
    size_t got = 0;

    template <class Self>
    void operator()(Self& self, Code ec = {}, size_t n = 0) {
      bool initiating = at == begin;
      switch (at) {
        case plain: return self.complete(ec, n);
        case posted: return finish(self);
        case flushed:
          s.out_.clear();
          if (ec) return self.complete(ec, 0);
          break;
        case filled:
          if (ec) return self.complete(ec, 0);
          s.filled(n);
          [[fallthrough]];
        case begin:
          if (s.tls_ == nullptr) {
            at = plain;
            return s.socket_.async_read_some(buffers, std::move(self));
          }
          if (auto b = first(buffers); b.size() > 0) status = s.decrypt(b.data(), b.size(), &got);
          if (s.out_.size() > 0) {
            at = flushed;
            return asio::async_write(s.socket_, s.out(), std::move(self));
          }
      }
      if (status == Tls::Status::want_input) {
        // Cancelled while what came, a ticket perhaps, was on its way to us.
        if (!initiating && self.cancelled() != asio::cancellation_type::none)
          return self.complete(asio::error::operation_aborted, 0);
        at = filled;
        return s.socket_.async_read_some(s.window(), std::move(self));
      }
      if (!initiating) return finish(self);
      at = posted;  // a handler must not run inside the initiating function
      asio::post(s.get_executor(), std::move(self));
    }
    template <class Self>
    void finish(Self& self) {
      if (status == Tls::Status::ok) return self.complete({}, got);
      self.complete(status == Tls::Status::closed ? Code(asio::error::eof) : failed(), 0);
    }
  };

  template <class Buffers>
  struct WriteOp {
    Stream& s;
    Buffers buffers;
    enum : char { begin, plain, sent, refused } at = begin;
    size_t taken = 0;

    template <class Self>
    void operator()(Self& self, Code ec = {}, size_t n = 0) {
      switch (at) {
        case plain: return self.complete(ec, n);
        case refused: return self.complete(failed(), 0);
        case sent:
          s.out_.clear();
          return self.complete(ec, ec ? 0 : taken);
        case begin: break;
      }
      if (s.tls_ == nullptr) {
        at = plain;
        return s.socket_.async_write_some(buffers, std::move(self));
      }
      auto b = first(buffers);
      taken = std::min(b.size(), kPlain);
      if (taken > 0 && !s.encrypt(b.data(), taken)) {
        at = refused;
        return asio::post(s.get_executor(), std::move(self));
      }
      at = sent;
      asio::async_write(s.socket_, s.out(), std::move(self));
    }
  };

  // The first buffer of a sequence that is not empty.
  template <class Buffers>
  static auto first(const Buffers& buffers) {
    auto it = asio::buffer_sequence_begin(buffers);
    auto end = asio::buffer_sequence_end(buffers);
    using One = std::conditional_t<std::is_convertible_v<decltype(*it), asio::mutable_buffer>, asio::mutable_buffer,
                                   asio::const_buffer>;
    One b{};
    while (b.size() == 0 && it != end) b = One(*it++);
    return b;
  }
  static Code failed() noexcept;  // TLS said no; tls()->error() tells why

  Socket socket_;
  std::unique_ptr<Tls> tls_;
  std::unique_ptr<uint8_t[]> in_;  // ciphertext window, while TLS is used here
  base::Buffer out_;               // ciphertext to send
};

}  // namespace mw::net
