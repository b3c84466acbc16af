import { Manager } from 'meshwork/socket-mesh'
import schema, { publicKey, privateKey } from './socket-mesh-schema.mjs'
const port = process.env.MASTER_SOCKET_PORT || undefined

const nodes = {}
const startManager = async () => {
  nodes.masterNode = new Manager({
    schema: await schema(),
    publicKey,
    privateKey,
    port,
    ip: process.env.MASTER_HOST // added: the tests' own
  })
}
await startManager()
await nodes.masterNode.started
console.log(`listening on ${nodes.masterNode.address[0]}`)
process.once('SIGINT', () => nodes.masterNode.destroy())
