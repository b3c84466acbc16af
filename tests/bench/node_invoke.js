// Calls to the leader of a share from another process, both in Node; the addon is where MESHWORK_ADDON says.
//   node_invoke.js lead DIR | call DIR IN_FLIGHT SECONDS      as mw_invoke
const { Share } = require('../../bindings/node')

const [, , role, dir, inFlight, seconds] = process.argv
const share = new Share({ name: 'bench', dir, role: role === 'lead' ? 'leader' : 'follower' })
share.serve(({ message }) => JSON.stringify(JSON.parse(message.text))) // as cluster-client does with both

async function main () {
  await share.start()
  if (role === 'lead') return console.log('up')
  const what = { id: 123456, host: 'alpha', text: 'disk nearly full' }
  let answered = 0
  const one = async () => { for (;;) { JSON.parse((await share.call('get', JSON.stringify(what))).text); answered++ } }
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const failed = (error) => { console.error(error); process.exit(1) }
  for (let i = 0; i < Number(inFlight); i++) one().catch(failed)
  await pause(100 * seconds)
  const before = answered
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  await pause(1000 * seconds)
  const n = answered - before
  const used = process.cpuUsage(cpu)
  console.log(JSON.stringify({ rate: n / (Number(process.hrtime.bigint() - wall) / 1e9), cpu_us: (used.user + used.system) / n }))
  process.exit(0)
}
main().catch((error) => { console.error(error); process.exit(1) })
