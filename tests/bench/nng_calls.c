/* The neighbour for calls: nng, REP with 64 contexts that answer, REQ with a context for each call in flight.
 *   nng_calls serve | call PORT IN_FLIGHT SIZE SECONDS      as zmq_calls */
#include "bench_events.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <string.h>

enum { ANSWERING = 64 };

/* One exchange after another: a caller sends first, who serves receives first. */
typedef struct {
  nng_ctx ctx;
  nng_aio *aio;
  int sending;
} Turn;

static size_t g_size;
static int g_calls;
static _Atomic uint64_t g_answered;

static void check(int status, const char *what) {
  if (status == 0) return;
  fprintf(stderr, "%s: %s\n", what, nng_strerror(status));
  exit(1);
}

static void send_one(Turn *t, nng_msg *m) {
  if (m == NULL) {
    check(nng_msg_alloc(&m, g_size), "nng_msg_alloc");
    memset(nng_msg_body(m), 'x', g_size);
  }
  t->sending = 1;
  nng_aio_set_msg(t->aio, m);
  nng_ctx_send(t->ctx, t->aio);
}

static void went_on(void *of) {
  Turn *t = of;
  check(nng_aio_result(t->aio), t->sending ? "send" : "receive");
  if (t->sending) {
    t->sending = 0;
    nng_ctx_recv(t->ctx, t->aio);
  } else {
    if (g_calls) g_answered++;
    send_one(t, nng_aio_get_msg(t->aio)); /* the same message goes back, or out again */
  }
}

static void begin(nng_socket s, int turns) {
  Turn *all = calloc((size_t)turns, sizeof *all);
  for (Turn *t = all; t < all + turns; t++) {
    check(nng_ctx_open(&t->ctx, s), "nng_ctx_open");
    check(nng_aio_alloc(&t->aio, went_on, t), "nng_aio_alloc");
    if (g_calls) send_one(t, NULL);
    else nng_ctx_recv(t->ctx, t->aio);
  }
}

static void serve(void) {
  nng_socket s;
  nng_listener l;
  int port;
  check(nng_rep0_open(&s), "nng_rep0_open");
  check(nng_listen(s, "tcp://127.0.0.1:0", &l, 0), "nng_listen");
  check(nng_listener_get_int(l, NNG_OPT_TCP_BOUND_PORT, &port), "port");
  begin(s, ANSWERING);
  printf("port %d\n", port);
  fflush(stdout);
  for (;;) nng_msleep(1000);
}

static int call(const char *port, int in_flight, size_t size, double seconds) {
  nng_socket s;
  char where[64];
  snprintf(where, sizeof where, "tcp://127.0.0.1:%s", port);
  g_calls = 1;
  g_size = size;
  check(nng_req0_open(&s), "nng_req0_open");
  check(nng_dial(s, where, NULL, 0), "nng_dial");
  begin(s, in_flight);
  nng_msleep((nng_duration)(seconds * 100));
  const uint64_t before = g_answered;
  const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  nng_msleep((nng_duration)(seconds * 1000));
  const double n = (double)(g_answered - before);
  printf("{\"rate\":%.0f,\"client_us\":%.3f}\n", n / (now(CLOCK_MONOTONIC) - wall), (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n * 1e6);
  fflush(stdout);
  _Exit(0); /* calls are still in flight */
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "serve") == 0) serve();
  if (argc == 6 && strcmp(argv[1], "call") == 0) return call(argv[2], atoi(argv[3]), (size_t)atoi(argv[4]), atof(argv[5]));
  fprintf(stderr, "usage: nng_calls serve | call PORT IN_FLIGHT SIZE SECONDS\n");
  return 2;
}
