// What the agent does with nodes of a mesh.
'use strict'
const { Manager, Node } = require('meshwork')

module.exports = tools => {
  const { event, told, droppedOf, listen, options, add } = tools
  const json = facts => JSON.stringify(facts)

  function known (node) {
    for (const [name, kind] of [['memberUp', 'MEMBER_UP'], ['memberDown', 'MEMBER_DOWN'], ['memberChanged', 'MEMBER_CHANGED']]) {
      node.on(name, ({ incarnation, error, suspected, ...facts }) =>
        event(node, kind, { id: incarnation, error, code: Number(suspected ?? 0), topic: facts.service, body: json(facts) }))
    }
  }

  return {
    node: (_, name, args) => {
      const node = add(name, new Node(options(args), tools.context))
      listen(node)
      node.on('writable', () => event(node, 'WRITABLE'))
      node.on('message', message => event(node, 'MESSAGE', told(message), 512))
      node.on('slow', ({ waiting, policy }) => event(node, 'SLOW', { id: waiting, code: policy }))
      node.on('dropped', lost => event(node, 'DROPPED', droppedOf(lost), 512))
      known(node)
      node.on('ready', (met, services) => event(node, 'READY', { code: Number(met), body: json(services) }))
      for (const [name, kind] of [['serviceUp', 'SERVICE_UP'], ['serviceDown', 'SERVICE_DOWN']]) {
        node.on(name, ({ service, count, ...facts }) => event(node, kind, { topic: service, code: count, body: json(facts) }))
      }
    },
    manager: (_, name, args) => {
      const manager = add(name, new Manager(options(args), tools.context))
      listen(manager)
      known(manager)
    }
  }
}
