// A C++ consumer of `make demo`: writes every line it gets to a file. When its
// link breaks it comes back by itself and says how many lines it has.
//
//   demo_consumer_cpp URL CA SECRET-FILE OUTPUT NAME LINES
#include <meshwork/meshwork.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 7) return std::fputs("usage: demo_consumer_cpp URL CA SECRET-FILE OUTPUT NAME LINES\n", stderr), 2;
  using Clock = std::chrono::system_clock;
  const std::string name = argv[5];
  const uint64_t wanted = std::stoull(argv[6]);
  std::ofstream out(argv[4], std::ios::binary);
  std::string key;
  std::getline(std::ifstream(argv[3]), key);

  mw::Context ctx({{"threads", 0}});
  mw::Consumer consumer(ctx, {{"url", argv[1]},
                              {"tls.ca_file", argv[2]},
                              {"parameters", "{\"key\":\"" + key + "\"}"},
                              {"reconnect.interval", "50ms"}});
  uint64_t lines = 0, bytes = 0;
  int connects = 0, exit_code = 1;
  std::vector<int64_t> took;  // nanoseconds
  Clock::time_point begin;

  consumer.on_up([&] {
    if (connects++ == 0) begin = Clock::now();
    consumer.send("start " + name + " " + std::to_string(lines));
  });
  consumer.on_message([&](const mw::Event& e) {
    if (lines == wanted) return;
    if (const auto sent = e.header("sent")) {
      int64_t then = 0;
      std::from_chars(sent->data(), sent->data() + sent->size(), then);
      took.push_back(Clock::now().time_since_epoch() / std::chrono::nanoseconds(1) - then);
    }
    out << e.text() << '\n';
    bytes += e.text().size();
    if (++lines != wanted) return;
    exit_code = 0;
    consumer.close();
  });
  consumer.on_closed([&](const mw::Event& e) {
    if (exit_code != 0) std::cerr << "closed: " << e.text() << " (" << mw_status_name(e.status()) << ")\n";
    ctx.wake();
  });
  consumer.start();
  ctx.run();

  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(took.begin(), took.end());
  auto at = [&](double part) {
    return took.empty() ? 0.0 : static_cast<double>(took[static_cast<size_t>(part * static_cast<double>(took.size() - 1))]) / 1e3;
  };
  std::fprintf(stderr, "{\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"reconnects\":%d}\n",
               static_cast<unsigned long long>(lines), static_cast<unsigned long long>(bytes), seconds, at(.5), at(.99),
               connects - 1);
  return exit_code;
} catch (const std::exception& e) {
  std::cerr << "demo_consumer_cpp: " << e.what() << '\n';
  return 1;
}
