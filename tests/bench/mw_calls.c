/* Calls under test, both ends host-turned with callbacks.
 *   mw_calls serve                                 answers each call with its body
 *   mw_calls call PORT IN_FLIGHT SIZE SECONDS      so many calls at once; prints {"rate":...,"client_us":...} */
#define _GNU_SOURCE
#include "mw_server.h"

#include <time.h>

enum { START = 1, FIRST = 100 };

static mw_handle g_ctx, g_party;
static mw_msg *g_body;
static mw_conf *g_how;
static int g_in_flight = 1;
static uint64_t g_next = FIRST, g_answered;

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void call_once(void) {
  mw_error err = {0};
  check(mw_call(g_party, "Echo.echo", 9, g_body, g_how, 0, 0, 0, g_next++, &err), &err, "mw_call");
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  if (ev->kind == MW_EVENT_REQUEST) {
    mw_msg *m = mw_msg_new(data + ev->offset + ev->topic_len + ev->meta_len, ev->body_len, 0);
    check(mw_reply(ev->id, m, 0, 0), NULL, "mw_reply");
    mw_msg_unref(m);
  } else if (ev->kind == MW_EVENT_DONE && ev->id == START) {
    if (g_body == NULL) {
      announce(g_party, ev->status);
      return;
    }
    check(ev->status, NULL, "connect");
    for (int i = 0; i < g_in_flight; i++) call_once();
  } else if (ev->kind == MW_EVENT_DONE) {
    check(ev->status, NULL, "DONE");
    g_answered++;
    call_once();
  }
}

static int serve(void) {
  mw_error err = {0};
  mw_handle id;
  g_party = open_provider(g_ctx, provider_conf(), on_event);
  check(mw_serve(g_party, "Echo", MW_NTS, NULL, 0, &id, &err), &err, "mw_serve");
  start(g_party, START);
  return mw_ctx_run(g_ctx, -1, NULL);
}

static void turn_for(double seconds) {
  const double end = now(CLOCK_MONOTONIC) + seconds;
  while (now(CLOCK_MONOTONIC) < end) check(mw_ctx_run(g_ctx, 10, NULL), NULL, "mw_ctx_run");
}

static int call(const char *port, int in_flight, size_t size, double seconds) {
  mw_error err = {0};
  char url[64], *body = malloc(size + 1);
  mw_conf *conf = mw_conf_new(MW_CONF_CONSUMER);
  memset(body, 'x', size);
  g_body = mw_msg_new(body, size, 0);
  g_in_flight = in_flight;
  snprintf(url, sizeof url, "ws://127.0.0.1:%s/connect", port);
  set(conf, "url", url);
  check(mw_consumer_open(g_ctx, conf, 0, &g_party, &err), &err, "mw_consumer_open");
  check(mw_on(g_party, on_event, NULL, NULL), NULL, "mw_on");
  start(g_party, START);
  turn_for(seconds / 10);
  const uint64_t before = g_answered;
  const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  turn_for(seconds);
  const double n = (double)(g_answered - before);
  printf("{\"rate\":%.0f,\"client_us\":%.3f}\n", n / (now(CLOCK_MONOTONIC) - wall), (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n * 1e6);
  return 0;
}

int main(int argc, char **argv) {
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  set(conf, "threads", "0");
  g_ctx = open_context(conf);
  if (argc == 2 && strcmp(argv[1], "serve") == 0) return serve();
  if (argc == 6 && strcmp(argv[1], "call") == 0) return call(argv[2], atoi(argv[3]), (size_t)atoi(argv[4]), atof(argv[5]));
  fprintf(stderr, "usage: mw_calls serve | call PORT IN_FLIGHT SIZE SECONDS\n");
  return 2;
}
