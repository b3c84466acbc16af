import { EventEmitter } from 'node:events'
import {
  ContextOptions, ProviderOptions, ConsumerOptions, SubscriptionOptions, ServiceOptions, CallOptions, HubOptions, ChannelOptions, ShareOptions,
  ElectionOptions, NodeOptions, ManagerOptions
} from './options'

export {
  ContextOptions, ProviderOptions, ConsumerOptions, SubscriptionOptions, ServiceOptions, CallOptions, HubOptions, ChannelOptions, ShareOptions,
  ElectionOptions, NodeOptions, ManagerOptions
}

/** What may be sent: a string is text, bytes are binary, a message that came is passed on as it is. */
export type Body = string | Uint8Array | ArrayBuffer | Message
/** Every promise of this package can be given up by a signal or after milliseconds. */
export interface How { signal?: AbortSignal, timeout?: number }
export interface SendOptions {
  /** Compresses it where the link agreed on compression. */
  compress?: boolean
  /** Sends bytes as text; they must be UTF-8. */
  text?: boolean
  /** The body is a list: length (u32, little endian) and bytes, each. */
  list?: boolean
  /** First or middle fragment of a message. */
  more?: boolean
  /** Middle or last fragment of a message. */
  continues?: boolean
  /** false: refuses while offline, even with an offline buffer. */
  queue?: boolean
}
export type Headers = Record<string, string | Uint8Array> | Map<string, string | Uint8Array>
/** Why something ended. */
export interface End {
  /** Close code of the link, or 0. */
  code: number
  reason: string
  error?: MeshworkError
  /** Messages accepted and never handed to the kernel. */
  unsent?: number
  unsentBytes?: number
}
export interface Slow { /** Bytes that wait. */ waiting: number, /** Number of the policy about to act. */ policy: number }
export interface Dropped { count: number, error?: MeshworkError, /** The last one. */ message: Message }
export interface Facts { uuid: string, ip: string, port: number, parameters?: Record<string, string>, wire: string, data?: unknown, [key: string]: unknown }

/** A failure told by the core. */
export class MeshworkError extends Error {
  /** Such as 'MW_EAGAIN'. */
  readonly code: string
  /** The same as a number: see `status`. */
  readonly status: number
  /** Whether trying again later may succeed. */
  readonly retryable: boolean
  /** What the operating system said, where it did. */
  readonly errno?: number
  /** HTTP status of the provider's refusal, where it was one. */
  readonly http?: number
  /** Of a failed call: the object that came instead of an answer. */
  readonly detail?: Record<string, unknown>
  /** Why a request is over, as the reason of its signal. */
  readonly why?: 'asked' | 'deadline' | 'gone'
}

/** One message that came. Its bytes are lent to the handler; detach() keeps them. */
export class Message {
  private constructor ()
  readonly isText: boolean
  /** The body is a list: length (u32, little endian) and bytes, each. */
  readonly isList: boolean
  /** Sent by the handle that got it (option `emit.local` of a channel). */
  readonly isLocal: boolean
  /** The last value of a key of a share, from before the subscription. */
  readonly isRetained: boolean
  readonly length: number
  readonly flags: number
  /** Number on its link, modulo 2^31; 0 where the wire has none. */
  readonly sequence: number
  /** The body: a view that lives as long as the message. */
  readonly data: Buffer
  readonly text: string
  readonly topic: string
  readonly headers: Map<string, Buffer>
  json (): any
  /** Makes it own its bytes. Returns itself. */
  detach (): this
}

export interface ContextEvents {
  close: []
  log: [line: string, level: number, area: string]
  fault: [error: MeshworkError]
}

