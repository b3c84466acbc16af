/* dlopen, a life of the library, dlclose, again and again: nothing grows and
 * no thread is left behind. usage: unload LIBRARY, which is not linked. */
#include <meshwork/meshwork.h>

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(ok)                                                       \
  do {                                                                  \
    if (!(ok)) {                                                        \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #ok); \
      exit(1);                                                          \
    }                                                                   \
  } while (0)

#define FUNCTIONS(F)                                                                       \
  F(mw_conf_new) F(mw_conf_unref) F(mw_conf_set) F(mw_ctx_open) F(mw_ctx_wait)             \
  F(mw_ctx_take) F(mw_ctx_join) F(mw_provider_open) F(mw_consumer_open) F(mw_start)        \
  F(mw_close) F(mw_send_bytes)
#define DECLARE(name) static __typeof__(&name) p_##name;
#define LOAD(name) CHECK((*(void **)&p_##name = dlsym(lib, #name)) != NULL);
FUNCTIONS(DECLARE)

static int entries(const char *folder) {
  int n = 0;
  DIR *d = opendir(folder);
  while (d != NULL && readdir(d) != NULL) n++;
  if (d != NULL) closedir(d);
  return n;
}

/* A provider and a consumer that says one word to it. */
static void life(void) {
  mw_handle ctx, provider, consumer = 0;
  int closed = 0, heard = 0;
  CHECK(p_mw_ctx_open(NULL, &ctx, NULL) == MW_OK);
  mw_conf *c = p_mw_conf_new(MW_CONF_PROVIDER);
  CHECK(p_mw_conf_set(c, "listen", MW_NTS, "tcp://127.0.0.1:0", MW_NTS, NULL) == MW_OK);
  CHECK(p_mw_provider_open(ctx, c, 1, &provider, NULL) == MW_OK);
  p_mw_conf_unref(c);
  CHECK(p_mw_start(provider, 0, NULL) == MW_OK);
  for (int i = 0; i < 2000 && !closed; i++) {
    mw_event ev[16];
    char slab[8192];
    size_t n = 0;
    p_mw_ctx_wait(ctx, 10);
    CHECK(p_mw_ctx_take(ctx, ev, sizeof ev[0], 16, slab, sizeof slab, &n) >= 0);
    for (size_t k = 0; k < n; k++) {
      if (ev[k].kind == MW_EVENT_UP && ev[k].token == 1) {
        char body[1024], url[256];
        snprintf(body, sizeof body, "%.*s", (int)ev[k].body_len, slab + ev[k].offset);
        const char *from = strstr(body, "ws://");
        CHECK(from != NULL);
        snprintf(url, sizeof url, "%.*s", (int)strcspn(from, "\""), from);
        c = p_mw_conf_new(MW_CONF_CONSUMER);
        CHECK(p_mw_conf_set(c, "url", MW_NTS, url, MW_NTS, NULL) == MW_OK);
        CHECK(p_mw_conf_set(c, "wire", MW_NTS, "raw", MW_NTS, NULL) == MW_OK);
        CHECK(p_mw_consumer_open(ctx, c, 2, &consumer, NULL) == MW_OK);
        p_mw_conf_unref(c);
        CHECK(p_mw_start(consumer, 0, NULL) == MW_OK);
      }
      if (ev[k].kind == MW_EVENT_UP && ev[k].token == 2) CHECK(p_mw_send_bytes(consumer, "here", 4, 0) >= 0);
      if (ev[k].kind == MW_EVENT_MESSAGE) heard = 1, p_mw_close(ctx, 0, NULL, 0, 0);
      if (ev[k].kind == MW_EVENT_CLOSED && ev[k].token == 0) closed = 1;
    }
  }
  CHECK(heard && closed);
  CHECK(p_mw_ctx_join(ctx, 10000) == MW_OK);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  int fds = 0, threads = 0;
  for (int i = 0; i < 50; i++) {
    void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (lib == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(lib != NULL);
    FUNCTIONS(LOAD)
    life();
    CHECK(dlclose(lib) == 0);
    if (i == 0) {
      fds = entries("/proc/self/fd");
      threads = entries("/proc/self/task");
    }
    CHECK(entries("/proc/self/fd") == fds);
    CHECK(entries("/proc/self/task") == threads);
  }
  return 0;
}
