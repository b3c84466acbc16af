/* A C worker of the demo's mesh: counts the words of the texts that it is called
 * with, and says how many they were. Leaves when "words/over" is published.
 *
 *   demo_worker_c MANAGER SECRET-FILE NAME */
#include <meshwork/meshwork.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static mw_handle ctx, node, service;
static const char *name;
static unsigned long long parts, words;

static void die(const char *what, const char *why) {
  fprintf(stderr, "demo_worker_c: %s: %s\n", what, why);
  exit(1);
}

static unsigned long long words_of(const char *text, size_t len) {
  unsigned long long n = 0;
  int inside = 0;
  for (size_t i = 0; i < len; ++i) {
    const int space = text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');
    n += inside && space;
    inside = !space;
  }
  return n + inside;
}

static void answer(const mw_event *ev, const char *topic, const char *body) {
  char text[300];
  if (ev->topic_len == 11 && memcmp(topic, "words.count", 11) == 0) {
    const unsigned long long here = words_of(body, ev->body_len);
    ++parts, words += here;
    snprintf(text, sizeof text, "%llu %s", here, name);
  } else {
    snprintf(text, sizeof text, "%d %llu %llu C11", (int)getpid(), parts, words);
  }
  mw_msg *m = mw_msg_new(text, strlen(text), MW_F_TEXT);
  mw_reply(ev->id, m, 0, 0); /* refused only where nobody waits any more */
  mw_msg_unref(m);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const char *topic = (const char *)data + ev->offset, *body = topic + ev->topic_len + ev->meta_len;
  (void)user;
  switch (ev->kind) {
    case MW_EVENT_REQUEST: /* of the service */
      answer(ev, topic, body);
      break;
    case MW_EVENT_MESSAGE: /* it is over */
      mw_close(node, 0, NULL, 0, 0);
      break;
    case MW_EVENT_DONE: /* of the start */
      if (ev->status < 0) die("start", mw_status_name(ev->status));
      break;
    case MW_EVENT_CLOSED:
      if (ev->token == 0) mw_ctx_wake(ctx);
      break;
  }
}

static mw_conf *options(int32_t kind, const char *const (*pairs)[2], size_t n) {
  mw_error e = {0};
  mw_conf *c = mw_conf_new(kind);
  for (size_t i = 0; i < n; ++i)
    if (mw_conf_set(c, pairs[i][0], MW_NTS, pairs[i][1], MW_NTS, &e) < 0) die(pairs[i][0], e.text);
  return c;
}

int main(int argc, char **argv) {
  mw_error e = {0};
  char secret[256] = "";
  if (argc != 4) return fputs("usage: demo_worker_c MANAGER SECRET-FILE NAME\n", stderr), 2;
  FILE *file = fopen(argv[2], "r");
  if (file == NULL || fgets(secret, sizeof secret, file) == NULL) die(argv[2], "there is no secret");
  fclose(file);
  secret[strcspn(secret, "\n")] = '\0';
  name = argv[3];
  const char *const of_ctx[][2] = {{"threads", "0"}};
  const char *const of_node[][2] = {{"cluster.deployment", "demo"}, {"member.service", "worker"}, {"member.name", name},
                                    {"registry", "manager"}, {"registry.url", argv[1]}, {"link.secret", secret}};
  /* A text that comes again with the same key is not counted again. */
  const char *const of_service[][2] = {{"methods", "count,about"}, {"dedupe.window", "1m"}};
  mw_conf *c = options(MW_CONF_CTX, of_ctx, 1), *n = options(MW_CONF_NODE, of_node, 6);
  mw_conf *s = options(MW_CONF_SERVICE, of_service, 2);
  if (mw_ctx_open(c, &ctx, &e) < 0 || mw_node_open(ctx, n, 0, &node, &e) < 0) die("open", e.text);
  mw_on(node, on_event, NULL, NULL);
  if (mw_serve(node, "words", MW_NTS, s, 1, &service, &e) < 0) die("serve", e.text);
  if (mw_subscribe(node, "words/over", MW_NTS, NULL, 0, 0, NULL, &e) < 0) die("subscribe", e.text);
  if (mw_start(node, 1, &e) < 0 || mw_ctx_run(ctx, -1, &e) < 0) die("run", e.text); /* until it is over */
  mw_close(ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(ctx, -1, NULL) >= 0) { /* until MW_EEND */
  }
  mw_ctx_join(ctx, -1);
  mw_conf_unref(c), mw_conf_unref(n), mw_conf_unref(s);
  return 0;
}
