/* Six nodes and two managers, each a process. They start in any order. Every
 * node calls the others all the time; no call may fail or be answered twice,
 * whoever is killed: the managers in turn, both together, a node while there is
 * no manager, one that is stopped until all take it for dead. In the end all
 * know all, and nobody who is not there. How long each took is printed; CHAOS_ROUNDS
 * in the environment says how often it is done (make test-full: 10).
 *
 *   chaos_managers_killed [SEED] */
#define _GNU_SOURCE /* memmem */
#include "child.h"

#include <meshwork/meshwork.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 6, MANAGERS = 2, ALL = NODES + MANAGERS, IN_FLIGHT = 4, LIMIT_S = 120, ROLES = 400 };
#define STARTED UINT64_MAX /* op of mw_start; no call's */
#define EVERYBODY ((1u << NODES) - 1)

/* What a process says of itself. It is read while the process is stopped, and after it was killed. */
typedef struct {
  _Atomic unsigned members; /* nodes it takes for alive, a bit each */
  _Atomic int managers;     /* that a node has a link to */
  _Atomic int ruled;        /* it holds a schema */
  _Atomic int up;
  _Atomic long answered, failed, again; /* calls; answered twice */
  _Atomic int strangers;                /* members that were never started */
} sight;
static sight *g_sight;
static char g_host[INET_ADDRSTRLEN];
static int g_port[MANAGERS];
static pid_t g_pid[ALL];
static char g_name[16];
static sight *g_mine;

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- a process of the mesh */

static mw_handle g_node;
static uint64_t g_op[IN_FLIGHT]; /* of the call that is open on a lane, or 0 */
static mw_conf *g_how;

static void call(unsigned lane) {
  static _Atomic uint64_t serial;
  g_op[lane] = atomic_fetch_add(&serial, 1) * IN_FLIGHT + lane + 1;
  if (mw_call(g_node, "work.x", MW_NTS, NULL, g_how, -1, 0, 0, g_op[lane], NULL) < 0) atomic_fetch_add(&g_mine->failed, 1);
}

static void member(const char *json, size_t len, int there) {
  const char *at = memmem(json, len, "\"name\":\"n", 9);
  int i = at != NULL ? at[9] - '0' : -1;
  if (i < 0 || i >= NODES || at[10] != '"') {
    atomic_fetch_add(&g_mine->strangers, 1);
    return;
  }
  there ? atomic_fetch_or(&g_mine->members, 1u << i) : atomic_fetch_and(&g_mine->members, ~(1u << i));
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  switch (ev->kind) {
    case MW_EVENT_MEMBER_UP: member(body, ev->body_len, 1); break;
    case MW_EVENT_MEMBER_DOWN: member(body, ev->body_len, 0); break;
    case MW_EVENT_UP: atomic_store(&g_mine->up, 1); break;
    case MW_EVENT_REQUEST: mw_reply(ev->id, NULL, 0, 0); break;
    case MW_EVENT_SERVICE_UP:
      for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (g_how != NULL && g_op[i] == 0) call(i);
      break;
    case MW_EVENT_ERROR:
      fprintf(stderr, "%s: %s: %.*s\n", g_name, mw_status_name(ev->status), (int)ev->body_len, body);
      break;
    case MW_EVENT_DONE: {
      if (ev->id == 0) break;
      if (ev->id == STARTED) {
        if (ev->status == MW_OK) break;
        fprintf(stderr, "%s: start: %s: %.*s\n", g_name, mw_status_name(ev->status), (int)ev->body_len, body);
        _exit(2);
      }
      unsigned lane = (unsigned)((ev->id - 1) % IN_FLIGHT);
      if (ev->id != g_op[lane]) {
        fprintf(stderr, "%s: a call that is over ended with %s\n", g_name, mw_status_name(ev->status));
        atomic_fetch_add(&g_mine->again, 1);
        break;
      }
      g_op[lane] = 0;
      if (ev->status == MW_OK) {
        atomic_fetch_add(&g_mine->answered, 1);
      } else {
        fprintf(stderr, "%s: a call ended with %s: %.*s\n", g_name, mw_status_name(ev->status), (int)ev->body_len, body);
        atomic_fetch_add(&g_mine->failed, 1);
      }
      call(lane);
      break;
    }
    default: break;
  }
}

/* So large that it goes in several pieces. */
static char *schema(void) {
  char *text = malloc(ROLES * 260 + 200), *p = text;
  p += sprintf(p, "{\"work\":{\"_allow\":\"anyNode\",\"_connect\":\"anyNode\",\"_commands\":{\"_balanced\":{\"x\":{}}}}");
  for (int i = 0; i < ROLES; i++) p += sprintf(p, ",\"R%d%0200d\":{\"_connect\":[\"work\"]}", i, 0);
  strcpy(p, "}");
  return text;
}

static int number_in(const char *json, size_t len, const char *key) {
  const char *at = memmem(json, len, key, strlen(key));
  return at != NULL ? atoi(at + strlen(key)) : -1;
}

