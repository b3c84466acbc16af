"""Made by tables.py from the library. Do not edit."""

from enum import IntEnum
from typing import Any, Mapping, Sequence, TypedDict, Union


class Code(IntEnum):
    """Codes of Error."""

    MORE = 3  # Events are left; come again.
    STORED = 2  # Accepted and stored durably.
    BUFFERED = 1  # Accepted; more than the soft mark is waiting to be sent.
    OK = 0  # Done.
    EINVAL = -1  # An argument is not valid.
    ENOMEM = -2  # There is no memory left.
    EINTERNAL = -3  # The library met a case it does not handle; please report it.
    ECLOSED = -4  # The handle is closed or was never opened.
    EKIND = -5  # The handle or conf is of another kind.
    ESTATE = -6  # This is not allowed in the present state.
    EDEADLOCK = -7  # Waiting here would wait for the caller itself.
    EFORK = -8  # The handle belongs to the parent process.
    EOPTION = -9  # An option's key or value is not valid.
    EEND = -10  # There is nothing more.
    ENOTSUP = -11  # This is not supported here.
    EBUSY = -12  # Somebody else is doing this at the moment.
    EDUPLICATE = -13  # It exists already.
    EPATTERN = -14  # The topic pattern is not valid.
    EAGAIN = -20  # Refused because too much is waiting; nothing was kept.
    EDROPPED = -21  # The overflow policy dropped the message.
    EOVERFLOW = -22  # Too much was waiting, so the overflow policy ended the link.
    ETOOBIG = -23  # It is larger than the limit and can never fit.
    EMEMORY = -24  # The context's memory budget is used up.
    ERATE = -25  # The peer sent faster than its rate limit.
    ENOTCONN = -30  # There is no connection at the moment.
    ERESOLVE = -31  # The host name could not be resolved.
    EREFUSED = -32  # The connection was refused.
    EUNREACH = -33  # The host or network cannot be reached.
    ERESET = -34  # The connection was cut by the other side.
    EPEERGONE = -35  # The peer went away before it answered.
    EADDRINUSE = -36  # The address is already in use.
    ETLS = -37  # The TLS handshake or session failed.
    EPROTO = -38  # The peer broke the protocol.
    EVERSION = -39  # The two sides share no wire or version.
    EIO = -40  # The operating system reported a failure.
    EAUTH = -50  # The credentials were not accepted.
    EDENIED = -51  # A rule does not allow this.
    EEXPIRED = -52  # The credentials have expired.
    ETIMEDOUT = -60  # It took longer than allowed.
    ECANCELED = -61  # It was cancelled.
    ENOSERVICE = -62  # The other side serves nothing of this name.
    ENOMETHOD = -63  # The service has no such method.
    ENOPEER = -64  # No member serves this now.
    EREMOTE = -65  # The other side failed to answer.
    EPARTIAL = -66  # Some of the members failed to answer.
    EDRAINING = -67  # The other side is shutting down and takes no new work.
    ENOTLEADER = -68  # Another process leads this share.
    EREGISTRY = -70  # No manager of the mesh answers.
    EDEAD = -72  # It was tried as often as its queue allows, and given up.


ContextOptions = TypedDict(
    "ContextOptions",
    {
        # Name used for threads (the first 10 bytes) and in log lines.
        "name": str,
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # With threads >= 1: events cross an inbox the host empties (queued), or are callbacks on the lane's thread (inline).
        "delivery": str,
        # Library threads, one lane each; 0: one lane that the host turns.
        "threads": int,
        # Bytes of undelivered events; above it the lanes stop reading their links.
        "inbox.max_bytes": Union[str, int],
        # Undelivered events; above it the lanes stop reading their links.
        "inbox.max_events": int,
        # Bytes of all queues together; beyond it sends answer MW_EMEMORY.
        "memory.max_bytes": Union[str, int],
        # Larger bodies leave mw_ctx_take as a message of their own (MW_F_REF) when the slab is short.
        "slab.ref_above": Union[str, int],
        # Smaller messages are copied into the output instead of being referred to.
        "msg.copy_below": Union[str, int],
        # A cork ends by itself after this time.
        "cork.max": Union[str, int],
        # Microseconds a lane polls before it sleeps; only one busy connection gains.
        "spin": int,
    },
    total=False,
)


