// Made by bindings/node/tables.py from the library. Do not edit.
// Durations are milliseconds or texts such as '30s', sizes bytes or texts such as '1MiB'.
// Options may be nested too: { heartbeat: { interval: '30s' } }.

export interface ContextOptions {
  /** Name used for threads (the first 10 bytes) and in log lines. */
  'name'?: string
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. May change by update(). */
  'events'?: string[] | string
  /** With threads >= 1: events cross an inbox the host empties (queued), or are callbacks on the lane's thread (inline). Default: `queued`. */
  'delivery'?: 'queued' | 'inline'
  /** Library threads, one lane each; 0: one lane that the host turns. Default: `1`. */
  'threads'?: number | string
  /** Bytes of undelivered events; above it the lanes stop reading their links. Default: `16MiB`. May change by update(). */
  'inbox.max_bytes'?: number | string
  /** Undelivered events; above it the lanes stop reading their links. Default: `65536`. May change by update(). */
  'inbox.max_events'?: number | string
  /** Bytes of all queues together; beyond it sends answer MW_EMEMORY. Default: `256MiB`. May change by update(). */
  'memory.max_bytes'?: number | string
  /** Larger bodies leave mw_ctx_take as a message of their own (MW_F_REF) when the slab is short. Default: `64KiB`. */
  'slab.ref_above'?: number | string
  /** Smaller messages are copied into the output instead of being referred to. Default: `1KiB`. */
  'msg.copy_below'?: number | string
  /** A cork ends by itself after this time. Default: `5ms`. */
  'cork.max'?: number | string
  /** Microseconds a lane polls before it sleeps; only one busy connection gains. Default: `0`. */
  'spin'?: number | string
  cork?: { [key: string]: unknown }
  inbox?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  memory?: { [key: string]: unknown }
  msg?: { [key: string]: unknown }
  slab?: { [key: string]: unknown }
}

