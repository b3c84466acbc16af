/* Messages one way, of the own wire: each is numbered and acknowledged, and what was accepted and did not arrive is told.
 *   mw_messages hear                       prints "port N"; then for each line of stdin {"heard":...,"at":...,"cpu":...}
 *   mw_messages send PORT SIZE SECONDS     prints {"sent":...,"began":...,"cpu":...} when the other end has all of it */
#define _GNU_SOURCE
#include "bench_events.h"
#include "mw_server.h"

enum { START = 1, LAST = 2 };

static mw_handle g_ctx, g_party;
static uint64_t g_count;
static double g_at;
static int g_hears, g_up, g_writable = 1, g_done;

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)data, (void)user;
  if (ev->kind == MW_EVENT_MESSAGE) g_count++;
  if (ev->kind == MW_EVENT_WRITABLE) g_writable = 1;
  if (ev->kind != MW_EVENT_DONE) return;
  if (ev->id == START && g_hears) announce(g_party, ev->status);
  check(ev->status, NULL, ev->id == START ? "start" : "the last message");
  if (ev->id == START) g_up = 1;
  if (ev->id == LAST) g_done = 1;
}

static void turn(int64_t ms) { check(mw_ctx_run(g_ctx, ms, NULL), NULL, "mw_ctx_run"); }

static void hear(void) {
  int fd;
  g_party = open_provider(g_ctx, provider_conf(), on_event);
  start(g_party, START);
  while (!g_up) turn(100);
  check(mw_ctx_fd(g_ctx, &fd), NULL, "mw_ctx_fd");
  for (;;) {
    if (asked(fd)) tell_heard(g_count, g_at);
    const uint64_t before = g_count;
    turn(0);
    if (g_count != before) g_at = now(CLOCK_MONOTONIC);
  }
}

static int send_for(const char *port, size_t size, double seconds) {
  mw_error err = {0};
  char url[64], *body = calloc(1, size + 1);
  mw_conf *conf = mw_conf_new(MW_CONF_CONSUMER);
  snprintf(url, sizeof url, "ws://127.0.0.1:%s/connect", port);
  set(conf, "url", url);
  set(conf, "send.soft_bytes", "1MiB"); /* WRITABLE comes before all has gone */
  check(mw_consumer_open(g_ctx, conf, 0, &g_party, &err), &err, "mw_consumer_open");
  mw_conf_unref(conf);
  check(mw_on(g_party, on_event, NULL, NULL), NULL, "mw_on");
  start(g_party, START);
  while (!g_up) turn(100);
  const double begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t sent = 0;
  while (now(CLOCK_MONOTONIC) < begin + seconds) {
    for (int i = 0; i < 512 && g_writable; i++) {
      const mw_status s = mw_send_bytes(g_party, body, size, 0);
      if (s == MW_EAGAIN) g_writable = 0;
      else check(s, NULL, "mw_send_bytes");
      if (s >= 0) sent++;
    }
    turn(g_writable ? 0 : 10);
  }
  mw_msg *m = mw_msg_new(body, size, 0);
  mw_status s;
  while ((s = mw_send(g_party, m, 0, LAST)) == MW_EAGAIN) turn(10);
  check(s, NULL, "mw_send");
  while (!g_done) turn(10);
  tell_sent(sent + 1, begin, cpu);
  return 0;
}

int main(int argc, char **argv) {
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  set(conf, "threads", "0");
  g_ctx = open_context(conf);
  g_hears = argc == 2 && strcmp(argv[1], "hear") == 0;
  if (g_hears) hear();
  if (argc == 5 && strcmp(argv[1], "send") == 0) return send_for(argv[2], (size_t)atoi(argv[3]), atof(argv[4]));
  fprintf(stderr, "usage: mw_messages hear | send PORT SIZE SECONDS\n");
  return 2;
}
