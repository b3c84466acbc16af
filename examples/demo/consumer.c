/* A C consumer of `make demo`: writes every line it gets to a file.
 *
 *   demo_consumer_c URL CA SECRET-FILE OUTPUT NAME LINES */
#include <meshwork/meshwork.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct app {
  mw_handle ctx, consumer;
  const char *name;
  FILE *out;
  unsigned long long lines, wanted, bytes;
  int64_t *took, begin; /* nanoseconds */
  size_t samples;
  int connects;
};

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void line(struct app *app, const mw_event *ev, const uint8_t *data) {
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  if (app->lines == app->wanted) return;
  if (ev->meta_len != 0) { /* a stamped line */
    mw_msg *m = mw_msg_keep(ev, data);
    char text[32] = "";
    size_t n = 0;
    const char *sent = m != NULL ? mw_msg_get(m, "sent", 4, &n) : NULL;
    if (sent != NULL && n < sizeof text) {
      memcpy(text, sent, n);
      app->took[app->samples++] = now_ns() - strtoll(text, NULL, 10);
    }
    mw_msg_unref(m);
  }
  fwrite(body, 1, ev->body_len, app->out);
  putc('\n', app->out);
  app->bytes += ev->body_len;
  if (++app->lines == app->wanted) mw_close(app->consumer, 0, NULL, 0, 0);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  struct app *app = user;
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  char text[96];
  switch (ev->kind) {
    case MW_EVENT_UP:
      if (app->connects++ == 0) app->begin = now_ns();
      snprintf(text, sizeof text, "start %s %llu", app->name, app->lines);
      mw_send_bytes(app->consumer, text, strlen(text), MW_F_TEXT);
      break;
    case MW_EVENT_MESSAGE:
      line(app, ev, data);
      break;
    case MW_EVENT_CLOSED:
      if (app->lines != app->wanted)
        fprintf(stderr, "closed: %.*s (%s)\n", (int)ev->body_len, body, mw_status_name(ev->status));
      mw_ctx_wake(app->ctx);
      break;
  }
}

static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void set(mw_conf *c, const char *key, const char *value) {
  mw_error e = {0};
  if (mw_conf_set(c, key, MW_NTS, value, MW_NTS, &e) >= 0) return;
  fprintf(stderr, "demo_consumer_c: %s\n", e.text);
  exit(1);
}

static double at(const struct app *app, double part) {
  return app->samples == 0 ? 0 : (double)app->took[(size_t)(part * (double)(app->samples - 1))] / 1e3;
}

int main(int argc, char **argv) {
  if (argc != 7) return fputs("usage: demo_consumer_c URL CA SECRET-FILE OUTPUT NAME LINES\n", stderr), 2;
  struct app app = {0};
  mw_error e = {0};
  char key[128] = "", parameters[160];
  FILE *secret = fopen(argv[3], "r");
  app.name = argv[5];
  app.wanted = strtoull(argv[6], NULL, 10);
  app.out = fopen(argv[4], "wb");
  app.took = malloc((size_t)(app.wanted + 16) * sizeof *app.took);
  if (secret == NULL || app.out == NULL || app.took == NULL || fscanf(secret, "%127s", key) != 1)
    return perror("demo_consumer_c"), 1;
  fclose(secret);
  snprintf(parameters, sizeof parameters, "{\"key\":\"%s\"}", key);

  mw_conf *c = mw_conf_new(MW_CONF_CTX), *p = mw_conf_new(MW_CONF_CONSUMER);
  set(c, "threads", "0");
  set(p, "url", argv[1]);
  set(p, "tls.ca_file", argv[2]);
  set(p, "parameters", parameters);
  if (mw_ctx_open(c, &app.ctx, &e) < 0 || mw_consumer_open(app.ctx, p, 0, &app.consumer, &e) < 0)
    return fprintf(stderr, "demo_consumer_c: %s\n", e.text), 1;
  mw_on(app.consumer, on_event, &app, NULL);
  mw_start(app.consumer, 0, NULL);
  mw_ctx_run(app.ctx, -1, NULL); /* until mw_ctx_wake */

  const double seconds = (double)(now_ns() - app.begin) / 1e9;
  mw_close(app.ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(app.ctx, -1, NULL) >= 0) {
  }
  mw_ctx_join(app.ctx, -1);
  mw_conf_unref(c);
  mw_conf_unref(p);
  if (fclose(app.out) != 0) return perror("demo_consumer_c"), 1;
  qsort(app.took, app.samples, sizeof *app.took, compare);
  fprintf(stderr, "{\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"reconnects\":%d}\n",
          app.lines, app.bytes, seconds, at(&app, .5), at(&app, .99), app.connects - 1);
  free(app.took);
  return app.lines != app.wanted;
}
