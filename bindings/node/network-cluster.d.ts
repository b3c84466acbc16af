import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { ProviderOptions as Core, ConsumerOptions as CoreConsumer } from './options'

export const COMPRESSORS: Readonly<Record<'DISABLED' | 'SHARED_COMPRESSOR' | `DEDICATED_COMPRESSOR_${3 | 4 | 8 | 16 | 32 | 64 | 128 | 256}KB`, number>>

/** What of HyperExpress's request an upgrade has. */
export interface Request {
  method: string
  path: string
  url: string
  query: string
  path_query: string
  query_parameters: Record<string, string>
  headers: Record<string, string>
  ip: string
  remote_port: number
  origin: string
}

/** Options of that package; every option of meshwork may be given beside them. */
export interface ProviderOptions extends Omit<Core, 'port' | 'path' | 'auth' | 'heartbeat'> {
  /** Default: 8080. */
  port?: number
  /** Default: '/connect'. */
  path?: string
  ssl?: { key: string, cert: string, passphrase?: string, dh_params?: string, prefer_low_memory_usage?: boolean }
  ws?: { compressor?: number, max_backpressure?: number, max_payload_length?: number }
  auth?: {
    parameters?: Record<string, string | number | boolean>
    handler?: (request: Request, parameters: Record<string, string>) => boolean | Promise<boolean>
  }
  heartbeat?: { interval?: number, max_strikes?: number }
}

export interface ConsumerOptions extends Omit<CoreConsumer, 'host' | 'port' | 'path' | 'parameters' | 'reconnect'> {
  /** true, or options of TLS such as { ca_file: 'ca.pem' }. */
  ssl?: boolean | Record<string, string | boolean>
  host?: string
  port?: number
  path?: string
  parameters?: Record<string, string | number | boolean>
  reconnect?: { interval?: number, max_attempts?: number }
}

/** One consumer, seen by its provider. Events: message, close, ping, pong, drain, dropped, subscription. */
export class Connection extends EventEmitter {
  private constructor ()
  readonly id: string
  readonly ip: string
  readonly remote_port: number
  readonly parameters: Record<string, string>
  readonly last_ping: number
  readonly strikes: number
  readonly buffered: number
  readonly closed: boolean
  readonly topics: string[]
  readonly raw: null
  context: any
  /** 1: sent; 0: accepted and waiting, or closed; 2: dropped. */
  send (message: string | Uint8Array | ArrayBuffer, is_binary?: boolean, compress?: boolean): 0 | 1 | 2
  ping (message?: string | Uint8Array): 0 | 1 | 2
  close (code?: number, message?: string): void
  destroy (): void
  subscribe (topic: string): boolean
  unsubscribe (topic: string): boolean
  is_subscribed (topic: string): boolean
  publish (topic: string, message: string | Uint8Array | ArrayBuffer, is_binary?: boolean, compress?: boolean): boolean
  atomic (callback: () => void): this
  stream (readable: Readable, is_binary?: boolean): Promise<void>
  readonly writable: Writable
}

export class Provider {
  constructor (options?: ProviderOptions)
  readonly connections: Record<string, Connection>
  readonly port: number
  readonly path: string
  readonly events: EventEmitter
  readonly server: undefined
  on (event: 'open', handler: (connection: Connection) => void): void
  on (event: 'close', handler: (connection: Connection, code: number, reason: string) => void): void
  on (event: 'message', handler: (connection: Connection, message: string) => void): void
  once (event: string, handler: (...args: any[]) => void): void
  set_error_handler (handler: (error: Error) => void): void
  set_debug_logger (handler: (message: string) => void): void
  destroy (): Promise<unknown>
}

export class Consumer {
  constructor (options?: ConsumerOptions)
  readonly ws: { readonly readyState: number, readonly bufferedAmount: number, send (data: string | Uint8Array): void, ping (data?: string): void, close (code?: number, reason?: string): void, terminate (): void } | null
  readonly events: EventEmitter
  readonly in_flight: boolean
  readonly connected: boolean
  readonly heartbeat_duration: number
  readonly heartbeat_cutoff: number
  readonly last_heartbeat: number
  connect (): Promise<void>
  ready (): Promise<void>
  on (event: 'open' | 'close', handler: () => void): void
  on (event: 'disconnect', handler: (code: number, reason: string) => void): void
  on (event: 'message', handler: (message: string) => void): void
  once (event: string, handler: (...args: any[]) => void): void
  set_error_handler (handler: (error: Error) => void): void
  set_debug_logger (handler: (message: string) => void): void
  send (message: string): boolean
  destroy (): Promise<unknown>
}
