import { Context, MeshworkError } from './index'
import { ManagerOptions, NodeOptions } from './options'

export type Method = (data: any) => unknown
export interface BroadcastMethod {
  /** The values that all nodes answer with are returned in an array. Default: false, nobody answers. */
  responds?: boolean
  /** One after the other. */
  queued?: boolean
  method?: Method | null
}
export interface Role {
  /** Nodes that may call this one. */
  _allow?: 'anyNode' | string[]
  /** Nodes that this one calls. */
  _connect?: 'anyNode' | string[]
  _commands?: {
    _balanced?: Record<string, Method | { queued?: boolean, method?: Method | null } | null>
    _broadcast?: Record<string, Method | BroadcastMethod | null>
  }
}
/** Names of nodes are compared without regard to case. Functions are needed for the node's own methods only. */
export type Schema = Record<string, Role>

interface Keys {
  /** The same on all nodes and managers; any text. */
  publicKey: string
  privateKey: string
  logLevel?: 'off' | 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** What goes wrong on its own; without it, a warning of the process. */
  onError?: (error: Error) => void
}

export type ManagerSettings = Keys & {
  schema: Schema
  /** Without it any, found through the discovery port (8765). */
  port?: number | string
  /** Where it listens. Default: every network. */
  ip?: string
} & Omit<ManagerOptions, 'port'>

/** Where nodes report, and which tells them whom there is. */
export class Manager {
  constructor (settings: ManagerSettings, context?: Context)
  readonly schema: Schema
  /** Resolves when nodes can connect; false: they cannot, onError said why, and it is closed. */
  readonly started: Promise<boolean>
  readonly listening: boolean
  readonly address: string[]
  /** The nodes that are there, by worker. */
  connections (): Record<string, Connection[]>
  destroy (): Promise<void>
}

export interface Connection {
  readonly worker: string
  readonly variant: string
  readonly address: string[]
}
export interface Which { /** Variants. */ only?: string | string[], exclude?: string | string[], timeout?: number, signal?: AbortSignal }
/** What all nodes answered, and who did not. */
export type Answers = unknown[] & { failures: Array<{ worker: string, variant: string, error: MeshworkError }> }

export type NodeSettings = Keys & {
  /** Its name in the schema. */
  worker: string
  /** Its name among the nodes of its worker. Default: a UUID. */
  variant?: string
  schema: Schema
  /** Of the manager. */
  ip?: string
  port?: number | string
  /** Where this node listens. Default: any. */
  meshPort?: number | string
  /** Not used: queues are in memory. */
  redis?: { host?: string, port?: number }
  /** How long (ms) a call waits for a node that takes it, before its own time begins. Default: 3000. */
  wait?: number
  onConnected?: () => void
  /** A node that this one may call, or that may call this one; those known from the beginning come after onConnected. */
  onConnection?: (connection: Connection) => void
  onDisconnection?: (connection: Connection) => void
} & Omit<NodeOptions, 'port'>

/** A node: answers what its schema gives functions for, calls what it allows. */
export class SocketNode {
  constructor (settings: NodeSettings, context?: Context)
  readonly worker: string
  readonly variant: string
  /** call.NODE.METHOD.call(data, { only, exclude }): the answer of one node in turn; of a broadcast that responds, Answers. */
  readonly call: Record<string, Record<string, { call (data?: unknown, which?: Which): Promise<any> }>>
  readonly methods: Record<string, Method | undefined>
  /** Resolves when the other nodes are known; false: it ended before. */
  readonly connected: Promise<boolean>
  readonly connections: {
    readonly connections: Connection[]
    connected (worker: string): boolean
    getConnection (which: { worker: string, variant?: string }): Connection | undefined
  }
  readonly meshServer: { readonly listening: boolean, readonly connections: { readonly connections: Connection[] } }
  getConnection (which: { worker: string, variant?: string }): Connection | undefined
  destroy (): Promise<void>
}
