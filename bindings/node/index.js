// meshwork for Node: messaging between processes and machines.
'use strict'
const addon = require('./lib/addon')
const { MeshworkError, check } = require('./lib/error')
const { Context } = require('./lib/context')
const { Message } = require('./lib/message')
const { Provider, Consumer, Connection } = require('./lib/link')
const { Channel, Election, Hub, Member, Share } = require('./lib/host')
const { Manager, Node } = require('./lib/mesh')
const { Service } = require('./lib/service')
const { stat, status } = require('./lib/tables')

const kinds = { context: 1, provider: 2, consumer: 3, subscription: 4, service: 5, call: 6, hub: 7, channel: 8, share: 9, election: 10, node: 11, manager: 12 }

module.exports = {
  Context,
  Provider,
  Consumer,
  Connection,
  Service,
  Channel,
  Election,
  Hub,
  Manager,
  Member,
  Node,
  Share,
  Message,
  MeshworkError,
  stat,
  status,
  /** Version of the core inside. */
  version: addon.version(),
  /** Every option of 'context', 'provider', 'consumer', 'subscription', 'service', 'call', 'hub', 'channel', 'share', 'election', 'node' or 'manager', described by the core. */
  describe: kind => addon.describe(kinds[kind]).map(text => JSON.parse(text)),
  /** Checks options and reads one of them back as text; secrets read '***'. */
  readOption: (kind, options, key) => check(addon.check(kinds[kind], JSON.stringify(options), key))
}
