/* The neighbour for messages one way: ZeroMQ PUSH and PULL over TCP.
 *   zmq_messages hear | send PORT SIZE SECONDS      as mw_messages */
#include "bench_events.h"

#include <string.h>
#include <zmq.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static void hear(void *ctx) {
  void *s = zmq_socket(ctx, ZMQ_PULL);
  char where[64];
  uint64_t n = 0;
  double at = 0;
  int fd;
  size_t size = sizeof where;
  if (zmq_bind(s, "tcp://127.0.0.1:*") != 0) fail("bind");
  zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, where, &size);
  size = sizeof fd;
  zmq_getsockopt(s, ZMQ_FD, &fd, &size);
  printf("port %s\n", strrchr(where, ':') + 1);
  fflush(stdout);
  for (;;) {
    zmq_msg_t m;
    const uint64_t before = n;
    for (zmq_msg_init(&m); zmq_msg_recv(&m, s, ZMQ_DONTWAIT) >= 0; zmq_msg_init(&m), n++) zmq_msg_close(&m);
    if (n != before) at = now(CLOCK_MONOTONIC);
    if (asked(fd)) tell_heard(n, at);
  }
}

static int send_for(void *ctx, const char *port, size_t size, double seconds) {
  void *s = zmq_socket(ctx, ZMQ_PUSH);
  char where[64], *body = calloc(1, size + 1);
  snprintf(where, sizeof where, "tcp://127.0.0.1:%s", port);
  if (zmq_connect(s, where) != 0) fail("connect");
  if (zmq_send(s, body, size, 0) < 0) fail("send"); /* waits until there is a connection */
  const double begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t sent = 1;
  while (now(CLOCK_MONOTONIC) < begin + seconds)
    for (int i = 0; i < 64; i++, sent++)
      if (zmq_send(s, body, size, 0) < 0) fail("send");
  tell_sent(sent, begin, cpu);
  zmq_close(s);
  zmq_ctx_term(ctx); /* what is sent arrives */
  return 0;
}

int main(int argc, char **argv) {
  void *ctx = zmq_ctx_new();
  if (argc == 2 && strcmp(argv[1], "hear") == 0) hear(ctx);
  if (argc == 5 && strcmp(argv[1], "send") == 0) return send_for(ctx, argv[2], (size_t)atoi(argv[3]), atof(argv[4]));
  fprintf(stderr, "usage: zmq_messages hear | send PORT SIZE SECONDS\n");
  return 2;
}
