// A provider in C++ that is called: "Words.count" is answered at once,
// "Words.each" by parts, one a word.
//
//   call_provider_cpp [port]          (8080; 0 takes any free port)
#include <meshwork/meshwork.hpp>

#include <csignal>
#include <iostream>
#include <sstream>

#include <unistd.h>

int main(int argc, char** argv) try {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, nullptr);

  mw::Context ctx({{"delivery", "inline"}});  // handlers run on a library thread
  mw::Provider provider(ctx, {{"port", argc > 1 ? argv[1] : "8080"}});
  mw::Service words(provider, "Words", {{"methods", "count,each"}});

  words.on_request([](mw::Request request, const mw::Event& e) {
    std::istringstream text{std::string(e.text())};
    size_t n = 0;
    for (std::string word; text >> word; ++n)
      if (e.topic() == "Words.each") request.part(word);
    if (n == 0)
      request.fail(R"({"message":"there is no word in it"})");
    else
      request.reply(std::to_string(n));
  });
  words.on_cancel([](const mw::Event& e) { std::cout << "no longer wanted: " << e.text() << std::endl; });
  words.start();

  provider.start([&](mw_status s, const mw::Event& e) {
    if (s < 0) {
      std::cerr << "cannot listen: " << mw_status_name(s) << ": " << e.text() << '\n';
      kill(getpid(), SIGTERM);
      return;
    }
    std::cout << "listening on " << provider.handle().info("address") << std::endl;
  });

  int got = 0;
  sigwait(&stop, &got);
} catch (const mw::Error& e) {
  std::cerr << e.what() << " (" << e.name() << ")\n";
  return 1;
}
