import { EventEmitter } from 'node:events'
import { Context } from './index'
import { ShareOptions } from './options'

declare namespace cluster {
  interface Transcode {
    encode (value: any): Buffer
    decode (bytes: Buffer): any
  }

  /** Options of that package, and few of ours. */
  interface ClusterOptions {
    /** Default: the class's name. */
    name?: string
    /** Default: NODE_CLUSTER_CLIENT_PORT, or 7777. */
    port?: number
    /** true: lead or fail; false: only follow; default: whoever comes first leads. */
    isLeader?: boolean | null
    /** One process, no port. Default: NODE_CLUSTER_CLIENT_SINGLE_MODE is 1. */
    singleMode?: boolean
    /** Milliseconds until there must be a leader; default 30000. */
    maxWaitTime?: number
    /** Default: NODE_CLUSTER_CLIENT_CONNECT_TIMEOUT, or 10000. */
    connectTimeout?: number
    /** Default: 3000. */
    responseTimeout?: number
    /** 'error' when a first value takes longer; default: it may. */
    subscribeTimeout?: number
    /** Default: 20000. */
    heartbeatInterval?: number
    isCheckHeartbeat?: boolean
    /** Delegates subscribe, unSubscribe, publish, close, and all async and generator methods; default true. */
    autoGenerate?: boolean
    /** false: a value goes to one process at random. */
    isBroadcast?: boolean
    formatKey? (reg: any): string
    transcode?: Transcode
    logger?: { warn? (line: any): void }
    /** 'meshwork': our own wire, in a directory of this user; programs of that package cannot join. */
    wire?: 'cluster-client' | 'meshwork'
    dir?: string
    /** More options of the share below. */
    share?: ShareOptions
    context?: Context
  }

  type Verb = 'subscribe' | 'unSubscribe' | 'publish' | 'invoke' | 'invokeOneway' | 'close'

  /** ready() and await(), as sdk-base has them. */
  class Base extends EventEmitter {
    constructor (options?: any)
    options: any
    readonly isReady: boolean
    ready (): Promise<void>
    ready (what: boolean | Error | ((error?: Error) => void)): void
    await (event: string): Promise<any>
  }

  interface Client extends Base {
    readonly isClusterClientLeader: boolean
    subscribe (reg: any, listener: (value: any) => void): this
    unSubscribe (reg: any, listener?: (value: any) => void): void
    publish (reg: any): this
    close (): Promise<void>
    [method: string]: any
  }

  interface Generator<T> {
    override (name: string, value: any): this
    delegate (from: string, to?: Verb): this
    create (...args: any[]): Client & T
  }

  class APIClientBase extends Base {
    protected _client: Client
    readonly isClusterClientLeader: boolean
    get DataClient (): new (...args: any[]) => any
    get clusterOptions (): ClusterOptions
    get delegates (): Record<string, Verb>
    close (): Promise<void>
  }

  function close (client: Client): Promise<void>
}

/** Shares one client of a class among all processes that name the same port. */
declare function cluster<T> (clientClass: new (...args: any[]) => T, options?: cluster.ClusterOptions): cluster.Generator<T>
export = cluster
