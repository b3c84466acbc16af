/* A consumer that sends back what it hears, one connection after the other.
 * usage: echo_consumer URL [key=value ...]      a lone connection
 *        echo_consumer --autobahn BASE AGENT [key=value ...]
 * The second asks a fuzzing server at BASE how many cases it has, runs each,
 * and has it write its report. */
#include <meshwork/meshwork.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mw_handle g_ctx;
static int g_over;       /* the connection under way has ended */
static int g_echo;       /* send back, or only listen */
static long g_heard;     /* a number that was heard (getCaseCount) */
static mw_status g_why;

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  mw_handle h = *(mw_handle *)user;
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  switch (ev->kind) {
    case MW_EVENT_MESSAGE:
      if (g_echo) {
        mw_status s = mw_send_bytes(h, body, ev->body_len, (ev->flags & MW_F_TEXT) | MW_F_COMPRESS);
        if (s < 0) fprintf(stderr, "echo of %u bytes: %s\n", ev->body_len, mw_status_name(s));
      } else {
        char number[32];
        snprintf(number, sizeof number, "%.*s", (int)ev->body_len, (const char *)body);
        g_heard = strtol(number, NULL, 10);
      }
      break;
    case MW_EVENT_DOWN:
      g_why = ev->status;
      mw_close(h, 0, NULL, 0, 0); /* coming back is not wanted here */
      break;
    case MW_EVENT_CLOSED:
      if (ev->status < 0 && g_why >= 0) g_why = ev->status;
      g_over = 1;
      mw_ctx_wake(g_ctx); /* a turn lasts as long as it was asked to */
      break;
    default: break;
  }
}

static void need(mw_status s, const mw_error *err) {
  if (s >= 0) return;
  fprintf(stderr, "%s\n", err->text);
  exit(2);
}

/* One connection, from start to CLOSED. */
static void visit(const char *url, int echo, int argc, char **argv) {
  mw_error err = {0};
  mw_handle h;
  mw_conf *c = mw_conf_new(MW_CONF_CONSUMER);
  for (int i = 0; i < argc; i++) {
    char *eq = strchr(argv[i], '=');
    if (eq != NULL) need(mw_conf_set(c, argv[i], (size_t)(eq - argv[i]), eq + 1, MW_NTS, &err), &err);
  }
  need(mw_conf_set(c, "url", MW_NTS, url, MW_NTS, &err), &err);
  g_over = 0, g_echo = echo, g_why = MW_OK;
  need(mw_consumer_open(g_ctx, c, 1, &h, &err), &err);
  mw_conf_unref(c);
  mw_on(h, on_event, &h, NULL);
  need(mw_start(h, 0, &err), &err);
  while (!g_over) mw_ctx_run(g_ctx, 1000, NULL);
}

int main(int argc, char **argv) {
  mw_error err = {0};
  if (argc < 2) return 2;
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  need(mw_conf_set(c, "threads", MW_NTS, "0", MW_NTS, &err), &err);
  need(mw_ctx_open(c, &g_ctx, &err), &err);
  mw_conf_unref(c);
  int code = 0;
  if (strcmp(argv[1], "--autobahn") == 0) {
    if (argc < 4) return 2;
    char url[512];
    snprintf(url, sizeof url, "%s/getCaseCount", argv[2]);
    visit(url, 0, argc - 4, argv + 4);
    long cases = g_heard;
    for (long i = 1; i <= cases; i++) {
      snprintf(url, sizeof url, "%s/runCase?case=%ld&agent=%s", argv[2], i, argv[3]);
      visit(url, 1, argc - 4, argv + 4);
    }
    snprintf(url, sizeof url, "%s/updateReports?agent=%s", argv[2], argv[3]);
    visit(url, 0, argc - 4, argv + 4);
    printf("%ld cases\n", cases);
    code = cases > 0 ? 0 : 1;
  } else {
    visit(argv[1], 1, argc - 2, argv + 2);
    printf("ended %s\n", mw_status_name(g_why));
  }
  mw_close(g_ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(g_ctx, 1000, NULL) >= 0) {
  }
  return mw_ctx_join(g_ctx, 5000) == MW_OK ? code : 1;
}