export interface ProviderOptions {
  /** Defaults and wire of a seed system; set it before any other key. Default: `none`. */
  'preset'?: 'none' | 'network-cluster'
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. May change by update(). */
  'events'?: string[] | string
  /** Dialects spoken. A client that offers no subprotocol is raw, or network-cluster where that is listed instead. Default: `meshwork,raw`. */
  'wire'?: string[] | string
  /** WebSocket subprotocols beside those of wire, preferred first. */
  'subprotocols'?: string[] | string
  /** Of topic patterns: exact; mqtt (+ one level, # the rest); path (* one segment, ** any depth). Default: `mqtt`. */
  'pattern.syntax'?: 'exact' | 'mqtt' | 'path'
  /** Path of the private key, PEM. May change by update(). */
  'tls.key_file'?: string
  /** Path of the certificate and its chain, PEM. A provider speaks TLS as soon as key and certificate are set. May change by update(). */
  'tls.cert_file'?: string
  /** Path of the authorities believed, PEM; empty: those of the system (consumer). May change by update(). */
  'tls.ca_file'?: string
  /** Path of Diffie-Hellman parameters for TLS 1.2, PEM; empty: chosen automatically. */
  'tls.dh_file'?: string
  /** The private key itself, PEM. May change by update(). */
  'tls.key'?: string
  /** The certificate and its chain themselves, PEM. May change by update(). */
  'tls.cert'?: string
  /** The authorities believed themselves, PEM. May change by update(). */
  'tls.ca'?: string
  /** Passphrase of the private key. May change by update(). */
  'tls.passphrase'?: string
  /** none: a consumer believes any certificate; peer: a consumer checks the provider; mutual: a provider asks for and checks the consumer's too. Default: `peer`. */
  'tls.verify'?: 'none' | 'peer' | 'mutual'
  /** Releases the TLS buffers of idle connections, about 34 KB each; false keeps them, for a little speed. Default: `true`. */
  'tls.low_memory'?: boolean | string
  /** A TLS handshake that waits longer for the other side ends. Default: `10s`. */
  'tls.handshake_timeout'?: number | string
  /** Oldest TLS version spoken. Default: `1.2`. */
  'tls.min_version'?: '1.2' | '1.3'
  /** Application protocols (ALPN) offered or accepted. Default: `http/1.1`. */
  'tls.alpn'?: string[] | string
  /** Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. May change by update(). */
  'link.secret'?: string
  /** Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. May change by update(). */
  'link.key_id'?: string
  /** More secrets by their link.key_id, {"ID":"SECRET"}, at most 64; a peer's identity tells which it has. May change by update(). */
  'link.secrets'?: Record<string, string | number | boolean | object> | string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. May change by update(). */
  'send.overflow'?: 'refuse' | 'drop_new' | 'drop_old' | 'conflate' | 'disconnect'
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** permessage-deflate: off, one compressor a lane (shared), or one a connection of about this memory. Default: `off`. */
  'compress'?: 'off' | 'shared' | '3k' | '4k' | '8k' | '16k' | '32k' | '64k' | '128k' | '256k'
  /** Smaller messages are sent as they are. Default: `1KiB`. */
  'compress.min_bytes'?: number | string
  /** A message that inflates by more than this factor ends the link. Default: `200`. */
  'compress.max_ratio'?: number | string
  /** Time between heartbeats; 0: none. Default: `10s`. May change by update(). */
  'heartbeat.interval'?: number | string
  /** Heartbeats without an answer before the link is ended. Default: `2`. May change by update(). */
  'heartbeat.max_strikes'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** A call without a timeout of its own ends after this time; 0: never. Default: `3s`. May change by update(). */
  'call.timeout'?: number | string
  /** Address or name to listen on. Default: `0.0.0.0`. */
  'host'?: string
  /** Port to listen on; 0: any free one (mw_info "address" tells). Default: `8080`. */
  'port'?: number | string
  /** Path of the upgrade request. Default: `/connect`. */
  'path'?: string
  /** Addresses instead of host and port: tcp://host:port, unix:/path, fd:3. */
  'listen'?: string[] | string
  /** Connections the kernel keeps waiting. Default: `511`. */
  'backlog'?: number | string
  /** Several processes may listen on the port (SO_REUSEPORT). Default: `false`. */
  'reuse_port'?: boolean | string
  /** Lanes its peers are spread over; 0: all of the context. Default: `0`. */
  'lanes'?: number | string
  /** Peers at once; more are told 503; 0: no limit. Default: `0`. May change by update(). */
  'max_peers'?: number | string
  /** Peers at once from one IPv4 address or IPv6 /64; 0: no limit. Default: `0`. May change by update(). */
  'max_peers_per_address'?: number | string
  /** Messages a second from one peer; 0: no limit. Default: `0`. May change by update(). */
  'max_rate'?: number | string
  /** Bytes a second from one peer; 0: no limit. Default: `0`. May change by update(). */
  'max_rate_bytes'?: number | string
  /** A client must have sent its whole request by then. Default: `10s`. */
  'handshake_timeout'?: number | string
  /** Handshakes at once; other connections wait in the backlog. Default: `256`. */
  'handshake.max'?: number | string
  /** Parameters every client must present with these values; an object of strings, numbers and booleans. May change by update(). */
  'auth.parameters'?: Record<string, string | number | boolean | object> | string
  /** Asks the host about each client: ASK, answered by mw_answer. Default: `false`. */
  'auth.ask'?: boolean | string
  /** An admission not decided by then is refused with 503. Default: `10s`. */
  'auth.timeout'?: number | string
  /** HTTP status of a no. Default: `403`. */
  'auth.reject_status'?: number | string
  /** Body of a no. Default: `Unauthorized`. */
  'auth.reject_body'?: string
  /** Where clients may put their parameters. Default: `header,query`. */
  'parameters.from'?: string[] | string
  /** mw_drain spreads the peers' departures over this time. Default: `5s`. May change by update(). */
  'drain.stagger'?: number | string
  /** Page that says the provider is there; empty: none. Default: `/alive`. */
  'http.alive_path'?: string
  /** Pages /livez and /readyz. Default: `false`. */
  'http.health'?: boolean | string
  /** Path of the Prometheus page; empty: none. */
  'http.metrics'?: string
  /** user:password (Basic), or a token (Bearer), that the metrics page asks for; empty: nothing. */
  'http.auth'?: string
  /** Origins browsers may come from: same (equals Host), origins such as https://example.org, or *. Default: `same`. */
  'http.origins'?: string[] | string
  /** Larger request heads get 431. Default: `8KiB`. */
  'http.max_header'?: number | string
  /** Addresses or networks (10.0.0.0/8) whose X-Forwarded-For and PROXY v2 are believed. */
  'http.trusted_proxies'?: string[] | string
  auth?: { [key: string]: unknown }
  call?: { [key: string]: unknown }
  close?: { [key: string]: unknown }
  drain?: { [key: string]: unknown }
  handshake?: { [key: string]: unknown }
  heartbeat?: { [key: string]: unknown }
  http?: { [key: string]: unknown }
  link?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  parameters?: { [key: string]: unknown }
  pattern?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
  tls?: { [key: string]: unknown }
}

