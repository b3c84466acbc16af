// A C++ member of `make demo`'s second part: has the words of a file counted,
// 50 lines a call, over the one connection that the members share. Whichever
// of them leads has it, and passes the calls of all on.
//
//   demo_member_cpp URL CA SECRET-FILE DIR NAME FILE
#include <meshwork/meshwork.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 7) return std::fputs("usage: demo_member_cpp URL CA SECRET-FILE DIR NAME FILE\n", stderr), 2;
  using Clock = std::chrono::steady_clock;
  const std::string name = argv[5];
  std::ifstream file(argv[6]);
  std::string secret;
  std::getline(std::ifstream(argv[3]), secret);
  mw::Context ctx({{"threads", 0}});
  mw::Share share(ctx, {{"name", "words"}, {"dir", argv[4]}});

  // Where this process leads: the connection, and what came before it was up.
  std::unique_ptr<mw::Consumer> upstream;
  bool up = false;
  std::vector<std::pair<mw::Request, mw::Message>> early;
  auto pass_on = [&](mw::Request request, const mw::Message& text) {
    upstream->call("Words.count", text, [request](mw_status s, const mw::Event& e) {
      if (s < 0) request.fail(e.text(), s);
      else request.reply(e.text());
    }, {.parent = request});
  };
  share.on_leader([&](const mw::Event& e) {
    std::cerr << (e.code() == 1 ? "leads " : "follows ") << e.id() << std::endl;
    if (upstream) upstream->close();
    if (e.code() != 1) return;
    upstream = std::make_unique<mw::Consumer>(ctx, mw::Options{{"url", argv[1]}, {"tls.ca_file", argv[2]},
                                                               {"parameters", "{\"key\":\"" + secret + "\"}"}});
    upstream->on_up([&] {
      up = true;
      for (auto& [request, text] : std::exchange(early, {})) pass_on(request, text);
    });
    upstream->start();
  });
  share.on_request([&](mw::Request request, const mw::Event& e) {
    mw::Message text(e.text());
    text.header("key", e.header("key").value_or(""));
    if (up) pass_on(request, text);
    else early.emplace_back(request, std::move(text));
  });

  // What it asks itself.
  uint64_t calls = 0, open = 0, words = 0, failed = 0;
  auto last = Clock::now();
  Clock::duration longest{};  // between two answers
  std::function<void()> next = [&] {
    while (open < 16 && file) {
      std::string text, line;
      for (int n = 0; n < 50 && std::getline(file, line); ++n) text += line + '\n';
      if (text.empty()) break;
      mw::Message message(text);
      message.header("key", name + '/' + std::to_string(calls));  // safe to repeat
      ++calls, ++open;
      share.call("count", message, [&](mw_status s, const mw::Event& e) {
        longest = std::max(longest, Clock::now() - last);
        last = Clock::now();
        --open;
        if (s < 0) std::cerr << "failed: " << mw_status_name(s) << ": " << e.text() << '\n', ++failed;
        else words += std::stoull(std::string(e.text()));
        next();
      }, {.timeout_ms = 30'000});
    }
    if (open == 0) share.close();
  };
  share.on_closed([&] { ctx.wake(); });
  share.start([&](mw_status s, const mw::Event& e) {
    if (s < 0) throw mw::Error(s, std::string(e.text()));
    last = Clock::now();
    next();
  });
  ctx.run();
  std::fprintf(stderr, "{\"calls\":%llu,\"failed\":%llu,\"words\":%llu,\"longest_ms\":%.1f}\n",
               static_cast<unsigned long long>(calls), static_cast<unsigned long long>(failed),
               static_cast<unsigned long long>(words), std::chrono::duration<double, std::milli>(longest).count());
  return failed != 0;
} catch (const std::exception& e) {
  std::cerr << "demo_member_cpp: " << e.what() << '\n';
  return 1;
}
