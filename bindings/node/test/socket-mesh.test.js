// meshwork/socket-mesh: what programs of that package use, and its README's programs in processes of their own.
'use strict'
const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { randomInt } = require('node:crypto')
const { once } = require('node:events')
const path = require('node:path')
const { createInterface } = require('node:readline')
const { test } = require('node:test')
const { Context } = require('meshwork')
const { Manager, SocketNode } = require('meshwork/socket-mesh')
const { run, programs } = require('./kit')

const keys = { publicKey: 'one name', privateKey: 'a secret' }
const rules = commands => ({
  Front: { _allow: 'anyNode', _connect: ['work', 'Back'] },
  Work: { _allow: ['Front', 'Work'], _connect: ['Work'], _commands: commands },
  Back: { _commands: { _balanced: { closed: () => 'never' } } }
})

/** A manager and nodes in one process; all is closed in the end, however that comes. */
const mesh = (name, body) => test(name, { timeout: 120000 }, async t => {
  const context = new Context()
  t.signal.addEventListener('abort', () => context.close())
  try {
    const troubles = []
    const onError = error => { if (error.code !== 'MW_EREGISTRY') troubles.push(error) } // of a busy machine: a manager too slow to greet
    const manager = new Manager({ ...keys, schema: rules({}), ip: '127.0.0.1', 'discovery.port': 0, onError }, context)
    await manager.started
    const port = Number(new URL(manager.address[0]).port)
    const node = (worker, settings) => new SocketNode({ ...keys, worker, port, onError, 'call.timeout': '60s', wait: 60000, ...settings }, context)
    await body({ manager, node, troubles, context, port, signal: t.signal })
  } finally {
    await context.close()
  }
})

