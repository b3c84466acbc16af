// A Node member of `make demo`'s second part: has the words of a file counted,
// 50 lines a call, over the one connection that the members share. Whichever
// of them leads has it, and passes the calls of all on.
//
//   node member.mjs URL CA SECRET-FILE DIR NAME FILE
import { readFileSync } from 'node:fs'
import { Consumer, Share } from 'meshwork'

if (process.argv.length !== 8) {
  console.error('usage: member.mjs URL CA SECRET-FILE DIR NAME FILE')
  process.exit(2)
}
const [url, ca, secret, dir, name, file] = process.argv.slice(2)
const lines = readFileSync(file, 'latin1').split('\n')
if (lines.at(-1) === '') lines.pop()
const key = readFileSync(secret, 'utf8').trim()
const share = new Share({ name: 'words', dir })

// Where this process leads: the connection, when it is up.
let upstream
async function connect () {
  const consumer = new Consumer({ url, tls: { ca_file: ca }, parameters: { key } })
  await consumer.start()
  return consumer
}
share.on('leader', (self, epoch) => {
  console.error(`${self ? 'leads' : 'follows'} ${epoch}`)
  upstream?.then(consumer => consumer.close(), () => {})
  upstream = self ? connect() : undefined
  upstream?.catch(error => console.error(error.message)) // the calls that wait for it fail
})
share.serve(async request => {
  const text = Buffer.from(request.message.data)
  const headers = { key: request.message.headers.get('key') }
  const answer = await (await upstream).call('Words.count', text, { headers, parent: request })
  return answer.text
})
await share.start()

// What it asks itself.
let calls = 0
let failed = 0
let words = 0
let last = performance.now()
let longest = 0
async function work () {
  while (calls * 50 < lines.length) {
    const number = calls++
    const text = lines.slice(number * 50, number * 50 + 50).map(line => line + '\n').join('')
    try {
      const headers = { key: `${name}/${number}` } // safe to repeat
      const answer = await share.call('count', Buffer.from(text, 'latin1'), { headers, timeout: 30000 })
      words += Number(answer.text)
    } catch (error) {
      console.error(`failed: ${error.code}: ${error.message}`)
      failed++
    }
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
}
await Promise.all(Array.from({ length: 16 }, work))
await share.close()
await upstream?.then(consumer => consumer.close(), () => {})
console.error(JSON.stringify({ calls, failed, words, longest_ms: Math.round(longest * 10) / 10 }))
process.exitCode = failed ? 1 : 0
