/* The server under test: an echo through the public API, by any of the five doors.
 *   --door=inline|dispatch|take|run|host-take   --ctx=key=value   --set=key=value (provider)
 *   --count: counts instead of answering; a text message is answered with "events batches"
 *   --host-core=N: where the host's thread goes once the library's threads are there */
#define _GNU_SOURCE
#include "mw_server.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

enum { CAPACITY = 1024, SLAB = 256 * 1024 };

static int counting, host_core = -1;
static unsigned long long events, batches;
static unsigned checksum; /* reads every body, as a host would */
static mw_handle provider;

/* "key=value" */
static void set_pair(mw_conf *conf, const char *pair) {
  char key[64];
  const char *eq = strchr(pair, '=');
  if (eq == NULL || (size_t)(eq - pair) >= sizeof key) {
    fprintf(stderr, "not key=value: %s\n", pair);
    exit(64);
  }
  memcpy(key, pair, (size_t)(eq - pair));
  key[eq - pair] = '\0';
  set(conf, key, eq + 1);
}

static void answer_count(mw_handle peer) {
  char text[64];
  const int n = snprintf(text, sizeof text, "%llu %llu", events, batches);
  events = batches = 0;
  check(mw_send_bytes(peer, text, (size_t)n, MW_F_TEXT), NULL, "answer");
}

/* A peer may be gone while its last messages wait in the inbox; every other refusal is a fault of the bench. */
static void sent(mw_status status) {
  if (status != MW_ECLOSED) check(status, NULL, "send");
}

static void message(const mw_event *ev, const uint8_t *data) {
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  if (counting && (ev->flags & MW_F_TEXT) != 0) {
    answer_count(ev->peer);
  } else if (counting) {
    ++events;
    if (ev->body_len != 0) checksum += body[0] + body[ev->body_len - 1];
  } else if ((ev->flags & MW_F_REF) != 0) {
    sent(mw_send(ev->peer, (const mw_msg *)(uintptr_t)ev->msg, ev->flags & MW_F_TEXT, 0));
  } else {
    sent(mw_send_bytes(ev->peer, body, ev->body_len, ev->flags & MW_F_TEXT));
  }
}

static void event(const mw_event *ev, const uint8_t *data) {
  switch (ev->kind) {
    case MW_EVENT_MESSAGE:
      message(ev, data);
      break;
    case MW_EVENT_DONE:
      announce(provider, ev->status);
      break;
    case MW_EVENT_ERROR:
      fprintf(stderr, "error: %s\n", mw_status_name(ev->status));
      break;
    default:
      break;
  }
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  event(ev, data);
}

/* Once: the library's threads have been made by now and keep the affinity they inherited. */
static void move_host(void) {
  cpu_set_t set;
  if (host_core < 0) return;
  CPU_ZERO(&set);
  CPU_SET(host_core, &set);
  sched_setaffinity(0, sizeof set, &set);
  host_core = -1;
}

/* Takes until nothing is left. */
static void take_all(mw_handle ctx) {
  static mw_event taken[CAPACITY];
  static uint8_t slab[SLAB];
  mw_status status;
  do {
    size_t n = 0;
    status = mw_ctx_take(ctx, taken, sizeof *taken, CAPACITY, slab, sizeof slab, &n);
    check(status, NULL, "mw_ctx_take");
    batches += n != 0;
    for (size_t i = 0; i < n; ++i) {
      event(&taken[i], slab);
      if (taken[i].msg != 0) mw_msg_unref((mw_msg *)(uintptr_t)taken[i].msg);
    }
  } while (status == MW_MORE);
}

static void serve_inline(mw_handle ctx) {
  (void)ctx;
  for (;;) pause();
}

static void serve_dispatch(mw_handle ctx) {
  for (;;) {
    mw_status status;
    check(mw_ctx_wait(ctx, -1), NULL, "mw_ctx_wait");
    do {
      size_t n = 0;
      status = mw_ctx_dispatch(ctx, 0, &n);
      check(status, NULL, "mw_ctx_dispatch");
      batches += n != 0;
    } while (status == MW_MORE);
    move_host();
  }
}

static void serve_take(mw_handle ctx) {
  for (;;) {
    check(mw_ctx_wait(ctx, -1), NULL, "mw_ctx_wait");
    take_all(ctx);
    move_host();
  }
}

static void serve_run(mw_handle ctx) {
  for (;;) check(mw_ctx_run(ctx, -1, NULL), NULL, "mw_ctx_run");
}

static void serve_host_take(mw_handle ctx) {
  struct pollfd ready = {-1, POLLIN, 0};
  check(mw_ctx_fd(ctx, &ready.fd), NULL, "mw_ctx_fd");
  for (;;) {
    take_all(ctx);
    poll(&ready, 1, -1);
  }
}

static const struct door {
  const char *name, *threads, *delivery;
  mw_event_fn callback;
  void (*serve)(mw_handle ctx);
} doors[] = {
    {"inline", "1", "inline", on_event, serve_inline},
    {"dispatch", "1", "queued", on_event, serve_dispatch},
    {"take", "1", "queued", NULL, serve_take},
    {"run", "0", "queued", on_event, serve_run},
    {"host-take", "0", "queued", NULL, serve_host_take},
};

static const struct door *find_door(const char *name) {
  for (size_t i = 0; i < sizeof doors / sizeof *doors; ++i)
    if (strcmp(doors[i].name, name) == 0) return &doors[i];
  fprintf(stderr, "no such door: %s\n", name);
  exit(64);
}

int main(int argc, char **argv) {
  const struct door *door = find_door("inline");
  mw_conf *ctx_conf = mw_conf_new(MW_CONF_CTX);
  mw_conf *conf = provider_conf();
  mw_handle ctx;
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], "--door=", 7) == 0)
      door = find_door(argv[i] + 7);
    else if (strncmp(argv[i], "--ctx=", 6) == 0)
      set_pair(ctx_conf, argv[i] + 6);
    else if (strncmp(argv[i], "--set=", 6) == 0)
      set_pair(conf, argv[i] + 6);
    else if (strncmp(argv[i], "--host-core=", 12) == 0)
      host_core = atoi(argv[i] + 12);
    else if (strcmp(argv[i], "--count") == 0)
      counting = 1;
    else
      return fprintf(stderr, "unknown argument %s\n", argv[i]), 64;
  }
  set(ctx_conf, "threads", door->threads);
  set(ctx_conf, "delivery", door->delivery);
  ctx = open_context(ctx_conf);
  provider = open_provider(ctx, conf, door->callback);
  start(provider, 1); /* its DONE may come before this returns */
  door->serve(ctx);
  return 0;
}
