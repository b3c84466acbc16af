#include "agent.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char name[64];
  mw_handle handle;
  uint64_t token;
} entry;

typedef struct {
  char object[64], kind[24];
  char *line;
} hook;

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static entry g_names[8192];
static size_t g_count;
static hook g_hooks[64];
static size_t g_hook_count;

void names_clear(void) {
  pthread_mutex_lock(&g_lock);
  g_count = 0;
  for (size_t i = 0; i < g_hook_count; i++) free(g_hooks[i].line);
  g_hook_count = 0;
  pthread_mutex_unlock(&g_lock);
}

uint64_t names_token(void) {
  static uint64_t last;
  return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static entry *find(const char *name) {
  for (size_t i = 0; i < g_count; i++)
    if (strcmp(g_names[i].name, name) == 0) return &g_names[i];
  return NULL;
}

static void add(const char *name, mw_handle h, uint64_t token) {
  entry *e = find(name);
  if (e == NULL && g_count < sizeof g_names / sizeof *g_names) e = &g_names[g_count++];
  if (e == NULL) return;
  snprintf(e->name, sizeof e->name, "%.*s", (int)sizeof e->name - 1, name);
  e->handle = h;
  e->token = token;
}

void names_add(const char *name, mw_handle h, uint64_t token) {
  pthread_mutex_lock(&g_lock);
  add(name, h, token);
  pthread_mutex_unlock(&g_lock);
}

mw_handle names_handle(const char *name) {
  if (name[0] == '#') return strtoull(name + 1, NULL, 10);
  if (strcmp(name, "ctx") == 0) return g_ctx;
  pthread_mutex_lock(&g_lock);
  entry *e = find(name);
  mw_handle h = e ? e->handle : 0;
  pthread_mutex_unlock(&g_lock);
  return h;
}

void names_of_handle(mw_handle h, char *buf, size_t cap) {
  snprintf(buf, cap, "#%" PRIu64, h);
  pthread_mutex_lock(&g_lock);
  for (size_t i = g_count; i-- > 0;)
    if (g_names[i].handle == h) {
      snprintf(buf, cap, "%s", g_names[i].name);
      break;
    }
  pthread_mutex_unlock(&g_lock);
}

void names_of_token(uint64_t token, char *buf, size_t cap) {
  if (token == 0) {
    snprintf(buf, cap, "ctx");
    return;
  }
  snprintf(buf, cap, "token:%" PRIu64, token);
  pthread_mutex_lock(&g_lock);
  for (size_t i = 0; i < g_count; i++)
    if (g_names[i].token == token) {
      snprintf(buf, cap, "%s", g_names[i].name);
      break;
    }
  pthread_mutex_unlock(&g_lock);
}

void names_number(const char *base, const char *infix, mw_handle h) {
  pthread_mutex_lock(&g_lock);
  char name[128];
  for (int n = 1;; n++) {
    snprintf(name, sizeof name, "%s.%s%d", base, infix, n);
    entry *e = find(name);
    if (e != NULL && e->handle != h) continue;
    add(name, h, 0);
    break;
  }
  pthread_mutex_unlock(&g_lock);
}

void hooks_add(const char *object, const char *kind, const char *line) {
  pthread_mutex_lock(&g_lock);
  if (g_hook_count < sizeof g_hooks / sizeof *g_hooks) {
    hook *k = &g_hooks[g_hook_count++];
    snprintf(k->object, sizeof k->object, "%s", object);
    snprintf(k->kind, sizeof k->kind, "%s", kind);
    k->line = strdup(line);
  }
  pthread_mutex_unlock(&g_lock);
}

char *hooks_find(const char *object, const char *kind) {
  char *line = NULL;
  pthread_mutex_lock(&g_lock);
  for (size_t i = 0; i < g_hook_count && line == NULL; i++)
    if (strcmp(g_hooks[i].object, object) == 0 && strcmp(g_hooks[i].kind, kind) == 0)
      line = strdup(g_hooks[i].line);
  pthread_mutex_unlock(&g_lock);
  return line;
}
