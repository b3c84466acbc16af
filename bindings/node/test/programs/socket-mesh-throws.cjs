'use strict'
// Each handler of a node fails: each is called all the same, and calls go on.
const { Manager, SocketNode } = require('meshwork/socket-mesh')
const failed = []
process.on('uncaughtException', ({ message }) => failed.push(message))
const fails = name => () => { throw new Error(name) }

async function main () {
  const keys = { publicKey: 'p', privateKey: 's', wait: 60000, 'call.timeout': '60s', onError: () => {} }
  const schema = { A: { _connect: ['B'] }, B: { _allow: ['A'], _commands: { _balanced: { who: () => 'me' } } } }
  const manager = new Manager({ publicKey: 'p', privateKey: 's', schema, ip: '127.0.0.1', 'discovery.port': 0 })
  await manager.started
  const port = new URL(manager.address[0]).port
  const others = [1, 2].map(n => new SocketNode({ ...keys, worker: 'B', variant: `${n}`, schema, port }))
  for (const each of others) await each.connected
  const node = new SocketNode({
    ...keys, worker: 'A', schema, port, onConnected: fails('onConnected'), onConnection: fails('onConnection'), onDisconnection: fails('onDisconnection')
  })
  await node.connected
  for (const { variant } of others) await node.call.B.who.call({}, { only: variant })
  await others[0].destroy()
  while (node.getConnection({ worker: 'B', variant: '1' })) await new Promise(setImmediate)
  await Promise.all([node, others[1], manager].map(each => each.destroy()))
  console.log(failed.join())
}
main()
