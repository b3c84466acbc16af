// Several processes of one host count themselves, and one of them does the
// work of all. node host.mjs COUNT [DIRECTORY], in COUNT terminals.
import { Channel, Share } from 'meshwork'

const [count, dir] = [Number(process.argv[2] ?? 2), process.argv[3]]
const options = dir ? { dir } : {}

// One leads; the others ask it, in the same words as it asks itself.
const share = new Share({ name: 'example-host', ...options })
const came = new Set()
share.serve(({ message }) => {
  came.add(message.text)
  return { leader: process.pid, number: came.size }
})
share.on('leader', self => console.log(self ? 'I lead.' : 'Another leads.'))

// All hear each other.
const channel = new Channel({ name: 'example-host', 'emit.local': true, ...options })
await Promise.all([share.start(), channel.start()])
await channel.subscribe('all-there', { limit: 1 })
const all = (async () => { for await (const message of channel) return message.json() })()

const { number } = (await share.call('hello', String(process.pid), { headers: { key: `hello ${process.pid}` } })).json()
if (number === count) await channel.deliver('all-there', JSON.stringify({ count }))
console.log(`There are ${(await all).count} of us.`)
await Promise.all([channel.close(), share.close()])
