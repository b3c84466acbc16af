/* Traffic of every kind for a long time in one process: echoes of many sizes,
 * publishes, consumers that come and go politely and rudely, over tcp and tls.
 * Prints one line a second for run.py: seconds, resident KiB, descriptors,
 * threads, messages, connections made.
 *
 * usage: soak SECONDS [SERVER_KEY SERVER_CERT CA] */
#include <meshwork/meshwork.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STEADY = 16, COMERS = 16, CONSUMERS = STEADY + COMERS, LARGEST = 64 * 1024 };
enum { PROVIDER = 1, TLS_PROVIDER = 2, FIRST = 10 }; /* tokens */

static mw_handle ctx, providers[2], consumers[CONSUMERS];
static int left[CONSUMERS];  /* messages until a comer goes */
static int heard[CONSUMERS]; /* an answer came since the last tick */
static char urls[2][128];
static const char *ca;
static int64_t messages, connections, failures;
static uint8_t bytes[LARGEST];
static int ending;

static uint32_t dice(void) { /* xorshift: the same life every time */
  static uint32_t x = 2463534242u;
  x ^= x << 13, x ^= x >> 17, x ^= x << 5;
  return x;
}

static void set(mw_conf *c, const char *key, const char *value) {
  mw_error err;
  if (mw_conf_set(c, key, MW_NTS, value, MW_NTS, &err) == MW_OK) return;
  fprintf(stderr, "soak: %s\n", err.text);
  exit(1);
}

static void must(mw_status s, const char *what, const mw_error *err) {
  if (s >= 0) return;
  fprintf(stderr, "soak: %s: %s %s\n", what, mw_status_name(s), err != NULL ? err->text : "");
  exit(1);
}

static void say_something(mw_handle h) {
  uint32_t size = dice() % 8 == 0 ? dice() % LARGEST : dice() % 256;
  if (mw_send_bytes(h, bytes, size, 0) == MW_EINVAL) failures++;
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user);

static void open_consumer(int i) {
  mw_error err;
  mw_conf *c = mw_conf_new(MW_CONF_CONSUMER);
  int over_tls = urls[1][0] != 0 && i % 4 == 3;
  set(c, "url", urls[over_tls]);
  if (over_tls) set(c, "tls.ca_file", ca);
  set(c, "reconnect.interval", "50ms");
  must(mw_consumer_open(ctx, c, FIRST + (uint64_t)i, &consumers[i], &err), "consumer", &err);
  mw_conf_unref(c);
  must(mw_on(consumers[i], on_event, NULL, NULL), "on", NULL);
  must(mw_start(consumers[i], 0, &err), "start", &err);
  left[i] = 1 + (int)(dice() % 200);
}

static void provider_event(const mw_event *ev, const uint8_t *data) {
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  char *url = urls[ev->token - PROVIDER];
  uint32_t i, n = 0;
  int k;
  switch (ev->kind) {
    case MW_EVENT_UP:
      for (i = 0; i + 5 < ev->body_len && body[i] != 'w'; i++) {
      }
      while (i + n < ev->body_len && body[i + n] != '"' && n < sizeof urls[0] - 1) url[n] = (char)body[i + n], n++;
      for (k = 0; k < CONSUMERS; k++) /* once every provider listens */
        if (urls[0][0] != 0 && (urls[1][0] != 0 || providers[1] == 0)) open_consumer(k);
      break;
    case MW_EVENT_PEER_UP:
      connections++;
      mw_subscribe(ev->peer, "news", MW_NTS, NULL, 0, 0, NULL, NULL);
      break;
    case MW_EVENT_MESSAGE:
      mw_send_bytes(ev->peer, body, ev->body_len, 0);
      if (dice() % 64 == 0) {
        mw_msg *news = mw_msg_new(bytes, 300, 0);
        mw_publish(providers[ev->token - PROVIDER], "news", 4, news, 0, 0, 0);
        mw_msg_unref(news);
      }
      if (dice() % 4096 == 0) mw_close(ev->peer, 0, NULL, 0, dice() % 2); /* the peer will come back */
      break;
    default:
      break;
  }
}

