/* Knows nothing but an installed meshwork: a provider and a consumer in one
 * process, one message there and back, everything closed. Exit code 0 = it
 * worked. One context without threads, callbacks on this thread. */
#include <meshwork/meshwork.h>

#include <stdio.h>
#include <string.h>

static mw_handle ctx, provider, consumer;
static int echoed, closed;

static void fail(const char *what, mw_status s) {
  printf("%s: %s\n", what, mw_status_text(s));
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user);

static void connect_to(const char *facts, size_t len) {
  /* facts of the provider: {"urls":["ws://127.0.0.1:43121/..."],...} */
  char url[256];
  const char *from = NULL;
  size_t i, n = 0;
  mw_error err;
  mw_conf *conf = mw_conf_new(MW_CONF_CONSUMER);
  mw_status s;
  for (i = 0; i + 5 < len && from == NULL; i++)
    if (memcmp(facts + i, "ws://", 5) == 0) from = facts + i;
  while (from != NULL && from + n < facts + len && from[n] != '"' && n < sizeof url - 1) n++;
  memcpy(url, from != NULL ? from : "", n);
  url[n] = 0;
  s = mw_conf_set(conf, "url", MW_NTS, url, n, &err);
  if (s == MW_OK) s = mw_consumer_open(ctx, conf, 2, &consumer, &err);
  mw_conf_unref(conf);
  if (s == MW_OK) s = mw_on(consumer, on_event, NULL, NULL);
  if (s == MW_OK) s = mw_start(consumer, 0, &err);
  if (s != MW_OK) {
    printf("consumer of \"%s\": %s\n", url, err.text);
    mw_close(ctx, 0, NULL, 0, 0);
  }
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  (void)user;
  switch (ev->kind) {
    case MW_EVENT_UP:
      if (ev->token == 1) connect_to((const char *)body, ev->body_len);
      if (ev->token == 2) mw_send_bytes(consumer, "hello", 5, MW_F_TEXT);
      break;
    case MW_EVENT_MESSAGE:
      if (ev->token == 2) {
        echoed = ev->body_len == 5 && memcmp(body, "hello", 5) == 0;
        mw_close(ctx, 0, NULL, 0, 0);
      } else {
        mw_send_bytes(ev->peer, body, ev->body_len, MW_F_TEXT);
      }
      break;
    case MW_EVENT_CLOSED:
      if (ev->id == ctx) closed = 1;
      break;
    default:
      break;
  }
}

int main(void) {
  mw_error err;
  mw_conf *conf = mw_conf_new(MW_CONF_CTX);
  mw_status s = mw_conf_set(conf, "threads", MW_NTS, "0", MW_NTS, &err);
  if (s == MW_OK) s = mw_ctx_open(conf, &ctx, &err);
  mw_conf_unref(conf);
  if (s != MW_OK) return fail("context", s), 1;
  mw_on(ctx, on_event, NULL, NULL);

  conf = mw_conf_new(MW_CONF_PROVIDER);
  mw_conf_set(conf, "port", MW_NTS, "0", MW_NTS, &err);
  s = mw_conf_set(conf, "host", MW_NTS, "127.0.0.1", MW_NTS, &err);
  if (s == MW_OK) s = mw_provider_open(ctx, conf, 1, &provider, &err);
  mw_conf_unref(conf);
  if (s == MW_OK) s = mw_on(provider, on_event, NULL, NULL);
  if (s == MW_OK) s = mw_start(provider, 0, &err);
  if (s != MW_OK) return fail("provider", s), 1;

  while (!closed) {
    s = mw_ctx_run(ctx, 10000, &err);
    if (s == MW_EEND) break;
    if (s != MW_OK && s != MW_MORE) return fail("run", s), 1;
  }
  s = mw_ctx_join(ctx, 10000);
  if (s != MW_OK) return fail("join", s), 1;
  if (!echoed) printf("no echo\n");
  return echoed && closed ? 0 : 1;
}