ProviderOptions = TypedDict(
    "ProviderOptions",
    {
        # Defaults and wire of a seed system; set it before any other key.
        "preset": str,
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Dialects spoken. A client that offers no subprotocol is raw, or network-cluster where that is listed instead.
        "wire": Union[str, Sequence[str]],
        # WebSocket subprotocols beside those of wire, preferred first.
        "subprotocols": Union[str, Sequence[str]],
        # Of topic patterns: exact; mqtt (+ one level, # the rest); path (* one segment, ** any depth).
        "pattern.syntax": str,
        # Path of the private key, PEM.
        "tls.key_file": str,
        # Path of the certificate and its chain, PEM. A provider speaks TLS as soon as key and certificate are set.
        "tls.cert_file": str,
        # Path of the authorities believed, PEM; empty: those of the system (consumer).
        "tls.ca_file": str,
        # Path of Diffie-Hellman parameters for TLS 1.2, PEM; empty: chosen automatically.
        "tls.dh_file": str,
        # The private key itself, PEM.
        "tls.key": str,
        # The certificate and its chain themselves, PEM.
        "tls.cert": str,
        # The authorities believed themselves, PEM.
        "tls.ca": str,
        # Passphrase of the private key.
        "tls.passphrase": str,
        # none: a consumer believes any certificate; peer: a consumer checks the provider; mutual: a provider asks for and checks the consumer's too.
        "tls.verify": str,
        # Releases the TLS buffers of idle connections, about 34 KB each; false keeps them, for a little speed.
        "tls.low_memory": bool,
        # A TLS handshake that waits longer for the other side ends.
        "tls.handshake_timeout": Union[str, int],
        # Oldest TLS version spoken.
        "tls.min_version": str,
        # Application protocols (ALPN) offered or accepted.
        "tls.alpn": Union[str, Sequence[str]],
        # Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for.
        "link.secret": str,
        # Name of link.secret, sent in the clear; both ends must use the same.
        "link.key_id": str,
        # More secrets by their link.key_id, {"ID":"SECRET"}, at most 64; a peer's identity tells which it has.
        "link.secrets": Mapping[str, Any],
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link.
        "send.overflow": str,
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # permessage-deflate: off, one compressor a lane (shared), or one a connection of about this memory.
        "compress": str,
        # Smaller messages are sent as they are.
        "compress.min_bytes": Union[str, int],
        # A message that inflates by more than this factor ends the link.
        "compress.max_ratio": int,
        # Time between heartbeats; 0: none.
        "heartbeat.interval": Union[str, int],
        # Heartbeats without an answer before the link is ended.
        "heartbeat.max_strikes": int,
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # A call without a timeout of its own ends after this time; 0: never.
        "call.timeout": Union[str, int],
        # Address or name to listen on.
        "host": str,
        # Port to listen on; 0: any free one (mw_info "address" tells).
        "port": int,
        # Path of the upgrade request.
        "path": str,
        # Addresses instead of host and port: tcp://host:port, unix:/path, fd:3.
        "listen": Union[str, Sequence[str]],
        # Connections the kernel keeps waiting.
        "backlog": int,
        # Several processes may listen on the port (SO_REUSEPORT).
        "reuse_port": bool,
        # Lanes its peers are spread over; 0: all of the context.
        "lanes": int,
        # Peers at once; more are told 503; 0: no limit.
        "max_peers": int,
        # Peers at once from one IPv4 address or IPv6 /64; 0: no limit.
        "max_peers_per_address": int,
        # Messages a second from one peer; 0: no limit.
        "max_rate": int,
        # Bytes a second from one peer; 0: no limit.
        "max_rate_bytes": Union[str, int],
        # A client must have sent its whole request by then.
        "handshake_timeout": Union[str, int],
        # Handshakes at once; other connections wait in the backlog.
        "handshake.max": int,
        # Parameters every client must present with these values; an object of strings, numbers and booleans.
        "auth.parameters": Mapping[str, Any],
        # Asks the host about each client: ASK, answered by mw_answer.
        "auth.ask": bool,
        # An admission not decided by then is refused with 503.
        "auth.timeout": Union[str, int],
        # HTTP status of a no.
        "auth.reject_status": int,
        # Body of a no.
        "auth.reject_body": str,
        # Where clients may put their parameters.
        "parameters.from": Union[str, Sequence[str]],
        # mw_drain spreads the peers' departures over this time.
        "drain.stagger": Union[str, int],
        # Page that says the provider is there; empty: none.
        "http.alive_path": str,
        # Pages /livez and /readyz.
        "http.health": bool,
        # Path of the Prometheus page; empty: none.
        "http.metrics": str,
        # user:password (Basic), or a token (Bearer), that the metrics page asks for; empty: nothing.
        "http.auth": str,
        # Origins browsers may come from: same (equals Host), origins such as https://example.org, or *.
        "http.origins": Union[str, Sequence[str]],
        # Larger request heads get 431.
        "http.max_header": Union[str, int],
        # Addresses or networks (10.0.0.0/8) whose X-Forwarded-For and PROXY v2 are believed.
        "http.trusted_proxies": Union[str, Sequence[str]],
    },
    total=False,
)


