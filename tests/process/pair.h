/* A provider and a consumer connected with each other in one context, for
 * programs about the life of a process. One thread. Any failure ends the
 * program with exit code 1 and a sentence. */
#ifndef PROCESS_PAIR_H
#define PROCESS_PAIR_H

#include <meshwork/meshwork.h>

struct pair {
  mw_handle ctx, provider, consumer, peer; /* peer: the consumer as the provider sees it */
  int threads;
  int messages;                            /* MESSAGE events at the consumer */
  int down;                                /* PEER_DOWN or DOWN events */
  char url[128];
};

/* Opens both and returns when the link is up. */
void pair_open(struct pair *p, int threads);
/* Sends one message to the peer and waits until the consumer has it. */
void pair_send(struct pair *p);
/* Takes events for at most ms. */
mw_status pair_turn(struct pair *p, int64_t ms);
/* Closes, takes events to the end, joins. */
void pair_close(struct pair *p);

/* Ends the program unless ok. */
#define CHECK(ok) check((ok) != 0, #ok, __FILE__, __LINE__)
void check(int ok, const char *what, const char *file, int line);

#endif
