// The context and the one dispatcher: a batch of records becomes calls on the
// objects they are about, an op's DONE settles its promise.
'use strict'
const { EventEmitter } = require('node:events')
const { onAbort } = require('./abort')
const addon = require('./addon')
const { MeshworkError, check } = require('./error')
const { Message } = require('./message')
const { kind, flag } = require('./tables')

const RECORD = 16 // words of a record
const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')
const failed = status => status < 0 ? new MeshworkError(status) : undefined
// A failed op may carry {"text", "os", "http"}, a failed call {"message", ...}.
function told (status, body) {
  if (!body.startsWith('{')) return new MeshworkError(status, body)
  const facts = JSON.parse(body)
  const error = new MeshworkError(status, facts.text ?? facts.message, facts.os)
  if (facts.http) error.http = facts.http
  if (facts.text === undefined) error.detail = facts // of who was called
  return error
}
const dropped = new FinalizationRegistry(({ handle, what }) => {
  if (addon.close(handle, 0, '', 1) >= 0) process.emitWarning(`A ${what} was dropped without close().`, 'MeshworkWarning')
})

// A second libuv is no libuv: Bun has its names and aborts when they are called.
const polled = Boolean(process.versions.uv && !process.versions.bun && !process.versions.deno && addon.hasUv())

/** What all else lives in: event loop, memory budget, events. */
class Context extends EventEmitter {
  #door
  #words
  #signed
  #slab
  #records // room of a batch
  #half // of the slab: where what is sent begins
  #objects = [undefined] // by token; weak while idle
  #free = []
  #peers = new Map() // by handle
  #ops = new Map()
  #op = 0
  #held = 0
  #posted = [] // whose each record to send is
  #used = 0 // bytes of the slab's second half
  #inside = false // a batch is being delivered
  #scheduled = false
  #over
  #deliver // the core's side holds it weakly

