/* Two copies of the library in one process know nothing of each other: an id
 * of one is stale in the other. usage: two_copies LIBRARY, which is copied. */
#include "pair.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef mw_status (*state_fn)(mw_handle);
typedef mw_status (*open_fn)(const mw_conf *, mw_handle *, mw_error *);
typedef mw_status (*close_fn)(mw_handle, int32_t, const char *, size_t, uint32_t);
typedef mw_status (*join_fn)(mw_handle, int64_t);

static void copy(const char *from, const char *to) {
  char buffer[65536];
  size_t n;
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  CHECK(in != NULL && out != NULL);
  while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) CHECK(fwrite(buffer, 1, n, out) == n);
  fclose(in);
  CHECK(fclose(out) == 0);
}

int main(int argc, char **argv) {
  char path[] = "/tmp/meshwork-copy-XXXXXX";
  struct pair p;
  mw_handle other = 0;
  void *lib;
  state_fn state;
  open_fn open;
  close_fn close_;
  join_fn join;
  int fd;
  CHECK(argc == 2);
  fd = mkstemp(path);
  CHECK(fd >= 0);
  close(fd);
  copy(argv[1], path);
  lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  unlink(path);
  CHECK(lib != NULL);
  *(void **)&state = dlsym(lib, "mw_state");
  *(void **)&open = dlsym(lib, "mw_ctx_open");
  *(void **)&close_ = dlsym(lib, "mw_close");
  *(void **)&join = dlsym(lib, "mw_ctx_join");
  CHECK(state != NULL && state != mw_state && open != NULL && close_ != NULL && join != NULL);

  pair_open(&p, 1);
  CHECK(open(NULL, &other, NULL) == MW_OK);
  CHECK(mw_state(p.provider) == MW_STATE_UP);
  CHECK(state(p.provider) == MW_ECLOSED);
  CHECK(state(p.ctx) == MW_ECLOSED);
  CHECK(mw_state(other) == MW_ECLOSED);
  CHECK(close_(p.ctx, 0, NULL, 0, 0) == MW_ECLOSED);
  CHECK(close_(other, 0, NULL, 0, 0) == MW_OK);
  CHECK(join(other, 10000) == MW_OK);
  pair_send(&p);
  pair_close(&p);
  return 0;
}