ConsumerOptions = TypedDict(
    "ConsumerOptions",
    {
        # Defaults and wire of a seed system; set it before any other key.
        "preset": str,
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Dialects offered, never silently another one.
        "wire": Union[str, Sequence[str]],
        # WebSocket subprotocols beside those of wire, preferred first.
        "subprotocols": Union[str, Sequence[str]],
        # Of topic patterns: exact; mqtt (+ one level, # the rest); path (* one segment, ** any depth).
        "pattern.syntax": str,
        # Path of the private key, PEM.
        "tls.key_file": str,
        # Path of the certificate and its chain, PEM. A provider speaks TLS as soon as key and certificate are set.
        "tls.cert_file": str,
        # Path of the authorities believed, PEM; empty: those of the system (consumer).
        "tls.ca_file": str,
        # The private key itself, PEM.
        "tls.key": str,
        # The certificate and its chain themselves, PEM.
        "tls.cert": str,
        # The authorities believed themselves, PEM.
        "tls.ca": str,
        # Passphrase of the private key.
        "tls.passphrase": str,
        # none: a consumer believes any certificate; peer: a consumer checks the provider; mutual: a provider asks for and checks the consumer's too.
        "tls.verify": str,
        # Name sent (SNI) and checked in the certificate; empty: the host connected to.
        "tls.server_name": str,
        # Releases the TLS buffers of idle connections, about 34 KB each; false keeps them, for a little speed.
        "tls.low_memory": bool,
        # A TLS handshake that waits longer for the other side ends.
        "tls.handshake_timeout": Union[str, int],
        # Oldest TLS version spoken.
        "tls.min_version": str,
        # Application protocols (ALPN) offered or accepted.
        "tls.alpn": Union[str, Sequence[str]],
        # Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for.
        "link.secret": str,
        # Name of link.secret, sent in the clear; both ends must use the same.
        "link.key_id": str,
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link.
        "send.overflow": str,
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # permessage-deflate: off, one compressor a lane (shared), or one a connection of about this memory.
        "compress": str,
        # Smaller messages are sent as they are.
        "compress.min_bytes": Union[str, int],
        # A message that inflates by more than this factor ends the link.
        "compress.max_ratio": int,
        # Time between heartbeats; 0: none.
        "heartbeat.interval": Union[str, int],
        # Heartbeats without an answer before the link is ended.
        "heartbeat.max_strikes": int,
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # A call without a timeout of its own ends after this time; 0: never.
        "call.timeout": Union[str, int],
        # ws://, wss://, unix:/file or ws+unix:/file:/path address, instead of tls, host and port; without a path the option path counts.
        "url": str,
        # Connects with TLS.
        "tls": bool,
        # Address or name to connect to; every address of a name is tried.
        "host": str,
        # Port to connect to.
        "port": int,
        # Path of the upgrade request.
        "path": str,
        # Parameters presented to the provider; an object of strings, numbers and booleans.
        "parameters": Mapping[str, Any],
        # Where parameters travel: the header Meshwork-Parameters, or the query.
        "parameters.in": str,
        # Headers added to the upgrade request; an object of strings, numbers and booleans.
        "headers": Mapping[str, Any],
        # HTTP proxy to connect through: http://[user:password@]host:port.
        "proxy": str,
        # Head start of each address over the next one (RFC 8305).
        "connect.stagger": Union[str, int],
        # One attempt may take this long, from resolving to the upgrade.
        "connect.timeout": Union[str, int],
        # The DONE of mw_start comes at the latest then; 0: when the reconnect policy ends.
        "start.timeout": Union[str, int],
        # Wait before the next attempt; the first one of an exponential back-off.
        "reconnect.interval": Union[str, int],
        # Attempts in a row before the consumer closes; -1: endless.
        "reconnect.max_attempts": int,
        # Whether the wait doubles after each failed attempt.
        "reconnect.backoff": str,
        # The longest wait of an exponential back-off.
        "reconnect.max_interval": Union[str, int],
        # Percent by which waits are varied, so that consumers do not return all at once.
        "reconnect.jitter": int,
        # HTTP statuses that end the consumer instead of another attempt.
        "reconnect.fatal": Union[str, Sequence[str]],
        # Bytes kept for sending while there is no link; 0: sends answer MW_ENOTCONN.
        "offline.max_bytes": Union[str, int],
        # What happens at offline.max_bytes.
        "offline.overflow": str,
        # group: the processes of this host that open the same provider with the same credentials use one connection to it.
        "share": str,
        # With share=group: who is of the group, instead of provider and credentials: letters, digits, '.', '_' and '-'.
        "share.name": str,
        # Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
        "dir": str,
    },
    total=False,
)


