// What the agent does with channels, hubs and shares.
'use strict'
const { Channel, Election, Hub, Share } = require('meshwork')

module.exports = tools => {
  const { event, told, listen, options, asked, add } = tools
  const dropped = (object, peer, { count, error, message }) =>
    event(object, 'DROPPED', { peer, error, ...told(message), code: count }, 512)

  function heard (object) {
    listen(object)
    object.on('writable', () => event(object, 'WRITABLE'))
    object.on('message', message => event(object, 'MESSAGE', told(message), 512))
    object.on('slow', ({ waiting, policy }) => event(object, 'SLOW', { id: waiting, code: policy }))
    object.on('dropped', facts => dropped(object, undefined, facts))
  }

  const leads = (object, name) => object.on('leader', (self, epoch) =>
    event(object, 'LEADER', { code: self === undefined ? -1 : Number(self), id: epoch, topic: name }))

  return {
    channel: (_, name, args) => heard(add(name, new Channel(options(args), tools.context))),
    hub: (_, name, args) => {
      const hub = add(name, new Hub(options(args), tools.context))
      listen(hub)
      hub.on('slow', (peer, { waiting, policy }) => event(hub, 'SLOW', { peer, id: waiting, code: policy }))
      hub.on('dropped', (peer, facts) => dropped(hub, peer, facts))
      hub.on('dump', (message, peer) => {
        const { flags, ...rest } = told(message)
        event(hub, 'LOG', { ...rest, peer, code: 5, flags: [flags, 'DUMP'].filter(Boolean).join('+') })
      })
    },
    share: (_, name, args) => {
      const share = add(name, new Share(options(args), tools.context))
      heard(share)
      share.serve(request => asked(share, request))
      leads(share, args.name)
    },
    elect: (_, name, args) => {
      const election = add(name, new Election(options(args), tools.context))
      listen(election)
      leads(election, args.name)
    }
  }
}
