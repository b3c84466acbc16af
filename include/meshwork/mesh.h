/* meshwork: calls between the two ends of a connection, either way (wire
 * meshwork). Who serves gets a REQUEST and answers it whenever it likes, with
 * one reply, with parts and a reply, or with a failure; who calls gets exactly
 * one DONE. */
#ifndef MESHWORK_MESH_H
#define MESHWORK_MESH_H

#include <meshwork/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Serves calls on a provider or a consumer: "C" takes every method "C.x" and
 * "C" itself, "C.m" one method; the longest name wins. REQUEST, CANCEL and
 * CLOSED of it carry the token. *id is a handle: mw_close ends it (CANCEL to
 * the running requests, MW_EPEERGONE to their callers), mw_drain finishes them
 * first, mw_pause refuses new ones, mw_stat counts them (MW_STAT_IN_FLIGHT).
 * With dedupe.window calls of one method and header "key" are one REQUEST, which
 * no lost connection ends and which takes one answer (MW_F_MORE: MW_ENOTSUP).
 * Owns: *id is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once; CLOSED of *id, before its handle's. Errors: MW_EDUPLICATE (name is
 * served here), MW_EINVAL (name), MW_EKIND, MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_serve(mw_handle h, const char *name, size_t nlen, const mw_conf *service,
                          uint64_t token, mw_handle *id, mw_error *err);

/* Calls a method of the other end, from a consumer or to a provider's peer; on
 * a share, of the leader (MW_F_ONEWAY | MW_F_REPEAT: again of each new one).
 * timeout_ms 0: the option call.timeout; -1: none. parent: a REQUEST this call
 * is made for (its deadline and its cancel count here too), or 0. flags:
 * MW_F_TEXT, MW_F_PARTS, MW_F_COMPRESS, MW_F_ONEWAY (no answer; DONE when handed to the kernel).
 * Owns: borrows m (NULL: empty) and how. Thread: any. Blocks: no. Allocates: little.
 * Completes: DONE (op), body the answer or {"message":...}, code parts that
 * came; PART before it. DONE: MW_ENOSERVICE, MW_ENOMETHOD, MW_EREMOTE (or what mw_fail
 * said), MW_ETIMEDOUT, MW_ECANCELED, MW_EPEERGONE (link lost; it may have run), MW_EDRAINING.
 * Errors: MW_ENOTCONN, MW_ENOTSUP (wire or other end cannot), MW_EAGAIN (WRITABLE follows),
 * MW_ETOOBIG, MW_EMEMORY, MW_EINVAL (also op 0 without MW_F_ONEWAY), MW_ECLOSED (h or parent). Since: 0.1 */
MW_API mw_status mw_call(mw_handle h, const char *target, size_t tlen, const mw_msg *m,
                         const mw_conf *how, int64_t timeout_ms, mw_handle parent, uint32_t flags,
                         uint64_t op, mw_error *err);

/* Answers a request: MW_F_MORE one PART of several, else the final answer,
 * after which req is stale. Parts beyond the caller's credit are kept here:
 * MW_BUFFERED, then MW_EAGAIN; WRITABLE with id = req follows both.
 * Owns: borrows m (NULL: empty). Thread: any. Blocks: no. Allocates: rarely.
 * Completes: at return; DONE (op) when handed to the kernel. Errors: MW_ECLOSED (answered,
 * cancelled or gone), MW_ESTATE (req 0: a oneway request takes no answer), MW_EAGAIN,
 * MW_ETOOBIG (the caller takes less), MW_EMEMORY, MW_EINVAL. Since: 0.1 */
MW_API mw_status mw_reply(mw_handle req, const mw_msg *m, uint32_t flags, uint64_t op);

/* Answers a request with a failure: code (0: MW_EREMOTE) is the status of the
 * caller's DONE, json (an object, usually with "message"; NULL: made here) its body. flags: 0.
 * Owns: copies. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at return. Errors: as mw_reply; MW_EINVAL (code no failure, json no object). Since: 0.1 */
MW_API mw_status mw_fail(mw_handle req, mw_status code, const char *json, size_t len, uint32_t flags);

#ifdef __cplusplus
}
#endif
#endif
