/* meshwork: options. A conf holds string keys of one kind of object, parsed
 * and range-checked when set. `meshwork options` and mw_conf_describe list
 * them; the one table is lib/base/options.def. A conf may be used by one
 * thread at a time until it is given to an object; opening takes a snapshot. */
#ifndef MESHWORK_CONF_H
#define MESHWORK_CONF_H

#include <meshwork/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of conf. */
enum {
  MW_CONF_CTX = 1,
  MW_CONF_PROVIDER = 2,
  MW_CONF_CONSUMER = 3,
  MW_CONF_SUB = 4,
  MW_CONF_SERVICE = 5,
  MW_CONF_CALL = 6,
  MW_CONF_HUB = 7,
  MW_CONF_CHANNEL = 8,
  MW_CONF_SHARE = 9,
  MW_CONF_ELECT = 10,
  MW_CONF_NODE = 11,
  MW_CONF_MANAGER = 12
};

/* Makes an empty conf of a kind (MW_CONF_*): every key at its default.
 * Owns: the caller gets one reference; NULL = no memory or unknown kind.
 * Thread: any. Blocks: no. Allocates: yes. Completes: at once. Errors: NULL. Since: 0.1 */
MW_API mw_conf *mw_conf_new(int32_t kind);

/* Adds a reference.
 * Owns: the caller gets one reference. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API mw_conf *mw_conf_ref(const mw_conf *c);

/* Drops a reference; NULL is allowed. Secrets are wiped with the last one.
 * Owns: takes the caller's reference. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API void mw_conf_unref(mw_conf *c);

/* Sets one key. Values are text: "true", "30s" (a bare number is ms), "1MiB",
 * "a,b" for lists, JSON where the table says so. The key "preset" sets the
 * defaults of a seed system and must come first.
 * Owns: copies both. Thread: one at a time. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EOPTION (unknown key: the nearest one is
 * named; bad value: the allowed range is named), MW_ESTATE (already used),
 * MW_EINVAL (c, key or val missing). Since: 0.1 */
MW_API mw_status mw_conf_set(mw_conf *c, const char *key, size_t klen, const char *val, size_t vlen,
                             mw_error *err);

/* Sets many keys from a JSON object; nested objects make dotted keys. All or nothing.
 * Owns: copies. Thread: one at a time. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EINVAL (not JSON: where), MW_EOPTION, MW_ESTATE. Since: 0.1 */
MW_API mw_status mw_conf_load(mw_conf *c, const char *json, size_t len, mw_error *err);

/* Reads one key as text into buf (NUL terminated when it fits). *need is the
 * length without the NUL; need may be NULL. Secrets read "***".
 * Owns: nothing. Thread: one at a time. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EOPTION, MW_ETOOBIG (cap <= *need), MW_EINVAL. Since: 0.1 */
MW_API mw_status mw_conf_get(const mw_conf *c, const char *key, size_t klen, char *buf, size_t cap,
                             size_t *need);

/* Describes option number index of a kind as JSON: key type default doc live
 * secret, range or values.
 * Owns: the caller gets one reference in *json. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EEND after the last, MW_EINVAL (kind). Since: 0.1 */
MW_API mw_status mw_conf_describe(int32_t kind, size_t index, mw_msg **json);

#ifdef __cplusplus
}
#endif
#endif
