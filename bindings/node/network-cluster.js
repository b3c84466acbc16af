// The package network-cluster on meshwork: the same Provider, Consumer and
// Connection, the same wire. Only names are mapped here; what they do is done
// by the core under the preset "network-cluster".
'use strict'
const { EventEmitter } = require('node:events')
const { Writable } = require('node:stream')
const { once } = require('node:events')
const meshwork = require('./index.js')
const addon = require('./lib/addon')

const { MeshworkError, stat } = meshwork

/** What ws.compressor may be: a number, as in that package, that names a choice of ours. */
const COMPRESSORS = Object.freeze({
  DISABLED: 0,
  SHARED_COMPRESSOR: 1,
  DEDICATED_COMPRESSOR_3KB: 0x91,
  DEDICATED_COMPRESSOR_4KB: 0x92,
  DEDICATED_COMPRESSOR_8KB: 0xa3,
  DEDICATED_COMPRESSOR_16KB: 0xb4,
  DEDICATED_COMPRESSOR_32KB: 0xc5,
  DEDICATED_COMPRESSOR_64KB: 0xd6,
  DEDICATED_COMPRESSOR_128KB: 0xe7,
  DEDICATED_COMPRESSOR_256KB: 0xf8
})
const compress = Object.fromEntries(Object.entries(COMPRESSORS).map(([name, number]) =>
  [number, name === 'DISABLED' ? 'off' : name === 'SHARED_COMPRESSOR' ? 'shared' : name.match(/\d+KB$/)[0].slice(0, -1).toLowerCase()]))

/** Leaves out what was not given, so that the preset's value counts. */
const given = options => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
const valueOf = message => message.isText ? message.text : Buffer.from(message.data)
const texts = values => Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, String(value)]))
const bodyOf = (message, binary) => binary && typeof message === 'string' ? Buffer.from(message) : message

// on, once and the two handlers, which Provider and Consumer share.
class Instance {
  /** The emitter below. */
  events = new EventEmitter()
  #error
  #debug