/** What the events of the manager say comes in its own time; the test's is limited. */
const until = async (signal, fits) => {
  while (!fits()) {
    signal.throwIfAborted()
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** A node that has met so many others. */
const met = (node, count, worker, settings) => new Promise(resolve => {
  let n = 0
  const made = node(worker, { ...settings, onConnection: () => { if (++n === count) resolve(made) } })
})

mesh('balanced calls go round, broadcasts to all, and who fails is named', async ({ manager, node, troubles, signal }) => {
  const noted = []
  const commands = name => ({
    _balanced: { who: () => name, add: ({ a, b }) => Promise.resolve(a + b), fails: () => { throw new RangeError('no such thing') } },
    _broadcast: {
      all: { responds: true, method: ({ bad }) => { if (bad === name) throw new Error('not me'); return name } },
      note: { method: data => noted.push([name, data]) },
      plain: data => noted.push([name, data])
    }
  })
  const one = node('Work', { variant: '1', schema: rules(commands('1')) })
  const shouted = Object.fromEntries(Object.entries(rules(commands('2'))).map(([name, role]) => [name.toUpperCase(), role]))
  const two = node('work', { variant: '2', schema: shouted })
  await Promise.all([one.connected, two.connected])
  const front = await met(node, 2, 'Front', { variant: 'f', schema: rules(commands()) })
  const { Work } = front.call
  const round = [await Work.who.call(), await Work.who.call(), await Work.who.call(), await Work.who.call()]
  assert.deepEqual(round.sort(), ['1', '1', '2', '2'])
  assert.equal(await Work.add.call({ a: 1, b: 2 }), 3)
  assert.equal(await Work.who.call({}, { only: ['2'] }), '2')
  assert.equal(await Work.who.call({}, { exclude: '2' }), '1')
  await assert.rejects(Work.who.call({}, { only: ['none'], timeout: 50 }), { code: 'MW_ENOPEER' })
  await assert.rejects(Work.fails.call(), { code: 'MW_EREMOTE', message: 'no such thing' })
  await assert.rejects(front.call.Back.closed.call(), { code: 'MW_EDENIED', message: /_allow/ })
  const all = await Work.all.call({})
  assert.deepEqual([[...all].sort(), all.failures], [['1', '2'], []])
  const some = await Work.all.call({ bad: '1' })
  assert.deepEqual([[...some], some.failures.map(({ worker, variant, error }) => [worker, variant, error.message])],
    [['2'], [['Work', '1', 'not me']]])
  assert.equal(await Work.note.call({ n: 1 }), undefined)
  await Work.plain.call({ n: 2 }, { only: '1' })
  await Work.all.call({}) // behind them on the same links
  assert.deepEqual(noted.sort(), [['1', { n: 1 }], ['1', { n: 2 }], ['2', { n: 1 }]])
  assert.equal(await one.call.Work.who.call(), '2') // itself it does not call
  assert.equal(await one.call.Work.who.call({}, { exclude: ['1', '1'] }), '2')
  assert.equal(front.call.WORK.who, Work.who)
  assert.equal(await two.call.Work.who.call(), '1')
  assert.deepEqual(Object.keys(one.methods), ['who', 'add', 'fails', 'all', 'note', 'plain'])
  await until(signal, () => Object.keys(manager.connections()).length === 3)
  assert.deepEqual(Object.entries(manager.connections()).map(([worker, nodes]) => [worker, nodes.map(({ variant }) => variant)]).sort(),
    [['Front', ['f']], ['Work', ['1']], ['work', ['2']]])
  assert.deepEqual(troubles, [])
})

mesh('connections come and go', async ({ manager, node }) => {
  const gone = []
  const left = new Promise(resolve => gone.push(resolve))
  const schema = rules({ _balanced: { who: () => 'w' } })
  const work = node('Work', { variant: '1', schema })
  await work.connected
  const front = await met(node, 1, 'Front', { schema, onDisconnection: connection => gone[0](connection) })
  assert.deepEqual([front.connections.connections.map(({ worker, variant }) => [worker, variant]), front.connections.connected('WORK'),
    front.connections.connected('Back')], [[['Work', '1']], true, false])
  const connection = front.getConnection({ worker: 'Work', variant: '1' })
  assert.equal(front.connections.getConnection({ worker: 'work' }), connection)
  assert.equal(front.meshServer.listening, true)
  assert.deepEqual(front.meshServer.connections.connections, [connection])
  await work.destroy()
  assert.equal(await left, connection)
  assert.deepEqual([front.connections.connected('Work'), front.getConnection({ worker: 'Work' })], [false, undefined])
  await assert.rejects(front.call.Work.who.call({}, { timeout: 50 }), { code: 'MW_ENOPEER' })
  assert.equal(manager.listening, true)
  await manager.destroy()
  assert.equal(manager.listening, false)
})

mesh('a call waits for who takes it, until it is given up', async ({ node, troubles }) => {
  const schema = rules({ _balanced: { who: () => 'w' }, _broadcast: { all: { responds: true, method: () => 'all' } } })
  const front = node('Front', { variant: 'f', schema })
  const early = [front.call.Work.who.call(), front.call.Work.all.call()] // not even connected yet
  await front.connected
  const give = new AbortController()
  const given = front.call.Work.who.call({}, { only: 'nobody', signal: give.signal })
  const late = front.call.Work.who.call({}, { only: 'late' })
  await assert.rejects(front.call.Work.who.call({}, { timeout: 20 }), { code: 'MW_ENOSERVICE' }) // there never was one
  give.abort(new RangeError('enough'))
  await assert.rejects(given, RangeError)
  const work = node('Work', { variant: 'late', schema })
  const [one, all, two] = await Promise.all([...early, late])
  assert.deepEqual([one, [...all], two], ['w', ['all'], 'w'])
  const ended = assert.rejects(front.call.Work.who.call({}, { only: 'nobody' }), { code: /MW_(ECLOSED|ECANCELED)/ })
  await front.destroy()
  await ended
  assert.deepEqual(front.connections.connections, [])
  await work.destroy()
  assert.deepEqual(troubles, [])
})

mesh('who comes is chosen or not as it is written there', async ({ node, troubles }) => {
  const schema = name => rules({ _balanced: { who: () => name }, _broadcast: { all: { responds: true, method: () => name } } })
  const front = node('Front', { variant: 'f', schema: schema() })
  const { who, all } = front.call.Work
  const early = [who.call({}, { only: 'late' }), who.call({}, { exclude: 'late' }), all.call({}, { exclude: ['late', 'none'] })]
  await front.connected
  const late = node('work', { variant: 'late', schema: schema('late') })
  assert.equal(await early[0], 'late')
  assert.equal(await who.call({}, { only: 'late' }), 'late')
  await assert.rejects(who.call({}, { exclude: ['none', 'late'], timeout: 50 }), { code: 'MW_ENOPEER' })
  const other = node('WORK', { variant: 'other', schema: schema('other') })
  assert.deepEqual([await early[1], [...await early[2]], await who.call({}, { exclude: ['none', 'late'] })], ['other', ['other'], 'other'])
  await Promise.all([late.destroy(), other.destroy()])
  assert.deepEqual(troubles, [])
})

mesh('many calls that wait with one signal are no leak of listeners', async ({ node }) => {
  const warnings = []
  const warn = warning => warnings.push(warning.message)
  process.on('warning', warn)
  const front = node('Front', { schema: rules({ _balanced: { who: () => 'w' } }) })
  await front.connected
  const give = new AbortController()
  const given = Promise.allSettled(Array.from({ length: 20 }, () => front.call.Work.who.call({}, { only: 'nobody', signal: give.signal })))
  await assert.rejects(front.call.Work.who.call({}, { timeout: 20 }), { code: 'MW_ENOSERVICE' }) // it waited, they did
  give.abort(new RangeError('enough'))
  assert.ok((await given).every(({ reason }) => reason instanceof RangeError))
  process.off('warning', warn)
  assert.deepEqual(warnings, [])
})

/** Nobody else has this address, so its discovery port (8765) is free, and stays so. */
const address = () => `127.${[1, 2, 3].map(() => randomInt(1, 255)).join('.')}`

mesh('nodes find a manager that comes later, and keep each other without one', async ({ node, context }) => {
  const schema = rules({ _balanced: { who: () => 'w' } })
  const there = { schema, ip: address(), port: undefined, 'registry.scan': 50 }
  const work = node('Work', there)
  const front = met(node, 1, 'Front', there)
  const later = new Manager({ ...keys, schema, ip: there.ip }, context)
  assert.equal(await (await front).call.Work.who.call(), 'w')
  assert.equal(await later.started, true)
  await later.destroy()
  assert.equal(await (await front).call.Work.who.call(), 'w')
  assert.equal(await work.connected, true)
})

mesh('who has another key stays out, and what is no schema is said at once', async ({ manager, node, context, signal }) => {
  const schema = rules({ _balanced: { who: () => 'w' } })
  const other = node('Work', { schema, privateKey: 'another' })
  await node('Front', { schema }).connected
  await until(signal, () => manager.connections().Front)
  assert.deepEqual(Object.keys(manager.connections()), ['Front'])
  await other.destroy()
  assert.equal(await other.connected, false)
  assert.throws(() => node('None', { schema }), { code: 'MW_EOPTION', message: /None/ })
  assert.throws(() => node('Work', { schema: { Work: { allow: [] } } }), { code: 'MW_EOPTION', message: /unknown key/ })
  assert.throws(() => node('Work', { schema: rules({ _balanced: { x: () => 1 }, _broadcast: { x: () => 1 } }) }), { code: 'MW_EOPTION', message: /both/ })
  assert.throws(() => node('Work', { schema, publicKey: undefined }), TypeError)
  assert.throws(() => new Manager({ ...keys }, context), TypeError)
  assert.throws(() => new Manager({ ...keys, schema: { Work: { allow: [] } } }, context), { code: 'MW_EOPTION', message: /unknown key/ })
})

mesh('who cannot start or has to go is told so', async ({ node, context, port, troubles }) => {
  const second = new Manager({ ...keys, schema: rules({}), ip: '127.0.0.1', port, onError: error => troubles.push(error) }, context)
  assert.equal(await second.started, false)
  assert.deepEqual([troubles.splice(0).map(({ code }) => code), second.listening, second.address], [['MW_EADDRINUSE'], false, []])
  await second.destroy() // it is closed
  const schema = rules({ _balanced: { who: () => 'w' } })
  let say
  const said = new Promise(resolve => { say = resolve })
  const first = node('Work', { variant: '1', schema, onError: say })
  await first.connected
  const later = node('Work', { variant: '1', schema: rules({ _balanced: { who: () => 'later' } }) })
  assert.equal((await said).code, 'MW_EDUPLICATE')
  await later.connected
  const front = node('Front', { schema })
  let answer
  while (answer !== 'later') answer = await front.call.Work.who.call().catch(({ code }) => assert.match(code, /MW_(EPEERGONE|ECANCELED|EDRAINING)/))
  assert.equal(first.meshServer.listening, false)
})

test('handlers that throw stop nothing', { timeout: 120000 }, async () => {
  const { code, out } = await run(path.join(programs, 'socket-mesh-throws.cjs'), [], { limit: 100000 })
  assert.deepEqual([code, out], [0, 'onConnected,onConnection,onConnection,onDisconnection\n'])
})

mesh('without a port a manager is found through its address', async ({ node, context }) => {
  const schema = rules({ _balanced: { who: () => 'w' } })
  const ip = address()
  const manager = new Manager({ ...keys, schema, ip }, context)
  const work = node('Work', { schema, ip, port: undefined })
  const front = node('Front', { schema, ip, port: undefined })
  assert.deepEqual(await Promise.all([manager.started, work.connected, front.connected]), [true, true, true])
  assert.equal(await front.call.Work.who.call(), 'w')
})

test("the programs of the package's README, in processes of their own", { timeout: 240000 }, async t => {
  const children = []
  const end = () => children.forEach(child => child.kill('SIGKILL'))
  t.signal.addEventListener('abort', end)
  /** A program, what it says line by line (of its log: nothing), and the wait for it; who ends before fails it. */
  const start = (name, args = [], env = {}) => {
    const child = spawn(process.execPath, [path.join(programs, `socket-mesh-${name}.mjs`), ...args],
      { env: { ...process.env, MASTER_SOCKET_PORT: '', ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    child.name = [name, ...args].join(' ')
    child.said = []
    child.complained = ''
    child.stderr.setEncoding('utf8').on('data', text => { child.complained += text })
    const lines = createInterface(child.stdout).on('line', line => {
      child.said.push(line)
      child.emit('said')
    })
    const over = once(lines, 'close')
    child.says = async what => {
      while (!child.said.some(line => what.test(line))) {
        const what_came = await Promise.race([once(child, 'said'), over.then(() => 'over')])
        assert.notEqual(what_came, 'over', `${child.name} never said ${what}, but:\n${child.said.join('\n')}\n${child.complained}`)
      }
      return child.said.find(line => what.test(line)).match(what)
    }
    child.over = once(child, 'close')
    children.push(child)
    return child
  }
  try {
    const ip = address()
    const manager = start('manager', [], { MASTER_HOST: ip })
    await manager.says(/^listening on wss:/)
    const node = (...args) => start('node', args, { MASTER_HOST: ip })
    const [a, b, c] = [node('NodeA', 'a', 'b'), node('NodeB', 'b'), node('NodeB', 'c')]
    for (const each of [a, b, c]) await each.says(/^connected true$/)
    for (const variant of ['b', 'c']) await a.says(new RegExp(`add: 'NodeB \\[${variant}\\]'`))
    await a.says(/^NodeB is well, says data$/)
    for (const each of [b, c]) {
      await each.says(/add: 'NodeA \[a\]'/)
      await each.says(/^NodeA is well, says data$/)
    }
    assert.equal(b.said.some(line => /NodeB \[/.test(line)), false) // they may not meet
    a.stdin.write('go\n')
    await a.says(/^all: all,all$/)
    await a.says(/^one: one$/)
    for (const each of [b, c]) {
      await each.says(/^second ends$/)
      assert.deepEqual(each.said.filter(line => /^(first|second) /.test(line)), ['first begins', 'first ends', 'second begins', 'second ends'])
    }
    assert.match(a.complained, /Redis/)
    b.kill('SIGKILL')
    await a.says(/drop: 'NodeB \[b\]'/)
    for (const each of [a, c, manager]) {
      each.kill('SIGINT')
      assert.deepEqual(await each.over, [0, null], each.complained)
    }
    assert.ok(c.said.some(line => /drop: 'NodeA \[a\]'/.test(line)))
  } finally {
    end()
  }
})
