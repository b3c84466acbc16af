import { SocketNode } from 'meshwork/socket-mesh'
import schema, { publicKey, privateKey } from './socket-mesh-schema.mjs'

const start = async (worker, variant) => {
  const workerSchema = await schema(worker)

  return new Promise((resolve) => {
    const node = new SocketNode({
      redis: {
        host: '127.0.0.1',
        port: 6379
      },
      logLevel: 'trace',
      port: process.env.MASTER_SOCKET_PORT || undefined,
      ip: process.env.MASTER_HOST,
      meshPort: process.env.LOCAL_SOCKET_PORT,
      worker,
      variant, // added: the tests tell nodes apart
      wait: 60000, // added: a busy machine
      'call.timeout': '60s', // the same
      schema: workerSchema,
      publicKey,
      privateKey,
      onConnected: () => {
         resolve(node)
      },
      onConnection: connection => {
        console.log({ add: `${connection.worker} [${connection.variant}]` })
        node.call[connection.worker].status.call({ test: 'data' }).then(({ status }) => {
          console.log(status)
        })
      },
      onDisconnection: connection => {
        console.log({ drop: `${connection.worker} [${connection.variant}]` })
      }
    })
  })
}

const [worker, variant, other] = process.argv.slice(2)
const node = await start(worker, variant)
console.log(`connected ${node.meshServer.listening}`)
process.once('SIGINT', () => {
  process.stdin.destroy()
  node.destroy()
})
process.stdin.once('data', async () => { // all are there
  const { NodeB } = node.call
  const all = await NodeB.sampleRespondingBroadcastMethod.call({ test: 'all' })
  console.log(`all: ${all.map(({ command }) => command)}`)
  console.log(`one: ${(await NodeB.sampleRespondingMethod.call({ test: 'one' }, { only: [other] })).command}`)
  for (const test of ['first', 'second']) await NodeB.sampleQueuedBroadcastMethod.call({ test })
})
