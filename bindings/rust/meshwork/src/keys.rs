// Made by bindings/rust/tables.py from the library. Do not edit.
//! Every option key as a constant, so that a misspelt one does not compile: `keys::provider::PORT`.

/// Options of a context.
pub mod context {
    /// Name used for threads (the first 10 bytes) and in log lines.
    pub const NAME: &str = "name";
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. (live)
    pub const EVENTS: &str = "events";
    /// With threads \>= 1: events cross an inbox the host empties (queued), or are callbacks on the lane's thread (inline). Default: `queued`.
    pub const DELIVERY: &str = "delivery";
    /// Library threads, one lane each; 0: one lane that the host turns. Default: `1`.
    pub const THREADS: &str = "threads";
    /// Bytes of undelivered events; above it the lanes stop reading their links. Default: `16MiB`. (live)
    pub const INBOX_MAX_BYTES: &str = "inbox.max_bytes";
    /// Undelivered events; above it the lanes stop reading their links. Default: `65536`. (live)
    pub const INBOX_MAX_EVENTS: &str = "inbox.max_events";
    /// Bytes of all queues together; beyond it sends answer MW_EMEMORY. Default: `256MiB`. (live)
    pub const MEMORY_MAX_BYTES: &str = "memory.max_bytes";
    /// Larger bodies leave mw_ctx_take as a message of their own (MW_F_REF) when the slab is short. Default: `64KiB`.
    pub const SLAB_REF_ABOVE: &str = "slab.ref_above";
    /// Smaller messages are copied into the output instead of being referred to. Default: `1KiB`.
    pub const MSG_COPY_BELOW: &str = "msg.copy_below";
    /// A cork ends by itself after this time. Default: `5ms`.
    pub const CORK_MAX: &str = "cork.max";
    /// Microseconds a lane polls before it sleeps; only one busy connection gains. Default: `0`.
    pub const SPIN: &str = "spin";
}

