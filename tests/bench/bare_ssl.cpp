// What TLS itself costs an idle connection: accepts, shakes hands, answers the upgrade, then holds the SSL (buffers
// released) and nothing else.
#include "args.hpp"
#include "socket.hpp"
#include "tls_session.hpp"
#include "websocket.hpp"

int main(int argc, char** argv) {
  using namespace mw::bench;
  const Args args(argc, argv, " cert key ");
  SSL_CTX* ctx = tls_context(true, args.text("cert"), args.text("key"));
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  const int listener = listen_and_announce(0);
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) fail("accept");
    no_delay(fd);  // tickets and answer are two writes
    SSL* ssl = SSL_new(ctx);  // kept for good: its memory is what is measured
    SSL_set_fd(ssl, fd);
    char request[4096];
    const int n = SSL_accept(ssl) == 1 ? SSL_read(ssl, request, sizeof request) : 0;
    const std::string answer = upgrade_answer(std::string_view(request, n > 0 ? static_cast<size_t>(n) : 0));
    if (answer.empty() || SSL_write(ssl, answer.data(), static_cast<int>(answer.size())) <= 0) fail("bare SSL");
  }
}