  on (event, handler) { this.events.on(event, handler) }
  once (event, handler) { this.events.once(event, handler) }
  /** (error) => {}; without one, failures are warnings of the process. */
  set_error_handler (handler) { this.#error = handler }

  /** (line) => {} */
  set_debug_logger (handler) {
    this.#debug = handler
    this.core.update({ 'log.level': 'trace' }).catch(() => {}) // closed: there is nothing to tell any more
  }

  fail (error) { this.#error ? this.#error(error) : process.emitWarning(error) }
  debug (...words) { this.#debug?.(words.join('|')) }

  /** Failures and log lines of the core; its lines in capitals are those of that package. */
  follow (core) {
    core.on('fault', error => this.fail(error))
    core.on('log', (line, level, area, connection) => {
      if (/^[A-Z_]+(\||$)/.test(line)) this.debug(line, ...connection ? [connection.id] : [])
    })
  }
}

/** What of HyperExpress's request an upgrade has: no body, no middleware. */
class Request {
  constructor ({ method, path, query, parameters, headers, ip, port, origin }) {
    Object.assign(this, { method, path, ip, remote_port: port, headers, query, origin })
    this.url = query ? `${path}?${query}` : path
    this.path_query = query
    this.query_parameters = parameters
  }
}

/** One consumer, seen by its provider. */
class Connection extends EventEmitter {
  /** Anything the program wants to remember. */
  context = {}
  /** There is no uWebSockets object below. */
  raw = null
  #core
  #parameters
  #streaming = false
  #topics = 0

  constructor (core, parameters) {
    super()
    this.#core = core
    this.#parameters = parameters
    core.on('message', message => this.emit('message', valueOf(message), !message.isText))
    core.on('writable', () => this.emit('drain'))
    core.on('ping', body => this.emit('ping', body))
    core.on('pong', body => this.emit('pong', body))
    core.on('dropped', ({ message }) => this.emit('dropped', valueOf(message), !message.isText))
    core.on('close', ({ code, reason }) => this.emit('close', code, reason))
  }

  get id () { return this.#core.id }
  get ip () { return this.#core.ip }
  get remote_port () { return this.#core.port }
  get parameters () { return this.#parameters }
  get last_ping () { return this.#stat(stat.LAST_BEAT) }
  get strikes () { return this.#stat(stat.STRIKES) }
  get buffered () { return this.#stat(stat.BUFFERED) }
  get closed () { return this.#core.state === 'closed' }
  get topics () { return this.closed ? [] : this.#core.info('topics') }

  /** 0 when it is gone. */
  #stat (what) { return this.closed ? 0 : this.#core.stat(what) }

  /** 1: sent; 0: accepted and waiting, or closed; 2: dropped. */
  #verdict (send) {
    try {
      return send() ? 1 : 0
    } catch (error) {
      if (!(error instanceof MeshworkError)) throw error
      if (error.code === 'MW_EINVAL' || error.code === 'MW_ETOOBIG') throw error
      return error.code === 'MW_ECLOSED' ? 0 : 2
    }
  }

  send (message, is_binary = false, compress = false) {
    return this.#verdict(() => this.#core.send(bodyOf(message, is_binary), { text: !is_binary, compress }))
  }

  ping (message = '') { return this.#verdict(() => this.#core.ping(message)) }

  close (code = 1000, reason = '') {
    try {
      this.#core.close({ code, reason })
    } catch (error) {
      throw error.code === 'MW_EINVAL' ? new RangeError(error.message) : error
    }
  }

  /** Cuts; the other side sees 1006. */
  destroy () { this.#core.close({ abort: true }) }

  /** Publishes to the topic (MQTT: + one level, # the rest) reach this connection. */
  subscribe (topic) { return !this.closed && addon.subscribe(this.#core.handle, topic, '{}', 0) >= 0 }

  unsubscribe (topic) {
    return this.topics.includes(topic) && addon.unsubscribe(this.#core.handle, topic, 0) >= 0
  }

  is_subscribed (topic) { return !this.closed && this.#core.subscribed(topic) }

  /** To all other subscribers of the topic. */
  publish (topic, message, is_binary = false, compress = false) {
    if (this.closed) return false
    this.#core.provider.publish(topic, bodyOf(message, is_binary), { text: !is_binary, compress, except: this.#core })
    return true
  }

  /** Writes made in the callback leave together. */
  atomic (callback) {
    if (this.closed) return this
    this.#core.cork()
    try {
      callback()
    } finally {
      if (!this.closed) this.#core.uncork()
    }
    return this
  }

  /** A fragment; waits while much is waiting. */
  async #fragment (data, is_binary, first, last) {
    const how = { text: first && !is_binary, more: !last, continues: !first }
    if (!this.#core.send(data, how)) await Promise.race([once(this.#core, 'writable'), this.#core.closed])
    if (this.closed) throw new MeshworkError(meshwork.status.MW_ECLOSED)
  }

  /** Sends all of a readable as one message; one stream at a time. */
  async stream (readable, is_binary = true) {
    this.#begin()
    try {
      let held
      let first = true
      for await (const chunk of readable) {
        if (held !== undefined) {
          await this.#fragment(held, is_binary, first, false)
          first = false
        }
        held = Buffer.from(chunk)
      }
      await this.#fragment(held ?? Buffer.alloc(0), is_binary, first, true)
    } finally {
      this.#streaming = false
    }
  }

  /** One message, as what is written into this. */
  get writable () {
    this.#begin()
    let first = true
    const part = (data, last, done) => {
      this.#fragment(data, true, first, last).then(() => done(), done)
      first = false
    }
    return new Writable({
      write: (chunk, _, done) => part(chunk, false, done),
      final: done => part(Buffer.alloc(0), true, done),
      destroy: (error, done) => {
        this.#streaming = false
        done(error)
      }
    })
  }

  #begin () {
    if (this.#streaming) throw new Error('A message is being streamed to this connection; wait for its end.')
    this.#streaming = true
  }
}

/** Listens at once. */
class Provider extends Instance {
  /** Connections by their id. */
  connections = {}
  /** There is no HTTP server of HyperExpress below. */
  server = undefined
  #path
  #port
  #known // parameters every consumer must present
  #of = new Map() // our connection of the core's

  constructor ({ port = 8080, path = '/connect', ssl = {}, ws = {}, auth = {}, heartbeat = {}, ...core } = {}) {
    super()
    if (ws.compressor !== undefined && compress[ws.compressor] === undefined) {
      throw new RangeError('ws.compressor must be one of NetworkCluster.COMPRESSORS')
    }
    this.#path = path
    this.#port = port
    this.#known = texts(auth.parameters)
    this.core = new meshwork.Provider(given({
      preset: 'network-cluster',
      port,
      path,
      'tls.key_file': ssl.key,
      'tls.cert_file': ssl.cert,
      'tls.passphrase': ssl.passphrase,
      'tls.dh_file': ssl.dh_params,
      'tls.low_memory': ssl.prefer_low_memory_usage,
      compress: compress[ws.compressor],
      'compress.min_bytes': ws.compressor ? 1 : undefined,
      'send.max_bytes': ws.max_backpressure,
      'recv.max_message': ws.max_payload_length,
      'auth.parameters': auth.parameters,
      'auth.ask': auth.handler ? true : undefined,
      'heartbeat.interval': heartbeat.interval,
      'heartbeat.max_strikes': heartbeat.max_strikes,
      events: '+ping,+pong,+interest',
      ...core
    }))
    this.follow(this.core)
    this.core.on('ask', ask => this.#ask(ask, auth.handler))
    this.core.on('connection', connection => this.#open(connection))
    this.core.on('disconnection', (connection, { code, reason }) => this.#close(this.#of.get(connection), code, reason, connection))
    this.core.on('message', (connection, message) => this.#message(this.#of.get(connection), valueOf(message)))
    this.core.on('interest', (topic, now, before, connection) => {
      if (connection) this.#of.get(connection)?.emit('subscription', topic, now, before)
    })
    this.core.start().then(() => this.debug('SERVER_ACTIVE', this.port), error => this.fail(error))
  }

  get path () { return this.#path }

  /** The port it listens on, also after port 0. */
  get port () {
    if (this.core.state !== 'up') return this.#port
    return Number(this.core.address[0].match(/:(\d+)(?=\/|$)/)?.[1] ?? this.#port)
  }

  /** Closes all connections with 1001 and stops listening. */
  destroy () { return this.core.close({ code: 1001 }) }

  async #ask (ask, handler) {
    let verdict = false
    try {
      verdict = await handler(new Request(ask), ask.parameters)
    } catch (error) {
      this.fail(error)
    }
    try {
      if (verdict === true) return ask.allow()
      this.debug('REJECT_CONNECTION', ask.ip, new Request(ask).url)
      ask.refuse()
    } catch (error) {
      if (error.code !== 'MW_ECLOSED') this.fail(error) // it is gone, or waited too long
    }
  }

  #open (core) {
    const connection = new Connection(core, { ...core.parameters, ...this.#known })
    this.#of.set(core, connection)
    this.connections[connection.id] = connection
    this.debug('CONNECTION_OPEN', connection.id)
    this.events.emit('open', connection)
  }

  #message (connection, message) {
    this.debug('CONNECTION_MESSAGE', connection.id, message)
    this.events.emit('message', connection, message)
  }

  #close (connection, code, reason, core) {
    this.#of.delete(core)
    delete this.connections[connection.id]
    this.debug('CONNECTION_CLOSE', connection.id, code, reason)
    this.events.emit('close', connection, code, reason)
  }
}

/** What of the WebSocket below a program may look at. */
class Socket {
  #core
  constructor (core) { this.#core = core }
  get readyState () { return { idle: 0, connecting: 0, waiting: 0, up: 1, ready: 1, draining: 2 }[this.#core.state] ?? 3 }
  get bufferedAmount () { return this.readyState === 3 ? 0 : this.#core.stat(stat.BUFFERED) }
  send (data) { this.#core.send(data) }
  ping (data) { this.#core.ping(data) }
  close (code, reason) { this.#core.close({ code, reason }) }
  terminate () { this.#core.close({ abort: true }) }
}

/** Connects when told to, and comes back by itself. */
class Consumer extends Instance {
  ws = null
  #flying = false // connect() was called
  #opened = false
  #destroyed = false

  constructor ({ ssl = false, host, port, path, parameters, reconnect = {}, ...core } = {}) {
    super()
    const tls = typeof ssl === 'object' ? Object.fromEntries(Object.entries(ssl).map(([key, value]) => [`tls.${key}`, value])) : {}
    this.core = new meshwork.Consumer(given({
      preset: 'network-cluster',
      tls: Boolean(ssl),
      ...tls,
      host,
      port,
      path,
      parameters,
      'reconnect.interval': reconnect.interval,
      'reconnect.max_attempts': reconnect.max_attempts,
      'reconnect.backoff': 'fixed',
      'reconnect.jitter': 0,
      'offline.max_bytes': '1MiB', // what is sent between connect() and the first open
      ...core
    }))
    this.follow(this.core)
    this.core.on('up', () => {
      this.#opened = true
      this.ws = new Socket(this.core)
      this.events.emit('open')
    })
    this.core.on('down', ({ code, reason }) => this.#down(code, reason))
    this.core.on('close', ({ code, reason }) => {
      this.#flying = false
      if (this.#opened) this.#down(code, reason)
      this.events.emit('close')
      this.debug('CLOSED')
    })
    this.core.on('message', message => {
      const value = valueOf(message)
      this.debug('MESSAGE', value)
      this.events.emit('message', value)
    })
  }

  /** Once for each open. */
  #down (code, reason) {
    if (this.ws === null) return
    this.ws = null
    this.events.emit('disconnect', code, reason)
  }

  get connected () { return this.core.state === 'up' }
  get in_flight () { return this.#flying && !this.connected }
  get heartbeat_duration () { return this.#stat(stat.BEAT_INTERVAL) }
  get heartbeat_cutoff () { return this.#stat(stat.BEAT_CUTOFF) }
  get last_heartbeat () { return this.#stat(stat.LAST_BEAT) }

  #stat (what) { return this.core.state === 'closed' ? 0 : this.core.stat(what) }

  connect () {
    this.#flying = true
    return this.ready()
  }

  /** Resolves when connected; rejects when it will never be. */
  async ready () {
    if (this.#destroyed) throw new Error('Instance Destroyed')
    if (!this.#flying) throw new Error('Instance is not in flight. Please call Consumer.connect() first.')
    try {
      await this.core.start()
    } catch (error) {
      if (this.#destroyed) throw new Error('Instance Destroyed')
      throw error.http ? new Error(`Unexpected server response: ${error.http}`) : error
    }
  }

  /** Whether it was accepted. */
  send (message) {
    if (typeof message !== 'string') throw new Error('send(message) -> message must be a String')
    this.debug('SEND', message)
    try {
      this.core.send(message, { queue: !this.#opened })
      return true
    } catch (error) {
      if (error instanceof MeshworkError) return false
      throw error
    }
  }

  destroy () {
    this.#destroyed = true
    return this.core.close()
  }
}

module.exports = { Provider, Consumer, Connection, COMPRESSORS }
