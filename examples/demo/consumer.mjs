// A Node consumer of `make demo`: writes every line it gets to a file.
//
//   node consumer.mjs URL CA SECRET-FILE OUTPUT NAME LINES
import { createWriteStream, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { Consumer } from 'meshwork'

if (process.argv.length !== 8) {
  console.error('usage: consumer.mjs URL CA SECRET-FILE OUTPUT NAME LINES')
  process.exit(2)
}
const [url, ca, secret, output, name, lines] = process.argv.slice(2)
const wanted = Number(lines)
const key = readFileSync(secret, 'utf8').trim()
const out = createWriteStream(output, { highWaterMark: 1 << 20 })
const newline = Buffer.from('\n')
const took = []
let messages = 0
let bytes = 0
let ups = 0
let begin = 0

const consumer = new Consumer({ url, tls: { ca_file: ca }, parameters: { key }, reconnect: { interval: '50ms' } })
consumer.on('up', () => {
  if (ups++ === 0) begin = Date.now()
  consumer.send(`start ${name} ${messages}`)
})
consumer.start().catch(error => { console.error(error.message) })
for await (const message of consumer) {
  const sent = message.headers.get('sent')
  if (sent) took.push(Number(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) - BigInt(sent.toString()) / 1000n))
  out.write(message.data)
  bytes += message.length
  // A full buffer is waited for; meanwhile the provider is made to wait too.
  if (!out.write(newline)) await once(out, 'drain')
  if (++messages === wanted) break
}
const { status, reason } = await consumer.close()
out.end()
await once(out, 'finish')
if (messages !== wanted) console.error(`closed: ${reason} (${status})`)
took.sort((a, b) => a - b)
const at = part => took[Math.floor(part * (took.length - 1))] ?? 0
console.error(JSON.stringify({ messages, bytes, seconds: (Date.now() - begin) / 1000, p50_us: at(0.5), p99_us: at(0.99), reconnects: ups - 1 }))
process.exitCode = messages === wanted ? 0 : 1
