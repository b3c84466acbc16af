// Provider, Consumer and Connection: names of live things, with their verbs.
'use strict'
const { EventEmitter } = require('node:events')
const addon = require('./addon')
const { check } = require('./error')
const { Message } = require('./message')
const { Context, asyncDispose } = require('./context')
const calls = require('./service')
const { flag, state, status } = require('./tables')

const PROVIDER = 2
const CONSUMER = 3
const AHEAD = 64 // messages an iterator keeps before it lets the sender wait
const stateNames = new Map(Object.entries(state).map(([name, value]) => [value, name.toLowerCase()]))

function flagsOf (how) {
  return (how.compress ? flag.COMPRESS : 0) | (how.text ? flag.TEXT : 0) | (how.more ? flag.MORE : 0) |
    (how.continues ? flag.CONT : 0) | (how.queue === false ? flag.NOQUEUE : 0)
}

const bytesOf = data => data instanceof Message ? data.data : data
const textOf = data => data instanceof Message ? data.flags & flag.TEXT : 0
const pairs = headers => headers && [...(headers instanceof Map ? headers : Object.entries(headers))].flat()

class Handle extends EventEmitter {
  context
  provider = undefined // of a connection
  handle = 0
  token = 0
  #closed
  #resolve

  constructor (context) {
    super()
    this.context = context
    this.#closed = new Promise(resolve => { this.#resolve = resolve })
  }

  /** idle, connecting, up, ready, waiting or draining; closed when it is gone. */
  get state () {
    const s = addon.state(this.handle)
    return s < 0 ? 'closed' : stateNames.get(s)
  }

  /** Resolves with why it ended, after its last event. Never rejects. */
  get closed () { return this.#closed }

  /** Sends what was accepted, then says goodbye. abort: cuts at once. */
  close ({ code = 0, reason = '', abort = false } = {}) {
    if (!abort) this.context.flush()
    const s = addon.close(this.handle, code, reason, abort ? 1 : 0)
    if (s !== status.MW_ECLOSED) check(s)
    return this.#closed
  }

  [asyncDispose] () { return this.close() }

  /** Stops taking messages until resume(). */
  pause () { check(addon.pause(this.handle, 1)) }
  resume () { check(addon.pause(this.handle, 0)) }
  /** Holds writes until uncork(), for cork.max at most. */
  cork () { check(addon.cork(this.handle, 1)) }
  uncork () { this.context.flush(); check(addon.cork(this.handle, 0)) }

  /** One number: stat.BUFFERED, stat.RTT ... */
  stat (what) { return addon.stat(this.handle, what) ?? check(addon.detail()[0]) }

  /** Facts that are known at once: '', 'config', 'address', 'state' or 'topics'. */
  info (what = '') { return JSON.parse(check(addon.info(this.handle, what, 0))) }

  finished (end) {
    this.#resolve(end)
    this.emit('close', end)
  }

  /** Messages one by one; the sender waits while they are not taken. */
  async * iterate (listen) {
    const queue = []
    let wake
    let paused = false
    let over = false
    const turn = on => {
      if (paused !== on && !over) on ? this.pause() : this.resume()
      paused = on
    }
    const push = item => {
      queue.push(item)
      if (queue.length >= AHEAD) turn(true)
      wake?.()
    }
    const end = () => {
      over = true
      wake?.()
    }
    const stop = listen(push)
    this.once('close', end)
    try {
      for (;;) {
        while (queue.length > 0) yield queue.shift()
        if (over) return
        if (this.state === 'closed') return
        turn(false)
        await new Promise(resolve => { wake = resolve })
      }
    } finally {
      stop()
      this.off('close', end)
      if (this.state !== 'closed') turn(false)
    }
  }
}

const { Service, Caller, Server } = calls(Handle)

// What messages can be sent to.
class Sender extends Caller(Handle) {
  named (handle) {
    this.handle = handle
    this.low = handle >>> 0
    this.high = Math.floor(handle / 4294967296)
  }

  /** Sends text (a string), bytes or a message that came. true: go on; false: it
   *  was accepted, but much is waiting: go on at 'writable'. Throws when refused. */
  send (data, how) {
    if (this.context.posted) this.context.flush()
    const flags = how === undefined ? 0 : flagsOf(how)
    if (how?.headers) return check(addon.sendMessage(this.handle, bytesOf(data), flags | textOf(data), pairs(how.headers), 0)) === 0
    return check(addon.send(this.handle, bytesOf(data), flags | textOf(data))) === 0
  }

  /** The fastest way: sends together with everything else posted in this batch
   *  of events. What is refused then is told by 'refused'. */
  post (data, how) { this.context.post(this, data, how === undefined ? 0 : flagsOf(how)) }

  /** Sends, and resolves when it is out: 'sent' (with the kernel), or 'taken'
   *  (the other side's program has it; wire meshwork). */
  async deliver (data, { headers, signal, timeout, ...how } = {}) {
    this.context.flush()
    const { code } = await this.context.run(this, op =>
      addon.sendMessage(this.handle, bytesOf(data), flagsOf(how) | textOf(data), pairs(headers), op), { signal, timeout })
    return code === 1 ? 'taken' : 'sent'
  }

  /** Sends a ping of at most 125 bytes; 'pong' tells. */
  ping (data = '') { return check(addon.send(this.handle, Buffer.from(data), flag.PING)) === 0 }

