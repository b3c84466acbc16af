/* meshwork: shares. One process of a host holds a connection to something, the
 * others use it through that one. Which one is settled among them: LEADER with
 * code 1 says "make the connection", with code 0 "another has it". */
#ifndef MESHWORK_SHARE_H
#define MESHWORK_SHARE_H

#include <meshwork/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a share by the option name: all processes of this user on this host
 * that open the same name and directory share one leader. mw_start joins:
 * DONE, UP, and LEADER (id: its epoch, higher with each new leader).
 * To the leader go calls (mw_call: REQUEST there, answered with mw_reply or
 * mw_fail) and interest in keys (mw_subscribe: INTEREST there, code the new
 * count of processes, id the old one); from it come the values of a key
 * (mw_publish there, MESSAGE with the key as topic; who subscribes late gets
 * the last one, MW_F_RETAINED). The leader's own process does all that alike.
 * When the leader goes another is found: DOWN, LEADER, UP; subscriptions hold,
 * calls with MW_F_ONEWAY | MW_F_REPEAT are repeated, calls in flight that carry
 * the header "key" or whose method is in retry.safe too; others end with
 * MW_EPEERGONE. The option role: only lead, or never; single: this process alone.
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at return. Errors: MW_EOPTION, MW_EKIND, MW_ECLOSED, MW_ENOMEM. Since: 0.1 */
MW_API mw_status mw_share_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h, mw_error *err);

/* Opens an election: of all processes of this user on this host that stand in
 * the one of this name (and directory), one leads. h: a context. mw_start
 * stands: DONE as soon as somebody leads; mw_close resigns. LEADER, topic the
 * name, id the epoch: code 1 this process leads, 0 another, -1 none is known.
 * Each new leader has a higher epoch: who takes orders refuses a lower one than
 * it has seen, for a leader that was frozen believes in itself until it runs again.
 * Owns: *id is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at return. Errors: MW_EINVAL (name), MW_EKIND, MW_ECLOSED, MW_ENOMEM. Since: 0.1 */
MW_API mw_status mw_elect(mw_handle h, const char *name, size_t nlen, const mw_conf *c, uint64_t token,
                          mw_handle *id, mw_error *err);

#ifdef __cplusplus
}
#endif
#endif