/// Options of a provider.
pub mod provider {
    /// Defaults and wire of a seed system; set it before any other key. Default: `none`.
    pub const PRESET: &str = "preset";
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. (live)
    pub const EVENTS: &str = "events";
    /// Dialects spoken. A client that offers no subprotocol is raw, or network-cluster where that is listed instead. Default: `meshwork,raw`.
    pub const WIRE: &str = "wire";
    /// WebSocket subprotocols beside those of wire, preferred first.
    pub const SUBPROTOCOLS: &str = "subprotocols";
    /// Of topic patterns: exact; mqtt (+ one level, # the rest); path (* one segment, ** any depth). Default: `mqtt`.
    pub const PATTERN_SYNTAX: &str = "pattern.syntax";
    /// Path of the private key, PEM. (live)
    pub const TLS_KEY_FILE: &str = "tls.key_file";
    /// Path of the certificate and its chain, PEM. A provider speaks TLS as soon as key and certificate are set. (live)
    pub const TLS_CERT_FILE: &str = "tls.cert_file";
    /// Path of the authorities believed, PEM; empty: those of the system (consumer). (live)
    pub const TLS_CA_FILE: &str = "tls.ca_file";
    /// Path of Diffie-Hellman parameters for TLS 1.2, PEM; empty: chosen automatically.
    pub const TLS_DH_FILE: &str = "tls.dh_file";
    /// The private key itself, PEM. (live) (secret)
    pub const TLS_KEY: &str = "tls.key";
    /// The certificate and its chain themselves, PEM. (live)
    pub const TLS_CERT: &str = "tls.cert";
    /// The authorities believed themselves, PEM. (live)
    pub const TLS_CA: &str = "tls.ca";
    /// Passphrase of the private key. (live) (secret)
    pub const TLS_PASSPHRASE: &str = "tls.passphrase";
    /// none: a consumer believes any certificate; peer: a consumer checks the provider; mutual: a provider asks for and checks the consumer's too. Default: `peer`.
    pub const TLS_VERIFY: &str = "tls.verify";
    /// Releases the TLS buffers of idle connections, about 34 KB each; false keeps them, for a little speed. Default: `true`.
    pub const TLS_LOW_MEMORY: &str = "tls.low_memory";
    /// A TLS handshake that waits longer for the other side ends. Default: `10s`.
    pub const TLS_HANDSHAKE_TIMEOUT: &str = "tls.handshake_timeout";
    /// Oldest TLS version spoken. Default: `1.2`.
    pub const TLS_MIN_VERSION: &str = "tls.min_version";
    /// Application protocols (ALPN) offered or accepted. Default: `http/1.1`.
    pub const TLS_ALPN: &str = "tls.alpn";
    /// Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. (live) (secret)
    pub const LINK_SECRET: &str = "link.secret";
    /// Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. (live)
    pub const LINK_KEY_ID: &str = "link.key_id";
    /// More secrets by their link.key_id, {"ID":"SECRET"}, at most 64; a peer's identity tells which it has. (live) (secret)
    pub const LINK_SECRETS: &str = "link.secrets";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. (live)
    pub const SEND_OVERFLOW: &str = "send.overflow";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// permessage-deflate: off, one compressor a lane (shared), or one a connection of about this memory. Default: `off`.
    pub const COMPRESS: &str = "compress";
    /// Smaller messages are sent as they are. Default: `1KiB`.
    pub const COMPRESS_MIN_BYTES: &str = "compress.min_bytes";
    /// A message that inflates by more than this factor ends the link. Default: `200`.
    pub const COMPRESS_MAX_RATIO: &str = "compress.max_ratio";
    /// Time between heartbeats; 0: none. Default: `10s`. (live)
    pub const HEARTBEAT_INTERVAL: &str = "heartbeat.interval";
    /// Heartbeats without an answer before the link is ended. Default: `2`. (live)
    pub const HEARTBEAT_MAX_STRIKES: &str = "heartbeat.max_strikes";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// A call without a timeout of its own ends after this time; 0: never. Default: `3s`. (live)
    pub const CALL_TIMEOUT: &str = "call.timeout";
    /// Address or name to listen on. Default: `0.0.0.0`.
    pub const HOST: &str = "host";
    /// Port to listen on; 0: any free one (mw_info "address" tells). Default: `8080`.
    pub const PORT: &str = "port";
    /// Path of the upgrade request. Default: `/connect`.
    pub const PATH: &str = "path";
    /// Addresses instead of host and port: tcp://host:port, unix:/path, fd:3.
    pub const LISTEN: &str = "listen";
    /// Connections the kernel keeps waiting. Default: `511`.
    pub const BACKLOG: &str = "backlog";
    /// Several processes may listen on the port (SO_REUSEPORT). Default: `false`.
    pub const REUSE_PORT: &str = "reuse_port";
    /// Lanes its peers are spread over; 0: all of the context. Default: `0`.
    pub const LANES: &str = "lanes";
    /// Peers at once; more are told 503; 0: no limit. Default: `0`. (live)
    pub const MAX_PEERS: &str = "max_peers";
    /// Peers at once from one IPv4 address or IPv6 /64; 0: no limit. Default: `0`. (live)
    pub const MAX_PEERS_PER_ADDRESS: &str = "max_peers_per_address";
    /// Messages a second from one peer; 0: no limit. Default: `0`. (live)
    pub const MAX_RATE: &str = "max_rate";
    /// Bytes a second from one peer; 0: no limit. Default: `0`. (live)
    pub const MAX_RATE_BYTES: &str = "max_rate_bytes";
    /// A client must have sent its whole request by then. Default: `10s`.
    pub const HANDSHAKE_TIMEOUT: &str = "handshake_timeout";
    /// Handshakes at once; other connections wait in the backlog. Default: `256`.
    pub const HANDSHAKE_MAX: &str = "handshake.max";
    /// Parameters every client must present with these values; an object of strings, numbers and booleans. (live) (secret)
    pub const AUTH_PARAMETERS: &str = "auth.parameters";
    /// Asks the host about each client: ASK, answered by mw_answer. Default: `false`.
    pub const AUTH_ASK: &str = "auth.ask";
    /// An admission not decided by then is refused with 503. Default: `10s`.
    pub const AUTH_TIMEOUT: &str = "auth.timeout";
    /// HTTP status of a no. Default: `403`.
    pub const AUTH_REJECT_STATUS: &str = "auth.reject_status";
    /// Body of a no. Default: `Unauthorized`.
    pub const AUTH_REJECT_BODY: &str = "auth.reject_body";
    /// Where clients may put their parameters. Default: `header,query`.
    pub const PARAMETERS_FROM: &str = "parameters.from";
    /// mw_drain spreads the peers' departures over this time. Default: `5s`. (live)
    pub const DRAIN_STAGGER: &str = "drain.stagger";
    /// Page that says the provider is there; empty: none. Default: `/alive`.
    pub const HTTP_ALIVE_PATH: &str = "http.alive_path";
    /// Pages /livez and /readyz. Default: `false`.
    pub const HTTP_HEALTH: &str = "http.health";
    /// Path of the Prometheus page; empty: none.
    pub const HTTP_METRICS: &str = "http.metrics";
    /// user:password (Basic), or a token (Bearer), that the metrics page asks for; empty: nothing. (secret)
    pub const HTTP_AUTH: &str = "http.auth";
    /// Origins browsers may come from: same (equals Host), origins such as `https://example.org`, or *. Default: `same`.
    pub const HTTP_ORIGINS: &str = "http.origins";
    /// Larger request heads get 431. Default: `8KiB`.
    pub const HTTP_MAX_HEADER: &str = "http.max_header";
    /// Addresses or networks (10.0.0.0/8) whose X-Forwarded-For and PROXY v2 are believed.
    pub const HTTP_TRUSTED_PROXIES: &str = "http.trusted_proxies";
}