SubscriptionOptions = TypedDict(
    "SubscriptionOptions",
    {
        # Of this subscription's pattern; not set: the handle's. regex: a channel's only.
        "pattern.syntax": str,
        # On a channel: the subscription ends by itself after so many messages; 0: never.
        "limit": int,
    },
    total=False,
)


ServiceOptions = TypedDict(
    "ServiceOptions",
    {
        # Methods the service has, without its name; empty: any. Others get MW_ENOMETHOD.
        "methods": Union[str, Sequence[str]],
        # Requests at once; more get MW_EAGAIN; 0: no limit.
        "max_concurrent": int,
        # A call with the header key runs once: for so long after its answer a repeat gets the same one; 0: each call runs.
        "dedupe.window": Union[str, int],
        # Answers kept for repeats; beyond it the oldest are forgotten before their time.
        "dedupe.max_bytes": Union[str, int],
        # memory: calls wait for their turn, one after the other, and are REQUESTs with a lease; a node's schema may say so of single methods.
        "queue": str,
        # Calls in the queue, those that run included; more get MW_EAGAIN.
        "queue.max": int,
        # Bodies and headers in the queue; more get MW_EAGAIN.
        "queue.max_bytes": Union[str, int],
        # Calls of the queue that run at once; of those with one header queue.key, or without it, one at a time in order.
        "queue.parallel": int,
        # A call of the queue not answered in this time is taken back (CANCEL) and comes again; 0: never.
        "queue.lease": Union[str, int],
        # Times a call of the queue is a REQUEST at most; then its caller gets MW_EDEAD, and DROPPED has it.
        "queue.attempts": int,
        # Wait before a call of the queue comes again, then twice as long each time, at most 64 times as long.
        "queue.backoff": Union[str, int],
        # On a node: version of the service (semver.org); not set: the node's member.version.
        "version": str,
        # On a node: a call goes to one of the members that serve it, or to all of them.
        "mode": str,
        # On a node, with mode=broadcast: false: nobody answers, and the caller's DONE comes when every link has the call.
        "responds": bool,
    },
    total=False,
)


