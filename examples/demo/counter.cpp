// The provider of `make demo`'s second part: counts the words of the texts it
// is called with, "Words.count". A text that is sent again with the same key is
// not counted again (dedupe.window). Only who knows the secret gets in, and one
// connection is enough for many processes.
//
// It begins to answer when all members have asked, "NAME/N" being the key. When
// half the texts are in it stops until a line comes on standard input, so that
// calls are in flight when the script kills who leads.
//
//   demo_counter CERT KEY SECRET-FILE TEXTS MEMBERS
//
// Standard output tells the script what happens, a line each; the end of
// standard input ends the counter.
#include <meshwork/meshwork.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <set>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace {

int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string key_of(const char* path) {
  std::string key;
  if (!std::getline(std::ifstream(path), key)) throw std::runtime_error(std::string("cannot read ") + path);
  return "{\"key\":\"" + key + "\"}";
}

uint64_t words_of(std::string_view text) {
  uint64_t n = 0;
  bool in = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    n += in && space;
    in = !space;
  }
  return n + in;
}

class Counter {
 public:
  explicit Counter(char** args)
      : texts_(std::stoul(args[3])), members_(std::stoul(args[4])), ctx_({{"threads", 0}}),
        provider_(ctx_, {{"host", "127.0.0.1"}, {"port", 0}, {"tls.cert_file", args[0]}, {"tls.key_file", args[1]},
                         {"auth.parameters", key_of(args[2])}}),
        words_(provider_, "Words", {{"methods", "count"}, {"dedupe.window", "10m"}, {"dedupe.max_bytes", "64MiB"}}) {
    provider_.on_up([this] { tell("listening " + provider_.handle().info("address")); });
    provider_.on_peer_up([this](mw::Peer) { tell("connection " + std::to_string(++connections_)); });
    provider_.on_peer_down([this](mw::Peer) { lost_us_ = now_us(); });
    words_.on_request([this](mw::Request request, const mw::Event& e) {
      const auto key = e.header("key");
      if (!key) request.fail(R"({"message":"a text needs a key, so that it is counted once"})");
      else if (waits_) held_.emplace_back(request, std::string(e.text()));
      else answer(request, e.text());
      if (names_.size() == members_ || !key) return;
      names_.emplace(key->substr(0, key->find('/')));
      if (names_.size() == members_) go_on();
    });
    words_.start();
    provider_.start([](mw_status s, const mw::Event& e) {
      if (s < 0) throw mw::Error(s, std::string(e.text()));
    });
  }

  void run() {
    pollfd p[2] = {{ctx_.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
      ::poll(p, 2, ctx_.more() ? 0 : -1);
      if (p[1].revents != 0) {
        char line[64];
        if (::read(STDIN_FILENO, line, sizeof line) <= 0) break;
        go_on();
      }
      ctx_.run(0);
    }
    tell("counted " + std::to_string(counted_) + " " + std::to_string(sum_) + " " + std::to_string(connections_) + " " +
         std::to_string(gap_us_));
  }

 private:
  void go_on() {
    waits_ = false;
    for (auto& [request, text] : std::exchange(held_, {})) {
      if (waits_) held_.emplace_back(request, std::move(text));
      else answer(request, text);
    }
  }

  void answer(mw::Request request, std::string_view text) {
    const uint64_t n = words_of(text);
    if (request.reply(std::to_string(n)) < 0) return;
    ++counted_;
    sum_ += n;
    if (lost_us_ != 0) gap_us_ = std::max(gap_us_, now_us() - std::exchange(lost_us_, 0));
    if (waits_ || stopped_ || counted_ * 2 < texts_) return;
    stopped_ = waits_ = true;
    tell("half");
  }

  static void tell(const std::string& line) { std::cout << line << std::endl; }

  size_t texts_, members_, counted_ = 0, connections_ = 0;
  bool waits_ = true, stopped_ = false;
  std::set<std::string, std::less<>> names_;
  std::vector<std::pair<mw::Request, std::string>> held_;
  uint64_t sum_ = 0;
  int64_t lost_us_ = 0, gap_us_ = 0;
  mw::Context ctx_;
  mw::Provider provider_;
  mw::Service words_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 6) return std::fputs("usage: demo_counter CERT KEY SECRET-FILE TEXTS MEMBERS\n", stderr), 2;
  Counter(argv + 1).run();
  return 0;
} catch (const std::exception& e) {
  std::cerr << "demo_counter: " << e.what() << '\n';
  return 1;
}
