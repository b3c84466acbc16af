/* After fork the child's inherited handles answer MW_EFORK, closing them
 * closes descriptors and nothing else, and a new context works; the parent's
 * link does not notice. */
#include "pair.h"

#include <unistd.h>
#include <sys/wait.h>

static void in_child(struct pair *p) {
  struct pair own;
  int fd;
  size_t n;
  CHECK(mw_send_bytes(p->peer, "x", 1, 0) == MW_EFORK);
  CHECK(mw_state(p->consumer) == MW_EFORK);
  CHECK(mw_start(p->provider, 0, NULL) == MW_EFORK);
  CHECK(mw_ctx_fd(p->ctx, &fd) == MW_EFORK);
  CHECK((p->threads == 0 ? mw_ctx_run(p->ctx, 0, NULL) : mw_ctx_dispatch(p->ctx, 0, &n)) == MW_EFORK);
  CHECK(mw_close(p->ctx, 0, NULL, 0, 0) >= 0);
  pair_open(&own, p->threads);
  pair_send(&own);
  pair_close(&own);
}

int main(void) {
  int threads, status;
  for (threads = 0; threads <= 1; threads++) {
    struct pair p;
    pid_t pid;
    pair_open(&p, threads);
    pair_send(&p);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      alarm(20);
      in_child(&p);
      _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pair_send(&p); /* the link of the parent is as it was */
    CHECK(p.down == 0);
    pair_close(&p);
  }
  return 0;
}
