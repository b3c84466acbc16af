/* The verbs: one for each function of the API, each line one call. */
#include "call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(call *c, const char *key, const void *p, size_t n) {
  char *s = words_show(p, n, SIZE_MAX);
  size_t used = strlen(c->extra);
  snprintf(c->extra + used, c->cap - used, " %s=%s", key, s);
  free(s);
}

static void tell_number(call *c, const char *key, int64_t v) {
  size_t used = strlen(c->extra);
  snprintf(c->extra + used, c->cap - used, " %s=%" PRId64, key, v);
}

mw_handle resolve(const call *c, const char *name) {
  if (c->ev != NULL && strcmp(name, "$peer") == 0) return c->ev->peer;
  if (c->ev != NULL && strcmp(name, "$id") == 0) return c->ev->id;
  return names_handle(name);
}

mw_conf *conf_from(call *c, int32_t kind, const char *own, mw_status *status) {
  mw_conf *conf = mw_conf_new(kind);
  *status = conf ? MW_OK : MW_ENOMEM;
  for (size_t i = 0; i < c->w->n && *status >= 0; i++) {
    const word *a = &c->w->arg[i];
    char token[80];
    snprintf(token, sizeof token, " %s ", a->key);
    if (strstr(own, token)) continue;
    *status = mw_conf_set(conf, a->key, MW_NTS, a->val, a->len, &c->err);
  }
  return conf;
}

static const void *body_of(const call *c, size_t *len) {
  const word *a = words_get(c->w, "body");
  *len = a ? a->len : 0;
  if (a != NULL && c->ev != NULL && strcmp(a->val, "$body") == 0 && !(c->ev->flags & MW_F_REF)) {
    *len = c->ev->body_len;
    return c->data + c->ev->offset + c->ev->topic_len + c->ev->meta_len;
  }
  return a ? a->val : "";
}

uint32_t flags(const call *c) { return flags_of(words_text(c->w, "flags", "")); }
uint64_t op(const call *c) { return (uint64_t)words_num(c->w, "op", 0); }

mw_msg *message(const call *c) {
  size_t len;
  const void *body = body_of(c, &len);
  mw_msg *m = mw_msg_new(body, len, flags(c) & (MW_F_TEXT | MW_F_COMPRESS | MW_F_PARTS));
  for (size_t i = 0; m != NULL && i < c->w->n; i++) {
    const word *a = &c->w->arg[i];
    if (strncmp(a->key, "meta.", 5) == 0) mw_msg_set(m, a->key + 5, MW_NTS, a->val, a->len);
  }
  return m;
}

static mw_status open_ctx(call *c) { return door_open(c->w, &c->err); }

static mw_status open_link(call *c, int32_t kind) {
  mw_status s;
  mw_conf *conf = conf_from(c, kind, " ctx ", &s);
  mw_handle h = 0, ctx = resolve(c, words_text(c->w, "ctx", "ctx"));
  uint64_t token = names_token();
  if (s >= 0)
    s = kind == MW_CONF_PROVIDER   ? mw_provider_open(ctx, conf, token, &h, &c->err)
        : kind == MW_CONF_CONSUMER ? mw_consumer_open(ctx, conf, token, &h, &c->err)
        : kind == MW_CONF_SHARE    ? mw_share_open(ctx, conf, token, &h, &c->err)
        : kind == MW_CONF_NODE     ? mw_node_open(ctx, conf, token, &h, &c->err)
        : kind == MW_CONF_MANAGER  ? mw_manager_open(ctx, conf, token, &h, &c->err)
        : kind == MW_CONF_HUB      ? mw_hub_open(ctx, conf, token, &h, &c->err)
                                   : mw_channel_open(ctx, conf, token, &h, &c->err);
  mw_conf_unref(conf);
  if (s >= 0) {
    names_add(c->w->name, h, token);
    mw_on(h, on_event, NULL, NULL); /* the record doors do not need it, and ignore it */
  }
  return s;
}

static mw_status open_provider(call *c) { return open_link(c, MW_CONF_PROVIDER); }
static mw_status open_share(call *c) { return open_link(c, MW_CONF_SHARE); }
static mw_status open_node(call *c) { return open_link(c, MW_CONF_NODE); }
static mw_status open_manager(call *c) { return open_link(c, MW_CONF_MANAGER); }
static mw_status open_consumer(call *c) { return open_link(c, MW_CONF_CONSUMER); }
static mw_status open_hub(call *c) { return open_link(c, MW_CONF_HUB); }
static mw_status open_channel(call *c) { return open_link(c, MW_CONF_CHANNEL); }

static mw_status open_election(call *c) {
  mw_status s;
  mw_conf *conf = conf_from(c, MW_CONF_ELECT, " name ", &s);
  mw_handle h = 0;
  uint64_t token = names_token();
  if (s >= 0) s = mw_elect(g_ctx, words_text(c->w, "name", ""), MW_NTS, conf, token, &h, &c->err);
  mw_conf_unref(conf);
  if (s >= 0) {
    names_add(c->w->name, h, token);
    mw_on(h, on_event, NULL, NULL);
  }
  return s;
}

