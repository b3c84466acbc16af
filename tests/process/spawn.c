/* A program started in the middle keeps nothing of ours: it has no descriptor
 * but the standard ones, so no connection or port stays alive through it. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  struct pair p;
  int threads, status, fd;
  if (argc == 2 && strcmp(argv[1], "child") == 0) {
    for (fd = 3; fd < 1024; fd++) CHECK(lseek(fd, 0, SEEK_CUR) == -1 && dup(fd) == -1);
    return 0;
  }
  /* What the starter of this program left open is not the matter here. */
  for (fd = 3; fd < 1024; fd++) close(fd);
  for (threads = 0; threads <= 1; threads++) {
    pid_t pid;
    pair_open(&p, threads);
    CHECK(mw_ctx_fd(p.ctx, &fd) == MW_OK);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      execl("/proc/self/exe", argv[0], "child", (char *)NULL);
      _exit(127);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pair_close(&p);
  }
  return 0;
}
