// The neighbour: an asynchronous WebSocket echo in plain Beast, as its own documentation writes one.
#include "socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <memory>

namespace mw::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using beast::error_code;

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : stream_(std::move(socket)) {}

  void start() {
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true));
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    stream_.auto_fragment(false);
    stream_.async_accept([self = shared_from_this()](error_code ec) {
      if (!ec) self->read();
    });
  }

 private:
  void read() {
    stream_.async_read(message_, [self = shared_from_this()](error_code ec, size_t) {
      if (!ec) self->write();
    });
  }

  void write() {
    stream_.text(stream_.got_text());
    stream_.async_write(message_.data(), [self = shared_from_this()](error_code ec, size_t) {
      self->message_.consume(self->message_.size());
      if (!ec) self->read();
    });
  }

  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer message_;
};

void accept_next(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](error_code ec, tcp::socket socket) {
    if (!ec) std::make_shared<Session>(std::move(socket))->start();
    accept_next(acceptor);
  });
}

}  // namespace
}  // namespace mw::bench

int main() {
  using namespace mw::bench;
  asio::io_context io(1);
  tcp::acceptor acceptor(io, tcp::v4(), listen_and_announce(0));
  accept_next(acceptor);
  io.run();
}
