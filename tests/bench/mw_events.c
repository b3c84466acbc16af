/* A channel under test: processes that hear, and one that sends as fast as it may.
 *   mw_events hear DIR            counts; prints "up" when it is there, then for each line of stdin {"heard":...,"at":...,"cpu":...}
 *   mw_events send DIR SECONDS    prints {"sent":...,"began":...,"cpu":...} when everybody has all of it */
#define _GNU_SOURCE
#include "bench_events.h"
#include "mw_server.h"

enum { START = 1, LAST = 2 };

static mw_handle g_ctx, g_channel;
static uint64_t g_count;
static double g_at;
static int g_up, g_writable = 1, g_done;

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)data, (void)user;
  switch (ev->kind) {
    case MW_EVENT_MESSAGE: g_count++; break;
    case MW_EVENT_WRITABLE: g_writable = 1; break;
    case MW_EVENT_DROPPED: fprintf(stderr, "events were lost: %d\n", ev->code); exit(1);
    case MW_EVENT_DONE:
      check(ev->status, NULL, ev->id == START ? "start" : "the last event");
      if (ev->id == START) g_up = 1;
      if (ev->id == LAST) g_done = 1;
      break;
    default: break;
  }
}

static void turn(int64_t ms) { check(mw_ctx_run(g_ctx, ms, NULL), NULL, "mw_ctx_run"); }

static void hear(void) {
  mw_error err = {0};
  check(mw_subscribe(g_channel, "log\\..*", MW_NTS, NULL, 0, 0, NULL, &err), &err, "mw_subscribe");
  say_up();
  int fd;
  check(mw_ctx_fd(g_ctx, &fd), NULL, "mw_ctx_fd");
  for (;;) {
    if (asked(fd)) tell_heard(g_count, g_at);
    const uint64_t before = g_count;
    turn(0);
    if (g_count != before) g_at = now(CLOCK_MONOTONIC);
  }
}

static int send_for(double seconds) {
  mw_msg *m = mw_msg_new(EVENT_BODY, sizeof EVENT_BODY - 1, MW_F_TEXT);
  const double begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t sent = 0;
  while (now(CLOCK_MONOTONIC) < begin + seconds) {
    for (int i = 0; i < 64 && g_writable; i++) {
      mw_status s = mw_publish(g_channel, EVENT_NAME, sizeof EVENT_NAME - 1, m, 0, 0, 0);
      if (s == MW_EAGAIN) g_writable = 0;
      if (s >= 0) sent++;
      else if (s != MW_EAGAIN) check(s, NULL, "mw_publish");
    }
    turn(g_writable ? 0 : 10);
  }
  mw_status s = MW_EAGAIN;
  while ((s = mw_publish(g_channel, EVENT_NAME, sizeof EVENT_NAME - 1, m, 0, 0, LAST)) == MW_EAGAIN) turn(10);
  check(s, NULL, "mw_publish");
  while (!g_done) turn(10);
  tell_sent(sent + 1, begin, cpu);
  return 0;
}

int main(int argc, char **argv) {
  const int hears = argc == 3 && strcmp(argv[1], "hear") == 0;
  if (!hears && !(argc == 4 && strcmp(argv[1], "send") == 0)) {
    fprintf(stderr, "usage: mw_events hear DIR | send DIR SECONDS\n");
    return 2;
  }
  mw_error err = {0};
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  set(conf, "threads", "0");
  g_ctx = open_context(conf);
  conf = mw_conf_new(MW_CONF_CHANNEL);
  set(conf, "name", "bench");
  set(conf, "dir", argv[2]);
  set(conf, "send.soft_bytes", "1MiB"); /* WRITABLE comes before all has gone */
  check(mw_channel_open(g_ctx, conf, 0, &g_channel, &err), &err, "mw_channel_open");
  mw_conf_unref(conf);
  check(mw_on(g_channel, on_event, NULL, NULL), NULL, "mw_on");
  start(g_channel, START);
  while (!g_up) turn(100);
  if (!hears) return send_for(atof(argv[3]));
  hear();
}
