// The package cluster-client on meshwork: cluster(Class).delegate().create(),
// APIClientBase, close. Names, classes and encodings are mapped here; who
// leads, what is repeated and what is given to whom is the share's, in the core.
'use strict'
const { EventEmitter, once } = require('node:events')
const { Context, Share } = require('./index.js')
const serializeJson = require('./lib/serialize-json')

const noop = () => {}
const isFunction = f => typeof f === 'function'
const isGenerator = f => isFunction(f) && f.constructor.name === 'GeneratorFunction'
const isAsync = f => isFunction(f) && f.constructor.name === 'AsyncFunction'
const named = (name, message) => Object.assign(new Error(message), { name })

/** Runs a generator function as co does: what it yields is waited for. */
async function walk (steps) {
  let step = steps.next()
  while (!step.done) {
    let value
    try {
      const given = step.value
      if (isFunction(given)) value = await new Promise((resolve, reject) => given((error, result) => error ? reject(error) : resolve(result)))
      else if (isFunction(given?.next)) value = await walk(given)
      else value = await (Array.isArray(given) ? Promise.all(given) : given)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(value)
  }
  return step.value
}
/** The result of a plain, async or generator function. */
const result = async (f, self, args) => isGenerator(f) ? walk(f.apply(self, args)) : f.apply(self, args)

/** ready(), await() and an 'error' that nobody listens to, as programs of sdk-base know them. */
class Base extends EventEmitter {
  #ready = false
  #failed
  #waiting = []

  constructor (options = {}) {
    super()
    this.options = options
  }

  get isReady () { return this.#ready }

  /** ready(): a promise; ready(f): f(error) then; ready(true), ready(error): it is. */
  ready (what) {
    if (what === undefined) return new Promise((resolve, reject) => this.ready(error => error ? reject(error) : resolve()))
    if (isFunction(what)) {
      this.#waiting.push(what)
    } else {
      this.#failed = what instanceof Error ? what : undefined
      this.#ready = this.#failed === undefined && Boolean(what)
      if (this.#failed && this.#waiting.length === 0) this.emit('error', what)
    }
    if (this.#ready || this.#failed) for (const f of this.#waiting.splice(0)) process.nextTick(f, this.#failed)
  }

  /** The first argument of the next event of this name. */
  async await (event) { return (await once(this, event))[0] }

  emit (event, ...args) {
    if (event !== 'error' || this.listenerCount('error') > 0) return super.emit(event, ...args)
    console.error(args[0])
    return false
  }
}

/** What one emits, the other emits too. */
function delegateEvents (from, to) {
  if (!isFunction(from?.emit) || !isFunction(from.on)) return
  if (from.listenerCount('error') <= 1) from.on('error', noop)
  const emit = from.emit
  from.emit = (...args) => {
    const heard = emit.apply(from, args)
    to.emit(...args)
    return heard
  }
}

/** The real client of this process and what is asked of it. */
class Seat {
  #subscribed = new Set()

  constructor (owner, { createRealClient, method }, give) {
    this.owner = owner
    this.method = method
    this.give = give
    this.client = createRealClient()
    delegateEvents(this.client, owner)
    this.ready = isFunction(this.client.ready)
      ? new Promise((resolve, reject) => this.client.ready(error => error ? reject(error) : resolve()))
      : Promise.resolve()
    this.ready.catch(noop) // who waits for it is told
  }

  /** Once for each key, however many ask. */
  async subscribe (key, reg) {
    if (this.#subscribed.has(key)) return
    this.#subscribed.add(key)
    await this.ready
    this.client[this.method('subscribe')](reg, value => this.give(key, value))
  }

  async invoke (name, args, oneway) {
    await this.ready
    const f = this.client[name]
    if (!isFunction(f) || Object.hasOwn(Object.prototype, name)) throw new TypeError(`[ClusterClient] api: ${name} not implement in client`)
    if (oneway) return result(f, this.client, [...args, undefined])
    return new Promise((resolve, reject) => {
      args = [...args, (error, value) => error ? reject(error) : resolve(value)]
      const given = isGenerator(f) ? walk(f.apply(this.client, args)) : f.apply(this.client, args)
      if (isFunction(given?.then)) given.then(resolve, reject) // else its callback is the answer
    })
  }

  async close () {
    const name = this.method('close')
    if (name) await result(this.client[name], this.client, [])
  }
}

const list = encoded => Buffer.concat(encoded.flatMap(bytes => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return [length, bytes]
}))
function * items (bytes) {
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at)
    yield bytes.subarray(at + 4, end)
    at = end
  }
}

/** Which of the core's own encodings a transcode reads. */
function transcodeName ({ decode }) {
  try {
    if (decode(Buffer.from('{"success":true}'))?.success === true) return 'json'
  } catch {} // it is not that one
  return 'serialize-json'
}

/** All processes of the port: a share. */
class Many {
  #options
  #share
  #owner
  #seat

  constructor (owner, options) {
    this.#owner = owner
    this.#options = options
    const { transcode, wire, isBroadcast, isCheckHeartbeat, dir, share: more } = options
    const port = wire === 'meshwork' ? { ...dir && { dir } } : { preset: 'cluster-client', port: options.port, transcode: transcodeName(transcode) }
    this.#share = new Share({
      ...port,
      name: options.name,
      fanout: isBroadcast ? 'all' : 'one',
      'call.timeout': options.responseTimeout,
      'start.timeout': options.maxWaitTime,
      'connect.timeout': options.connectTimeout,
      'heartbeat.interval': options.heartbeatInterval,
      ...isCheckHeartbeat === false && { 'heartbeat.max_strikes': 1000 },
      ...typeof options.isLeader === 'boolean' && { role: options.isLeader ? 'leader' : 'follower' },
      ...more
    }, options.context ?? Context.default)
    this.#share.on('leader', mine => this.#elected(mine))
    this.#share.on('interest', (key, count) => count > 0 && this.#wanted(key))
    this.#share.on('message', message => owner.value(message.topic, message.data))
    this.#share.on('up', () => owner.up())
    this.#share.on('down', () => owner.down())
    this.#share.on('fault', error => owner.emit('error', error))
    this.#share.on('log', line => options.logger?.warn?.(line))
    this.#share.serve(request => this.#answer(request))
  }

  async start () {
    const { name, port, isLeader, maxWaitTime } = this.#options
    try {
      await this.#share.start()
    } catch (error) {
      if (isLeader === true) throw new Error(`create "${name}" leader failed, the port:${port} is occupied by other`, { cause: error })
      if (error.code !== 'MW_ETIMEDOUT') throw error
      throw new Error(`[ClusterClient] leader does not be active in ${maxWaitTime}ms on port:${port}`, { cause: error })
    }
    await this.#seat?.ready
  }

  get isLeader () { return this.#seat !== undefined }

  #elected (mine) {
    if (mine) {
      this.#seat = new Seat(this.#owner, this.#options, (key, value) => this.#give(key, value))
    } else {
      this.#unseat().catch(error => this.#owner.emit('error', error))
    }
  }

  async #unseat () {
    const seat = this.#seat
    this.#seat = undefined
    await seat?.close()
  }

  #wanted (key) {
    const line = key.indexOf('\n')
    this.#seat?.subscribe(key, JSON.parse(line < 0 ? key : key.slice(0, line))).catch(error => this.#owner.emit('error', error))
  }

  #give (key, value) {
    try {
      this.#share.publish(key, this.#options.transcode.encode(value))
    } catch (error) {
      if (error.code !== 'MW_ENOTLEADER' && error.code !== 'MW_ECLOSED') throw error // else another leads, and has its own
    }
  }

  async #answer (request) {
    const { transcode, name, responseTimeout } = this.#options
    const { method } = request
    const began = Date.now()
    const tell = error => this.#owner.emit('error', Object.assign(error, { method }))
    try {
      const bytes = request.message.data
      const args = (request.message.isList ? [...items(bytes)] : bytes.length ? [bytes] : []).map(item => transcode.decode(Buffer.from(item)))
      const seat = this.#seat
      if (!seat) throw new Error('another process leads')
      const value = await seat.invoke(method, args, request.oneway)
      if (request.oneway) return
      if (request.over || Date.now() - began > Math.min(request.timeLeft, responseTimeout)) {
        tell(named('ClusterLeaderTimeoutError', `[Leader:${name}] invoke method:${method} timeout for req#${request.id}`))
        if (!request.over) request.fail({ name: 'ClusterLeaderTimeoutError', message: 'too late' }, { code: 'MW_ETIMEDOUT' })
        return
      }
      request.reply(transcode.encode(value))
    } catch (error) {
      const { stack, name, message, code } = error ?? {}
      if (!request.over) request.fail({ stack, name, message: message ?? String(error), code }, { code: 'MW_EREMOTE' })
      tell(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async subscribe (key) { await this.#share.subscribe(key) }
  async unSubscribe (key) { await this.#share.unsubscribe(key) }

  async invoke (method, args, oneway) {
    const { transcode, responseTimeout, port } = this.#options
    try {
      const answer = await this.#share.call(method, list(args.map(arg => transcode.encode(arg))), { list: true, oneway })
      return oneway ? undefined : transcode.decode(Buffer.from(answer.data))
    } catch (error) {
      if (error.code === 'MW_ETIMEDOUT') throw named('ResponseTimeoutError', `Server no response in ${responseTimeout}ms, address#127.0.0.1:${port}`)
      if (error.code !== 'MW_EREMOTE') throw error
      throw Object.assign(new Error(error.message), error.detail)
    }
  }

  async close () {
    await this.#share.close()
    await this.#unseat()
  }
}

const alone = new Map() // clients of singleMode by name, with how many use them

/** One process: its real client is used directly. */
class One {
  #owner
  #options
  #all

  constructor (owner, options) {
    this.#owner = owner
    this.#options = options
    this.#all = alone.get(options.name)
    if (this.#all) {
      this.#all.owners.add(owner)
      return
    }
    const all = this.#all = { owners: new Set([owner]), keys: new Map() } // key to its owners and last value
    alone.set(options.name, all)
    const events = { emit: (...args) => { for (const one of all.owners) one.emit(...args) } }
    all.seat = new Seat(events, options, (key, value) => {
      const at = all.keys.get(key)
      at.data = options.transcode.encode(value)
      const owners = [...at.owners]
      for (const one of options.isBroadcast ? owners : [owners[Math.floor(Math.random() * owners.length)]]) one?.value(key, at.data)
    })
  }

  get isLeader () { return true }
  async start () {
    await this.#all.seat.ready
    this.#owner.up()
  }

  async subscribe (key, reg) {
    const { keys, seat } = this.#all
    if (!keys.has(key)) keys.set(key, { owners: new Set() })
    const at = keys.get(key)
    at.owners.add(this.#owner)
    if (at.data && this.#options.isBroadcast) process.nextTick(() => this.#owner.value(key, at.data))
    await seat.subscribe(key, reg)
  }

  async unSubscribe (key) { this.#all.keys.get(key)?.owners.delete(this.#owner) }

  async invoke (method, args, oneway) { return this.#all.seat.invoke(method, args, oneway) }

  async close () {
    const { owners, keys, seat } = this.#all
    for (const { owners } of keys.values()) owners.delete(this.#owner)
    if (!owners.delete(this.#owner) || owners.size > 0) return
    alone.delete(this.#options.name)
    await seat.close()
  }
}

const inner = Symbol.for('ClusterClient#innerClient')
const verb = name => Symbol.for(`ClusterClient#${name}`)

/** What create() gives: the methods of the class, wherever its one instance is. */
class Wrapper extends Base {
  #keys = new Map() // key to its registration, listeners and last value
  #published = new Map() // formatted registration to registration
  #up = false
  #closing

  constructor (options) {
    super(options)
    this[inner] = options.singleMode ? new One(this, options) : new Many(this, options)
    this[inner].start().then(() => this.ready(true), error => this.ready(error))
  }

  /** Whether the real client is in this process. */
  get isClusterClientLeader () { return this[inner].isLeader }

  // ---- told by what is inside
  up () {
    this.#up = true
    for (const reg of this.#published.values()) this.#invoke(this.options.method('publish'), [reg], true).catch(error => this.emit('error', error))
    super.emit('ClusterClient#up')
  }

  down () { this.#up = false }

  value (key, data) {
    const at = this.#keys.get(key)
    if (!at) return
    at.data = Buffer.from(data)
    clearTimeout(at.timer)
    for (const listener of [...at.listeners]) listener(this.options.transcode.decode(at.data))
  }

  // ---- verbs
  #key (reg) {
    const json = JSON.stringify(reg) ?? 'null'
    const key = String(this.options.formatKey(reg))
    return key === json ? json : `${json}\n${key}`
  }

  /** Calls the listener with the last value of a registration, and with each later one. */
  [verb('subscribe')] (reg, listener) {
    const { name, subscribeTimeout } = this.options
    if (!isFunction(listener)) throw new TypeError(`[ClusterClient:${name}] subscribe(reg, listener) listener should be a function`)
    const key = this.#key(reg)
    let at = this.#keys.get(key)
    if (at) {
      at.listeners.push(listener)
      if (at.data) process.nextTick(() => listener(this.options.transcode.decode(at.data)))
      return this
    }
    at = { listeners: [listener] }
    this.#keys.set(key, at)
    if (subscribeTimeout) {
      const began = Date.now()
      at.timer = setTimeout(() => this.emit('error', new Error(
        `subscribe timeout for $$inner$$__${key.slice(key.indexOf('\n') + 1)}, cost: ${Date.now() - began}ms, expect is ${subscribeTimeout}ms`)), subscribeTimeout)
    }
    this[inner].subscribe(key, reg).catch(error => this.#closing || this.emit('error', error))
    return this
  }

  /** Without a listener: all of the registration. */
  [verb('unSubscribe')] (reg, listener) {
    const key = this.#key(reg)
    const at = this.#keys.get(key)
    if (!at) return
    at.listeners = listener ? at.listeners.filter(other => other !== listener) : []
    if (at.listeners.length > 0) return
    clearTimeout(at.timer)
    this.#keys.delete(key)
    this[inner].unSubscribe(key).catch(error => this.#closing || this.emit('error', error))
  }

  /** Tells the leader, and each later one. */
  [verb('publish')] (reg) {
    const { formatKey, method } = this.options
    this.#published.set(formatKey(reg), reg)
    if (this.#up) this.#invoke(method('publish'), [reg], true).catch(error => this.emit('error', error))
    return this
  }

  /** callback(error, result); without one nobody waits. */
  [verb('invoke')] (method, args, callback) {
    const done = this.#invoke(method, args, !callback)
    if (!callback) return void done.catch(error => this.emit('error', error))
    done.then(value => process.nextTick(callback, null, value), error => process.nextTick(callback, error))
  }

  async #invoke (method, args, oneway) {
    for (;;) {
      await this.ready()
      if (!this.#up && !this.#closing) await once(this, 'ClusterClient#up')
      try {
        return await this[inner].invoke(method, args, oneway)
      } catch (error) {
        if (error.code !== 'MW_ENOTCONN' || this.#closing) throw error
        this.#up = false // it is between two leaders, and was not sent
      }
    }
  }

  async [verb('close')] () {
    await this.ready().catch(noop)
    this.#closing ??= this[inner].close().then(() => {
      for (const { timer } of this.#keys.values()) clearTimeout(timer)
      super.emit('ClusterClient#up') // who waits for a leader is told that there will be none
      this.emit('close')
    })
    return this.#closing
  }
}

const defaults = () => ({
  port: parseInt(process.env.NODE_CLUSTER_CLIENT_PORT) || 7777,
  singleMode: process.env.NODE_CLUSTER_CLIENT_SINGLE_MODE === '1',
  maxWaitTime: 30000,
  connectTimeout: parseInt(process.env.NODE_CLUSTER_CLIENT_CONNECT_TIMEOUT) || 10000,
  responseTimeout: 3000,
  heartbeatInterval: 20000,
  isCheckHeartbeat: true,
  autoGenerate: true,
  isBroadcast: true,
  logger: console,
  transcode: serializeJson,
  formatKey: reg => JSON.stringify(reg),
  wire: 'cluster-client'
})

/** What becomes of a class: which of its methods are delegated to what. */
class ClientGenerator {
  #class
  #options
  #rules = new Map()

  constructor (clientClass, options) {
    this.#class = clientClass
    this.#options = { name: clientClass.prototype.constructor.name, ...defaults(), ...options }
  }

  /** A property of every client. */
  override (name, value) {
    this.#rules.set(name, { value })
    return this
  }

  /** to: subscribe, unSubscribe, publish, invoke, invokeOneway or close. */
  delegate (from, to = 'invoke') {
    this.#rules.set(from, { to: to || 'invoke' })
    return this
  }

  /** A client; the arguments are the constructor's, in the process that leads. */
  create (...args) {
    const Class = this.#class
    const proto = Class.prototype
    if (this.#options.autoGenerate) this.#generate(proto)
    const rules = this.#rules
    for (const [name, { to }] of rules) {
      if (/^invoke/.test(to) && !isFunction(proto[name])) throw new Error(`[ClusterClient] api: ${name} not implement in client`)
    }
    const client = new Wrapper({
      ...this.#options,
      createRealClient: () => Reflect.construct(Class, args),
      method: to => [...rules].find(([, rule]) => rule.to === to)?.[0]
    })
    for (const [name, { to, value }] of rules) {
      Object.defineProperty(client, name, { value: to ? this.#verb(client, name, to) : value, writable: true, enumerable: true, configurable: true })
    }
    return client
  }

  #verb (client, name, to) {
    const invoke = client[verb('invoke')].bind(client)
    if (to === 'invokeOneway') return (...args) => invoke(name, args)
    if (to !== 'invoke') return client[verb(to)]
    const promised = args => new Promise((resolve, reject) => invoke(name, args, (error, value) => error ? reject(error) : resolve(value)))
    if (isGenerator(this.#class.prototype[name])) return function * (...args) { return yield promised(args) }
    return (...args) => {
      if (!isFunction(args.at(-1))) return promised(args)
      const callback = args.pop()
      invoke(name, args, callback)
    }
  }

  #generate (proto) {
    const taken = new Set([...this.#rules.values()].map(({ to }) => to))
    for (const name of ['subscribe', 'unSubscribe', 'publish', 'close']) {
      if (!this.#rules.has(name) && !taken.has(name) && isFunction(proto[name])) this.delegate(name, name)
    }
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (!name.startsWith('_') && !this.#rules.has(name) && (isGenerator(value) || isAsync(value))) this.delegate(name)
    }
  }
}

/** Shares one client of a class among all processes that name the same port. */
const cluster = (clientClass, options) => new ClientGenerator(clientClass, options)

/** Resolves when the client, and in the leader the real one, is closed. */
cluster.close = client => {
  if (!isFunction(client?.[verb('close')])) throw new TypeError('[cluster#close] client should be instanceof ClusterClient')
  return client[verb('close')]()
}

/** For classes that wrap a DataClient; its events are emitted here, too. */
class APIClientBase extends Base {
  constructor (options = {}) {
    super(options)
    const wrapper = (options.cluster ?? cluster)(this.DataClient, this.clusterOptions)
    for (const [from, to] of Object.entries(this.delegates)) wrapper.delegate(from, to)
    this._client = wrapper.create(options)
    delegateEvents(this._client, this)
    if (options.initMethod) result(this[options.initMethod], this, []).then(() => this.ready(true), error => this.ready(error))
    else this._client.ready(error => this.ready(error ?? true))
  }

  get isClusterClientLeader () { return this._client.isClusterClientLeader }
  get DataClient () { throw new Error('[APIClient] DataClient is required') }
  /** Options of cluster(). */
  get clusterOptions () { return {} }
  /** Method to what it is delegated to. */
  get delegates () { return {} }

  async close () {
    if (isFunction(this._client.close)) await this._client.close()
    await cluster.close(this._client)
  }
}
cluster.APIClientBase = APIClientBase

module.exports = cluster
