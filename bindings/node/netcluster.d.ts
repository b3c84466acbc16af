import { Channel } from './index'
import { ChannelOptions, HubOptions } from './options'

/** A configuration as that package has it; every option of a hub may be given beside it. */
export interface Config extends Omit<HubOptions, 'channels'> {
  addr?: string
  port?: number
  dumpnet?: boolean
  connecttonet?: boolean
  /** Default: true; the channel control must be there then. */
  startcontrol?: boolean
  channels?: Record<string, {
    /** false, or a regular expression found in the names of channels that hear it too. */
    propagatetochannels?: false | string
    propagatetonet?: boolean
    dumptoconsole?: boolean
  }>
}

/** Keeps the channels of its configuration for the processes of this host. */
export class NCServer {
  config: Config
  start (cb?: () => void): Promise<void>
  reload (config: Config): Promise<void>
  stop (): Promise<void>
}

/** What a listener gets. */
export interface Packet {
  emmiteruuid: string
  channel: string
  broadcast: boolean
  event: string
  data: any
}

/** A member of a channel. Patterns are regular expressions of the events' whole names. */
export class NCAgent {
  constructor (options?: Partial<ChannelOptions>)
  readonly channel: Channel | undefined
  readonly uuid: string | undefined
  connect (channel: string, cb?: () => void): Promise<void>
  disconnect (): Promise<void>
  emit (event: string, data?: any): boolean
  on (pattern: string, cb: (packet: Packet) => void): this
  once (pattern: string, cb: (packet: Packet) => void): this
  addListener (pattern: string, cb: (packet: Packet) => void): this
  off (pattern: string, cb: (packet: Packet) => void): this
  removeListener (pattern: string, cb: (packet: Packet) => void): this
  removeAllListeners (pattern?: string): this
}

/** A configuration file's object; comments are allowed. */
export function readConfig (file: string): Config

/** The options of a hub that a configuration of that package means. */
export function optionsOf (config: Config): HubOptions
