/* meshwork: nodes of a mesh, and calls: between nodes, or between the two ends
 * of a connection, either way (wire meshwork). Who serves gets a REQUEST and
 * answers it whenever it likes, with one reply, with parts and a reply, or with
 * a failure; who calls gets exactly one DONE. */
#ifndef MESHWORK_MESH_H
#define MESHWORK_MESH_H

#include <meshwork/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a node: a member of the mesh named by cluster.deployment and
 * cluster.name. Nodes find one another (registry), keep a link a pair, and
 * watch each other: MEMBER_UP, MEMBER_CHANGED (code 1: it does not answer),
 * MEMBER_DOWN with the reason, SERVICE_UP and SERVICE_DOWN of what others
 * serve. mw_start joins: UP, and DONE once what others know is known here and
 * gate.services is met (READY, with code 0 when it is lost again).
 * mw_serve and mw_call work on it at any time after this, and after mw_start.
 * mw_publish on it goes to every member with a subscription that matches, itself too (MW_F_LOCAL: itself
 * only), straight and once each, in the order of this node; code of its DONE: the other members that want it.
 * mw_subscribe on it (pattern.syntax path unless the sub conf says another; id NULL): MESSAGE once for each
 * subscription, with its token if that is not 0, header "member" who published; the others know of it with the
 * news of the mesh, some 100 ms later. mw_drain withdraws its services first. mw_info "members" tells by DONE who is
 * there. With registry=manager those are told by managers alone (mw_manager_open), the start waits for one, and
 * ERROR MW_EREGISTRY says when none answers. Of two processes with one member.name the one that came later stays,
 * the other is CLOSED with MW_EDUPLICATE.
 * access says which role (member.service) may call which, at both ends: DONE MW_EDENIED, body the rule; mw_update replaces it;
 * without one of its own a node holds that of its managers. LOG tells of a member that holds another one.
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at return. Errors: MW_EOPTION, MW_EDENIED (off loopback without link.secret; the runtime
 * directory), MW_EKIND, MW_ECLOSED, MW_ENOMEM. Since: 0.1 */
MW_API mw_status mw_node_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h, mw_error *err);

/* Opens a manager: where nodes with registry=manager report, and which tells them whom there is. It serves and
 * calls nothing, and passes nothing on: nodes link with each other. Several managers know nothing of
 * each other; nodes report to all in registry.url, and go on without any. mw_start listens on port, with port 0 also on
 * discovery.port (ERROR MW_EADDRINUSE where another has it; it is tried again every registry.scan). Events of
 * members as on a node; ERROR MW_EDENIED names a node that claims a role without its secret (link.secrets), or a
 * node that says whom there is. What access says is given to the nodes that have none of their own; of several managers' the one
 * set last counts (LOG tells that they differ). mw_update: live options; mw_info "members" tells by DONE who is there.
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at return. Errors: MW_EOPTION, MW_EDENIED (off loopback without link.secret), MW_EKIND, MW_ECLOSED,
 * MW_ENOMEM. Since: 0.1 */
MW_API mw_status mw_manager_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h, mw_error *err);

/* Serves calls on a provider, a consumer or a node: "C" takes every method
 * "C.x" and "C" itself, "C.m" one method; the longest name wins. A node tells
 * all others; its requests carry the header "caller", the member's name. REQUEST, CANCEL and
 * CLOSED of it carry the token. *id is a handle: mw_close ends it (CANCEL to
 * the running requests, MW_EPEERGONE to their callers), mw_drain finishes them
 * first, mw_pause refuses new ones, mw_stat counts them (MW_STAT_IN_FLIGHT).
 * With dedupe.window calls of one method and header "key" are one REQUEST, which
 * no lost connection ends and which takes one answer (MW_F_MORE: MW_ENOTSUP).
 * With queue=memory calls wait here for their turn and are REQUESTs one after the
 * other, oneway ones too; each is answered, once (MW_F_MORE: MW_ENOTSUP), failed,
 * or given back (MW_FAIL_RETRY). One not answered within queue.lease is taken back
 * (CANCEL). After queue.attempts times its caller gets MW_EDEAD and DROPPED (id:
 * the service) has it. mw_close tells by DROPPED how many oneway ones are lost;
 * mw_drain finishes them. mw_info "queues" of h tells how they stand.
 * Owns: *id is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once; CLOSED of *id, before its handle's. Errors: MW_EDUPLICATE (name is
 * served here), MW_EINVAL (name), MW_EKIND, MW_ECLOSED. Since: 0.1 */
MW_API mw_status mw_serve(mw_handle h, const char *name, size_t nlen, const mw_conf *service,
                          uint64_t token, mw_handle *id, mw_error *err);

/* Calls a method of the other end, from a consumer or to a provider's peer; on
 * a share, of the leader (MW_F_ONEWAY | MW_F_REPEAT: again of each new one); on
 * a node, of one of the members that serve it, itself first, then by
 * route.strategy (how: version, only, exclude, sticky): of those left that are not
 * suspected, in the highest version there is among them. One that refuses without
 * running it (MW_EDRAINING, MW_EAGAIN) or cannot be reached is replaced by
 * another; one that is lost while it has the call only where the call carries
 * the header "key" or retry.safe. With MW_F_ALL, or where access or else the service says
 * broadcast, all members get it (without responds: no PART, DONE when each link has it): one PART each (status, header "member"),
 * MW_F_MORE on those before its last; then DONE, MW_OK or MW_EPARTIAL, code how
 * many failed, body {"members":N,"failed":[{"member":...,"status":...}]}.
 * timeout_ms 0: the option call.timeout; -1: none. parent: a REQUEST this call
 * is made for (its deadline and its cancel count here too), or 0. flags:
 * MW_F_TEXT, MW_F_PARTS, MW_F_COMPRESS, MW_F_ONEWAY (no answer; DONE when handed to the kernel).
 * Owns: borrows m (NULL: empty) and how. Thread: any. Blocks: no. Allocates: little.
 * Completes: DONE (op), body the answer or {"message":...}, code parts that
 * came; PART before it. DONE: MW_ENOSERVICE, MW_ENOMETHOD, MW_EREMOTE (or what mw_fail
 * said), MW_ETIMEDOUT, MW_ECANCELED, MW_EPEERGONE (link lost; it may have run), MW_EDRAINING; on a
 * node also MW_ENOPEER (known, nobody serves it now), MW_EVERSION (in other versions only), MW_EPARTIAL, MW_EDENIED (access).
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
 * caller's DONE, json (an object, usually with "message"; NULL: made here) its body. flags:
 * MW_FAIL_RETRY, of a service with a queue: it is no answer yet, the request comes again.
 * Owns: copies. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at return. Errors: as mw_reply; MW_EINVAL (code no failure, json no object, MW_FAIL_RETRY without a queue). Since: 0.1 */
MW_API mw_status mw_fail(mw_handle req, mw_status code, const char *json, size_t len, uint32_t flags);

#ifdef __cplusplus
}
#endif
#endif