/// Options of a consumer.
pub mod consumer {
    /// Defaults and wire of a seed system; set it before any other key. Default: `none`.
    pub const PRESET: &str = "preset";
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. (live)
    pub const EVENTS: &str = "events";
    /// Dialects offered, never silently another one. Default: `meshwork`.
    pub const WIRE: &str = "wire";
    /// WebSocket subprotocols beside those of wire, preferred first.
    pub const SUBPROTOCOLS: &str = "subprotocols";
    /// Of topic patterns: exact; mqtt (+ one level, # the rest); path (* one segment, ** any depth). Default: `mqtt`.
    pub const PATTERN_SYNTAX: &str = "pattern.syntax";
    /// Path of the private key, PEM. (live)
    pub const TLS_KEY_FILE: &str = "tls.key_file";
    /// Path of the certificate and its chain, PEM. A provider speaks TLS as soon as key and certificate are set. (live)
    pub const TLS_CERT_FILE: &str = "tls.cert_file";
    /// Path of the authorities believed, PEM; empty: those of the system (consumer). (live)
    pub const TLS_CA_FILE: &str = "tls.ca_file";
    /// The private key itself, PEM. (live) (secret)
    pub const TLS_KEY: &str = "tls.key";
    /// The certificate and its chain themselves, PEM. (live)
    pub const TLS_CERT: &str = "tls.cert";
    /// The authorities believed themselves, PEM. (live)
    pub const TLS_CA: &str = "tls.ca";
    /// Passphrase of the private key. (live) (secret)
    pub const TLS_PASSPHRASE: &str = "tls.passphrase";
    /// none: a consumer believes any certificate; peer: a consumer checks the provider; mutual: a provider asks for and checks the consumer's too. Default: `peer`.
    pub const TLS_VERIFY: &str = "tls.verify";
    /// Name sent (SNI) and checked in the certificate; empty: the host connected to.
    pub const TLS_SERVER_NAME: &str = "tls.server_name";
    /// Releases the TLS buffers of idle connections, about 34 KB each; false keeps them, for a little speed. Default: `true`.
    pub const TLS_LOW_MEMORY: &str = "tls.low_memory";
    /// A TLS handshake that waits longer for the other side ends. Default: `10s`.
    pub const TLS_HANDSHAKE_TIMEOUT: &str = "tls.handshake_timeout";
    /// Oldest TLS version spoken. Default: `1.2`.
    pub const TLS_MIN_VERSION: &str = "tls.min_version";
    /// Application protocols (ALPN) offered or accepted. Default: `http/1.1`.
    pub const TLS_ALPN: &str = "tls.alpn";
    /// Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. (live) (secret)
    pub const LINK_SECRET: &str = "link.secret";
    /// Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. (live)
    pub const LINK_KEY_ID: &str = "link.key_id";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. (live)
    pub const SEND_OVERFLOW: &str = "send.overflow";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// permessage-deflate: off, one compressor a lane (shared), or one a connection of about this memory. Default: `off`.
    pub const COMPRESS: &str = "compress";
    /// Smaller messages are sent as they are. Default: `1KiB`.
    pub const COMPRESS_MIN_BYTES: &str = "compress.min_bytes";
    /// A message that inflates by more than this factor ends the link. Default: `200`.
    pub const COMPRESS_MAX_RATIO: &str = "compress.max_ratio";
    /// Time between heartbeats; 0: none. Default: `10s`. (live)
    pub const HEARTBEAT_INTERVAL: &str = "heartbeat.interval";
    /// Heartbeats without an answer before the link is ended. Default: `2`. (live)
    pub const HEARTBEAT_MAX_STRIKES: &str = "heartbeat.max_strikes";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// A call without a timeout of its own ends after this time; 0: never. Default: `3s`. (live)
    pub const CALL_TIMEOUT: &str = "call.timeout";
    /// ws://, wss://, unix:/file or ws+unix:/file:/path address, instead of tls, host and port; without a path the option path counts.
    pub const URL: &str = "url";
    /// Connects with TLS. Default: `false`.
    pub const TLS: &str = "tls";
    /// Address or name to connect to; every address of a name is tried. Default: `localhost`.
    pub const HOST: &str = "host";
    /// Port to connect to. Default: `8080`.
    pub const PORT: &str = "port";
    /// Path of the upgrade request. Default: `/connect`.
    pub const PATH: &str = "path";
    /// Parameters presented to the provider; an object of strings, numbers and booleans. (live) (secret)
    pub const PARAMETERS: &str = "parameters";
    /// Where parameters travel: the header Meshwork-Parameters, or the query. Default: `header`.
    pub const PARAMETERS_IN: &str = "parameters.in";
    /// Headers added to the upgrade request; an object of strings, numbers and booleans. (live) (secret)
    pub const HEADERS: &str = "headers";
    /// HTTP proxy to connect through: http://\[user:password@\]host:port. (secret)
    pub const PROXY: &str = "proxy";
    /// Head start of each address over the next one (RFC 8305). Default: `250ms`.
    pub const CONNECT_STAGGER: &str = "connect.stagger";
    /// One attempt may take this long, from resolving to the upgrade. Default: `10s`.
    pub const CONNECT_TIMEOUT: &str = "connect.timeout";
    /// The DONE of mw_start comes at the latest then; 0: when the reconnect policy ends. Default: `0`.
    pub const START_TIMEOUT: &str = "start.timeout";
    /// Wait before the next attempt; the first one of an exponential back-off. Default: `1s`. (live)
    pub const RECONNECT_INTERVAL: &str = "reconnect.interval";
    /// Attempts in a row before the consumer closes; -1: endless. Default: `-1`. (live)
    pub const RECONNECT_MAX_ATTEMPTS: &str = "reconnect.max_attempts";
    /// Whether the wait doubles after each failed attempt. Default: `exponential`. (live)
    pub const RECONNECT_BACKOFF: &str = "reconnect.backoff";
    /// The longest wait of an exponential back-off. Default: `30s`. (live)
    pub const RECONNECT_MAX_INTERVAL: &str = "reconnect.max_interval";
    /// Percent by which waits are varied, so that consumers do not return all at once. Default: `20`. (live)
    pub const RECONNECT_JITTER: &str = "reconnect.jitter";
    /// HTTP statuses that end the consumer instead of another attempt. Default: `401,403`. (live)
    pub const RECONNECT_FATAL: &str = "reconnect.fatal";
    /// Bytes kept for sending while there is no link; 0: sends answer MW_ENOTCONN. Default: `0`.
    pub const OFFLINE_MAX_BYTES: &str = "offline.max_bytes";
    /// What happens at offline.max_bytes. Default: `refuse`.
    pub const OFFLINE_OVERFLOW: &str = "offline.overflow";
    /// group: the processes of this host that open the same provider with the same credentials use one connection to it. Default: `none`.
    pub const SHARE: &str = "share";
    /// With share=group: who is of the group, instead of provider and credentials: letters, digits, '.', '_' and '-'.
    pub const SHARE_NAME: &str = "share.name";
    /// Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
    pub const DIR: &str = "dir";
}

