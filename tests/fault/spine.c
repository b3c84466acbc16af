/* One provider, one consumer, an echo (on the own wire also a subscription, a
 * publish and a call answered in parts), everything closed, while the Nth allocation or system call fails,
 * ROW of them in a row; then the same again, undisturbed.
 *
 * usage: fault_spine memory|call N ROW turn|queued|inline raw|own|CERTIFICATE
 * CERTIFICATE: a PEM file with certificate and key, for the own wire over TLS.
 * Whatever fails, the promises hold: every handle that was opened ends in one
 * CLOSED, every accepted op in one DONE, the context can be joined, no
 * descriptor is left, and the second round works.
 * Exit code 0: held. 3: held, and there are fewer than N steps. Else: broken. */
#include "inject.h"

#include <meshwork/meshwork.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CTX = 1, PROVIDER, CONSUMER, SERVICE, TOKENS };
enum { OP_LISTEN = 11, OP_CONNECT, OP_SEND, OP_SUBSCRIBE, OP_PUBLISH, OP_CALL, OPS };
enum { TURN, QUEUED, INLINE };
enum { LIMIT_MS = 20000 };

static struct {
  mw_handle handle[TOKENS];
  int closed[TOKENS];
  int accepted[OPS], done[OPS];
  int echoed, heard, answered, hopeless, ended;
  char url[256];
} now;
static int door;
static int own;                  /* the own wire: topics */
static const char *certificate;  /* or NULL */
/* With the inline door events come on threads of the library: `now` is under
 * the mutex then. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t happened;

static int64_t clock_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int descriptors(void) {
  int n = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (dir != NULL && readdir(dir) != NULL) n++;
  if (dir != NULL) closedir(dir);
  return n;
}

static void hold(void) {
  if (door == INLINE) pthread_mutex_lock(&mutex);
}

static void let_go(void) {
  if (door == INLINE) pthread_mutex_unlock(&mutex);
}

/* An op is owed a DONE only when the call accepted it. */
static int owed(int op, mw_status s) {
  if (s >= 0) now.accepted[op] = 1;
  if (s < 0) now.hopeless = 1;
  return s >= 0;
}

static void find_url(const char *facts, size_t len) {
  size_t i, n = 0;
  for (i = 0; i + 5 < len; i++) {
    if (memcmp(facts + i, "ws://", 5) != 0 && memcmp(facts + i, "wss:/", 5) != 0) continue;
    while (i + n < len && facts[i + n] != '"' && n < sizeof now.url - 1) n++;
    memcpy(now.url, facts + i, n);
    now.url[n] = 0;
    return;
  }
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  const uint8_t *body = data + ev->offset + ev->topic_len + ev->meta_len;
  mw_msg *m;
  (void)user;
  hold();
  switch (ev->kind) {
    case MW_EVENT_UP:
      if (ev->token == PROVIDER) find_url((const char *)body, ev->body_len);
      if (ev->token == CONSUMER && !now.accepted[OP_SEND]) {
        m = mw_msg_new("hello", 5, MW_F_TEXT);
        owed(OP_SEND, m != NULL ? mw_send(now.handle[CONSUMER], m, 0, OP_SEND) : MW_ENOMEM);
        mw_msg_unref(m);
        if (own) owed(OP_CALL, mw_call(now.handle[CONSUMER], "Echo.x", MW_NTS, NULL, NULL, -1, 0, 0, OP_CALL, NULL));
        if (own) owed(OP_SUBSCRIBE, mw_subscribe(now.handle[CONSUMER], "news", MW_NTS, NULL, 0, OP_SUBSCRIBE, NULL, NULL));
      }
      break;
    case MW_EVENT_DROPPED:
    case MW_EVENT_PEER_DOWN:
    case MW_EVENT_DOWN:
      now.hopeless = 1; /* the message may be lost with its link: raw promises no more */
      break;
    case MW_EVENT_MESSAGE:
      if (ev->token == CONSUMER && ev->topic_len != 0) now.heard = 1;
      else if (ev->token == CONSUMER) now.echoed = 1;
      else if (mw_send_bytes(ev->peer, body, ev->body_len, MW_F_TEXT) < 0) now.hopeless = 1;
      break;
    case MW_EVENT_REQUEST:
      if (mw_reply(ev->id, NULL, MW_F_MORE, 0) < 0 || mw_reply(ev->id, NULL, 0, 0) < 0) now.hopeless = 1;
      break;
    case MW_EVENT_DONE:
      if (ev->id == OP_CALL) now.answered = 1;
      if (ev->id < OPS) now.done[ev->id]++;
      if (ev->status < 0) now.hopeless = 1;
      if (ev->id != OP_SUBSCRIBE || ev->status < 0) break;
      m = mw_msg_new("today", 5, MW_F_TEXT);
      owed(OP_PUBLISH, m != NULL ? mw_publish(now.handle[PROVIDER], "news", MW_NTS, m, 0, 0, OP_PUBLISH) : MW_ENOMEM);
      mw_msg_unref(m);
      break;
    case MW_EVENT_CLOSED:
      if (ev->token < TOKENS) now.closed[ev->token]++;
      if (ev->token < TOKENS && ev->id == now.handle[CTX]) now.closed[CTX] = now.ended = 1;
      now.hopeless = 1;
      break;
    default:
      break;
  }
  if (door != INLINE) mw_ctx_wake(now.handle[CTX]);
  pthread_cond_signal(&happened);
  let_go();
}

