// A member of a mesh that counts words, and asks all others to do so.
// node mesh.mjs MEMBERS [DIRECTORY], in MEMBERS terminals of one host.
import { Node } from 'meshwork'

const [members, dir] = [Number(process.argv[2] ?? 2), process.argv[3]]
const lines = ['what is counted here', 'is said by those who count']

const node = new Node({
  cluster: { deployment: 'example' },
  member: { service: 'words' },
  gate: { services: { words: members - 1 } }, // start() waits for so many others that serve it
  ...dir && { dir }
})
node.on('memberDown', ({ name, reason }) => console.log(`${name} is gone: ${reason}`))
const done = new Set()
let over
const all = new Promise(resolve => { over = resolve })
node.serve('words', ({ method, message, caller }) => {
  if (method === 'words.count') return message.text.split(' ').length
  if (method !== 'words.done') throw new Error(`${method} is not what I do`)
  if (done.add(caller).size === members) over('')
  return all
})
await node.start()

// Each line goes to one of the others; who that is lost or busy would be passed over.
const counts = await Promise.all(lines.map(line => node.call('words.count', line, { 'retry.safe': true })))
console.log(`${counts.reduce((sum, count) => sum + count.json(), 0)} words`)

// All are asked the same.
const { answers, failures } = await node.gather('words.count', lines.join(' '))
console.log(`${answers.length} of ${answers.length + failures.length} members count ${answers[0].message.text}`)

// Each answers this when all have asked it, so nobody leaves before all are done.
await node.gather('words.done')
await node.close()