CallOptions = TypedDict(
    "CallOptions",
    {
        # Bytes of a streamed answer that may come before they are taken.
        "credit": Union[str, int],
        # From a node: range of versions that may answer, as npm writes them (^1.2, >=1 <3); of those that may, the highest does.
        "version": str,
        # From a node: names of the members that may answer; empty: any.
        "only": Union[str, Sequence[str]],
        # From a node: names of members that may not answer.
        "exclude": Union[str, Sequence[str]],
        # From a node: calls with the same text go to the same member, as long as it is there.
        "sticky": str,
        # From a node: may run twice, so it goes to another member when the one that has it is lost.
        "retry.safe": bool,
    },
    total=False,
)


HubOptions = TypedDict(
    "HubOptions",
    {
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link.
        "send.overflow": str,
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # Time between heartbeats; 0: none.
        "heartbeat.interval": Union[str, int],
        # Heartbeats without an answer before the link is ended.
        "heartbeat.max_strikes": int,
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
        "dir": str,
        # The channels kept, by name; each may have propagate (false, or a regex of names whose channels hear it too), multicast (shared with the hubs of the LAN) and dump (LOG of every event).
        "channels": Mapping[str, Any],
        # Shares the channels that have multicast with the other hubs of the LAN by UDP multicast; what is lost there is counted and told, not repeated.
        "multicast.enabled": bool,
        # Multicast group of the hubs, IPv4 or IPv6.
        "multicast.address": str,
        # UDP port of the group.
        "multicast.port": int,
        # Network interface by name; empty: the one that routing chooses.
        "multicast.interface": str,
        # Routers a datagram may pass, and one more; 1: this network only, 0: this host only.
        "multicast.ttl": int,
        # Bytes sent to the LAN in a second at most; who publishes faster is slowed down.
        "multicast.max_rate": Union[str, int],
        # Secret of at least 16 bytes that all hubs of the LAN know: datagrams are sealed with AES-256-GCM; empty: anybody on the network can read and send them.
        "link.secret": str,
        # meshwork, or that of the npm package netcluster: sockets dir/netcluster-NAME, bodies are JSON, no acknowledgements, the hub is started by hand; dir may be open to others, such as /var/run.
        "wire": str,
        # Answers showconfig, reloadconfig, showchannel and showclient on the channel control, where it is kept; set by hand, it must be.
        "control.enabled": bool,
    },
    total=False,
)


ChannelOptions = TypedDict(
    "ChannelOptions",
    {
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link.
        "send.overflow": str,
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # Time between heartbeats; 0: none.
        "heartbeat.interval": Union[str, int],
        # Heartbeats without an answer before the link is ended.
        "heartbeat.max_strikes": int,
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # With hub.auto=false: wait before the next look for a hub.
        "reconnect.interval": Union[str, int],
        # Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
        "dir": str,
        # meshwork, or that of the npm package netcluster: sockets dir/netcluster-NAME, bodies are JSON, no acknowledgements, the hub is started by hand; dir may be open to others, such as /var/run.
        "wire": str,
        # Name of the channel: letters, digits, '.', '_' and '-'. Required.
        "name": str,
        # Of event patterns: exact, mqtt, path, or regex (RE2's, of the whole name).
        "pattern.syntax": str,
        # Own subscriptions hear what is published here, too, marked MW_F_LOCAL.
        "emit.local": bool,
        # Becomes the channel's hub where nobody else of the host is.
        "hub.auto": bool,
    },
    total=False,
)


