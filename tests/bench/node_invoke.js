// Calls to the leader of a share from another process, both in Node; the addon is where MESHWORK_ADDON says.
//   node_invoke.js lead DIR | call DIR IN_FLIGHT SECONDS      as mw_invoke
'use strict'
const { Share } = require('../../bindings/node')
const { measure } = require('./calling')

const [, , role, dir, inFlight, seconds] = process.argv
const share = new Share({ name: 'bench', dir, role: role === 'lead' ? 'leader' : 'follower' })
share.serve(({ message }) => JSON.stringify(JSON.parse(message.text))) // as cluster-client does with both

async function main () {
  await share.start()
  if (role === 'lead') return console.log('up')
  await measure(async (what) => JSON.parse((await share.call('get', JSON.stringify(what))).text), inFlight, seconds)
}
main().catch((error) => { console.error(error); process.exit(1) })
