/* A consumer in C that calls: asks how many words a text has, then for each of
 * them, then for something nobody serves.
 *
 *   call_consumer_c [url]             (ws://127.0.0.1:8080/connect) */
#include <meshwork/meshwork.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1, EACH = 2, NOBODY = 3 };

static mw_handle ctx, consumer;

static void die(const char *what, const mw_error *e) {
  fprintf(stderr, "%s: %s (%s)\n", what, e->text, mw_status_name(e->code));
  exit(1);
}

static void call(const char *target, const char *text, uint64_t op) {
  mw_error e = {0};
  mw_msg *m = mw_msg_new(text, strlen(text), MW_F_TEXT);
  /* no special options, the usual timeout, made for no other request */
  if (mw_call(consumer, target, MW_NTS, m, NULL, 0, 0, 0, op, &e) < 0) die(target, &e);
  mw_msg_unref(m);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  const int len = (int)ev->body_len;
  (void)user;
  switch (ev->kind) {
    case MW_EVENT_UP:
      call("Words.count", "call me when you are ready", COUNT);
      break;
    case MW_EVENT_PART: /* of the call with this op */
      printf("  %.*s\n", len, body);
      break;
    case MW_EVENT_DONE: /* exactly one a call */
      if (ev->id == COUNT) {
        printf("%.*s words\n", len, body);
        call("Words.each", "one by one", EACH);
      } else if (ev->id == EACH) {
        printf("%d parts came, it said %.*s\n", ev->code, len, body);
        call("Nobody.home", "", NOBODY);
      } else if (ev->id == NOBODY) {
        printf("%s: %.*s\n", mw_status_name(ev->status), len, body);
        mw_close(consumer, 0, NULL, 0, 0);
      }
      break;
    case MW_EVENT_CLOSED:
      mw_ctx_wake(ctx);
      break;
  }
}

int main(int argc, char **argv) {
  mw_error e = {0};
  mw_conf *c = mw_conf_new(MW_CONF_CTX), *p = mw_conf_new(MW_CONF_CONSUMER);
  const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:8080/connect";
  mw_conf_set(c, "threads", MW_NTS, "0", MW_NTS, NULL);
  if (mw_ctx_open(c, &ctx, &e) < 0) die("context", &e);
  if (mw_conf_set(p, "url", MW_NTS, url, MW_NTS, &e) < 0) die("url", &e);
  if (mw_consumer_open(ctx, p, 0, &consumer, &e) < 0) die("consumer", &e);
  mw_on(consumer, on_event, NULL, NULL);
  if (mw_start(consumer, 0, &e) < 0) die("start", &e);

  if (mw_ctx_run(ctx, -1, &e) < 0) die("run", &e); /* until mw_ctx_wake */
  mw_close(ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(ctx, -1, NULL) >= 0) { /* until MW_EEND */
  }
  mw_ctx_join(ctx, -1);
  mw_conf_unref(c);
  mw_conf_unref(p);
  return 0;
}