ShareOptions = TypedDict(
    "ShareOptions",
    {
        # Defaults and wire of a seed system; set it before any other key.
        "preset": str,
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # Time between heartbeats; 0: none.
        "heartbeat.interval": Union[str, int],
        # Heartbeats without an answer before the link is ended.
        "heartbeat.max_strikes": int,
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # A call without a timeout of its own ends after this time; 0: never.
        "call.timeout": Union[str, int],
        # Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
        "dir": str,
        # Name of the share: letters, digits, '.', '_' and '-' (wire=cluster-client: any text). Required.
        "name": str,
        # meshwork: a unix socket in dir; or that of the npm package cluster-client: a TCP port, whose owner leads; anybody who can reach the port is let in.
        "wire": str,
        # wire=cluster-client: address of the port.
        "host": str,
        # wire=cluster-client: the port that is competed for; shares of other names use it, too.
        "port": int,
        # wire=cluster-client: how arguments, results and values are encoded; the library passes them on and encodes only what it says itself.
        "transcode": str,
        # wire=cluster-client: who was not let in yet asks again.
        "register.retry": Union[str, int],
        # A leader that does not answer for so long when joined is taken for frozen.
        "connect.timeout": Union[str, int],
        # The DONE of mw_start comes at the latest then; 0: when there is a leader.
        "start.timeout": Union[str, int],
        # This process alone: it leads at once, without directory, lock and socket.
        "single": bool,
        # compete: leads where nobody does; leader: mw_start fails where another leads; follower: waits for a leader, never leads.
        "role": str,
        # Who gets what the leader publishes: all processes that subscribed to the key, or one of them at random.
        "fanout": str,
        # The leader keeps the last value of each key for who subscribes later.
        "retain": bool,
        # Methods that may run twice: their calls in flight are repeated when the leader changes.
        "retry.safe": Union[str, Sequence[str]],
    },
    total=False,
)


ElectionOptions = TypedDict(
    "ElectionOptions",
    {
        # LOG events up to this level; off means none.
        "log.level": str,
        # Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
        "dir": str,
        # A leader that lives but does not answer for about so long is replaced; one that died, at once.
        "lease": Union[str, int],
    },
    total=False,
)


NodeOptions = TypedDict(
    "NodeOptions",
    {
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for.
        "link.secret": str,
        # Name of link.secret, sent in the clear; both ends must use the same.
        "link.key_id": str,
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
        "dir": str,
        # A call without a timeout of its own ends after this time; 0: never.
        "call.timeout": Union[str, int],
        # Name of the mesh: letters, digits, '.', '_' and '-'. Required.
        "cluster.deployment": str,
        # Part of the mesh that it belongs to, in the same letters; only nodes of the same one meet.
        "cluster.name": str,
        # Role of this node, told to the others.
        "member.service": str,
        # Name of this node, of which there is one in the mesh; empty: a UUID.
        "member.name": str,
        # Version of the services that have none of their own (semver.org).
        "member.version": str,
        # With registry=manager: secret of this node's role, where the managers have one for it (link.secrets); needs link.secret, too.
        "member.secret": str,
        # How nodes find others: by files of this user on this host (host), at the addresses in seeds (gossip), or told by managers (manager).
        "registry": str,
        # With registry=manager: host:port of all managers, or host for its discovery.port. Any one of them does.
        "registry.url": Union[str, Sequence[str]],
        # Port of the managers that registry.url names without one.
        "discovery.port": int,
        # Time between two looks for members that are not known yet.
        "registry.scan": Union[str, int],
        # With registry=gossip: host:port of some nodes; this one may be among them.
        "seeds": Union[str, Sequence[str]],
        # With registry=gossip or manager: address to listen on. Off loopback only with link.secret, or link.insecure.
        "host": str,
        # With registry=gossip or manager: port to listen on; 0: any free one (mw_info "address" tells).
        "port": int,
        # host:port that others should dial, best first; empty: where it listens.
        "advertise": Union[str, Sequence[str]],
        # Listens off loopback without link.secret: whoever reaches the port can be a member.
        "link.insecure": bool,
        # Time between two pings of each member that this one watches.
        "probe.interval": Union[str, int],
        # A member that does not answer for so long is asked through others, and after as long again suspected.
        "probe.timeout": Union[str, int],
        # From suspicion to verdict: 0.8 of it where all its watchers agree, else up to 1.2.
        "gossip.suspect": Union[str, int],
        # Which role (member.service) may call which, by socketmesh's schema: {"A":{"_allow":["B"],"_connect":"anyNode","_commands":{"_balanced":{"x":{}}}}}; empty: all may, or what the managers say. A manager gives it to its nodes.
        "access": Mapping[str, Any],
        # How roles are compared in access: as written, or without regard to ASCII case.
        "access.names": str,
        # What access allows and cannot mean (a role that is not there, a call that nobody may make): refused, or told by LOG.
        "access.check": str,
        # Services that others must serve before this node is ready, with how many: {"words": 2}. READY tells.
        "gate.services": Mapping[str, Any],
        # The DONE of mw_start comes at the latest then, with MW_ETIMEDOUT; 0: when the gate is met.
        "gate.timeout": Union[str, int],
        # Which of several members gets a call: in turn, by chance, the one with the fewest calls of ours, the better of two.
        "route.strategy": str,
        # A call that this node serves itself stays here.
        "route.local_first": bool,
    },
    total=False,
)