export interface ConsumerOptions {
  /** Defaults and wire of a seed system; set it before any other key. Default: `none`. */
  'preset'?: 'none' | 'network-cluster'
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. May change by update(). */
  'events'?: string[] | string
  /** Dialects offered, never silently another one. Default: `meshwork`. */
  'wire'?: string[] | string
  /** WebSocket subprotocols beside those of wire, preferred first. */
  'subprotocols'?: string[] | string
  /** Of topic patterns: exact; mqtt (+ one level, # the rest); path (* one segment, ** any depth). Default: `mqtt`. */
  'pattern.syntax'?: 'exact' | 'mqtt' | 'path'
  /** Path of the private key, PEM. May change by update(). */
  'tls.key_file'?: string
  /** Path of the certificate and its chain, PEM. A provider speaks TLS as soon as key and certificate are set. May change by update(). */
  'tls.cert_file'?: string
  /** Path of the authorities believed, PEM; empty: those of the system (consumer). May change by update(). */
  'tls.ca_file'?: string
  /** The private key itself, PEM. May change by update(). */
  'tls.key'?: string
  /** The certificate and its chain themselves, PEM. May change by update(). */
  'tls.cert'?: string
  /** The authorities believed themselves, PEM. May change by update(). */
  'tls.ca'?: string
  /** Passphrase of the private key. May change by update(). */
  'tls.passphrase'?: string
  /** none: a consumer believes any certificate; peer: a consumer checks the provider; mutual: a provider asks for and checks the consumer's too. Default: `peer`. */
  'tls.verify'?: 'none' | 'peer' | 'mutual'
  /** Name sent (SNI) and checked in the certificate; empty: the host connected to. */
  'tls.server_name'?: string
  /** Releases the TLS buffers of idle connections, about 34 KB each; false keeps them, for a little speed. Default: `true`. */
  'tls.low_memory'?: boolean | string
  /** A TLS handshake that waits longer for the other side ends. Default: `10s`. */
  'tls.handshake_timeout'?: number | string
  /** Oldest TLS version spoken. Default: `1.2`. */
  'tls.min_version'?: '1.2' | '1.3'
  /** Application protocols (ALPN) offered or accepted. Default: `http/1.1`. */
  'tls.alpn'?: string[] | string
  /** Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. May change by update(). */
  'link.secret'?: string
  /** Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. May change by update(). */
  'link.key_id'?: string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. May change by update(). */
  'send.overflow'?: 'refuse' | 'drop_new' | 'drop_old' | 'conflate' | 'disconnect'
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** permessage-deflate: off, one compressor a lane (shared), or one a connection of about this memory. Default: `off`. */
  'compress'?: 'off' | 'shared' | '3k' | '4k' | '8k' | '16k' | '32k' | '64k' | '128k' | '256k'
  /** Smaller messages are sent as they are. Default: `1KiB`. */
  'compress.min_bytes'?: number | string
  /** A message that inflates by more than this factor ends the link. Default: `200`. */
  'compress.max_ratio'?: number | string
  /** Time between heartbeats; 0: none. Default: `10s`. May change by update(). */
  'heartbeat.interval'?: number | string
  /** Heartbeats without an answer before the link is ended. Default: `2`. May change by update(). */
  'heartbeat.max_strikes'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** A call without a timeout of its own ends after this time; 0: never. Default: `3s`. May change by update(). */
  'call.timeout'?: number | string
  /** ws://, wss://, unix:/file or ws+unix:/file:/path address, instead of tls, host and port; without a path the option path counts. */
  'url'?: string
  /** Connects with TLS. Default: `false`. */
  'tls'?: boolean | string
  /** Address or name to connect to; every address of a name is tried. Default: `localhost`. */
  'host'?: string
  /** Port to connect to. Default: `8080`. */
  'port'?: number | string
  /** Path of the upgrade request. Default: `/connect`. */
  'path'?: string
  /** Parameters presented to the provider; an object of strings, numbers and booleans. May change by update(). */
  'parameters'?: Record<string, string | number | boolean | object> | string
  /** Where parameters travel: the header Meshwork-Parameters, or the query. Default: `header`. */
  'parameters.in'?: 'header' | 'query'
  /** Headers added to the upgrade request; an object of strings, numbers and booleans. May change by update(). */
  'headers'?: Record<string, string | number | boolean | object> | string
  /** HTTP proxy to connect through: http://[user:password@]host:port. */
  'proxy'?: string
  /** Head start of each address over the next one (RFC 8305). Default: `250ms`. */
  'connect.stagger'?: number | string
  /** One attempt may take this long, from resolving to the upgrade. Default: `10s`. */
  'connect.timeout'?: number | string
  /** The DONE of mw_start comes at the latest then; 0: when the reconnect policy ends. Default: `0`. */
  'start.timeout'?: number | string
  /** Wait before the next attempt; the first one of an exponential back-off. Default: `1s`. May change by update(). */
  'reconnect.interval'?: number | string
  /** Attempts in a row before the consumer closes; -1: endless. Default: `-1`. May change by update(). */
  'reconnect.max_attempts'?: number | string
  /** Whether the wait doubles after each failed attempt. Default: `exponential`. May change by update(). */
  'reconnect.backoff'?: 'exponential' | 'fixed'
  /** The longest wait of an exponential back-off. Default: `30s`. May change by update(). */
  'reconnect.max_interval'?: number | string
  /** Percent by which waits are varied, so that consumers do not return all at once. Default: `20`. May change by update(). */
  'reconnect.jitter'?: number | string
  /** HTTP statuses that end the consumer instead of another attempt. Default: `401,403`. May change by update(). */
  'reconnect.fatal'?: string[] | string
  /** Bytes kept for sending while there is no link; 0: sends answer MW_ENOTCONN. Default: `0`. */
  'offline.max_bytes'?: number | string
  /** What happens at offline.max_bytes. Default: `refuse`. */
  'offline.overflow'?: 'refuse' | 'drop_new' | 'drop_old'
  /** group: the processes of this host that open the same provider with the same credentials use one connection to it. Default: `none`. */
  'share'?: 'none' | 'group'
  /** With share=group: who is of the group, instead of provider and credentials: letters, digits, '.', '_' and '-'. */
  'share.name'?: string
  /** Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID. */
  'dir'?: string
  call?: { [key: string]: unknown }
  close?: { [key: string]: unknown }
  connect?: { [key: string]: unknown }
  heartbeat?: { [key: string]: unknown }
  link?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  offline?: { [key: string]: unknown }
  pattern?: { [key: string]: unknown }
  reconnect?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
  start?: { [key: string]: unknown }
}

