/* The five doors (include/meshwork/ctx.h). In `run` the main thread reads
 * lines and another turns, so every verb comes from a foreign thread; in
 * `turn`, `dispatch` and `queue` one thread does both. */
#include "agent.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { RUN, INLINE, DISPATCH, QUEUE, TURN };
static const char *const kNames[] = {"run", "inline", "dispatch", "queue", "turn"};
static int g_door = INLINE;

mw_handle g_ctx;
static pthread_t g_turner;
static int g_bell = -1; /* the waker's eventfd (queue) */
static int g_fd = -1;   /* what to poll while a context is open */

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_over;
static int g_closed;

int door_choose(const char *name) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&g_over, &monotonic);
  for (int i = 0; i < 5; i++)
    if (strcmp(kNames[i], name) == 0) {
      g_door = i;
      if (g_door == QUEUE) g_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      return 1;
    }
  return 0;
}

void door_closed(void) {
  pthread_mutex_lock(&g_lock);
  g_closed = 1;
  pthread_cond_broadcast(&g_over);
  pthread_mutex_unlock(&g_lock);
}

static void ring(void *user) {
  (void)user;
  uint64_t one = 1;
  if (write(g_bell, &one, sizeof one) < 0) return; /* full: it rings already */
}

static void *turn(void *arg) {
  (void)arg;
  mw_status s;
  do {
    s = mw_ctx_run(g_ctx, -1, NULL);
  } while (s >= 0);
  if (s != MW_EEND) say("! agent FAULT status=%s", status_word(s));
  return NULL;
}

static int count_threads(void) {
  int n = 0;
  DIR *d = opendir("/proc/self/task");
  while (d != NULL && readdir(d) != NULL) n++;
  if (d != NULL) closedir(d);
  return n - 2;
}

static int g_threads; /* before the context was opened */

mw_status door_open(words *w, mw_error *err) {
  g_threads = count_threads();
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  mw_status s = conf ? MW_OK : MW_ENOMEM;
  if (s >= 0 && (g_door == RUN || g_door == TURN)) s = mw_conf_set(conf, "threads", MW_NTS, "0", MW_NTS, err);
  if (s >= 0 && g_door == INLINE) s = mw_conf_set(conf, "delivery", MW_NTS, "inline", MW_NTS, err);
  for (size_t i = 0; i < w->n && s >= 0; i++)
    s = mw_conf_set(conf, w->arg[i].key, MW_NTS, w->arg[i].val, w->arg[i].len, err);
  if (s >= 0) s = mw_ctx_open(conf, &g_ctx, err);
  mw_conf_unref(conf);
  if (s < 0) return s;
  g_closed = 0;
  mw_on(g_ctx, on_event, NULL, NULL);
  if (g_door == RUN && pthread_create(&g_turner, NULL, turn, NULL) != 0) return MW_EIO;
  if (g_door == QUEUE) {
    g_fd = g_bell;
    s = mw_ctx_waker(g_ctx, ring, NULL);
  }
  if (g_door == DISPATCH || g_door == TURN) s = mw_ctx_fd(g_ctx, &g_fd);
  return s;
}

/* Events that are there, once. Each record door takes few at a time into a
 * small slab, so that MW_MORE and REF bodies are met. */
static void pump(void) {
  static mw_event ev[16];
  static uint8_t slab[4096];
  mw_status s;
  size_t n = 0;
  if (g_door == DISPATCH) {
    s = mw_ctx_dispatch(g_ctx, 0, &n);
  } else {
    if (g_door == QUEUE) {
      uint64_t rung;
      if (read(g_bell, &rung, sizeof rung) < 0 && g_fd < 0) return;
    }
    do {
      s = mw_ctx_take(g_ctx, ev, sizeof ev[0], 16, slab, sizeof slab, &n);
      for (size_t i = 0; i < n; i++) {
        on_event(&ev[i], slab, NULL);
        /* A taken reference is ours; in a callback it is lent. */
        if (ev[i].flags & MW_F_REF) mw_msg_unref((mw_msg *)(uintptr_t)ev[i].msg);
      }
    } while (g_door == QUEUE && s == MW_MORE);
  }
  if (s < 0 && s != MW_EEND) say("! agent FAULT status=%s", status_word(s));
  if (g_closed) g_fd = -1;
}

static int count_fds(void) {
  int n = 0;
  DIR *d = opendir("/proc/self/fd");
  while (d != NULL && readdir(d) != NULL) n++;
  if (d != NULL) closedir(d);
  return n - 3; /* ".", ".." and the one of opendir */
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

mw_status door_end(char *extra, size_t cap) {
  if (g_ctx == 0) return MW_ESTATE;
  int64_t limit = now_ms() + 10000;
  mw_close(g_ctx, 0, NULL, 0, 0);
  if (g_fd >= 0) {
    while (!g_closed && now_ms() < limit) {
      struct pollfd p = {.fd = g_fd, .events = POLLIN};
      poll(&p, 1, 1000);
      if (p.revents) pump();
    }
  } else {
    struct timespec at = {.tv_sec = limit / 1000, .tv_nsec = limit % 1000 * 1000000};
    pthread_mutex_lock(&g_lock);
    while (!g_closed && pthread_cond_timedwait(&g_over, &g_lock, &at) == 0) {
    }
    pthread_mutex_unlock(&g_lock);
  }
  if (!g_closed) return MW_ETIMEDOUT;
  if (g_door == RUN) pthread_join(g_turner, NULL);
  mw_status s = mw_ctx_join(g_ctx, 5000);
  g_ctx = 0;
  g_fd = -1;
  names_clear();
  /* A joined thread stands in /proc a moment longer than in the process. */
  int threads = count_threads();
  for (int64_t until = now_ms() + 1000; threads > g_threads && now_ms() < until; threads = count_threads()) sched_yield();
  snprintf(extra, cap, " fds=%d threads=%d", count_fds(), threads);
  return s;
}

/* Reads stdin by itself: poll and buffered reading do not mix. */
void door_serve(void (*line)(char *text)) {
  static char buf[4 << 20];
  size_t have = 0;
  for (;;) {
    struct pollfd p[2] = {{.fd = 0, .events = POLLIN}, {.fd = g_fd, .events = POLLIN}};
    if (poll(p, g_fd >= 0 ? 2 : 1, -1) < 0) continue;
    if (g_fd >= 0 && p[1].revents) pump();
    if (!p[0].revents) continue;
    ssize_t n = read(0, buf + have, sizeof buf - 1 - have);
    if (n <= 0) return;
    have += (size_t)n;
    char *end, *start = buf;
    while ((end = memchr(start, '\n', have)) != NULL) {
      *end = 0;
      have -= (size_t)(end + 1 - start);
      line(start);
      start = end + 1;
    }
    memmove(buf, start, have);
  }
}
