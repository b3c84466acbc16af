// The package netcluster on meshwork: NCServer and NCAgent, on that package's
// wire. Only names are mapped here; what they do is done by the core.
'use strict'
const fs = require('node:fs')
const { Channel, Hub } = require('./index.js')

const given = options => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/** A configuration file's object; comments of both kinds are allowed. */
function readConfig (file) {
  // Texts are kept as they are; in comments only line ends stay, so that places in errors are true.
  const blank = fs.readFileSync(file, 'utf8').replace(/"(?:\\[^]|[^"\\])*"|\/\/.*|\/\*[^]*?\*\//g,
    part => part[0] === '"' ? part : part.replace(/[^\n]/g, ' '))
  return JSON.parse(blank)
}

/** The hub's options that a configuration of that package means. */
function optionsOf ({ addr, port, connecttonet, dumpnet, startcontrol = true, ...others }) {
  return { wire: 'netcluster', 'control.enabled': startcontrol,
    ...given({ 'multicast.address': addr, 'multicast.port': port, 'multicast.enabled': connecttonet }), ...others }
}

/** Keeps the channels of its configuration for the processes of this host. */
class NCServer {
  /** As that package's file says it; beside it every option of a hub, such as dir. */
  config = { channels: { control: {} } }
  #hub

  /** Resolves when all channels are there. */
  async start (cb) {
    this.#hub = new Hub(optionsOf(this.config))
    this.#hub.on('dump', message => console.log(`${message.topic}: ${message.text}`))
    await this.#hub.start()
    cb?.()
  }

  /** Takes config anew, all or nothing: channels come and go, members of the others notice nothing. */
  async reload (config) {
    await this.#hub.update(optionsOf(config))
    this.config = config
  }

  async stop () { await this.#hub?.close() }
}

/** A member of a channel. Patterns are regular expressions of the events' whole names. */
class NCAgent {
  /** The member below, once connect was called. */
  channel = undefined
  #options
  #listeners = new Map() // by pattern: its regular expression and who listens

  /** options: of a channel, such as dir; wire: 'meshwork' does without a server. */
  constructor (options = {}) { this.#options = options }

  get uuid () { return this.channel?.info().uuid }

  /** Resolves when there is a server, and calls cb; waits for one until then. */
  async connect (name, cb) {
    if (this.channel !== undefined) throw new Error('This agent is connected already; call disconnect() first.')
    const channel = new Channel({ wire: 'netcluster', 'emit.local': true, ...this.#options, name })
    this.channel = channel
    channel.on('message', message => this.#heard(message, name))
    channel.on('fault', error => process.emitWarning(error))
    channel.closed.then(() => { if (this.channel === channel) this.channel = undefined })
    await Promise.all([...[...this.#listeners.keys()].map(pattern => channel.subscribe(pattern)), channel.start()])
    cb?.()
  }

  async disconnect () { await this.channel?.close() }

  /** To the listeners of all agents of the channel, in this process too. false: much is waiting. */
  emit (event, data) {
    if (this.channel === undefined) throw new Error('This agent is not connected; call connect(channel, cb) first.')
    return this.channel.publish(event, JSON.stringify(data ?? null))
  }

  on (pattern, cb) { return this.#listen(pattern, { cb }) }
  once (pattern, cb) { return this.#listen(pattern, { cb, once: true }) }
  addListener (pattern, cb) { return this.on(pattern, cb) }
  off (pattern, cb) { return this.removeListener(pattern, cb) }

  removeListener (pattern, cb) {
    const entry = this.#listeners.get(pattern)
    const listener = entry?.listeners.findLast(l => l.cb === cb)
    if (listener !== undefined) this.#remove(pattern, listener)
    return this
  }

  removeAllListeners (pattern) {
    for (const one of pattern === undefined ? [...this.#listeners.keys()] : [pattern]) {
      for (const listener of this.#listeners.get(one)?.listeners ?? []) this.#remove(one, listener)
    }
    return this
  }

  #listen (pattern, listener) {
    const entry = this.#listeners.get(pattern)
    if (entry !== undefined) {
      entry.listeners = [...entry.listeners, listener]
      return this
    }
    this.#listeners.set(pattern, { expression: new RegExp(`^(?:${pattern})$`, 'u'), listeners: [listener] })
    this.channel?.subscribe(pattern).catch(error => { // RE2 takes less than JavaScript
      this.#listeners.delete(pattern)
      process.nextTick(() => { throw error })
    })
    return this
  }

  #remove (pattern, listener) {
    const entry = this.#listeners.get(pattern)
    entry.listeners = entry.listeners.filter(l => l !== listener)
    if (entry.listeners.length > 0) return
    this.#listeners.delete(pattern)
    this.channel?.unsubscribe(pattern).catch(() => {}) // closed meanwhile
  }

  #heard (message, name) {
    const { topic: event, headers } = message
    const header = key => headers.get(key)?.toString()
    const packet = { emmiteruuid: header('sender'), channel: header('channel') ?? name, broadcast: header('broadcast') === 'true',
      event, data: message.length > 0 ? message.json() : null }
    for (const [pattern, { expression, listeners }] of [...this.#listeners]) {
      if (!expression.test(event)) continue
      for (const listener of listeners) {
        if (listener.once) this.#remove(pattern, listener)
        listener.cb.call(this, packet)
      }
    }
  }
}

module.exports = { NCServer, NCAgent, readConfig, optionsOf }
