#include "words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Byte i of a generated body. */
static uint8_t pattern(size_t i) { return (uint8_t)('a' + i % 26); }

static int hex(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(char *s, size_t *len) {
  char *out = s;
  for (char *p = s; *p; p++) {
    if (*p == '%') {
      int a = hex(p[1]), b = a < 0 ? -1 : hex(p[2]);
      if (b < 0) return 0;
      *out++ = (char)(a << 4 | b);
      p += 2;
    } else {
      *out++ = *p;
    }
  }
  *out = 0;
  *len = (size_t)(out - s);
  return 1;
}

int words_cut(words *w, char *text) {
  memset(w, 0, sizeof *w);
  w->verb = w->name = "";
  char *save = NULL;
  int position = 0;
  for (char *p = strtok_r(text, " \r\n", &save); p; p = strtok_r(NULL, " \r\n", &save), position++) {
    char *eq = strchr(p, '=');
    if (position == 0) {
      w->verb = p;
    } else if (eq == NULL) {
      w->name = p;
    } else {
      if (w->n == WORDS_MAX) return 0;
      word *a = &w->arg[w->n++];
      *eq = 0;
      a->key = p;
      a->val = eq + 1;
      if (a->val[0] == '@') { /* @65536: a generated body */
        a->len = (size_t)strtoull(a->val + 1, NULL, 10);
        free(w->made);
        w->made = malloc(a->len + 1);
        for (size_t i = 0; i < a->len; i++) w->made[i] = (char)pattern(i);
        w->made[a->len] = 0;
        a->val = w->made;
      } else if (!decode(a->val, &a->len)) {
        return 0;
      }
    }
  }
  return 1;
}

void words_free(words *w) { free(w->made); }

const word *words_get(const words *w, const char *key) {
  for (size_t i = 0; i < w->n; i++)
    if (strcmp(w->arg[i].key, key) == 0) return &w->arg[i];
  return NULL;
}

const char *words_text(const words *w, const char *key, const char *absent) {
  const word *a = words_get(w, key);
  return a ? a->val : absent;
}

int64_t words_num(const words *w, const char *key, int64_t absent) {
  const word *a = words_get(w, key);
  return a ? strtoll(a->val, NULL, 10) : absent;
}

char *words_show(const uint8_t *p, size_t n, size_t limit) {
  if (n > limit) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 16777619u;
    char *s = malloc(48);
    snprintf(s, 48, "@%zu:%08x", n, h);
    return s;
  }
  char *s = malloc(3 * n + 1), *out = s;
  for (size_t i = 0; i < n; i++) {
    if (isgraph(p[i]) && p[i] != '%' && !(i == 0 && p[i] == '@'))
      *out++ = (char)p[i];
    else
      out += sprintf(out, "%%%02X", p[i]);
  }
  *out = 0;
  return s;
}
