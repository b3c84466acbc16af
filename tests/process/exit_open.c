/* A program that ends with everything open: exit, exit in a
 * callback, with the library used by a handler of exit, with and without library threads. The exit code is the program's
 * own and comes within a second; the caller's time limit watches. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

static void leave(const mw_event *ev, const uint8_t *data, void *user) {
  (void)data, (void)user;
  if (ev->kind == MW_EVENT_UP) exit(7);
}

static void by_return(int threads) {
  struct pair *p = calloc(1, sizeof *p); /* events may come while exit runs */
  pair_open(p, threads);
  pair_send(p);
  exit(7);
}

static struct pair *last;

static void late(void) {
  mw_send_bytes(last->consumer, "last words", 10, 0);
  mw_close(last->consumer, 0, NULL, 0, 0);
}

/* The host's own atexit handler still uses the library. */
static void in_handler(int threads) {
  last = calloc(1, sizeof *last);
  pair_open(last, threads);
  CHECK(atexit(late) == 0);
  exit(7);
}

static void in_callback(int threads) {
  mw_handle ctx, provider;
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  CHECK(mw_conf_set(c, "threads", MW_NTS, threads == 0 ? "0" : "1", MW_NTS, NULL) == MW_OK);
  if (threads != 0) CHECK(mw_conf_set(c, "delivery", MW_NTS, "inline", MW_NTS, NULL) == MW_OK);
  CHECK(mw_ctx_open(c, &ctx, NULL) == MW_OK);
  mw_conf_unref(c);
  c = mw_conf_new(MW_CONF_PROVIDER);
  CHECK(mw_conf_set(c, "listen", MW_NTS, "tcp://127.0.0.1:0", MW_NTS, NULL) == MW_OK);
  CHECK(mw_provider_open(ctx, c, 1, &provider, NULL) == MW_OK);
  mw_conf_unref(c);
  CHECK(mw_on(provider, leave, NULL, NULL) == MW_OK);
  CHECK(mw_start(provider, 0, NULL) >= 0);
  if (threads == 0)
    for (;;) mw_ctx_run(ctx, 10000, NULL);
  for (;;) pause(); /* the callback on the library thread ends the process */
}

static void child(void (*way)(int), int threads) {
  struct timespec from, to;
  int status;
  pid_t pid;
  clock_gettime(CLOCK_MONOTONIC, &from);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    alarm(20);
    way(threads);
  }
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  clock_gettime(CLOCK_MONOTONIC, &to);
  CHECK(to.tv_sec - from.tv_sec <= 2);
}

int main(void) {
  int threads;
  for (threads = 0; threads <= 1; threads++) {
    child(by_return, threads);
    child(in_callback, threads);
    child(in_handler, threads);
  }
  return 0;
}
