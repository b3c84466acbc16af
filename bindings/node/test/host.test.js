// Channels, hubs and shares: what the processes of one host have together.
'use strict'
const assert = require('node:assert/strict')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { Context, Channel, Election, Hub, Share, MeshworkError } = require('meshwork')
const { threads, descriptors, tasks } = require('./kit')

const cycles = Number(process.env.MW_CYCLES ?? 10000) / 20 / threads.length

for (const n of threads) {
  const table = (name, run) => test(`threads=${n}: ${name}`, async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'mw-'))
    const context = new Context({ threads: n })
    try {
      await run({ dir, context })
    } finally {
      await context.close()
      fs.rmSync(dir, { recursive: true })
    }
  })

  table('members of a channel hear each other, in order and not themselves', async ({ dir, context }) => {
    const [a, b] = [new Channel({ name: 'A', dir }, context), new Channel({ name: 'A', dir }, context)]
    await Promise.all([a.start(), b.start()])
    const own = []
    a.on('message', message => own.push(message.text))
    await a.subscribe('.*')
    await b.subscribe('log\\..*')
    const total = 1000
    const heard = (async () => {
      const all = []
      for await (const message of b) {
        all.push(message.json())
        if (all.length === total) return [all, message.topic, message.headers.get('sender').toString()]
      }
    })()
    for (let i = 0; i < total; i++) a.publish(i % 2 ? 'log.warn' : 'log.info', String(i))
    await a.deliver('other', 'nobody wants it')
    const [all, topic, sender] = await heard
    assert.deepEqual(all, Array.from({ length: total }, (_, i) => i))
    assert.deepEqual([topic, sender], ['log.warn', a.info().uuid])
    assert.deepEqual((await a.query('members')).map(({ self }) => self).sort(), [false, true])
    assert.equal(b.subscribed('log.warn'), true)
    await b.unsubscribe('log\\..*')
    assert.deepEqual(b.info('topics'), [])
    assert.deepEqual(own, [])
    await assert.rejects(b.subscribe('(a'), { code: 'MW_EPATTERN' })
    assert.throws(() => new Channel({ name: 'A', dir: 'here' }, context), { code: 'MW_EOPTION' })
  })

  table('emit.local marks what it hears of itself, and limit is once', async ({ dir, context }) => {
    const channel = await new Channel({ name: 'A', dir, 'emit.local': true }, context).start()
    const heard = []
    channel.on('message', ({ text, isLocal }) => heard.push([text, isLocal]))
    await channel.subscribe('e', { limit: 1 })
    for (const text of ['first', 'second']) await channel.deliver('e', text)
    await channel.subscribe('last')
    const last = once(channel, 'message')
    channel.publish('last', 'end')
    await last
    assert.deepEqual(heard, [['first', true], ['end', true]])
  })

  table('a member that is full waits for writable', async ({ dir, context }) => {
    const channel = new Channel({ name: 'A', dir, 'hub.auto': false, 'send.soft_bytes': 1024, 'send.max_bytes': 8192,
      'reconnect.interval': 10 }, context)
    const started = channel.start()
    let going = true
    while (going) going = channel.publish('e', Buffer.alloc(256))
    assert.throws(() => { for (;;) channel.publish('e', Buffer.alloc(256)) }, { code: 'MW_EAGAIN', retryable: true })
    const writable = once(channel, 'writable')
    await new Hub({ dir, channels: { A: {} } }, context).start()
    await started
    await writable
    await channel.deliver('e', 'room again')
  })

  table('a standing hub knows its members, dumps, and is reloaded', async ({ dir, context }) => {
    const hub = new Hub({ dir, channels: { A: { dump: true } } }, context)
    const told = []
    hub.on('dump', (message, member) => told.push([message.topic, message.text, member.facts.pid]))
    await hub.start()
    const came = once(hub, 'connection')
    const member = await new Channel({ name: 'A', dir }, context).start()
    const [seen] = await came
    assert.deepEqual([seen.id, seen.facts.channel, seen.hub, hub.members.size], [member.info().uuid, 'A', hub, 1])
    await member.deliver('e', 'body')
    assert.deepEqual(told, [['A', 'e body', process.pid]])
    assert.equal((await hub.query('channel/A'))[0].uuid, seen.id)
    await assert.rejects(hub.query('channel/none'), { code: 'MW_EINVAL' })
    await assert.rejects(hub.update({ channels: { A: { propagate: '(' } } }), { code: 'MW_EOPTION', message: /channels\.A\.propagate/ })
    await hub.update({ channels: { A: {}, B: {} } })
    const gone = once(hub, 'disconnection')
    await member.close()
    assert.equal((await gone)[0], seen)
    assert.equal((await seen.closed).code, 1000)
    assert.equal(hub.members.size, 0)
    await assert.rejects(new Hub({ dir, channels: { A: {} } }, context).start(), { code: 'MW_EADDRINUSE' })
  })

  table('one leads, calls and keys go through it, and another follows', async ({ dir, context }) => {
    const [a, b] = [new Share({ name: 'S', dir }, context), new Share({ name: 'S', dir }, context)]
    const leads = []
    for (const [share, name] of [[a, 'a'], [b, 'b']]) {
      share.on('leader', (self, epoch) => leads.push([name, self, epoch]))
    }
    await a.start()
    await b.start()
    assert.deepEqual(leads, [['a', true, 1], ['b', false, 1]])
    await assert.rejects(b.call('Sum', [1]), { code: 'MW_ENOTSUP' })
    a.serve(({ method, message, caller }) => {
      if (method === 'fail') throw new RangeError('no such thing')
      return { method, sum: message.json().reduce((x, y) => x + y), caller: caller === undefined }
    })
    assert.deepEqual((await b.call('Sum', [1, 2, 3])).json(), { method: 'Sum', sum: 6, caller: true })
    assert.deepEqual((await a.call('Sum', [4])).json(), { method: 'Sum', sum: 4, caller: true })
    await assert.rejects(b.call('fail'), { code: 'MW_EREMOTE', message: 'no such thing' })

    const interest = once(a, 'interest')
    const values = (async () => {
      const all = []
      for await (const message of b) {
        all.push([message.topic, message.text, message.isRetained])
        if (all.length === 500) return all
      }
    })()
    await a.deliver('k', 'old')
    await b.subscribe('k')
    assert.deepEqual((await interest).slice(0, 3), ['k', 1, 0])
    for (let i = 1; i < 500; i++) a.publish('k', String(i))
    const all = await values
    assert.deepEqual(all[0], ['k', 'old', true])
    assert.deepEqual(all.slice(1).map(([, text]) => Number(text)), Array.from({ length: 499 }, (_, i) => i + 1))
    assert.throws(() => b.publish('k', 'no'), { code: 'MW_ENOTLEADER' })

    const led = once(b, 'leader')
    const registered = new Promise(resolve => b.serve(({ method, oneway }) => resolve([method, oneway]) ?? null))
    await b.call('register', 'me', { oneway: true, repeat: true })
    await a.close()
    assert.deepEqual(await led, [true, 2])
    assert.deepEqual(await registered, ['register', true])
    assert.deepEqual(b.info(), { name: 'S', leader: true, epoch: 2 })
  })

  table('one of those that stand leads, and another when it resigns', async ({ dir, context }) => {
    const all = ['a', 'b', 'c'].map(() => new Election({ name: 'E', dir, lease: '5s' }, context))
    const told = []
    all.forEach((each, i) => each.on('leader', (self, epoch) => told.push([i, self, epoch])))
    for (const each of all) await each.start()
    assert.deepEqual(told, [[0, true, 1], [1, false, 1], [2, false, 1]])
    const next = Promise.race(all.slice(1).map(each => new Promise(resolve => each.on('leader', (self, epoch) => self && resolve([each, epoch])))))
    await all[0].close()
    const [leader, epoch] = await next
    assert.equal(epoch, 2)
    assert.deepEqual(leader.info(), { name: 'E', leader: true, epoch: 2 })
    assert.throws(() => new Election({ name: '../E', dir }, context), { code: 'MW_EINVAL' })
  })

  table('close in every handler', async ({ dir }) => {
    for (const [name, event] of [['channel', 'message'], ['channel', 'up'], ['channel', 'close'], ['hub', 'up'], ['hub', 'connection'],
      ['hub', 'dump'], ['hub', 'disconnection'], ['hub', 'close'], ['share', 'leader'], ['share', 'up'], ['share', 'interest'],
      ['share', 'request'], ['share', 'message'], ['share', 'close']]) {
      const context = new Context({ threads: n })
      const all = {
        hub: new Hub({ dir, channels: { A: { dump: true } } }, context),
        channel: new Channel({ name: 'A', dir, 'emit.local': true }, context),
        share: new Share({ name: 'S', dir }, context)
      }
      let ended = false
      const end = () => {
        ended = true
        for (const each of Object.values(all)) each.close()
        context.close()
      }
      if (event === 'request') all.share.serve(end)
      else all[name].on(event, end)
      const steps = [
        () => all.hub.start(), () => all.channel.start(), () => all.channel.subscribe('.*'), () => all.channel.deliver('e', 'x'),
        () => all.share.start(), () => all.share.subscribe('k'), () => all.share.deliver('k', 'v'), () => all.share.call('request'),
        () => all.channel.close(), () => all.share.close(), () => all.hub.close()
      ]
      for (const step of steps) {
        try {
          await step()
        } catch (error) {
          assert.ok(error instanceof MeshworkError, String(error))
        }
      }
      await context.closed
      assert.ok(ended, `${event} of a ${name} never came`)
    }
  })

  table(`${cycles} times a channel and a share, nothing grows`, async ({ dir, context }) => {
    const cycle = async () => {
      const [a, b] = [new Channel({ name: 'A', dir }, context), new Channel({ name: 'A', dir }, context)]
      await Promise.all([a.start(), b.start()])
      await b.subscribe('.*')
      const heard = once(b, 'message')
      a.publish('e', 'once')
      await heard
      const [leads, follows] = [new Share({ name: 'S', dir }, context), new Share({ name: 'S', dir }, context)]
      leads.serve(({ method, message }) => method === 'get' ? message : new Promise(() => {}))
      await leads.start()
      await follows.start()
      const given = assert.rejects(follows.call('wait'), MeshworkError)
      await follows.call('get', 'got')
      await Promise.all([follows, leads, a, b].map(each => each.close()))
      await given
    }
    for (let i = 0; i < 50; i++) await cycle()
    const [fds, tids, before] = [descriptors(), tasks(), process.memoryUsage().rss]
    for (let i = 0; i < cycles; i++) await cycle()
    assert.ok(descriptors() <= fds + 2, `${descriptors()} descriptors, ${fds} before`)
    assert.ok(tasks() <= tids, `${tasks()} threads, ${tids} before`)
    assert.ok(process.memoryUsage().rss - before < 32 << 20, 'memory grew')
    assert.ok(fs.readdirSync(dir).length < 5, `files are left: ${fs.readdirSync(dir)}`)
  })
}
