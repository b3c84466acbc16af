// The entry point cluster-client in processes of its own, alone and together
// with the original package.
'use strict'
const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { EventEmitter, once } = require('node:events')
const net = require('node:net')
const path = require('node:path')
const { createInterface } = require('node:readline')
const { test } = require('node:test')
const cluster = require('meshwork/cluster-client')
const { programs } = require('./kit')

const OURS = 'meshwork/cluster-client'
let original
try {
  original = require.resolve('cluster-client') && 'cluster-client'
} catch {
  original = undefined
}
const withOriginal = { skip: !original && 'the package cluster-client is not installed' }

async function freePort () {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A process of programs/cluster-client.js: what it tells, in order. */
class Process {
  #told = []
  #waiting = []

  constructor (program, args) {
    this.child = spawn(process.execPath, [path.join(programs, program), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.child.stdout }).on('line', line => {
      this.#told.push(program === 'cluster-client.js' ? JSON.parse(line) : line)
      for (const look of this.#waiting.splice(0)) look()
    })
    this.ended = once(this.child, 'exit')
    this.guard = setTimeout(() => this.child.kill('SIGKILL'), 60000)
  }

  /** The next thing told that fits. */
  async see (fits) {
    const match = typeof fits === 'string' ? ({ is }) => is === fits : fits
    for (;;) {
      const at = this.#told.findIndex(match)
      if (at >= 0) return this.#told.splice(at, 1)[0]
      const over = await Promise.race([new Promise(resolve => this.#waiting.push(resolve)), this.ended])
      if (over && !this.#told.some(match)) throw new Error(`it ended, having told ${JSON.stringify(this.#told)}`)
    }
  }

  do (what, ...args) { this.child.stdin.write(JSON.stringify({ do: what, args }) + '\n') }

  async ask (what, ...args) {
    this.do(what, ...args)
    const { value, error } = await this.see('answer')
    return error ?? value
  }

  async end (signal) {
    if (signal) this.child.kill(signal)
    else this.child.stdin.end()
    await this.ended
    clearTimeout(this.guard)
  }
}

async function join (port, options = {}, name = OURS) {
  const one = new Process('cluster-client.js', [name, String(port), JSON.stringify(options)])
  const { leads } = await one.see('ready')
  assert.equal(leads, options.expect ?? leads)
  one.leads = leads
  return one
}

async function everyWay (one, leader) {
  assert.deepEqual(await one.ask('promised', 1, 'two words', { a: [null, true, ''] }),
    { greeting: 'hello', args: [1, 'two words', { a: [null, true, ''] }] })
  assert.equal(await one.ask('called', 'loud'), 'LOUD')
  assert.equal(await one.ask('generated', 'made'), 'made!')
  assert.deepEqual(await one.ask('refused', 'too far'), { name: 'RangeError', message: 'too far', code: 'E1' })
  one.do('noted', 'n')
  assert.equal((await leader.see('noted')).what, 'n')
  one.do('subscribe', { at: 7 })
  const { value, dated } = await one.see('value')
  assert.equal(value.at, 7)
  assert.equal(dated, true)
  one.do('publish', { p: one.child.pid })
  await leader.see(({ is, reg }) => is === 'published' && reg.p === one.child.pid)
}

test('three processes: one leads, all go through it, another takes over', async () => {
  const port = await freePort()
  const a = await join(port, { expect: true })
  const [b, c] = [await join(port, { expect: false }), await join(port, { expect: false })]
  await everyWay(a, a)
  await everyWay(b, a)
  await everyWay(c, a)
  a.do('push', { at: 7 }, 'again')
  for (const one of [a, b, c]) assert.equal((await one.see('value')).value, 'again')
  b.do('unSubscribe', { at: 7 })
  a.do('say', 'news', 'heard here only')
  assert.equal((await a.see('news')).what, 'heard here only')
  await a.end('SIGKILL')
  const leads = new Map([b, c].map(one => [one, one.see('leads').then(() => one)]))
  const next = await Promise.race(leads.values())
  const other = next === b ? c : b
  for (const one of [b, c]) await next.see(({ is, reg }) => is === 'published' && reg.p === one.child.pid)
  await next.see(({ is, reg }) => is === 'subscribed' && reg.at === 7)
  assert.equal((await c.see('value')).value.at, 7)
  assert.deepEqual(await other.ask('promised', 2), { greeting: 'hello', args: [2] })
  next.do('close')
  await next.see('real closed')
  await next.see('closed')
  await leads.get(other)
  assert.equal(await other.ask('called', 'alone'), 'ALONE')
  await next.end()
  await other.end()
})

test('our own wire, formatKey, another transcode, one of many', async t => {
  const dir = require('node:fs').mkdtempSync(path.join(require('node:os').tmpdir(), 'mw-'))
  t.after(() => require('node:fs').rmSync(dir, { recursive: true }))
  const a = await join(0, { wire: 'meshwork', dir, expect: true })
  const b = await join(0, { wire: 'meshwork', dir, expect: false })
  await everyWay(b, a)
  await a.end()
  await b.see('leads')
  await b.end()
})

test('in one process: callbacks, late listeners, formatKey, JSON', async () => {
  const port = await freePort()
  let made = 0
  class Data extends EventEmitter {
    constructor () {
      super()
      made++
    }

    subscribe (reg, listener) { listener({ of: reg.id }) }
    async get (id, more) { return `${id} ${typeof more}` }
    bad () { return Promise.reject(new TypeError('no')) }
  }
  const options = {
    port,
    name: 'a name of words',
    formatKey: reg => `key of ${reg.id}`,
    transcode: { encode: v => Buffer.from(JSON.stringify(v) ?? 'null'), decode: b => JSON.parse(b) }
  }
  const clients = [1, 2].map(() => cluster(Data, options).delegate('bad').create())
  const got = clients.map(client => new Promise(resolve => client.subscribe({ id: 1 }, resolve)))
  assert.deepEqual(await Promise.all(got), [{ of: 1 }, { of: 1 }])
  assert.deepEqual(await new Promise(resolve => clients[1].subscribe({ id: 1 }, resolve)), { of: 1 })
  assert.equal(made, 1)
  assert.equal(await clients[1].get('x'), 'x function')
  await assert.rejects(clients[1].bad(), { name: 'TypeError', message: 'no' })
  assert.deepEqual(clients.map(client => Boolean(client.isClusterClientLeader)).sort(), [false, true])
  assert.throws(() => clients[0].subscribe({ id: 2 }), /listener should be a function/)
  assert.throws(() => cluster(Data).delegate('missing').create(), /api: missing not implement in client/)
  assert.throws(() => cluster.close({}), /should be instanceof ClusterClient/)
  for (const client of clients) await cluster.close(client)
})

test('single mode: one real client a name, no port', async () => {
  let made = 0
  let closed = 0
  class Data {
    constructor () { made++ }
    subscribe (reg, listener) { setImmediate(listener, reg) }
    async get (id) { return id }
    close () { closed++ }
  }
  const [a, b] = [1, 2].map(() => cluster(Data, { singleMode: true }).create())
  assert.equal(await a.get(1), 1)
  assert.equal(await b.get(2), 2)
  assert.equal(await new Promise(resolve => a.subscribe('k', resolve)), 'k')
  assert.equal(await new Promise(resolve => b.subscribe('k', resolve)), 'k')
  assert.equal(made, 1)
  await a.close()
  assert.equal(closed, 0)
  await b.close()
  assert.equal(closed, 1)
})

test('errors have the names of that package', async () => {
  const port = await freePort()
  const a = await join(port, { responseTimeout: 150 })
  const b = await join(port, { responseTimeout: 150, subscribeTimeout: 50 })
  const late = await b.ask('slow')
  assert.equal(late.name, 'ResponseTimeoutError')
  assert.match(late.message, /no response in 150ms/)
  assert.match((await a.see(({ is, name }) => is === 'error' && name === 'ClusterLeaderTimeoutError')).message,
    /^\[Leader:Data\] invoke method:slow timeout for req#/)
  b.do('subscribe', { silent: 1 })
  assert.match((await b.see('error')).message, /^subscribe timeout for \$\$inner\$\$__\{"silent":1\}, cost: \d+ms, expect is 50ms$/)
  await a.end()
  await b.end()
})

test('serialize-json, byte for byte', () => {
  const { encode, decode } = require(path.join(path.dirname(require.resolve('meshwork/package.json')), 'lib', 'serialize-json'))
  for (const [value, text] of [
    [{ success: true }, 'success^^^^$0|-1]'],
    [{ a: 1, b: [true, false, null, '', undefined, -37.5, -36], c: { d: 'x+y|z^%', e: [] }, f: {} },
      'a|b|c|d|x%2By%7Cz%5E%25|e|f^1|-10^-37.5^^$0|7|1|@-1|-2|-3|-4|-5|9|8]|2|$3|4|5|@]]|6|$]]'],
    ['', '^^^^-4'], [[], '^^^^@]'], [12345678901, '^5O6AQT1^^^0'], [new Date(1000), '^^^RS^0'],
    [Buffer.from([1, 2]), '^1|2^^^*0|1]'], [0.1, '^^0.1^^0'], ['é', 'é^^^^0']
  ]) {
    assert.equal(encode(value).toString(), text)
    assert.deepEqual(decode(Buffer.from(text)), value)
  }
  const error = decode(encode(Object.assign(new Error('boom'), { code: 3 })))
  assert.ok(error instanceof Error && error.message === 'boom' && error.code === 3)
  assert.equal(Object.getPrototypeOf(decode(encode(JSON.parse('{"__proto__":{"x":1}}')))).x, undefined)
  for (const bad of ['', '^^^^', '^^^^0', 'a^^^^$0', '^^^^' + '@'.repeat(2000)]) assert.throws(() => decode(Buffer.from(bad)), TypeError)
})

test('the original follows us, and takes over', withOriginal, async () => {
  const port = await freePort()
  const ours = await join(port, { expect: true })
  const theirs = await join(port, { expect: false }, original)
  await everyWay(theirs, ours)
  await ours.end('SIGKILL')
  await theirs.see('leads')
  await theirs.end()
})

test('we follow the original, and take over', withOriginal, async () => {
  const port = await freePort()
  const theirs = await join(port, { expect: true }, original)
  const ours = await join(port, { expect: false })
  await everyWay(ours, theirs)
  await theirs.end('SIGKILL')
  await ours.see('leads')
  assert.equal(await ours.ask('called', 'on'), 'ON')
  const again = await join(port, { expect: false }, original)
  await everyWay(again, ours)
  await again.end()
  await ours.end()
})

test("the README's programs, in three processes", withOriginal, async () => {
  const port = String(await freePort())
  const all = []
  for (let i = 0; i < 3; i++) {
    const one = new Process('cluster-client-readme.js', [port])
    all.push(one)
    for (const line of ['1 value of some thing', '2 value of some thing', '3 value of some thing', 'called back some thing',
      'promised some thing', 'bar some thing', 'api value of news', 'api 1', i === 0 ? 'leads' : 'follows']) {
      await one.see(told => told === line)
    }
    await all[0].see(told => told === 'published some data')
  }
  for (const one of all) {
    one.child.stdin.end()
    await one.see(told => told === 'end')
    await one.end()
  }
})
