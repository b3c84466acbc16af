/* Fifty processes write into one channel; its hub is killed, and the next one
 * too. Every survivor must hear every event of every other survivor, once and
 * in order, and of the killed ones a beginning without a gap; no loss may be
 * told, and every survivor's own events must end in DONE.
 *
 *   chaos_hub_killed [MEMBERS [EVENTS]] */
#include "child.h"

#include <meshwork/meshwork.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX = 64, KILLS = 2, LIMIT_MS = 120000 };

static int g_members = 50, g_events = 100;
static char g_dir[64];

/* What a child tells: a letter and its number. */
typedef struct {
  char what; /* U up, H up and hub, P part heard, D all heard and done, ! wrong */
  int who;
  char text[120];
} word;

static struct {
  int killed[MAX]; /* written by the parent before it tells */
} * g_shared;

static int g_me, g_out;
static _Atomic int g_heard[MAX];
static _Atomic int g_total, g_done;
static _Atomic int g_over;

static void tell(char what, const char *format, int a, int b, int c) {
  word w = {.what = what, .who = g_me};
  snprintf(w.text, sizeof w.text, format, a, b, c);
  if (write(g_out, &w, sizeof w) != sizeof w) _exit(9); /* below PIPE_BUF: whole */
}

static int complete(void) {
  if (g_done < g_events) return 0;
  for (int i = 0; i < g_members; i++)
    if (i != g_me && !__atomic_load_n(&g_shared->killed[i], __ATOMIC_ACQUIRE) && g_heard[i] < g_events) return 0;
  return 1;
}

static void look(void) {
  if (complete() && !atomic_exchange(&g_over, 1)) tell('D', "", 0, 0, 0);
}

static void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  const char *body = (const char *)data + ev->offset + ev->topic_len + ev->meta_len;
  if (ev->kind == MW_EVENT_UP) {
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)ev->body_len, body);
    tell(strstr(text, "\"hub\":true") != NULL ? 'H' : 'U', "", 0, 0, 0);
  } else if (ev->kind == MW_EVENT_MESSAGE) {
    int who, n;
    if (sscanf(body, "%d %d", &who, &n) != 2 || who < 0 || who >= g_members) {
      tell('!', "a body that nobody sent", 0, 0, 0);
    } else if (n != g_heard[who]) {
      tell('!', "of %d came %d, wanted %d", who, n, g_heard[who]);
    } else {
      g_heard[who]++;
      int total = ++g_total, all = g_members * g_events;
      if (total == all / 4 || total == all / 2) tell('P', "%d", total, 0, 0);
      look();
    }
  } else if (ev->kind == MW_EVENT_DROPPED) {
    tell('!', "%d were dropped", ev->code, 0, 0);
  } else if (ev->kind == MW_EVENT_DONE && ev->id > 0) {
    if (ev->status != MW_OK) tell('!', "event %d ended with %d", (int)ev->id, ev->status, 0);
    g_done++;
    look();
  }
}

