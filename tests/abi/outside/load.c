/* Loads the library given as argument by dlopen, knows it by symbols only,
 * and unloads it: twice, because the second load meets what the first left. */
#include <meshwork/base.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef uint32_t (*version_fn)(void);
typedef const char *(*name_fn)(mw_status);
typedef mw_status (*open_fn)(const void *, mw_handle *, mw_error *);
typedef mw_status (*close_fn)(mw_handle, int32_t, const char *, size_t, uint32_t);
typedef mw_status (*join_fn)(mw_handle, int64_t);

static int once(const char *path) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  version_fn version;
  name_fn name;
  open_fn open;
  close_fn close;
  join_fn join;
  mw_handle ctx = 0;
  mw_error err;
  if (lib == NULL) return printf("%s\n", dlerror()), 1;
  *(void **)&version = dlsym(lib, "mw_version");
  *(void **)&name = dlsym(lib, "mw_status_name");
  *(void **)&open = dlsym(lib, "mw_ctx_open");
  *(void **)&close = dlsym(lib, "mw_close");
  *(void **)&join = dlsym(lib, "mw_ctx_join");
  if (!version || !name || !open || !close || !join) return printf("%s\n", dlerror()), 1;
  if (version() != (MW_VERSION_MAJOR << 16 | MW_VERSION_MINOR << 8 | MW_VERSION_PATCH))
    return printf("version %x\n", (unsigned)version()), 1;
  if (strcmp(name(MW_EAGAIN), "MW_EAGAIN") != 0) return printf("names\n"), 1;
  if (open(NULL, &ctx, &err) != MW_OK) return printf("open: %s\n", err.text), 1;
  if (close(ctx, 0, NULL, 0, 0) != MW_OK) return printf("close\n"), 1;
  if (join(ctx, 10000) != MW_OK) return printf("join\n"), 1;
  if (dlclose(lib) != 0) return printf("%s\n", dlerror()), 1;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) return printf("usage: load LIBRARY\n"), 2;
  return once(argv[1]) || once(argv[1]);
}
