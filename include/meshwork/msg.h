/* meshwork: messages. Immutable once used, counted by references that any
 * thread may add and drop. Sending borrows: your reference stays yours,
 * whatever the result. */
#ifndef MESHWORK_MSG_H
#define MESHWORK_MSG_H

#include <meshwork/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a message by copying len bytes. flags: MW_F_TEXT, MW_F_COMPRESS, MW_F_PARTS.
 * Owns: the caller gets one reference. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: NULL (no memory, or MW_F_TEXT and not UTF-8). Since: 0.1 */
MW_API mw_msg *mw_msg_new(const void *body, size_t len, uint32_t flags);

/* Makes a message that lends the caller's bytes until release(hint). With ctx
 * 0, release may run on any thread. With a ctx it runs where that context's
 * callbacks run; with release NULL the event RELEASED (id = hint) tells
 * instead. The message is accepted by that context only.
 * Owns: bytes stay the caller's until released, exactly once, before the
 * context's CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: by release or RELEASED. Errors: NULL (no memory, stale ctx, bad text). Since: 0.1 */
MW_API mw_msg *mw_msg_wrap(mw_handle ctx, const void *body, size_t len, mw_free_fn release,
                           void *hint, uint32_t flags);

/* Adds a reference.
 * Owns: the caller gets one reference. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API mw_msg *mw_msg_ref(const mw_msg *m);

/* Drops a reference; NULL is allowed.
 * Owns: takes the caller's reference. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API void mw_msg_unref(mw_msg *m);

/* Makes an event's bytes a message of its own; copies only if it must.
 * Owns: the caller gets one reference. Thread: where the event came out, while
 * its bytes live. Blocks: no. Allocates: yes unless MW_F_REF.
 * Completes: at once. Errors: NULL (no memory). Since: 0.1 */
MW_API mw_msg *mw_msg_keep(const mw_event *ev, const uint8_t *data);

/* Sets a header. Keys at most 65,535 bytes, all headers together at most 64 KiB.
 * Owns: copies. Thread: one at a time. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_ESTATE (already used), MW_ETOOBIG, MW_EINVAL. Since: 0.1 */
MW_API mw_status mw_msg_set(mw_msg *m, const char *key, size_t klen, const void *val, size_t vlen);

/* Reads a header; NULL = absent.
 * Owns: borrowed from the message. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API const void *mw_msg_get(const mw_msg *m, const char *key, size_t klen, size_t *vlen);

/* Topic of a received message; "" if it has none.
 * Owns: borrowed. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API const char *mw_msg_topic(const mw_msg *m, size_t *len);

/* Body of a message.
 * Owns: borrowed. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API const void *mw_msg_body(const mw_msg *m, size_t *len);

/* All headers, packed as in mw_event.
 * Owns: borrowed. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API const void *mw_msg_meta(const mw_msg *m, size_t *len);

/* MW_F_* of a message.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API uint32_t mw_msg_flags(const mw_msg *m);

#ifdef __cplusplus
}
#endif
#endif
