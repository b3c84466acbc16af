// Nodes of a mesh: they find each other, serve, call, ask all, publish.
'use strict'
const assert = require('node:assert/strict')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { Context, Manager, Node } = require('meshwork')
const { threads, descriptors, tasks } = require('./kit')

const cycles = Number(process.env.MW_CYCLES ?? 10000) / 200 / threads.length

for (const n of threads) {
  const table = (name, run) => test(`threads=${n}: ${name}`, { timeout: 60000 }, async t => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'mw-'))
    const contexts = []
    const open = () => contexts[contexts.push(new Context({ threads: n })) - 1]
    const close = () => Promise.all(contexts.map(each => each.close()))
    t.signal.addEventListener('abort', close) // of what takes too long nothing stays open
    const context = open()
    const node = (name, options = {}, where = context) =>
      new Node({ dir, 'cluster.deployment': 'D', member: { name, service: `${name}s` }, ...options }, where)
    try {
      await run({ node, open })
    } finally {
      await close()
      fs.rmSync(dir, { recursive: true })
    }
  })

  /** Until what the events of a node tell is so. */
  const until = async (node, event, fits) => { while (!fits()) await once(node, event) }

  table('members know each other, and who serves what', async ({ node }) => {
    const [a, b] = [node('a'), node('b', { 'member.version': '1.2.0' })]
    const news = []
    a.on('memberUp', ({ name, service }) => news.push(['up', name, service]))
    a.on('serviceUp', ({ service, member, version, methods, count }) => news.push([service, member, version, methods, count]))
    a.on('serviceDown', ({ service, count }) => news.push([service, count]))
    a.on('memberDown', ({ name, reason, error }) => news.push(['down', name, reason, error]))
    await a.start()
    const words = b.serve('words', () => 'x', { methods: ['count'] })
    await b.start()
    await until(a, 'serviceUp', () => news.length > 1)
    const all = await a.members()
    assert.deepEqual(all.map(({ name, service, self }) => [name, service, self]).sort(), [['a', 'as', true], ['b', 'bs', false]])
    await Promise.all([words.close(), until(a, 'serviceDown', () => news.length > 2)])
    await Promise.all([b.close(), until(a, 'memberDown', () => news.length > 3)])
    assert.deepEqual(news, [['up', 'b', 'bs'], ['words', 'b', '1.2.0', ['count'], 1], ['words', 0], ['down', 'b', 'it left', undefined]])
    assert.equal(a.info().name, 'a')
  })

  table('a call goes to who serves it, in the order of its options', async ({ node }) => {
    const [a, b, c] = [node('a', { 'gate.services': { words: 2 } }), node('b'), node('c', { 'member.version': '2.0.0' })]
    const ready = []
    a.on('ready', (met, services) => ready.push([met, services.words]))
    for (const each of [b, c]) {
      each.serve('words', ({ method, message, caller, signal }) => {
        if (method === 'words.bad') throw Object.assign(new RangeError('no such word'), { code: 'MW_EDENIED' })
        if (method === 'words.wait') return new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        return { by: each.info().name, caller, given: message.json() }
      })
    }
    await Promise.all([a.start(), b.start(), c.start()])
    assert.deepEqual([ready, a.state], [[[true, 2]], 'ready'])
    assert.deepEqual((await a.call('words.x', 1)).json(), { by: 'c', caller: 'a', given: 1 }) // the highest version
    assert.deepEqual((await a.call('words.x', 2, { version: '<2' })).json().by, 'b')
    await assert.rejects(a.call('words.x', 3, { version: '<2', exclude: ['b'] }), { code: 'MW_ENOPEER', retryable: true })
    assert.deepEqual((await a.call('words.x', 4, { only: ['c'], sticky: 'k' })).json().by, 'c')
    await assert.rejects(a.call('words.x', 5, { version: '^3' }), { code: 'MW_EVERSION' })
    await assert.rejects(a.call('words.bad'), { code: 'MW_EDENIED', message: 'no such word' })
    await assert.rejects(a.call('other'), { code: 'MW_ENOSERVICE' })
    await assert.rejects(a.call('words.wait', '', { timeout: 50 }), { code: 'MW_ETIMEDOUT' })
    const give = new AbortController()
    const given = a.call('words.wait', '', { signal: give.signal })
    give.abort(new Error('enough'))
    await assert.rejects(given, { message: 'enough' })
    assert.equal(await a.call('words.note', 0, { oneway: true }).then(({ length }) => length), 0)
  })

  table('a queue gives one at a time, and takes back', async ({ node }) => {
    const [a, b] = [node('a', { 'gate.services': { jobs: 1 } }), node('b')]
    const seen = []
    let running = 0
    const jobs = b.serve('jobs', async request => {
      assert.equal(++running, 1)
      request.message.detach()
      seen.push(request.message.text)
      await null
      running--
      if (request.message.text === 'bad' || seen.length === 1) return request.giveBack('not now')
      return request.message
    }, { queue: 'memory', 'queue.backoff': 1, 'queue.attempts': 2 })
    await Promise.all([a.start(), b.start()])
    const answers = await Promise.all([a.call('jobs', 'again'), a.call('jobs', 'next')])
    assert.deepEqual([answers.map(({ text }) => text), seen], [['again', 'next'], ['again', 'again', 'next']])
    await a.call('jobs', 'note', { oneway: true }) // it waits, too, and what the handler returns answers it
    const lost = new Promise(resolve => jobs.once('dropped', lost => { lost.message.detach(); resolve(lost) }))
    await assert.rejects(a.call('jobs', 'bad'), { code: 'MW_EDEAD', message: /after 2 attempts: not now/ })
    const { count, error, message } = await lost
    assert.deepEqual([count, error.code, message.text, message.headers.get('attempts').toString()], [1, 'MW_EDEAD', 'bad', '2'])
    assert.deepEqual([seen.slice(3), b.info('queues')[0].done], [['note', 'bad', 'bad'], 3])
    a.serve('plain', request => request.giveBack())
    await assert.rejects(a.call('plain'), { code: 'MW_EINVAL' }) // there is no queue: what the handler throws is the answer
  })

  table('a manager brings nodes together', async ({ node, open }) => {
    const manager = new Manager({ 'cluster.deployment': 'D', port: 0, 'discovery.port': 0 }, open())
    const news = []
    manager.on('memberUp', ({ name }) => news.push(['up', name]))
    manager.on('memberDown', ({ name, reason, error }) => news.push(['down', name, reason, error]))
    await manager.start()
    const managed = { registry: 'manager', 'registry.url': new URL(manager.info('address')[0]).host }
    const [a, b] = [node('a', { ...managed, 'gate.services': { words: 1 } }), node('b', managed)]
    b.serve('words', ({ caller }) => `for ${caller}`)
    await Promise.all([a.start(), b.start()])
    assert.equal((await a.call('words')).text, 'for a')
    const all = await manager.members()
    assert.deepEqual(all.map(({ name, service, self }) => [name, service, self]).sort(), [['a', 'as', false], ['b', 'bs', false]])
    await Promise.all([b.close(), until(manager, 'memberDown', () => news.length > 2)])
    assert.deepEqual(news.sort(), [['down', 'b', 'it left', undefined], ['up', 'a'], ['up', 'b']])
  })

  table('all are asked: one by one, gathered, and who failed is named', async ({ node }) => {
    const [a, b, c] = [node('a', { 'gate.services': { words: 2 } }), node('b'), node('c')]
    b.serve('words', ({ message }) => message)
    c.serve('words', ({ message }) => { if (message.text === 'bad') throw new Error('not me'); return message })
    await Promise.all([a.start(), b.start(), c.start()])
    const said = []
    for await (const { member, message, error, more } of a.broadcast('words.x', 'good')) said.push([member, message.text, error, more])
    assert.deepEqual(said.sort(), [['b', 'good', undefined, false], ['c', 'good', undefined, false]])
    const failed = []
    for await (const { member, error } of a.broadcast('words.x', 'bad')) failed.push([member, error?.message])
    assert.deepEqual(failed.sort(), [['b', undefined], ['c', 'not me']])
    const { answers, failures } = await a.gather('words.x', 'bad')
    assert.deepEqual([answers.map(({ member, message }) => [member, message.text]), failures.map(({ member, error }) => [member, error.code])],
      [[['b', 'bad']], [['c', 'MW_EREMOTE']]])
    await assert.rejects(a.gather('nothing'), { code: 'MW_ENOSERVICE' })
    await assert.rejects(a.broadcast('nothing').next(), { code: 'MW_ENOSERVICE' })
    await assert.rejects(a.broadcast('words.x', '', { signal: AbortSignal.abort(new Error('before')) }).next(), { message: 'before' })
  })

  table('an answer in parts', async ({ node }) => {
    const [a, b] = [node('a', { 'gate.services': { words: 1 } }), node('b')]
    b.serve('words', async function * ({ message }) { for (let i = 0; i < message.json(); i++) yield i })
    await Promise.all([a.start(), b.start()])
    let next = 0
    for await (const part of a.stream('words.count', 2000, { timeout: Infinity })) assert.equal(part.json(), next++)
    assert.equal(next, 2000)
  })

  table('events reach who subscribed', async ({ node }) => {
    const [a, b] = [node('a'), node('b')]
    await a.start()
    await b.subscribe('log/*')
    const knows = once(a, 'memberUp')
    await b.start()
    await knows
    let wanted = 0
    while (wanted === 0) wanted = await a.reach('log/first', 'it is known when it counts')
    const heard = (async () => {
      for await (const { topic, text, headers } of b) if (topic === 'log/warn') return [text, headers.get('member').toString()]
    })()
    a.publish('other', 'nobody wants it')
    await a.reach('log/warn', 'disk')
    assert.deepEqual(await heard, ['disk', 'a'])
    await a.subscribe('here')
    const here = new Promise(resolve => a.once('message', message => resolve(message.detach())))
    assert.equal(await a.reach('here', 'mine', { local: true }), 0)
    const message = await here
    assert.deepEqual([message.topic, message.isLocal, a.subscribed('here'), b.subscribed('here')], ['here', true, true, false])
  })

  table('what a node cannot be', async ({ node, open }) => {
    assert.throws(() => new Node({}, open()), { code: 'MW_EOPTION', message: /cluster.deployment/ })
    const a = node('a')
    await assert.rejects(a.call('x'), { code: 'MW_ENOTCONN' })
    assert.throws(() => a.publish('x', 'y'), { code: 'MW_ENOTCONN' })
    await assert.rejects(node('b', { 'gate.services': { words: 1 }, 'gate.timeout': 50 }).start(), { code: 'MW_ETIMEDOUT', message: /gate/ })
  })

  table('close in every handler', async ({ node, open }) => {
    for (const event of ['up', 'ready', 'memberUp', 'serviceUp', 'message', 'request', 'part', 'memberDown', 'close']) {
      const context = open()
      const b = node('b')
      const own = node('a', { 'gate.services': { words: 1 } }, context)
      let ended
      const over = new Promise(resolve => { ended = resolve })
      const end = () => { own.close(); context.close(); ended() }
      if (event !== 'request' && event !== 'part') own.on(event, end)
      own.serve('own', () => event === 'request' ? end() : 'mine')
      b.serve('words', async function * () { yield 'part' })
      const ignore = () => {}
      await Promise.all([b.start(), own.start().catch(ignore)])
      await own.subscribe('e').catch(ignore)
      own.reach('e', 'x').catch(ignore)
      own.call('own').catch(ignore)
      own.call('words', '', { part: event === 'part' ? end : ignore }).catch(ignore).finally(() => b.close())
      if (event === 'close') own.closed.then(ignore), b.closed.then(() => own.close())
      await over
      await Promise.all([context.closed, b.close()])
    }
  })

  table(`${cycles} times two nodes, nothing grows`, async ({ node }) => {
    const cycle = async () => {
      const [a, b] = [node('a', { 'gate.services': { words: 1 } }), node('b')]
      b.serve('words', ({ message }) => message)
      await Promise.all([a.start(), b.start()])
      assert.equal((await a.call('words', 'x')).text, 'x')
      assert.equal((await a.gather('words', 'x')).answers.length, 1)
      await Promise.all([a.close(), b.close()])
    }
    for (let i = 0; i < 5; i++) await cycle()
    const [fds, tids, before] = [descriptors(), tasks(), process.memoryUsage().rss]
    for (let i = 0; i < cycles; i++) await cycle()
    assert.ok(descriptors() <= fds + 2, `${descriptors()} descriptors, ${fds} before`)
    assert.ok(tasks() <= tids, `${tasks()} threads, ${tids} before`)
    assert.ok(process.memoryUsage().rss - before < 32 << 20, 'memory grew')
  })
}