/// Options of a subscription.
pub mod subscription {
    /// Of this subscription's pattern; not set: the handle's. regex: a channel's only. Default: `mqtt`.
    pub const PATTERN_SYNTAX: &str = "pattern.syntax";
    /// On a channel: the subscription ends by itself after so many messages; 0: never. Default: `0`.
    pub const LIMIT: &str = "limit";
}

/// Options of a service.
pub mod service {
    /// Methods the service has, without its name; empty: any. Others get MW_ENOMETHOD.
    pub const METHODS: &str = "methods";
    /// Requests at once; more get MW_EAGAIN; 0: no limit. Default: `0`.
    pub const MAX_CONCURRENT: &str = "max_concurrent";
    /// A call with the header key runs once: for so long after its answer a repeat gets the same one; 0: each call runs. Default: `0`.
    pub const DEDUPE_WINDOW: &str = "dedupe.window";
    /// Answers kept for repeats; beyond it the oldest are forgotten before their time. Default: `1MiB`.
    pub const DEDUPE_MAX_BYTES: &str = "dedupe.max_bytes";
    /// memory: calls wait for their turn, one after the other, and are REQUESTs with a lease; a node's schema may say so of single methods. Default: `none`.
    pub const QUEUE: &str = "queue";
    /// Calls in the queue, those that run included; more get MW_EAGAIN. Default: `10000`.
    pub const QUEUE_MAX: &str = "queue.max";
    /// Bodies and headers in the queue; more get MW_EAGAIN. Default: `16MiB`.
    pub const QUEUE_MAX_BYTES: &str = "queue.max_bytes";
    /// Calls of the queue that run at once; of those with one header queue.key, or without it, one at a time in order. Default: `1`.
    pub const QUEUE_PARALLEL: &str = "queue.parallel";
    /// A call of the queue not answered in this time is taken back (CANCEL) and comes again; 0: never. Default: `30s`.
    pub const QUEUE_LEASE: &str = "queue.lease";
    /// Times a call of the queue is a REQUEST at most; then its caller gets MW_EDEAD, and DROPPED has it. Default: `5`.
    pub const QUEUE_ATTEMPTS: &str = "queue.attempts";
    /// Wait before a call of the queue comes again, then twice as long each time, at most 64 times as long. Default: `1s`.
    pub const QUEUE_BACKOFF: &str = "queue.backoff";
    /// On a node: version of the service (semver.org); not set: the node's member.version. Default: `0.0.0`.
    pub const VERSION: &str = "version";
    /// On a node: a call goes to one of the members that serve it, or to all of them. Default: `balanced`.
    pub const MODE: &str = "mode";
    /// On a node, with mode=broadcast: false: nobody answers, and the caller's DONE comes when every link has the call. Default: `true`.
    pub const RESPONDS: &str = "responds";
}

