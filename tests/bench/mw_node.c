/* Calls between nodes of a mesh, each a process of its own.
 *   mw_node serve DIR                              serves "echo"; prints "up"
 *   mw_node call DIR SERVERS IN_FLIGHT SECONDS     so many calls at once, over all servers: see bench_calls.h */
#define _GNU_SOURCE
#define BENCH_TARGET "echo.x"
#include "bench_calls.h"

int main(int argc, char **argv) {
  const int serves = argc == 3 && strcmp(argv[1], "serve") == 0;
  if (!serves && !(argc == 6 && strcmp(argv[1], "call") == 0)) {
    fprintf(stderr, "usage: mw_node serve DIR | call DIR SERVERS IN_FLIGHT SECONDS\n");
    return 2;
  }
  mw_error err = {0};
  open_host_turned();
  mw_conf *conf = mw_conf_new(MW_CONF_NODE);
  set(conf, "cluster.deployment", "bench");
  set(conf, "dir", argv[2]);
  if (!serves) {
    char gate[64];
    snprintf(gate, sizeof gate, "{\"echo\":%s}", argv[3]);
    set(conf, "gate.services", gate);
  }
  check(mw_node_open(g_ctx, conf, 0, &g_object, &err), &err, "mw_node_open");
  mw_conf_unref(conf);
  mw_handle service = 0;
  if (serves) check(mw_serve(g_object, "echo", MW_NTS, NULL, 0, &service, &err), &err, "mw_serve");
  return serves ? play(0, 0) : play(atoi(argv[4]), atof(argv[5]));
}
