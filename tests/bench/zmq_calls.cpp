// The neighbour for calls: ZeroMQ, a ROUTER that answers and a DEALER that asks.
//   zmq_calls serve | call PORT IN_FLIGHT SIZE SECONDS     prints {"rate":...,"client_us":...}
#include <zmq.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  std::exit(1);
}

double now(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

int serve() {
  void* ctx = zmq_ctx_new();
  void* s = zmq_socket(ctx, ZMQ_ROUTER);
  if (zmq_bind(s, "tcp://127.0.0.1:*") != 0) fail("bind");
  char where[64];
  size_t n = sizeof where;
  zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, where, &n);
  std::printf("port %s\n", std::strrchr(where, ':') + 1);
  std::fflush(stdout);
  for (;;) {
    zmq_msg_t m;
    zmq_msg_init(&m);
    if (zmq_msg_recv(&m, s, 0) < 0) fail("recv");
    if (zmq_msg_send(&m, s, zmq_msg_more(&m) ? ZMQ_SNDMORE : 0) < 0) fail("send");
  }
}

int call(const char* port, int in_flight, size_t size, double seconds) {
  void* ctx = zmq_ctx_new();
  void* s = zmq_socket(ctx, ZMQ_DEALER);
  if (zmq_connect(s, (std::string("tcp://127.0.0.1:") + port).c_str()) != 0) fail("connect");
  const std::string body(size, 'x');
  const auto ask = [&] {
    if (zmq_send(s, body.data(), body.size(), 0) < 0) fail("send");
  };
  for (int i = 0; i < in_flight; ++i) ask();
  size_t answered = 0;
  const auto run = [&](double for_s) {
    for (const double end = now(CLOCK_MONOTONIC) + for_s; now(CLOCK_MONOTONIC) < end;)
      for (int i = 0; i < 16; ++i) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, s, 0) < 0) fail("recv");
        zmq_msg_close(&m);
        ++answered;
        ask();
      }
  };
  run(seconds / 10);
  answered = 0;
  const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  run(seconds);
  const auto n = static_cast<double>(answered);
  std::printf("{\"rate\":%.0f,\"client_us\":%.3f}\n", n / (now(CLOCK_MONOTONIC) - wall), (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n * 1e6);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "serve") return serve();
  if (argc == 6) return call(argv[2], std::atoi(argv[3]), static_cast<size_t>(std::atoi(argv[4])), std::atof(argv[5]));
  std::fprintf(stderr, "usage: zmq_calls serve | call PORT IN_FLIGHT SIZE SECONDS\n");
  return 2;
}