/** Event loop, memory budget and clock of providers and consumers. */
export class Context extends EventEmitter<ContextEvents> {
  constructor (options?: ContextOptions)
  /** The one of objects that name none. */
  static readonly default: Context
  readonly handle: number
  readonly closed: Promise<void>
  /** Closes everything in it; resolves when no thread of it is left. */
  close (): Promise<void>
  [Symbol.asyncDispose] (): Promise<void>
  /** Sends what was posted, now. */
  flush (): void
  stat (what: number): number
  update (options: ContextOptions, how?: How): Promise<void>
}

declare class Handle<E extends Record<keyof E, unknown[]>> extends EventEmitter<E> {
  readonly context: Context
  /** Its number in the core. */
  readonly handle: number
  readonly state: 'idle' | 'connecting' | 'up' | 'ready' | 'waiting' | 'draining' | 'closed'
  /** Resolves with why it ended, after its last event. Never rejects. */
  readonly closed: Promise<End>
  /** Sends what was accepted, then says goodbye. abort: cuts at once. */
  close (how?: { code?: number, reason?: string, abort?: boolean }): Promise<End>
  [Symbol.asyncDispose] (): Promise<End>
  /** Takes no messages until resume(). */
  pause (): void
  resume (): void
  /** Holds writes until uncork(), for `cork.max` at most. */
  cork (): void
  uncork (): void
  /** One number: `stat.BUFFERED`, `stat.RTT` ... */
  stat (what: number): number
  /** Facts known at once: '', 'config', 'address', 'state', 'topics' or 'queues'. */
  info (what?: string): any
}

interface Subscriber {
  /** Resolves when publishes that match will come. */
  subscribe (pattern: string, options?: SubscriptionOptions & How): Promise<void>
  unsubscribe (pattern: string, how?: How): Promise<void>
  /** Whether a publish to this topic would arrive. */
  subscribed (topic: string): boolean
  /** Messages one by one, detached; the other side waits while they are not taken. */
  [Symbol.asyncIterator] (): AsyncGenerator<Message, void, void>
}

interface Caller {
  /** Calls a method of the other end (wire meshwork); resolves with its answer. */
  call (target: string, data?: Value, options?: CallHow & { part?: (part: Message) => void }): Promise<Message>
  /** The parts of an answer one by one, then the answer where it has bytes; who answers waits while they are not taken. */
  stream (target: string, data?: Value, options?: CallHow): AsyncGenerator<Message, void, void>
}

interface Publisher {
  /** Sends to all that subscribed. true: go on; false: accepted, but go on at 'writable'. Throws when refused. */
  publish (topic: string, data: Body, options?: SendOptions & { headers?: Headers }): boolean
}

interface Sender<E extends Record<keyof E, unknown[]>> extends Subscriber, Caller {}
declare class Sender<E extends Record<keyof E, unknown[]>> extends Handle<E> {
  /** true: go on; false: accepted, but go on at 'writable'. Throws when refused. */
  send (data: Body, options?: SendOptions & { headers?: Headers }): boolean
  /** The fastest way: sends together with all that is posted in this batch. What is refused is told by 'refused'. */
  post (data: Body, options?: SendOptions): void
  /** Resolves when it is 'sent' (with the kernel) or 'taken' (by the other program; wire meshwork). */
  deliver (data: Body, options?: SendOptions & How & { headers?: Headers }): Promise<'sent' | 'taken'>
  /** At most 125 bytes; the event 'pong' tells. */
  ping (data?: string | Uint8Array): boolean
}

/** What calls carry: text, bytes and messages as they are, anything else as JSON text. */
export type Value = Body | object | number | boolean | null | undefined
export interface CallHow extends CallOptions {
  headers?: Headers
  signal?: AbortSignal
  /** Milliseconds; without it the option `call.timeout`, Infinity: none. */
  timeout?: number
  /** Made for this request: its time and its end count here too. */
  parent?: Request
  /** Nobody answers; resolves when it is out. */
  oneway?: boolean
  /** Of a share, with oneway: again to each new leader. */
  repeat?: boolean
  text?: boolean
  compress?: boolean
  /** The body is a list: length (u32, little endian) and bytes, each. */
  list?: boolean
}
type ReplyHow = { headers?: Headers, text?: boolean, compress?: boolean, list?: boolean }