/// Options of a call.
pub mod call {
    /// Bytes of a streamed answer that may come before they are taken. Default: `1MiB`.
    pub const CREDIT: &str = "credit";
    /// From a node: range of versions that may answer, as npm writes them (^1.2, \>=1 \<3); of those that may, the highest does. Default: `*`.
    pub const VERSION: &str = "version";
    /// From a node: names of the members that may answer; empty: any.
    pub const ONLY: &str = "only";
    /// From a node: names of members that may not answer.
    pub const EXCLUDE: &str = "exclude";
    /// From a node: calls with the same text go to the same member, as long as it is there.
    pub const STICKY: &str = "sticky";
    /// From a node: may run twice, so it goes to another member when the one that has it is lost. Default: `false`.
    pub const RETRY_SAFE: &str = "retry.safe";
}

/// Options of a hub.
pub mod hub {
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. (live)
    pub const EVENTS: &str = "events";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. (live)
    pub const SEND_OVERFLOW: &str = "send.overflow";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// Time between heartbeats; 0: none. Default: `10s`. (live)
    pub const HEARTBEAT_INTERVAL: &str = "heartbeat.interval";
    /// Heartbeats without an answer before the link is ended. Default: `2`. (live)
    pub const HEARTBEAT_MAX_STRIKES: &str = "heartbeat.max_strikes";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
    pub const DIR: &str = "dir";
    /// The channels kept, by name; each may have propagate (false, or a regex of names whose channels hear it too), multicast (shared with the hubs of the LAN) and dump (LOG of every event). Default: `{"control":{}}`. (live)
    pub const CHANNELS: &str = "channels";
    /// Shares the channels that have multicast with the other hubs of the LAN by UDP multicast; what is lost there is counted and told, not repeated. Default: `false`. (live)
    pub const MULTICAST_ENABLED: &str = "multicast.enabled";
    /// Multicast group of the hubs, IPv4 or IPv6. Default: `224.0.0.0`. (live)
    pub const MULTICAST_ADDRESS: &str = "multicast.address";
    /// UDP port of the group. Default: `4454`. (live)
    pub const MULTICAST_PORT: &str = "multicast.port";
    /// Network interface by name; empty: the one that routing chooses. (live)
    pub const MULTICAST_INTERFACE: &str = "multicast.interface";
    /// Routers a datagram may pass, and one more; 1: this network only, 0: this host only. Default: `1`. (live)
    pub const MULTICAST_TTL: &str = "multicast.ttl";
    /// Bytes sent to the LAN in a second at most; who publishes faster is slowed down. Default: `8MiB`. (live)
    pub const MULTICAST_MAX_RATE: &str = "multicast.max_rate";
    /// Secret of at least 16 bytes that all hubs of the LAN know: datagrams are sealed with AES-256-GCM; empty: anybody on the network can read and send them. (live) (secret)
    pub const LINK_SECRET: &str = "link.secret";
    /// meshwork, or that of the npm package netcluster: sockets dir/netcluster-NAME, bodies are JSON, no acknowledgements, the hub is started by hand; dir may be open to others, such as /var/run. Default: `meshwork`.
    pub const WIRE: &str = "wire";
    /// Answers showconfig, reloadconfig, showchannel and showclient on the channel control, where it is kept; set by hand, it must be. Default: `true`.
    pub const CONTROL_ENABLED: &str = "control.enabled";
}

