// The neighbour from npm: invoke through the leader of cluster-client 3.7.
//   cc_invoke.js lead MODULES PORT | call MODULES PORT IN_FLIGHT SECONDS      as mw_invoke
const [, , role, modules, port, inFlight, seconds] = process.argv
const { createRequire } = require('module')
const load = createRequire(`${modules}/`)
const cluster = load('cluster-client')
const Base = load('sdk-base')

class Client extends Base {
  constructor () { super(); this.ready(true) }
  get (what) { return Promise.resolve(what) }
}

const client = cluster(Client, { port: Number(port), isLeader: role === 'lead', maxWaitTime: 20000 }).delegate('get', 'invoke').create()
client.on('error', (e) => { console.error(e); process.exit(1) })
client.ready(async () => {
  if (role === 'lead') return console.log('up')
  const what = { id: 123456, host: 'alpha', text: 'disk nearly full' }
  let answered = 0
  let over = false
  const one = async () => { while (!over) { await client.get(what); answered++ } }
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  for (let i = 0; i < Number(inFlight); i++) one()
  await pause(100 * seconds)
  const before = answered
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  await pause(1000 * seconds)
  const n = answered - before
  const used = process.cpuUsage(cpu)
  console.log(JSON.stringify({ rate: n / (Number(process.hrtime.bigint() - wall) / 1e9), cpu_us: (used.user + used.system) / n }))
  over = true
  process.exit(0)
})
