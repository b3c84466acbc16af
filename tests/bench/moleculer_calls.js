// A neighbour from npm: calls between two nodes of Moleculer over its TCP transporter.
//   moleculer_calls.js serve MODULES PORT | call MODULES PORT IN_FLIGHT SECONDS      as node_mesh.js; the caller has PORT + 1
'use strict'
const [, , role, modules, port, inFlight, seconds] = process.argv
const { createRequire } = require('module')
const { ServiceBroker } = createRequire(`${modules}/`)('moleculer')
const { measure } = require('./calling')

const ports = { serve: Number(port), call: Number(port) + 1 }
const broker = new ServiceBroker({
  nodeID: role,
  logger: false,
  transporter: {
    type: 'TCP',
    options: {
      udpDiscovery: false,
      port: ports[role],
      urls: Object.entries(ports).map(([name, at]) => `127.0.0.1:${at}/${name}`)
    }
  }
})
if (role === 'serve') broker.createService({ name: 'echo', actions: { x: ({ params }) => params } })

async function main () {
  await broker.start()
  if (role === 'serve') return console.log('up')
  await broker.waitForServices('echo', 20000)
  await measure((what) => broker.call('echo.x', what), inFlight, seconds)
}
main().catch((error) => { console.error(error); process.exit(1) })
