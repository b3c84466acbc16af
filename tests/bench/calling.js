// Calls one thing over and over, so many at once, and tells the rate: what the callers of the bench in Node share.
'use strict'
exports.what = { id: 123456, host: 'alpha', text: 'disk nearly full' }

exports.measure = async (call, inFlight, seconds) => {
  let answered = 0
  const one = async () => { for (;;) { await call(exports.what); answered++ } }
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const failed = (error) => { console.error(error); process.exit(1) }
  for (let i = 0; i < Number(inFlight); i++) one().catch(failed)
  await pause(200 * seconds)
  const before = answered
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  await pause(1000 * seconds)
  const n = answered - before
  const used = process.cpuUsage(cpu)
  console.log(JSON.stringify({ rate: n / (Number(process.hrtime.bigint() - wall) / 1e9), cpu_us: (used.user + used.system) / n }))
  process.exit(0)
}
