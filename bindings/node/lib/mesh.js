// A node: a member of a mesh, with what it serves, calls and hears.
'use strict'

const { Context } = require('./context')
const { Handle, opened, Publisher, Subscriber } = require('./handle')
const { Caller, Server } = require('./service')
const { flag, kind, status } = require('./tables')

const NODE = 11
const MANAGER = 12

/** What one member said to a call of all. */
const word = (message, error) => {
  message.detach()
  return { member: message.headers.get('member').toString(), message, error, more: (message.flags & flag.MORE) !== 0 }
}

/** What tells whom there is. */
const Knowing = Base => class extends opened(Base) {
  news (what, { id, code, error }, message) {
    const facts = message.length > 0 ? message.json() : {}
    switch (what) {
      case kind.READY: return this.emit('ready', code === 1, facts)
      case kind.MEMBER_UP: return this.emit('memberUp', { ...facts, incarnation: id })
      case kind.MEMBER_DOWN: return this.emit('memberDown', { ...facts, incarnation: id, error })
      case kind.MEMBER_CHANGED: return this.emit('memberChanged', { ...facts, incarnation: id, suspected: code === 1 })
      default: return this.emit(what === kind.SERVICE_UP ? 'serviceUp' : 'serviceDown', { service: message.topic, ...facts, count: code })
    }
  }

  /** Who is there; of a node, this one too. */
  members (how) { return this.query('members', how) }
}

/** Where nodes report (`registry: 'manager'`), and which tells them whom there is. */
class Manager extends Knowing(Handle) {
  constructor (options = {}, context = Context.default) {
    super(context)
    this.open(MANAGER, options)
  }
}

/** A member of a mesh: finds the others, serves, calls and publishes. */
class Node extends Server(Caller(Publisher(Subscriber(Knowing(Handle))))) {
  constructor (options = {}, context = Context.default) {
    super(context)
    this.open(NODE, options)
  }

  /** The others' links also carry who is alive: they are not kept waiting. */
  get patient () { return false }

  callerOf (message) { return message.headers.get('caller')?.toString() }
  receive (message) { this.emit('message', message) }

  /** Publishes, and resolves with the number of other members that want it. */
  async reach (topic, data, how) { return (await this.published(topic, data, how)).code }

  /** Calls every member that serves it; what each says, one by one. Those that failed have an error. */
  async * broadcast (target, data, how = {}) {
    try {
      for await (const { part } of this.follow(target, data, { ...how, all: true }, word)) {
        if (part) yield part
      }
    } catch (error) {
      if (error.status !== status.MW_EPARTIAL) throw error // told with each
    }
  }

  /** The same, gathered: { answers, failures }. */
  async gather (target, data, how = {}) {
    const answers = []
    const failures = []
    const part = (message, error) => (error ? failures : answers).push(word(message, error))
    try {
      await this.call(target, data, { ...how, all: true, part })
    } catch (error) {
      if (error.status !== status.MW_EPARTIAL) throw error
    }
    return { answers, failures }
  }
}

module.exports = { Manager, Node }