export interface SubscriptionOptions {
  /** Of this subscription's pattern; not set: the handle's. regex: a channel's only. Default: `mqtt`. */
  'pattern.syntax'?: 'exact' | 'mqtt' | 'path' | 'regex'
  /** On a channel: the subscription ends by itself after so many messages; 0: never. Default: `0`. */
  'limit'?: number | string
  pattern?: { [key: string]: unknown }
}

export interface ServiceOptions {
  /** Methods the service has, without its name; empty: any. Others get MW_ENOMETHOD. */
  'methods'?: string[] | string
  /** Requests at once; more get MW_EAGAIN; 0: no limit. Default: `0`. */
  'max_concurrent'?: number | string
  /** A call with the header key runs once: for so long after its answer a repeat gets the same one; 0: each call runs. Default: `0`. */
  'dedupe.window'?: number | string
  /** Answers kept for repeats; beyond it the oldest are forgotten before their time. Default: `1MiB`. */
  'dedupe.max_bytes'?: number | string
  /** memory: calls wait for their turn, one after the other, and are REQUESTs with a lease; a node's schema may say so of single methods. Default: `none`. */
  'queue'?: 'none' | 'memory'
  /** Calls in the queue, those that run included; more get MW_EAGAIN. Default: `10000`. */
  'queue.max'?: number | string
  /** Bodies and headers in the queue; more get MW_EAGAIN. Default: `16MiB`. */
  'queue.max_bytes'?: number | string
  /** Calls of the queue that run at once; of those with one header queue.key, or without it, one at a time in order. Default: `1`. */
  'queue.parallel'?: number | string
  /** A call of the queue not answered in this time is taken back (CANCEL) and comes again; 0: never. Default: `30s`. */
  'queue.lease'?: number | string
  /** Times a call of the queue is a REQUEST at most; then its caller gets MW_EDEAD, and DROPPED has it. Default: `5`. */
  'queue.attempts'?: number | string
  /** Wait before a call of the queue comes again, then twice as long each time, at most 64 times as long. Default: `1s`. */
  'queue.backoff'?: number | string
  /** On a node: version of the service (semver.org); not set: the node's member.version. Default: `0.0.0`. */
  'version'?: string
  /** On a node: a call goes to one of the members that serve it, or to all of them. Default: `balanced`. */
  'mode'?: 'balanced' | 'broadcast'
  /** On a node, with mode=broadcast: false: nobody answers, and the caller's DONE comes when every link has the call. Default: `true`. */
  'responds'?: boolean | string
  dedupe?: { [key: string]: unknown }
}

