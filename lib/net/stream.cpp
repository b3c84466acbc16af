#include "net/stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace mw::net {

namespace {

constexpr auto kValue = asio::as_tuple(asio::use_awaitable);

}  // namespace

base::Result<Stream> Stream::adopt(asio::io_context& io, int fd) {
  sockaddr_storage sa{};
  socklen_t n = sizeof sa;
  int family = ::getsockname(fd, reinterpret_cast<sockaddr*>(&sa), &n) == 0 ? sa.ss_family : AF_INET;
  Code ec;
  try {
    Socket socket(io);
    socket.assign(asio::generic::stream_protocol(family, 0), fd, ec);
    if (!ec) return Stream(std::move(socket));
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
  return base::Error{MW_EIO, ec.value(), "cannot watch a socket: " + ec.message()};
}

asio::awaitable<base::Result<void>> Stream::handshake() {
  for (;;) {
    Tls::Status status = tls_->handshake(out_);
    if (out_.size() > 0) {
      auto [ec, n] = co_await asio::async_write(socket_, out(), kValue);
      out_.clear();
      // A verdict of ours is the better answer than a peer that did not wait for it.
      if (ec && status != Tls::Status::failed) co_return error(ec, "the TLS handshake");
    }
    if (status == Tls::Status::ok) co_return base::Result<void>();
    if (status == Tls::Status::failed) co_return tls_->error();
    if (status == Tls::Status::closed) co_return error(asio::error::eof, "the TLS handshake");
    auto [ec, n] = co_await socket_.async_read_some(window(), kValue);
    if (ec) co_return error(ec, "the TLS handshake");
    filled(n);
  }
}

void Stream::cancel() noexcept {
  Code ignored;
  socket_.cancel(ignored);
}

void Stream::close() noexcept {
  if (!socket_.is_open()) return;
  if (tls_ != nullptr) {
    try {
      tls_->shutdown(out_);
      if (out_.size() > 0) (void)::send(fd(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    } catch (const std::bad_alloc&) {
      // Then the peer sees a plain FIN.
    }
  }
  Code ignored;
  socket_.close(ignored);
}

asio::awaitable<base::Result<Carrier>> Stream::release(const void* head, size_t head_len) {
  Carrier c;
  c.early.append(head, head_len);
  if (tls_ != nullptr) {
    while (tls_->input_left() > 0 || tls_->pending()) {
      size_t n = 0;
      // A failure or close_notify is seen again by the lane's first read.
      if (tls_->read(c.early.room(kPlain), kPlain, &n, out_) != Tls::Status::ok) break;
      c.early.wrote(n);
    }
    if (out_.size() > 0) {
      auto [ec, n] = co_await asio::async_write(socket_, out(), kValue);
      if (ec) co_return error(ec, "handing the connection over");
    }
    tls_->take_back();
    in_.reset();
    out_.release();
  }
  Code ec;
  int fd = socket_.release(ec);
  if (ec) co_return base::Error{MW_EIO, ec.value(), "cannot take a socket out of the poller: " + ec.message()};
  c.fd = fd;
  c.tls = std::move(tls_);
  co_return std::move(c);
}

base::Error Stream::error(const Code& ec, const char* doing) const {
  if (tls_ != nullptr && ec == failed()) return tls_->error();
  std::string text(doing);
  if (ec == asio::error::eof) {
    return {MW_ERESET, 0, "the peer closed the connection during " + text};
  }
  if (ec == asio::error::operation_aborted) return {MW_ECANCELED, 0, text + " was cancelled"};
  if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe) {
    return {MW_ERESET, ec.value(), "the peer reset the connection during " + text};
  }
  return {MW_EIO, ec.value(), text + " failed: " + ec.message()};
}

Tls::Status Stream::decrypt(void* p, size_t cap, size_t* n) {
  return tls_->read(static_cast<uint8_t*>(p), cap, n, out_);
}

bool Stream::encrypt(const void* p, size_t n) { return tls_->write(static_cast<const uint8_t*>(p), n, out_); }

asio::mutable_buffer Stream::window() {
  if (in_ == nullptr) in_.reset(new uint8_t[kWindow]);
  return {in_.get(), kWindow};
}

void Stream::filled(size_t n) noexcept { tls_->give(in_.get(), n); }

Stream::Code Stream::failed() noexcept { return {EPROTO, boost::system::generic_category()}; }

}  // namespace mw::net
