/* Four processes serve, this one calls. One is killed: its calls in flight must
 * end, each once, and new ones go elsewhere. One is stopped: it must be
 * suspected and passed over, then be taken for dead; let go on, it must be a
 * member that answers again, without a restart. Another one is killed with
 * 100,000 calls in hand. How long each took is printed.
 *
 *   chaos_mesh_killed */
#define _GNU_SOURCE /* memmem */
#include "child.h"

#include <meshwork/meshwork.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLEES = 4, HELD = 50, LIMIT_S = 60, PENDING = 100000, MANY = 1 << 20 };

static char g_dir[64];
static pid_t g_pid[CALLEES];

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static mw_handle open_node(mw_handle ctx, const char *name, mw_event_fn fn) {
  mw_handle n = 0;
  mw_error err;
  mw_conf *c = mw_conf_new(MW_CONF_NODE);
  mw_conf_set(c, "cluster.deployment", MW_NTS, "chaos", MW_NTS, NULL);
  mw_conf_set(c, "member.name", MW_NTS, name, MW_NTS, NULL);
  mw_conf_set(c, "dir", MW_NTS, g_dir, MW_NTS, NULL);
  if (mw_node_open(ctx, c, 1, &n, &err) < 0) {
    fprintf(stderr, "node %s: %s\n", name, err.text);
    exit(2);
  }
  mw_conf_unref(c);
  mw_on(n, fn, NULL, NULL);
  return n;
}

static mw_handle open_ctx(void) {
  mw_handle ctx = 0;
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  mw_conf_set(c, "delivery", MW_NTS, "inline", MW_NTS, NULL);
  if (mw_ctx_open(c, &ctx, NULL) < 0) exit(2);
  mw_conf_unref(c);
  return ctx;
}

/* ---- a callee: "work.keep" is never answered, anything else at once */

static void on_callee(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  if (ev->kind != MW_EVENT_REQUEST || ev->id == 0) return;
  if (ev->topic_len == 9 && memcmp(data + ev->offset, "work.keep", 9) == 0) return;
  mw_reply(ev->id, NULL, 0, 0);
}

static void callee(int i) {
  char name[8];
  snprintf(name, sizeof name, "c%d", i);
  mw_handle n = open_node(open_ctx(), name, on_callee), id = 0;
  if (mw_serve(n, "work", MW_NTS, NULL, 2, &id, NULL) < 0) _exit(2);
  mw_start(n, 0, NULL);
  for (;;) pause();
}

/* ---- the caller */

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_changed = PTHREAD_COND_INITIALIZER;
static int g_services, g_kept, g_gone, g_quick, g_bad, g_twice;
static int64_t g_last_gone;
static int g_suspected[CALLEES], g_trusted[CALLEES], g_down[CALLEES], g_up[CALLEES];
static unsigned char g_done[3 << 20];

static int whose(const char *json, int len) {
  for (int i = 0; i < CALLEES; i++) {
    char name[24];
    snprintf(name, sizeof name, "\"name\":\"c%d\"", i);
    if (memmem(json, (size_t)len, name, strlen(name)) != NULL) return i;
  }
  return -1;
}

/* ops: below 1000 and from MANY on kept, others quick */
static void on_caller(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  int who = whose(body, (int)ev->body_len);
  pthread_mutex_lock(&g_lock);
  switch (ev->kind) {
    case MW_EVENT_SERVICE_UP: g_services++; break;
    case MW_EVENT_MEMBER_UP: if (who >= 0) g_up[who]++; break;
    case MW_EVENT_MEMBER_DOWN: if (who >= 0) g_down[who]++; break;
    case MW_EVENT_MEMBER_CHANGED: if (who >= 0) ev->code == 1 ? g_suspected[who]++ : g_trusted[who]++; break;
    case MW_EVENT_DONE:
      if (g_done[ev->id % sizeof g_done]++ != 0) g_twice++;
      if (ev->id < 1000 || ev->id >= MANY) {
        g_gone++;
        g_last_gone = now_us();
        if (ev->status != MW_EPEERGONE) g_bad++;
      } else {
        g_quick++;
        if (ev->status != MW_OK) {
          fprintf(stderr, "call %d: %s\n", (int)ev->id, mw_status_name(ev->status));
          g_bad++;
        }
      }
      break;
    default: break;
  }
  pthread_cond_broadcast(&g_changed);
  pthread_mutex_unlock(&g_lock);
}

static void fail(const char *what) {
  fprintf(stderr, "FAILED: %s (kept %d, gone %d, quick %d, bad %d, twice %d)\n", what, g_kept, g_gone, g_quick, g_bad, g_twice);
  for (int i = 0; i < CALLEES; i++) kill(g_pid[i], SIGKILL);
  exit(1);
}

static int at_least(const int *value, int n) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += LIMIT_S;
  pthread_mutex_lock(&g_lock);
  int ok = 1;
  while (*value < n && ok) ok = pthread_cond_timedwait(&g_changed, &g_lock, &limit) == 0;
  pthread_mutex_unlock(&g_lock);
  return ok;
}