/** A call to answer, once and at any time. */
export interface Request<C = Connection | Consumer> {
  readonly id: number
  /** The connection, or at a consumer itself, whose other end calls; at a node the member's name. Of a share: undefined. */
  readonly caller: C
  readonly method: string
  /** What it was called with: lent to the handler, kept where that returns something. */
  readonly message: Message
  /** Milliseconds left to answer when it came; Infinity: no limit. */
  readonly timeLeft: number
  /** Nobody waits for an answer; a queue does. */
  readonly oneway: boolean
  /** Answered, or nobody waits any more. */
  readonly over: boolean
  /** Aborted when the answer is wanted no more. */
  readonly signal: AbortSignal
  reply (data?: Value, how?: ReplyHow): void
  /** One part of several, which reply() ends. false: kept, but go on after room(). */
  part (data?: Value, how?: ReplyHow): boolean
  room (): Promise<void>
  /** A failure instead: an error, a text, or an object that travels as it is. code: 'MW_EDENIED' ... */
  fail (error?: Error | string | object, how?: { code?: string }): void
  /** Back into the queue of its service, to come again later; error and code are the caller's where that was the last time. */
  giveBack (error?: Error | string | object, how?: { code?: string }): void
}
export type Answers<C = Connection | Consumer> = (request: Request<C>) => Value | void | Promise<Value | void> | AsyncIterable<Value>

/** What one end of a link serves under a name. close() ends it. */
export class Service extends Handle<{
  /** Its queue gave a call up (MW_EDEAD, the header attempts), or lost count oneway ones as it closed (MW_ECLOSED). */
  dropped: [dropped: Dropped]
  close: [end: End]
}> {
  private constructor ()
  readonly owner: Provider | Consumer | Node
  readonly name: string
  /** Answers new calls with MW_EDRAINING, finishes those that run, closes; at the latest after ms. */
  drain (ms?: number, how?: How): Promise<void>
}

interface Startable {
  /** Listens or connects. Resolves when usable; may be called again to wait for that. */
  start (how?: How): Promise<this>
}

interface Opened<O> extends Startable {
  /** Changes live options, all or nothing. */
  update (options: O, how?: How): Promise<void>
  /** Refuses what is new, finishes, tells the peers, closes; at the latest after ms. */
  drain (ms?: number, how?: How): Promise<void>
}

interface Serving<O> extends Opened<O> {
  /** Serves calls to name and name.method. What the handler returns, or its promise resolves with, is the answer; an async
   *  generator gives parts; what it throws is the failure. undefined: request.reply() follows. */
  serve (name: string, handler: Answers, options?: ServiceOptions): Service
  /** Facts that have to be gathered. */
  query (what: 'peers', how?: How): Promise<any>
  query (what: 'metrics', how?: How): Promise<string>
}

export interface ConnectionEvents {
  message: [message: Message]
  close: [end: End]
  writable: []
  refused: [error: MeshworkError]
  slow: [slow: Slow]
  dropped: [dropped: Dropped]
  ping: [body: Buffer]
  pong: [body: Buffer, milliseconds: number]
  draining: [plan: { slot: number, deadline: number }]
}

/** One peer of a provider. */
export class Connection extends Sender<ConnectionEvents> {
  private constructor ()
  readonly provider: Provider
  /** What is known of it. */
  readonly facts: Facts
  /** A UUID. */
  readonly id: string
  readonly ip: string
  readonly port: number
  readonly parameters: Record<string, string>
  /** What ask.allow() was given. */
  readonly data: unknown
}

/** A question about one client (option `auth.ask`): answer it once. */
export interface Ask {
  readonly [fact: string]: any
  allow (data?: unknown): void
  refuse (how?: { status?: number, body?: string }): void
}