  /** Resolves when publishes that match will come. */
  async subscribe (pattern, { signal, timeout, ...options } = {}) {
    await this.context.run(this, op => addon.subscribe(this.handle, pattern, JSON.stringify(options), op), { signal, timeout })
  }

  async unsubscribe (pattern, how) {
    await this.context.run(this, op => addon.unsubscribe(this.handle, pattern, op), how)
  }

  /** Whether a publish to this topic would arrive. */
  subscribed (topic) { return check(addon.subscribed(this.handle, topic)) === 1 }

  [Symbol.asyncIterator] () {
    return this.iterate(push => {
      const on = message => push(message.detach())
      this.on('message', on)
      return () => this.off('message', on)
    })
  }
}

const opened = Base => class extends Server(Base) {
  #kind

  open (kind, options) {
    this.#kind = kind
    this.token = this.context.add(this)
    const handle = addon.link(kind, this.context.handle, JSON.stringify(options), this.token)
    if (handle < 0) this.context.forget(this.token)
    check(handle)
    if (this.named) this.named(handle)
    else this.handle = handle
    this.context.watch(this)
  }

  /** Listens or connects. Resolves when usable; may be called again to wait for that. */
  async start (how) {
    const done = this.context.run(this, op => {
      const s = addon.start(this.handle, op)
      if (s >= 0) this.context.keep(this)
      return s
    }, how)
    await done
    return this
  }

  /** Changes live options, all or nothing. */
  async update (options, how) {
    await this.context.run(this, op => addon.update(this.handle, this.#kind, JSON.stringify(options), op), how)
  }

  /** Refuses what is new, finishes, tells the peers, closes; at the latest after ms. */
  async drain (ms = 30000, how) {
    this.context.flush()
    await this.context.run(this, op => addon.drain(this.handle, ms, op), how)
  }

  /** Facts that have to be gathered: 'peers' (a list) or 'metrics' (Prometheus text). */
  async query (what, how) {
    const { body } = await this.context.run(this, op => addon.info(this.handle, what, op), how)
    return what === 'metrics' ? body : JSON.parse(body)
  }

  up (facts) { this.emit('up', facts) }
  ended (end) { this.finished(end) }
}

/** A question about one client that wants to come in. */
class Ask {
  #id
  constructor (id, facts) {
    this.#id = id
    Object.assign(this, facts)
  }

  /** Lets it in; data comes back as connection.data. */
  allow (data) { check(addon.answer(this.#id, 1, data === undefined ? '' : JSON.stringify({ data }))) }
  /** Refuses it for good. */
  refuse ({ status, body } = {}) { check(addon.answer(this.#id, 0, JSON.stringify({ status, body }))) }
}

/** One peer of a provider. */
class Connection extends Sender {
  constructor (provider, handle, facts) {
    super(provider.context)
    this.provider = provider
    this.named(handle)
    /** What is known of it: uuid, ip, port, parameters, wire, data ... */
    this.facts = facts
  }

  get id () { return this.facts.uuid }
  get ip () { return this.facts.ip }
  get port () { return this.facts.port }
  get parameters () { return this.facts.parameters ?? {} }
  get data () { return this.facts.data }
}

/** A listener that admits many peers. */
class Provider extends opened(Handle) {
  constructor (options = {}, context = Context.default) {
    super(context)
    /** Connections by handle. */
    this.connections = new Map()
    this.open(PROVIDER, options)
  }

  /** Addresses it listens on, once up. */
  get address () { return this.info('address').address }

  /** Sends to every connection that subscribed to the topic; '' : to all. */
  publish (topic, data, { except, headers, ...how } = {}) {
    this.context.flush()
    check(addon.publish(this.handle, topic, bytesOf(data), flagsOf(how) | textOf(data), pairs(headers), except?.handle ?? 0, 0))
  }

  /** Publishes, and resolves with the number of connections reached. */
  async reach (topic, data, { except, headers, signal, timeout, ...how } = {}) {
    this.context.flush()
    const { code } = await this.context.run(this, op =>
      addon.publish(this.handle, topic, bytesOf(data), flagsOf(how) | textOf(data), pairs(headers), except?.handle ?? 0, op),
    { signal, timeout })
    return code
  }

  /** for await (const [connection, message] of provider.messages()) */
  messages () {
    return this.iterate(push => {
      const on = (connection, message) => push([connection, message.detach()])
      this.on('message', on)
      return () => this.off('message', on)
    })
  }

  admit (handle, facts) {
    const connection = new Connection(this, handle, facts)
    this.connections.set(handle, connection)
    return connection
  }

  left (connection, end) {
    this.connections.delete(connection.handle)
    try {
      connection.finished(end)
    } finally {
      this.emit('disconnection', connection, end)
    }
  }

  receive (message, connection) {
    try {
      connection.emit('message', message)
    } finally {
      this.emit('message', connection, message)
    }
  }

  asked (id, facts) { this.emit('ask', new Ask(id, facts)) }
}

/** A connection to one provider that always comes back. */
class Consumer extends opened(Sender) {
  constructor (options = {}, context = Context.default) {
    super(context)
    this.open(CONSUMER, options)
  }

  receive (message) { this.emit('message', message) }
}

module.exports = { Provider, Consumer, Connection, Service }
