/* Calls to the leader of a share from another process.
 *   mw_invoke lead DIR                             answers; prints "up"
 *   mw_invoke call DIR IN_FLIGHT SECONDS           so many calls at once: see bench_calls.h */
#define _GNU_SOURCE
#define BENCH_TARGET "get"
#include "bench_calls.h"

int main(int argc, char **argv) {
  const int leads = argc == 3 && strcmp(argv[1], "lead") == 0;
  if (!leads && !(argc == 5 && strcmp(argv[1], "call") == 0)) {
    fprintf(stderr, "usage: mw_invoke lead DIR | call DIR IN_FLIGHT SECONDS\n");
    return 2;
  }
  mw_error err = {0};
  open_host_turned();
  mw_conf *conf = mw_conf_new(MW_CONF_SHARE);
  set(conf, "name", "bench");
  set(conf, "dir", argv[2]);
  set(conf, "role", leads ? "leader" : "follower");
  check(mw_share_open(g_ctx, conf, 0, &g_object, &err), &err, "mw_share_open");
  mw_conf_unref(conf);
  return leads ? play(0, 0) : play(atoi(argv[3]), atof(argv[4]));
}
