/* What the programs share that call over and over, so many at once: one object of one host-turned context, callbacks.
 * Who is asked answers each call with what it was given. Included once by each program, which says what it calls. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include "bench_events.h"
#include "mw_server.h"

enum { START = 1, FIRST = 100 };

static mw_handle g_ctx, g_object;
static mw_msg *g_body;
static int g_in_flight; /* 0: answers only, and says "up" when it has started */
static uint64_t g_next = FIRST, g_answered;

static void call_once(void) {
  mw_error err = {0};
  check(mw_call(g_object, BENCH_TARGET, MW_NTS, g_body, NULL, 0, 0, 0, g_next++, &err), &err, "mw_call");
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

static void open_host_turned(void) {
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  set(conf, "threads", "0");
  g_ctx = open_context(conf);
}

/* Answers for ever, or calls: prints "measures" when it is warm, then {"rate":...,"cpu_us":...,"calls":...} of so long. */
static int play(int in_flight, double seconds) {
  g_body = mw_msg_new(EVENT_BODY, sizeof EVENT_BODY - 1, MW_F_TEXT);
  g_in_flight = in_flight;
  check(mw_on(g_object, on_event, NULL, NULL), NULL, "mw_on");
  start(g_object, START);
  if (in_flight == 0) return mw_ctx_run(g_ctx, -1, NULL);
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

#endif