export interface ProviderEvents {
  up: [facts: { address: string[] }]
  connection: [connection: Connection]
  disconnection: [connection: Connection, end: End]
  message: [connection: Connection, message: Message]
  ask: [ask: Ask]
  close: [end: End]
  fault: [error: MeshworkError, connection?: Connection]
  log: [line: string, level: number, area: string, connection?: Connection]
  interest: [topic: string, now: number, before: number, connection?: Connection]
  slow: [connection: Connection, slow: Slow]
  dropped: [connection: Connection, dropped: Dropped]
  ping: [connection: Connection, body: Buffer]
  pong: [connection: Connection, body: Buffer, milliseconds: number]
}

/** A listener that admits many peers. */
export interface Provider extends Serving<ProviderOptions> {}
export class Provider extends Handle<ProviderEvents> {
  constructor (options?: ProviderOptions, context?: Context)
  /** By handle. */
  readonly connections: Map<number, Connection>
  /** Addresses it listens on, once up. */
  readonly address: string[]
  /** Sends to every connection that subscribed to the topic; '': to all. */
  publish (topic: string, data: Body, options?: SendOptions & { except?: Connection, headers?: Headers }): void
  /** Publishes, and resolves with the number of connections reached. */
  reach (topic: string, data: Body, options?: SendOptions & How & { except?: Connection, headers?: Headers }): Promise<number>
  messages (): AsyncGenerator<[Connection, Message], void, void>
}

export interface ConsumerEvents extends ConnectionEvents {
  /** After every connect. */
  up: [facts: { attempts: number, resumed: boolean, address: string, wire: string, [key: string]: unknown }]
  /** Lost; it comes back in retryIn milliseconds. */
  down: [end: End & { retryIn: number }]
  /** With share=group: whether this process has the connection of the group now; the epoch rises with each leader. */
  leader: [self: boolean, epoch: number]
  fault: [error: MeshworkError]
  log: [line: string, level: number, area: string]
}

/** A connection to one provider that always comes back. */
export interface Consumer extends Serving<ConsumerOptions> {}
export class Consumer extends Sender<ConsumerEvents> {
  constructor (options?: ConsumerOptions, context?: Context)
}

/** What a hub knows of a member. */
export interface MemberFacts { channel: string, pid: number, uuid: string, [key: string]: unknown }

export interface ChannelEvents {
  /** message.topic: the event's name; the header sender: whose it is. */
  message: [message: Message]
  /** There is a hub; after every change of it, too. */
  up: [facts: { attempts: number, hub: boolean, epoch: number, [key: string]: unknown }]
  /** The hub went; another takes over. What was published meanwhile is kept. */
  down: [end: End & { retryIn: number }]
  writable: []
  /** Where this process is the hub: a member that does not read. */
  slow: [slow: Slow & { member?: MemberFacts }]
  /** What got lost on the way to this process or, where it is the hub, to a member. */
  dropped: [dropped: Dropped & { member?: MemberFacts }]
  close: [end: End]
  fault: [error: MeshworkError]
  log: [line: string, level: number, area: string]
}

/** A member of a channel of this host (option `name`): hears what all others publish there. */
export interface Channel extends Opened<ChannelOptions>, Subscriber, Publisher {}
export class Channel extends Handle<ChannelEvents> {
  constructor (options?: ChannelOptions, context?: Context)
  /** Publishes, and resolves when every other member has it: 'taken'. 'sent': with the kernel (wire netcluster). */
  deliver (event: string, data: Body, options?: SendOptions & How & { headers?: Headers }): Promise<'sent' | 'taken'>
  query (what: 'members', how?: How): Promise<Array<{ uuid: string, pid: number, self: boolean }>>
}

/** A member of a channel, as a standing hub sees it. */
export class Member extends Handle<{
  close: [end: End]
  slow: [slow: Slow]
  dropped: [dropped: Dropped]
}> {
  private constructor ()
  readonly hub: Hub
  readonly facts: MemberFacts
  /** A UUID. */
  readonly id: string
}

