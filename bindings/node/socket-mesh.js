// Manager and SocketNode as programs of the npm package socket-mesh use them,
// on a manager and nodes of a mesh: the schema is the option `access`, each of
// its functions the handler of a method, both keys together the secret of the
// links. What differs is in the README.
'use strict'
const { createHash, randomUUID } = require('node:crypto')
const os = require('node:os')
const mesh = require('./index')
const { onAbort } = require('./lib/abort')

const ANY = 'anyNode'
/** A role without regard to case, as the core sees it; what nodes of it serve, however their schemas write it. */
const plain = role => role.replace(/[A-Z]+/g, letters => letters.toLowerCase())
const same = (a, b) => plain(a) === plain(b)
const hash = text => createHash('sha256').update(text).digest('hex')

/** Who knows both keys is of the mesh; any text will do as a key. */
function identity (publicKey, privateKey) {
  for (const [name, key] of Object.entries({ publicKey, privateKey })) {
    if (typeof key !== 'string' || key === '') throw new TypeError(`${name} must be a text that is not empty`)
  }
  const id = hash(publicKey).slice(0, 32)
  return {
    'cluster.deployment': 'socket-mesh', 'cluster.name': id, 'link.key_id': id, 'link.secret': hash(JSON.stringify([publicKey, privateKey]))
  }
}

/** What the schema says, names compared without regard to case. */
class Schema {
  #roles = new Map()
  constructor (schema) {
    if (typeof schema !== 'object' || schema === null) throw new TypeError('schema must be an object: a key a node')
    /** As the core reads it: where a function stands there is null. */
    const access = JSON.stringify(schema, (key, value) => typeof value === 'function' ? null : value)
    this.options = { access, 'access.names': 'nocase', 'access.check': 'warn' }
    for (const [name, { _allow = [], _connect = [], _commands = {} } = {}] of Object.entries(schema)) {
      const methods = new Map()
      for (const mode of ['_balanced', '_broadcast']) {
        for (const [method, given] of Object.entries(_commands[mode] ?? {})) {
          const how = typeof given === 'function' ? { method: given } : given ?? {}
          const run = typeof how.method === 'function' ? how.method : undefined // of other nodes there may be none
          methods.set(method, { run, broadcast: mode === '_broadcast', responds: how.responds ?? mode === '_balanced' })
        }
      }
      this.#roles.set(name, { name, allow: _allow, connect: _connect, methods })
    }
  }

  role (name) {
    return this.#roles.get(name) ?? [...this.#roles.values()].find(role => typeof name === 'string' && same(role.name, name))
  }

