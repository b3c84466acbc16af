/* The neighbour for events that has a server: Redis PUBLISH and SUBSCRIBE over its unix socket, 64 commands at a time.
 *   redis_events hear DIR | send DIR SECONDS      as mw_events; redis-server listens at DIR/redis.sock */
#include "bench_events.h"

#include <hiredis/hiredis.h>
#include <string.h>

static void check(int fine, const redisContext *c, const char *what) {
  if (fine) return;
  fprintf(stderr, "%s: %s\n", what, c != NULL ? c->errstr : "");
  exit(1);
}

static redisReply *answer(redisContext *c) {
  void *r = NULL;
  check(redisGetReply(c, &r) == REDIS_OK, c, "reply");
  return r;
}

static void hear(redisContext *c) {
  uint64_t n = 0;
  double at = 0;
  redisAppendCommand(c, "PSUBSCRIBE log.*");
  freeReplyObject(answer(c));
  say_up();
  for (;;) {
    if (asked(c->fd)) {
      tell_heard(n, at);
      continue;
    }
    check(redisBufferRead(c) == REDIS_OK, c, "read");
    for (void *r = NULL; redisGetReplyFromReader(c, &r) == REDIS_OK && r != NULL; n++) freeReplyObject(r);
    at = now(CLOCK_MONOTONIC);
  }
}

static int send_for(redisContext *c, double seconds) {
  const double begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t sent = 0;
  while (now(CLOCK_MONOTONIC) < begin + seconds) {
    for (int i = 0; i < 64; i++)
      redisAppendCommand(c, "PUBLISH %s %b", EVENT_NAME, EVENT_BODY, sizeof EVENT_BODY - 1);
    for (int i = 0; i < 64; i++, sent++) freeReplyObject(answer(c));
  }
  tell_sent(sent, begin, cpu);
  return 0;
}

int main(int argc, char **argv) {
  const int hears = argc == 3 && strcmp(argv[1], "hear") == 0;
  if (!hears && !(argc == 4 && strcmp(argv[1], "send") == 0)) {
    fprintf(stderr, "usage: redis_events hear DIR | send DIR SECONDS\n");
    return 2;
  }
  char where[256];
  snprintf(where, sizeof where, "%s/redis.sock", argv[2]);
  redisContext *c = redisConnectUnix(where);
  check(c != NULL && c->err == 0, c, "connect");
  if (!hears) return send_for(c, atof(argv[3]));
  hear(c);
}
