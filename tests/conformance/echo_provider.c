/* A provider that sends back what it hears, for other people's clients:
 * conformance and interop. usage: echo_provider [key=value ...]
 * Options are the provider's (port=0 by default). It prints "listening URL"
 * and lives until stdin ends. */
#include <meshwork/meshwork.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  switch (ev->kind) {
    case MW_EVENT_UP: {
      char text[2048], *url;
      snprintf(text, sizeof text, "%.*s", (int)ev->body_len, (const char *)body);
      url = strstr(text, "ws");
      if (url == NULL) exit(1);
      url[strcspn(url, "\"")] = 0;
      printf("listening %s\n", url);
      fflush(stdout);
      break;
    }
    case MW_EVENT_MESSAGE: {
      mw_status s = mw_send_bytes(ev->peer, body, ev->body_len, (ev->flags & MW_F_TEXT) | MW_F_COMPRESS);
      if (s < 0) fprintf(stderr, "echo of %u bytes: %s\n", ev->body_len, mw_status_name(s));
      break;
    }
    case MW_EVENT_CLOSED:
      if (ev->status < 0) fprintf(stderr, "closed: %s\n", mw_status_text(ev->status));
      break;
    default: break;
  }
}

static void need(mw_status s, const mw_error *err) {
  if (s >= 0) return;
  fprintf(stderr, "%s\n", err->text);
  exit(2);
}

int main(int argc, char **argv) {
  mw_error err = {0};
  mw_handle ctx, provider;
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  need(mw_conf_set(c, "threads", MW_NTS, "0", MW_NTS, &err), &err);
  need(mw_ctx_open(c, &ctx, &err), &err);
  mw_conf_unref(c);

  c = mw_conf_new(MW_CONF_PROVIDER);
  /* A preset comes first. */
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 1; i < argc; i++) {
      char *eq = strchr(argv[i], '=');
      if (eq == NULL || (strncmp(argv[i], "preset=", 7) == 0) != (pass == 0)) continue;
      need(mw_conf_set(c, argv[i], (size_t)(eq - argv[i]), eq + 1, MW_NTS, &err), &err);
    }
    if (pass == 0) {
      need(mw_conf_set(c, "host", MW_NTS, "127.0.0.1", MW_NTS, &err), &err);
      need(mw_conf_set(c, "port", MW_NTS, "0", MW_NTS, &err), &err);
    }
  }
  need(mw_provider_open(ctx, c, 1, &provider, &err), &err);
  mw_conf_unref(c);
  mw_on(provider, on_event, NULL, NULL);
  need(mw_start(provider, 0, &err), &err);

  int fd;
  need(mw_ctx_fd(ctx, &fd), &err);
  for (int open = 1; open;) {
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    poll(p, 2, -1);
    char sink[256];
    if (p[1].revents && fgets(sink, sizeof sink, stdin) == NULL) open = 0;
    mw_ctx_run(ctx, 0, NULL);
  }
  mw_close(ctx, 0, NULL, 0, 0);
  while (mw_ctx_run(ctx, 1000, NULL) >= 0) {
  }
  return mw_ctx_join(ctx, 5000) == MW_OK ? 0 : 1;
}
