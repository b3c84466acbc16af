/* A provider in C: lets consumers in that know the key, prints what they say,
 * answers. Callbacks run on a library thread; main only waits for Ctrl-C.
 *
 *   provider_c [port]                 (8080; 0 takes any free port) */
#include <meshwork/meshwork.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what, const mw_error *e) {
  fprintf(stderr, "%s: %s (%s)\n", what, e->text, mw_status_name(e->code));
  exit(1);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  const int len = (int)ev->body_len;
  (void)user;
  switch (ev->kind) {
    case MW_EVENT_UP:
      printf("listening %.*s\n", len, body);
      break;
    case MW_EVENT_PEER_UP:
      printf("Consumer %llu is here: %.*s\n", (unsigned long long)ev->peer, len, body);
      break;
    case MW_EVENT_MESSAGE:
      printf("Consumer %llu Sent: %.*s\n", (unsigned long long)ev->peer, len, body);
      if (len == 14 && memcmp(body, "CONSUMER_READY", 14) == 0)
        mw_send_bytes(ev->peer, "SOME_REPLY", 10, MW_F_TEXT);
      break;
    case MW_EVENT_PEER_DOWN:
      printf("Consumer %llu left: %d %.*s\n", (unsigned long long)ev->peer, ev->code, len, body);
      break;
    case MW_EVENT_DONE:
      if (ev->status < 0) {
        fprintf(stderr, "cannot listen: %.*s (%s)\n", len, body, mw_status_name(ev->status));
        kill(getpid(), SIGTERM);
      }
      break;
  }
  fflush(stdout);
}

int main(int argc, char **argv) {
  mw_error e = {0};
  mw_handle ctx, provider;
  mw_conf *c = mw_conf_new(MW_CONF_CTX), *p = mw_conf_new(MW_CONF_PROVIDER);
  mw_conf_set(c, "delivery", MW_NTS, "inline", MW_NTS, NULL);
  if (mw_ctx_open(c, &ctx, &e) < 0) die("context", &e);
  if (mw_conf_set(p, "port", MW_NTS, argc > 1 ? argv[1] : "8080", MW_NTS, &e) < 0) die("port", &e);
  mw_conf_set(p, "auth.parameters", MW_NTS, "{\"key\":\"SECRET_KEY\"}", MW_NTS, NULL);
  if (mw_provider_open(ctx, p, 0, &provider, &e) < 0) die("provider", &e);
  mw_on(provider, on_event, NULL, NULL);

  sigset_t stop; /* before library threads exist; they block all signals anyway */
  int got;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, NULL);
  if (mw_start(provider, 1, &e) < 0) die("start", &e);
  sigwait(&stop, &got);

  mw_close(ctx, 1001, "bye", MW_NTS, 0);
  mw_ctx_join(ctx, -1);
  mw_conf_unref(c);
  mw_conf_unref(p);
  return 0;
}
