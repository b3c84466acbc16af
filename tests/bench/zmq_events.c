/* The neighbour for events: ZeroMQ PUB and SUB over ipc://, which loses nothing here (ZMQ_XPUB_NODROP).
 *   zmq_events hear DIR | send DIR SECONDS      as mw_events */
#include "bench_events.h"

#include <string.h>
#include <zmq.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static void take(void *s, zmq_msg_t *m, int flags, int *got) {
  zmq_msg_init(m);
  *got = zmq_msg_recv(m, s, flags) >= 0;
}

static void hear(void *ctx, const char *where) {
  void *s = zmq_socket(ctx, ZMQ_SUB);
  uint64_t n = 0;
  double at = 0;
  int fd;
  size_t size = sizeof fd;
  if (zmq_connect(s, where) != 0) fail("connect");
  zmq_setsockopt(s, ZMQ_SUBSCRIBE, "log.", 4);
  zmq_getsockopt(s, ZMQ_FD, &fd, &size);
  say_up();
  for (;;) {
    zmq_msg_t m;
    int got;
    const uint64_t before = n;
    for (take(s, &m, ZMQ_DONTWAIT, &got); got; take(s, &m, ZMQ_DONTWAIT, &got)) {
      if (!zmq_msg_more(&m)) n++; /* name, then body */
      zmq_msg_close(&m);
    }
    if (n != before) at = now(CLOCK_MONOTONIC);
    if (asked(fd)) tell_heard(n, at);
  }
}

/* XPUB, so that it knows when the hearer is there. */
static int send_for(void *ctx, const char *where, double seconds) {
  void *s = zmq_socket(ctx, ZMQ_XPUB);
  int on = 1;
  char hello[64];
  zmq_setsockopt(s, ZMQ_XPUB_NODROP, &on, sizeof on);
  if (zmq_bind(s, where) != 0) fail("bind");
  say_up();
  if (zmq_recv(s, hello, sizeof hello, 0) < 0) fail("waiting for a subscription");
  const double begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t sent = 0;
  while (now(CLOCK_MONOTONIC) < begin + seconds)
    for (int i = 0; i < 64; i++, sent++) {
      if (zmq_send(s, EVENT_NAME, sizeof EVENT_NAME - 1, ZMQ_SNDMORE) < 0) fail("send");
      if (zmq_send(s, EVENT_BODY, sizeof EVENT_BODY - 1, 0) < 0) fail("send");
    }
  tell_sent(sent, begin, cpu);
  zmq_close(s);
  zmq_ctx_term(ctx); /* what is sent arrives */
  return 0;
}

int main(int argc, char **argv) {
  char where[256];
  const int hears = argc == 3 && strcmp(argv[1], "hear") == 0;
  if (!hears && !(argc == 4 && strcmp(argv[1], "send") == 0)) {
    fprintf(stderr, "usage: zmq_events hear DIR | send DIR SECONDS\n");
    return 2;
  }
  snprintf(where, sizeof where, "ipc://%s/zmq.sock", argv[2]);
  void *ctx = zmq_ctx_new();
  if (!hears) return send_for(ctx, where, atof(argv[3]));
  hear(ctx, where);
}
