/* What the files of the C agent share: names of handles, events as lines,
 * verbs, the door. Names and output are locked; the rest says its thread. */
#ifndef SCENARIO_AGENT_H
#define SCENARIO_AGENT_H

#include "terms.h"
#include "words.h"

/* names.c: every handle the scenario knows, for the life of its context. */
void names_clear(void);
uint64_t names_token(void);                                  /* the token of the next name */
void names_add(const char *name, mw_handle h, uint64_t token); /* a name used again is replaced */
mw_handle names_handle(const char *name);                    /* 0 = unknown; "#123" is a number */
void names_of_handle(mw_handle h, char *buf, size_t cap);    /* "#123" where unknown */
void names_of_token(uint64_t token, char *buf, size_t cap);  /* "token:123" where unknown */
void names_number(const char *base, const char *infix, mw_handle h); /* "p.1", "p.ask2": next free number */

/* A line the agent carries out when an event comes, on the thread it comes
 * on. NULL = none; the caller frees. */
void hooks_add(const char *object, const char *kind, const char *line);
char *hooks_find(const char *object, const char *kind);

/* report.c */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void on_event(const mw_event *ev, const uint8_t *data, void *user);

/* verbs.c: carries out one line; the answer's words after the status go to extra. */
mw_status verb(words *w, char *extra, size_t cap, const mw_event *ev, const uint8_t *data);

/* doors.c: who turns, and by which door events come. */
extern mw_handle g_ctx;
int door_choose(const char *name);            /* 0 = no such door */
mw_status door_open(words *w, mw_error *err); /* opens the context */
mw_status door_end(char *extra, size_t cap);  /* closes it, waits, counts what is left */
void door_closed(void);                       /* the context's CLOSED came */
void door_serve(void (*line)(char *text));    /* reads stdin until it ends */

#endif
