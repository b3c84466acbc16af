/* Calls between nodes of a mesh, each a process of its own, host-turned with callbacks.
 *   mw_node serve DIR                              serves "echo"; prints "up"
 *   mw_node call DIR SERVERS IN_FLIGHT SECONDS     so many calls at once, over all servers; prints "measures", then
 *                                                  {"rate":...,"cpu_us":...,"calls":...} of that time */
#define _GNU_SOURCE
#include "bench_events.h"
#include "mw_server.h"

enum { START = 1, FIRST = 100 };

static mw_handle g_ctx, g_node;
static mw_msg *g_body;
static int g_in_flight;
static uint64_t g_next = FIRST, g_answered;

static void call_once(void) {
  mw_error err = {0};
  check(mw_call(g_node, "echo.x", 6, g_body, NULL, 0, 0, 0, g_next++, &err), &err, "mw_call");
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  if (ev->kind == MW_EVENT_REQUEST) {
    mw_msg *m = mw_msg_new(data + ev->offset + ev->topic_len + ev->meta_len, ev->body_len, MW_F_TEXT);
    check(mw_reply(ev->id, m, 0, 0), NULL, "mw_reply");
    mw_msg_unref(m);
  } else if (ev->kind == MW_EVENT_DONE) {
    check(ev->status, NULL, ev->id == START ? "start" : "call");
    if (ev->id == START && g_in_flight == 0) say_up();
    for (int i = ev->id == START ? 0 : g_in_flight - 1; i < g_in_flight; i++) call_once();
    if (ev->id != START) g_answered++;
  }
}

static void turn_for(double seconds) {
  const double end = now(CLOCK_MONOTONIC) + seconds;
  while (now(CLOCK_MONOTONIC) < end) check(mw_ctx_run(g_ctx, 10, NULL), NULL, "mw_ctx_run");
}

int main(int argc, char **argv) {
  const int serves = argc == 3 && strcmp(argv[1], "serve") == 0;
  if (!serves && !(argc == 6 && strcmp(argv[1], "call") == 0)) {
    fprintf(stderr, "usage: mw_node serve DIR | call DIR SERVERS IN_FLIGHT SECONDS\n");
    return 2;
  }
  mw_error err = {0};
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  set(conf, "threads", "0");
  g_ctx = open_context(conf);
  conf = mw_conf_new(MW_CONF_NODE);
  set(conf, "cluster.deployment", "bench");
  set(conf, "dir", argv[2]);
  if (!serves) {
    char gate[64];
    snprintf(gate, sizeof gate, "{\"echo\":%s}", argv[3]);
    set(conf, "gate.services", gate);
  }
  check(mw_node_open(g_ctx, conf, 0, &g_node, &err), &err, "mw_node_open");
  mw_conf_unref(conf);
  check(mw_on(g_node, on_event, NULL, NULL), NULL, "mw_on");
  if (serves) {
    mw_handle service = 0;
    check(mw_serve(g_node, "echo", MW_NTS, NULL, 0, &service, &err), &err, "mw_serve");
  }
  g_body = mw_msg_new(EVENT_BODY, sizeof EVENT_BODY - 1, MW_F_TEXT);
  g_in_flight = serves ? 0 : atoi(argv[4]);
  start(g_node, START);
  if (serves) return mw_ctx_run(g_ctx, -1, NULL);
  const double seconds = atof(argv[5]);
  while (g_answered == 0) turn_for(0.01);
  turn_for(seconds / 5);
  printf("measures\n");
  fflush(stdout);
  const uint64_t before = g_answered;
  const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  turn_for(seconds);
  const double n = (double)(g_answered - before);
  printf("{\"rate\":%.0f,\"cpu_us\":%.3f,\"calls\":%.0f}\n", n / (now(CLOCK_MONOTONIC) - wall),
         (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n * 1e6, n);
  return 0;
}