/// Options of a channel.
pub mod channel {
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. (live)
    pub const EVENTS: &str = "events";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. (live)
    pub const SEND_OVERFLOW: &str = "send.overflow";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// Time between heartbeats; 0: none. Default: `10s`. (live)
    pub const HEARTBEAT_INTERVAL: &str = "heartbeat.interval";
    /// Heartbeats without an answer before the link is ended. Default: `2`. (live)
    pub const HEARTBEAT_MAX_STRIKES: &str = "heartbeat.max_strikes";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// With hub.auto=false: wait before the next look for a hub. Default: `1s`. (live)
    pub const RECONNECT_INTERVAL: &str = "reconnect.interval";
    /// Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
    pub const DIR: &str = "dir";
    /// meshwork, or that of the npm package netcluster: sockets dir/netcluster-NAME, bodies are JSON, no acknowledgements, the hub is started by hand; dir may be open to others, such as /var/run. Default: `meshwork`.
    pub const WIRE: &str = "wire";
    /// Name of the channel: letters, digits, '.', '_' and '-'. Required.
    pub const NAME: &str = "name";
    /// Of event patterns: exact, mqtt, path, or regex (RE2's, of the whole name). Default: `regex`.
    pub const PATTERN_SYNTAX: &str = "pattern.syntax";
    /// Own subscriptions hear what is published here, too, marked MW_F_LOCAL. Default: `false`.
    pub const EMIT_LOCAL: &str = "emit.local";
    /// Becomes the channel's hub where nobody else of the host is. Default: `true`.
    pub const HUB_AUTO: &str = "hub.auto";
}

