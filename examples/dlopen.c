/* Loads the library at run time, as a plug-in or a language binding does, and
 * sends one message from a consumer to a provider in the same context. The
 * headers are used for types only; nothing is linked.
 *
 *   dlopen_c [path of libmeshwork.so.1] */
#include <meshwork/meshwork.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X)                                                                     \
  X(mw_version) X(mw_status_text) X(mw_conf_new) X(mw_conf_set) X(mw_conf_unref)         \
  X(mw_ctx_open) X(mw_ctx_run) X(mw_ctx_wake) X(mw_ctx_join) X(mw_on) X(mw_start)        \
  X(mw_close) X(mw_provider_open) X(mw_consumer_open) X(mw_send_bytes)
#define POINTER(f) __typeof__(f) *f;
static struct { FUNCTIONS(POINTER) } mw;

static mw_handle ctx, provider, consumer;
static int answer = 1;

static void on_event(const mw_event *ev, const uint8_t *data, void *user);

static void must(mw_status s, const char *what) {
  if (s >= 0) return;
  fprintf(stderr, "%s: %s\n", what, mw.mw_status_text(s));
  exit(1);
}

/* facts: {"address":["ws://127.0.0.1:..."]} */
static void connect_to_it(const char *facts, size_t len) {
  char text[256] = "";
  memcpy(text, facts, len < sizeof text ? len : sizeof text - 1);
  const char *url = strstr(text, "ws://");
  if (url == NULL) exit(1);
  mw_conf *c = mw.mw_conf_new(MW_CONF_CONSUMER);
  must(mw.mw_conf_set(c, "url", MW_NTS, url, strcspn(url, "\""), NULL), "url");
  must(mw.mw_consumer_open(ctx, c, 0, &consumer, NULL), "consumer");
  mw.mw_on(consumer, on_event, &consumer, NULL);
  must(mw.mw_start(consumer, 0, NULL), "start");
  mw.mw_conf_unref(c);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  if (ev->kind == MW_EVENT_UP && user == &provider) connect_to_it(body, ev->body_len);
  if (ev->kind == MW_EVENT_UP && user == &consumer) mw.mw_send_bytes(consumer, "hello", 5, MW_F_TEXT);
  if (ev->kind == MW_EVENT_MESSAGE) {
    printf("provider heard: %.*s\n", (int)ev->body_len, body);
    answer = 0;
    mw.mw_ctx_wake(ctx);
  }
}

int main(int argc, char **argv) {
  void *lib = dlopen(argc > 1 ? argv[1] : "libmeshwork.so.1", RTLD_NOW | RTLD_LOCAL);
  if (lib == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
#define LOAD(f) \
  if ((mw.f = (__typeof__(mw.f))dlsym(lib, #f)) == NULL) return fprintf(stderr, "no %s\n", #f), 1;
  FUNCTIONS(LOAD)
  printf("loaded version %u.%u.%u\n", mw.mw_version() >> 16, mw.mw_version() >> 8 & 255, mw.mw_version() & 255);
  mw_conf *c = mw.mw_conf_new(MW_CONF_CTX), *p = mw.mw_conf_new(MW_CONF_PROVIDER);
  mw.mw_conf_set(c, "threads", MW_NTS, "0", MW_NTS, NULL);
  mw.mw_conf_set(p, "host", MW_NTS, "127.0.0.1", MW_NTS, NULL);
  mw.mw_conf_set(p, "port", MW_NTS, "0", MW_NTS, NULL);
  must(mw.mw_ctx_open(c, &ctx, NULL), "context");
  must(mw.mw_provider_open(ctx, p, 0, &provider, NULL), "provider");
  mw.mw_on(provider, on_event, &provider, NULL);
  must(mw.mw_start(provider, 0, NULL), "start");
  mw.mw_ctx_run(ctx, 10000, NULL); /* until wake */
  mw.mw_close(ctx, 0, NULL, 0, 0);
  while (mw.mw_ctx_run(ctx, -1, NULL) >= 0) {
  }
  mw.mw_ctx_join(ctx, -1); /* no thread of it is left: the library may go */
  return dlclose(lib) | answer;
}