static int met(void) { return now.echoed && ((now.heard && now.answered) || !own); }

/* Events for at most ms, or until one came; MW_EEND after the context's CLOSED. */
static mw_status turn(int64_t ms) {
  mw_status s;
  size_t n;
  struct timespec end;
  if (door == INLINE) {
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += ms * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    if (!now.ended) pthread_cond_timedwait(&happened, &mutex, &end);
    return now.ended ? MW_EEND : MW_OK;
  }
  if (door == TURN) return mw_ctx_run(now.handle[CTX], ms, NULL);
  s = mw_ctx_wait(now.handle[CTX], ms);
  if (s == MW_EEND) return s;
  return mw_ctx_dispatch(now.handle[CTX], 0, &n);
}

/* Of keys and values, NULL at the end; a value NULL: without that key. */
static mw_conf *conf_of(int kind, const char *const *pairs) {
  mw_conf *c = mw_conf_new(kind);
  for (; c != NULL && *pairs != NULL; pairs += 2) {
    if (pairs[1] == NULL || mw_conf_set(c, pairs[0], MW_NTS, pairs[1], MW_NTS, NULL) == MW_OK) continue;
    mw_conf_unref(c);
    return NULL;
  }
  return c;
}

static void open_provider(void) {
  const char *pairs[] = {"listen", "tcp://127.0.0.1:0", "tls.cert_file", certificate, "tls.key_file", certificate, NULL};
  mw_conf *c = conf_of(MW_CONF_PROVIDER, pairs);
  if (c != NULL && mw_provider_open(now.handle[CTX], c, PROVIDER, &now.handle[PROVIDER], NULL) == MW_OK &&
      mw_on(now.handle[PROVIDER], on_event, NULL, NULL) == MW_OK &&
      (!own || mw_serve(now.handle[PROVIDER], "Echo", MW_NTS, NULL, SERVICE, &now.handle[SERVICE], NULL) == MW_OK))
    owed(OP_LISTEN, mw_start(now.handle[PROVIDER], OP_LISTEN, NULL));
  else
    now.hopeless = 1;
  mw_conf_unref(c);
}

