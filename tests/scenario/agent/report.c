#include "agent.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void say(const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  flockfile(stdout);
  vprintf(format, ap);
  putchar('\n');
  fflush(stdout);
  funlockfile(stdout);
  va_end(ap);
}

static void run_hook(const char *object, const char *kind, const mw_event *ev, const uint8_t *data) {
  char *line = hooks_find(object, kind);
  if (line == NULL) return;
  words w;
  char extra[1024] = "";
  if (words_cut(&w, line)) {
    char done[64];
    snprintf(done, sizeof done, "%s", w.verb);
    mw_status s = verb(&w, extra, sizeof extra, ev, data);
    say("! %s HOOK verb=%s status=%s", object, done, status_word(s));
    words_free(&w);
  }
  free(line);
}

/* Every event, whatever the door, becomes one line:
 * ! OBJECT KIND [status=] [code=] [id=] [peer=] [flags=] [topic=] [meta=] [body=] */
void on_event(const mw_event *ev, const uint8_t *data, void *user) {
  (void)user;
  char object[128], peer[160] = "", id[160] = "", number[128] = "", flags[160];
  const char *kind = kind_name(ev->kind);
  names_of_token(ev->token, object, sizeof object);
  if (ev->kind == MW_EVENT_PEER_UP) names_number(object, "", ev->peer);
  if (ev->kind == MW_EVENT_ASK) names_number(object, "ask", ev->id);
  if (ev->kind == MW_EVENT_REQUEST && ev->id) names_number(object, "r", ev->id);
  if (ev->peer) {
    memcpy(peer, " peer=", 7);
    names_of_handle(ev->peer, peer + 6, sizeof peer - 6);
  }
  if (ev->id) {
    memcpy(id, " id=", 5);
    if (ev->kind == MW_EVENT_ASK || ev->kind == MW_EVENT_CLOSED || ev->kind == MW_EVENT_MESSAGE ||
        ev->kind == MW_EVENT_REQUEST || ev->kind == MW_EVENT_CANCEL || ev->kind == MW_EVENT_WRITABLE)
      names_of_handle(ev->id, id + 4, sizeof id - 4);
    else
      snprintf(id + 4, sizeof id - 4, "%" PRIu64, ev->id);
  }
  if (ev->status) snprintf(number, sizeof number, " status=%s", status_word(ev->status));
  if (ev->code) snprintf(number + strlen(number), sizeof number - strlen(number), " code=%d", ev->code);
  flags_text(ev->flags & ~(uint32_t)MW_F_REF, flags, sizeof flags);

  const uint8_t *p = data + ev->offset, *body = p + ev->topic_len + ev->meta_len;
  size_t body_len = ev->body_len;
  if (ev->flags & MW_F_REF) body = mw_msg_body((mw_msg *)(uintptr_t)ev->msg, &body_len);
  /* Facts are told whole, messages up to 512 bytes. */
  int message = ev->kind == MW_EVENT_MESSAGE || ev->kind == MW_EVENT_DROPPED || ev->kind == MW_EVENT_REQUEST ||
                ev->kind == MW_EVENT_PART;
  char *topic = words_show(p, ev->topic_len, SIZE_MAX),
       *meta = words_show(p + ev->topic_len, ev->meta_len, SIZE_MAX),
       *text = words_show(body, body_len, message ? 512 : SIZE_MAX);
  /* REF is how the body came, not what came: the same lines at every door. */
  say("! %s %s%s%s%s%s%s%s%s%s%s%s%s", object, kind, number, id, peer, flags[0] ? " flags=" : "", flags,
      *topic ? " topic=" : "", topic, *meta ? " meta=" : "", meta, *text ? " body=" : "", text);
  free(topic);
  free(meta);
  free(text);

  run_hook(object, kind, ev, data);
  if (ev->kind == MW_EVENT_CLOSED && ev->token == 0) door_closed();
}