  constructor (options = {}) {
    super()
    options = { threads: polled ? 0 : 1, ...options }
    this.#deliver = (n, from) => n === 0 ? this.#end() : this.#batch(n, from)
    const opened = addon.open(JSON.stringify(options), Number(options.threads) === 0, this.#deliver)
    check(opened)
    this.handle = opened.handle
    /** Counts batches; what was lent in an earlier one is gone. */
    this.batch = 0
    this.#door = opened.door
    this.#words = new Uint32Array(opened.records)
    this.#signed = new Int32Array(opened.records)
    this.#slab = Buffer.from(opened.slab)
    this.#records = (this.#words.length / RECORD - 1) / 2
    this.#half = this.#slab.length / 2
    this.closed = new Promise(resolve => { this.#over = resolve })
  }

  /** The context of objects that name none. */
  static get default () {
    if (Context.#shared === undefined || Context.#shared.#over === undefined) Context.#shared = new Context()
    return Context.#shared
  }

  static #shared

  /** Closes everything in it; resolves when no thread of it is left. */
  close () {
    if (this.#over !== undefined && addon.close(this.handle, 0, '', 0) >= 0) this.hold()
    return this.closed
  }

  [asyncDispose] () { return this.close() }

  /** One number: see the table of statistics. */
  stat (what) { return addon.stat(this.handle, what) ?? check(addon.detail()[0]) }

  /** Changes live options. */
  update (options, how) { return this.run(this, op => addon.update(this.handle, 1, JSON.stringify(options), op), how) }

  // ---- For the classes of this package ----------------------------------------

  /** While something is open the process stays. */
  hold () { if (this.#held++ === 0) addon.hold(this.#door, true) }
  release () { if (--this.#held === 0) addon.hold(this.#door, false) }

  add (object) {
    const token = this.#free.pop() ?? this.#objects.length
    this.#objects[token] = new WeakRef(object)
    return token
  }

  /** Watches an object that is not started yet: it may be forgotten. */
  watch (object) { dropped.register(object, { handle: object.handle, what: object.constructor.name }, object) }
  forget (token) { this.#remove(token) }

  keep (object) {
    if (!(this.#objects[object.token] instanceof WeakRef)) return
    this.#objects[object.token] = object
    dropped.unregister(object)
    this.hold()
  }

  /** verb(op) now; the promise follows its DONE, or is given up by its signal.
   *  whole: resolves with the message of the DONE; part: is given those before it. */
  run (object, verb, { signal, timeout, whole = false, part } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const op = ++this.#op
    return new Promise((resolve, reject) => {
      check(verb(op)) // thrown here it rejects
      const signals = signal ? [signal] : []
      if (timeout !== undefined) signals.push(AbortSignal.timeout(timeout))
      const give = reason => {
        addon.cancel(object.handle, op)
        this.#forget(op)
        reject(reason)
      }
      this.#ops.set(op, { resolve, reject, stop: signals.map(each => onAbort(each, give)), whole, part })
    })
  }

  #forget (op) {
    const waiting = this.#ops.get(op)
    this.#ops.delete(op)
    waiting?.stop.forEach(each => each())
    return waiting
  }

  #done (op, status, code, message) {
    const waiting = this.#forget(op) // undefined when it was given up
    if (status < 0) waiting?.reject(told(status, message.text)) // code: parts that came
    else waiting?.resolve(waiting.whole ? message.detach() : { code, body: message.text })
  }

  // ---- Sending with the batch -----------------------------------------------------

  /** Sends at the end of this batch, or of this turn of the event loop. */
  post (sender, data, flags) {
    if (this.#posted.length === this.#records) this.flush()
    let at
    let length
    if (data instanceof Message && (at = Message.lent(data, this)) >= 0) {
      length = data.length
      flags |= data.flags & (flag.TEXT | flag.PARTS)
    } else {
      if (data instanceof Message) {
        flags |= data.flags & (flag.TEXT | flag.PARTS)
        data = data.data
      }
      const most = typeof data === 'string' ? data.length * 3 : data.byteLength
      if (most > this.#half) {
        this.flush()
        return this.#refused(sender, addon.send(sender.handle, data, flags))
      }
      if (most > this.#half - this.#used) this.flush()
      at = this.#half + this.#used
      if (typeof data === 'string') {
        length = this.#slab.write(data, at)
        flags |= flag.TEXT
      } else {
        this.#slab.set(data instanceof Uint8Array ? data : new Uint8Array(data), at)
        length = most
      }
      this.#used += length
    }
    const w = this.#words
    const o = (this.#records + this.#posted.push(sender) - 1) * RECORD
    w[o + 6] = sender.low
    w[o + 7] = sender.high
    w[o + 8] = flags
    w[o + 10] = at
    w[o + 13] = length
    if (!this.#inside && !this.#scheduled) {
      this.#scheduled = true
      process.nextTick(() => this.flush())
    }
  }

  /** Sends what was posted, now. */
  flush () {
    this.#scheduled = false
    const posted = this.#posted
    if (posted.length === 0) return
    this.#posted = []
    this.#used = 0
    const status = addon.flush(this.#door, posted.length)
    for (let i = 0, o = this.#records * RECORD + 1; i < posted.length; i++, o += RECORD) {
      const each = status < 0 ? status : this.#signed[o]
      if (each < 0) this.#refused(posted[i], each)
    }
  }

  get posted () { return this.#posted.length > 0 }

  #refused (sender, status) {
    if (status < 0) this.#call(() => sender.emit('refused', new MeshworkError(status)))
  }

  // ---- Receiving ------------------------------------------------------------------

  #call (fn) {
    try {
      fn()
    } catch (error) {
      process.nextTick(() => { throw error })
    }
  }

  /** Delivers records from one on; behind all records stands the first that is left. */
  #batch (n, from) {
    this.#inside = true
    const w = this.#words
    let i = from
    for (let o = i * RECORD, done = false; i < n; i++, o += RECORD) {
      if (w[o] === kind.DONE) done = true
      else if (done) break // what awaits the DONE goes on first
      try {
        this.#event(o)
      } catch (error) { // a handler's failure never stops the batch
        process.nextTick(() => { throw error })
      }
    }
    w[2 * this.#records * RECORD] = i
    this.#inside = false
    this.flush()
    if (i === n) this.batch++
  }

  #event (o) {
    const w = this.#words
    const token = w[o + 2]
    const peer = w[o + 6] + w[o + 7] * 4294967296
    let target = this.#objects[token]
    const isPeer = target?.provider !== undefined
    // Events from before the peer had its own token carry the provider's.
    const connection = isPeer ? target : peer === 0 ? undefined : this.#peers.get(peer)
    if (w[o] === kind.MESSAGE) {
      const message = this.#message(o)
      if (connection === undefined) target?.receive(message, undefined)
      else connection.provider.receive(message, connection)
      return
    }
    if (target instanceof WeakRef) target = target.deref()
    if (isPeer) target = target.provider
    const status = this.#signed[o + 1]
    const code = this.#signed[o + 9]
    const id = w[o + 4] + w[o + 5] * 4294967296
    switch (w[o]) {
      case kind.DONE: return this.#done(id, status, code, this.#message(o))
      case kind.PEER_UP: {
        const facts = this.#json(o)
        const made = target.admit(peer, facts)
        if (addon.token(peer, made.token = this.add(made)) >= 0) this.#objects[made.token] = made
        this.#peers.set(peer, made)
        target.emit('connection', made)
        return
      }
      case kind.PEER_DOWN:
        this.#peers.delete(peer)
        this.#remove(connection.token)
        return target.left(connection, this.#end_of(o, status, code))
      case kind.CLOSED:
        if (token === 0) return
        if (this.#objects[token] === target && target !== undefined) this.release()
        this.#remove(token)
        return target?.ended(this.#end_of(o, status, code))
      case kind.UP:
        return target.up({ attempts: code, resumed: (w[o + 8] & flag.RESUMED) !== 0, ...this.#json(o) })
      case kind.DOWN:
        return target.emit('down', { ...this.#end_of(o, status, code), retryIn: id })
      case kind.LOG:
        if (w[o + 8] & flag.DUMP) return target.emit('dump', this.#message(o), connection)
        return (target ?? this).emit('log', this.#body(o).toString(), code, this.#message(o).topic, connection)
      case kind.ERROR: {
        const error = new MeshworkError(status, this.#body(o).toString(), code)
        error.fatal = (w[o + 8] & flag.FATAL) !== 0
        const from = target ?? this
        if (!from.emit('fault', error, connection)) process.emitWarning(error)
        return
      }
      case kind.ASK: return target.asked(id, this.#json(o))
      case kind.PART: {
        const message = this.#message(o)
        return this.#ops.get(id)?.part?.(message, status < 0 ? told(status, message.text) : undefined)
      }
      case kind.REQUEST: return target.requested(id, connection, code, this.#message(o))
      case kind.CANCEL: {
        const error = new MeshworkError(status, this.#body(o).toString())
        error.why = [undefined, 'asked', 'deadline', 'gone'][code]
        return target.cancelled(id, error)
      }
      case kind.WRITABLE: return id === 0 ? (connection ?? target).emit('writable') : target.room(id)
      case kind.SLOW: return this.#tell(target, connection, 'slow', { waiting: id, policy: code, ...target.about?.(peer) })
      case kind.DROPPED:
        return this.#tell(target, connection, 'dropped',
          { count: code, error: failed(status), message: this.#message(o), ...target.about?.(peer) })
      case kind.PING: return this.#tell(target, connection, 'ping', Buffer.from(this.#body(o)))
      case kind.PONG: return this.#tell(target, connection, 'pong', Buffer.from(this.#body(o)), id / 1000)
      case kind.INTEREST: return target.emit('interest', this.#message(o).topic, code, id, connection)
      case kind.READY:
      case kind.MEMBER_UP:
      case kind.MEMBER_DOWN:
      case kind.MEMBER_CHANGED:
      case kind.SERVICE_UP:
      case kind.SERVICE_DOWN:
        return target.news(w[o], { id, code, error: failed(status) }, this.#message(o))
      case kind.LEADER: return target.emit('leader', code < 0 ? undefined : code === 1, id)
      case kind.DRAINING: return this.#tell(target, connection, 'draining', { slot: code, deadline: id })
    }
  }

  /** On the connection, and on its provider or hub with the connection in front. */
  #tell (target, connection, name, ...facts) {
    if (connection !== undefined) this.#call(() => connection.emit(name, ...facts))
    if (target?.admit) target.emit(name, connection, ...facts)
    else target?.emit(name, ...facts)
  }

  #remove (token) {
    this.#objects[token] = undefined
    this.#free.push(token)
  }

  #message (o) {
    const w = this.#words
    const [start, topic, meta, length] = [w[o + 10], w[o + 11], w[o + 12], w[o + 13]]
    if ((w[o + 8] & flag.REF) === 0) {
      return new Message(this, this.#slab, start, topic, meta, length, w[o + 8], this.#signed[o + 9], false)
    }
    const body = addon.body(w[o + 14], w[o + 15])
    const front = topic + meta
    const whole = front === 0 ? body : Buffer.concat([this.#slab.subarray(start, start + front), body])
    return new Message(this, whole, 0, topic, meta, body.length, w[o + 8] & ~flag.REF, this.#signed[o + 9], true)
  }

  #body (o) { return this.#message(o).data }

  #json (o) {
    const text = this.#body(o).toString()
    return text === '' ? {} : JSON.parse(text)
  }

  /** Why something ended: code and reason of the close, the error if it was one, what was never sent. */
  #end_of (o, status, code) {
    const message = this.#message(o)
    const end = { code, reason: message.text, error: failed(status) }
    for (const [key, value] of message.headers) end[key === 'unsent_bytes' ? 'unsentBytes' : key] = Number(value.toString())
    return end
  }

  #end () {
    const over = this.#over
    this.#over = undefined
    over?.()
    this.emit('close')
  }
}

module.exports = { Context, asyncDispose }