static void consumer_event(const mw_event *ev, int i) {
  switch (ev->kind) {
    case MW_EVENT_UP:
      say_something(consumers[i]);
      break;
    case MW_EVENT_MESSAGE:
      messages++;
      if (ev->body_len == 300) break; /* news, not an answer */
      heard[i] = 1;
      if (i >= STEADY && --left[i] <= 0) mw_close(consumers[i], 0, NULL, 0, dice() % 2);
      else say_something(consumers[i]);
      break;
    case MW_EVENT_CLOSED:
      if (!ending) open_consumer(i);
      break;
    default:
      break;
  }
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  if (ev->token >= FIRST) consumer_event(ev, (int)(ev->token - FIRST));
  else if (ev->token >= PROVIDER) provider_event(ev, data);
}

static void open_provider(int i, const char *key, const char *cert) {
  mw_error err;
  mw_conf *c = mw_conf_new(MW_CONF_PROVIDER);
  set(c, "host", "127.0.0.1");
  set(c, "port", "0");
  if (key != NULL) {
    set(c, "tls.key_file", key);
    set(c, "tls.cert_file", cert);
  }
  must(mw_provider_open(ctx, c, PROVIDER + (uint64_t)i, &providers[i], &err), "provider", &err);
  mw_conf_unref(c);
  must(mw_on(providers[i], on_event, NULL, NULL), "on", NULL);
}

static int entries(const char *folder) {
  int n = 0;
  DIR *dir = opendir(folder);
  struct dirent *e;
  while (dir != NULL && (e = readdir(dir)) != NULL) n += e->d_name[0] != '.';
  if (dir != NULL) closedir(dir);
  return n;
}

static void tell(int64_t second) {
  long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1) pages = -1;
  if (f != NULL) fclose(f);
  printf("%lld %ld %d %d %lld %lld\n", (long long)second, pages * (sysconf(_SC_PAGESIZE) / 1024),
         entries("/proc/self/fd") - 1, entries("/proc/self/task"), (long long)messages, (long long)connections);
  fflush(stdout);
}

int main(int argc, char **argv) {
  int64_t seconds = argc > 1 ? atoll(argv[1]) : 10, told = 0;
  struct timespec from, now;
  mw_error err;
  mw_status s;
  size_t n;
  int i;
  must(mw_ctx_open(NULL, &ctx, &err), "context", &err);
  must(mw_on(ctx, on_event, NULL, NULL), "on", NULL);
  open_provider(0, NULL, NULL);
  if (argc == 5) {
    ca = argv[4];
    open_provider(1, argv[2], argv[3]);
    must(mw_start(providers[1], 0, &err), "start", &err);
  }
  must(mw_start(providers[0], 0, &err), "start", &err);
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (;;) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - from.tv_sec > told) {
      told = now.tv_sec - from.tv_sec;
      tell(told);
      for (i = 0; i < CONSUMERS; i++) { /* a message lost with its link: the next one */
        if (consumers[i] != 0 && !heard[i]) say_something(consumers[i]);
        heard[i] = 0;
      }
    }
    if (told >= seconds) break;
    s = mw_ctx_wait(ctx, 500);
    if (s != MW_ETIMEDOUT) must(s, "wait", NULL);
    s = mw_ctx_dispatch(ctx, 0, &n);
    must(s, "dispatch", NULL);
  }
  ending = 1;
  mw_close(ctx, 0, NULL, 0, 0);
  while (mw_ctx_wait(ctx, 10000) != MW_EEND) mw_ctx_dispatch(ctx, 0, &n);
  must(mw_ctx_join(ctx, 10000), "join", NULL);
  return failures != 0;
}