/// Options of a share.
pub mod share {
    /// Defaults and wire of a seed system; set it before any other key. Default: `none`.
    pub const PRESET: &str = "preset";
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,interest,done,released,ask,draining,leader`. (live)
    pub const EVENTS: &str = "events";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// Time between heartbeats; 0: none. Default: `10s`. (live)
    pub const HEARTBEAT_INTERVAL: &str = "heartbeat.interval";
    /// Heartbeats without an answer before the link is ended. Default: `2`. (live)
    pub const HEARTBEAT_MAX_STRIKES: &str = "heartbeat.max_strikes";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// A call without a timeout of its own ends after this time; 0: never. Default: `3s`. (live)
    pub const CALL_TIMEOUT: &str = "call.timeout";
    /// Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
    pub const DIR: &str = "dir";
    /// Name of the share: letters, digits, '.', '_' and '-' (wire=cluster-client: any text). Required.
    pub const NAME: &str = "name";
    /// meshwork: a unix socket in dir; or that of the npm package cluster-client: a TCP port, whose owner leads; anybody who can reach the port is let in. Default: `meshwork`.
    pub const WIRE: &str = "wire";
    /// wire=cluster-client: address of the port. Default: `127.0.0.1`.
    pub const HOST: &str = "host";
    /// wire=cluster-client: the port that is competed for; shares of other names use it, too. Default: `7777`.
    pub const PORT: &str = "port";
    /// wire=cluster-client: how arguments, results and values are encoded; the library passes them on and encodes only what it says itself. Default: `serialize-json`.
    pub const TRANSCODE: &str = "transcode";
    /// wire=cluster-client: who was not let in yet asks again. Default: `3s`.
    pub const REGISTER_RETRY: &str = "register.retry";
    /// A leader that does not answer for so long when joined is taken for frozen. Default: `10s`.
    pub const CONNECT_TIMEOUT: &str = "connect.timeout";
    /// The DONE of mw_start comes at the latest then; 0: when there is a leader. Default: `30s`.
    pub const START_TIMEOUT: &str = "start.timeout";
    /// This process alone: it leads at once, without directory, lock and socket. Default: `false`.
    pub const SINGLE: &str = "single";
    /// compete: leads where nobody does; leader: mw_start fails where another leads; follower: waits for a leader, never leads. Default: `compete`.
    pub const ROLE: &str = "role";
    /// Who gets what the leader publishes: all processes that subscribed to the key, or one of them at random. Default: `all`.
    pub const FANOUT: &str = "fanout";
    /// The leader keeps the last value of each key for who subscribes later. Default: `true`.
    pub const RETAIN: &str = "retain";
    /// Methods that may run twice: their calls in flight are repeated when the leader changes.
    pub const RETRY_SAFE: &str = "retry.safe";
}

/// Options of a election.
pub mod election {
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
    pub const DIR: &str = "dir";
    /// A leader that lives but does not answer for about so long is replaced; one that died, at once. Default: `10s`.
    pub const LEASE: &str = "lease";
}

/// Options of a node.
pub mod node {
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,message,writable,slow,dropped,done,released,ask,draining,ready,member_up,member_down,member_changed,service_up,service_down`. (live)
    pub const EVENTS: &str = "events";
    /// Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. (live) (secret)
    pub const LINK_SECRET: &str = "link.secret";
    /// Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. (live)
    pub const LINK_KEY_ID: &str = "link.key_id";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID.
    pub const DIR: &str = "dir";
    /// A call without a timeout of its own ends after this time; 0: never. Default: `30s`. (live)
    pub const CALL_TIMEOUT: &str = "call.timeout";
    /// Name of the mesh: letters, digits, '.', '_' and '-'. Required.
    pub const CLUSTER_DEPLOYMENT: &str = "cluster.deployment";
    /// Part of the mesh that it belongs to, in the same letters; only nodes of the same one meet. Default: `meshwork`.
    pub const CLUSTER_NAME: &str = "cluster.name";
    /// Role of this node, told to the others. Default: `default-service`.
    pub const MEMBER_SERVICE: &str = "member.service";
    /// Name of this node, of which there is one in the mesh; empty: a UUID.
    pub const MEMBER_NAME: &str = "member.name";
    /// Version of the services that have none of their own (semver.org). Default: `0.0.0`.
    pub const MEMBER_VERSION: &str = "member.version";
    /// With registry=manager: secret of this node's role, where the managers have one for it (link.secrets); needs link.secret, too. (live) (secret)
    pub const MEMBER_SECRET: &str = "member.secret";
    /// How nodes find others: by files of this user on this host (host), at the addresses in seeds (gossip), or told by managers (manager). Default: `host`.
    pub const REGISTRY: &str = "registry";
    /// With registry=manager: host:port of all managers, or host for its discovery.port. Any one of them does. (live)
    pub const REGISTRY_URL: &str = "registry.url";
    /// Port of the managers that registry.url names without one. Default: `8765`.
    pub const DISCOVERY_PORT: &str = "discovery.port";
    /// Time between two looks for members that are not known yet. Default: `1s`.
    pub const REGISTRY_SCAN: &str = "registry.scan";
    /// With registry=gossip: host:port of some nodes; this one may be among them. (live)
    pub const SEEDS: &str = "seeds";
    /// With registry=gossip or manager: address to listen on. Off loopback only with link.secret, or link.insecure. Default: `127.0.0.1`.
    pub const HOST: &str = "host";
    /// With registry=gossip or manager: port to listen on; 0: any free one (mw_info "address" tells). Default: `0`.
    pub const PORT: &str = "port";
    /// host:port that others should dial, best first; empty: where it listens.
    pub const ADVERTISE: &str = "advertise";
    /// Listens off loopback without link.secret: whoever reaches the port can be a member. Default: `false`.
    pub const LINK_INSECURE: &str = "link.insecure";
    /// Time between two pings of each member that this one watches. Default: `500ms`.
    pub const PROBE_INTERVAL: &str = "probe.interval";
    /// A member that does not answer for so long is asked through others, and after as long again suspected. Default: `500ms`.
    pub const PROBE_TIMEOUT: &str = "probe.timeout";
    /// From suspicion to verdict: 0.8 of it where all its watchers agree, else up to 1.2. Default: `5s`.
    pub const GOSSIP_SUSPECT: &str = "gossip.suspect";
    /// Which role (member.service) may call which, by socketmesh's schema: {"A":{"_allow":\["B"\],"_connect":"anyNode","_commands":{"_balanced":{"x":{}}}}}; empty: all may, or what the managers say. A manager gives it to its nodes. (live)
    pub const ACCESS: &str = "access";
    /// How roles are compared in access: as written, or without regard to ASCII case. Default: `exact`.
    pub const ACCESS_NAMES: &str = "access.names";
    /// What access allows and cannot mean (a role that is not there, a call that nobody may make): refused, or told by LOG. Default: `strict`.
    pub const ACCESS_CHECK: &str = "access.check";
    /// Services that others must serve before this node is ready, with how many: {"words": 2}. READY tells. Default: `{}`.
    pub const GATE_SERVICES: &str = "gate.services";
    /// The DONE of mw_start comes at the latest then, with MW_ETIMEDOUT; 0: when the gate is met. Default: `1m`.
    pub const GATE_TIMEOUT: &str = "gate.timeout";
    /// Which of several members gets a call: in turn, by chance, the one with the fewest calls of ours, the better of two. Default: `round_robin`. (live)
    pub const ROUTE_STRATEGY: &str = "route.strategy";
    /// A call that this node serves itself stays here. Default: `true`. (live)
    pub const ROUTE_LOCAL_FIRST: &str = "route.local_first";
}