export interface HubEvents {
  up: [facts: { attempts: number, [key: string]: unknown }]
  connection: [member: Member]
  disconnection: [member: Member, end: End]
  slow: [member: Member, slow: Slow]
  /** undefined: lost on the LAN. On the way here, then the message's header sender says from which hub, or not sent. */
  dropped: [member: Member | undefined, dropped: Dropped]
  /** Of a channel with "dump": its name as topic; the event's name, a space and its body as body. */
  dump: [message: Message, member?: Member]
  close: [end: End]
  fault: [error: MeshworkError]
  log: [line: string, level: number, area: string, member?: Member]
}

/** A standing hub: keeps channels for the whole host. */
export interface Hub extends Opened<HubOptions> {}
export class Hub extends Handle<HubEvents> {
  constructor (options?: HubOptions, context?: Context)
  /** By handle. */
  readonly members: Map<number, Member>
  /** 'channel/NAME' (a list), 'client/NAME/UUID' or 'lan'. */
  query (what: string, how?: How): Promise<any>
}

export interface ShareEvents {
  /** Who leads was settled: this process (it makes what is shared, and answers), or another. Each epoch is above the last. */
  leader: [self: boolean, epoch: number]
  /** In the leader: this many processes of the host want the key now. */
  interest: [key: string, now: number, before: number]
  /** A value of a key: message.topic. */
  message: [message: Message]
  /** There is a leader to talk to; after every change of it, too. */
  up: [facts: object]
  down: [end: End & { retryIn: number }]
  close: [end: End]
  fault: [error: MeshworkError]
  log: [line: string, level: number, area: string]
}

/** One of the processes of this host that use something together (option `name`): one of them, the leader, has it. */
export interface Share extends Startable, Subscriber, Caller, Publisher {}
export class Share extends Handle<ShareEvents> {
  constructor (options?: ShareOptions, context?: Context)
  /** What the leader's process answers the calls of all with, as the handler of a service does. */
  serve (handler: Answers<undefined>): void
  /** In the leader: gives out the value of a key, and resolves when that is done. */
  deliver (key: string, value: Body, options?: SendOptions & How & { headers?: Headers }): Promise<'sent'>
  info (): { name: string, leader: boolean, epoch: number }
}

/** Says which process of this host leads: of all that stand under the name one, and another when it goes. close() resigns. */
export interface Election extends Startable {}
export class Election extends Handle<{
  /** undefined: nobody is known. Each leader's epoch is above the last: who takes orders refuses a lower one than it has seen. */
  leader: [self: boolean | undefined, epoch: number]
  close: [end: End]
  fault: [error: MeshworkError]
  log: [line: string, level: number, area: string]
}> {
  constructor (options: ElectionOptions & { name: string }, context?: Context)
  info (): { name: string, leader: boolean, epoch: number }
}

/** What is known of a member of a mesh. */
export interface MeshMember {
  name: string
  /** Its option `member.service`. */
  service: string
  address: string[]
}
/** What one member said to a call of all. */
export interface MemberAnswer { member: string, message: Message, /** Another part of it follows. */ more: boolean }
export interface MemberFailure extends MemberAnswer { error: MeshworkError }
export interface ServiceNews { service: string, member: string, version: string, methods: string[], /** How many other members serve it now. */ count: number }

export interface NodeEvents {
  /** It listens: others can find it. */
  up: [facts: { address: string[], [key: string]: unknown }]
  /** Option `gate.services`: met, or lost again; how many serve each. */
  ready: [met: boolean, services: Record<string, number>]
  memberUp: [member: MeshMember & { /** Higher each time it comes. */ incarnation: number }]
  /** error: undefined where it left by itself; reason says why. */
  memberDown: [member: { name: string, incarnation: number, reason: string, /** Who said so. */ by?: string, error?: MeshworkError }]
  /** It does not answer (suspected), is well again, or serves or wants something else. */
  memberChanged: [member: MeshMember & { incarnation: number, suspected: boolean }]
  serviceUp: [news: ServiceNews]
  serviceDown: [news: ServiceNews]
  /** The header member says who published it. */
  message: [message: Message]
  writable: []
  /** A member does not read what is published to it. */
  slow: [slow: Slow]
  dropped: [dropped: Dropped]
  close: [end: End]
  fault: [error: MeshworkError]
  log: [line: string, level: number, area: string]
}

