// Provider, Consumer and Connection: names of live things, with their verbs.
'use strict'
const addon = require('./addon')
const { check } = require('./error')
const { Context } = require('./context')
const { Handle, opened, Publisher, Subscriber, flagsOf, bytesOf, textOf, pairs } = require('./handle')
const { Caller, Server } = require('./service')
const { flag } = require('./tables')

const PROVIDER = 2
const CONSUMER = 3

// What messages can be sent to.
class Sender extends Caller(Subscriber(Handle)) {
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
class Provider extends Server(Publisher(opened(Handle))) {
  constructor (options = {}, context = Context.default) {
    super(context)
    /** Connections by handle. */
    this.connections = new Map()
    this.open(PROVIDER, options)
  }

  /** Addresses it listens on, once up. */
  get address () { return this.info('address').address }

  /** Publishes, and resolves with the number of connections reached. */
  async reach (topic, data, how) { return (await this.published(topic, data, how)).code }

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
class Consumer extends Server(opened(Sender)) {
  constructor (options = {}, context = Context.default) {
    super(context)
    this.open(CONSUMER, options)
  }

  receive (message) { this.emit('message', message) }
}

module.exports = { Provider, Consumer, Connection }
