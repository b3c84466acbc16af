/* Links between nodes that are made by a call and idle then.
 *   mw_links serve DIR COUNT            so many nodes in one process, which serve; prints "up" when they have started
 *   mw_links call DIR COUNT SERVERS     so many that know so many of those; prints "up", then for each line of stdin each
 *                                       makes as many calls as it says, in turn to all that serve, and prints "linked" */
#define _GNU_SOURCE
#include "bench_events.h"
#include "mw_server.h"

enum { START = 1, CALL = 2 };

static mw_handle g_ctx;
static int g_waits; /* DONEs to come */

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)data, (void)user;
  if (ev->kind == MW_EVENT_REQUEST) check(mw_reply(ev->id, NULL, 0, 0), NULL, "mw_reply");
  if (ev->kind != MW_EVENT_DONE) return;
  check(ev->status, NULL, ev->id == START ? "start" : "call");
  g_waits--;
}

static void wait_for_all(void) {
  while (g_waits > 0) check(mw_ctx_run(g_ctx, 100, NULL), NULL, "mw_ctx_run");
}

static mw_handle open_node(const char *dir, const char *gate) {
  mw_error err = {0};
  mw_handle node = 0, service = 0;
  mw_conf *conf = mw_conf_new(MW_CONF_NODE);
  set(conf, "cluster.deployment", "bench");
  set(conf, "dir", dir);
  set(conf, "gate.services", gate);
  check(mw_node_open(g_ctx, conf, 0, &node, &err), &err, "mw_node_open");
  mw_conf_unref(conf);
  check(mw_on(node, on_event, NULL, NULL), NULL, "mw_on");
  if (strcmp(gate, "{}") == 0) check(mw_serve(node, "echo", MW_NTS, NULL, 0, &service, &err), &err, "mw_serve");
  g_waits++;
  start(node, START);
  return node;
}

static void call_from(const mw_handle *nodes, int count) {
  mw_error err = {0};
  char line[32];
  int fd;
  check(mw_ctx_fd(g_ctx, &fd), NULL, "mw_ctx_fd");
  for (;;) {
    struct pollfd p[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
    poll(p, 2, -1);
    check(mw_ctx_run(g_ctx, 0, NULL), NULL, "mw_ctx_run");
    if (p[1].revents == 0) continue;
    if (fgets(line, sizeof line, stdin) == NULL) return;
    for (int i = 0, n = atoi(line); i < n * count; i++) {
      g_waits = 1;
      check(mw_call(nodes[i / n], "echo.x", MW_NTS, NULL, NULL, 0, 0, 0, CALL, &err), &err, "mw_call");
      wait_for_all();
    }
    printf("linked\n");
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  char gate[64] = "{}";
  const int calls = argc == 5 && strcmp(argv[1], "call") == 0;
  if (!calls && !(argc == 4 && strcmp(argv[1], "serve") == 0)) {
    fprintf(stderr, "usage: mw_links serve DIR COUNT | call DIR COUNT SERVERS\n");
    return 2;
  }
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  set(conf, "threads", "0");
  g_ctx = open_context(conf);
  const int count = atoi(argv[3]);
  mw_handle *nodes = calloc((size_t)count + 1, sizeof *nodes);
  if (calls) snprintf(gate, sizeof gate, "{\"echo\":%d}", atoi(argv[4]));
  for (int i = 0; i < count; i++) nodes[i] = open_node(argv[2], gate);
  wait_for_all();
  say_up();
  if (calls) call_from(nodes, count);
  else mw_ctx_run(g_ctx, -1, NULL);
}
