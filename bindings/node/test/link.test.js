// Providers and consumers at both doors, as a program uses them.
'use strict'
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { test } = require('node:test')
const { Context, Provider, Consumer, MeshworkError, describe, readOption, stat, version } = require('meshwork')
const { threads, pair } = require('./kit')

for (const n of threads) {
  const open = options => pair({ context: new Context({ threads: n }), ...options })

  test(`threads=${n}: text and bytes both ways, in order`, async () => {
    const { context, consumer, connection } = await open()
    const heard = []
    connection.on('message', message => heard.push(message.isText ? message.text : [...message.data]))
    consumer.send('hello')
    consumer.post('wörld')
    consumer.send(Uint8Array.of(1, 2, 3))
    consumer.send('')
    await consumer.deliver('last')
    assert.deepEqual(heard, ['hello', 'wörld', [1, 2, 3], '', 'last'])
    const answer = once(consumer, 'message')
    connection.send('you')
    assert.equal((await answer)[0].isText, true)
    await context.close()
  })

  test(`threads=${n}: a message is lent; detach keeps it`, async () => {
    const { context, consumer, connection } = await open()
    const kept = []
    connection.on('message', message => kept.push(kept.length === 0 ? message : message.detach()))
    await consumer.deliver('first')
    await consumer.deliver('second')
    assert.throws(() => kept[0].text, /detach\(\)/)
    assert.equal(kept[1].text, 'second')
    await context.close()
  })

  test(`threads=${n}: a message larger than the slab`, async () => {
    const { context, consumer, connection } = await open({ provider: { 'recv.max_message': '4MiB' } })
    const came = once(connection, 'message')
    const body = Buffer.alloc(3 << 20, 'large ')
    consumer.send(body)
    const [message] = await came
    assert.ok(message.data.equals(body))
    await context.close()
  })

  test(`threads=${n}: headers, topics, publish and except`, async () => {
    const { context, provider, consumer, connection } = await open({ consumer: { wire: 'meshwork' } })
    await connection.subscribe('news/#')
    assert.equal(connection.subscribed('news/a'), true)
    assert.deepEqual(connection.info('topics'), ['news/#'])
    const came = once(consumer, 'message')
    consumer.once('message', message => assert.equal(message.headers.get('k').toString(), 'v'))
    assert.equal(await provider.reach('news/a', 'x', { headers: { k: 'v' } }), 1)
    assert.equal((await came)[0].length, 1)
    assert.equal(await provider.reach('news/a', 'x', { except: connection }), 0)
    await connection.unsubscribe('news/#')
    assert.equal(await provider.reach('news/a', 'x'), 0)
    await context.close()
  })

  test(`threads=${n}: for await takes all, and the sender waits meanwhile`, async () => {
    const { context, consumer, connection } = await open()
    const total = 5000
    let sent = 0
    const fill = () => {
      while (sent < total) if (!connection.send(Buffer.alloc(1024, String(sent++ % 10)))) return
    }
    connection.on('writable', fill)
    let seen = 0
    fill()
    for await (const message of consumer) {
      assert.equal(message.data[0], 48 + seen % 10)
      if (++seen % 500 === 0) await new Promise(resolve => setImmediate(resolve))
      if (seen === total) break
    }
    assert.equal(consumer.listenerCount('message'), 0)
    await context.close()
  })

  test(`threads=${n}: for await ends with the link`, async () => {
    const { context, provider, consumer } = await open()
    const heard = []
    const done = (async () => {
      for await (const [from, message] of provider.messages()) heard.push([from.id, message.text])
    })()
    await consumer.deliver('one')
    await provider.close()
    await done
    assert.equal(heard[0][1], 'one')
    await context.close()
  })

  test(`threads=${n}: a handler that throws does not stop the batch`, async () => {
    const { context, consumer, connection } = await open()
    const failures = []
    const caught = error => failures.push(error.message)
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', caught)
    let seen = 0
    connection.on('message', message => {
      seen++
      if (message.text === 'bad') throw new Error('from the handler')
    })
    for (const text of ['a', 'bad', 'b']) consumer.send(text)
    await consumer.deliver('c')
    process.off('uncaughtException', caught)
    before.forEach(listener => process.on('uncaughtException', listener))
    assert.equal(seen, 4)
    assert.deepEqual(failures, ['from the handler'])
    await context.close()
  })

  test(`threads=${n}: start is given up by signal and by timeout`, async () => {
    const context = new Context({ threads: n })
    const gone = await new Provider({ port: 0, host: '127.0.0.1' }, context).start()
    const url = gone.address[0]
    await gone.close()
    const consumer = new Consumer({ url, 'reconnect.interval': '1h', 'reconnect.max_interval': '1h' }, context)
    const abort = new AbortController()
    const started = consumer.start({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(started, /enough/)
    await assert.rejects(consumer.start({ timeout: 5 }), { name: 'TimeoutError' })
    await assert.rejects(consumer.start({ signal: abort.signal }), /enough/)
    assert.equal(consumer.state, 'waiting')
    await context.close()
  })

  test(`threads=${n}: cancelled calls in their thousands`, async () => {
    const { context, connection, consumer } = await open({ consumer: { wire: 'meshwork' } })
    connection.pause() // so no acknowledgement comes
    const abort = new AbortController()
    require('node:events').setMaxListeners(0, abort.signal)
    const calls = Array.from({ length: 3000 }, () => consumer.deliver('x', { signal: abort.signal }))
    abort.abort()
    const results = await Promise.allSettled(calls)
    assert.ok(results.every(r => r.reason?.name === 'AbortError'))
    connection.resume()
    assert.equal(await consumer.deliver('still there'), 'taken')
    await context.close()
  })

  test(`threads=${n}: admission by question`, async () => {
    const context = new Context({ threads: n })
    const provider = await new Provider({ port: 0, host: '127.0.0.1', 'auth.ask': true }, context).start()
    provider.on('ask', ask => ask.parameters.name === 'ann' ? ask.allow({ rank: 1 }) : ask.refuse({ status: 401 }))
    const came = once(provider, 'connection')
    const ann = await new Consumer({ url: provider.address[0], parameters: { name: 'ann' } }, context).start()
    assert.deepEqual((await came)[0].data, { rank: 1 })
    const bob = new Consumer({ url: provider.address[0], parameters: { name: 'bob' } }, context)
    await assert.rejects(bob.start(), error => error instanceof MeshworkError && error.code === 'MW_EAUTH' &&
      !error.retryable && error.http === 401)
    assert.equal((await bob.closed).error.code, 'MW_EAUTH')
    assert.equal(ann.state, 'up')
    await context.close()
  })

  test(`threads=${n}: pressure is told: false, EAGAIN, writable`, async () => {
    const { context, consumer, connection } = await open({ provider: { 'send.max_bytes': '256KiB' } })
    consumer.pause()
    let soft = 0
    const full = async () => {
      for (;;) {
        try {
          if (!connection.send(Buffer.alloc(32 << 10))) soft++
        } catch (error) {
          return error
        }
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    const error = await full()
    assert.equal(error.code, 'MW_EAGAIN')
    assert.equal(error.retryable, true)
    assert.ok(soft > 0)
    // The kernel still takes some: post until it takes no more.
    let refused, writable
    connection.once('refused', reason => {
      refused = reason
      writable = once(connection, 'writable')
    })
    while (!refused || connection.stat(stat.BUFFERED) === 0) {
      connection.post(Buffer.alloc(64 << 10))
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(refused.code, 'MW_EAGAIN')
    consumer.resume()
    await writable
    await context.close()
  })

  test(`threads=${n}: close in every handler`, async () => {
    for (const [object, event] of [['provider', 'connection'], ['provider', 'message'], ['consumer', 'up'],
      ['connection', 'message'], ['connection', 'close'], ['provider', 'disconnection'], ['provider', 'close'],
      ['consumer', 'close'], ['consumer', 'message']]) {
      const context = new Context({ threads: n })
      const all = { provider: new Provider({ port: 0, host: '127.0.0.1' }, context) }
      const arm = () => all[object]?.on(event, () => {
        for (const each of Object.values(all)) each.close()
        context.close()
      })
      if (object === 'provider') arm()
      all.provider.on('connection', connection => {
        all.connection = connection
        if (object === 'connection') arm()
      })
      await all.provider.start()
      all.consumer = new Consumer({ url: all.provider.address[0] }, context)
      if (object === 'consumer') arm()
      all.consumer.on('up', () => { try { all.consumer.send('x') } catch (error) { assert.equal(error.code, 'MW_ECLOSED') } })
      all.provider.on('message', connection => { try { connection.send('y') } catch (error) { assert.equal(error.code, 'MW_ECLOSED') } })
      await all.consumer.start().catch(error => assert.ok(error instanceof MeshworkError))
      if (['close', 'disconnection'].includes(event)) all[object === 'consumer' ? 'consumer' : object === 'connection' ? 'consumer' : 'provider'].close()
      await context.closed
    }
  })
}

test('ping and pong by option', async () => {
  const { context, consumer, provider } = await pair({ provider: { events: '+ping' }, consumer: { events: '+pong', wire: 'raw' } })
  const ping = once(provider, 'ping')
  const pong = once(consumer, 'pong')
  consumer.ping('are you there')
  assert.equal((await ping)[1].toString(), 'are you there')
  const [body, milliseconds] = await pong
  assert.equal(body.toString(), 'are you there')
  assert.ok(milliseconds >= 0)
  await context.close()
})

test('wrong options name the nearest key and what is allowed', () => {
  assert.throws(() => new Provider({ prot: 1 }), /port/)
  assert.throws(() => new Provider({ port: 99999 }), { code: 'MW_EOPTION' })
  assert.throws(() => new Context({ thread: 1 }), /threads/)
  assert.equal(readOption('provider', { heartbeat: { interval: '30s' } }, 'heartbeat.interval'), '30s')
  assert.equal(readOption('consumer', { parameters: { key: 's' } }, 'parameters'), '***')
  assert.ok(describe('consumer').some(option => option.key === 'reconnect.interval'))
  assert.match(version, /^\d+\.\d+\.\d+$/)
})

test('closing is silent when it is closed, verbs are not', async () => {
  const { context, provider, consumer } = await pair()
  assert.equal((await consumer.close({ code: 4000, reason: 'done' })).error, undefined)
  assert.equal(consumer.state, 'closed')
  await consumer.close()
  assert.throws(() => consumer.send('x'), { code: 'MW_ECLOSED' })
  await assert.rejects(consumer.start(), { code: 'MW_ECLOSED' })
  await provider.close()
  await context.close()
  await context.close()
})

test('two contexts at once, and the same process talks through both', async () => {
  const a = await pair({ context: new Context({ threads: threads[0] }) })
  const b = await pair({ context: new Context({ threads: 1 }) })
  const across = await new Consumer({ url: a.provider.address[0] }, b.context).start()
  const came = once(a.provider, 'message')
  across.send('across')
  assert.equal((await came)[1].length, 6)
  await Promise.all([a.context.close(), b.context.close()])
})

test('async dispose closes', async () => {
  const { context, provider } = await pair()
  const dispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')
  await provider[dispose]()
  assert.equal(provider.state, 'closed')
  await context[dispose]()
})
