/* Failing the Nth step: this program's own malloc and socket calls stand
 * before the C library's and, once armed, fail so often. Any thread. */
#ifndef FAULT_INJECT_H
#define FAULT_INJECT_H

#ifdef __cplusplus
extern "C" {
#endif

enum fault { FAULT_NONE, FAULT_MEMORY, FAULT_CALL };

/* The nth (from 1) allocation or system call from now on fails, and what
 * follows it, `row` of them together. */
void fault_arm(enum fault what, long nth, long row);
/* Disarms; what failed ("malloc", "accept4"), or NULL if nothing had to. */
const char *fault_disarm(void);

#ifdef __cplusplus
}
#endif
#endif
