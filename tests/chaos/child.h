/* A process of a test that ends with the test, however that ends: killed by a limit of time too.
 * Hides prctl. Used by tests/chaos; called on the main thread, whose end is what is watched. */
#ifndef MESHWORK_TESTS_CHAOS_CHILD_H
#define MESHWORK_TESTS_CHAOS_CHILD_H

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* As fork(). */
static inline pid_t fork_child(void) {
  const pid_t parent = getpid(), pid = fork();
  /* It may be gone before this is asked for. */
  if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)) _exit(2);
  return pid;
}

#endif
