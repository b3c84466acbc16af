/* meshwork: providers, consumers and what is sent between them. */
#ifndef MESHWORK_LINK_H
#define MESHWORK_LINK_H

#include <meshwork/handle.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a provider: a listener that admits many peers. Idle until mw_start.
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EKIND (conf), MW_EOPTION (keys that contradict
 * each other), MW_ECLOSED (ctx). Since: 0.1 */
MW_API mw_status mw_provider_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h,
                                  mw_error *err);

/* Opens a consumer: a connection to one provider that always comes back. Idle until mw_start.
 * With share=group the processes of this user on this host that open the same
 * provider with the same credentials (or the same share.name) use one
 * connection to it, held by one of them: LEADER says which, code 1 here, 0
 * elsewhere, id its epoch. Each is a consumer of its own all the same: UP and
 * DOWN are those of the one connection; messages without topic reach every
 * process, others those whose subscriptions match (the provider is told of each
 * pattern once); sends keep their process's order, wait for the provider up to
 * send.max_bytes in the process they come from, and their DONE says what became
 * of them at the connection; calls, their parts, cancels and deadlines go
 * through it. When the leader goes another one connects: DOWN, LEADER, UP;
 * subscriptions hold; calls with the header "key" are repeated, other calls and
 * the sends not known to have left end with MW_EPEERGONE, sends without op are
 * counted in CLOSED as unsent. The connection is read
 * no faster than the slowest process reads; one that takes nothing for 250 ms is
 * not waited for, and cut off when too much waits for it: DOWN, UP. What ends the one connection for good
 * (reconnect.fatal, reconnect.max_attempts) closes them all. A provider cannot
 * call a group (mw_serve: MW_ENOTSUP); no fragments or pings (MW_ENOTSUP).
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: as mw_provider_open. Since: 0.1 */
MW_API mw_status mw_consumer_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h,
                                  mw_error *err);

/* Sends a message to a peer, or from a consumer. op != 0: DONE tells, code 0
 * when handed to the kernel (raw), 1 when the peer's host took it (wire meshwork).
 * Owns: borrows m. Thread: any. Blocks: no. Allocates: rarely.
 * Completes: at return; DONE (op); WRITABLE after MW_BUFFERED and MW_EAGAIN.
 * Errors: MW_EAGAIN (refused, nothing kept), MW_EDROPPED (policy), MW_ETOOBIG
 * (can never fit), MW_EMEMORY (budget), MW_ENOTCONN, MW_ECLOSED, MW_EBUSY (a
 * fragmented message is being sent), MW_EINVAL. Since: 0.1 */
MW_API mw_status mw_send(mw_handle h, const mw_msg *m, uint32_t flags, uint64_t op);

/* Sends bytes as one message: the hot path.
 * Owns: copies once, into the connection's output. Thread: any. Blocks: no.
 * Allocates: only when the peer is slow or the caller is on another thread.
 * Completes: as mw_send. Errors: as mw_send. Since: 0.1 */
MW_API mw_status mw_send_bytes(mw_handle h, const void *body, size_t len, uint32_t flags);

/* Many sends in one crossing: of each record, peer, flags, offset and body_len
 * (into base) are read; its status is written back. Between the turns of a
 * context with threads=0 they leave before it returns; single sends leave with
 * the next turn.
 * Owns: copies, or refers to MW_F_REF messages of the last take. Thread: any.
 * Blocks: no. Allocates: as mw_send_bytes.
 * Completes: as mw_send. Errors: MW_EINVAL (stride); each record its own. Since: 0.1 */
MW_API mw_status mw_send_records(mw_handle ctx, mw_event *ev, size_t stride, size_t n,
                                 const void *base);

/* Sends a message to every peer of a provider that is subscribed to the topic
 * (topic "" : to all), encoded once. except: a peer left out, or 0. One slow
 * peer never refuses it: at its bound the policy acts on that peer alone.
 * On a channel: to every other member, topic is the event's name; see mw_channel_open.
 * On a share, in the leader: a key's value, to who subscribed to it; see mw_share_open.
 * Owns: borrows m. Thread: any. Blocks: no. Allocates: one frame, one
 * reference for each peer.
 * Completes: at return; DONE (op), code = peers reached (channel: 1). Errors:
 * MW_EMEMORY, MW_ECLOSED, MW_EKIND, MW_EINVAL; channel: MW_EAGAIN, MW_EDROPPED,
 * MW_ETOOBIG, MW_ENOTCONN (not started), MW_EDRAINING; share: MW_ENOTLEADER. Since: 0.1 */
MW_API mw_status mw_publish(mw_handle h, const char *topic, size_t tlen, const mw_msg *m,
                            mw_handle except, uint32_t flags, uint64_t op);

/* Subscribes: on a provider's peer, publishes that match reach that peer; on
 * a consumer with wire meshwork, the provider is told; on a channel, events
 * that match come as MESSAGE; on a share, the values of a key. Pattern syntax is the
 * handle's pattern.syntax or the sub conf's. id may be NULL.
 * Owns: copies; *id is the caller's until closed with mw_close or its handle.
 * Thread: any. Blocks: no. Allocates: yes.
 * Completes: DONE (op). Errors: MW_EPATTERN, MW_ENOTSUP (consumer, wire raw), MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_subscribe(mw_handle h, const char *pat, size_t plen, const mw_conf *sub,
                              uint64_t token, uint64_t op, mw_handle *id, mw_error *err);

/* Ends every subscription of h with this pattern.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: maybe.
 * Completes: DONE (op). Errors: MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_unsubscribe(mw_handle h, const char *pat, size_t plen, uint64_t op);

/* 1 if a publish to topic would reach h, else 0.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_subscribed(mw_handle h, const char *topic, size_t tlen);

/* Holds the writes of a peer, consumer or provider while on; nests; ends by
 * itself after cork.max.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: MW_ECLOSED, MW_EKIND. Since: 0.1 */
MW_API mw_status mw_cork(mw_handle h, int on);

#ifdef __cplusplus
}
#endif
#endif