static mw_status do_start(call *c) { return mw_start(c->h, op(c), &c->err); }

static mw_status do_send(call *c) {
  mw_msg *m = message(c);
  if (m == NULL) return MW_EINVAL;
  mw_status s = mw_send(c->h, m, flags(c), op(c));
  mw_msg_unref(m);
  return s;
}

static mw_status do_bytes(call *c) {
  size_t len;
  const void *body = body_of(c, &len);
  return mw_send_bytes(c->h, body, len, flags(c));
}

static mw_status do_records(call *c) {
  size_t len;
  const void *body = body_of(c, &len);
  mw_event ev[64];
  size_t n = (size_t)words_num(c->w, "n", 1);
  if (n > 64) n = 64;
  memset(ev, 0, sizeof ev);
  for (size_t i = 0; i < n; i++) {
    ev[i].peer = c->h;
    ev[i].flags = flags(c);
    ev[i].body_len = (uint32_t)len;
  }
  mw_status s = mw_send_records(g_ctx, ev, sizeof ev[0], n, body);
  for (size_t i = 0; i < n && s >= 0; i++)
    if (ev[i].status < 0) return ev[i].status;
  return s;
}

/* Lends bytes for ever; RELEASED tells the hint. */
static mw_status do_wrap(call *c) {
  static const char lent[] = "lent bytes";
  mw_msg *m = mw_msg_wrap(g_ctx, lent, sizeof lent - 1, NULL,
                          (void *)(uintptr_t)words_num(c->w, "hint", 1), flags(c) & MW_F_TEXT);
  if (m == NULL) return MW_EINVAL;
  mw_status s = mw_send(c->h, m, flags(c), op(c));
  mw_msg_unref(m);
  return s;
}

static mw_status do_publish(call *c) {
  const word *topic = words_get(c->w, "topic");
  mw_msg *m = message(c);
  if (m == NULL) return MW_EINVAL;
  const char *except = words_text(c->w, "except", "");
  mw_status s = mw_publish(c->h, topic ? topic->val : "", topic ? topic->len : 0, m,
                           *except ? resolve(c, except) : 0, flags(c), op(c));
  mw_msg_unref(m);
  return s;
}

static mw_status do_subscribe(call *c) {
  mw_status s;
  const word *pattern = words_get(c->w, "pattern");
  mw_conf *conf = conf_from(c, MW_CONF_SUB, " pattern as op ", &s);
  mw_handle id = 0;
  uint64_t token = names_token();
  const char *as = words_text(c->w, "as", "");
  if (*as) names_add(as, 0, token); /* its first event may come before the call returns */
  if (s >= 0)
    s = mw_subscribe(c->h, pattern ? pattern->val : "", pattern ? pattern->len : 0, conf,
                     *as ? token : 0, op(c), *as ? &id : NULL, &c->err);
  mw_conf_unref(conf);
  if (s >= 0 && *as) names_add(as, id, token);
  return s;
}

static mw_status do_unsubscribe(call *c) {
  return mw_unsubscribe(c->h, words_text(c->w, "pattern", ""), MW_NTS, op(c));
}
static mw_status do_subscribed(call *c) {
  return mw_subscribed(c->h, words_text(c->w, "topic", ""), MW_NTS);
}
static mw_status do_cork(call *c) { return mw_cork(c->h, (int)words_num(c->w, "on", 1)); }
static mw_status do_pause(call *c) { return mw_pause(c->h, (int)words_num(c->w, "on", 1)); }

static mw_status do_close(call *c) {
  const word *reason = words_get(c->w, "reason");
  return mw_close(c->h, (int32_t)words_num(c->w, "code", 0), reason ? reason->val : "",
                  reason ? reason->len : 0,
                  strstr(words_text(c->w, "flags", ""), "ABORT") ? MW_CLOSE_ABORT : 0);
}

static mw_status do_drain(call *c) {
  return mw_drain(c->h, words_num(c->w, "ms", 5000), op(c), &c->err);
}

static mw_status do_update(call *c) {
  mw_status s;
  mw_conf *conf = conf_from(c, conf_kind_of(words_text(c->w, "kind", "")), " op kind ", &s);
  if (s >= 0) s = mw_update(c->h, conf, op(c), &c->err);
  mw_conf_unref(conf);
  return s;
}

static mw_status do_token(call *c) {
  return mw_token(c->h, (uint64_t)words_num(c->w, "token", 0));
}

static mw_status do_state(call *c) { return mw_state(c->h); }

static mw_status do_stat(call *c) {
  int64_t value = 0;
  mw_status s = mw_stat(c->h, stat_of(words_text(c->w, "what", "")), &value);
  if (s >= 0) tell_number(c, "value", value);
  return s;
}

static mw_status do_info(call *c) {
  mw_msg *now = NULL;
  mw_status s = mw_info(c->h, words_text(c->w, "what", ""), MW_NTS, &now, op(c), &c->err);
  if (now != NULL) {
    size_t n;
    const void *p = mw_msg_body(now, &n);
    tell(c, "body", p, n);
    mw_msg_unref(now);
  }
  return s;
}

