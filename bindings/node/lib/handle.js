// What all live things of a context have: state, end, facts, messages one by one;
// and the verbs that several kinds of them share.
'use strict'
const { EventEmitter } = require('node:events')
const addon = require('./addon')
const { MeshworkError, check } = require('./error')
const { Message } = require('./message')
const { asyncDispose } = require('./context')
const { flag, state, status } = require('./tables')

const AHEAD = 64 // messages an iterator keeps before it lets the sender wait
const MOST = 65536 // where the senders cannot wait: then it ends
const stateNames = new Map(Object.entries(state).map(([name, value]) => [value, name.toLowerCase()]))

function flagsOf (how) {
  return (how.compress ? flag.COMPRESS : 0) | (how.text ? flag.TEXT : 0) | (how.more ? flag.MORE : 0) |
    (how.continues ? flag.CONT : 0) | (how.queue === false ? flag.NOQUEUE : 0) | (how.list ? flag.PARTS : 0)
}

const bytesOf = data => data instanceof Message ? data.data : data
const textOf = data => data instanceof Message ? data.flags & (flag.TEXT | flag.PARTS) : 0
const pairs = headers => headers && [...(headers instanceof Map ? headers : Object.entries(headers))].flat()

class Handle extends EventEmitter {
  context
  provider = undefined // of a connection
  handle = 0
  token = 0
  #closed
  #resolve
  #iterations = new Set() // ended with it

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

  /** Facts that are known at once: '', 'config', 'address', 'state', 'topics' or 'queues'. */
  info (what = '') { return JSON.parse(check(addon.info(this.handle, what, 0))) }

  finished (end) {
    this.#resolve(end)
    for (const each of this.#iterations) each()
    this.emit('close', end)
  }

  /** Whether pause() lets the other side wait. */
  get patient () { return true }

  /** Messages one by one; the sender waits while they are not taken. */
  async * iterate (listen) {
    const queue = []
    let wake
    let paused = false
    let over = false
    let full
    const turn = on => {
      if (paused !== on && !over) on ? this.pause() : this.resume()
      paused = on
    }
    const push = item => {
      if (full) return
      queue.push(item)
      if (this.patient) queue.length >= AHEAD && turn(true)
      else if (queue.length >= MOST) full = true
      wake?.()
    }
    const end = () => {
      over = true
      wake?.()
    }
    const stop = listen(push)
    this.#iterations.add(end)
    try {
      for (;;) {
        while (queue.length > 0) yield queue.shift()
        if (full) throw new MeshworkError(status.MW_EOVERFLOW)
        if (over) return
        if (this.state === 'closed') return
        turn(false)
        await new Promise(resolve => { wake = resolve })
      }
    } finally {
      stop()
      this.#iterations.delete(end)
      if (this.state !== 'closed') turn(false)
    }
  }
}

/** What is opened by its options. */
const opened = Base => class extends Base {
  #kind

  open (kind, options, name) {
    this.#kind = kind
    this.token = this.context.add(this)
    const handle = addon.link(kind, this.context.handle, JSON.stringify(options), this.token, name)
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

  /** Facts that have to be gathered: 'peers' (a list), 'stats' (of a node) or 'metrics' (Prometheus text). */
  async query (what, how) {
    const { body } = await this.context.run(this, op => addon.info(this.handle, what, op), how)
    return what === 'metrics' ? body : JSON.parse(body)
  }

  up (facts) { this.emit('up', facts) }
  ended (end) { this.finished(end) }
}

/** Verbs of who sends to all that subscribed. */
const Publisher = Base => class extends Base {
  #publish (topic, data, { except, headers, ...how } = {}, op) {
    this.context.flush()
    const flags = flagsOf(how) | textOf(data) | (how.local ? flag.LOCAL : 0)
    return addon.publish(this.handle, topic, bytesOf(data), flags, pairs(headers), except?.handle ?? 0, op)
  }

  /** Sends to all that subscribed to the topic. false: it was accepted, but go on at 'writable'. Throws when refused. */
  publish (topic, data, how) { return check(this.#publish(topic, data, how, 0)) === 0 }

  /** The same, with a promise. */
  published (topic, data, { signal, timeout, ...how } = {}) {
    return this.context.run(this, op => this.#publish(topic, data, how, op), { signal, timeout })
  }
}

/** Verbs of who subscribes to something and gets messages of it. */
const Subscriber = Base => class extends Base {
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

module.exports = { Handle, opened, Publisher, Subscriber, flagsOf, bytesOf, textOf, pairs }