static mw_handle g_node;
static uint64_t g_quick_op = 1000;

static void quick(int n, const char *only) {
  mw_conf *how = NULL;
  if (only != NULL) {
    how = mw_conf_new(MW_CONF_CALL);
    mw_conf_set(how, "only", MW_NTS, only, MW_NTS, NULL);
  }
  int before = g_quick;
  for (int i = 0; i < n; i++)
    if (mw_call(g_node, "work.x", MW_NTS, NULL, how, 30000, 0, 0, g_quick_op++, NULL) < 0) fail("a call was refused");
  mw_conf_unref(how);
  if (!at_least(&g_quick, before + n)) fail("quick calls were not answered");
}

int main(void) {
  snprintf(g_dir, sizeof g_dir, "/tmp/mw-chaos-%d", (int)getpid());
  for (int i = 0; i < CALLEES; i++) {
    g_pid[i] = fork_child();
    if (g_pid[i] == 0) callee(i);
  }
  mw_handle ctx = open_ctx();
  g_node = open_node(ctx, "caller", on_caller);
  mw_start(g_node, 0, NULL);
  if (!at_least(&g_services, CALLEES)) fail("not all serve");

  /* Killed with calls in flight. */
  mw_conf *how = mw_conf_new(MW_CONF_CALL);
  mw_conf_set(how, "only", MW_NTS, "c0", MW_NTS, NULL);
  for (g_kept = 0; g_kept < HELD; g_kept++)
    if (mw_call(g_node, "work.keep", MW_NTS, NULL, how, -1, 0, 0, (uint64_t)g_kept + 1, NULL) < 0) fail("call");
  mw_conf_unref(how);
  quick(100, NULL); /* so they are there */
  quick(1, "c0");
  int64_t t = now_us();
  kill(g_pid[0], SIGKILL);
  if (!at_least(&g_gone, HELD)) fail("calls in flight did not end");
  printf("killed: %d calls in flight ended in %.1f ms\n", HELD, (double)(g_last_gone - t) / 1000);
  quick(200, NULL);
  if (!at_least(&g_down[0], 1)) fail("no verdict on the killed one");
  printf("killed: verdict after %.1f ms\n", (double)(now_us() - t) / 1000);

  /* Stopped: suspected, passed over, taken for dead, back. */
  quick(10, "c1");
  t = now_us();
  kill(g_pid[1], SIGSTOP);
  if (!at_least(&g_suspected[1], 1)) fail("the stopped one is not suspected");
  printf("stopped: suspected after %.0f ms\n", (double)(now_us() - t) / 1000);
  quick(200, NULL); /* none of them goes there: it would wait for the verdict */
  printf("stopped: 200 calls answered by the others after %.0f ms\n", (double)(now_us() - t) / 1000);
  if (!at_least(&g_down[1], 1)) fail("the stopped one is not taken for dead");
  printf("stopped: declared dead after %.0f ms\n", (double)(now_us() - t) / 1000);
  int ups = g_up[1];
  t = now_us();
  kill(g_pid[1], SIGCONT);
  if (!at_least(&g_up[1], ups + 1)) fail("the stopped one does not come back");
  quick(10, "c1");
  printf("continued: answers again after %.0f ms\n", (double)(now_us() - t) / 1000);

  /* Killed with very many calls in flight. A thousand at a time: what is not read yet is bounded. */
  how = mw_conf_new(MW_CONF_CALL);
  mw_conf_set(how, "only", MW_NTS, "c2", MW_NTS, NULL);
  for (uint64_t i = 0; i < PENDING; i++) {
    if (mw_call(g_node, "work.keep", MW_NTS, NULL, how, -1, 0, 0, MANY + i, NULL) < 0) fail("one of many calls");
    if (i % 1000 == 999) quick(1, "c2");
  }
  mw_conf_unref(how);
  t = now_us();
  kill(g_pid[2], SIGKILL);
  if (!at_least(&g_gone, HELD + PENDING)) fail("many calls in flight did not end");
  printf("killed: %d calls in flight ended in %.1f ms\n", PENDING, (double)(g_last_gone - t) / 1000);
  quick(200, NULL);

  if (g_bad != 0 || g_twice != 0) fail("a call ended wrong");
  mw_close(ctx, 0, NULL, 0, 0);
  if (mw_ctx_join(ctx, 20000) != MW_OK) fail("the context does not end");
  for (int i = 0; i < CALLEES; i++) kill(g_pid[i], SIGKILL);
  for (int i = 0; i < CALLEES; i++) waitpid(g_pid[i], NULL, 0);
  char rm[96];
  snprintf(rm, sizeof rm, "rm -r '%s'", g_dir);
  if (system(rm) != 0) return 1;
  printf("1 passed, 0 failed, 0 skipped\n");
  return 0;
}