export interface CallOptions {
  /** Bytes of a streamed answer that may come before they are taken. Default: `1MiB`. */
  'credit'?: number | string
  /** From a node: range of versions that may answer, as npm writes them (^1.2, >=1 <3); of those that may, the highest does. Default: `*`. */
  'version'?: string
  /** From a node: names of the members that may answer; empty: any. */
  'only'?: string[] | string
  /** From a node: names of members that may not answer. */
  'exclude'?: string[] | string
  /** From a node: calls with the same text go to the same member, as long as it is there. */
  'sticky'?: string
  /** From a node: may run twice, so it goes to another member when the one that has it is lost. Default: `false`. */
  'retry.safe'?: boolean | string
  retry?: { [key: string]: unknown }
}

export interface HubOptions {
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. May change by update(). */
  'events'?: string[] | string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. May change by update(). */
  'send.overflow'?: 'refuse' | 'drop_new' | 'drop_old' | 'conflate' | 'disconnect'
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** Time between heartbeats; 0: none. Default: `10s`. May change by update(). */
  'heartbeat.interval'?: number | string
  /** Heartbeats without an answer before the link is ended. Default: `2`. May change by update(). */
  'heartbeat.max_strikes'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID. */
  'dir'?: string
  /** The channels kept, by name; each may have propagate (false, or a regex of names whose channels hear it too), multicast (shared with the hubs of the LAN) and dump (LOG of every event). Default: `{"control":{}}`. May change by update(). */
  'channels'?: Record<string, string | number | boolean | object> | string
  /** Shares the channels that have multicast with the other hubs of the LAN by UDP multicast; what is lost there is counted and told, not repeated. Default: `false`. May change by update(). */
  'multicast.enabled'?: boolean | string
  /** Multicast group of the hubs, IPv4 or IPv6. Default: `224.0.0.0`. May change by update(). */
  'multicast.address'?: string
  /** UDP port of the group. Default: `4454`. May change by update(). */
  'multicast.port'?: number | string
  /** Network interface by name; empty: the one that routing chooses. May change by update(). */
  'multicast.interface'?: string
  /** Routers a datagram may pass, and one more; 1: this network only, 0: this host only. Default: `1`. May change by update(). */
  'multicast.ttl'?: number | string
  /** Bytes sent to the LAN in a second at most; who publishes faster is slowed down. Default: `8MiB`. May change by update(). */
  'multicast.max_rate'?: number | string
  /** Secret of at least 16 bytes that all hubs of the LAN know: datagrams are sealed with AES-256-GCM; empty: anybody on the network can read and send them. May change by update(). */
  'link.secret'?: string
  /** meshwork, or that of the npm package netcluster: sockets dir/netcluster-NAME, bodies are JSON, no acknowledgements, the hub is started by hand; dir may be open to others, such as /var/run. Default: `meshwork`. */
  'wire'?: 'meshwork' | 'netcluster'
  /** Answers showconfig, reloadconfig, showchannel and showclient on the channel control, where it is kept; set by hand, it must be. Default: `true`. */
  'control.enabled'?: boolean | string
  close?: { [key: string]: unknown }
  control?: { [key: string]: unknown }
  heartbeat?: { [key: string]: unknown }
  link?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  multicast?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
}

