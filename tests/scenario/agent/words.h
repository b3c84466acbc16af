/* One line of the agent's protocol: words, key=value, %XX escapes.
 * Used by the C and the C++ agent. Any thread; a line belongs to one. */
#ifndef SCENARIO_WORDS_H
#define SCENARIO_WORDS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WORDS_MAX 64

typedef struct {
  const char *key;
  char *val; /* decoded, NUL terminated behind len bytes */
  size_t len;
} word;

typedef struct {
  const char *verb;
  const char *name; /* "" where the second word has a '=' or is absent */
  word arg[WORDS_MAX];
  size_t n;
  char *made; /* a generated body (@N), freed by words_free */
} words;

/* Cuts text in place. 0 if it has too many words or a bad escape. */
int words_cut(words *w, char *text);
void words_free(words *w);

/* The argument of this key, or NULL. */
const word *words_get(const words *w, const char *key);
const char *words_text(const words *w, const char *key, const char *absent);
int64_t words_num(const words *w, const char *key, int64_t absent);

/* Bytes as one word: printable as they are, others as %XX; more than limit as
 * @LENGTH:FNV1A. Returns a string the caller frees. */
char *words_show(const uint8_t *p, size_t n, size_t limit);

#ifdef __cplusplus
}
#endif
#endif