export type ManagerEvents = Pick<NodeEvents, 'up' | 'memberUp' | 'memberDown' | 'memberChanged' | 'close' | 'fault' | 'log'>

/** Where nodes report (their options `registry: 'manager'`, `registry.url`), and which tells them whom there is. */
export interface Manager extends Opened<ManagerOptions> {}
export class Manager extends Handle<ManagerEvents> {
  constructor (options?: ManagerOptions, context?: Context)
  members: Node['members']
}

/** A member of a mesh (options `cluster.deployment`, `member.service` ...): finds the others, serves, calls, publishes. start()
 *  resolves when what others know is known here and `gate.services` is met. Iterations of a node keep at most 65,536 items,
 *  then throw MW_EOVERFLOW: its links are not paused. */
export interface Node extends Opened<NodeOptions>, Subscriber, Caller {}
export class Node extends Handle<NodeEvents> {
  constructor (options?: NodeOptions, context?: Context)
  /** Serves calls to name and name.method of all members, as Provider.serve(); request.caller is the member's name. */
  serve (name: string, handler: Answers<string>, options?: ServiceOptions): Service
  /** Calls every member that serves it: what each says, one by one, { error } where it failed. */
  broadcast (target: string, data?: Value, options?: CallHow): AsyncGenerator<MemberAnswer | MemberFailure, void, void>
  /** The same, gathered. Rejects only where nobody was asked. */
  gather (target: string, data?: Value, options?: CallHow): Promise<{ answers: MemberAnswer[], failures: MemberFailure[] }>
  /** To every member that subscribed, this one too; local: this one only. true: go on; false: accepted, but go on at 'writable'. */
  publish (topic: string, data: Body, options?: SendOptions & { headers?: Headers, local?: boolean }): boolean
  /** The same; resolves with the number of other members that want it. */
  reach (topic: string, data: Body, options?: SendOptions & How & { headers?: Headers, local?: boolean }): Promise<number>
  /** Who is there, this node too. */
  members (how?: How): Promise<Array<MeshMember & {
    services: Array<{ name: string, version: string, mode: string }>
    incarnation: number
    self: boolean
    linked: boolean
    suspected: boolean
    /** Calls of this node that it has. */
    in_flight: number
    started_ms: number
    /** Since when it is well or suspected (not of the one that is asked), why, and the last changes. */
    state?: string
    since_ms?: number
    reason?: string
    changes?: Array<{ at_ms: number, state: string, reason: string }>
  }>>
  /** Who calls whom, with failures and times; queues; who went. */
  query (what: 'stats', how?: How): Promise<any>
  query (what: 'metrics', how?: How): Promise<string>
}

export interface Described {
  key: string
  type: string
  default: string
  doc: string
  live: boolean
  secret: boolean
  values?: string[]
  min?: string
  max?: string
}
type Kind = 'context' | 'provider' | 'consumer' | 'subscription' | 'service' | 'call' | 'hub' | 'channel' | 'share' | 'election' | 'node' | 'manager'

/** Numbers of stat(). */
export const stat: Readonly<Record<string, number>>
/** Status codes by name. */
export const status: Readonly<Record<string, number>>
/** Version of the core inside. */
export const version: string
/** Every option of a kind of object, described by the core. */
export function describe (kind: Kind): Described[]
/** Checks options and reads one of them back as text; secrets read '***'. */
export function readOption (kind: Kind, options: object, key: string): string