static void open_consumer(void) {
  const char *pairs[] = {"url", now.url, "wire", own ? "meshwork" : "raw", "tls.ca_file", certificate, NULL};
  mw_conf *c = conf_of(MW_CONF_CONSUMER, pairs);
  if (c != NULL && mw_consumer_open(now.handle[CTX], c, CONSUMER, &now.handle[CONSUMER], NULL) == MW_OK &&
      mw_on(now.handle[CONSUMER], on_event, NULL, NULL) == MW_OK)
    owed(OP_CONNECT, mw_start(now.handle[CONSUMER], OP_CONNECT, NULL));
  else
    now.hopeless = 1;
  mw_conf_unref(c);
}

static int broken(const char *what, long n) {
  printf("broken: %s (%ld)\n", what, n);
  return 1;
}

static int round_held(void) {
  const char *pairs[] = {"threads", door == TURN ? "0" : door == QUEUED ? "1" : "2", "delivery",
                         door == INLINE ? "inline" : NULL, NULL};
  int64_t end = clock_ms() + LIMIT_MS;
  mw_conf *c;
  mw_status s = MW_ENOMEM;
  int i;
  memset(&now, 0, sizeof now);
  c = conf_of(MW_CONF_CTX, pairs);
  if (c != NULL) s = mw_ctx_open(c, &now.handle[CTX], NULL);
  mw_conf_unref(c);
  if (s != MW_OK) return now.hopeless = 1, 0;
  if (mw_on(now.handle[CTX], on_event, NULL, NULL) != MW_OK) now.hopeless = 1;
  if (!now.hopeless) open_provider();
  while (!met() && !now.hopeless) {
    if (clock_ms() > end) return broken("neither echo nor failure", 0);
    s = turn(100);
    if (s == MW_EEND) return broken("the context ended by itself", s);
    if (now.url[0] != 0 && now.handle[CONSUMER] == 0) open_consumer();
  }
  mw_close(now.handle[CTX], 0, NULL, 0, 0);
  while ((s = turn(100)) != MW_EEND)
    if (clock_ms() > end) return broken("no CLOSED of the context, last status", s);
  let_go();
  s = mw_ctx_join(now.handle[CTX], LIMIT_MS);
  hold();
  if (s != MW_OK) return broken("join", s);
  for (i = PROVIDER; i <= SERVICE; i++)
    if (now.handle[i] != 0 && now.closed[i] != 1) return broken("number of CLOSED of a handle", now.closed[i]);
  for (i = OP_LISTEN; i < OPS; i++)
    if (now.done[i] != now.accepted[i]) return broken("number of DONE of an op", now.done[i]);
  return 0;
}

/* 0: the promises held. */
static int round_trip(void) {
  int r;
  hold();
  r = round_held();
  let_go();
  return r;
}

int main(int argc, char **argv) {
  const char *hit;
  int before, after;
  pthread_condattr_t monotonic;
  if (argc != 6) return printf("usage: fault_spine memory|call N ROW turn|queued|inline raw|own|CERTIFICATE\n"), 2;
  door = argv[4][0] == 't' ? TURN : argv[4][0] == 'q' ? QUEUED : INLINE;
  own = strcmp(argv[5], "raw") != 0;
  if (own && strcmp(argv[5], "own") != 0) certificate = argv[5];
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&happened, &monotonic);

  /* The first round makes what is made once in a process. */
  if (round_trip() != 0 || !met()) return broken("the first round", 0);
  before = descriptors();
  fault_arm(strcmp(argv[1], "memory") == 0 ? FAULT_MEMORY : FAULT_CALL, atol(argv[2]), atol(argv[3]));
  after = round_trip();
  hit = fault_disarm();
  if (after != 0) return printf("after %s failed\n", hit != NULL ? hit : "nothing"), 1;
  if (hit == NULL && !met()) return broken("no echo though nothing failed", 0);
  after = descriptors();
  if (after != before) return printf("after %s failed: ", hit ? hit : "nothing"), broken("descriptors left", after - before);
  if (round_trip() != 0 || !met()) return printf("after %s failed: ", hit ? hit : "nothing"), broken("the round after", 0);
  return hit != NULL ? 0 : 3;
}
