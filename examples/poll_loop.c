/* A context inside a host's own poll loop: no thread calls into this program,
 * and nothing blocks. Lines typed here go to every consumer, what consumers
 * say is printed. Ends when standard input ends.
 *
 *   poll_loop_c [port]                (8080; 0 takes any free port) */
#include <meshwork/meshwork.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static mw_handle ctx, provider;
static int closed;

static void die(const char *what, const mw_error *e) {
  fprintf(stderr, "%s: %s (%s)\n", what, e->text, mw_status_name(e->code));
  exit(1);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  (void)user;
  if (ev->kind == MW_EVENT_UP) {
    printf("listening %.*s\n", (int)ev->body_len, body);
  } else if (ev->kind == MW_EVENT_MESSAGE) {
    printf("%llu: %.*s\n", (unsigned long long)ev->peer, (int)ev->body_len, body);
  } else if (ev->kind == MW_EVENT_CLOSED) {
    closed = 1;
  }
  fflush(stdout);
}

/* Sends what was typed; false at the end of the input. */
static int typed(void) {
  char line[4096];
  const ssize_t n = read(STDIN_FILENO, line, sizeof line);
  if (n <= 0) return 0;
  mw_msg *m = mw_msg_new(line, (size_t)(line[n - 1] == '\n' ? n - 1 : n), MW_F_TEXT);
  if (m == NULL) return 1; /* not UTF-8 */
  mw_publish(provider, "", 0, m, 0, 0, 0); /* topic "": everybody */
  mw_msg_unref(m);
  return 1;
}

int main(int argc, char **argv) {
  mw_error e = {0};
  mw_conf *c = mw_conf_new(MW_CONF_CTX), *p = mw_conf_new(MW_CONF_PROVIDER);
  struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {-1, POLLIN, 0}};
  mw_conf_set(c, "threads", MW_NTS, "0", MW_NTS, NULL);
  if (mw_ctx_open(c, &ctx, &e) < 0 || mw_ctx_fd(ctx, &fds[1].fd) < 0) die("context", &e);
  if (mw_conf_set(p, "port", MW_NTS, argc > 1 ? argv[1] : "8080", MW_NTS, &e) < 0) die("port", &e);
  if (mw_provider_open(ctx, p, 0, &provider, &e) < 0) die("provider", &e);
  mw_on(provider, on_event, NULL, NULL);
  if (mw_start(provider, 0, &e) < 0) die("start", &e);
  while (!closed) {
    poll(fds, 2, -1);
    if (fds[1].revents != 0) mw_ctx_run(ctx, 0, NULL);
    if (fds[0].revents != 0 && !typed()) {
      fds[0].fd = -1;
      mw_close(provider, 1001, NULL, 0, 0);
    }
  }
  mw_close(ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(ctx, -1, NULL) >= 0) {
  }
  return mw_ctx_join(ctx, -1) < 0;
}