static void child(int me, int in, int out) {
  g_me = me;
  g_out = out;
  mw_handle ctx = 0, channel = 0;
  mw_conf *c = mw_conf_new(MW_CONF_CTX);
  mw_conf_set(c, "delivery", MW_NTS, "inline", MW_NTS, NULL);
  mw_conf *ch = mw_conf_new(MW_CONF_CHANNEL);
  mw_conf_set(ch, "name", MW_NTS, "chaos", MW_NTS, NULL);
  mw_conf_set(ch, "dir", MW_NTS, g_dir, MW_NTS, NULL);
  if (mw_ctx_open(c, &ctx, NULL) < 0 || mw_channel_open(ctx, ch, 1, &channel, NULL) < 0) _exit(8);
  mw_on(channel, on_event, NULL, NULL);
  mw_subscribe(channel, ".*", MW_NTS, NULL, 0, 0, NULL, NULL);
  mw_start(channel, 0, NULL);
  char go;
  if (read(in, &go, 1) != 1) _exit(7);
  for (int i = 0; i < g_events; i++) {
    char body[64];
    int n = snprintf(body, sizeof body, "%d %d", me, i);
    mw_msg *m = mw_msg_new(body, (size_t)n + 1, 0);
    mw_status s = mw_publish(channel, "e", 1, m, 0, 0, (uint64_t)i + 1);
    mw_msg_unref(m);
    if (s < 0) tell('!', "publish %d answered %d", i, s, 0);
  }
  while (read(in, &go, 1) == 1 && go == 'k') look(); /* somebody was killed: perhaps that was all */
  mw_close(channel, 0, NULL, 0, 0);
  mw_close(ctx, 0, NULL, 0, 0);
  _exit(mw_ctx_join(ctx, 20000) == MW_OK ? 0 : 6);
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
  if (argc > 1) g_members = atoi(argv[1]);
  if (argc > 2) g_events = atoi(argv[2]);
  if (g_members < 4 || g_members > MAX) return 2;
  snprintf(g_dir, sizeof g_dir, "/tmp/meshwork-chaos-XXXXXX");
  if (mkdtemp(g_dir) == NULL) return 2;
  g_shared = mmap(NULL, sizeof *g_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int words[2], go[MAX][2];
  pid_t pid[MAX];
  if (g_shared == MAP_FAILED || pipe(words) != 0) return 2;
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < g_members; i++) {
    if (pipe(go[i]) != 0) return 2;
    pid[i] = fork_child();
    if (pid[i] == 0) {
      for (int k = 0; k <= i; k++) close(go[k][1]);
      child(i, go[i][0], words[1]);
    }
    close(go[i][0]);
  }
  close(words[1]);

  int up = 0, hub = -1, kills = 0, done = 0, wrong = 0, is_up[MAX] = {0}, is_done[MAX] = {0}, hubs = 0;
  int64_t limit = now_ms() + LIMIT_MS, killed_at = 0, slowest = 0;
  while (done < g_members - kills || kills < KILLS) {
    struct pollfd p = {.fd = words[0], .events = POLLIN};
    int64_t left = limit - now_ms();
    if (left <= 0 || poll(&p, 1, (int)left) <= 0) {
      printf("not over after %d s: %d up, %d killed, %d done\n", LIMIT_MS / 1000, up, kills, done);
      wrong++;
      break;
    }
    word w;
    if (read(words[0], &w, sizeof w) != sizeof w) {
      wrong++;
      break;
    }
    if (__atomic_load_n(&g_shared->killed[w.who], __ATOMIC_RELAXED)) continue;
    if (w.what == '!') {
      printf("member %d: %s\n", w.who, w.text);
      wrong++;
    } else if (w.what == 'U' || w.what == 'H') {
      if (w.what == 'H') {
        hub = w.who;
        hubs++;
        if (killed_at != 0 && now_ms() - killed_at > slowest) slowest = now_ms() - killed_at;
        killed_at = 0;
      }
      if (!is_up[w.who]) {
        is_up[w.who] = 1;
        if (++up == g_members)
          for (int i = 0; i < g_members; i++)
            if (write(go[i][1], "g", 1) != 1) wrong++;
      }
    } else if (w.what == 'D') {
      is_done[w.who] = 1;
      done++;
    }
    /* Some have heard a part, or all: the hub dies under them. */
    if ((w.what == 'P' || w.what == 'D') && kills < KILLS && hub >= 0 && killed_at == 0) {
      done -= is_done[hub];
      __atomic_store_n(&g_shared->killed[hub], 1, __ATOMIC_RELEASE);
      kill(pid[hub], SIGKILL);
      killed_at = now_ms();
      kills++;
      for (int i = 0; i < g_members; i++)
        if (!g_shared->killed[i] && write(go[i][1], "k", 1) != 1) wrong++;
      hub = -1;
    } else if (w.what == 'D' && kills < KILLS && done >= g_members - kills) {
      printf("all was heard before %d hubs could be killed: give it more events\n", KILLS);
      break;
    }
  }
  int codes = 0;
  for (int i = 0; i < g_members; i++) {
    close(go[i][1]);
    if (wrong != 0) kill(pid[i], SIGKILL);
  }
  for (int i = 0; i < g_members; i++) {
    int status = 0;
    waitpid(pid[i], &status, 0);
    if (!g_shared->killed[i] && status != 0) codes++;
  }
  const char *names[] = {"sock", "lock", "members"};
  for (int i = 0; i < 3; i++) {
    char file[128];
    snprintf(file, sizeof file, "%s/chaos.%s", g_dir, names[i]);
    unlink(file);
  }
  rmdir(g_dir);
  printf("%d members, %d events each, %d hubs killed, %d hubs in all, slowest take-over %lld ms, %d wrong, %d bad exits\n",
         g_members, g_events, kills, hubs, (long long)slowest, wrong, codes);
  return wrong == 0 && codes == 0 && kills > 0 ? 0 : 1;
}
