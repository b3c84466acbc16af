// A provider in C++: the program of provider.c with meshwork.hpp.
//
//   provider_cpp [port]               (8080; 0 takes any free port)
#include <meshwork/meshwork.hpp>

#include <csignal>
#include <iostream>

#include <unistd.h>

int main(int argc, char** argv) try {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, nullptr);

  mw::Context ctx({{"delivery", "inline"}});  // handlers run on a library thread
  mw::Provider provider(ctx, {{"port", argc > 1 ? argv[1] : "8080"},
                              {"auth.parameters", R"({"key":"SECRET_KEY"})"}});

  provider.on_up([](std::string_view facts) { std::cout << "listening " << facts << std::endl; });
  provider.on_peer_up([](mw::Peer peer, std::string_view facts) {
    std::cout << "Consumer " << peer.id() << " is here: " << facts << std::endl;
  });
  provider.on_message([](mw::Peer peer, std::string_view text) {
    std::cout << "Consumer " << peer.id() << " Sent: " << text << std::endl;
    if (text == "CONSUMER_READY") peer.send("SOME_REPLY");
  });
  provider.on_peer_down([](mw::Peer peer, const mw::Event& e) {
    std::cout << "Consumer " << peer.id() << " left: " << e.code() << ' ' << e.text() << std::endl;
  });
  provider.start([](mw_status s, const mw::Event& e) {
    if (s >= 0) return;
    std::cerr << "cannot listen: " << e.text() << " (" << mw_status_name(s) << ")\n";
    kill(getpid(), SIGTERM);
  });

  int got = 0;
  sigwait(&stop, &got);  // Ctrl-C; the destructors close and join
  return 0;
} catch (const mw::Error& e) {
  std::cerr << e.what() << " (" << e.name() << ")\n";
  return 1;
}
