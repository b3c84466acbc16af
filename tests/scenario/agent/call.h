/* What a verb of the C agent is given, and what all of them share.
 * Used by verbs.c and calls.c; the thread that carries out the line. */
#ifndef SCENARIO_CALL_H
#define SCENARIO_CALL_H

#include "agent.h"

typedef struct {
  words *w;
  char *extra;
  size_t cap;
  const mw_event *ev; /* inside a hook, else NULL */
  const uint8_t *data;
  mw_handle h; /* of the name */
  mw_error err;
} call;

mw_handle resolve(const call *c, const char *name);
/* Every argument that is none of the verb's own is an option. */
mw_conf *conf_from(call *c, int32_t kind, const char *own, mw_status *status);
mw_msg *message(const call *c); /* of body and meta.*; NULL where it is refused */
uint32_t flags(const call *c);
uint64_t op(const call *c);

/* calls.c */
mw_status do_serve(call *c);
mw_status do_call(call *c);
mw_status do_reply(call *c);
mw_status do_fail(call *c);

#endif
