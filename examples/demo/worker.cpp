// A C++ worker of the demo's mesh: counts the words of the texts that it is
// called with, and says how many they were. Leaves when "words/over" is
// published.
//
//   demo_worker_cpp MANAGER SECRET-FILE NAME
#include <meshwork/meshwork.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>

#include <unistd.h>

namespace {

uint64_t words_of(std::string_view text) {
  uint64_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += inside && space;
    inside = !space;
  }
  return words + inside;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) return std::fputs("usage: demo_worker_cpp MANAGER SECRET-FILE NAME\n", stderr), 2;
  const std::string name = argv[3];
  std::string secret;
  std::getline(std::ifstream(argv[2]), secret);
  mw::Context ctx({{"threads", 0}});
  mw::Node node(ctx, {{"cluster.deployment", "demo"}, {"member.service", "worker"}, {"member.name", name},
                      {"registry", "manager"}, {"registry.url", argv[1]}, {"link.secret", secret}});

  // A text that comes again with the same key is not counted again.
  mw::Service service(node, "words", {{"methods", "count,about"}, {"dedupe.window", "1m"}});
  uint64_t parts = 0, words = 0;
  service.on_request([&](mw::Request request, const mw::Event& e) {
    if (e.topic() == "words.count") {
      const uint64_t here = words_of(e.text());
      ++parts, words += here;
      request.reply(std::to_string(here) + ' ' + name);
    } else {
      request.reply(std::to_string(getpid()) + ' ' + std::to_string(parts) + ' ' + std::to_string(words) + " C++20");
    }
  });
  service.start();

  node.on_message([&] { node.close(); });
  node.subscribe("words/over");
  node.on_closed([&] { ctx.wake(); });
  node.start([&](mw_status s, const mw::Event& e) {
    if (s < 0) throw mw::Error(s, std::string(e.text()));
  });
  ctx.run();
  return 0;
} catch (const std::exception& e) {
  std::cerr << "demo_worker_cpp: " << e.what() << '\n';
  return 1;
}
