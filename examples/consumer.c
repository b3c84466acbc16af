/* A consumer in C: joins a provider, says that it is ready, prints the answer
 * and leaves. One thread: mw_ctx_run makes the callbacks.
 *
 *   consumer_c [url]                  (ws://127.0.0.1:8080/connect) */
#include <meshwork/meshwork.h>

#include <stdio.h>
#include <stdlib.h>

struct app {
  mw_handle ctx, consumer;
  int exit_code;
};

static void die(const char *what, const mw_error *e) {
  fprintf(stderr, "%s: %s (%s)\n", what, e->text, mw_status_name(e->code));
  exit(1);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  struct app *app = user;
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  const int len = (int)ev->body_len;
  switch (ev->kind) {
    case MW_EVENT_UP: /* after every reconnect, too */
      printf("Successfully Connected To Provider! Ready For Work!\n");
      mw_send_bytes(app->consumer, "CONSUMER_READY", 14, MW_F_TEXT);
      break;
    case MW_EVENT_MESSAGE:
      printf("Provider Sent: %.*s\n", len, body);
      app->exit_code = 0;
      mw_close(app->consumer, 0, NULL, 0, 0);
      break;
    case MW_EVENT_DOWN:
      printf("lost: %.*s (%s), again in %llu ms\n", len, body, mw_status_name(ev->status),
             (unsigned long long)ev->id);
      break;
    case MW_EVENT_CLOSED: /* the last event: closed by us, refused, or out of attempts */
      if (app->exit_code != 0)
        printf("Failed To Connect To Provider! Reason: %.*s (%s)\n", len, body,
               mw_status_name(ev->status));
      mw_ctx_wake(app->ctx);
      break;
  }
}

int main(int argc, char **argv) {
  mw_error e = {0};
  struct app app = {0, 0, 1};
  mw_conf *c = mw_conf_new(MW_CONF_CTX), *p = mw_conf_new(MW_CONF_CONSUMER);
  const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:8080/connect";
  mw_conf_set(c, "threads", MW_NTS, "0", MW_NTS, NULL);
  if (mw_ctx_open(c, &app.ctx, &e) < 0) die("context", &e);
  if (mw_conf_set(p, "url", MW_NTS, url, MW_NTS, &e) < 0) die("url", &e);
  mw_conf_set(p, "reconnect.max_attempts", MW_NTS, "10", MW_NTS, NULL);
  if (mw_conf_set(p, "parameters", MW_NTS,
                  "{\"key\":\"SECRET_KEY\",\"something1\":\"Some Value 1\","
                  "\"something2\":\"Some Value 2\"}",
                  MW_NTS, &e) < 0)
    die("parameters", &e);
  if (mw_consumer_open(app.ctx, p, 0, &app.consumer, &e) < 0) die("consumer", &e);
  mw_on(app.consumer, on_event, &app, NULL);
  if (mw_start(app.consumer, 0, &e) < 0) die("start", &e);

  if (mw_ctx_run(app.ctx, -1, &e) < 0) die("run", &e); /* until mw_ctx_wake */
  mw_close(app.ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(app.ctx, -1, NULL) >= 0) { /* until MW_EEND */
  }
  mw_ctx_join(app.ctx, -1);
  mw_conf_unref(c);
  mw_conf_unref(p);
  return app.exit_code;
}
