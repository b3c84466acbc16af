/* What the meshwork servers of the bench share: options from the command line, a provider on a free loopback port,
 * and the port told on standard output once it listens. Included once by each program. */
#ifndef BENCH_MW_SERVER_H
#define BENCH_MW_SERVER_H

#include <meshwork/meshwork.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(mw_status status, const mw_error *err, const char *what) {
  if (status >= 0) return;
  fprintf(stderr, "%s: %s %s\n", what, mw_status_name(status), err != NULL ? err->text : "");
  exit(1);
}

static void set(mw_conf *conf, const char *key, const char *value) {
  mw_error err = {0};
  check(mw_conf_set(conf, key, MW_NTS, value, MW_NTS, &err), &err, key);
}

static mw_handle open_context(mw_conf *conf) {
  mw_error err = {0};
  mw_handle ctx = 0;
  check(mw_ctx_open(conf, &ctx, &err), &err, "mw_ctx_open");
  mw_conf_unref(conf);
  return ctx;
}

static inline mw_conf *provider_conf(void) {
  mw_conf *conf = mw_conf_new(MW_CONF_PROVIDER);
  set(conf, "host", "127.0.0.1");
  set(conf, "port", "0");
  set(conf, "backlog", "4096");
  return conf;
}

static inline mw_handle open_provider(mw_handle ctx, mw_conf *conf, mw_event_fn fn) {
  mw_error err = {0};
  mw_handle provider = 0;
  check(mw_provider_open(ctx, conf, 0, &provider, &err), &err, "mw_provider_open");
  mw_conf_unref(conf);
  if (fn != NULL) check(mw_on(provider, fn, NULL, NULL), NULL, "mw_on");
  return provider;
}

static void start(mw_handle provider, uint64_t op) {
  mw_error err = {0};
  check(mw_start(provider, op, &err), &err, "mw_start");
}

/* Call on the DONE of start. */
static inline void announce(mw_handle provider, mw_status started) {
  mw_error err = {0};
  mw_msg *facts = NULL;
  size_t length = 0;
  const char *at;
  check(started, NULL, "listen");
  check(mw_info(provider, "address", MW_NTS, &facts, 0, &err), &err, "mw_info");
  at = mw_msg_body(facts, &length);
  at = memmem(at, length, "127.0.0.1:", 10);
  if (at == NULL) {
    fprintf(stderr, "no address in mw_info\n");
    exit(1);
  }
  printf("port %ld\n", strtol(at + 10, NULL, 10));
  fflush(stdout);
  mw_msg_unref(facts);
}

#endif