export interface ChannelOptions {
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,done,released,ask,draining,leader`. May change by update(). */
  'events'?: string[] | string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** At send.max_bytes: answer MW_EAGAIN, drop the new message, drop the oldest, keep the last of each topic, or end the link. Default: `refuse`. May change by update(). */
  'send.overflow'?: 'refuse' | 'drop_new' | 'drop_old' | 'conflate' | 'disconnect'
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** Time between heartbeats; 0: none. Default: `10s`. May change by update(). */
  'heartbeat.interval'?: number | string
  /** Heartbeats without an answer before the link is ended. Default: `2`. May change by update(). */
  'heartbeat.max_strikes'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** With hub.auto=false: wait before the next look for a hub. Default: `1s`. May change by update(). */
  'reconnect.interval'?: number | string
  /** Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID. */
  'dir'?: string
  /** meshwork, or that of the npm package netcluster: sockets dir/netcluster-NAME, bodies are JSON, no acknowledgements, the hub is started by hand; dir may be open to others, such as /var/run. Default: `meshwork`. */
  'wire'?: 'meshwork' | 'netcluster'
  /** Name of the channel: letters, digits, '.', '_' and '-'. Required. */
  'name'?: string
  /** Of event patterns: exact, mqtt, path, or regex (RE2's, of the whole name). Default: `regex`. */
  'pattern.syntax'?: 'exact' | 'mqtt' | 'path' | 'regex'
  /** Own subscriptions hear what is published here, too, marked MW_F_LOCAL. Default: `false`. */
  'emit.local'?: boolean | string
  /** Becomes the channel's hub where nobody else of the host is. Default: `true`. */
  'hub.auto'?: boolean | string
  close?: { [key: string]: unknown }
  emit?: { [key: string]: unknown }
  heartbeat?: { [key: string]: unknown }
  hub?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  pattern?: { [key: string]: unknown }
  reconnect?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
}

export interface ShareOptions {
  /** Defaults and wire of a seed system; set it before any other key. Default: `none`. */
  'preset'?: 'none' | 'cluster-client'
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,peer_up,peer_down,message,writable,slow,dropped,interest,done,released,ask,draining,leader`. May change by update(). */
  'events'?: string[] | string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** Time between heartbeats; 0: none. Default: `10s`. May change by update(). */
  'heartbeat.interval'?: number | string
  /** Heartbeats without an answer before the link is ended. Default: `2`. May change by update(). */
  'heartbeat.max_strikes'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** A call without a timeout of its own ends after this time; 0: never. Default: `3s`. May change by update(). */
  'call.timeout'?: number | string
  /** Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID. */
  'dir'?: string
  /** Name of the share: letters, digits, '.', '_' and '-' (wire=cluster-client: any text). Required. */
  'name'?: string
  /** meshwork: a unix socket in dir; or that of the npm package cluster-client: a TCP port, whose owner leads; anybody who can reach the port is let in. Default: `meshwork`. */
  'wire'?: 'meshwork' | 'cluster-client'
  /** wire=cluster-client: address of the port. Default: `127.0.0.1`. */
  'host'?: string
  /** wire=cluster-client: the port that is competed for; shares of other names use it, too. Default: `7777`. */
  'port'?: number | string
  /** wire=cluster-client: how arguments, results and values are encoded; the library passes them on and encodes only what it says itself. Default: `serialize-json`. */
  'transcode'?: 'serialize-json' | 'json'
  /** wire=cluster-client: who was not let in yet asks again. Default: `3s`. */
  'register.retry'?: number | string
  /** A leader that does not answer for so long when joined is taken for frozen. Default: `10s`. */
  'connect.timeout'?: number | string
  /** The DONE of mw_start comes at the latest then; 0: when there is a leader. Default: `30s`. */
  'start.timeout'?: number | string
  /** This process alone: it leads at once, without directory, lock and socket. Default: `false`. */
  'single'?: boolean | string
  /** compete: leads where nobody does; leader: mw_start fails where another leads; follower: waits for a leader, never leads. Default: `compete`. */
  'role'?: 'compete' | 'leader' | 'follower'
  /** Who gets what the leader publishes: all processes that subscribed to the key, or one of them at random. Default: `all`. */
  'fanout'?: 'all' | 'one'
  /** The leader keeps the last value of each key for who subscribes later. Default: `true`. */
  'retain'?: boolean | string
  /** Methods that may run twice: their calls in flight are repeated when the leader changes. */
  'retry.safe'?: string[] | string
  call?: { [key: string]: unknown }
  close?: { [key: string]: unknown }
  connect?: { [key: string]: unknown }
  heartbeat?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  register?: { [key: string]: unknown }
  retry?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
  start?: { [key: string]: unknown }
}

export interface ElectionOptions {
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID. */
  'dir'?: string
  /** A leader that lives but does not answer for about so long is replaced; one that died, at once. Default: `10s`. */
  'lease'?: number | string
  log?: { [key: string]: unknown }
}

