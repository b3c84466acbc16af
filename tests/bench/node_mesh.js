// Calls between two nodes of a mesh, both in Node; the addon is where MESHWORK_ADDON says.
//   node_mesh.js serve DIR | call DIR IN_FLIGHT SECONDS
'use strict'
const { Node } = require('../../bindings/node')
const { measure } = require('./calling')

const [, , role, dir, inFlight, seconds] = process.argv
const node = new Node({
  cluster: { deployment: 'bench' }, dir, ...role === 'call' && { gate: { services: { echo: 1 } } }
})
if (role === 'serve') node.serve('echo', ({ message }) => JSON.stringify(JSON.parse(message.text))) // as the neighbours do with both

async function main () {
  await node.start()
  if (role === 'serve') return console.log('up')
  await measure(async (what) => JSON.parse((await node.call('echo.x', JSON.stringify(what))).text), inFlight, seconds)
}
main().catch((error) => { console.error(error); process.exit(1) })
