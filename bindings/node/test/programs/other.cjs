'use strict'
// Bun and Deno: both ways, topics, for await, channels, shares, nodes, socket-mesh, close, many contexts, and the end by itself.
const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Context, Provider, Consumer, Channel, Node, Share } = require('meshwork')
const { Manager, SocketNode } = require('meshwork/socket-mesh')

async function mesh (context) {
  const schema = { A: { _connect: ['B'] }, B: { _allow: ['A'], _commands: { _broadcast: { add: { responds: true, method: ({ a, b }) => a + b } } } } }
  const settings = { publicKey: 'p', privateKey: 's', schema }
  const manager = new Manager({ ...settings, ip: '127.0.0.1', 'discovery.port': 0 }, context)
  assert.equal(await manager.started, true)
  const { port } = new URL(manager.address[0])
  const [a, b] = ['A', 'B'].map(worker => new SocketNode({ ...settings, worker, port, wait: 30000, 'call.timeout': '30s' }, context))
  assert.deepEqual([...await a.call.B.add.call({ a: 1, b: 2 })], [3])
  await Promise.all([a, b, manager].map(each => each.destroy()))
}

async function host (context) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'mw-'))
  try {
    const [a, b] = [new Channel({ name: 'A', dir }, context), new Channel({ name: 'A', dir }, context)]
    await Promise.all([a.start(), b.start()])
    await b.subscribe('e.*')
    const came = new Promise(resolve => b.once('message', ({ topic, text }) => resolve([topic, text])))
    await a.deliver('event', 'heard')
    assert.deepEqual(await came, ['event', 'heard'])
    const share = new Share({ name: 'S', dir }, context)
    share.serve(({ message }) => message.json() + 1)
    await share.start()
    assert.equal((await share.call('next', 1)).json(), 2)
    const [m, n] = [{ 'gate.services': { words: 1 } }, {}].map(more => new Node({ dir, 'cluster.deployment': 'D', ...more }, context))
    n.serve('words', ({ message }) => message)
    await Promise.all([m.start(), n.start()])
    assert.equal((await m.call('words', 'of tea')).text, 'of tea')
    assert.equal((await m.gather('words', 'of all')).answers.length, 1)
    await Promise.all([a, b, share, m, n].map(each => each.close()))
  } finally {
    fs.rmSync(dir, { recursive: true })
  }
}

async function main () {
  const context = new Context()
  const provider = new Provider({ port: 0, host: '127.0.0.1', auth: { parameters: { key: 's' } } }, context)
  let last
  provider.on('connection', connection => { last = connection })
  provider.on('message', (connection, message) => connection.post(message))
  await provider.start()
  const consumer = new Consumer({ url: provider.address[0], parameters: { key: 's' }, wire: 'meshwork' }, context)
  await consumer.start()
  const large = Buffer.alloc(500000, 'large')
  const sent = ['one', large, ...Array.from({ length: 5000 }, (_, i) => `number ${i}`)]
  let i = 0
  const all = (async () => {
    for await (const message of consumer) {
      assert.ok(message.data.equals(Buffer.from(sent[i++])))
      if (i === sent.length) break
    }
  })()
  for (const each of sent) consumer.post(each)
  await all
  await last.subscribe('t')
  assert.equal(await provider.reach('t', 'x'), 1)
  assert.equal(await consumer.deliver('y'), 'taken')
  await assert.rejects(new Consumer({ url: provider.address[0], parameters: { key: 'no' } }, context).start(), { code: 'MW_EAUTH' })
  await Promise.all([consumer.close(), provider.close()])
  await host(context)
  await mesh(context)
  await context.close()
  for (let n = 0; n < 20; n++) await new Context().close()
  console.log('all is well')
}
main()