static void look(mw_handle h) {
  mw_msg *m = NULL;
  if (mw_info(h, "", MW_NTS, &m, 0, NULL) < 0 || m == NULL) return;
  size_t len = 0;
  const char *json = mw_msg_body(m, &len);
  atomic_store(&g_mine->managers, number_in(json, len, "\"managers\":"));
  atomic_store(&g_mine->ruled, memmem(json, len, "\"access\":\"", 10) != NULL);
  mw_msg_unref(m);
}

static void process(int i) {
  char value[64];
  const int manages = i >= NODES;
  mw_handle ctx = 0, id = 0;
  mw_error err;
  g_mine = &g_sight[i];
  memset(g_mine, 0, sizeof *g_mine);
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  mw_conf_set(c, "delivery", MW_NTS, "inline", MW_NTS, NULL);
  if (mw_ctx_open(c, &ctx, NULL) < 0) _exit(2);
  c = mw_conf_new(manages ? MW_CONF_MANAGER : MW_CONF_NODE);
  snprintf(g_name, sizeof g_name, "%c%d", manages ? 'g' : 'n', manages ? i - NODES : i);
  mw_conf_set(c, "cluster.deployment", MW_NTS, "chaos", MW_NTS, NULL);
  mw_conf_set(c, "member.name", MW_NTS, g_name, MW_NTS, NULL);
  mw_conf_set(c, "registry.scan", MW_NTS, "200ms", MW_NTS, NULL);
  if (manages) {
    snprintf(value, sizeof value, "%d", g_port[i - NODES]);
    mw_conf_set(c, "host", MW_NTS, g_host, MW_NTS, NULL);
    mw_conf_set(c, "port", MW_NTS, value, MW_NTS, NULL);
    mw_conf_set(c, "discovery.port", MW_NTS, "0", MW_NTS, NULL);
    char *text = schema();
    if (mw_conf_set(c, "access", MW_NTS, text, MW_NTS, &err) < 0) fprintf(stderr, "%s\n", err.text), _exit(2);
    free(text);
    if (mw_manager_open(ctx, c, 1, &g_node, &err) < 0) fprintf(stderr, "%s: %s\n", g_name, err.text), _exit(2);
  } else {
    snprintf(value, sizeof value, "%s:%d,%s:%d", g_host, g_port[0], g_host, g_port[1]);
    mw_conf_set(c, "registry", MW_NTS, "manager", MW_NTS, NULL);
    mw_conf_set(c, "registry.url", MW_NTS, value, MW_NTS, NULL);
    mw_conf_set(c, "member.service", MW_NTS, "work", MW_NTS, NULL);
    mw_conf_set(c, "route.local_first", MW_NTS, "false", MW_NTS, NULL);
    if (mw_node_open(ctx, c, 1, &g_node, &err) < 0) fprintf(stderr, "%s: %s\n", g_name, err.text), _exit(2);
    g_how = mw_conf_new(MW_CONF_CALL);
    mw_conf_set(g_how, "retry.safe", MW_NTS, "true", MW_NTS, NULL);
    atomic_store(&g_mine->members, 1u << i);
  }
  mw_on(g_node, on_event, NULL, NULL);
  if (!manages && mw_serve(g_node, "work", MW_NTS, NULL, 2, &id, NULL) < 0) _exit(2);
  if (mw_start(g_node, STARTED, &err) < 0) fprintf(stderr, "%s: %s\n", g_name, err.text), _exit(2);
  for (;;) { /* for whoever watches; nothing here depends on it */
    look(g_node);
    usleep(10000);
  }
}

/* ---- who watches: uses nothing of the library, so that it can fork */

static void start(int i) {
  memset(&g_sight[i], 0, sizeof *g_sight);
  g_pid[i] = fork_child();
  if (g_pid[i] == 0) process(i);
}

static void stop(int i) {
  kill(g_pid[i], SIGKILL);
  waitpid(g_pid[i], NULL, 0);
  g_pid[i] = 0;
}

static void fail(const char *what) {
  fprintf(stderr, "FAILED: %s\n", what);
  for (int i = 0; i < ALL; i++) {
    fprintf(stderr, "  %c%d%s: members %02x, managers %d, schema %d, answered %ld, failed %ld, again %ld, strangers %d\n",
            i < NODES ? 'n' : 'g', i % NODES, g_pid[i] == 0 ? " (not there)" : "", g_sight[i].members, g_sight[i].managers,
            g_sight[i].ruled, g_sight[i].answered, g_sight[i].failed, g_sight[i].again, g_sight[i].strangers);
    if (g_pid[i] != 0) stop(i);
  }
  exit(1);
}

static void sound(void) {
  for (int i = 0; i < ALL; i++) {
    if (g_sight[i].failed != 0) fail("a call failed");
    if (g_sight[i].again != 0) fail("a call was answered twice");
    if (g_sight[i].strangers != 0) fail("a member that never was");
  }
}

