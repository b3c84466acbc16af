/* meshwork: channels between the processes of one host. A channel is a name;
 * every member hears what any other publishes in it, once, in the order of each
 * sender, whatever its subscriptions overlap. No server is started by hand: the
 * first member is the hub, and another takes over when it dies, with nothing
 * lost that was accepted. Only processes of the same user meet. */
#ifndef MESHWORK_CHANNEL_H
#define MESHWORK_CHANNEL_H

#include <meshwork/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a member of the channel that the option name names. Idle until
 * mw_start. Then mw_publish(h, event, ...) reaches every other member: MW_OK
 * and MW_BUFFERED mean kept until the hub has given it to all who are there
 * (DONE (op), code 1), also over a change of hub; at send.max_bytes MW_EAGAIN,
 * or MW_EDROPPED with send.overflow=drop_new. mw_subscribe says what comes as
 * MESSAGE: topic the event's name, header "sender" the sender's id. UP and DOWN
 * tell the link to the hub, ERROR (MW_ETIMEDOUT) of one that does not answer;
 * DROPPED that code events of a sender were lost on the way here. In the hub's
 * process SLOW and DROPPED with a peer name a member that does not read
 * (mw_info of the peer: its process).
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EKIND (conf), MW_EOPTION (name), MW_ECLOSED
 * (ctx). Of mw_start's DONE: MW_EDENIED (the runtime directory is not safe, or
 * not ours), MW_EIO. Since: 0.1 */
MW_API mw_status mw_channel_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h,
                                 mw_error *err);

/* Opens a standing hub: keeps the channels of the option channels for the host,
 * and passes events on to other channels where they say so, once and no
 * further. With multicast.enabled channels that have multicast are shared with
 * the other hubs of the LAN; what is lost on the way is told once a second by
 * DROPPED without peer: with the header "sender", a hub's id, code datagrams did
 * not come, without it code events were not sent (mw_info: "lan"). mw_update
 * reloads all of this: members of channels that stay notice nothing. PEER_UP,
 * PEER_DOWN, SLOW and DROPPED with a peer name members.
 * Owns: *h is the caller's until CLOSED. Thread: any. Blocks: no. Allocates: yes.
 * Completes: at once. Errors: MW_EKIND (conf), MW_EOPTION (channels: the key and
 * what is wrong), MW_ECLOSED (ctx). Of mw_start's DONE: MW_EADDRINUSE (a channel
 * has a standing hub: which process), MW_EDENIED, MW_EIO, MW_EOPTION (multicast). Since: 0.1 */
MW_API mw_status mw_hub_open(mw_handle ctx, const mw_conf *c, uint64_t token, mw_handle *h,
                             mw_error *err);

#ifdef __cplusplus
}
#endif
#endif