ManagerOptions = TypedDict(
    "ManagerOptions",
    {
        # LOG events up to this level; off means none.
        "log.level": str,
        # Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come.
        "events": Union[str, Sequence[str]],
        # Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for.
        "link.secret": str,
        # Name of link.secret, sent in the clear; both ends must use the same.
        "link.key_id": str,
        # Secrets of roles, {"ROLE":"SECRET"}, at most 64: a node of such a role must have it as its member.secret, and can be nothing else.
        "link.secrets": Mapping[str, Any],
        # Above it sends answer MW_BUFFERED; WRITABLE follows.
        "send.soft_bytes": Union[str, int],
        # Hard bound of what waits for one peer; send.overflow says what happens there.
        "send.max_bytes": Union[str, int],
        # Larger messages close the link with 1009.
        "recv.max_message": Union[str, int],
        # How long a close waits for the other side's close frame.
        "close.timeout": Union[str, int],
        # Name of the mesh: letters, digits, '.', '_' and '-'. Required.
        "cluster.deployment": str,
        # Part of the mesh that it belongs to, in the same letters; only nodes of the same one meet.
        "cluster.name": str,
        # Name of this node, of which there is one in the mesh; empty: a UUID.
        "member.name": str,
        # With port 0: this manager also listens there, so that nodes need to know its host only; 0: it does not. Where another has it, ERROR tells, and it is tried again.
        "discovery.port": int,
        # Address to listen on. Off loopback only with link.secret or link.secrets, or link.insecure.
        "host": str,
        # Port to listen on; 0: any free one (mw_info "address" tells), and discovery.port.
        "port": int,
        # Time between two looks for members that are not known yet.
        "registry.scan": Union[str, int],
        # Listens off loopback without link.secret: whoever reaches the port can be a member.
        "link.insecure": bool,
        # Time between two pings of each member that this one watches.
        "probe.interval": Union[str, int],
        # A member that does not answer for so long is asked through others, and after as long again suspected.
        "probe.timeout": Union[str, int],
        # From suspicion to verdict: 0.8 of it where all its watchers agree, else up to 1.2.
        "gossip.suspect": Union[str, int],
        # Which role (member.service) may call which, by socketmesh's schema: {"A":{"_allow":["B"],"_connect":"anyNode","_commands":{"_balanced":{"x":{}}}}}; empty: all may, or what the managers say. A manager gives it to its nodes.
        "access": Mapping[str, Any],
        # How roles are compared in access: as written, or without regard to ASCII case.
        "access.names": str,
        # What access allows and cannot mean (a role that is not there, a call that nobody may make): refused, or told by LOG.
        "access.check": str,
    },
    total=False,
)