/* Nobody ends unless killed, so none is waited for in vain. */
static void all_run(void) {
  for (int i = 0; i < ALL; i++)
    if (g_pid[i] != 0 && waitpid(g_pid[i], NULL, WNOHANG) != 0) {
      g_pid[i] = 0;
      fail("a process ended by itself");
    }
}

static unsigned g_absent; /* nodes that are stopped: nothing is asked of them */

static int all_know(unsigned members, int managers) {
  for (int i = 0; i < ALL; i++) {
    if (g_pid[i] == 0 || (g_absent >> i & 1u) != 0) continue;
    if (g_sight[i].members != members) return 0;
    if (i < NODES && (g_sight[i].managers != managers || !g_sight[i].ruled)) return 0;
  }
  return 1;
}

static int64_t g_since;
static void until(unsigned members, int managers, const char *what) {
  const int64_t end = now_us() + LIMIT_S * 1000000ll;
  while (!all_know(members, managers)) {
    if (now_us() > end) fail(what);
    all_run();
    usleep(1000);
  }
  printf("%-58s %7.0f ms\n", what, (double)(now_us() - g_since) / 1000);
  fflush(stdout);
  sound();
}
static void begin(void) { g_since = now_us(); }

/* Every node gets so many more answers. */
static void calls_go_on(long n, const char *what) {
  long before[NODES];
  const int64_t end = now_us() + LIMIT_S * 1000000ll;
  for (int i = 0; i < NODES; i++) before[i] = g_sight[i].answered;
  for (int i = 0; i < NODES; i++)
    while (g_pid[i] != 0 && (g_absent >> i & 1u) == 0 && g_sight[i].answered < before[i] + n) {
      if (now_us() > end) fail(what);
      all_run();
      usleep(1000);
    }
  sound();
}

static void round_of(void) {
  const int g0 = NODES, g1 = NODES + 1, last = NODES - 1, frozen = NODES - 2;
  for (int g = g0; g <= g1; g++) {
    begin();
    stop(g);
    until(EVERYBODY, 1, "a manager is killed: all have noticed");
    calls_go_on(100, "calls with one manager");
    begin();
    start(g);
    until(EVERYBODY, 2, "it is started again: all report to it, it knows all");
  }
  begin();
  stop(g0);
  stop(g1);
  until(EVERYBODY, 0, "both managers are killed: all have noticed");
  calls_go_on(500, "calls without managers");
  begin();
  stop(last);
  until(EVERYBODY & ~(1u << last), 0, "a node is killed meanwhile: all know");
  calls_go_on(100, "calls without managers and a node");
  begin();
  start(last);
  start(g1);
  start(g0);
  until(EVERYBODY, 2, "the three are started again: all know all");
  calls_go_on(100, "calls with all");
  begin();
  g_absent = 1u << frozen;
  kill(g_pid[frozen], SIGSTOP);
  until(EVERYBODY & ~(1u << frozen), 2, "a node is stopped: all take it for dead");
  calls_go_on(100, "calls without the stopped one");
  begin();
  g_absent = 0;
  kill(g_pid[frozen], SIGCONT);
  until(EVERYBODY, 2, "it goes on: all know all");
  calls_go_on(100, "calls with the stopped one");
}

/* An address of loopback that no other test uses, and ports the kernel gives to nobody: free while their manager is dead. */
static void find_place(void) {
  const int pid = (int)getpid();
  int port = 20000;
  snprintf(g_host, sizeof g_host, "127.%d.%d.1", 1 + pid % 250, pid / 250 % 250);
  for (int i = 0; i < MANAGERS; port++) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || inet_pton(AF_INET, g_host, &a.sin_addr) != 1 || port == 30000) exit(2);
    if (bind(s, (struct sockaddr *)&a, sizeof a) == 0) g_port[i++] = port;
    close(s);
  }
}

int main(int argc, char **argv) {
  const int rounds = getenv("CHAOS_ROUNDS") != NULL ? atoi(getenv("CHAOS_ROUNDS")) : 1;
  const unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)time(NULL);
  srand(seed);
  g_sight = mmap(NULL, sizeof(sight) * ALL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (g_sight == MAP_FAILED) return 2;
  find_place();
  int order[ALL];
  for (int i = 0; i < ALL; i++) order[i] = i;
  for (int i = ALL - 1; i > 0; i--) {
    const int j = rand() % (i + 1), kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  printf("seed %u: started in the order", seed);
  for (int i = 0; i < ALL; i++) printf(" %c%d", order[i] < NODES ? 'n' : 'g', order[i] % NODES);
  printf("\n");
  fflush(stdout);
  begin();
  for (int i = 0; i < ALL; i++) start(order[i]);
  until(EVERYBODY, 2, "started: all know all");
  calls_go_on(100, "first calls");
  for (int i = 0; i < rounds; i++) round_of();
  long answered = 0;
  for (int i = 0; i < NODES; i++) answered += g_sight[i].answered;
  for (int i = 0; i < ALL; i++) stop(i);
  printf("%ld calls at the end, none failed, none answered twice\n1 passed, 0 failed, 0 skipped\n", answered);
  return 0;
}
