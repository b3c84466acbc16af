#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void check(int ok, const char *what, const char *file, int line) {
  if (ok) return;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  _exit(1);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  struct pair *p = user;
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  const char *from = NULL;
  uint32_t i, n = 0;
  switch (ev->kind) {
    case MW_EVENT_UP:
      if (ev->token != 1) break;
      for (i = 0; from == NULL && i + 5 < ev->body_len; i++)
        if (memcmp(body + i, "ws://", 5) == 0) from = body + i;
      CHECK(from != NULL);
      while (from[n] != '"' && n < sizeof p->url - 1) n++;
      memcpy(p->url, from, n);
      break;
    case MW_EVENT_PEER_UP:
      p->peer = ev->peer;
      break;
    case MW_EVENT_MESSAGE:
      if (ev->token == 2) p->messages++;
      break;
    case MW_EVENT_DOWN:
    case MW_EVENT_PEER_DOWN:
      p->down++;
      break;
    default:
      break;
  }
  mw_ctx_wake(p->ctx); /* whoever waits for this looks again */
}

mw_status pair_turn(struct pair *p, int64_t ms) {
  size_t n;
  mw_status s;
  if (p->threads == 0) return mw_ctx_run(p->ctx, ms, NULL);
  s = mw_ctx_wait(p->ctx, ms);
  return s == MW_EEND ? s : mw_ctx_dispatch(p->ctx, 0, &n);
}

static void set(mw_conf *c, const char *key, const char *value) {
  mw_error err;
  mw_status s = mw_conf_set(c, key, MW_NTS, value, MW_NTS, &err);
  if (s != MW_OK) fprintf(stderr, "%s\n", err.text);
  CHECK(s == MW_OK);
}

void pair_open(struct pair *p, int threads) {
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  memset(p, 0, sizeof *p);
  p->threads = threads;
  set(c, "threads", threads == 0 ? "0" : "1");
  CHECK(mw_ctx_open(c, &p->ctx, NULL) == MW_OK);
  mw_conf_unref(c);
  CHECK(mw_on(p->ctx, on_event, p, NULL) == MW_OK);

  c = mw_conf_new(MW_CONF_PROVIDER);
  set(c, "listen", "tcp://127.0.0.1:0");
  CHECK(mw_provider_open(p->ctx, c, 1, &p->provider, NULL) == MW_OK);
  mw_conf_unref(c);
  CHECK(mw_on(p->provider, on_event, p, NULL) == MW_OK);
  CHECK(mw_start(p->provider, 0, NULL) >= 0);
  while (p->url[0] == 0) pair_turn(p, 10000);

  c = mw_conf_new(MW_CONF_CONSUMER);
  set(c, "url", p->url);
  CHECK(mw_consumer_open(p->ctx, c, 2, &p->consumer, NULL) == MW_OK);
  mw_conf_unref(c);
  CHECK(mw_on(p->consumer, on_event, p, NULL) == MW_OK);
  CHECK(mw_start(p->consumer, 0, NULL) >= 0);
  while (p->peer == 0 || mw_state(p->consumer) < MW_STATE_UP) pair_turn(p, 10000);
}

void pair_send(struct pair *p) {
  int before = p->messages;
  CHECK(mw_send_bytes(p->peer, "hello", 5, MW_F_TEXT) >= 0);
  while (p->messages == before) pair_turn(p, 10000);
}

void pair_close(struct pair *p) {
  mw_close(p->ctx, 0, NULL, 0, 0);
  while (pair_turn(p, 10000) != MW_EEND) {
  }
  CHECK(mw_ctx_join(p->ctx, 10000) == MW_OK);
}
