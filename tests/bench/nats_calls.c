/* The neighbour for calls with a server between: NATS request and reply, over one subscription for all answers.
 *   nats_calls serve PORT                           of the nats-server; prints "up"
 *   nats_calls call PORT IN_FLIGHT SIZE SECONDS     as zmq_calls */
#include "bench_events.h"

#include <nats/nats.h>
#include <string.h>

static char *g_body, g_inbox[64];
static int g_size;
static _Atomic uint64_t g_answered;

static void check(natsStatus status, const char *what) {
  if (status == NATS_OK) return;
  fprintf(stderr, "%s: %s\n", what, natsStatus_GetText(status));
  exit(1);
}

static natsConnection *connect_to(const char *port, bool at_once) {
  natsOptions *how;
  natsConnection *c;
  char url[64];
  snprintf(url, sizeof url, "nats://127.0.0.1:%s", port);
  check(natsOptions_Create(&how), "options");
  check(natsOptions_SetURL(how, url), "url");
  check(natsOptions_SetSendAsap(how, at_once), "send asap");
  check(natsConnection_Connect(&c, how), "connect");
  return c;
}

static void answer(natsConnection *c, natsSubscription *s, natsMsg *m, void *user) {
  (void)s, (void)user;
  check(natsConnection_Publish(c, natsMsg_GetReply(m), natsMsg_GetData(m), natsMsg_GetDataLength(m)), "answer");
  natsMsg_Destroy(m);
}

static void ask(natsConnection *c) { check(natsConnection_PublishRequest(c, "echo", g_inbox, g_body, g_size), "ask"); }

static void answered(natsConnection *c, natsSubscription *s, natsMsg *m, void *user) {
  (void)s, (void)user;
  natsMsg_Destroy(m);
  g_answered++;
  ask(c);
}

static void serve(const char *port) {
  natsSubscription *s;
  natsConnection *c = connect_to(port, true);
  check(natsConnection_Subscribe(&s, c, "echo", answer, NULL), "subscribe");
  check(natsConnection_Flush(c), "flush");
  say_up();
  for (;;) nats_Sleep(1000);
}

static int call(const char *port, int in_flight, int size, double seconds) {
  natsSubscription *s;
  natsInbox *inbox;
  natsConnection *c = connect_to(port, true);
  g_body = calloc(1, (size_t)size + 1);
  g_size = size;
  check(natsInbox_Create(&inbox), "inbox");
  snprintf(g_inbox, sizeof g_inbox, "%s", inbox);
  check(natsConnection_Subscribe(&s, c, g_inbox, answered, NULL), "subscribe");
  check(natsConnection_Flush(c), "flush");
  for (int i = 0; i < in_flight; i++) ask(c);
  nats_Sleep((int64_t)(seconds * 100));
  const uint64_t before = g_answered;
  const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  nats_Sleep((int64_t)(seconds * 1000));
  const double n = (double)(g_answered - before);
  printf("{\"rate\":%.0f,\"client_us\":%.3f}\n", n / (now(CLOCK_MONOTONIC) - wall), (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / n * 1e6);
  fflush(stdout);
  _Exit(0); /* calls are still in flight */
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc == 6 && strcmp(argv[1], "call") == 0) return call(argv[2], atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
  fprintf(stderr, "usage: nats_calls serve PORT | call PORT IN_FLIGHT SIZE SECONDS\n");
  return 2;
}