static mw_status do_answer(call *c) {
  const word *json = words_get(c->w, "json");
  return mw_answer(c->h, (int)words_num(c->w, "allow", 1), json ? json->val : NULL,
                   json ? json->len : 0, &c->err);
}

static mw_status do_cancel(call *c) { return mw_cancel(c->h, op(c)); }

/* conf provider key=value ... get=key: what the table says to it. */
static mw_status do_conf(call *c) {
  mw_status s;
  mw_conf *conf = conf_from(c, conf_kind_of(c->w->name), " get ", &s);
  const char *get = words_text(c->w, "get", "");
  if (s >= 0 && *get) {
    char buf[512];
    size_t need = 0;
    s = mw_conf_get(conf, get, MW_NTS, buf, sizeof buf, &need);
    if (s >= 0) tell(c, "value", buf, need);
  }
  mw_conf_unref(conf);
  return s;
}

static mw_status do_hook(call *c) {
  hooks_add(c->w->name, words_text(c->w, "kind", ""), words_text(c->w, "do", ""));
  return MW_OK;
}

static mw_status do_run(call *c) { return mw_ctx_run(c->h, words_num(c->w, "ms", 0), &c->err); }
static mw_status do_dispatch(call *c) {
  size_t n = 0;
  return mw_ctx_dispatch(c->h, 1, &n);
}
static mw_status do_take(call *c) {
  mw_event ev;
  char slab[64];
  size_t n = 0;
  return mw_ctx_take(c->h, &ev, sizeof ev, 1, slab, sizeof slab, &n);
}
static mw_status do_wait(call *c) { return mw_ctx_wait(c->h, words_num(c->w, "ms", 0)); }
static mw_status do_wake(call *c) { return mw_ctx_wake(c->h); }
static mw_status do_fd(call *c) {
  int fd = -1;
  return mw_ctx_fd(c->h, &fd);
}
static mw_status do_join(call *c) { return mw_ctx_join(c->h, words_num(c->w, "ms", 0)); }
static mw_status do_waker(call *c) { return mw_ctx_waker(c->h, NULL, NULL); }
static mw_status do_end(call *c) { return door_end(c->extra, c->cap); }

static const struct {
  const char *name;
  mw_status (*run)(call *);
  int value; /* a positive answer is a value and no remark */
} kVerbs[] = {
    {"ctx", open_ctx, 0},         {"end", do_end, 0},
    {"provider", open_provider, 0}, {"consumer", open_consumer, 0},
    {"hub", open_hub, 0},         {"channel", open_channel, 0}, {"share", open_share, 0},
    {"elect", open_election, 0}, {"node", open_node, 0}, {"manager", open_manager, 0},
    {"start", do_start, 0},       {"send", do_send, 0},
    {"bytes", do_bytes, 0},       {"records", do_records, 0},
    {"wrap", do_wrap, 0},         {"publish", do_publish, 0},
    {"subscribe", do_subscribe, 0}, {"unsubscribe", do_unsubscribe, 0},
    {"subscribed", do_subscribed, 1}, {"cork", do_cork, 0},
    {"pause", do_pause, 0},       {"close", do_close, 0},
    {"drain", do_drain, 0},       {"update", do_update, 0},
    {"token", do_token, 0},       {"state", do_state, 1},
    {"stat", do_stat, 0},         {"info", do_info, 0},
    {"answer", do_answer, 0},     {"cancel", do_cancel, 0},
    {"conf", do_conf, 0},         {"hook", do_hook, 0},
    {"run", do_run, 0},           {"dispatch", do_dispatch, 0},
    {"take", do_take, 0},         {"wait", do_wait, 0},
    {"wake", do_wake, 0},         {"fd", do_fd, 0},
    {"join", do_join, 0},         {"waker", do_waker, 0},
    {"serve", do_serve, 0},       {"call", do_call, 0},
    {"reply", do_reply, 0},       {"fail", do_fail, 0},
};

mw_status verb(words *w, char *extra, size_t cap, const mw_event *ev, const uint8_t *data) {
  call c = {.w = w, .extra = extra, .cap = cap, .ev = ev, .data = data};
  c.h = resolve(&c, w->name);
  for (size_t i = 0; i < sizeof kVerbs / sizeof *kVerbs; i++) {
    if (strcmp(kVerbs[i].name, w->verb) != 0) continue;
    mw_status s = kVerbs[i].run(&c);
    if (s < 0 && c.err.code != 0) tell(&c, "error", c.err.text, c.err.text_len);
    if (s > 0 && kVerbs[i].value) {
      tell_number(&c, "value", s);
      s = MW_OK;
    } else if (s == 0 && kVerbs[i].value) {
      tell_number(&c, "value", 0);
    }
    return s;
  }
  snprintf(extra, cap, " error=no%%20such%%20verb");
  return MW_ENOTSUP;
}