/// Options of a manager.
pub mod manager {
    /// LOG events up to this level; off means none. Default: `warn`. (live)
    pub const LOG_LEVEL: &str = "log.level";
    /// Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,message,writable,slow,dropped,done,released,ask,draining,ready,member_up,member_down,member_changed,service_up,service_down`. (live)
    pub const EVENTS: &str = "events";
    /// Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. (live) (secret)
    pub const LINK_SECRET: &str = "link.secret";
    /// Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. (live)
    pub const LINK_KEY_ID: &str = "link.key_id";
    /// Secrets of roles, {"ROLE":"SECRET"}, at most 64: a node of such a role must have it as its member.secret, and can be nothing else. (live) (secret)
    pub const LINK_SECRETS: &str = "link.secrets";
    /// Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. (live)
    pub const SEND_SOFT_BYTES: &str = "send.soft_bytes";
    /// Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. (live)
    pub const SEND_MAX_BYTES: &str = "send.max_bytes";
    /// Larger messages close the link with 1009. Default: `1MiB`.
    pub const RECV_MAX_MESSAGE: &str = "recv.max_message";
    /// How long a close waits for the other side's close frame. Default: `5s`. (live)
    pub const CLOSE_TIMEOUT: &str = "close.timeout";
    /// Name of the mesh: letters, digits, '.', '_' and '-'. Required.
    pub const CLUSTER_DEPLOYMENT: &str = "cluster.deployment";
    /// Part of the mesh that it belongs to, in the same letters; only nodes of the same one meet. Default: `meshwork`.
    pub const CLUSTER_NAME: &str = "cluster.name";
    /// Name of this node, of which there is one in the mesh; empty: a UUID.
    pub const MEMBER_NAME: &str = "member.name";
    /// With port 0: this manager also listens there, so that nodes need to know its host only; 0: it does not. Where another has it, ERROR tells, and it is tried again. Default: `8765`.
    pub const DISCOVERY_PORT: &str = "discovery.port";
    /// Address to listen on. Off loopback only with link.secret or link.secrets, or link.insecure. Default: `127.0.0.1`.
    pub const HOST: &str = "host";
    /// Port to listen on; 0: any free one (mw_info "address" tells), and discovery.port. Default: `0`.
    pub const PORT: &str = "port";
    /// Time between two looks for members that are not known yet. Default: `1s`.
    pub const REGISTRY_SCAN: &str = "registry.scan";
    /// Listens off loopback without link.secret: whoever reaches the port can be a member. Default: `false`.
    pub const LINK_INSECURE: &str = "link.insecure";
    /// Time between two pings of each member that this one watches. Default: `500ms`.
    pub const PROBE_INTERVAL: &str = "probe.interval";
    /// A member that does not answer for so long is asked through others, and after as long again suspected. Default: `500ms`.
    pub const PROBE_TIMEOUT: &str = "probe.timeout";
    /// From suspicion to verdict: 0.8 of it where all its watchers agree, else up to 1.2. Default: `5s`.
    pub const GOSSIP_SUSPECT: &str = "gossip.suspect";
    /// Which role (member.service) may call which, by socketmesh's schema: {"A":{"_allow":\["B"\],"_connect":"anyNode","_commands":{"_balanced":{"x":{}}}}}; empty: all may, or what the managers say. A manager gives it to its nodes. (live)
    pub const ACCESS: &str = "access";
    /// How roles are compared in access: as written, or without regard to ASCII case. Default: `exact`.
    pub const ACCESS_NAMES: &str = "access.names";
    /// What access allows and cannot mean (a role that is not there, a call that nobody may make): refused, or told by LOG. Default: `strict`.
    pub const ACCESS_CHECK: &str = "access.check";
}
