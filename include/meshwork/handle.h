/* meshwork: verbs for every handle. Handles open idle and start with
 * mw_start, so nothing fires before the host listens. All are safe from any
 * thread and inside callbacks. */
#ifndef MESHWORK_HANDLE_H
#define MESHWORK_HANDLE_H

#include <meshwork/msg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What mw_state answers when it is not an error. */
enum {
  MW_STATE_IDLE = 0,
  MW_STATE_CONNECTING = 1,
  MW_STATE_UP = 2,
  MW_STATE_READY = 3,
  MW_STATE_WAITING = 4,
  MW_STATE_DRAINING = 5
};

/* Numbers of mw_stat. */
enum {
  MW_STAT_BUFFERED = 1,      /* bytes accepted and not yet handed to the kernel */
  MW_STAT_LAST_BEAT = 2,     /* ms since the epoch of the last heartbeat seen */
  MW_STAT_STRIKES = 3,       /* missed heartbeats */
  MW_STAT_BEAT_INTERVAL = 4, /* ms */
  MW_STAT_BEAT_CUTOFF = 5,   /* ms */
  MW_STAT_RTT = 6,           /* microseconds, of the last ping */
  MW_STAT_PEERS = 7,         /* connected peers of a provider */
  MW_STAT_IN_FLIGHT = 8,     /* calls without answer: a consumer's or peer's own, a service's requests */
  MW_STAT_BYTES_IN = 9,
  MW_STAT_BYTES_OUT = 10,
  MW_STAT_DROPPED = 11,      /* messages dropped by an overflow policy */
  MW_STAT_QUEUED = 12,       /* events in the inbox (context) */
  MW_STAT_MESSAGES_IN = 13,
  MW_STAT_MESSAGES_OUT = 14
};

/* Installs the callback of a context, provider or consumer (its peers inherit
 * it); before mw_start. free_user(user) runs once, after CLOSED.
 * Owns: takes user. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ESTATE (started), MW_EKIND, MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_on(mw_handle h, mw_event_fn fn, void *user, mw_free_fn free_user);

/* Starts a provider or a hub (listen), a consumer (connect) or a channel (join). Repeatable: each op gets
 * its DONE at the next moment the handle is usable, at once if it is.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: yes.
 * Completes: DONE (op), UP. Errors: MW_ECLOSED, MW_EDRAINING; DONE: MW_EADDRINUSE,
 * MW_ERESOLVE, MW_EREFUSED, MW_EUNREACH, MW_EAUTH, MW_ETLS, MW_ETIMEDOUT. Since: 0.1 */
MW_API mw_status mw_start(mw_handle h, uint64_t op, mw_error *err);

/* Changes live options (marked so in the table), all or nothing.
 * Owns: takes a snapshot of c. Thread: any. Blocks: no. Allocates: yes.
 * Completes: DONE (op). Errors: MW_EOPTION (key is not live), MW_EKIND. Since: 0.1 */
MW_API mw_status mw_update(mw_handle h, const mw_conf *c, uint64_t op, mw_error *err);

/* Gives a handle or peer another token; events already queued keep the old one.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_token(mw_handle h, uint64_t token);

/* Stops (1) or resumes (0) taking input of a peer, a consumer, a channel, a
 * share (what its leader sends) or all peers of a provider. A paused service answers calls with MW_EAGAIN, so that they go elsewhere.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: maybe.
 * Completes: soon; messages already read still come. Errors: MW_ECLOSED,
 * MW_EKIND, MW_ESTATE (a share that was not started). Since: 0.1 */
MW_API mw_status mw_pause(mw_handle h, int on);

/* Refuses new work, finishes what runs (calls and requests too), tells the
 * peers, then closes, at the latest after deadline_ms. Of a provider, a
 * consumer or a service.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: maybe.
 * Completes: DONE (op), CLOSED. Errors: MW_ECLOSED, MW_EINVAL. Since: 0.1 */
MW_API mw_status mw_drain(mw_handle h, int64_t deadline_ms, uint64_t op, mw_error *err);

/* Closes. Immediate and idempotent. What was accepted is sent first, then the
 * close frame with code (0 = 1000) and reason (at most 123 bytes), then it
 * waits close.timeout. MW_CLOSE_ABORT discards and cuts.
 * Owns: copies reason. Thread: any, also in every callback. Blocks: no. Allocates: no.
 * Completes: CLOSED (handle) or PEER_DOWN (peer). Errors: MW_EINVAL (code not
 * sendable, reason too long or not UTF-8), MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_close(mw_handle h, int32_t code, const char *reason, size_t rlen, uint32_t flags);

/* State: MW_STATE_* (>= 0) or MW_ECLOSED.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_state(mw_handle h);

/* One number of a handle: MW_STAT_*.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_EINVAL, MW_EKIND, MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_stat(mw_handle h, int32_t what, int64_t *value);

/* Facts as JSON. "", "config", "address", "state", "topics" and "queues" answer at once in
 * *now; "peers", "members" (channel, node, manager), "stats" (node: who calls whom, with
 * counts and times), "lan", "channel/NAME" and "client/NAME/UUID" (hub) and "metrics"
 * answer by DONE with the JSON (or Prometheus text) as body.
 * Owns: the caller gets one reference in *now, or NULL. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once or DONE (op). Errors: MW_EINVAL (what; op 0 where DONE is
 * needed), MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_info(mw_handle h, const char *what, size_t wlen, mw_msg **now, uint64_t op,
                         mw_error *err);

/* Settles an ASK, once: allow 1 or 0. json may hold {"data":...} that comes
 * back in PEER_UP, or {"status":401,"body":"..."} for a no.
 * Owns: copies. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_ECLOSED (answered, expired or gone), MW_EINVAL. Since: 0.1 */
MW_API mw_status mw_answer(mw_handle ask, int allow, const char *json, size_t len, mw_error *err);

#ifdef __cplusplus
}
#endif
#endif
