/* What the programs that measure events share: the event, the clock, and what a hearer and a sender tell the driver.
 * Included once by each program. */
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EVENT_NAME "log.warn"
#define EVENT_BODY "{\"id\":123456,\"host\":\"alpha\",\"text\":\"disk nearly full\"}"

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Sleeps until fd has input or the driver wrote a line; whether it did. The driver's end is ours. */
static inline int asked(int fd) {
  struct pollfd p[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
  char line[64];
  poll(p, 2, -1);
  if (p[1].revents == 0) return 0;
  if (read(0, line, sizeof line) <= 0) exit(0);
  return 1;
}

static inline void say_up(void) {
  printf("up\n");
  fflush(stdout);
}

/* So many were heard, the last one at this time of the monotonic clock. */
static inline void tell_heard(uint64_t n, double at) {
  printf("{\"heard\":%llu,\"at\":%.6f,\"cpu\":%.6f}\n", (unsigned long long)n, at, now(CLOCK_PROCESS_CPUTIME_ID));
  fflush(stdout);
}

/* So many were sent, the first one at this time, for so much CPU. */
static inline void tell_sent(uint64_t n, double began, double cpu) {
  printf("{\"sent\":%llu,\"began\":%.6f,\"cpu\":%.6f}\n", (unsigned long long)n, began, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  fflush(stdout);
}

#endif
