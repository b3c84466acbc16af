/* meshwork: the context: lanes, clock, memory budget, inbox, and the five
 * doors by which events leave it.
 *
 *   threads=0                    mw_ctx_run       callbacks on the turning thread
 *   threads=0                    mw_ctx_take      records straight into your buffers
 *   threads=N delivery=inline    (nothing)        callbacks on library threads
 *   threads=N delivery=queued    mw_ctx_dispatch  callbacks on the calling thread
 *   threads=N delivery=queued    mw_ctx_take      records
 *
 * The first door used fixes it; another one answers MW_ESTATE. */
#ifndef MESHWORK_CTX_H
#define MESHWORK_CTX_H

#include <meshwork/conf.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a context. NULL conf: defaults (threads=1, delivery=queued). Closed by
 * mw_close, after which its CLOSED is the last event of all.
 * Owns: *ctx is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EKIND (conf), MW_ENOMEM, MW_EIO (descriptors). Since: 0.1 */
MW_API mw_status mw_ctx_open(const mw_conf *c, mw_handle *ctx, mw_error *err);

/* Turns the lane on this thread and makes callbacks (threads=0). timeout 0:
 * one turn without waiting; -1: until mw_ctx_wake or CLOSED; else that many
 * ms. MW_MORE: work is left, come again. MW_EEND: the context is closed.
 * Owns: nothing. Thread: one at a time (MW_EBUSY), never inside a callback
 * (MW_ESTATE). Blocks: as told. Allocates: rarely.
 * Completes: at return. Errors: MW_ESTATE, MW_EBUSY, MW_EEND, MW_EFORK. Since: 0.1 */
MW_API mw_status mw_ctx_run(mw_handle ctx, int64_t timeout_ms, mw_error *err);

/* A descriptor that is readable while there is something to do, under level-
 * and edge-triggered pollers; spurious readiness is allowed. The library's
 * own: poll it, dup it, never read or close it. The same until CLOSED.
 * Owns: the library. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ESTATE (delivery=inline), MW_EIO. Since: 0.1 */
MW_API mw_status mw_ctx_fd(mw_handle ctx, int *fd);

/* Installs a function that is called once, on a library thread, when events
 * are there and the consumer is armed; it may only signal. Installing arms; a
 * take or dispatch that returned everything arms; MW_MORE does not. NULL
 * removes it and waits for a running call.
 * Owns: user stays the caller's. Thread: any. Blocks: when removing. Allocates: no.
 * Completes: at return. Errors: MW_ESTATE (threads=0 or inline), MW_EDEADLOCK
 * (removed from inside itself). Since: 0.1 */
MW_API mw_status mw_ctx_waker(mw_handle ctx, mw_wake_fn fn, void *user);

/* Waits until an event is in the inbox or mw_ctx_wake was called (queued).
 * timeout -1: no limit.
 * Owns: nothing. Thread: any. Blocks: as told. Allocates: no.
 * Completes: at return. Errors: MW_ETIMEDOUT, MW_ESTATE, MW_EEND. Since: 0.1 */
MW_API mw_status mw_ctx_wait(mw_handle ctx, int64_t timeout_ms);

/* Ends a running mw_ctx_run or mw_ctx_wait, or the next one.
 * Owns: nothing. Thread: any, also from callbacks. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_ctx_wake(mw_handle ctx);

/* Makes callbacks for at most max queued events (0: what was there when it
 * began) on this thread; *n tells how many. MW_MORE: some are left.
 * Owns: nothing. Thread: one at a time (MW_EBUSY). Blocks: no. Allocates: no.
 * Completes: at return. Errors: MW_ESTATE, MW_EBUSY, MW_EEND (after CLOSED). Since: 0.1 */
MW_API mw_status mw_ctx_dispatch(mw_handle ctx, size_t max, size_t *n);

/* Takes events as flat records: at most cap of them, stride bytes apart (a
 * multiple of 8, at least 64), their bytes in the slab, valid until the next
 * take. What does not fit the whole slab, or exceeds slab.ref_above, comes
 * with MW_F_REF. threads=0: also turns the lane, without waiting. MW_MORE:
 * events, or with threads=0 unread input, are left; come again, at once or when
 * the descriptor says so.
 * Owns: the host releases each mw_event.msg under MW_F_REF. Thread: one at a
 * time (MW_EBUSY). Blocks: no. Allocates: for REF bodies.
 * Completes: at return. Errors: MW_EINVAL, MW_ESTATE, MW_EBUSY, MW_EEND. Since: 0.1 */
MW_API mw_status mw_ctx_take(mw_handle ctx, mw_event *ev, size_t stride, size_t cap, void *slab,
                             size_t slab_len, size_t *n);

/* Waits, after mw_close(ctx), until no thread of the context is left; then
 * the library may be unloaded. Events not taken by then are discarded.
 * Owns: nothing. Thread: any, not in a callback (MW_EDEADLOCK). Blocks: as told. Allocates: no.
 * Completes: at return. Errors: MW_ETIMEDOUT, MW_ESTATE (not closed), MW_EDEADLOCK. Since: 0.1 */
MW_API mw_status mw_ctx_join(mw_handle ctx, int64_t timeout_ms);

/* Wishes that an op of a handle ends; DONE tells (MW_ECANCELED, or what it
 * was). A call ends at once, and the one called is told by CANCEL.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: maybe.
 * Completes: by the op's DONE. Errors: MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_cancel(mw_handle h, uint64_t op);

#ifdef __cplusplus
}
#endif
#endif