  get roles () { return [...this.#roles.values()] }

  /** Whether nodes of both roles have anything to say to each other. */
  meet (one, other) {
    const lists = (list, name) => list === ANY || list.some(each => same(each, name))
    const may = (from, to) => lists(this.role(from)?.connect ?? [], to) && lists(this.role(to)?.allow ?? [], from)
    return may(one, other) || may(other, one)
  }
}

/** Nobody has such a call yet: somebody may come who takes it. */
const nobody = new Set(['MW_ENOPEER', 'MW_ENOSERVICE', 'MW_ENOTCONN'])
const LOOK = 20 // ms between two looks for somebody

/** Resolves so many ms later; rejects when the signal aborts before. */
const pause = (ms, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted()
  const timer = setTimeout(() => {
    stop?.()
    resolve()
  }, ms)
  const stop = signal && onAbort(signal, reason => {
    clearTimeout(timer)
    reject(reason)
  })
})

const levels = { silent: 'off', fatal: 'error' }

/** A handler of the program's: what it throws is an uncaught exception, and stops nothing here. */
function tell (handler, ...facts) {
  try {
    handler?.(...facts)
  } catch (error) {
    process.nextTick(() => { throw error })
  }
}

/** What both have: options of the core, lines of the log, what goes wrong. */
function begin (kind, { logLevel, onError, context }, options) {
  const made = new kind({ ...logLevel && { 'log.level': levels[logLevel] ?? logLevel }, ...options }, context)
  if (logLevel) made.on('log', (line, level, area) => console.log(`${area}: ${line}`))
  const told = new Set()
  const trouble = error => {
    told.add(error.code)
    onError ? tell(onError, error) : process.emitWarning(error)
  }
  made.on('fault', trouble)
  made.on('close', ({ error }) => error && trouble(error))
  const started = () => made.start().then(() => true, async error => {
    if (error.code !== 'MW_ECANCELED' && !told.has(error.code)) trouble(error) // else it was closed before, or came as a fault, too
    await made.close()
    return false
  })
  return { made, trouble, started }
}

/** Another node, by its worker (role) and variant (name among those of its role). */
class Connection {
  constructor ({ name, service, address }) {
    this.worker = service
    this.variant = name.slice(service.length + 1)
    this.address = address
  }
}

/** As in an environment: one that is empty is none. */
const portOf = port => port === undefined || port === null || port === '' ? undefined : Number(port)
const nameOf = (worker, variant) => `${worker}/${variant}`
const list = value => value === undefined ? [] : Array.isArray(value) ? value : [value]

/** Where nodes report, and which tells them whom there is. */
class Manager {
  #manager
  #nodes = new Map()
  constructor ({ schema, publicKey, privateKey, port, ip = '0.0.0.0', logLevel, onError, ...options } = {}, context) {
    this.schema = schema
    const { made, started } = begin(mesh.Manager, { logLevel, onError, context }, {
      ...identity(publicKey, privateKey), ...new Schema(schema).options, host: ip, port: portOf(port) ?? 0, ...options
    })
    this.#manager = made
    made.on('memberUp', member => this.#nodes.set(member.name, new Connection(member)))
    made.on('memberDown', ({ name }) => this.#nodes.delete(name))
    made.on('close', () => this.#nodes.clear())
    /** Resolves when nodes can connect; false: they cannot, onError said why. */
    this.started = started()
  }

  /** Whether nodes can connect. */
  get listening () { return ['up', 'ready'].includes(this.#manager.state) }
  /** Where: [] until then. */
  get address () { return this.listening ? this.#manager.info().address : [] }

  /** The nodes that are there, lists by worker. */
  connections () {
    const workers = {}
    for (const node of this.#nodes.values()) (workers[node.worker] ??= []).push(node)
    return workers
  }

  /** Resolves when it is closed. */
  async destroy () { await this.#manager.close() }
}

/** A node: answers what the schema gives functions for, calls what it allows. */
class SocketNode {
  #node
  #schema
  #role
  #wait
  #members = new Map() // by name: who is there
  #connections = new Map() // those of them that were told
  constructor ({
    worker, variant = randomUUID(), schema, publicKey, privateKey, ip = '127.0.0.1', port, meshPort, redis, logLevel, wait = 3000,
    onConnected, onConnection, onDisconnection, onError, ...options
  } = {}, context) {
    if (redis !== undefined) process.emitWarning('The queues of this node are kept in memory: there is no Redis in meshwork.')
    this.worker = worker
    this.variant = variant
    this.#wait = wait
    this.#schema = new Schema(schema)
    this.#role = this.#schema.role(worker)
    const { made, trouble, started } = begin(mesh.Node, { logLevel, onError, context }, {
      ...identity(publicKey, privateKey),
      'member.service': worker,
      'member.name': nameOf(worker, variant),
      ...this.#schema.options,
      registry: 'manager',
      'registry.url': [portOf(port) === undefined ? ip : `${ip.includes(':') ? `[${ip}]` : ip}:${portOf(port)}`],
      host: whereToListen(ip),
      port: portOf(meshPort) ?? 0,
      'call.timeout': '3s',
      ...options
    })
    this.#node = made
    this.#serve(trouble)
    const meet = this.#follow(onConnection, onDisconnection)
    this.call = this.#calls()
    const connections = () => [...this.#connections.values()]
    this.connections = {
      get connections () { return connections() },
      connected: worker => connections().some(each => same(each.worker, worker)),
      getConnection: which => this.getConnection(which)
    }
    this.meshServer = {
      get listening () { return ['up', 'ready'].includes(made.state) },
      connections: { get connections () { return connections() } }
    }
    /** Resolves when the other nodes are known here; false: it ended before. */
    this.connected = started().then(up => {
      if (up) {
        tell(onConnected)
        meet()
      }
      return up
    })
  }

  /** The functions of this node's own methods. */
  get methods () { return Object.fromEntries([...this.#role.methods].map(([name, { run }]) => [name, run])) }

  getConnection ({ worker, variant }) {
    return this.connections.connections.find(each => same(each.worker, worker) && (variant === undefined || each.variant === variant))
  }

  /** Resolves when it is closed. */
  async destroy () { await this.#node.close() }

  #serve (trouble) {
    const { name, methods } = this.#role
    const answer = async ({ method, message }) => {
      const { run, responds } = methods.get(method.slice(name.length + 1))
      try {
        return JSON.stringify(await run(message.length > 0 ? message.json() : undefined)) ?? ''
      } catch (error) {
        if (!responds) trouble(error) // nobody else is told
        throw error
      }
    }
    const here = [...methods.keys()].filter(method => methods.get(method).run)
    // Which of them are queued the schema says; they take their time, and are not begun anew.
    if (here.length > 0) this.#node.serve(plain(name), answer, { methods: here, 'queue.lease': 0 })
  }

  /** Nodes to call, or that call this one. Those that it knows from the beginning are told after onConnected. */
  #follow (onConnection, onDisconnection) {
    let early = true
    const add = (name, connection) => {
      this.#connections.set(name, connection)
      tell(onConnection, connection)
    }
    this.#node.on('memberUp', member => {
      if (!this.#schema.meet(this.worker, member.service)) return
      const connection = new Connection(member)
      this.#members.set(member.name, connection)
      if (!early) add(member.name, connection)
    })
    this.#node.on('memberDown', ({ name }) => {
      this.#members.delete(name)
      const connection = this.#connections.get(name)
      if (this.#connections.delete(name)) tell(onDisconnection, connection)
    })
    this.#node.on('close', () => {
      this.#members.clear()
      this.#connections.clear()
    })
    return () => {
      early = false
      for (const [name, connection] of this.#members) add(name, connection)
    }
  }

  #calls () {
    const table = Object.create(null)
    for (const { name, methods } of this.#schema.roles) {
      table[name] = Object.create(null)
      for (const [method, how] of methods) table[name][method] = { call: (data, which) => this.#call(name, method, how, data, which) }
    }
    return new Proxy(table, { get: (_, name) => table[name] ?? table[this.#schema.role(name)?.name] })
  }

  async #call (name, method, { broadcast, responds }, data, { only, exclude, ...how } = {}) {
    const target = `${plain(name)}.${method}`
    const body = JSON.stringify(data) ?? ''
    // Anew for each look: names are exact, and how a role is written is known of those that are there.
    const route = () => {
      const there = only || exclude ? [...this.#members].filter(([, each]) => same(each.worker, name)) : []
      let known = true
      const once = names => [...new Set(names)]
      const members = variants => list(variants).flatMap(variant => {
        const named = there.filter(([, each]) => each.variant === variant).map(([full]) => full)
        if (named.length > 0) return named
        known = false
        return [nameOf(name, variant)]
      })
      const own = same(name, this.#role.name) ? [nameOf(this.worker, this.variant)] : [] // itself it does not call
      const others = once([...members(exclude), ...own])
      // While one of them is not known here, only those that are: who comes may be that one, written in another way.
      const those = only ? once(members(only)) : known ? undefined : once([...there.map(([full]) => full), ...others])
      return { ...how, ...those && { only: those }, ...others.length > 0 && { exclude: others } }
    }
    const value = message => message.length > 0 ? message.json() : undefined
    if (!broadcast) return value(await this.#patiently(how, () => this.#node.call(target, body, route())))
    if (!responds) {
      await this.#patiently(how, () => this.#node.call(target, body, route()))
      return
    }
    const { answers, failures } = await this.#patiently(how, () => this.#node.gather(target, body, route()))
    return Object.assign(answers.map(({ message }) => value(message)), {
      failures: failures.map(({ member, error }) => ({ worker: name, variant: member.slice(name.length + 1), error }))
    })
  }

  /** A call waits for somebody to take it: who may be about to come, or to come back. */
  async #patiently ({ timeout, signal }, call) {
    const end = Date.now() + Math.min(timeout || Infinity, this.#wait)
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (!nobody.has(error.code) || Date.now() >= end) throw error
      }
      await pause(LOOK, signal)
    }
  }
}

/** The address of this host by which the others reach it. */
function whereToListen (manager) {
  if (/^(127\.|localhost$|::1$)/.test(manager)) return '127.0.0.1'
  const all = Object.values(os.networkInterfaces()).flat()
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}

module.exports = { Manager, SocketNode }
