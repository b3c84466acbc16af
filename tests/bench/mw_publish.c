/* The publish under test: a host-turned provider and, once COUNT peers have subscribed, one publish to all of them for
 * each line on standard input. Prints the wall and CPU nanoseconds until every frame was handed to the kernel.
 *   mw_publish COUNT [SIZE] */
#define _GNU_SOURCE
#include "mw_server.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

enum { START = 1, SUBSCRIBED = 2, PUBLISHED = 3 };

static mw_handle provider;
static int subscribed;   /* so far */
static int reached = -1; /* by the publish under way */

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)data, (void)user;
  if (ev->kind == MW_EVENT_PEER_UP) {
    mw_error err = {0};
    check(mw_subscribe(ev->peer, "news", MW_NTS, NULL, 0, SUBSCRIBED, NULL, &err), &err, "mw_subscribe");
  } else if (ev->kind == MW_EVENT_PEER_DOWN) {
    exit(3); /* the crowd ended, or a figure would be wrong */
  } else if (ev->kind == MW_EVENT_DONE && ev->id == START) {
    announce(provider, ev->status);
  } else if (ev->kind == MW_EVENT_DONE) {
    check(ev->status, NULL, "DONE");
    if (ev->id == SUBSCRIBED) ++subscribed;
    if (ev->id == PUBLISHED) reached = ev->code;
  }
}

static long long clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void turn(mw_handle ctx) { check(mw_ctx_run(ctx, 0, NULL), NULL, "mw_ctx_run"); }

/* Messages of all peers that the kernel has taken. */
static int64_t handed(void) {
  int64_t value = 0;
  check(mw_stat(provider, MW_STAT_MESSAGES_OUT, &value), NULL, "mw_stat");
  return value;
}

static void publish(mw_handle ctx, const mw_msg *m, int count) {
  const int64_t before = handed();
  const long long wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  reached = -1;
  check(mw_publish(provider, "news", MW_NTS, m, 0, 0, PUBLISHED), NULL, "mw_publish");
  while (reached < 0 || (reached == count && handed() - before < count)) turn(ctx);
  printf("%lld %lld\n", clock_ns(CLOCK_MONOTONIC) - wall, clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  fflush(stdout);
  if (reached != count) {
    fprintf(stderr, "reached %d of %d\n", reached, count);
    exit(1);
  }
}

int main(int argc, char **argv) {
  mw_conf *ctx_conf = mw_conf_new(MW_CONF_CTX);
  mw_conf *conf = provider_conf();
  struct pollfd ready[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
  const int count = argc > 1 ? atoi(argv[1]) : 0;
  const size_t size = argc > 2 ? (size_t)atoi(argv[2]) : 20;
  char *body = malloc(size), line[16];
  mw_handle ctx;
  mw_msg *m;
  set(ctx_conf, "threads", "0");
  ctx = open_context(ctx_conf);
  set(conf, "heartbeat.interval", "0"); /* the crowd never answers */
  provider = open_provider(ctx, conf, on_event);
  start(provider, START);
  check(mw_ctx_fd(ctx, &ready[1].fd), NULL, "mw_ctx_fd");
  memset(body, 'x', size);
  m = mw_msg_new(body, size, 0);
  for (;;) {
    turn(ctx);
    ready[0].fd = subscribed == count ? STDIN_FILENO : -1;
    poll(ready, 2, -1);
    if (ready[0].revents == 0) continue;
    if (fgets(line, sizeof line, stdin) == NULL) return 0;
    publish(ctx, m, count);
  }
}
