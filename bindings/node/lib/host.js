// What the processes of one host have together: channels, the hubs that keep
// them, shares and elections.
'use strict'
const addon = require('./addon')
const { Context } = require('./context')
const { Handle, opened, Publisher, Subscriber } = require('./handle')
const { Answerer, Caller } = require('./service')
const { status } = require('./tables')

const HUB = 7
const CHANNEL = 8
const SHARE = 9
const ELECT = 10

class Common extends Publisher(Subscriber(opened(Handle))) {
  /** Publishes, and resolves when that is done: 'taken' where all members of a channel have it, else 'sent'. */
  async deliver (topic, data, how) { return (await this.published(topic, data, how)).code === 1 ? 'taken' : 'sent' }
  receive (message) { this.emit('message', message) }
}

/** A member of a channel: hears what all others publish there. */
class Channel extends Common {
  constructor (options = {}, context = Context.default) {
    super(context)
    this.open(CHANNEL, options)
  }

  /** Where this process is the hub: which member an event is about. */
  about (peer) {
    const facts = peer === 0 ? status.MW_EINVAL : addon.info(peer, '', 0)
    return { member: facts < 0 ? undefined : JSON.parse(facts) }
  }
}

/** A member, as a standing hub sees it. */
class Member extends Handle {
  constructor (hub, handle, facts) {
    super(hub.context)
    this.provider = hub
    this.handle = handle
    /** What is known of it: channel, pid, uuid. */
    this.facts = facts
  }

  get hub () { return this.provider }
  get id () { return this.facts.uuid }
}

/** Keeps channels for the whole host. */
class Hub extends opened(Handle) {
  constructor (options = {}, context = Context.default) {
    super(context)
    /** Members by handle. */
    this.members = new Map()
    this.open(HUB, options)
  }

  admit (handle, facts) {
    const member = new Member(this, handle, facts)
    this.members.set(handle, member)
    return member
  }

  left (member, end) {
    this.members.delete(member.handle)
    try {
      member.finished(end)
    } finally {
      this.emit('disconnection', member, end)
    }
  }
}

/** One of the processes of a host that use something together: one of them, the leader, has it. */
class Share extends Answerer(Caller(Common)) {
  constructor (options = {}, context = Context.default) {
    super(context)
    this.serve(request => request.fail('The leader answers no calls.', { code: 'MW_ENOTSUP' }))
    this.open(SHARE, options)
  }

  /** What the leader's process answers the calls of all with, as a service's handler does. */
  serve (handler) { this.answerBy(handler) }
}

/** Says which process of a host leads, and no more. */
class Election extends opened(Handle) {
  constructor ({ name = '', ...options } = {}, context = Context.default) {
    super(context)
    this.open(ELECT, options, name)
  }
}

module.exports = { Channel, Election, Hub, Member, Share }
