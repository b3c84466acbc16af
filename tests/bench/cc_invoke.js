// The neighbour from npm: invoke through the leader of cluster-client 3.7.
//   cc_invoke.js lead MODULES PORT | call MODULES PORT IN_FLIGHT SECONDS      as mw_invoke
const [, , role, modules, port, inFlight, seconds] = process.argv
const { createRequire } = require('module')
const load = createRequire(`${modules}/`)
const cluster = load('cluster-client')
const Base = load('sdk-base')
const { measure } = require('./calling')

class Client extends Base {
  constructor () { super(); this.ready(true) }
  get (what) { return Promise.resolve(what) }
}

const client = cluster(Client, { port: Number(port), isLeader: role === 'lead', maxWaitTime: 20000 }).delegate('get', 'invoke').create()
client.on('error', (e) => { console.error(e); process.exit(1) })
client.ready(async () => {
  if (role === 'lead') return console.log('up')
  await measure((what) => client.get(what), inFlight, seconds)
})