export interface NodeOptions {
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,message,writable,slow,dropped,done,released,ask,draining,ready,member_up,member_down,member_changed,service_up,service_down`. May change by update(). */
  'events'?: string[] | string
  /** Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. May change by update(). */
  'link.secret'?: string
  /** Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. May change by update(). */
  'link.key_id'?: string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** Runtime directory where the processes of a host meet; empty: /run/user/UID/meshwork, or /tmp/meshwork-UID. */
  'dir'?: string
  /** A call without a timeout of its own ends after this time; 0: never. Default: `30s`. May change by update(). */
  'call.timeout'?: number | string
  /** Name of the mesh: letters, digits, '.', '_' and '-'. Required. */
  'cluster.deployment'?: string
  /** Part of the mesh that it belongs to, in the same letters; only nodes of the same one meet. Default: `meshwork`. */
  'cluster.name'?: string
  /** Role of this node, told to the others. Default: `default-service`. */
  'member.service'?: string
  /** Name of this node, of which there is one in the mesh; empty: a UUID. */
  'member.name'?: string
  /** Version of the services that have none of their own (semver.org). Default: `0.0.0`. */
  'member.version'?: string
  /** With registry=manager: secret of this node's role, where the managers have one for it (link.secrets); needs link.secret, too. May change by update(). */
  'member.secret'?: string
  /** How nodes find others: by files of this user on this host (host), at the addresses in seeds (gossip), or told by managers (manager). Default: `host`. */
  'registry'?: 'host' | 'gossip' | 'manager'
  /** With registry=manager: host:port of all managers, or host for its discovery.port. Any one of them does. May change by update(). */
  'registry.url'?: string[] | string
  /** Port of the managers that registry.url names without one. Default: `8765`. */
  'discovery.port'?: number | string
  /** Time between two looks for members that are not known yet. Default: `1s`. */
  'registry.scan'?: number | string
  /** With registry=gossip: host:port of some nodes; this one may be among them. May change by update(). */
  'seeds'?: string[] | string
  /** With registry=gossip or manager: address to listen on. Off loopback only with link.secret, or link.insecure. Default: `127.0.0.1`. */
  'host'?: string
  /** With registry=gossip or manager: port to listen on; 0: any free one (mw_info "address" tells). Default: `0`. */
  'port'?: number | string
  /** host:port that others should dial, best first; empty: where it listens. */
  'advertise'?: string[] | string
  /** Listens off loopback without link.secret: whoever reaches the port can be a member. Default: `false`. */
  'link.insecure'?: boolean | string
  /** Time between two pings of each member that this one watches. Default: `500ms`. */
  'probe.interval'?: number | string
  /** A member that does not answer for so long is asked through others, and after as long again suspected. Default: `500ms`. */
  'probe.timeout'?: number | string
  /** From suspicion to verdict: 0.8 of it where all its watchers agree, else up to 1.2. Default: `5s`. */
  'gossip.suspect'?: number | string
  /** Which role (member.service) may call which, by socketmesh's schema: {"A":{"_allow":["B"],"_connect":"anyNode","_commands":{"_balanced":{"x":{}}}}}; empty: all may, or what the managers say. A manager gives it to its nodes. May change by update(). */
  'access'?: Record<string, string | number | boolean | object> | string
  /** How roles are compared in access: as written, or without regard to ASCII case. Default: `exact`. */
  'access.names'?: 'exact' | 'nocase'
  /** What access allows and cannot mean (a role that is not there, a call that nobody may make): refused, or told by LOG. Default: `strict`. */
  'access.check'?: 'strict' | 'warn'
  /** Services that others must serve before this node is ready, with how many: {"words": 2}. READY tells. Default: `{}`. */
  'gate.services'?: Record<string, string | number | boolean | object> | string
  /** The DONE of mw_start comes at the latest then, with MW_ETIMEDOUT; 0: when the gate is met. Default: `1m`. */
  'gate.timeout'?: number | string
  /** Which of several members gets a call: in turn, by chance, the one with the fewest calls of ours, the better of two. Default: `round_robin`. May change by update(). */
  'route.strategy'?: 'round_robin' | 'random' | 'least_busy' | 'two_choices'
  /** A call that this node serves itself stays here. Default: `true`. May change by update(). */
  'route.local_first'?: boolean | string
  call?: { [key: string]: unknown }
  close?: { [key: string]: unknown }
  cluster?: { [key: string]: unknown }
  discovery?: { [key: string]: unknown }
  gate?: { [key: string]: unknown }
  gossip?: { [key: string]: unknown }
  link?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  member?: { [key: string]: unknown }
  probe?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  route?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
}

export interface ManagerOptions {
  /** LOG events up to this level; off means none. Default: `warn`. May change by update(). */
  'log.level'?: 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** Kinds of events wanted: a full list, or changes to the default such as +ping,-log. closed, done, released and ask always come. Default: `up,down,closed,error,log,message,writable,slow,dropped,done,released,ask,draining,ready,member_up,member_down,member_changed,service_up,service_down`. May change by update(). */
  'events'?: string[] | string
  /** Secret of at least 16 bytes that both ends know: TLS 1.3 by a pre-shared key instead of certificates. It is stretched (scrypt), which the first handshake waits some 100 ms for. May change by update(). */
  'link.secret'?: string
  /** Name of link.secret, sent in the clear; both ends must use the same. Default: `meshwork`. May change by update(). */
  'link.key_id'?: string
  /** Secrets of roles, {"ROLE":"SECRET"}, at most 64: a node of such a role must have it as its member.secret, and can be nothing else. May change by update(). */
  'link.secrets'?: Record<string, string | number | boolean | object> | string
  /** Above it sends answer MW_BUFFERED; WRITABLE follows. Default: `64KiB`. May change by update(). */
  'send.soft_bytes'?: number | string
  /** Hard bound of what waits for one peer; send.overflow says what happens there. Default: `4MiB`. May change by update(). */
  'send.max_bytes'?: number | string
  /** Larger messages close the link with 1009. Default: `1MiB`. */
  'recv.max_message'?: number | string
  /** How long a close waits for the other side's close frame. Default: `5s`. May change by update(). */
  'close.timeout'?: number | string
  /** Name of the mesh: letters, digits, '.', '_' and '-'. Required. */
  'cluster.deployment'?: string
  /** Part of the mesh that it belongs to, in the same letters; only nodes of the same one meet. Default: `meshwork`. */
  'cluster.name'?: string
  /** Name of this node, of which there is one in the mesh; empty: a UUID. */
  'member.name'?: string
  /** With port 0: this manager also listens there, so that nodes need to know its host only; 0: it does not. Where another has it, ERROR tells, and it is tried again. Default: `8765`. */
  'discovery.port'?: number | string
  /** Address to listen on. Off loopback only with link.secret or link.secrets, or link.insecure. Default: `127.0.0.1`. */
  'host'?: string
  /** Port to listen on; 0: any free one (mw_info "address" tells), and discovery.port. Default: `0`. */
  'port'?: number | string
  /** Time between two looks for members that are not known yet. Default: `1s`. */
  'registry.scan'?: number | string
  /** Listens off loopback without link.secret: whoever reaches the port can be a member. Default: `false`. */
  'link.insecure'?: boolean | string
  /** Time between two pings of each member that this one watches. Default: `500ms`. */
  'probe.interval'?: number | string
  /** A member that does not answer for so long is asked through others, and after as long again suspected. Default: `500ms`. */
  'probe.timeout'?: number | string
  /** From suspicion to verdict: 0.8 of it where all its watchers agree, else up to 1.2. Default: `5s`. */
  'gossip.suspect'?: number | string
  /** Which role (member.service) may call which, by socketmesh's schema: {"A":{"_allow":["B"],"_connect":"anyNode","_commands":{"_balanced":{"x":{}}}}}; empty: all may, or what the managers say. A manager gives it to its nodes. May change by update(). */
  'access'?: Record<string, string | number | boolean | object> | string
  /** How roles are compared in access: as written, or without regard to ASCII case. Default: `exact`. */
  'access.names'?: 'exact' | 'nocase'
  /** What access allows and cannot mean (a role that is not there, a call that nobody may make): refused, or told by LOG. Default: `strict`. */
  'access.check'?: 'strict' | 'warn'
  close?: { [key: string]: unknown }
  cluster?: { [key: string]: unknown }
  discovery?: { [key: string]: unknown }
  gossip?: { [key: string]: unknown }
  link?: { [key: string]: unknown }
  log?: { [key: string]: unknown }
  member?: { [key: string]: unknown }
  probe?: { [key: string]: unknown }
  recv?: { [key: string]: unknown }
  registry?: { [key: string]: unknown }
  send?: { [key: string]: unknown }
}
