// A Node worker of the demo's mesh: counts the words of the texts that it is
// called with, and says how many they were. Leaves when "words/over" is
// published.
//
//   node worker.mjs MANAGER SECRET-FILE NAME
import { readFileSync } from 'node:fs'
import { Node } from 'meshwork'

if (process.argv.length !== 5) {
  console.error('usage: worker.mjs MANAGER SECRET-FILE NAME')
  process.exit(2)
}
const [manager, secret, name] = process.argv.slice(2)

function wordsOf (bytes) {
  let words = 0
  let inside = false
  for (const byte of bytes) {
    const space = byte === 32 || (byte >= 9 && byte <= 13)
    if (inside && space) words++
    inside = !space
  }
  return words + inside
}

const node = new Node({
  cluster: { deployment: 'demo' },
  member: { service: 'worker', name },
  registry: 'manager',
  'registry.url': manager,
  link: { secret: readFileSync(secret, 'utf8').trim() }
})
let parts = 0
let words = 0
// A text that comes again with the same key is not counted again.
node.serve('words', ({ method, message }) => {
  if (method === 'words.about') return `${process.pid} ${parts} ${words} Node ${process.versions.node}`
  const here = wordsOf(message.data)
  parts++
  words += here
  return `${here} ${name}`
}, { methods: ['count', 'about'], 'dedupe.window': '1m' })
node.on('message', () => node.close())
await node.subscribe('words/over')
await node.start()
