/* The verbs of calls: serve, call, reply, fail. */
#include "call.h"

/* serve X name=C [as=s]: mw_serve. */
mw_status do_serve(call *c) {
  mw_status s;
  mw_conf *conf = conf_from(c, MW_CONF_SERVICE, " name as ", &s);
  const word *name = words_get(c->w, "name");
  const char *as = words_text(c->w, "as", "");
  mw_handle id = 0;
  uint64_t token = names_token();
  if (*as) names_add(as, 0, token); /* its first request may come before the call returns */
  if (s >= 0) s = mw_serve(c->h, name ? name->val : "", name ? name->len : 0, conf, token, &id, &c->err);
  mw_conf_unref(conf);
  if (s >= 0 && *as) names_add(as, id, token);
  return s;
}

/* The CALL conf of its options, or NULL where there are none. */
static mw_conf *how_of(call *c, mw_status *s) {
  static const char *const kKeys[] = {"credit", "version", "only", "exclude", "sticky", "retry.safe"};
  mw_conf *how = NULL;
  *s = MW_OK;
  for (size_t i = 0; i < sizeof kKeys / sizeof *kKeys && *s >= 0; i++) {
    const word *a = words_get(c->w, kKeys[i]);
    if (a == NULL) continue;
    if (how == NULL) how = mw_conf_new(MW_CONF_CALL);
    *s = how ? mw_conf_set(how, kKeys[i], MW_NTS, a->val, a->len, &c->err) : MW_ENOMEM;
  }
  return how;
}

/* call X target=C.m body= op= [ms=] [parent=] [flags=] [credit= version= only= exclude= sticky= retry.safe=]: mw_call. */
mw_status do_call(call *c) {
  mw_status s;
  const word *target = words_get(c->w, "target");
  const char *parent = words_text(c->w, "parent", "");
  mw_conf *how = how_of(c, &s);
  if (s < 0) {
    mw_conf_unref(how);
    return s;
  }
  mw_msg *m = message(c);
  if (m == NULL) {
    mw_conf_unref(how);
    return MW_EINVAL;
  }
  s = mw_call(c->h, target ? target->val : "", target ? target->len : 0, m, how, words_num(c->w, "ms", 0),
              *parent ? resolve(c, parent) : 0, flags(c), op(c), &c->err);
  mw_msg_unref(m);
  mw_conf_unref(how);
  return s;
}

/* reply R body= [flags=MORE] [op=]: mw_reply. */
mw_status do_reply(call *c) {
  mw_msg *m = message(c);
  if (m == NULL) return MW_EINVAL;
  mw_status s = mw_reply(c->h, m, flags(c), op(c));
  mw_msg_unref(m);
  return s;
}

/* fail R [code=EDENIED] [json=]: mw_fail. */
mw_status do_fail(call *c) {
  const word *json = words_get(c->w, "json");
  return mw_fail(c->h, status_of(words_text(c->w, "code", "OK")), json ? json->val : NULL, json ? json->len : 0,
                 words_get(c->w, "retry") ? MW_FAIL_RETRY : 0);
}
